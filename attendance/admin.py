"""The register in the admin: sessions and records, corrected with a history."""

from collections import defaultdict
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Count, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_deletion import CountedDeletionAdmin, Deletion
from accounts.admin_export import Column, export_action
from accounts.audit_admin import AuditedAdmin
from accounts.models import User
from attendance import history, notice_admin, report_admin, services, timetable_admin
from attendance.admin_forms import CorrectionForm, MarkForm, SessionForm
from attendance.models import Record, RecordQuerySet, Session, Status
from attendance.reports import Counts
from attendance.session_api import SessionHasRecords
from attendance.why import why
from classroom.admin_filters import Choice, ClassFilter
from faces import runtime

# Imported because they register more of this app.
assert notice_admin and report_admin and timetable_admin  # noqa: S101

# A match this far above the threshold leaves no doubt, and one this near it deserves
# a second look: the margin between two students is 0.05.
CLEAR, CLOSE = 0.15, 0.05

RECORD_COLUMNS: list[Column] = [
    (_("date"), lambda line: line.session.date),
    (_("start"), lambda line: line.session.start),
    (_("class"), lambda line: line.session.classroom.class_code),
    (_("student ID"), lambda line: line.student.student_id),
    (_("name"), lambda line: line.student.full_name),
    (_("status"), lambda line: line.get_status_display()),
    (_("source"), lambda line: line.get_source_display()),
    (_("similarity"), lambda line: line.confidence_score),
    (_("marked at"), lambda line: line.marked_at),
    (_("marked by"), lambda line: line.marked_by and line.marked_by.full_name),
    (_("note"), lambda line: line.note),
]
SESSION_COLUMNS: list[Column] = [
    (_("date"), lambda session: session.date),
    (_("start"), lambda session: session.start),
    (_("end"), lambda session: session.end),
    (_("class"), lambda session: session.classroom.class_code),
    (_("closed"), lambda session: session.closed_at),
]


def similarity_words(similarity: float | None) -> str:
    """Return a match's figure with a plain word; "–" where no face was compared."""
    if similarity is None:
        return "–"
    lead = similarity - runtime.threshold()
    word = (
        _("clear") if lead >= CLEAR else _("close call") if lead < CLOSE else _("fair")
    )
    return f"{similarity:.2f} · {word}"


def badge(status: str) -> SafeString:
    return format_html(
        '<span class="badge badge--{}">{}</span>', status, Status(status).label
    )


def day_words(session: Session) -> str:
    """Return a session's day with its weekday, in the reader's language."""
    return date_format(session.date, "D j M Y")


class RecordClassFilter(ClassFilter):
    path = "session__classroom"


class StateFilter(admin.SimpleListFilter):
    """Sessions that are open, forgotten open, or closed."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        return [
            ("open", _("Open")),
            ("forgotten", _("Open since before today")),
            ("closed", _("Closed")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Session]
    ) -> QuerySet[Session] | None:
        value = self.value()
        if value == "open":
            return queryset.filter(closed_at__isnull=True)
        if value == "forgotten":
            today = timezone.localdate()
            return queryset.filter(closed_at__isnull=True, date__lt=today)
        if value == "closed":
            return queryset.filter(closed_at__isnull=False)
        return None


class SessionList(ChangeList):
    """Count the records of the sessions on the page, and of no others."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown = list(self.result_list)
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        lines = Record.objects.filter(session__in=shown).order_by()
        for session, status, number in lines.values_list(
            "session__pk", "status"
        ).annotate(number=Count("pk")):
            counts[session][status] = number
        for session in shown:
            session.counts = Counts(**counts[session.pk])
        self.result_list = shown


class RecordsByDay(RecordQuerySet):
    """Records whose months and days are read from their sessions, which are few."""

    def dates(self, field_name: str, kind: Any, order: Any = "ASC") -> Any:
        sessions = Session.objects.filter(pk__in=self.order_by().values("session"))
        return sessions.dates(field_name.removeprefix("session__"), kind, order)


