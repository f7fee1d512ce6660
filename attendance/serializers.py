"""Shapes of the register's API: what comes in and what goes out."""

from typing import Any

from rest_framework import serializers

from accounts.fields import RowIdField
from attendance.evidence import sentence
from attendance.face_marks import Mark
from attendance.models import Record, Session, Status
from attendance.recognition import (
    GroupResult,
    Recognised,
    Seen,
    Verification,
    box_of,
)
from attendance.reports import Counts, Summary
from classroom.models import Student
from faces.api import DoubtSerializer, PhotosField
from faces.services import MAX_PHOTOS

NOTE_LENGTH = 500
MOST_STUDENTS = 1000  # that one call marks or puts back


class BriefStudentSerializer(serializers.ModelSerializer[Student]):
    class Meta:
        model = Student
        fields = ["id", "student_id", "full_name"]


class FlagsField(serializers.ListField):
    """What speaks against a mark by face: `photo_sent_before`, `two_rooms`."""

    child = DoubtSerializer()

    def to_representation(self, flags: Any) -> list[dict[str, str]]:
        return [{"code": flag["code"], "detail": sentence(flag)} for flag in flags]


class RecordSerializer(serializers.ModelSerializer[Record]):
    """One line of the register."""

    student_id = serializers.IntegerField(read_only=True, help_text="The row's `id`.")
    student = BriefStudentSerializer(read_only=True)
    session_id = serializers.IntegerField(read_only=True)
    class_id = serializers.IntegerField(source="session.classroom_id", read_only=True)
    date = serializers.DateField(source="session.date", read_only=True)
    marked_by_id = serializers.IntegerField(read_only=True, allow_null=True)
    flags = FlagsField(read_only=True)

    class Meta:
        model = Record
        fields = [
            "id",
            "session_id",
            "class_id",
            "date",
            "student_id",
            "student",
            "status",
            "source",
            "confidence_score",
            "marked_at",
            "marked_by_id",
            "note",
            "flags",
        ]
        read_only_fields = ["source", "confidence_score", "marked_at"]


class FiguresSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="The row of the audit log.")
    model_id = serializers.CharField()
    similarity = serializers.FloatField(help_text="Cosine, -1 to 1.")
    threshold = serializers.FloatField(help_text="What it had to reach.")
    margin = serializers.FloatField(
        allow_null=True, help_text="The lead over the next student, if there was one."
    )
    margin_needed = serializers.FloatField()


class WhySerializer(serializers.Serializer[Any]):
    """What a mark by face rests on, and what speaks against it."""

    source = serializers.CharField()  # type: ignore[assignment]
    why = FiguresSerializer(allow_null=True)
    flags = FlagsField()


class CorrectionSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=NOTE_LENGTH
    )


class ManualMarkSerializer(serializers.Serializer[Any]):
    class_id = RowIdField(required=False)
    session_id = RowIdField(required=False)
    student_id = RowIdField(help_text="The row's `id`.")
    status = serializers.ChoiceField(choices=Status.choices)
    note = serializers.CharField(default="", allow_blank=True, max_length=NOTE_LENGTH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "class_id" not in attrs and "session_id" not in attrs:
            raise serializers.ValidationError(
                {"class_id": ["Give class_id or session_id."]}, code="required"
            )
        return attrs


class RestSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices)
    note = serializers.CharField(default="", allow_blank=True, max_length=NOTE_LENGTH)


class ManySerializer(RestSerializer):
    student_ids = serializers.ListField(
        child=RowIdField(),
        min_length=1,
        max_length=MOST_STUDENTS,
        help_text="The rows' `id`.",
    )


class RestMarkedSerializer(serializers.Serializer[Any]):
    marked = BriefStudentSerializer(many=True)


class RejectionSerializer(serializers.Serializer[Any]):
    student_id = RowIdField(
        required=False, help_text="The row's `id` of who it was, if you know."
    )


class RejectedSerializer(serializers.Serializer[Any]):
    """The line of who it was, where that was said."""

    attendance = RecordSerializer(allow_null=True)


class HistorySerializer(serializers.Serializer[Any]):
    """One change of a record: who, when, from, to, why."""

    id = serializers.IntegerField(source="history_id", help_text="For `undo`.")
    student_id = serializers.IntegerField(help_text="The row's `id`.")
    deleted = serializers.SerializerMethodField()
    changed_at = serializers.DateTimeField(source="history_date")
    changed_by = serializers.SerializerMethodField()
    from_status = serializers.SerializerMethodField()
    to_status = serializers.CharField(source="status")
    source = serializers.CharField()  # type: ignore[assignment]
    confidence_score = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(source="history_change_reason", allow_null=True)

    def get_deleted(self, change: Any) -> bool:
        return bool(change.history_type == "-")

    def get_changed_by(self, change: Any) -> str | None:
        return change.history_user.full_name if change.history_user else None

    def get_from_status(self, change: Any) -> str | None:
        return getattr(change, "from_status", None)


class SessionChangeSerializer(serializers.Serializer[Any]):
    """One change of a session: closed, reopened, moved."""

    changed_at = serializers.DateTimeField(source="history_date")
    changed_by = serializers.CharField(
        source="history_user.full_name", default=None, allow_null=True
    )
    is_open = serializers.SerializerMethodField()
    date = serializers.DateField()
    start = serializers.TimeField(allow_null=True)
    end = serializers.TimeField(allow_null=True)
    reason = serializers.CharField(source="history_change_reason", allow_null=True)

    def get_is_open(self, change: Any) -> bool:
        return change.closed_at is None


class SessionHistorySerializer(serializers.Serializer[Any]):
    session = SessionChangeSerializer(many=True)
    records = HistorySerializer(many=True)


