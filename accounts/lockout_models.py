"""Failed sign-ins as django-axes keeps them, under a name that people understand."""

from axes.models import AccessAttempt
from django.utils.translation import gettext_lazy as _


class LoginFailure(AccessAttempt):  # type: ignore[misc]
    """Wrong passwords of one account from one address and browser."""

    class Meta:
        proxy = True
        app_label = "accounts"
        ordering = ["-attempt_time"]
        verbose_name = _("failed sign-in")
        verbose_name_plural = _("failed sign-ins")

    def __str__(self) -> str:
        return f"{self.username} · {self.ip_address}"
