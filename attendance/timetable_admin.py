"""The timetable in the admin: slots, days off and planned absences."""

from typing import Any, TypeVar, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.audit_admin import AuditedAdmin
from accounts.models import User
from attendance.rules import cancel_absence, plan_absence
from attendance.timetable import (
    SlotOverlaps,
    delete_closure,
    delete_slot,
    refuse_overlap,
    save_closures,
    save_slot,
)
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.admin_filters import ClassFilter

ModelT = TypeVar("ModelT", bound=Model)


class PlanAdmin(AuditedAdmin[ModelT]):
    """Delete row by row through the services, so that sessions follow."""

    list_per_page = 50
    show_full_result_count = False

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelT]) -> None:
        for row in queryset:
            self.delete_model(request, row)


class SlotForm(forms.ModelForm[Slot]):
    class Meta:
        model = Slot
        fields = [
            "classroom",
            "weekday",
            "start",
            "end",
            "room",
            "grace_minutes",
            "first_date",
            "last_date",
        ]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            refuse_overlap(self.instance)
        except SlotOverlaps as error:
            self.add_error(None, error.detail)


@admin.register(Slot)
class SlotAdmin(PlanAdmin[Slot]):
    form = SlotForm
    list_display = ["classroom", "weekday", "start", "end", "room", "first_date"]
    list_filter = [ClassFilter, "weekday"]
    list_select_related = ["classroom"]
    autocomplete_fields = ["classroom"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Slot | None = None
    ) -> list[str]:
        # Its sessions would stay behind with the other class.
        return ["classroom"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Slot, form: Any, change: bool
    ) -> None:
        save_slot(obj)

    def erase(self, request: HttpRequest, obj: Slot) -> None:
        delete_slot(obj)


@admin.register(Closure)
class ClosureAdmin(PlanAdmin[Closure]):
    list_display = ["name", "first_date", "last_date"]
    date_hierarchy = "first_date"
    search_fields = ["name"]

    def save_model(
        self, request: HttpRequest, obj: Closure, form: Any, change: bool
    ) -> None:
        save_closures([obj])

    def erase(self, request: HttpRequest, obj: Closure) -> None:
        delete_closure(obj)


@admin.register(PlannedAbsence)
class PlannedAbsenceAdmin(PlanAdmin[PlannedAbsence]):
    list_display = ["student", "first_date", "last_date", "reason", "created_by"]
    list_select_related = ["student", "created_by"]
    date_hierarchy = "first_date"
    search_fields = ["student__full_name", "student__student_id"]
    autocomplete_fields = ["student"]
    readonly_fields = ["created_by", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: PlannedAbsence, form: Any, change: bool
    ) -> None:
        plan_absence(obj, by=cast(User, request.user))

    def erase(self, request: HttpRequest, obj: PlannedAbsence) -> None:
        cancel_absence(obj, by=cast(User, request.user))
