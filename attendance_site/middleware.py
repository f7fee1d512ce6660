"""What holds for every request: its size, the user's language and time, the camera."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from attendance_site.errors import fault, is_page, too_large

Handler = Callable[[HttpRequest], HttpResponse]

LONGEST_DISCARD = 30  # seconds that a refused client may go on sending
CHUNK_BYTES = 64 * 1024


class HealthHostMiddleware:
    """Let probes and Prometheus call by whatever address they know.

    No answer of these depends on the host, so none is refused for it.
    """

    PREFIXES = ("/health/", "/metrics")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(self.PREFIXES):
            request.META["HTTP_HOST"] = "localhost"
        return self.get_response(request)


class UploadSizeMiddleware:
    """Answer 413 from the declared length alone, without reading the body.

    A body of undeclared length (chunked) would be read as empty: it gets a 411. A body
    that is within the limit is always taken in whole, even where the answer is no.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        declared = request.META.get("CONTENT_LENGTH") or ""
        if not declared and request.META.get("HTTP_TRANSFER_ENCODING"):
            detail = "Send the body with a Content-Length."  # for programs alone
            return fault(request, 411, code="length_required", detail=detail)
        limit = settings.MAX_REQUEST_BYTES
        if request.path.rstrip("/") in settings.ARCHIVE_PATHS:
            limit = max(limit, settings.MAX_ARCHIVE_BYTES)
        if declared.isdigit() and int(declared) > limit:
            return fault(request, 413, **too_large(request.path))
        response = self.get_response(request)
        discard_body(request)
        return response


def discard_body(request: HttpRequest) -> None:
    """Read on what a client is still sending, and forget it.

    A refusal that comes before the body was read (no log-in, too many calls) would end
    the connection in the middle of it: the client, or the proxy in front, sees a broken
    connection and never the answer.
    """
    end = time.monotonic() + LONGEST_DISCARD
    try:
        while request.read(CHUNK_BYTES) and time.monotonic() < end:
            pass
    except UnreadablePostError:
        return  # it has gone away: nobody waits for the answer


class LanguageMiddleware:
    """Speak the user's language on pages: the chosen one, else the browser's.

    The API stays English, whatever a client's headers say: programs read it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if is_page(request) else None
        language = language_for(request, user)
        request.LANGUAGE_CODE = language
        zone = user.zone() if isinstance(user, User) else None
        request.time_zone = zone  # type: ignore[attr-defined]
        # A time zone that a page was drawn in ends with its request.
        with translation.override(language), timezone.override(None):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if is_page(request):
            patch_vary_headers(response, ("Accept-Language",))
        return response


def language_for(request: HttpRequest, user: object | None) -> str:
    """Return the language that an answer is written in; no user is no page."""
    if user is None:
        return str(settings.LANGUAGE_CODE)
    chosen = getattr(user, "language", "")
    if chosen in dict(settings.LANGUAGES):
        return str(chosen)
    return translation.get_language_from_request(request)


def time_zone_of_pages(request: HttpRequest) -> dict[str, Any]:
    """Show the moments of a page under /app/ in the time zone its user chose.

    A context processor, so that the zone changes when a page is drawn and not while a
    view works: what "today" is, and when a session begins, is the school's own time.
    """
    # Not from the user: on the page of a fault the database may be what failed.
    zone = getattr(request, "time_zone", None)
    if zone is not None and request.path.startswith("/app/"):
        timezone.activate(zone)
    return {}


class PartialPageMiddleware:
    """Keep the two forms of a page apart: the whole one and the part that htmx swaps.

    Both have the same address, so a cache has to look at the header that asks for one.
    Who has no login is led to it as a whole page, not into a corner of this one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_page(request):
            return response
        leads_to = response.headers.get("Location", "")
        if partial(request) and leads_to.startswith(settings.LOGIN_URL):
            response = HttpResponseClientRedirect(leads_to)
        patch_vary_headers(response, ("HX-Request",))
        return response


def partial(request: HttpRequest) -> bool:
    """Whether htmx asks, who takes a part of the page and leaves the frame alone."""
    return bool(getattr(request, "htmx", False))


class PermissionsPolicyMiddleware:
    """Let our own pages ask for the camera, and nobody for anything else."""

    POLICY = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", self.POLICY)
        return response
