"""What the register's pages share: who may see what, answers, the undo bar."""

import datetime as dt
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.errors import DomainError
from accounts.models import User
from attendance import services
from attendance.models import Session
from attendance.undo import last_changes
from classroom.models import Classroom, Student

UNDO = "undo"
# Later than this nobody means "the last thing I did" any more.
UNDO_MINUTES = 15

View = Callable[..., HttpResponse]


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def visible_class(request: HttpRequest, class_id: int) -> Classroom:
    """Return a class that the user may see; another one is as good as none: 404."""
    return get_object_or_404(Classroom.objects.for_user(user_of(request)), pk=class_id)


def visible_session(request: HttpRequest, session_id: int) -> Session:
    sessions = Session.objects.for_user(user_of(request)).select_related("classroom")
    return get_object_or_404(sessions, pk=session_id)


def wanted_session(request: HttpRequest, classroom: Classroom) -> Session | None:
    """Return the session that `?session=` or a form names, else the present one.

    A closed one too, for a person may correct it; raises Http404 for another class's.
    """
    named = request.POST.get("session") or request.GET.get("session") or ""
    if named and not named.isdecimal():
        raise Http404
    try:
        return services.register_session(
            classroom, session_id=int(named) if named else None, now=timezone.now()
        )
    except services.SessionNotFound as error:
        raise Http404 from error


def back(request: HttpRequest, fallback: str, *arguments: object) -> HttpResponse:
    """Lead to the page that the form came from, else to the fallback."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return redirect(wanted)
    return redirect(reverse(fallback, args=arguments))


def neighbours(page: Page[Any], **query: str) -> dict[str, str]:
    """Return the queries that lead to the page before and the page after, or ""."""
    before = page.previous_page_number() if page.has_previous() else None
    after = page.next_page_number() if page.has_next() else None
    return {
        name: urlencode(query | {"page": str(number)}) if number else ""
        for name, number in (("previous", before), ("next", after))
    }


def says_faults(view: View) -> View:
    """Say a refused request on the page it came from instead of failing."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, error.detail)
            return back(request, "today")

    return wrapped


def offer_undo(
    request: HttpRequest, session: Session, students: Iterable[Student], words: str
) -> None:
    """Remember the change just made, so that the next page can offer to undo it."""
    request.session[UNDO] = {
        "session": session.pk,
        "changes": last_changes(session, students),
        "words": words,
        "until": (timezone.now() + dt.timedelta(minutes=UNDO_MINUTES)).timestamp(),
    }


def undo_offer(request: HttpRequest, session: Session | None) -> dict[str, Any] | None:
    """Return what can be undone on this session's pages now."""
    offer: dict[str, Any] | None = request.session.get(UNDO)
    if session is None or offer is None or offer["session"] != session.pk:
        return None
    return offer if offer["until"] > timezone.now().timestamp() else None
