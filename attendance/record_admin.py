"""Records in the admin: found by class, day or flag, corrected with a reason."""

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_export import Column, export_action
from accounts.models import User
from attendance import history, services
from attendance.admin_forms import CorrectionForm, MarkForm
from attendance.admin_history import HistoryAdmin
from attendance.admin_words import day_words, similarity_words
from attendance.models import Record, RecordQuerySet, Session, Status
from attendance.why import why
from classroom.admin_filters import ClassFilter

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
SHOWN = [
    *("student", "session", "source", "similarity", "figures", "warning"),
    *("marked_at", "marked_by"),
]


def badge(status: str) -> SafeString:
    return format_html(
        '<span class="badge badge--{}">{}</span>', status, Status(status).label
    )


class RecordClassFilter(ClassFilter):
    path = "session__classroom"


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
