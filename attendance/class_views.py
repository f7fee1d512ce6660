"""Pages of a class and of a student: roster, rates, who comes and goes."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.audited_forms import save_form
from accounts.errors import DomainError
from accounts.filters import MAX_ID
from attendance.class_forms import StudentForm
from attendance.models import Record
from attendance.pages import neighbours, user_of, visible_class
from attendance.rosters import LOW_RATE, Show, class_rate, classes_of, roster
from classroom.consents import current_consent
from classroom.models import (
    Classroom,
    ConsentState,
    Enrollment,
    ErasureReceipt,
    Student,
)
from classroom.rosters import end_enrolment, enrol
from faces import consent, runtime
from faces.models import MAX_TEMPLATES, FaceTemplate
from faces.words import template_words

STUDENTS_A_PAGE = 60  # with the styles well under the 150 KB that a page may have
RECORDS_A_PAGE = 30


@require_GET
@login_required
def classroom(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show a class's roster; `?q=` searches it, `?show=` filters, `?page=` turns."""
    found = visible_class(request, class_id)
    seats = roster(found)
    words = request.GET.get("q", "").strip()[:100]
    show = request.GET.get("show", Show.ALL)
    show = show if show in Show.values else Show.ALL
    chosen = [seat for seat in seats if seat.is_shown(show) and seat.matches(words)]
    page = Paginator(chosen, STUDENTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "classroom": found,
        "size": len(seats),
        "faces": sum(seat.has_face for seat in seats),
        "rate": class_rate(seats),
        "low_rate": int(100 * LOW_RATE),
        "words": words,
        "show": show,
        "filters": _filters(seats, words, show),
        "page": page,
        "pages": neighbours(page, q=words, show=show),
        "left": _just_left(request, found),
    }
    return render(request, "attendance/class.html", context)


def _filters(seats: list[Any], words: str, show: str) -> list[dict[str, Any]]:
    """Return the filters with how many each would show; those of nobody stay away."""
    rows = []
    for one in Show:
        number = sum(seat.is_shown(one) for seat in seats)
        if number or one in (show, Show.ALL):
            query = urlencode(
                {"q": words, "show": one.value} if words else {"show": one}
            )
            rows.append(
                {
                    "label": one.label,
                    "value": one.value,
                    "number": number,
                    "query": query,
                }
            )
    return rows


def _just_left(request: HttpRequest, found: Classroom) -> Student | None:
    """Return the student whom `?left=` names, if they left this class today."""
    number = _row_id(request.GET.get("left", ""))
    return _left_today(found).filter(pk=number).first() if number else None


def _left_today(found: Classroom) -> Any:
    seats = Enrollment.objects.filter(classroom=found, ends_on=timezone.localdate())
    sitting = Enrollment.objects.current().filter(classroom=found)
    return Student.objects.filter(pk__in=seats.values("student")).exclude(
        pk__in=sitting.values("student")
    )


def _row_id(text: str) -> int:
    """Return a row's id from an address; 0 for what can't be one."""
    number = int(text) if text.isdecimal() else 0
    return number if number <= MAX_ID else 0


@require_http_methods(["GET", "POST"])
@login_required
def add_student(request: HttpRequest, class_id: int) -> HttpResponse:
    """Add a new student to a class, or one whom the code already names."""
    found = visible_class(request, class_id)
    user = user_of(request)
    data = request.POST if request.method == "POST" else None
    known = _row_id(request.POST.get("existing", ""))
    if known:
        student = get_object_or_404(Student.objects.for_user(user), pk=known)
        return _seated(request, found, student)
    form = StudentForm(data, user=user)
    if form.is_valid():
        try:
            with transaction.atomic():
                student = save_form(form, by=user)
                enrol(found, [student], by=user)
        except IntegrityError:  # somebody else took the code meanwhile
            form.add_error("student_id", _("This ID was taken a moment ago."))
        except DomainError as error:
            form.add_error(None, str(error.detail))
        else:
            return _after_adding(request, found, student)
    status = 400 if form.errors else 200
    context = {"classroom": found, "form": form}
    return render(request, "attendance/class_add.html", context, status=status)


def _seated(request: HttpRequest, found: Classroom, student: Student) -> HttpResponse:
    try:
        enrol(found, [student], by=user_of(request))
    except DomainError as error:
        messages.error(request, str(error.detail))
        return redirect("class-page", found.pk)
    return _after_adding(request, found, student)


