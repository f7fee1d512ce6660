"""API of the reports: figures for programs, files for spreadsheets, the rules."""

from collections.abc import Callable
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.downloads import AnyFormat, as_file
from accounts.sheets import CSV_TYPE, XLSX_TYPE
from accounts.viewsets import ResourceViewSet, requester
from attendance import report_exports as tables
from attendance import report_serializers as shapes
from attendance.api import visible_class, visible_session
from attendance.models import AbsenceRule
from attendance.register import register_of
from attendance.report_rules import follow_ups
from attendance.report_school import school
from attendance.report_students import student_report
from attendance.report_trends import Dated, trend, weekdays
from attendance.reports import add, count, grid
from classroom.models import Classroom, ClassroomQuerySet
from faces.api import visible_student

Days = dict[str, Any]  # `start` and `end`, days or None


def period(request: Request) -> Days:
    form = shapes.ReportPeriodSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return days_of(form.validated_data)


def days_of(wanted: dict[str, Any]) -> Days:
    return {"start": wanted.get("from"), "end": wanted.get("to")}


def own_classes(request: Request) -> ClassroomQuerySet:
    return Classroom.objects.for_user(requester(request))


def charts(dated: list[Dated], *, by_day: bool = True) -> dict[str, Any]:
    return {
        "counts": add(counts for _day, counts in dated),
        "sessions": len(dated),
        "trend": trend(dated, by_day=by_day),
        "weekdays": weekdays(dated),
    }


class SchoolReportView(APIView):
    @extend_schema(
        parameters=[shapes.ReportPeriodSerializer],
        responses=shapes.SchoolReportSerializer,
    )
    def get(self, request: Request) -> Response:
        """All classes: the school for an admin, the own ones for a teacher."""
        report = school(own_classes(request), **period(request))
        body = {"classes": report.classes, **charts(report.dated)}
        return Response(shapes.SchoolReportSerializer(body).data)


class ClassReportView(APIView):
    @extend_schema(
        parameters=[shapes.ReportPeriodSerializer],
        responses=shapes.ClassReportSerializer,
    )
    def get(self, request: Request, class_id: str) -> Response:
        """A class: counts and rates, how they go, and each student's."""
        register = grid(visible_class(request, int(class_id)), **period(request))
        lines = register.by_session()
        body = {
            "class_id": register.classroom.pk,
            "students": register.by_student(),
            **charts([(line.session.date, line.counts) for line in lines]),
        }
        return Response(shapes.ClassReportSerializer(body).data)


class ClassSessionsView(APIView):
    @extend_schema(
        parameters=[shapes.ReportPeriodSerializer],
        responses=shapes.ClassSessionsSerializer,
    )
    def get(self, request: Request, class_id: str) -> Response:
        """Counts and rate of each session of a class."""
        register = grid(visible_class(request, int(class_id)), **period(request))
        body = {"class_id": int(class_id), "sessions": register.by_session()}
        return Response(shapes.ClassSessionsSerializer(body).data)


class GridView(APIView):
    @extend_schema(
        parameters=[shapes.ReportPeriodSerializer], responses=shapes.GridSerializer
    )
    def get(self, request: Request, class_id: str) -> Response:
        """A class's register as a grid of students and sessions."""
        register = grid(visible_class(request, int(class_id)), **period(request))
        return Response(shapes.GridSerializer(register).data)


class SessionReportView(APIView):
    @extend_schema(responses=shapes.SessionReportSerializer)
    def get(self, request: Request, session_id: str) -> Response:
        """One session: its counts, and each student's status."""
        session = visible_session(request, int(session_id))
        register = register_of(session.classroom, session)
        body = {
            "session": session,
            "counts": count(line.status for line in register.lines),
            "students": register.lines,
        }
        return Response(shapes.SessionReportSerializer(body).data)


