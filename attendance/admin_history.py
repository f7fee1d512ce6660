"""The history page of sessions and records."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accounts.audit_admin import AuditedAdmin


class HistoryAdmin(AuditedAdmin[Any]):
    """The register's own history instead of the admin's list of saved forms."""

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(row)s") % {"row": row},
            "opts": self.opts,
            "original": row,
            "changes": self.changes(row),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/attendance/history.html", context)

    def changes(self, row: Any) -> list[Any]:
        return list(row.history.select_related("history_user"))
