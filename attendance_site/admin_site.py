"""The admin as one house: its name, its first page and its pages without a model."""

from functools import partial
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.views.main import (
    SEARCH_VAR,
    ChangeList,
    ChangeListSearchForm,
)
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from accounts.search import MAX_SEARCH


class SearchForm(ChangeListSearchForm):
    """Refuse with a message what is too long; the list is then not searched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = forms.CharField(
            label=_("Search"), required=False, strip=False, max_length=MAX_SEARCH
        )
        self.fields[SEARCH_VAR] = words


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

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        if len(request.GET.get("term", "")) > MAX_SEARCH:
            return JsonResponse({"results": [], "pagination": {"more": False}})
        return super().autocomplete_view(request)

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

    def ready(self) -> None:
        # For every list at once, those of other packages as well.
        ChangeList.search_form_class = SearchForm
        super().ready()
