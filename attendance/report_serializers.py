"""Shapes of the reports' API."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from rest_framework import serializers

from accounts.fields import RowIdField
from attendance.api import PeriodSerializer
from attendance.models import AbsenceRule, Status
from attendance.report_trends import Step
from attendance.serializers import BriefStudentSerializer, CountsSerializer

REPORTS = ("school", "class", "sessions", "grid", "session", "student", "absences")
FORMATS = ("csv", "xlsx")


class ReportPeriodSerializer(PeriodSerializer):
    """First and last day, both included; without them all sessions."""

    session_id = None  # type: ignore[assignment]


class AbsencesQuerySerializer(ReportPeriodSerializer):
    class_id = RowIdField(required=False, help_text="One class; without it all.")


class ReportFileSerializer(PeriodSerializer):
    """What a report is about: `class_id`, `session_id` or `student_id`, as it needs."""

    class_id = RowIdField(required=False)
    session_id = RowIdField(required=False)
    student_id = RowIdField(required=False, help_text="The row's `id`.")
    format = serializers.ChoiceField(choices=FORMATS, default="csv")


class BriefClassSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    class_name = serializers.CharField()
    class_code = serializers.CharField()
    school_year = serializers.CharField()


class BriefSessionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    class_id = serializers.IntegerField(source="classroom_id")
    date = serializers.DateField()
    start = serializers.TimeField(allow_null=True)
    end = serializers.TimeField(allow_null=True)
    is_open = serializers.BooleanField()


class PointSerializer(serializers.Serializer[Any]):
    first = serializers.DateField(help_text="First day of the day, week or month.")
    counts = CountsSerializer()


class TrendSerializer(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=Step.choices)
    points = PointSerializer(many=True)


class WeekdaySerializer(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(
        source="number", help_text="1 is Monday, 7 is Sunday (ISO 8601)."
    )
    sessions = serializers.IntegerField()
    counts = CountsSerializer()


class ChartsSerializer(serializers.Serializer[Any]):
    counts = CountsSerializer()
    sessions = serializers.IntegerField()
    trend = TrendSerializer()
    weekdays = WeekdaySerializer(many=True)


class ClassLineSerializer(serializers.Serializer[Any]):
    classroom = BriefClassSerializer()
    sessions = serializers.IntegerField()
    counts = CountsSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `class` is a word of Python's own, so it can't be a class attribute.
        fields = super().get_fields()
        return {
            "class": BriefClassSerializer(source="classroom"),
            **{name: field for name, field in fields.items() if name != "classroom"},
        }


class SchoolReportSerializer(ChartsSerializer):
    """All classes that the user may see."""

    classes = ClassLineSerializer(many=True)


class StudentCountsSerializer(serializers.Serializer[Any]):
    student = BriefStudentSerializer()
    counts = CountsSerializer()


class ClassReportSerializer(ChartsSerializer):
    class_id = serializers.IntegerField()
    students = StudentCountsSerializer(many=True)


class SessionLineSerializer(serializers.Serializer[Any]):
    session = BriefSessionSerializer()
    counts = CountsSerializer()


class ClassSessionsSerializer(serializers.Serializer[Any]):
    """The sessions of a class, the oldest first."""

    class_id = serializers.IntegerField()
    sessions = SessionLineSerializer(many=True)


class GridLineSerializer(serializers.Serializer[Any]):
    student = BriefStudentSerializer()
    counts = CountsSerializer()
    cells = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="One a session: a status, empty for none yet, `-` for who sat "
        "elsewhere that day.",
    )


class GridSerializer(serializers.Serializer[Any]):
    class_id = serializers.IntegerField(source="classroom.pk")
    sessions = BriefSessionSerializer(many=True)
    students = GridLineSerializer(source="lines", many=True)


class RegisterLineSerializer(serializers.Serializer[Any]):
    student = BriefStudentSerializer()
    status = serializers.ChoiceField(
        choices=Status.choices, source="record.status", allow_null=True, default=None
    )
    note = serializers.CharField(source="record.note", allow_null=True, default=None)


class SessionReportSerializer(serializers.Serializer[Any]):
    session = BriefSessionSerializer()
    counts = CountsSerializer()
    students = RegisterLineSerializer(many=True)


class MeetingSerializer(serializers.Serializer[Any]):
    session = BriefSessionSerializer()
    status = serializers.CharField(help_text="Empty where nothing is marked yet.")
    note = serializers.CharField(source="record.note", allow_null=True, default=None)


class StudentReportSerializer(ChartsSerializer):
    """A student in the classes that the user may see, the latest session first."""

    student = BriefStudentSerializer()
    classes = ClassLineSerializer(many=True)
    meetings = MeetingSerializer(many=True)


class AbsenceRuleSerializer(serializers.ModelSerializer[AbsenceRule]):
    """So many of some statuses within so many days."""

    class Meta:
        model = AbsenceRule
        fields = ["id", "times", "days", "absent", "late", "excused", "per_day"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = {} if self.instance is None else model_to_dict(self.instance)
        try:
            AbsenceRule(**{**kept, **attrs}).validate_constraints()
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, "invalid") from error
        return attrs


class FollowUpSerializer(serializers.Serializer[Any]):
    student = BriefStudentSerializer()
    number = serializers.IntegerField(help_text="How often, as the rule counts.")
    days = serializers.ListField(child=serializers.DateField())
    classes = BriefClassSerializer(many=True)


class RuleListSerializer(serializers.Serializer[Any]):
    rule = AbsenceRuleSerializer()
    students = FollowUpSerializer(many=True)
