"""Slow down password guessing and floods without locking a whole school out."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView

from accounts.models import normalise_email


class LoginThrottle(SimpleRateThrottle):
    """Count the log-ins of one account from one address, in the API and on pages.

    Never an address alone: a whole school may come from a single one.
    """

    scope = "login"
    account = ""
    duration: int  # seconds; the parent reads it from the rate

    def allow_request(self, request: Request, view: APIView) -> bool:
        fields = request.data if isinstance(request.data, Mapping) else {}
        return self.allow_attempt(request, str(fields.get("email") or ""))

    def allow_attempt(self, request: Request | HttpRequest, account: str) -> bool:
        """Count a try; False once there were too many. An empty account is no try."""
        if not account:
            return True
        self.account = normalise_email(account)
        unused_view: Any = None
        allowed: Any = super().allow_request(request, unused_view)  # type: ignore[arg-type]
        return bool(allowed)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        # Hashed, because accounts are personal and a cache key takes few characters.
        pair = f"{self.get_ident(request)} {self.account}"
        digest = sha256(pair.encode()).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": digest}

    def wait(self) -> float:
        """Return the seconds until the next try is counted as allowed."""
        return super().wait() or float(self.duration)


class PasswordResetThrottle(LoginThrottle):
    """Keep one address from filling a mailbox with links."""

    scope = "password_reset"


class ImportThrottle(UserRateThrottle):
    """Count the files that one user sends to be imported, by the API and on pages."""

    scope = "import"


def seconds_to_wait(throttle: UserRateThrottle, request: HttpRequest) -> int | None:
    """Count a page's request with the API's calls; None where there is room."""
    if throttle.allow_request(cast(Any, request), APIView()):
        return None
    return max(1, round(throttle.wait() or 1))
