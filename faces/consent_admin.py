"""Consent in the admin: on the student's page, in the list, and receipts to look up."""

from typing import Any, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_export import Column
from accounts.models import User
from classroom import consents
from classroom.admin_filters import Choice
from classroom.models import (
    Consent,
    ConsentState,
    ErasureReceipt,
    Student,
    consent_state,
)
from faces.consent_forms import WithdrawalForm
from faces.erasure import withdraw_consent

ANSWER_FIELDS: Final = ("given_by", "relation", "given_on", "until", "note")
CONSENT_COLUMN: Column = (_("consent"), lambda row: ConsentState(row.consent).label)


def consent_badge(state: str) -> SafeString:
    return format_html(
        '<span class="badge badge--consent-{}">{}</span>',
        state,
        ConsentState(state).label,
    )


class ConsentFilter(admin.SimpleListFilter):
    """Students by what is on record of their consent."""

    title = _("consent")
    parameter_name = "consent"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        return list(ConsentState.choices)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Student]
    ) -> QuerySet[Student] | None:
        value = self.value()
        if value not in ConsentState.values:
            return None
        return queryset.alias(answer=consent_state()).filter(answer=value)


class ConsentFormSet(BaseInlineFormSet[Consent, Student, Any]):
    user: User

    def save_new(self, form: Any, commit: bool = True) -> Consent:
        """Record the answer as every other door does: it replaces the one before."""
        values = {name: form.cleaned_data[name] for name in ANSWER_FIELDS}
        return consents.give(self.instance, consents.Answer(**values), by=self.user)


class ConsentInline(admin.TabularInline[Consent, Student]):
    """All answers of a family; a new one is added, an old one never changed."""

    model = Consent
    formset = ConsentFormSet
    fields = [*ANSWER_FIELDS, "answer_state"]
    readonly_fields = ["answer_state"]
    extra = 0
    can_delete = False
    verbose_name_plural = _("consent to the face")

    @admin.display(description=_("state"))
    def answer_state(self, answer: Consent) -> SafeString | str:
        if answer.pk is None:
            return "–"
        if answer.replaced_at is not None:
            return str(_("Replaced"))
        return consent_badge(answer.state())

    def get_formset(self, *args: Any, **kwargs: Any) -> Any:
        request: HttpRequest = args[0]
        formset = super().get_formset(*args, **kwargs)
        formset.user = cast(User, request.user)  # type: ignore[attr-defined]
        return formset

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        # A heading above a column is no label to those who don't see it.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name)
        return field


@admin.action(description=_("Withdraw the consent and delete the face"))
def withdraw_action(
    modeladmin: admin.ModelAdmin[Student],
    request: HttpRequest,
    queryset: QuerySet[Student],
) -> HttpResponse | None:
    """Ask who said no, then delete the faces of the chosen students, with receipts."""
    form = WithdrawalForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        context = {
            **modeladmin.admin_site.each_context(request),
            "title": _("Withdraw the consent and delete the face"),
            "opts": modeladmin.opts,
            "students": queryset,
            "form": form,
            "selected": request.POST.getlist("_selected_action"),
        }
        page = "admin/classroom/student/withdraw_consent.html"
        return TemplateResponse(request, page, context)
    receipts = 0
    for student in queryset:
        try:
            _answer, receipt = withdraw_consent(
                student, **form.cleaned_data, by=cast(User, request.user)
            )
        except ValidationError as error:
            fault = f"{student}: {' '.join(error.messages)}"
            modeladmin.message_user(request, fault, messages.ERROR)
            continue
        receipts += receipt is not None
        modeladmin.log_change(request, student, "Consent withdrawn")
    text = _("Consents withdrawn. Faces deleted, with a receipt each: %(number)d.")
    modeladmin.message_user(request, text % {"number": receipts}, messages.SUCCESS)
    return None


@admin.register(ErasureReceipt)
class ErasureReceiptAdmin(admin.ModelAdmin[ErasureReceipt]):
    """Receipts, also of students who are gone: to be found, never changed."""

    list_display = [
        "created_at",
        "student_code",
        "reason",
        "created_by",
        "backups_until",
        "page",
    ]
    list_filter = ["reason", "everything", "created_at"]
    list_select_related = ["created_by"]
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = "created_at"
    search_fields = ["student_code"]
    search_help_text = _("Student ID")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: ErasureReceipt | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: ErasureReceipt | None = None
    ) -> bool:
        return False

    @admin.display(description=_("receipt"))
    def page(self, receipt: ErasureReceipt) -> SafeString:
        address = reverse("erasure-receipt", args=[receipt.pk])
        return format_html('<a href="{}">{}</a>', address, receipt.number)
