"""Log in by e-mail address and reset a password, at most so many times; preferences."""

import math
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordResetForm,
    UsernameField,
)
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import lockout, time_zones
from accounts.models import User
from accounts.throttles import LoginThrottle, PasswordResetThrottle

TOO_MANY_TRIES = _("Too many tries. Wait %(seconds)s seconds, then try again.")


class EmailAuthenticationForm(AuthenticationForm):
    """Django's login form for an e-mail address, with the API's throttle.

    `retry_after` holds the seconds to wait once there were too many tries.
    """

    username = UsernameField(
        label=_("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    retry_after: int | None = None

    error_messages = {
        "invalid_login": _("The e-mail address or the password is wrong."),
        "inactive": _("The e-mail address or the password is wrong."),
        "throttled": TOO_MANY_TRIES,
    }

    def clean(self) -> dict[str, Any]:
        account = self.cleaned_data.get("username") or ""
        if self.request:
            self.retry_after = self.seconds_to_wait(self.request, account)
        if self.retry_after is not None:
            raise ValidationError(
                self.error_messages["throttled"],
                code="throttled",
                params={"seconds": self.retry_after},
            )
        return super().clean()

    def seconds_to_wait(self, request: HttpRequest, account: str) -> int | None:
        """Count this try; return how long to wait where there were too many."""
        throttle = LoginThrottle()
        if not throttle.allow_attempt(request, account):
            return math.ceil(throttle.wait())
        return lockout.seconds_to_wait(request, account)


class AdminLoginForm(EmailAuthenticationForm, AdminAuthenticationForm):
    """The admin's own login page, which lets admins alone in."""

    def confirm_login_allowed(self, user: User) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # A right password of a teacher counts like a wrong one: otherwise the
            # counting would tell that it was right.
            credentials = {"username": user.get_username()}
            user_login_failed.send(
                __name__, credentials=credentials, request=self.request
            )
            raise


class ResetForm(PasswordResetForm):
    """Ask for a mail with a link; what it answers never says whether it was sent.

    `retry_after` holds the seconds to wait once there were too many tries.
    """

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )
    retry_after: int | None = None

    def check_throttle(self, throttle: PasswordResetThrottle, request: Any) -> bool:
        """Count this try; too many become a fault of the form."""
        if throttle.allow_attempt(request, self.cleaned_data["email"]):
            return True
        self.retry_after = math.ceil(throttle.wait())
        self.add_error(
            None,
            ValidationError(
                TOO_MANY_TRIES, code="throttled", params={"seconds": self.retry_after}
            ),
        )
        return False

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Write to people in the language they chose for their pages."""
        chosen = context["user"].language or translation.get_language()
        with translation.override(chosen):
            super().send_mail(
                subject_template_name, email_template_name, context, *args, **kwargs
            )


class PreferencesForm(forms.ModelForm[User]):
    """The language and the time zone of a user's pages."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=lambda: [("", _("As in the browser")), *settings.LANGUAGES],
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("The school’s")), *time_zones.grouped()],
        help_text=_(
            "For the times on your pages. What counts as today is always the "
            "school’s own time."
        ),
    )

    class Meta:
        model = User
        fields = ["language", "time_zone"]
