"""The absence rules in the admin; the reports have a page for them too."""

from django.contrib import admin

from accounts.audit_admin import AuditedAdmin
from attendance.report_models import AbsenceRule


@admin.register(AbsenceRule)
class AbsenceRuleAdmin(AuditedAdmin[AbsenceRule]):
    list_display = ["__str__", "times", "days", "absent", "late", "excused", "per_day"]
