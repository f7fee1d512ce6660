"""The admin and the audit log: what an admin does is written, and read here.

`AuditedAdmin` is the base of every admin page that can change something.
"""

import json
from copy import copy
from typing import Any, TypeVar

from django.contrib import admin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.admin_export import export_action
from accounts.audit import Event, Line
from accounts.audit_models import AuditEntry
from accounts.viewsets import requester

ModelT = TypeVar("ModelT", bound=Model)


class AuditedAdmin(admin.ModelAdmin[ModelT]):
    """Write what is added, changed and deleted here to the audit log.

    All of it in the transaction of the change itself.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_addition(request, obj, message)
        audit.write(Event.ADDED, by=requester(request), on=obj, door="admin")
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        fields = changed_fields(message)
        audit.write(
            Event.CHANGED, by=requester(request), on=obj, door="admin", fields=fields
        )
        return entry

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: ModelT) -> None:
        gone = copy(obj)  # a deleted row forgets its id
        self.erase(request, obj)
        audit.write(Event.ERASED, by=requester(request), on=gone, door="admin")

    def erase(self, request: HttpRequest, obj: ModelT) -> None:
        obj.delete()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelT]) -> None:
        lines = [Line(Event.ERASED, row, {"door": "admin"}) for row in queryset]
        super().delete_queryset(request, queryset)
        audit.write_all(lines, by=requester(request))


def changed_fields(message: Any) -> list[str]:
    """Return the names of the fields that a form of the admin changed."""
    if not isinstance(message, list):
        return []
    changes = [part.get("changed", {}) for part in message]
    return [field for change in changes for field in change.get("fields", [])]


class EventFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(event.value, event.label) for event in Event]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class SubjectFilter(admin.SimpleListFilter):
    title = _("about")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = AuditEntry.objects.order_by("subject").exclude(subject="")
        return [
            (k, kind_words(k))
            for k in kinds.values_list("subject", flat=True).distinct()
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(subject=self.value()) if self.value() else queryset


def registered(kind: str) -> type[Model] | None:
    """Return the model that the log knows under a name, where the admin shows it."""
    models = (model for model in admin.site._registry)
    return next((model for model in models if model._meta.model_name == kind), None)


def kind_words(kind: str) -> str:
    model = registered(kind)
    return str(model._meta.verbose_name) if model is not None else kind


def details_of(entry: AuditEntry) -> str:
    return json.dumps(entry.details, ensure_ascii=False, sort_keys=True)


COLUMNS = [
    ("number", lambda entry: entry.number),
    ("at", lambda entry: entry.at.isoformat()),
    ("event", lambda entry: entry.event),
    ("actor_id", lambda entry: entry.actor_id),
    ("subject", lambda entry: entry.subject),
    ("subject_id", lambda entry: entry.subject_id),
    ("details", details_of),
    ("previous", lambda entry: entry.previous),
    ("key_id", lambda entry: entry.key_id),
    ("seal", lambda entry: entry.seal),
]


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin[AuditEntry]):
    """Read, filter, search and download; nothing here can be changed."""

    list_display = ["number", "at", "event_words", "person", "about", "what"]
    list_display_links = ["number"]
    list_filter = ["at", EventFilter, SubjectFilter]
    list_per_page = 50
    list_select_related = ["actor"]
    show_full_result_count = False
    ordering = ["-number"]
    search_fields = [
        "number__exact",
        "subject_id__exact",
        "actor__full_name",
        "actor__email",
    ]
    search_help_text = _("A number, a row’s id, or who did it")
    actions = [export_action("audit", COLUMNS)]
    readonly_fields = [
        "number",
        "at",
        "event_words",
        "person",
        "about",
        "what",
        "previous",
        "key_id",
        "seal",
    ]

    @admin.display(description=_("event"), ordering="event")
    def event_words(self, entry: AuditEntry) -> str:
        return entry.event_label

    @admin.display(description=_("who"), ordering="actor_id")
    def person(self, entry: AuditEntry) -> str:
        """Name who it was; an account that is gone by its number."""
        if entry.actor_id is None:
            return self.get_empty_value_display()
        return str(entry.actor) if entry.actor else f"#{entry.actor_id}"

    @admin.display(description=_("about"))
    def about(self, entry: AuditEntry) -> str:
        if not entry.subject:
            return self.get_empty_value_display()
        words = f"{kind_words(entry.subject)} {entry.subject_id}"
        model = registered(entry.subject)
        if model is None or entry.subject_id is None:
            return words
        names = model._meta
        address = reverse(
            f"admin:{names.app_label}_{names.model_name}_change",
            args=[entry.subject_id],
        )
        return format_html('<a href="{}">{}</a>', address, words)

    @admin.display(description=_("details"))
    def what(self, entry: AuditEntry) -> str:
        parts = sorted(entry.details.items())
        return ", ".join(f"{name}: {value}" for name, value in parts)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: AuditEntry | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: AuditEntry | None = None
    ) -> bool:
        return False