class KeysFirstPaginator(Paginator[Any]):
    """Skip to a late page by keys alone; only the page's own rows are joined."""

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        rows: Any = self.object_list
        keys = rows.values_list("pk", flat=True)[bottom : bottom + self.per_page]
        return Page(rows.filter(pk__in=list(keys)), number, self)


class HistoryAdmin(AuditedAdmin[Any]):
    """The register's own history instead of the admin's list of saved forms."""

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(row)s") % {"row": row},
            "opts": self.opts,
            "original": row,
            "changes": self.changes(row),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/attendance/history.html", context)

    def changes(self, row: Any) -> list[Any]:
        return list(row.history.select_related("history_user"))


@admin.register(Session)
class SessionAdmin(HistoryAdmin, CountedDeletionAdmin[Session]):
    form = SessionForm
    list_display = ["when", "class_code", "state", "present", "absent", "rate"]
    list_filter = [ClassFilter, StateFilter]
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = "date"
    search_fields = ["classroom__class_code", "classroom__class_name"]
    search_help_text = _("Code or name of the class")
    autocomplete_fields = ["classroom"]
    actions = ["close", "reopen", export_action("sessions", SESSION_COLUMNS)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SessionList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("classroom")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Session | None = None
    ) -> Any:
        # Its records would follow the session into another class.
        return ["classroom"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Session, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = cast(User, request.user)
        obj._history_user = request.user  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def get_deleted_objects(
        self, objs: QuerySet[Session] | Any, request: HttpRequest
    ) -> Deletion:
        """Protect sessions that hold records, as everywhere else."""
        tree, counts, missing, protected = super().get_deleted_objects(objs, request)
        if Record.objects.filter(session__in=objs).exists():
            protected = [*protected, SessionHasRecords.default_detail]
        return tree, counts, missing, protected

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        session = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if session is not None:
            lines = Record.objects.filter(session=session)
            context["lines"] = [
                (line, similarity_words(line.confidence_score))
                for line in lines.select_related("student", "marked_by").order_by(
                    "student__full_name", "pk"
                )
            ]
            context["unmarked"] = services.unmarked(session)
        return super().change_view(
            request, object_id, form_url, context | (extra_context or {})
        )

    def response_change(self, request: HttpRequest, obj: Session) -> HttpResponse:
        by = cast(User, request.user)
        if "_close" in request.POST:
            services.close(obj, by=by)
            self.message_user(request, _("Closed."), messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        if "_reopen" in request.POST:
            services.reopen(obj, by=by)
            self.message_user(request, _("Reopened."), messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    @admin.display(description=_("when"), ordering="date")
    def when(self, session: Session) -> str:
        start = f"{session.start:%H:%M}" if session.start else _("any time")
        return f"{day_words(session)}, {start}"

    @admin.display(description=_("class"), ordering="classroom__class_code")
    def class_code(self, session: Session) -> str:
        return session.classroom.class_code

    @admin.display(description=_("state"), ordering="-closed_at")
    def state(self, session: Session) -> SafeString:
        look, word = (
            (" badge--open", _("Open")) if session.is_open else ("", _("Closed"))
        )
        return format_html('<span class="badge{}">{}</span>', look, word)

    @admin.display(description=_("present or late"))
    def present(self, session: Any) -> int:
        return int(session.counts.present + session.counts.late)

    @admin.display(description=_("absent"))
    def absent(self, session: Any) -> int:
        return int(session.counts.absent)

    @admin.display(description=_("rate"))
    def rate(self, session: Any) -> str:
        rate: float | None = session.counts.rate
        return "–" if rate is None else f"{rate:.0%}"

    @admin.action(description=_("Close: whoever has no line is absent"))
    def close(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        chosen = list(queryset.filter(closed_at__isnull=True))
        for session in chosen:
            services.close(session, by=cast(User, request.user))
        text = _("Sessions closed: %(number)d.") % {"number": len(chosen)}
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Reopen: the lines stay"))
    def reopen(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        chosen = list(queryset.filter(closed_at__isnull=False))
        for session in chosen:
            services.reopen(session, by=cast(User, request.user))
        text = _("Sessions reopened: %(number)d.") % {"number": len(chosen)}
        self.message_user(request, text, messages.SUCCESS)


SHOWN = [
    *("student", "session", "source", "similarity", "figures", "warning"),
    *("marked_at", "marked_by"),
]


class FlagFilter(admin.SimpleListFilter):
    """Show the lines that something speaks against."""

    title = _("flags")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Flagged"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Record]
    ) -> QuerySet[Record]:
        return queryset.exclude(flags=[]) if self.value() else queryset


@admin.register(Record)
class RecordAdmin(HistoryAdmin):
    """Lines are added and corrected by the services; none is deleted."""

    list_display = [
        "student",
        "class_code",
        "date",
        "status_badge",
        "source",
        "similarity",
        "marked",
    ]
    list_filter = [RecordClassFilter, "status", "source", FlagFilter]
    list_select_related = ["student", "session__classroom", "marked_by"]
    ordering = ["-session__date", "student__full_name", "id"]
    list_per_page = 50
    paginator = KeysFirstPaginator
    show_full_result_count = False
    date_hierarchy = "session__date"
    search_fields = ["student__full_name", "student__student_id"]
    search_help_text = _("Name or code of the student")
    autocomplete_fields = ["session", "student"]
    actions = [export_action("records", RECORD_COLUMNS)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        lines = RecordsByDay(Record).order_by(*self.get_ordering(request))
        return lines.select_related("student", "session__classroom", "marked_by")

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        # A student's page links to that student's lines.
        mine = lookup == "student__id__exact"
        return mine or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = CorrectionForm if obj else MarkForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["session", "student", "status", "note"]})]
        return [
            (None, {"fields": SHOWN}),
            (_("Correct"), {"fields": ["status", "note", "reason"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return SHOWN if obj else []

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Record, form: Any, change: bool
    ) -> None:
        by = cast(User, request.user)
        status, note = Status(form.cleaned_data["status"]), form.cleaned_data["note"]
        if not change:
            line = services.mark_by_hand(
                obj.session, obj.student, status=status, note=note, by=by
            )
            obj.pk = line.pk
        elif {"status", "note"} & set(form.changed_data):
            why = form.cleaned_data["reason"]
            services.correct(obj, status=status, note=note, why=why, by=by)

    def changes(self, row: Record) -> list[Any]:
        return history.of_record(row)

    @admin.display(description=_("class"), ordering="session__classroom__class_code")
    def class_code(self, line: Record) -> str:
        return line.session.classroom.class_code

    @admin.display(description=_("date"), ordering="session__date")
    def date(self, line: Record) -> SafeString:
        address = reverse("admin:attendance_session_change", args=[line.session_id])
        return format_html('<a href="{}">{}</a>', address, day_words(line.session))

    @admin.display(description=_("status"), ordering="status")
    def status_badge(self, line: Record) -> SafeString:
        return badge(line.status)

    @admin.display(description=_("similarity"), ordering="confidence_score")
    def similarity(self, line: Record) -> str:
        return similarity_words(line.confidence_score)

    @admin.display(description=_("marked"), ordering="marked_at")
    def marked(self, line: Record) -> SafeString:
        moment = timezone.localtime(line.marked_at)
        when = f"{date_format(moment, 'j M')}, {moment:%H:%M}"
        return format_html(
            '{} <span class="quiet">{}</span>', when, line.marked_by or ""
        )

    @admin.display(description=_("why"))
    def figures(self, line: Record) -> str:
        found = why(line)
        if found is None:
            return self.get_empty_value_display()
        return _(
            "%(model)s: similarity %(similarity)s of %(threshold)s, "
            "lead %(margin)s of %(needed)s (audit log %(number)s)"
        ) % {
            "model": found.model_id,
            "similarity": found.similarity,
            "threshold": found.threshold,
            "margin": "–" if found.margin is None else found.margin,
            "needed": found.margin_needed,
            "number": found.number,
        }

    @admin.display(description=_("flags"))
    def warning(self, line: Record) -> str:
        return " ".join(line.warnings) or self.get_empty_value_display()
