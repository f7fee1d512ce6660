"""After five wrong passwords an account waits: for the one address they came from.

django-axes counts, in the database, so that all replicas know. Here is what it asks
the project for, how long is left, and how an admin ends the wait.
"""

import datetime as dt
import math
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db import models, transaction
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from accounts import audit
from accounts.audit import Event
from accounts.models import User, normalise_email

LONGEST_ACCOUNT = 254  # RFC 5321, 4.5.3.1.3; longer ones are nobody's


def account_of(request: object, credentials: dict[str, Any] | None) -> str:
    """Return the one spelling under which an account's failures are counted."""
    given = credentials or {}
    # Django's form calls it `username`, the API `email`.
    name = given.get("email") or given.get("username") or ""
    return normalise_email(str(name))[:LONGEST_ACCOUNT]


def address_of(request: HttpRequest | Request) -> str | None:
    """Return the client's address, which ProxyMiddleware has put where it belongs."""
    return request.META.get("REMOTE_ADDR") or None


def answer_of_the_form(
    request: HttpRequest, answer: HttpResponse, credentials: object
) -> HttpResponse:
    """Keep the answer: our forms say themselves how long to wait."""
    return answer


def seconds_to_wait(request: HttpRequest | Request, account: str) -> int | None:
    """Return how long an account is closed for this address, or None if it isn't."""
    now = timezone.now()
    found = failures(now).filter(
        username=account_of(request, {"email": account}), ip_address=address_of(request)
    )
    counted = found.aggregate(
        number=Sum("failures_since_start"), last=Max("attempt_time")
    )
    if (counted["number"] or 0) < settings.AXES_FAILURE_LIMIT:
        return None
    left: dt.timedelta = counted["last"] + settings.AXES_COOLOFF_TIME - now
    return max(1, math.ceil(left.total_seconds()))


def failures(now: dt.datetime) -> models.QuerySet[Any]:
    """Return the failures that still count."""
    since = now - settings.AXES_COOLOFF_TIME
    found: models.QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__gt=since)
    return found


@transaction.atomic
def unlock(account: str, *, address: str | None = None, by: User | None) -> int:
    """Let an account try again, from one address or from all; return how many waited.

    `by` is None at the command line and for a password that was reset by mail.
    """
    name = account_of(None, {"email": account})
    attempts = AccessAttempt.objects.filter(username=name)
    if address is not None:
        attempts = attempts.filter(ip_address=address)
    count = int(attempts.delete()[0])
    if count:
        user = User.objects.filter(email=name).first()
        audit.write(Event.LOGIN_UNLOCKED, by=by, on=user, places=count)
    return count


def forget() -> None:
    """Delete the failures that no longer count; a worker does it by the clock."""
    over = timezone.now() - settings.AXES_COOLOFF_TIME
    AccessAttempt.objects.filter(attempt_time__lte=over).delete()
