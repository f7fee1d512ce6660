"""What classes and students look like outside."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.filters import MAX_ID
from accounts.models import User
from accounts.viewsets import requester
from classroom.models import Classroom, Student, current_school_year
from classroom.rosters import enrol

MAX_STUDENTS_A_CALL = 1000


def refusal(field: str, message: object, code: str) -> serializers.ValidationError:
    """Return a 400 that names a field with a stable code."""
    return serializers.ValidationError({field: ErrorDetail(str(message), code=code)})


class ArchivedField(serializers.BooleanField):
    """Read and write `archived_at` as yes or no."""

    def get_attribute(self, instance: Classroom) -> bool:
        return instance.is_archived


class ClassSerializer(serializers.ModelSerializer[Classroom]):
    school_year = serializers.CharField(
        max_length=16,
        default=current_school_year,
        help_text="The current one if it is missing; a new one begins in August.",
    )
    teacher_id = serializers.PrimaryKeyRelatedField(
        source="teacher",
        queryset=User.objects.filter(is_active=True),
        help_text="The main teacher's row id (`id` of /teachers).",
    )
    archived = ArchivedField(
        source="archived_at",
        required=False,
        help_text="An archived class keeps its registers and leaves the lists.",
    )

    class Meta:
        model = Classroom
        fields = [
            "id",
            "class_name",
            "class_code",
            "school_year",
            "teacher_id",
            "archived",
        ]
        extra_kwargs = {
            "id": {"help_text": "The row's id: every `class_id` points at it."},
            "class_code": {"help_text": "The school's code, unique in a school year."},
        }
        # `validate` names the field that has to change.
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "archived_at" in attrs:
            kept = self.instance.archived_at if self.instance else None
            archived = attrs.pop("archived_at")
            attrs["archived_at"] = (kept or timezone.now()) if archived else None
        same = Classroom.objects.filter(
            class_code=attrs.get("class_code") or self._kept("class_code"),
            school_year=attrs.get("school_year") or self._kept("school_year"),
        )
        if self.instance:
            same = same.exclude(pk=self.instance.pk)
        if same.exists():
            raise refusal(
                "class_code", _("This code is taken in this school year."), "unique"
            )
        return attrs

    def _kept(self, field: str) -> str:
        return getattr(self.instance, field, "")


class StudentIdsSerializer(serializers.Serializer[Any]):
    """Students whom you may see."""

    student_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        allow_empty=False,
        max_length=MAX_STUDENTS_A_CALL,
        help_text="Row ids (`id` of /students).",
    )

    def validate_student_ids(self, wanted: list[int]) -> list[Student]:
        visible = Student.objects.for_user(requester(self.context["request"]))
        found = list(visible.filter(pk__in=wanted))
        missing = sorted(set(wanted) - {student.pk for student in found})
        if missing:
            numbers = ", ".join(map(str, missing))
            raise serializers.ValidationError(
                _("There is no student with the id %(numbers)s.")
                % {"numbers": numbers},
                code="does_not_exist",
            )
        return found


class EnrolledSerializer(serializers.Serializer[Any]):
    enrolled = serializers.ListField(
        child=serializers.IntegerField(), help_text="Who sits in the class from today."
    )
    already = serializers.ListField(
        child=serializers.IntegerField(), help_text="Who sat there before."
    )


class EndedSerializer(serializers.Serializer[Any]):
    ended = serializers.ListField(
        child=serializers.IntegerField(), help_text="Whose enrolment ended today."
    )


class EarliestClassField(serializers.IntegerField):
    """Read the earliest current class; write a class to be added."""

    def get_attribute(self, instance: Student) -> int | None:
        return next(iter(instance.class_ids), None)


class StudentSerializer(serializers.ModelSerializer[Student]):
    """A student and the current classes that you may see."""

    # Reads `visible_seats`: the view's rows come from `StudentQuerySet.with_classes`.

    class_id = EarliestClassField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="Written: a class (its row id) that is added to the student's; a "
        "teacher must name one for a new student. Read: the earliest current class.",
    )
    class_ids = serializers.SerializerMethodField(
        help_text="All current classes that you may see, the earliest first."
    )

    class Meta:
        model = Student
        fields = [
            "id",
            "student_id",
            "full_name",
            "email",
            "phone",
            "class_id",
            "class_ids",
        ]
        extra_kwargs = {
            "id": {
                "help_text": "The row's id: `student_id` of every other call points "
                "at it."
            },
            "student_id": {"help_text": "The school's own code, unique."},
        }

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_class_ids(self, student: Student) -> list[int]:
        return student.class_ids

    def validate_class_id(self, class_id: int | None) -> Classroom | None:
        if class_id is None:
            return None
        visible = Classroom.objects.for_user(requester(self.context["request"]))
        classroom = visible.filter(pk=class_id).first()
        if classroom is None:
            raise serializers.ValidationError(
                _("There is no class with the id %(number)s.") % {"number": class_id},
                code="does_not_exist",
            )
        return classroom

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_new = self.instance is None
        user = requester(self.context["request"])
        if is_new and not user.is_admin and attrs.get("class_id") is None:
            raise refusal(
                "class_id", _("Name one of your classes for a new student."), "required"
            )
        return attrs

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Student:
        classroom = validated_data.pop("class_id", None)
        student = super().create(validated_data)
        if classroom is not None:
            enrol(classroom, [student], by=requester(self.context["request"]))
        return student

    @transaction.atomic
    def update(self, instance: Student, validated_data: dict[str, Any]) -> Student:
        classroom = validated_data.pop("class_id", None)
        student = super().update(instance, validated_data)
        if classroom is not None:
            enrol(classroom, [student], by=requester(self.context["request"]))
        return student
