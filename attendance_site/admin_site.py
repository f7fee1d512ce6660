"""The admin as one house: its name, its first page and its pages without a model."""

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _


class RollbookAdminSite(AdminSite):
    site_title = _("Rollbook")
    site_header = _("Rollbook")
    index_title = _("Overview")
    site_url = "/app/"
    empty_value_display = "–"

    def get_urls(self) -> list[URLResolver | URLPattern]:
        # The apps' models are not ready yet when the site itself is made.
        from faces.admin_engine import engine_view

        view = self.admin_view(partial(engine_view, site=self))
        return [path("engine/", view, name="engine"), *super().get_urls()]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from accounts.views import slowed_down

        answer = super().login(request, extra_context)
        form = (getattr(answer, "context_data", None) or {}).get("form")
        return slowed_down(answer, getattr(form, "retry_after", None))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        from attendance.dashboard import dashboard

        context = {"dashboard": dashboard(), **(extra_context or {})}
        return super().index(request, context)


class RollbookAdminConfig(AdminConfig):
    default_site = "attendance_site.admin_site.RollbookAdminSite"
