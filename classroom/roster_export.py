"""The roster of a class as a file; what an import of students reads back."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.downloads import FORMATS, AnyFormat, as_file
from accounts.fields import RowIdField
from accounts.sheets import CSV_TYPE, XLSX_TYPE
from accounts.viewsets import requester
from classroom.models import Classroom, Consent, Student
from classroom.roster_consents import CONSENT_COLUMNS

HEADINGS = (
    "student_id",
    "full_name",
    "class_code",
    "school_year",
    "email",
    "phone",
    *CONSENT_COLUMNS,
)
ROWS_A_CHUNK = 1000


def rows(classroom: Classroom) -> Iterator[list[object]]:
    """Yield the headings and then today's students of a class, by name.

    Two queries, and one more a thousand students. Only a consent that was not withdrawn
    is named: an import reads it back.
    """
    yield list(HEADINGS)
    given = Consent.objects.current().filter(withdrawn_at__isnull=True)
    students = Student.objects.in_class(classroom.pk).prefetch_related(
        Prefetch("consents", queryset=given, to_attr="given_consents")
    )
    for student in students.iterator(chunk_size=ROWS_A_CHUNK):
        yield [
            student.student_id,
            student.full_name,
            classroom.class_code,
            classroom.school_year,
            student.email,
            student.phone,
            *_consent_of(student),
        ]


def _consent_of(student: Any) -> list[object]:
    if not student.given_consents:
        return ["" for _column in CONSENT_COLUMNS]
    given = student.given_consents[0]
    return [given.given_by, given.relation, given.given_on, given.until or ""]


class RosterSerializer(serializers.Serializer[Any]):
    class_id = RowIdField()
    format = serializers.ChoiceField(choices=FORMATS, default="csv")


class ExportStudentsView(APIView):
    content_negotiation_class = AnyFormat

    @extend_schema(
        parameters=[RosterSerializer],
        responses={(200, CSV_TYPE): OpenApiTypes.STR, (200, XLSX_TYPE): bytes},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """A class's roster as CSV or XLSX; `/import/students` reads it back."""
        form = RosterSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        classes = Classroom.objects.for_user(requester(request))
        classroom = classes.filter(pk=wanted["class_id"]).first()
        if classroom is None:
            raise Http404
        code = classroom.class_code
        return as_file(
            rows(classroom),
            wanted["format"],
            name=f"roster-{code}",
            title=code,
            what="roster",
            by=requester(request),
        )
