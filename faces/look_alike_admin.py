"""Look-alikes in the admin: a pair that was kept by mistake is taken out here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.audit_admin import AuditedAdmin
from faces.models import LookAlikePair


@admin.register(LookAlikePair)
class LookAlikePairAdmin(AuditedAdmin[LookAlikePair]):
    """Pairs come from "not this person"; they are read and deleted."""

    list_display = ["first", "second", "reason", "created_at", "created_by"]
    list_select_related = ["first", "second", "created_by"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["first__full_name", "second__full_name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
