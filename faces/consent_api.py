"""API of a student's consent: what is on record, recording one, and withdrawing it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as ModelValidationError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.viewsets import requester
from classroom import consents
from classroom.consent_models import Consent, ConsentState, ErasureReceipt, Relation
from classroom.models import Student
from faces import erasure
from faces.api import visible_student


class AnswerSerializer(serializers.ModelSerializer[Consent]):
    """One answer of a family; `state` is what it amounts to today."""

    state = serializers.ChoiceField(choices=ConsentState.choices, read_only=True)
    recorded_by = serializers.CharField(
        source="recorded_by.full_name", default=None, read_only=True
    )

    class Meta:
        model = Consent
        fields = [
            "id",
            "state",
            "given_by",
            "relation",
            "given_on",
            "until",
            "note",
            "refused",
            "recorded_at",
            "recorded_by",
            "withdrawn_at",
            "withdrawn_by",
            "replaced_at",
        ]


class ReceiptSerializer(serializers.ModelSerializer[ErasureReceipt]):
    """Proof of an erasure; the student's page leads to one that can be printed."""

    class Meta:
        model = ErasureReceipt
        fields = [
            "id",
            "student_code",
            "reason",
            "created_at",
            "counts",
            "templates",
            "everything",
            "backups_until",
        ]


class ConsentOfStudentSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(
        choices=["off", "warn", "require"],
        help_text="`FACE_CONSENT`: what a missing consent does.",
    )
    state = serializers.ChoiceField(choices=ConsentState.choices)
    consent = AnswerSerializer(allow_null=True, help_text="The current answer.")
    history = AnswerSerializer(many=True, help_text="Earlier answers, latest first.")
    receipts = ReceiptSerializer(many=True)


class GivenSerializer(serializers.Serializer[Any]):
    given_by = serializers.CharField(max_length=150, help_text="The name on the form.")
    relation = serializers.ChoiceField(
        choices=Relation.choices, default=Relation.PARENT.value
    )
    given_on = serializers.DateField(
        required=False, help_text="The day of the signature; today if it is missing."
    )
    until = serializers.DateField(
        allow_null=True, default=None, help_text="The last day; null: until withdrawn."
    )
    note = serializers.CharField(
        max_length=200,
        default="",
        allow_blank=True,
        help_text="For example where the signed form is kept.",
    )


class WithdrawnSerializer(serializers.Serializer[Any]):
    withdrawn_by = serializers.CharField(
        max_length=150, default="", allow_blank=True, help_text="Who said no."
    )
    relation = serializers.ChoiceField(
        choices=Relation.choices,
        default=Relation.PARENT.value,
        help_text="Used where no consent was on record: a refusal.",
    )
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class WithdrawalSerializer(serializers.Serializer[Any]):
    consent = AnswerSerializer()
    receipt = ReceiptSerializer(
        allow_null=True, help_text="null where no face was kept."
    )


class ConsentView(APIView):
    """The consent to a student's face."""

    @extend_schema(responses=ConsentOfStudentSerializer)
    def get(self, request: Request, student_id: int) -> Response:
        """Return what is on record, earlier answers and receipts of erasures."""
        return Response(_described(visible_student(request, student_id)))

    @extend_schema(request=GivenSerializer, responses={201: ConsentOfStudentSerializer})
    def post(self, request: Request, student_id: int) -> Response:
        """Record a consent; it replaces the answer before."""
        student = visible_student(request, student_id)
        form = GivenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = {"given_on": timezone.localdate(), **form.validated_data}
        try:
            consents.give(student, consents.Answer(**values), by=requester(request))
        except ModelValidationError as error:
            raise serializers.ValidationError(
                serializers.as_serializer_error(error)
            ) from error
        return Response(_described(student), status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "withdrawn_by",
                OpenApiTypes.STR,
                description="Who said no. It may come in a JSON body as well.",
            )
        ],
        responses=WithdrawalSerializer,
    )
    def delete(self, request: Request, student_id: int) -> Response:
        """Withdraw the consent, or record a refusal, and delete the face at once."""
        student = visible_student(request, student_id)
        # Some clients and proxies drop the body of a DELETE.
        form = WithdrawnSerializer(data=request.data or request.query_params)
        form.is_valid(raise_exception=True)
        user = requester(request)
        wanted = form.validated_data
        answer, receipt = erasure.withdraw_consent(
            student,
            said_by=wanted["withdrawn_by"] or user.full_name,
            relation=wanted["relation"],
            note=wanted["note"],
            by=user,
        )
        body = {"consent": answer, "receipt": receipt}
        return Response(WithdrawalSerializer(body).data)


def _described(student: Student) -> Any:
    answers = Consent.objects.filter(student=student).select_related("recorded_by")
    current = next((one for one in answers if one.replaced_at is None), None)
    body = {
        "mode": settings.FACE_CONSENT,
        "state": current.state() if current else ConsentState.NONE,
        "consent": current,
        "history": [one for one in answers if one.replaced_at is not None],
        "receipts": ErasureReceipt.objects.filter(student=student),
    }
    return ConsentOfStudentSerializer(body).data
