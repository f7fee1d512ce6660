"""API of faces: enrol a student by photo; students with their enrolment state."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django_filters.filters import ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from accounts.fields import RowIdField
from accounts.viewsets import requester
from classroom.api import StudentFilter, StudentSerializer, StudentViewSet
from classroom.models import ConsentState, Student, consent_state
from faces import runtime, services
from faces.models import FaceTemplate
from faces.status import FaceState, face_state


class FaceThrottle(UserRateThrottle):
    """1,200 photos a minute and user: far above a class, far below an attack."""

    scope = "face"


class EnrolledStudentSerializer(StudentSerializer):
    face_enrolled = serializers.BooleanField(
        read_only=True, help_text="Whether there is a template of the active model."
    )
    face_state = serializers.ChoiceField(
        choices=FaceState.choices,
        read_only=True,
        help_text="`needs_new_photo`: all templates are another model's.",
    )

    consent_state = serializers.ChoiceField(
        choices=ConsentState.choices,
        read_only=True,
        help_text="What is on record of the consent to the face, as of today.",
    )

    class Meta(StudentSerializer.Meta):
        fields = [
            *StudentSerializer.Meta.fields,
            "face_enrolled",
            "face_state",
            "consent_state",
        ]


class EnrolledStudentFilter(StudentFilter):
    face_state = ChoiceFilter(
        choices=FaceState.choices,
        help_text="With `needs_new_photo`, `count` says how many wait for one.",
    )
    consent_state = ChoiceFilter(
        choices=ConsentState.choices, help_text="With `none`: who is still to be asked."
    )


class EnrolledStudentViewSet(StudentViewSet):
    """Students, completed with `face_enrolled` and `face_state`."""

    serializer_class = EnrolledStudentSerializer
    filterset_class = EnrolledStudentFilter

    def get_queryset(self) -> QuerySet[Student]:
        mine = enrolled_templates().filter(student=OuterRef("pk"))
        students = super().get_queryset().annotate(face_enrolled=Exists(mine))
        return students.annotate(face_state=face_state(), consent_state=consent_state())


def enrolled_templates() -> QuerySet[FaceTemplate]:
    """Return the templates that count: those of the active model."""
    return FaceTemplate.objects.filter(model_id=runtime.active_model_id())


class PhotosField(serializers.ListField):
    """One to five files under one name, read as bytes."""

    child = serializers.FileField(allow_empty_file=True)

    def to_internal_value(self, data: Any) -> list[bytes]:
        return [upload.read() for upload in super().to_internal_value(data)]


class RegisterSerializer(serializers.Serializer[Any]):
    student_id = RowIdField(help_text="The row's `id`.")
    file = PhotosField(
        min_length=1,
        max_length=services.MAX_PHOTOS,
        help_text="One to five photos with exactly one face each.",
    )
    allow_duplicate = serializers.BooleanField(
        default=False, help_text="Enrol although the face is another student's (twins)."
    )
    reason = serializers.CharField(
        default="", max_length=200, help_text="Needed with `allow_duplicate`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["allow_duplicate"] and not attrs["reason"]:
            raise serializers.ValidationError(
                {"reason": serializers.ErrorDetail("Say why.", code="required")}
            )
        return attrs


class TemplateSerializer(serializers.ModelSerializer[FaceTemplate]):
    class Meta:
        model = FaceTemplate
        fields = ["id", "model_id", "quality"]


class DoubtSerializer(serializers.Serializer[services.Doubt]):
    code = serializers.CharField()
    detail = serializers.CharField()


class RegistrationSerializer(serializers.Serializer[Any]):
    student_id = serializers.IntegerField()
    face_enrolled = serializers.BooleanField()
    templates = TemplateSerializer(many=True)
    warnings = DoubtSerializer(many=True)


class RegisterView(APIView):
    """Enrol faces."""

    parser_classes = [MultiPartParser, FormParser]
    throttle_classes = [FaceThrottle]

    @extend_schema(
        request={"multipart/form-data": RegisterSerializer},
        responses={201: RegistrationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Enrol one student from one to five photos: all of them or none."""
        form = RegisterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        registration = services.register(
            visible_student(request, wanted["student_id"]),
            wanted["file"],
            by=requester(request),
            allow_duplicate=wanted["allow_duplicate"],
            reason=wanted["reason"],
        )
        answer = RegistrationSerializer(
            {
                "student_id": wanted["student_id"],
                "face_enrolled": True,
                "templates": registration.templates,
                "warnings": registration.warnings,
            }
        )
        return Response(answer.data, status=status.HTTP_201_CREATED)


class RegisteredView(APIView):
    """What is enrolled of one student."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, student_id: int) -> Response:
        """Remove all templates of a student."""
        student = visible_student(request, student_id)
        services.remove_templates(student, by=requester(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def visible_student(request: Request, student_id: int) -> Student:
    """Return a student whom the user may see; another one is as good as none: 404."""
    student = Student.objects.for_user(requester(request)).filter(pk=student_id).first()
    if student is None:
        raise Http404
    return student
