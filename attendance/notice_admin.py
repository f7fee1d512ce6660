"""Notices in the admin: what each class sends, and a log that nobody can change."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from attendance.notice_models import Notice, NoticeSettings


@admin.register(NoticeSettings)
class NoticeSettingsAdmin(admin.ModelAdmin[NoticeSettings]):
    list_display = ["classroom", "absence", "late", "digest"]
    list_filter = ["absence", "late", "digest"]
    list_select_related = ["classroom"]
    list_per_page = 50
    autocomplete_fields = ["classroom"]


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin[Notice]):
    list_display = ["created_at", "kind", "classroom", "student", "to", "state"]
    list_filter = ["state", "kind"]
    list_select_related = ["classroom", "student"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["to", "student__full_name", "classroom__class_code"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False
