"""The admin's page about the engine: what runs, where, how fast, what to change."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from faces import runtime, status
from faces.diagnosis import diagnose
from faces.services import needs_new_photo


@require_http_methods(["GET", "POST"])
def engine_view(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """Show the engine; a POST examines it as `manage.py faces_doctor` does."""
    return TemplateResponse(
        request,
        "admin/engine.html",
        {
            **site.each_context(request),
            "title": _("Engine"),
            "diagnosis": diagnose() if request.method == "POST" else None,
            **facts(),
        },
    )


def facts() -> dict[str, Any]:
    pack = runtime.active_pack()
    return {
        "pack": pack,
        "engine": runtime.ready(),
        "device": status.device_asked(),
        "threads": runtime.threads_a_photo(),
        "queue": settings.FACE_QUEUE,
        "threshold": runtime.threshold(),
        "margin": runtime.margin(),
        "files": [pack.detector, pack.recogniser],
        "versions": status.versions(),
        "memory": status.memory(),
        "models": status.templates_per_model(),
        "renew": needs_new_photo().count(),
        "broken": status.broken_templates(),
    }
