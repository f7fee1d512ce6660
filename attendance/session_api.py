"""API of sessions: add, move, close, reopen, mark many, undo, and what happened."""

from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django_filters.filters import BooleanFilter, DateFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.audit import Event
from accounts.audited_forms import erase
from accounts.errors import DomainError
from accounts.filters import IdFilter
from accounts.viewsets import ScopedViewSet, requester
from attendance import history, services
from attendance import serializers as shapes
from attendance.api import visible_class
from attendance.many import mark_many
from attendance.models import Session, Status
from attendance.undo import undo
from classroom.models import Student


class SessionExists(DomainError):
    code = "session_exists"
    default_detail = "This class already has a session at that time."


class SessionHasRecords(DomainError):
    code = "session_has_records"
    default_detail = "This session has records; it can't be deleted."


class SessionFilter(FilterSet):
    class_id = IdFilter(field_name="classroom", help_text="A class's row id.")
    date = DateFilter(help_text="The day.")
    is_open = BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", help_text="Open or closed ones."
    )


class SessionViewSet(
    ScopedViewSet[Session],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
):
    """Meetings of a class."""

    queryset = Session.objects.select_related("classroom")
    serializer_class = shapes.SessionSerializer
    lookup_value_regex = r"\d+"
    filterset_class = SessionFilter
    teacher_actions = frozenset(
        {
            "list",
            "retrieve",
            "create",
            "partial_update",
            "destroy",
            "close_session",
            "reopen",
            "mark",
            "mark_rest",
            "undo",
            "history",
        }
    )

    @extend_schema(
        request=shapes.NewSessionSerializer, responses={201: shapes.SessionSerializer}
    )
    def create(self, request: Request) -> Response:
        """Add a session to a class; without a start it is the day's ad-hoc one."""
        form = shapes.NewSessionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        classroom = visible_class(request, form.validated_data["classroom_id"])
        session = self._saved(form, classroom=classroom, created_by=requester(request))
        body = self.get_serializer(session).data
        return Response(body, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change when a session takes place, or its grace minutes."""
        form = self.get_serializer(self.get_object(), data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(self.get_serializer(self._saved(form)).data)

    def _saved(self, form: Any, **values: Any) -> Session:
        event = Event.ADDED if form.instance is None else Event.CHANGED
        details = {"door": "api", "fields": sorted(form.validated_data)}
        try:
            with transaction.atomic():
                session: Session = form.save(**values)
                audit.write(event, by=requester(self.request), on=session, **details)
        except IntegrityError as error:
            raise SessionExists from error
        return session

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a session that holds no records."""
        session = self.get_object()
        if session.records.exists():
            raise SessionHasRecords
        erase(session, by=requester(request), door="api")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="close")
    def close_session(self, request: Request, pk: str) -> Response:
        """Close a session: whoever is not marked is absent."""
        session = services.close(self.get_object(), by=requester(request))
        return Response(self.get_serializer(session).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open a closed session again; what was marked stays."""
        session = services.reopen(self.get_object(), by=requester(request))
        return Response(self.get_serializer(session).data)

    @extend_schema(
        request=shapes.RestSerializer, responses={200: shapes.RestMarkedSerializer}
    )
    @action(detail=True, methods=["post"], url_path="mark-rest")
    def mark_rest(self, request: Request, pk: str) -> Response:
        """Give everybody who has no line yet the same status, by hand."""
        form = shapes.RestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rest = services.mark_rest(
            self.get_object(),
            status=Status(form.validated_data["status"]),
            note=form.validated_data["note"],
            by=requester(request),
        )
        return Response(shapes.RestMarkedSerializer({"marked": rest}).data)

    @extend_schema(
        request=shapes.ManySerializer,
        responses={200: shapes.RecordSerializer(many=True)},
        filters=False,
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def mark(self, request: Request, pk: str) -> Response:
        """Give several students the same status by hand, all of them or none."""
        form = shapes.ManySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        students = Student.objects.for_user(requester(request)).filter(
            pk__in=wanted["student_ids"]
        )
        if len(students) != len(set(wanted["student_ids"])):
            raise Http404
        records = mark_many(
            self.get_object(),
            students,
            status=Status(wanted["status"]),
            note=wanted["note"],
            by=requester(request),
        )
        return Response(shapes.RecordSerializer(records, many=True).data)

    @extend_schema(
        request=shapes.UndoSerializer, responses={200: shapes.UndoneSerializer}
    )
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take changes back that `history` lists; what was changed since stays."""
        form = shapes.UndoSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = form.validated_data["changes"]
        undone = undo(self.get_object(), changes, by=requester(request))
        return Response(shapes.UndoneSerializer({"undone": undone}).data)

    @extend_schema(responses={200: shapes.SessionHistorySerializer}, filters=False)
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """All changes of a session and of its lines, deleted ones too, newest first."""
        session = self.get_object()
        found = {
            "session": history.of_session(session),
            "records": history.of_lines(session),
        }
        return Response(shapes.SessionHistorySerializer(found).data)