def _after_adding(
    request: HttpRequest, found: Classroom, student: Student
) -> HttpResponse:
    said = _("%(name)s sits in this class now.") % {"name": student.full_name}
    messages.success(request, said)
    if request.POST.get("then") == "face":
        url = reverse("student-face", args=[student.pk])
        return redirect(f"{url}?class={found.pk}")
    if request.POST.get("then") == "next":
        return redirect("class-add", found.pk)
    return redirect("class-page", found.pk)


@require_http_methods(["GET", "POST"])
@login_required
def take_out(request: HttpRequest, class_id: int, student_id: int) -> HttpResponse:
    """Ask, then end a student's time in a class today; the past stays as it was."""
    found = visible_class(request, class_id)
    student = get_object_or_404(Student.objects.in_class(found.pk), pk=student_id)
    if request.method == "POST":
        end_enrolment(found, [student], by=user_of(request))
        url = reverse("class-page", args=[found.pk])
        return redirect(f"{url}?left={student.pk}")
    context = {"classroom": found, "student": student}
    return render(request, "attendance/class_take_out.html", context)


@require_POST
@login_required
def put_back(request: HttpRequest, class_id: int, student_id: int) -> HttpResponse:
    """Undo a leaving of today."""
    found = visible_class(request, class_id)
    student = get_object_or_404(_left_today(found), pk=student_id)
    return _seated(request, found, student)


@require_GET
@login_required
def student(request: HttpRequest, student_id: int) -> HttpResponse:
    """Show a student: classes with rates, what is enrolled of the face, history."""
    found = _visible_student(request, student_id)
    user = user_of(request)
    classes = classes_of(found, user=user)
    counted = sum(one.counted for one in classes)
    records = (
        Record.objects.for_user(user)
        .filter(student=found)
        .select_related("session__classroom", "marked_by")
        .order_by("-session__date", "-session__start", "-id")
    )
    page = Paginator(records, RECORDS_A_PAGE).get_page(request.GET.get("page"))
    active, older = _templates(found)
    context = {
        "student": found,
        "classes": classes,
        "percent": int(100 * sum(one.here for one in classes) / counted + 0.5)
        if counted
        else None,
        "low_rate": int(100 * LOW_RATE),
        "templates": active,
        "older": older,
        "is_full": len(active) >= MAX_TEMPLATES,
        **_consent_of(found),
        "page": page,
        "pages": neighbours(page),
    }
    return render(request, "attendance/student.html", context)


CONSENT_BADGES = {
    ConsentState.GIVEN: "present",
    ConsentState.EXPIRED: "late",
    ConsentState.WITHDRAWN: "absent",
    ConsentState.NONE: "late",
}


def _consent_of(found: Student) -> dict[str, Any]:
    """Return a student's consent and the receipts of earlier erasures; two queries."""
    known = current_consent(found)
    state = known.state() if known else ConsentState.NONE
    return {
        "asks_consent": consent.is_asked(),
        "consent": known,
        "consent_state": state,
        "consent_badge": CONSENT_BADGES[state],
        "may_enrol": consent.allows(state),
        "receipts": ErasureReceipt.objects.filter(student=found)[:3],
    }


def _templates(found: Student) -> tuple[list[dict[str, Any]], int]:
    """Return the templates of the active model in words, and how many others."""
    rows = FaceTemplate.objects.filter(student=found).select_related("created_by")
    active = [row for row in rows if row.model_id == runtime.active_model_id()]
    described = [{"row": row, "words": template_words(row.quality)} for row in active]
    return described, len(rows) - len(active)


@require_http_methods(["GET", "POST"])
@login_required
def edit_student(request: HttpRequest, student_id: int) -> HttpResponse:
    """Change a student's name, code and contacts."""
    found = _visible_student(request, student_id)
    data = request.POST if request.method == "POST" else None
    user = user_of(request)
    form = StudentForm(data, instance=found, user=user)
    if form.is_valid():
        save_form(form, by=user)
        messages.success(request, _("Saved."))
        return redirect("student-page", found.pk)
    status = 400 if form.errors else 200
    # The form has written into its row what was typed; the heading must not.
    shown = _visible_student(request, student_id) if form.errors else found
    context = {"student": shown, "form": form}
    return render(request, "attendance/student_edit.html", context, status=status)


def _visible_student(request: HttpRequest, student_id: int) -> Student:
    students = Student.objects.for_user(user_of(request))
    return get_object_or_404(students, pk=student_id)
