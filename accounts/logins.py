"""Write every sign-in and sign-out to the audit log, whichever door it came through.

Django's own signals tell of them: the pages, the admin and the API all end in the same
functions of `django.contrib.auth`.
"""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver
from django.http import HttpRequest
from rest_framework.request import Request

from accounts import audit
from accounts.audit import Event
from accounts.lockout import account_of, address_of
from accounts.models import User

AnyRequest = HttpRequest | Request


@receiver(user_logged_in)
def signed_in(request: AnyRequest, user: User, **_: Any) -> None:
    audit.write(Event.LOGIN, by=user, on=user, **place(request))


@receiver(user_logged_out)
def signed_out(request: AnyRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.write(Event.LOGOUT, by=user, on=user, **place(request))


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], request: AnyRequest | None, **_: Any) -> None:
    """Say for whom: an account that there is by its id, any other by nothing.

    Both take the same queries, so that the time tells nothing either.
    """
    user = User.objects.filter(email=account_of(request, credentials)).first()
    audit.write(Event.LOGIN_FAILED, by=None, on=user, **place(request))


@receiver(user_locked_out)
def locked(request: AnyRequest, username: str, **_: Any) -> None:
    user = User.objects.filter(email=username).first()
    audit.write(Event.LOGIN_LOCKED, by=None, on=user, **place(request))


def place(request: AnyRequest | None) -> dict[str, str]:
    """Return where a sign-in came from: the address and which door."""
    if request is None:
        return {"door": "none"}
    doors = {"/admin/": "admin", "/auth/": "api"}
    door = next(
        (d for path, d in doors.items() if request.path.startswith(path)), "page"
    )
    return {"door": door, "address": address_of(request) or ""}
