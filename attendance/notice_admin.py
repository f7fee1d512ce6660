"""Notices in the admin: what each class sends, and a log that nobody can change."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.audit_admin import AuditedAdmin
from accounts.viewsets import requester
from attendance.notice_models import Notice, NoticeSettings
from attendance.notices import send_again


@admin.register(NoticeSettings)
class NoticeSettingsAdmin(AuditedAdmin[NoticeSettings]):
    list_display = ["classroom", "absence", "late", "digest"]
    list_filter = ["absence", "late", "digest"]
    list_select_related = ["classroom"]
    list_per_page = 50
    autocomplete_fields = ["classroom"]


@admin.register(Notice)
class NoticeAdmin(AuditedAdmin[Notice]):
    list_display = ["created_at", "kind", "classroom", "student", "to", "state"]
    list_filter = ["state", "kind"]
    list_select_related = ["classroom", "student"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["again"]
    search_fields = ["to", "student__full_name", "classroom__class_code"]

    @admin.action(description=_("Send again what failed or is unclear"))
    def again(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        number = sum(send_again(notice, by=requester(request)) for notice in queryset)
        text = _("Mails that are sent again: %(number)d.") % {"number": number}
        self.message_user(request, text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False
