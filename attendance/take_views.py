"""Take attendance: live, by a photo of one person, of the room, and by hand."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import DomainError
from accounts.viewsets import requester
from attendance import api, services
from attendance.forms import GroupPhotoForm, MarkForm, OnePhotoForm
from attendance.live import LiveFace, look
from attendance.models import Record, Session, Status
from attendance.pages import (
    back,
    offer_undo,
    says_faults,
    undo_offer,
    user_of,
    visible_class,
    wanted_session,
)
from attendance.recognition import box_of, mark_group, verify
from attendance.register import likeness, register_of
from attendance.serializers import BriefStudentSerializer, PhotoSerializer
from classroom.models import Classroom, Student
from faces import words
from faces.engine.errors import EngineError, FaceError

WAYS = ("live", "photo", "group")


@require_http_methods(["GET", "POST"])
@login_required
def take(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show a class's register with three ways to fill it in; a POST brings photos."""
    classroom = visible_class(request, class_id)
    session = wanted_session(request, classroom)
    wanted = request.POST.get("way") or request.GET.get("way")
    way = wanted if wanted in WAYS else WAYS[0]
    if request.method == "POST" and way == "live":
        way = "group"  # a form that doesn't say what its photos show
    form_type = OnePhotoForm if way == "photo" else GroupPhotoForm
    form = form_type(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        context, status = _marked(form, classroom, session, request)
        session = session or wanted_session(request, classroom)
    context |= {
        "classroom": classroom,
        "session": session,
        "register": register_of(classroom, session),
        "is_named": "session" in request.GET or bool(request.POST.get("session")),
        "way": way,
        "photo_form": form if way == "photo" else OnePhotoForm(),
        "group_form": form if way == "group" else GroupPhotoForm(),
        "statuses": Status,
        "undo": undo_offer(request, session),
    }
    return render(request, "attendance/take.html", context, status=status)


def _marked(
    form: forms.Form,
    classroom: Classroom,
    session: Session | None,
    request: HttpRequest,
) -> tuple[dict[str, Any], int]:
    """Mark from a form's photos; return what the page says of it, and its status."""
    if not form.is_valid():
        return {}, 400
    named = session.pk if session and request.POST.get("session") else None
    user = user_of(request)
    photos: list[bytes] = []
    try:
        if isinstance(form, OnePhotoForm):
            photo = form.cleaned_data["file"].read()
            return {"one": verify(classroom, photo, by=user, session_id=named)}, 200
        photos = [upload.read() for upload in form.cleaned_data["file"]]
        return {"group": mark_group(classroom, photos, by=user, session_id=named)}, 200
    except (DomainError, FaceError, EngineError) as error:
        said = words.sentence_for_photo(error, photos=len(photos))
        form.add_error("file", forms.ValidationError(said, code=error.code))
        return {}, error.status


class LookSerializer(PhotoSerializer):
    class_id = None  # type: ignore[assignment]  # the address says it
    token = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class LookView(api.PhotoView):
    """One frame of the live camera."""

    @extend_schema(exclude=True)
    def post(self, request: Request, class_id: int) -> Response:
        """Say who is on a frame; mark those who were on the frame before, too."""
        classroom = api.visible_class(request, class_id)
        form = LookSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        seen = look(
            classroom,
            wanted["file"][0],
            token=wanted.get("token", ""),
            by=requester(request),
            session_id=wanted.get("session_id"),
        )
        faces = [_described(face) for face in seen.faces]
        return Response({"faces": faces, "token": seen.token})


def _described(face: LiveFace) -> dict[str, Any]:
    """Return a face for the page: where, what is known of it, and in which words."""
    body: dict[str, Any] = {
        "box": box_of(face.sighting.face),
        "outcome": face.sighting.match.outcome,
        "candidates": [
            BriefStudentSerializer(student).data for student, _score in face.candidates
        ],
    }
    if face.student is None:
        return body
    body["student"] = BriefStudentSerializer(face.student).data
    body["likeness"] = str(likeness(face.sighting.match.similarity or 0.0).label)
    if face.record is not None:
        body["record"] = {
            "id": face.record.pk,
            "status": face.record.status,
            "words": str(Status(face.record.status).label),
            "is_new": face.is_new,
        }
    return body


@require_POST
@login_required
@says_faults
def mark(request: HttpRequest, class_id: int) -> HttpResponse:
    """Write or correct one line by hand, or all that are missing."""
    classroom = visible_class(request, class_id)
    session = wanted_session(request, classroom)
    form = MarkForm(request.POST)
    if not form.is_valid():
        raise services.NotInClass(_("Choose a student and a status."))
    session = session or services.ad_hoc_session(
        classroom, by=user_of(request), on=timezone.localdate()
    )
    status = Status(form.cleaned_data["status"])
    if form.cleaned_data["is_rest"]:
        _mark_rest(request, session, status)
    else:
        _mark_one(request, session, form.cleaned_data, status)
    return back(request, "take", class_id)


def _mark_rest(request: HttpRequest, session: Session, status: Status) -> None:
    rest = services.mark_rest(session, status=status, by=user_of(request))
    words = ngettext(
        "%(number)d student: %(status)s", "%(number)d students: %(status)s", len(rest)
    )
    said = words % {"number": len(rest), "status": status.label}
    offer_undo(request, session, rest, said)


def _mark_one(
    request: HttpRequest, session: Session, wanted: dict[str, Any], status: Status
) -> None:
    student = Student.objects.filter(pk=wanted["student"]).first()
    if student is None:
        raise services.NotInClass
    by, note = user_of(request), wanted["note"]
    line = Record.objects.filter(session=session, student=student).first()
    if line is None:
        services.mark_by_hand(session, student, status=status, note=note, by=by)
    else:
        # A tap without a reason keeps the note that is there.
        services.correct(line, status=status, note=note or None, by=by)
    offer_undo(request, session, [student], f"{student.full_name}: {status.label}")
