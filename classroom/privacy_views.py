"""Receipts of erasures, and all that is held of a student: pages and files."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from accounts.permissions import IsAdmin
from accounts.viewsets import requester
from classroom import erasure, holdings
from classroom.consent_models import ErasureReceipt
from classroom.models import Student


@require_GET
@login_required
def receipt(request: HttpRequest, receipt_id: Any) -> HttpResponse:
    """Show a receipt, to be printed; `?download` sends it as a file."""
    receipts = ErasureReceipt.objects.for_user(cast(User, request.user))
    found = get_object_or_404(
        receipts.select_related("student", "created_by"), pk=receipt_id
    )
    kind = "txt" if "download" in request.GET else "paper"
    audit.write(
        Event.EXPORTED,
        by=requester(request),
        on=found.student,
        what="receipt",
        receipt=str(found.pk),
        format=kind,
    )
    titles = {one.name: one.title for one in holdings.all_holdings()}
    context = {
        "receipt": found,
        "rows": [
            (titles.get(name, name), number) for name, number in found.counts.items()
        ],
        "models": sorted({one["model_id"] for one in found.templates}),
        "is_over": found.backups_until < timezone.localdate(),
    }
    if kind == "paper":
        return render(request, "privacy/receipt.html", context)
    answer = render(
        request, "privacy/receipt.txt", context, "text/plain; charset=utf-8"
    )
    return as_file(answer, f"receipt-{found.number}.txt")


@require_GET
@login_required
def data(request: HttpRequest, student_id: int) -> HttpResponse:
    """Show an admin all that is held of a student; with `?format=` as a file."""
    user = cast(User, request.user)
    if not user.is_admin:
        raise PermissionDenied
    student = get_object_or_404(Student, pk=student_id)
    held = erasure.export(student, by=user)
    kind = request.GET.get("format", "")
    name = f"student-{student.pk}"
    if kind == "json":
        content = "application/json; charset=utf-8"
        return as_file(
            HttpResponse(holdings.as_json(held), content_type=content), f"{name}.json"
        )
    context = {"student": student, "export": held, "sections": sections(held)}
    if kind == "html":
        answer = render(request, "privacy/export.html", context)
        return as_file(answer, f"{name}.html")
    return render(request, "privacy/data.html", context)


def sections(held: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an export's parts with their titles, for a page."""
    return [
        {
            "title": one.title,
            "name": one.name,
            "rows": [
                {name: in_words(value) for name, value in row.items()}
                for row in held["held"][one.name]
            ],
        }
        for one in holdings.all_holdings()
    ]


def in_words(value: Any) -> Any:
    """Return figures by name as a line of text; other values as they are."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {figure}" for name, figure in value.items())
    if isinstance(value, list):
        return "; ".join(str(in_words(part)) for part in value)
    return value


def as_file(answer: HttpResponse, name: str) -> HttpResponse:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


class StudentExportView(APIView):
    """All that is held of a student."""

    def get_permissions(self) -> list[BasePermission]:
        return cast("list[BasePermission]", [IsAuthenticated(), IsAdmin()])

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, student_id: int) -> Response:
        """Return every row about a student, by kind; for admins."""
        user = requester(request)
        student = get_object_or_404(Student.objects.for_user(user), pk=student_id)
        held = erasure.export(student, by=user)
        return Response(held, headers={"Cache-Control": "no-store"})
