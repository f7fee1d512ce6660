"""A session's register: look, correct, take back, close; enter one of the past."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.audited_forms import save_form
from accounts.errors import DomainError
from accounts.models import User
from attendance import history, services
from attendance.forms import ManyForm, NewSessionForm
from attendance.many import mark_many
from attendance.models import Record, Session, Status
from attendance.pages import (
    UNDO,
    back,
    neighbours,
    offer_undo,
    says_faults,
    undo_offer,
    user_of,
    visible_class,
    visible_session,
)
from attendance.register import HERE, Line, register_of
from attendance.undo import undo
from attendance.why import why
from classroom.models import Student

SESSIONS_A_PAGE = 20


class NothingChosen(DomainError):
    code = "nothing_chosen"
    status = 400
    default_detail = gettext_lazy("Choose students and a status.")


@require_GET
@login_required
def session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Show the register of a session; `?line=` opens one student's history."""
    found = visible_session(request, session_id)
    register = register_of(found.classroom, found)
    context: dict[str, Any] = {
        "classroom": found.classroom,
        "session": found,
        "register": register,
        "is_today": found.date == timezone.localdate(),
        "statuses": Status,
        "undo": undo_offer(request, found),
        "events": history.of_session(found),
    }
    if "line" in request.GET:
        line = _line(register.lines, request.GET["line"])
        context |= {
            "line": line,
            "changes": history.of_line(found, line.student),
            "why": why(line.record) if line.record else None,
        }
    return render(request, "attendance/session.html", context)


def _line(lines: list[Line], student: str) -> Line:
    found = next((line for line in lines if str(line.student.pk) == student), None)
    if found is None:
        raise Http404
    return found


@require_POST
@login_required
@says_faults
def close(request: HttpRequest, session_id: int) -> HttpResponse:
    """Close a session: whoever has no line is absent."""
    found = visible_session(request, session_id)
    services.close(found, by=user_of(request))
    messages.success(request, _("The session is closed."))
    return redirect("session", session_id)


@require_POST
@login_required
@says_faults
def reopen(request: HttpRequest, session_id: int) -> HttpResponse:
    """Open a closed session again; its lines stay."""
    found = visible_session(request, session_id)
    services.reopen(found, by=user_of(request))
    messages.success(request, _("The session is open again."))
    return back(request, "session", session_id)


@require_POST
@login_required
@says_faults
def mark(request: HttpRequest, session_id: int) -> HttpResponse:
    """Give the chosen students of a register the same status."""
    found = visible_session(request, session_id)
    lines = register_of(found.classroom, found).lines
    students = {line.student.pk: line.student for line in lines}
    form = ManyForm(request.POST, students=students)
    if not form.is_valid():
        raise NothingChosen
    wanted = form.cleaned_data
    chosen = [students[pk] for pk in wanted["student"]]
    status = Status(wanted["status"])
    by = user_of(request)
    mark_many(found, chosen, status=status, note=wanted["note"], by=by)
    words = ngettext(
        "%(number)d student: %(status)s", "%(number)d students: %(status)s", len(chosen)
    )
    said = words % {"number": len(chosen), "status": status.label}
    offer_undo(request, found, chosen, said)
    return back(request, "session", session_id)


@require_POST
@login_required
@says_faults
def take_back(request: HttpRequest, session_id: int) -> HttpResponse:
    """Undo the user's last change of this session."""
    found = visible_session(request, session_id)
    offer = undo_offer(request, found)
    request.session.pop(UNDO, None)
    done = undo(found, offer["changes"], by=user_of(request)) if offer else 0
    if done:
        messages.success(request, _("Undone."))
    else:
        messages.warning(request, _("There was nothing left to undo."))
    return back(request, "session", session_id)


@require_POST
@login_required
@says_faults
def reject(request: HttpRequest, record_id: int) -> HttpResponse:
    """Take a face match back; `instead` names the student who it really was."""
    user = user_of(request)
    records = Record.objects.for_user(user).select_related("session", "student")
    record = get_object_or_404(records, pk=record_id)
    meeting, status = record.session, Status(record.status)
    instead = _instead(request)
    services.reject_match(record, instead=instead, by=user)
    changed = [record.student]
    said = _("%(name)s: not this person") % {"name": record.student.full_name}
    if instead is not None:
        changed.append(instead)
        said = f"{said} · {instead.full_name}: {status.label}"
    offer_undo(request, meeting, changed, said)
    return back(request, "session", meeting.pk)


def _instead(request: HttpRequest) -> Student | None:
    named = request.POST.get("instead", "")
    if not named:
        return None
    found = Student.objects.filter(pk=int(named)).first() if named.isdecimal() else None
    if found is None:
        raise services.NotInClass
    return found


@require_http_methods(["GET", "POST"])
@login_required
def sessions(request: HttpRequest, class_id: int) -> HttpResponse:
    """List a class's sessions, and add one of the past to enter it by hand."""
    classroom = visible_class(request, class_id)
    form = NewSessionForm(
        request.POST or None, initial={"date": timezone.localdate().isoformat()}
    )
    status = 200
    if request.method == "POST":
        user = user_of(request)
        form.instance.classroom, form.instance.created_by = classroom, user
        if form.is_valid():
            return redirect("session", _saved(form, by=user).pk)
        status = 400
    rows = Session.objects.filter(classroom=classroom).annotate(
        present=Count("records", filter=Q(records__status__in=HERE)),
        marked=Count("records"),
    )
    rows = rows.order_by("-date", "-start", "-id")
    page = Paginator(rows, SESSIONS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "classroom": classroom,
        "form": form,
        "page": page,
        "pages": neighbours(page),
    }
    return render(request, "attendance/sessions.html", context, status=status)


def _saved(form: NewSessionForm, *, by: User) -> Session:
    """Save the session, or return the one that the class has at that time."""
    wanted = form.instance
    try:
        return save_form(form, by=by)
    except IntegrityError:
        return Session.objects.get(
            classroom=wanted.classroom, date=wanted.date, start=wanted.start
        )
