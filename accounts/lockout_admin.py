"""Who has to wait before signing in again, and the button that ends the wait."""

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import lockout
from accounts.lockout_models import LoginFailure
from accounts.viewsets import requester


@admin.register(LoginFailure)
class LoginFailureAdmin(admin.ModelAdmin[LoginFailure]):
    """Wrong passwords of the last minutes, by account and address."""

    list_display = ["username", "ip_address", "failures_since_start", "until"]
    list_per_page = 50
    search_fields = ["username", "ip_address"]
    search_help_text = _("E-mail address or network address")
    actions = ["unlock"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoginFailure]:
        counting = lockout.failures(timezone.now()).values("pk")
        return super().get_queryset(request).filter(pk__in=counting)

    @admin.display(description=_("waits until"))
    def until(self, failure: LoginFailure) -> str:
        if failure.failures_since_start < settings.AXES_FAILURE_LIMIT:
            return self.get_empty_value_display()
        end = timezone.localtime(failure.attempt_time + settings.AXES_COOLOFF_TIME)
        return f"{end:%H:%M:%S}"

    @admin.action(description=_("Let the selected accounts sign in again"))
    def unlock(self, request: HttpRequest, queryset: QuerySet[LoginFailure]) -> None:
        pairs = set(queryset.values_list("username", "ip_address"))
        for account, address in pairs:
            lockout.unlock(account or "", address=address, by=requester(request))
        words = ngettext(
            "%(number)d account may sign in again.",
            "%(number)d accounts may sign in again.",
            len(pairs),
        )
        said = words % {"number": len(pairs)}
        self.message_user(request, said, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: LoginFailure | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: LoginFailure | None = None
    ) -> bool:
        return False
