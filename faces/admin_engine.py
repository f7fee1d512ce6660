"""The admin's page about the engine: what runs, where, how fast, with what."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from faces import runtime, status
from faces.engine.errors import EngineError


@require_http_methods(["GET", "POST"])
def engine_view(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """Show the engine; a POST measures it on the packaged photo."""
    timing = None
    if request.method == "POST":
        try:
            timing = status.measure()
        except EngineError as error:
            messages.error(request, error.detail)
    return TemplateResponse(
        request,
        "admin/engine.html",
        {
            **site.each_context(request),
            "title": _("Engine"),
            "timing": timing,
            **facts(),
        },
    )


def facts() -> dict[str, Any]:
    pack = runtime.active_pack()
    return {
        "pack": pack,
        "engine": runtime.ready(),
        "device": status.device_asked(),
        "threshold": runtime.threshold(),
        "margin": runtime.margin(),
        "files": [pack.detector, pack.recogniser],
        "versions": status.versions(),
        "memory": status.memory(),
        "models": status.templates_per_model(),
        "broken": status.broken_templates(),
    }
