"""API of the register: mark by face or by hand, look up, correct, sum up."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.fields import RowIdField
from accounts.viewsets import ScopedViewSet, requester
from attendance import history, recognition, reports, services
from attendance import serializers as shapes
from attendance.models import Record, Session, Status
from attendance.why import why
from classroom.models import Classroom
from faces.api import FaceThrottle, visible_student


def visible_class(request: Request, class_id: int) -> Classroom:
    """Return a class that the user may see; another one is as good as none: 404."""
    classes = Classroom.objects.for_user(requester(request))
    found = classes.filter(pk=class_id).first()
    if found is None:
        raise Http404
    return found


def visible_session(request: Request, session_id: int) -> Session:
    sessions = Session.objects.for_user(requester(request)).select_related("classroom")
    found = sessions.filter(pk=session_id).first()
    if found is None:
        raise Http404
    return found


class PhotoView(APIView):
    parser_classes = [MultiPartParser, FormParser]
    throttle_classes = [FaceThrottle]


class VerifyView(PhotoView):
    @extend_schema(
        request={"multipart/form-data": shapes.PhotoSerializer},
        responses={200: shapes.VerificationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Recognise the person at the camera among a class and mark them."""
        form = shapes.PhotoSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        answer = recognition.verify(
            visible_class(request, wanted["class_id"]),
            wanted["file"][0],
            by=requester(request),
            session_id=wanted.get("session_id"),
        )
        return Response(shapes.VerificationSerializer(answer).data)


class GroupView(PhotoView):
    @extend_schema(
        request={"multipart/form-data": shapes.GroupPhotosSerializer},
        responses={200: shapes.GroupSerializer},
    )
    def post(self, request: Request) -> Response:
        """Mark everybody seen on one to five photos of a room."""
        form = shapes.GroupPhotosSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        answer = recognition.mark_group(
            visible_class(request, wanted["class_id"]),
            wanted["file"],
            by=requester(request),
            session_id=wanted.get("session_id"),
        )
        return Response(shapes.GroupSerializer(answer).data)


class PeriodSerializer(serializers.Serializer[Any]):
    session_id = RowIdField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own, so it can't be a class attribute.
        return super().get_fields() | {
            "from": serializers.DateField(required=False, help_text="First day."),
            "to": serializers.DateField(required=False, help_text="Last day."),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("from") and attrs.get("to") and attrs["from"] > attrs["to"]:
            raise serializers.ValidationError(
                {"to": ["The last day is before the first."]}
            )
        return attrs


def period(request: Request) -> dict[str, Any]:
    form = PeriodSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


class AttendanceViewSet(ScopedViewSet[Record], mixins.RetrieveModelMixin):
    """Records of the classes a user may see."""

    queryset = Record.objects.select_related("session", "student")
    serializer_class = shapes.RecordSerializer
    lookup_value_regex = r"\d+"
    filter_backends = []
    teacher_actions = frozenset(
        {
            "retrieve",
            "create",
            "partial_update",
            "history",
            "why",
            "today",
            "by_class",
            "summary",
            "reject",
        }
    )

    @extend_schema(
        request=shapes.ManualMarkSerializer, responses={200: shapes.RecordSerializer}
    )
    def create(self, request: Request) -> Response:
        """Mark one student by hand, or correct the line that is there."""
        form = shapes.ManualMarkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        record = services.mark_by_hand(
            self._session(wanted),
            visible_student(request, wanted["student_id"]),
            status=Status(wanted["status"]),
            note=wanted["note"],
            by=requester(request),
        )
        return Response(self.get_serializer(record).data)

    def _session(self, wanted: dict[str, Any]) -> Session:
        if "session_id" in wanted:
            session = visible_session(self.request, wanted["session_id"])
            if wanted.get("class_id", session.classroom_id) != session.classroom_id:
                raise services.SessionNotFound
            return session
        classroom = visible_class(self.request, wanted["class_id"])
        now = timezone.now()
        try:
            current = services.current_session(classroom, now=now)
        except services.SessionClosed as closed:
            # A person may still correct a closed register.
            return visible_session(self.request, int(str(closed.extra["session_id"])))
        return current or services.ad_hoc_session(
            classroom, by=requester(self.request), on=timezone.localdate(now)
        )

    @extend_schema(
        request=shapes.CorrectionSerializer, responses={200: shapes.RecordSerializer}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct a record by hand; the note is kept as the reason."""
        form = shapes.CorrectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        record = services.correct(
            self.get_object(),
            status=Status(wanted["status"]) if "status" in wanted else None,
            note=wanted.get("note"),
            by=requester(request),
        )
        return Response(self.get_serializer(record).data)

    @extend_schema(responses={200: shapes.WhySerializer}, filters=False)
    @action(detail=True, pagination_class=None)
    def why(self, request: Request, pk: str) -> Response:
        """Why a face was this student: the figures; nulls where no face wrote it."""
        record = self.get_object()
        answer = {"source": record.source, "why": why(record), "flags": record.flags}
        return Response(shapes.WhySerializer(answer).data)

    @extend_schema(responses={200: shapes.HistorySerializer(many=True)}, filters=False)
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """All changes of a record, newest first."""
        changes = history.of_record(self.get_object())
        return Response(shapes.HistorySerializer(changes, many=True).data)

    @extend_schema(
        request=shapes.RejectionSerializer, responses={200: shapes.RejectedSerializer}
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Say of a face's mark: not this person; `student_id` is who it was."""
        form = shapes.RejectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        named = form.validated_data.get("student_id")
        instead = visible_student(request, named) if named else None
        record = services.reject_match(
            self.get_object(), instead=instead, by=requester(request)
        )
        return Response(shapes.RejectedSerializer({"attendance": record}).data)

    @extend_schema(responses={200: shapes.RecordSerializer(many=True)})
    @action(detail=False)
    def today(self, request: Request) -> Response:
        """Today's records of all classes the user may see."""
        return self._page(
            self.get_queryset().filter(session__date=timezone.localdate())
        )

    @extend_schema(
        parameters=[PeriodSerializer],
        responses={200: shapes.RecordSerializer(many=True)},
    )
    @action(detail=False, url_path=r"by-class/(?P<class_id>\d+)")
    def by_class(self, request: Request, class_id: str) -> Response:
        """A class's records; without dates all of them."""
        classroom = visible_class(request, int(class_id))
        wanted = period(request)
        sessions = Session.objects.filter(classroom=classroom)
        if "session_id" in wanted:
            sessions = sessions.filter(pk=wanted["session_id"])
        sessions = reports.in_period(sessions, wanted.get("from"), wanted.get("to"))
        return self._page(self.get_queryset().filter(session__in=sessions))

    @extend_schema(
        parameters=[PeriodSerializer],
        responses={200: shapes.SummarySerializer},
        filters=False,
    )
    @action(detail=False, url_path=r"summary/(?P<class_id>\d+)", pagination_class=None)
    def summary(self, request: Request, class_id: str) -> Response:
        """Counts and rates per student and for the class."""
        classroom = visible_class(request, int(class_id))
        wanted = period(request)
        summary = reports.summarise(
            classroom, start=wanted.get("from"), end=wanted.get("to")
        )
        return Response(shapes.SummarySerializer(summary).data)

    def _page(self, records: QuerySet[Record]) -> Response:
        page = self.paginate_queryset(records)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
