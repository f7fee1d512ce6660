"""All addresses: pages, API and documents, wired from the floors below."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_safe

from attendance_site import docs, health, metrics


@require_safe
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Lead browsers that ask by habit (in the admin, on a JSON answer) to the icon."""
    return HttpResponseRedirect(static("favicon.svg"))


@require_safe
def start(request: HttpRequest) -> HttpResponseRedirect:
    return redirect("/app/")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", start),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("accounts.job_urls")),
    path("", include("classroom.urls")),
    path("", include("faces.urls")),
    path("", include("attendance.export_urls")),
    path("", include("attendance.urls")),
    re_path(r"^schema/?$", docs.schema, name="schema"),
    re_path(r"^docs/?$", docs.swagger, name="docs"),
    re_path(r"^redoc/?$", docs.redoc, name="redoc"),
    path("redoc/bundle.js", docs.redoc_bundle, name="redoc-bundle"),
    re_path(r"^health/live/?$", health.live, name="health-live"),
    re_path(r"^health/ready/?$", health.ready, name="health-ready"),
    re_path(r"^metrics/?$", metrics.metrics, name="metrics"),
    path("favicon.ico", favicon),
]
handler400 = "attendance_site.errors.bad_request"
handler403 = "attendance_site.errors.permission_denied"
handler404 = "attendance_site.errors.page_not_found"
handler500 = "attendance_site.errors.server_error"