class StudentReportView(APIView):
    @extend_schema(
        parameters=[shapes.ReportPeriodSerializer],
        responses=shapes.StudentReportSerializer,
    )
    def get(self, request: Request, student_id: str) -> Response:
        """One student over all classes that the user may see."""
        student = visible_student(request, int(student_id))
        report = student_report(student, user=requester(request), **period(request))
        body = {
            "student": student,
            "classes": report.classes,
            "meetings": report.meetings,
            **charts(report.dated, by_day=False),
        }
        return Response(shapes.StudentReportSerializer(body).data)


class AbsencesView(APIView):
    @extend_schema(
        parameters=[shapes.AbsencesQuerySerializer],
        responses=shapes.RuleListSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Who was missing as often as each rule says; the latest first."""
        form = shapes.AbsencesQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        classes = chosen_classes(request, wanted)
        lists = follow_ups(classes, **days_of(wanted))
        return Response(shapes.RuleListSerializer(lists, many=True).data)


def chosen_classes(request: Request, wanted: dict[str, Any]) -> ClassroomQuerySet:
    """Return the class that is named, or all that the user may see; raises Http404."""
    if "class_id" not in wanted:
        return own_classes(request)
    found = visible_class(request, wanted["class_id"])
    return Classroom.objects.filter(pk=found.pk)


class AbsenceRuleViewSet(ResourceViewSet[AbsenceRule]):
    """When absences are too many: everybody reads the rules, admins keep them."""

    queryset = AbsenceRule.objects.all()
    serializer_class = shapes.AbsenceRuleSerializer
    lookup_value_regex = r"\d+"
    teacher_actions = frozenset({"list", "retrieve"})


Rows = tables.Rows
File = tuple[Rows, str]  # the table, and a name for it


class ReportFileView(APIView):
    content_negotiation_class = AnyFormat

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "report", str, OpenApiParameter.PATH, enum=list(shapes.REPORTS)
            ),
            shapes.ReportFileSerializer,
        ],
        responses={(200, CSV_TYPE): OpenApiTypes.STR, (200, XLSX_TYPE): bytes},
    )
    def get(self, request: Request, report: str) -> StreamingHttpResponse:
        """A report as CSV or XLSX; no cell is run as a formula."""
        form = shapes.ReportFileSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        rows, name = FILES[report](request, wanted)
        return as_file(
            rows,
            wanted["format"],
            name=f"{report}-{name}",
            title=name,
            what=report,
            by=requester(request),
        )


def needed(wanted: dict[str, Any], name: str) -> int:
    if name not in wanted:
        raise serializers.ValidationError({name: ["This report needs it."]}, "required")
    return int(wanted[name])


def school_file(request: Request, wanted: dict[str, Any]) -> File:
    report = school(own_classes(request), **days_of(wanted))
    return tables.school_rows(report), "classes"


def of_class(make: Callable[[Any], Rows]) -> Callable[[Request, dict[str, Any]], File]:
    def file(request: Request, wanted: dict[str, Any]) -> File:
        classroom = visible_class(request, needed(wanted, "class_id"))
        return make(grid(classroom, **days_of(wanted))), classroom.class_code

    return file


def session_file(request: Request, wanted: dict[str, Any]) -> File:
    session = visible_session(request, needed(wanted, "session_id"))
    lines = register_of(session.classroom, session).lines
    name = f"{session.classroom.class_code} {session.date}"
    return tables.one_session_rows(lines), name


def student_file(request: Request, wanted: dict[str, Any]) -> File:
    student = visible_student(request, needed(wanted, "student_id"))
    report = student_report(student, user=requester(request), **days_of(wanted))
    return tables.student_rows(report), student.student_id


def absences_file(request: Request, wanted: dict[str, Any]) -> File:
    lists = follow_ups(chosen_classes(request, wanted), **days_of(wanted))
    return tables.absence_rows(lists), "lists"


FILES: dict[str, Callable[[Request, dict[str, Any]], File]] = {
    "school": school_file,
    "class": of_class(tables.class_rows),
    "sessions": of_class(tables.session_rows),
    "grid": of_class(tables.grid_rows),
    "session": session_file,
    "student": student_file,
    "absences": absences_file,
}
