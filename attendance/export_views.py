"""Hand out the register: the API's file, and the pages to print."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit
from accounts.audit import Event
from accounts.downloads import FORMATS, AnyFormat, as_file
from accounts.fields import RowIdField
from accounts.sheets import CSV_TYPE, XLSX_TYPE
from accounts.viewsets import requester
from attendance import exports
from attendance.api import PeriodSerializer
from attendance.api import visible_class as class_for_call
from attendance.clock import school_day
from attendance.models import Status
from attendance.pages import visible_class
from attendance.report_forms import PeriodForm
from attendance.week import monday_of

LAST_OF_WEEK: Final = dt.timedelta(days=6)
LONGEST_SHEET: Final = dt.timedelta(days=92)
TEMPLATES: Final = {
    "register": "attendance/print.html",
    "empty_sheet": "attendance/sheet.html",
}


class ExportSerializer(PeriodSerializer):
    session_id = None  # type: ignore[assignment]
    class_id = RowIdField()
    format = serializers.ChoiceField(choices=FORMATS, default="csv")


class ExportView(APIView):
    content_negotiation_class = AnyFormat

    @extend_schema(
        parameters=[ExportSerializer],
        responses={(200, CSV_TYPE): OpenApiTypes.STR, (200, XLSX_TYPE): bytes},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """A class's records as CSV or XLSX; no cell is run as a formula."""
        form = ExportSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        classroom = class_for_call(request, wanted["class_id"])
        rows = exports.rows(classroom, start=wanted.get("from"), end=wanted.get("to"))
        name = f"register-{classroom.class_code}"
        return as_file(
            rows,
            wanted["format"],
            name=name,
            title=classroom.class_code,
            what="register",
            by=requester(request),
        )


class SheetForm(PeriodForm):
    """A period of some weeks; without one, the present week."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first = cleaned.get("start") or monday_of(school_day())
        last = cleaned.get("end") or first + LAST_OF_WEEK
        if not first <= last <= first + LONGEST_SHEET:
            self.add_error("end", _("Choose up to three months."))
        return cleaned | {"start": first, "end": last}


@require_GET
@login_required
def printed(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show a class's register of a period as pages to print and sign."""
    form = PeriodForm(request.GET or None)
    is_asked = form.is_bound and form.is_valid()
    wanted = form.cleaned_data if is_asked else {"start": None, "end": None}
    return _on_paper(request, class_id, form, wanted, exports.paper, what="register")


@require_GET
@login_required
def sheet(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show an empty sheet of a period's sessions, to be filled in by hand."""
    first = monday_of(school_day())
    week = {"start": f"{first}", "end": f"{first + LAST_OF_WEEK}"}
    form = SheetForm(request.GET or week)
    wanted = form.cleaned_data if form.is_valid() else {}
    return _on_paper(
        request, class_id, form, wanted, exports.empty_sheet, what="empty_sheet"
    )


def _on_paper(
    request: HttpRequest,
    class_id: int,
    form: PeriodForm,
    wanted: dict[str, Any],
    pages: Callable[..., list[exports.PaperPage]],
    *,
    what: str,
) -> HttpResponse:
    classroom = visible_class(request, class_id)
    paper = [] if form.errors else pages(classroom, **wanted)
    if paper:
        by = requester(request)
        audit.write(Event.EXPORTED, by=by, on=classroom, what=what, format="paper")
    context = {
        "classroom": classroom,
        "form": form,
        "pages": paper,
        "start": wanted.get("start"),
        "end": wanted.get("end"),
        "letters": letters(),
    }
    status = 400 if form.errors else 200
    return render(request, TEMPLATES[what], context, status=status)


def letters() -> list[tuple[str, str]]:
    """Return each status with the one letter that stands for it on paper."""
    return [
        (Status.PRESENT.value, _("P")),
        (Status.LATE.value, _("L")),
        (Status.ABSENT.value, _("A")),
        (Status.EXCUSED.value, _("E")),
    ]
