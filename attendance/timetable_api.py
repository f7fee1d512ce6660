"""API of the timetable: slots, the school's calendar, planned absences."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django_filters.filters import DateFilter, Filter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.filters import IdFilter
from accounts.viewsets import ResourceViewSet, requester
from attendance import timetable_serializers as shapes
from attendance.api import visible_class
from attendance.calendars import import_closures, read_calendar
from attendance.rules import cancel_absence
from attendance.timetable import delete_closure, delete_slot
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Enrollment
from faces.api import visible_student

EVERYTHING = frozenset({"list", "retrieve", "create", "partial_update", "destroy"})

ModelT = TypeVar("ModelT", bound=Model)


class FilteredListViewSet(ResourceViewSet[ModelT]):
    """Filter lists alone: a row answers at its address whatever the query says."""

    list_filters: type[FilterSet]

    @property
    def filterset_class(self) -> type[FilterSet] | None:
        return self.list_filters if self.action == "list" else None


class PeriodFilter(FilterSet):
    """Rows that touch a period: `?from=` and `?to=`, both days included."""

    @classmethod
    def get_filters(cls) -> dict[str, Filter]:
        # `from` is a word of Python's own, so it can't be a class attribute.
        filters: dict[str, Filter] = super().get_filters()  # type: ignore[no-untyped-call]
        return filters | {
            "from": DateFilter(
                field_name="last_date", lookup_expr="gte", help_text="First day."
            ),
            "to": DateFilter(
                field_name="first_date", lookup_expr="lte", help_text="Last day."
            ),
        }


class SlotFilter(FilterSet):
    class_id = IdFilter(field_name="classroom", help_text="A class's row id.")


@extend_schema_view(create=extend_schema(request=shapes.NewSlotSerializer))
class SlotViewSet(FilteredListViewSet[Slot]):
    """The timetable: lessons of the week of the classes a user may see.

    A change or a deletion leaves past sessions as they are.
    """

    queryset = Slot.objects.all()
    serializer_class = shapes.SlotSerializer
    lookup_value_regex = r"\d+"
    list_filters = SlotFilter
    teacher_actions = EVERYTHING

    def get_serializer_class(self) -> type[BaseSerializer[Slot]]:
        new = self.action == "create"
        return shapes.NewSlotSerializer if new else shapes.SlotSerializer

    def perform_create(self, serializer: BaseSerializer[Slot]) -> None:
        visible_class(self.request, serializer.validated_data["classroom_id"])
        super().perform_create(serializer)

    def erase(self, instance: Slot) -> None:
        delete_slot(instance)


class ClosureViewSet(FilteredListViewSet[Closure]):
    """Days without lessons: everybody reads them, admins keep them."""

    queryset = Closure.objects.all()
    serializer_class = shapes.ClosureSerializer
    lookup_value_regex = r"\d+"
    list_filters = PeriodFilter
    teacher_actions = frozenset({"list", "retrieve"})

    def erase(self, instance: Closure) -> None:
        delete_closure(instance)

    @extend_schema(
        request={"multipart/form-data": shapes.CalendarFileSerializer},
        responses={200: shapes.DaysOffSerializer},
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        parser_classes=[MultiPartParser, FormParser],
    )
    def import_file(self, request: Request) -> Response:
        """Take days off from an iCalendar file; a second time updates them."""
        form = shapes.CalendarFileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = read_calendar(form.validated_data["file"].read())
        body = shapes.DaysOffSerializer(
            {"closures": found.closures, "skipped": found.skipped}
        ).data
        if form.validated_data["dry_run"]:
            return Response(body)
        done = import_closures(found.closures, by=requester(request))
        return Response(body | {"added": done.added, "updated": done.updated})


class PlannedAbsenceFilter(PeriodFilter):
    student_id = IdFilter(field_name="student", help_text="A student's row id.")
    class_id = IdFilter(
        method="on_roster", help_text="A class's row id: today's roster."
    )

    def on_roster(
        self, plans: QuerySet[PlannedAbsence], name: str, class_id: int
    ) -> QuerySet[PlannedAbsence]:
        seats = Enrollment.objects.current().for_user(requester(self.request))
        return plans.filter(
            student__in=seats.filter(classroom=class_id).values("student")
        )


@extend_schema_view(create=extend_schema(request=shapes.NewPlannedAbsenceSerializer))
class PlannedAbsenceViewSet(FilteredListViewSet[PlannedAbsence]):
    """Absences known before, of the students a user may see: they are excused."""

    queryset = PlannedAbsence.objects.select_related("student")
    serializer_class = shapes.PlannedAbsenceSerializer
    lookup_value_regex = r"\d+"
    list_filters = PlannedAbsenceFilter
    teacher_actions = EVERYTHING

    def get_serializer_class(self) -> type[BaseSerializer[PlannedAbsence]]:
        new = self.action == "create"
        return (
            shapes.NewPlannedAbsenceSerializer
            if new
            else shapes.PlannedAbsenceSerializer
        )

    def perform_create(self, serializer: BaseSerializer[PlannedAbsence]) -> None:
        visible_student(self.request, serializer.validated_data["student_id"])
        super().perform_create(serializer)

    def erase(self, instance: PlannedAbsence) -> None:
        cancel_absence(instance, by=requester(self.request))
