"""Pages to record a consent to a face, and to withdraw it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from classroom import consents
from classroom.models import Consent, Student
from faces import erasure
from faces.consent_forms import ConsentForm, WithdrawalForm
from faces.models import FaceTemplate


@require_http_methods(["GET", "POST"])
@login_required
def consent(request: HttpRequest, student_id: int) -> HttpResponse:
    """Record a consent; `?next=face` leads on to the enrolment."""
    student = _student_of(request, student_id)
    form = ConsentForm(
        request.POST or None,
        instance=Consent(student=student),
        initial=_before(student),
    )
    if request.method == "POST" and form.is_valid():
        try:
            consents.give(student, form.answer, by=cast(User, request.user))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = _("The consent for %(name)s is on record.")
            messages.success(request, said % {"name": student.full_name})
            return redirect(_next_page(request, student))
    return _page(request, "privacy/consent.html", student, form)


@require_http_methods(["GET", "POST"])
@login_required
def withdraw(request: HttpRequest, student_id: int) -> HttpResponse:
    """Ask, then withdraw the consent and delete the face; leads to the receipt."""
    student = _student_of(request, student_id)
    form = WithdrawalForm(request.POST or None, initial=_before(student))
    if request.method == "POST" and form.is_valid():
        try:
            answer, receipt = erasure.withdraw_consent(
                student, **form.cleaned_data, by=cast(User, request.user)
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = _("%(name)s will not be recognised by face any more.")
            if answer.refused:
                said = _("The refusal for %(name)s is on record.")
            messages.success(request, said % {"name": student.full_name})
            if receipt is not None:
                return redirect("erasure-receipt", receipt.pk)
            return redirect("student-page", student.pk)
    return _page(request, "privacy/withdraw.html", student, form)


def _page(
    request: HttpRequest, template: str, student: Student, form: Any
) -> HttpResponse:
    context = {
        "student": student,
        "form": form,
        "known": consents.current_consent(student),
        "templates": FaceTemplate.objects.filter(student=student).count(),
        "leads_to_face": request.GET.get("next") == "face",
    }
    status = 400 if form.errors else 200
    return render(request, template, context, status=status)


def _before(student: Student) -> dict[str, str]:
    """Return who answered the last time, to be typed once."""
    known = consents.current_consent(student)
    if known is None:
        return {}
    return {
        "given_by": known.given_by,
        "said_by": known.given_by,
        "relation": known.relation,
    }


def _next_page(request: HttpRequest, student: Student) -> str:
    if request.GET.get("next") != "face":
        return reverse("student-page", args=[student.pk])
    classroom = request.GET.get("class", "")
    suffix = f"?class={classroom}" if classroom.isdecimal() else ""
    return reverse("student-face", args=[student.pk]) + suffix


def _student_of(request: HttpRequest, student_id: int) -> Student:
    students = Student.objects.for_user(cast(User, request.user))
    return get_object_or_404(students, pk=student_id)
