"""API of classes, of who sits in them, and of students."""

from typing import Any

from django.db.models import ProtectedError, QuerySet
from django_filters.filters import CharFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import DomainError
from accounts.filters import FlagFilter, IdFilter, SearchFilter
from accounts.viewsets import ResourceViewSet, requester
from classroom.erasure import erase_student
from classroom.models import Classroom, Enrollment, Student
from classroom.rosters import end_enrolment, enrol
from classroom.serializers import (
    ClassSerializer,
    EndedSerializer,
    EnrolledSerializer,
    StudentIdsSerializer,
    StudentSerializer,
)

__all__ = ["ClassViewSet", "StudentSerializer", "StudentViewSet"]


class ClassInUse(DomainError):
    code = "in_use"
    default_detail = (
        "This class has registers, which must stay. Archive it instead: "
        'PATCH {"archived": true}.'
    )


class ClassFilter(FilterSet):
    search = SearchFilter(help_text="Words of the name or code.")
    school_year = CharFilter(help_text="Exactly as written, for example 2026/27.")
    teacher_id = IdFilter(help_text="The main teacher's row id.")
    archived = FlagFilter(
        field_name="archived_at",
        help_text="`true`: the archived classes; else those that are not.",
    )


class ClassViewSet(ResourceViewSet[Classroom]):
    """Classes: a teacher reads and fills the own ones, an admin manages all."""

    queryset = Classroom.objects.all()
    serializer_class = ClassSerializer
    teacher_actions = frozenset(
        {"list", "retrieve", "enrol_students", "end_enrolments"}
    )

    @property
    def filterset_class(self) -> type[FilterSet] | None:
        """Filter lists alone: an archived class still answers at its address."""
        return ClassFilter if self.action == "list" else None

    def erase(self, instance: Classroom) -> None:
        try:
            instance.delete()
        except ProtectedError as error:
            raise ClassInUse from error

    @extend_schema(request=StudentIdsSerializer, responses=EnrolledSerializer)
    @action(detail=True, methods=["post"], url_path="students")
    def enrol_students(self, request: Request, pk: str) -> Response:
        """Give students a seat from today on; those who have one keep it."""
        classroom = self.get_object()
        user, students = requester(request), self._chosen(request.data)
        added = {seat.student_id for seat in enrol(classroom, students, by=user)}
        ids = {student.pk for student in students}
        return Response({"enrolled": sorted(added), "already": sorted(ids - added)})

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "student_ids",
                OpenApiTypes.INT,
                many=True,
                description="Row ids. They may come in a JSON body as well.",
            )
        ],
        responses={200: EndedSerializer},
    )
    @enrol_students.mapping.delete
    def end_enrolments(self, request: Request, pk: str) -> Response:
        """End the students' enrolment today; past registers keep them."""
        classroom = self.get_object()
        # Some clients and proxies drop the body of a DELETE.
        students = self._chosen(request.data or request.query_params)
        ended = end_enrolment(classroom, students, by=requester(request))
        return Response({"ended": ended})

    def _chosen(self, data: Any) -> list[Student]:
        form = StudentIdsSerializer(data=data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        students: list[Student] = form.validated_data["student_ids"]
        return students


class StudentFilter(FilterSet):
    search = SearchFilter(help_text="Words of the name or student_id.")
    class_id = IdFilter(
        method="on_roster", help_text="A class's row id: today's roster."
    )

    def on_roster(
        self, students: QuerySet[Student], name: str, class_id: int
    ) -> QuerySet[Student]:
        """Keep who sits in a class that the user may see; of another one, nobody."""
        seats = Enrollment.objects.current().for_user(requester(self.request))
        return students.filter(
            pk__in=seats.filter(classroom=class_id).values("student")
        )


class StudentViewSet(ResourceViewSet[Student]):
    """Students: a teacher's are those who sit in an own class today.

    The floor of faces completes and routes it.
    """

    queryset = Student.objects.all()
    serializer_class = StudentSerializer
    filterset_class = StudentFilter
    teacher_actions = frozenset({"list", "retrieve", "create", "partial_update"})

    def get_queryset(self) -> QuerySet[Student]:
        students: Any = super().get_queryset()
        mine: QuerySet[Student] = students.with_classes(requester(self.request))
        return mine

    def perform_destroy(self, instance: Student) -> None:
        """Erase all that is held of the student; a receipt remains for admins."""
        erase_student(instance, by=requester(self.request))
