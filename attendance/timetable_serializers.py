"""Shapes of the timetable's API: slots, closures and planned absences."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.fields import RowIdField
from accounts.models import User
from accounts.viewsets import requester
from attendance.calendars import Skipped
from attendance.rules import plan_absence
from attendance.serializers import BriefStudentSerializer
from attendance.timetable import save_closures, save_slot
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.serializers import refusal


class PeriodOfDaysMixin:
    """Refuse a last day before the first, whichever of them is given."""

    instance: Any

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = (
            attrs.get(name, getattr(self.instance, name, None))
            for name in ("first_date", "last_date")
        )
        if first and last and last < first:
            text = _("The last day is before the first.")
            raise refusal("last_date", text, "last_before_first")
        return attrs


def changed(instance: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        setattr(instance, name, value)
    return instance


class SlotSerializer(PeriodOfDaysMixin, serializers.ModelSerializer[Slot]):
    """A lesson of the week."""

    class_id = serializers.IntegerField(source="classroom_id", read_only=True)

    class Meta:
        model = Slot
        fields = [
            "id",
            "class_id",
            "weekday",
            "start",
            "end",
            "room",
            "grace_minutes",
            "first_date",
            "last_date",
        ]
        extra_kwargs = {
            "weekday": {"help_text": "1 is Monday, 7 is Sunday (ISO 8601)."},
            "end": {"help_text": "Before the start: on the next day."},
            "last_date": {"help_text": "This day included; null: no end."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = (
            attrs.get(name, getattr(self.instance, name, None))
            for name in ("start", "end")
        )
        if start == end:
            raise refusal("end", _("The end can't be the start."), "end_is_start")
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Slot:
        return save_slot(Slot(**validated_data))

    def update(self, instance: Slot, validated_data: dict[str, Any]) -> Slot:
        return save_slot(changed(instance, validated_data))


class NewSlotSerializer(SlotSerializer):
    class_id = RowIdField(source="classroom_id")


class ClosureSerializer(PeriodOfDaysMixin, serializers.ModelSerializer[Closure]):
    """Days without lessons, both included."""

    class Meta:
        model = Closure
        fields = ["id", "first_date", "last_date", "name"]

    def create(self, validated_data: dict[str, Any]) -> Closure:
        return self._saved(Closure(**validated_data))

    def update(self, instance: Closure, validated_data: dict[str, Any]) -> Closure:
        return self._saved(changed(instance, validated_data))

    def _saved(self, closure: Closure) -> Closure:
        save_closures([closure])
        return closure


class CalendarFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="An iCalendar file (.ics).")
    dry_run = serializers.BooleanField(
        default=False, help_text="Show what is found, save nothing."
    )


class SkippedSerializer(serializers.Serializer[Skipped]):
    name = serializers.CharField()
    reason = serializers.CharField()


class FoundClosureSerializer(serializers.ModelSerializer[Closure]):
    class Meta:
        model = Closure
        fields = ["first_date", "last_date", "name"]


class DaysOffSerializer(serializers.Serializer[Any]):
    """What a calendar file holds for this school year and the next."""

    closures = FoundClosureSerializer(many=True)
    skipped = SkippedSerializer(many=True, help_text="Events that are no days off.")
    added = serializers.IntegerField(default=0)
    updated = serializers.IntegerField(default=0)


class PlannedAbsenceSerializer(
    PeriodOfDaysMixin, serializers.ModelSerializer[PlannedAbsence]
):
    """Days on which a student is excused, both included."""

    student_id = serializers.IntegerField(read_only=True, help_text="The row's `id`.")
    student = BriefStudentSerializer(read_only=True)
    created_by_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = PlannedAbsence
        fields = [
            "id",
            "student_id",
            "student",
            "first_date",
            "last_date",
            "reason",
            "created_at",
            "created_by_id",
        ]
        read_only_fields = ["created_at"]

    def create(self, validated_data: dict[str, Any]) -> PlannedAbsence:
        return plan_absence(PlannedAbsence(**validated_data), by=self._user())

    def update(
        self, instance: PlannedAbsence, validated_data: dict[str, Any]
    ) -> PlannedAbsence:
        return plan_absence(changed(instance, validated_data), by=self._user())

    def _user(self) -> User:
        return requester(self.context["request"])


class NewPlannedAbsenceSerializer(PlannedAbsenceSerializer):
    student_id = RowIdField(help_text="The row's `id`.")