class UndoSerializer(serializers.Serializer[Any]):
    changes = serializers.ListField(
        child=RowIdField(),
        min_length=1,
        max_length=MOST_STUDENTS,
        help_text="The `id` of changes in the session's history.",
    )


class UndoneSerializer(serializers.Serializer[Any]):
    undone = serializers.IntegerField(help_text="Lines that were put back.")


class SessionSerializer(serializers.ModelSerializer[Session]):
    class_id = serializers.IntegerField(source="classroom_id", read_only=True)
    is_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Session
        fields = [
            "id",
            "class_id",
            "date",
            "start",
            "end",
            "room",
            "grace_minutes",
            "is_open",
            "closed_at",
        ]
        read_only_fields = ["closed_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        session = self.instance
        start = attrs.get("start", session.start if session else None)
        end = attrs.get("end", session.end if session else None)
        if end is not None and start is None:
            raise serializers.ValidationError(
                {"start": ["A session with an end needs a start."]}, code="required"
            )
        return attrs


class NewSessionSerializer(SessionSerializer):
    class_id = RowIdField(source="classroom_id")


class PhotoSerializer(serializers.Serializer[Any]):
    class_id = RowIdField()
    session_id = RowIdField(required=False)
    file = PhotosField(
        min_length=1, max_length=1, help_text="A photo of the person at the camera."
    )


class GroupPhotosSerializer(PhotoSerializer):
    file = PhotosField(
        min_length=1, max_length=MAX_PHOTOS, help_text="One to five photos of the room."
    )


class MarkSerializer(serializers.Serializer[Mark]):
    id = serializers.IntegerField(source="record.id")
    session_id = serializers.IntegerField(source="record.session_id")
    status = serializers.CharField(source="record.status")
    marked_at = serializers.DateTimeField(source="record.marked_at")
    already_marked = serializers.BooleanField()
    flags = FlagsField(source="record.flags")


class BoxField(serializers.ListField):
    """`[x, y, w, h]` in pixels of the upright photo."""

    child = serializers.IntegerField()

    def to_representation(self, face: Any) -> list[int]:
        return box_of(face)


class CandidateSerializer(serializers.Serializer[tuple[Student, float]]):
    student = BriefStudentSerializer()
    confidence = serializers.FloatField()

    def to_representation(self, candidate: tuple[Student, float]) -> dict[str, Any]:
        student, similarity = candidate
        return {
            "student": BriefStudentSerializer(student).data,
            "confidence": rounded(similarity),
        }


class VerificationSerializer(serializers.Serializer[Verification]):
    """`matched: true` carries the student and the mark; `false` the reason."""

    matched = serializers.BooleanField()
    reason = serializers.ChoiceField(
        choices=["no_match", "ambiguous", "nobody_enrolled"], required=False
    )
    student = BriefStudentSerializer(required=False)
    confidence = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField()
    margin = serializers.FloatField(allow_null=True)
    box = BoxField()
    attendance = MarkSerializer(required=False)
    candidates = CandidateSerializer(many=True, required=False)
    hints = DoubtSerializer(many=True)

    def to_representation(self, answer: Verification) -> dict[str, Any]:
        body: dict[str, Any] = {"matched": answer.recognised is not None}
        if answer.recognised is not None:
            body["student"] = BriefStudentSerializer(answer.recognised.student).data
            body["attendance"] = MarkSerializer(answer.recognised.mark).data
        else:
            body["reason"] = answer.reason
            body["candidates"] = [
                CandidateSerializer(candidate).data for candidate in answer.candidates
            ]
        return body | {
            "confidence": rounded(answer.match.similarity),
            "threshold": answer.threshold,
            "margin": rounded(answer.match.margin),
            "box": box_of(answer.face),
            "hints": [
                {"code": hint.code, "detail": hint.detail} for hint in answer.hints
            ],
        }


class RoundedField(serializers.FloatField):
    """A cosine as every answer gives it: with four decimals."""

    def to_representation(self, value: float) -> Any:
        return rounded(value)


class RecognisedSerializer(serializers.Serializer[Recognised]):
    student = BriefStudentSerializer()
    confidence = RoundedField(source="match.similarity")
    margin = RoundedField(source="match.margin", allow_null=True)
    photo = serializers.IntegerField(help_text="Which photo, counted from 1.")
    box = BoxField(source="face")
    attendance = MarkSerializer(source="mark")


class UnknownSerializer(serializers.Serializer[Seen]):
    photo = serializers.IntegerField(help_text="Which photo, counted from 1.")
    box = BoxField(source="face")


class AmbiguousSerializer(UnknownSerializer):
    candidates = CandidateSerializer(many=True)


class GroupSerializer(serializers.Serializer[GroupResult]):
    recognized = RecognisedSerializer(many=True, source="recognised")
    ambiguous = AmbiguousSerializer(many=True)
    unknown = UnknownSerializer(many=True)
    not_seen = BriefStudentSerializer(many=True)


class CountsSerializer(serializers.Serializer[Counts]):
    present = serializers.IntegerField()
    late = serializers.IntegerField()
    absent = serializers.IntegerField()
    excused = serializers.IntegerField()
    unmarked = serializers.IntegerField()
    rate = serializers.FloatField(
        allow_null=True,
        help_text="(present + late) / (present + late + absent); excused is left out.",
    )


class StudentLineSerializer(serializers.Serializer[Any]):
    student = BriefStudentSerializer()
    counts = CountsSerializer()


class SummarySerializer(serializers.Serializer[Summary]):
    class_id = serializers.IntegerField()
    sessions = serializers.IntegerField()
    counts = CountsSerializer()
    students = StudentLineSerializer(many=True)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
