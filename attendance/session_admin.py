"""Sessions in the admin: found by their state, closed, reopened, corrected."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_deletion import CountedDeletionAdmin, Deletion
from accounts.admin_export import Column, export_action
from accounts.models import User
from attendance import services
from attendance.admin_forms import SessionForm
from attendance.admin_history import HistoryAdmin
from attendance.admin_words import day_words, similarity_words
from attendance.models import Record, Session
from attendance.reports import Counts
from attendance.session_api import SessionHasRecords
from classroom.admin_filters import Choice, ClassFilter

SESSION_COLUMNS: list[Column] = [
    (_("date"), lambda session: session.date),
    (_("start"), lambda session: session.start),
    (_("end"), lambda session: session.end),
    (_("class"), lambda session: session.classroom.class_code),
    (_("closed"), lambda session: session.closed_at),
]


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
        lines = Record.objects.filter(session__in=shown)
        counts = lines.status_counts("session__pk")
        for session in shown:
            session.counts = Counts(**counts[session.pk])
        self.result_list = shown


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
