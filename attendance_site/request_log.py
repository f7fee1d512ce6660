"""Give each request an id, and the log a line for it, without a word it carried."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from attendance_site import logs

logger = logging.getLogger("attendance_site.access")

HEADER = "X-Request-ID"
KEY = "HTTP_X_REQUEST_ID"  # left in by ProxyMiddleware where a proxy of ours wrote it
MASK = "*"


class RequestLogMiddleware:
    """Answer with X-Request-ID and write down method, page, status, time and user id.

    No address of the client and no query: both are people's own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = logs.accepted_id(request.META.get(KEY, ""))
        token, start = logs.request_id.set(name), time.monotonic()
        try:
            response = self.get_response(request)
            response.headers[HEADER] = name
            write(request, response, seconds=time.monotonic() - start)
        finally:
            logs.request_id.reset(token)
        return response


def write(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    fields: dict[str, Any] = {
        "method": request.method,
        "path": page_of(request, response),
        "status": response.status_code,
        "ms": round(seconds * 1000),
        "user_id": user_id(request),
    }
    logger.info("%(method)s %(path)s %(status)s %(ms)s ms", fields, extra=fields)


def page_of(request: HttpRequest, response: HttpResponseBase) -> str:
    """Return the path with only numbers in the places that a route leaves open.

    A path that no route knows may hold anything and is left out; so is the token of a
    link that resets a password.
    """
    match = request.resolver_match
    if match is None:
        static = request.path.startswith(settings.STATIC_URL)
        return request.path if static and response.status_code < 400 else MASK
    path = request.path
    for value in (*match.args, *match.kwargs.values()):
        text = str(value)
        if text.isascii() and text.isdigit():
            continue
        if text not in path:  # converted: where it stands can't be told
            return str(match.route)
        path = path.replace(text, MASK)
    return path


def user_id(request: HttpRequest) -> int | None:
    """Return whose request it was, where something asked; asks nothing itself."""
    user = request.__dict__.get("user")
    if type(user) is SimpleLazyObject:
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)
