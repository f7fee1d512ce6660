"""Pages to enrol a student's face and to remove it again."""

from dataclasses import dataclass, field
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.errors import DomainError
from accounts.models import User
from accounts.throttles import seconds_to_wait
from accounts.viewsets import requester
from classroom.consents import current_consent
from classroom.models import Classroom, ConsentState, Student
from faces import coach, consent, services, words
from faces.api import FaceThrottle, enrolled_templates, visible_student
from faces.engine.errors import EngineError, FaceError
from faces.forms import EnrolForm
from faces.models import MAX_TEMPLATES, FaceTemplate


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was enrolled: a code, a sentence in the page's language, figures."""

    status: int
    code: str
    words: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        return {**self.extra, "code": self.code, "detail": self.words}

    @property
    def headers(self) -> dict[str, str]:
        wait = self.extra.get("retry_after")
        return {"Retry-After": str(wait)} if wait else {}


@require_http_methods(["GET", "POST"])
@login_required
def face(request: HttpRequest, student_id: int) -> HttpResponse:
    """Enrol a face from the camera or from files; the coach asks for JSON."""
    student = _student_of(request, student_id)
    if request.method == "GET":
        return _enrol_page(request, student, EnrolForm())
    form = EnrolForm(request.POST, request.FILES)
    done = _enrol(request, student, form)
    as_json = "application/json" in request.headers.get("Accept", "")
    if isinstance(done, services.Registration):
        _say_done(request, student, done)
        url = _next_page(request, student)
        return JsonResponse({"next": url}, status=201) if as_json else redirect(url)
    if as_json:
        return JsonResponse(done.body, status=done.status, headers=done.headers)
    if form.is_valid():
        form.add_error("photos", ValidationError(done.words, code=done.code))
    return _enrol_page(request, student, form, done)


def _enrol_page(
    request: HttpRequest,
    student: Student,
    form: EnrolForm,
    refusal: Refusal | None = None,
) -> HttpResponse:
    kept = enrolled_templates().filter(student=student).count()
    context = {
        "student": student,
        "classroom": _class_from(request),
        "form": form,
        "kept": kept,
        "room": max(0, MAX_TEMPLATES - kept),
        "most": services.MAX_PHOTOS,
        **_consent_of(student),
        # Only where a look-alike stopped it; else it would invite to say yes.
        "asks_for_reason": form.data.get("allow_duplicate")
        or (refusal is not None and refusal.code == "duplicate_face"),
    }
    page = render(request, "faces/enrol.html", context)
    if refusal is not None:
        page.status_code = refusal.status
        for name, value in refusal.headers.items():
            page.headers[name] = value
    return page


def _consent_of(student: Student) -> dict[str, Any]:
    """Return what the page says about the consent; nothing where none is asked for."""
    if not consent.is_asked():
        return {}
    known = current_consent(student)
    state = known.state() if known else ConsentState.NONE
    return {
        "consent": known,
        "consent_state": state,
        "consent_fault": not consent.allows(state),
        "consent_words": consent.missing_words(known),
    }


def _enrol(
    request: HttpRequest, student: Student, form: EnrolForm
) -> services.Registration | Refusal:
    wait = seconds_to_wait(FaceThrottle(), request)
    if wait is not None:
        said = _("Too many photos in a minute. Wait a moment.")
        return Refusal(429, "throttled", said, {"retry_after": wait})
    if not form.is_valid():
        name, faults = next(iter(form.errors.items()))
        return Refusal(400, "invalid", str(faults[0]), {"field": name})
    photos = [upload.read() for upload in form.cleaned_data["photos"]]
    try:
        return services.register(
            student,
            photos,
            by=cast(User, request.user),
            allow_duplicate=form.cleaned_data["allow_duplicate"],
            reason=form.cleaned_data["reason"],
        )
    except (DomainError, EngineError, FaceError) as error:
        said = words.sentence_for_photo(error, photos=len(photos))
        return Refusal(error.status, error.code, said, error.extra)


def _say_done(
    request: HttpRequest, student: Student, done: services.Registration
) -> None:
    number = len(done.templates)
    said = ngettext(
        "%(name)s is enrolled from %(number)s photo. The photo itself is gone.",
        "%(name)s is enrolled from %(number)s photos. The photos themselves are gone.",
        number,
    )
    messages.success(request, said % {"name": student.full_name, "number": number})
    for doubt in done.warnings:
        messages.warning(request, doubt.detail)


def _next_page(request: HttpRequest, student: Student) -> str:
    """Return to the class for the next one without a face, else to the student."""
    classroom = _class_from(request)
    if classroom is None:
        return reverse("student-page", args=[student.pk])
    return reverse("class-page", args=[classroom.pk]) + "?show=no-face"


def _class_from(request: HttpRequest) -> Classroom | None:
    """Return the class whose page led here, `?class=`, if the user may see it."""
    wanted = request.GET.get("class", "")
    if not wanted.isdecimal():
        return None
    classes = Classroom.objects.for_user(cast(User, request.user))
    return classes.filter(pk=int(wanted)).first()


def _student_of(request: HttpRequest, student_id: int) -> Student:
    students = Student.objects.for_user(cast(User, request.user))
    return get_object_or_404(students, pk=student_id)


class FrameSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)


class CheckView(APIView):
    """The coach's eye: one frame of the camera."""

    parser_classes = [MultiPartParser]
    throttle_classes = [FaceThrottle]

    @extend_schema(exclude=True)
    def post(self, request: Request, student_id: int) -> Response:
        """Say what would make a frame better; nothing of it is stored."""
        visible_student(request, student_id)
        form = FrameSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        seen = coach.look(form.validated_data["file"].read())
        body: dict[str, Any] = {
            "good": seen.is_good,
            "advice": [{"code": one.code, "words": one.words} for one in seen.advice],
            "face": None,
        }
        if seen.face is not None:
            figures = seen.face.quality
            body["face"] = {
                "box": [round(share, 4) for share in seen.box],
                "yaw": round(figures.yaw, 1),
                "pitch": round(figures.pitch, 1),
                "roll": round(figures.roll, 1),
            }
        return Response(body)


@require_http_methods(["GET", "POST"])
@login_required
def remove(request: HttpRequest, student_id: int) -> HttpResponse:
    """Ask, then remove one template (`?template=`) or all of a student."""
    student = _student_of(request, student_id)
    templates = FaceTemplate.objects.filter(student=student)
    wanted = request.GET.get("template", "")
    if wanted:
        number = int(wanted) if wanted.isdecimal() else 0
        templates = templates.filter(pk=get_object_or_404(templates, pk=number).pk)
    if request.method == "POST":
        # A template of an older model must not outlive the wish to be forgotten.
        only = int(wanted) if wanted else None
        services.remove_templates(student, by=requester(request), only=only)
        said = _("The face of %(name)s is removed.")
        left = enrolled_templates().filter(student=student).exists()
        if left:
            said = _("One photo of %(name)s is removed. The others still count.")
        messages.success(request, said % {"name": student.full_name})
        return redirect("student-page", student.pk)
    count = templates.count()
    context = {
        "student": student,
        "count": count,
        "is_last": not wanted or not _others(student, int(wanted)),
    }
    return render(request, "faces/remove.html", context)


def _others(student: Student, template_id: int) -> bool:
    return enrolled_templates().filter(student=student).exclude(pk=template_id).exists()
