"""Turn every fault into one shape of answer: `{code, detail, ...}`."""

import logging
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from accounts.errors import DomainError
from attendance_site import logs
from attendance_site.health import RETRY_AFTER
from faces import words
from faces.engine.errors import ConfigurationError, EngineError, FaceError

logger = logging.getLogger(__name__)

PAGE_PREFIXES = ("/app", "/accounts", "/admin")
NOTHING_HERE = gettext_lazy("There is nothing here.")
NOT_ALLOWED = gettext_lazy("You may not do this.")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an API call that failed; None leaves an unknown fault to the log."""
    if isinstance(error, (DomainError, FaceError, EngineError)):
        return known_fault(error, context["request"])
    if isinstance(error, RequestDataTooBig):
        return Response(too_large(), status=413)
    if isinstance(error, ProtectedError):
        kinds = sorted({str(row._meta.verbose_name) for row in error.protected_objects})
        detail = f"This is still used by: {', '.join(kinds)}."
        return Response({"code": "in_use", "detail": detail}, status=409)
    response = rest_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = invalid(error)
    elif isinstance(error, APIException):
        response.data = {"code": stable_code(error), "detail": sentence(error.detail)}
    elif response.status_code == 404:  # Django's own words are for developers
        response.data = {"code": "not_found", "detail": NOTHING_HERE}
    else:
        response.data = {"code": "permission_denied", "detail": NOT_ALLOWED}
    return response


def known_fault(error: words.Fault, request: HttpRequest) -> Response:
    if isinstance(error, ConfigurationError):
        logger.error("%s", error)  # names files: to the log alone
    # What a page's script asks for is read by a person, in the page's language.
    detail = words.sentence(error) if is_page(request) else error.detail
    body = {"code": error.code, "detail": detail, **error.extra}
    headers = {}
    if "retry_after" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after"])
    return Response(body, status=error.status, headers=headers)


def too_large(path: str = "") -> dict[str, str]:
    from django.conf import settings

    if path.rstrip("/") in settings.ARCHIVE_PATHS:
        return {
            "code": "archive_too_large",
            "detail": _("An archive may have up to %(limit)s MB.")
            % {"limit": settings.IMPORT_MAX_MB},
        }
    return {
        "code": "image_too_large",
        "detail": _("A photo may have up to %(limit)s MB.")
        % {"limit": settings.FACE_MAX_UPLOAD_MB},
    }


def invalid(error: ValidationError) -> dict[str, object]:
    """Return a 400's body: `errors` maps each field to its codes and sentences."""
    detail = error.detail
    if isinstance(detail, list):
        detail = {"non_field_errors": detail}
    errors = {field: list(leaves(faults)) for field, faults in detail.items()}
    field, first = next((field, faults[0]) for field, faults in errors.items())
    prefix = "" if field == "non_field_errors" else f"{field}: "
    return {
        "code": "validation_error",
        "detail": f"{prefix}{first['detail']}",
        "errors": errors,
    }


def leaves(detail: Any) -> list[dict[str, str]]:
    """Flatten the faults of one field, however deep a list or object it is."""
    if isinstance(detail, dict):
        return [leaf for part in detail.values() for leaf in leaves(part)]
    if isinstance(detail, list):
        return [leaf for part in detail for leaf in leaves(part)]
    code = detail.code if isinstance(detail, ErrorDetail) else "invalid"
    return [{"code": str(code), "detail": str(detail)}]


def stable_code(error: APIException) -> str:
    if isinstance(error.detail, dict) and "code" in error.detail:
        return str(error.detail["code"])
    return str(leaves(error.detail)[0]["code"])


def sentence(detail: Any) -> str:
    if isinstance(detail, dict) and "detail" in detail:
        return str(detail["detail"])
    return leaves(detail)[0]["detail"]


def is_page(request: HttpRequest) -> bool:
    return request.path == "/" or request.path.startswith(PAGE_PREFIXES)


def fault(
    request: HttpRequest, status: int, code: str, detail: StrOrPromise
) -> HttpResponse:
    """Answer a page with a page and a program with JSON."""
    # What is logged can be found by it; what the client did wrong it knows itself.
    known = {"request_id": logs.request_id.get()} if status >= 500 else {}
    if is_page(request):
        context = {"code": status, "detail": detail, **known}
        return render(request, "error.html", context, status=status)
    return JsonResponse({"code": code, "detail": detail, **known}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return fault(request, 413, **too_large(request.path))
    return fault(request, 400, "bad_request", _("This request can't be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return fault(request, 403, "permission_denied", NOT_ALLOWED)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return fault(request, 404, "not_found", NOTHING_HERE)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for what nobody expected; Django logs it and calls this meanwhile."""
    if isinstance(sys.exc_info()[1], (InterfaceError, OperationalError)):
        # It restarts, or is busy for too long: what was asked may be asked again.
        detail = _("The database does not answer now. Try again in a few seconds.")
        answer = fault(request, 503, "database_unavailable", detail)
        answer["Retry-After"] = RETRY_AFTER
        return answer
    return fault(
        request,
        500,
        "server_error",
        _("Something went wrong here. It has been logged."),
    )
