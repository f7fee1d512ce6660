"""Pages to log in and out, to reset a password, and to look after an account."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, lockout
from accounts.audit import Event
from accounts.audited_forms import save_form
from accounts.forms import EmailAuthenticationForm, PreferencesForm, ResetForm
from accounts.models import User
from accounts.throttles import PasswordResetThrottle


class LoginView(views.LoginView):
    authentication_form = EmailAuthenticationForm
    redirect_authenticated_user = True

    def form_invalid(self, form: EmailAuthenticationForm) -> HttpResponse:  # type: ignore[override]
        return slowed_down(super().form_invalid(form), form.retry_after)


class LogoutView(views.LogoutView):
    """End the session and lead back to the login page; POST alone."""


class RedirectThen(HttpResponseRedirect):
    """A redirect that does something once the browser has it."""

    def __init__(self, url: str, then: Callable[[], None]) -> None:
        super().__init__(url)
        self._then = then

    def close(self) -> None:
        # The server closes an answer once it is sent; closing ends the request.
        try:
            self._then()
        finally:
            super().close()


class PasswordResetView(views.PasswordResetView):
    """Ask for a link by e-mail.

    Known and unknown addresses are answered alike, and as fast: the mail is written
    after the answer has left.
    """

    http_method_names = ["get", "post"]
    form_class = ResetForm

    def form_valid(self, form: ResetForm) -> HttpResponse:  # type: ignore[override]
        if not form.check_throttle(PasswordResetThrottle(), self.request):
            return slowed_down(self.form_invalid(form), form.retry_after)
        # Not from the request: whoever sends it chooses its Host.
        public = urlsplit(settings.PUBLIC_URL)

        def send() -> None:
            form.save(
                domain_override=public.netloc,
                use_https=public.scheme == "https",
                subject_template_name="registration/password_reset_subject.txt",
                email_template_name="registration/password_reset_email.txt",
                from_email=None,
            )

        return RedirectThen(str(self.get_success_url()), send)


class PasswordResetDoneView(views.PasswordResetDoneView):
    """Say where to look for the link."""


class PasswordResetConfirmView(views.PasswordResetConfirmView):
    """Set a new password with the link from the mail; it works once."""

    success_url = settings.LOGIN_URL

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        # Whoever has the mail has proved who it is.
        lockout.unlock(form.user.email, by=None)
        audit.write(Event.PASSWORD_CHANGED, by=None, on=form.user, way="mail")
        messages.success(self.request, _("Your new password is set. Sign in with it."))
        return response


class PasswordChangeView(LoginRequiredMixin, views.PasswordChangeView):
    """Change the own password; other sessions and all API tokens end with the old."""

    http_method_names = ["get", "post"]
    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.write(Event.PASSWORD_CHANGED, by=form.user, on=form.user, way="page")
        messages.success(
            self.request,
            _("Your password is changed. Other devices have been signed out."),
        )
        return response


@require_http_methods(["GET", "POST"])
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show who is signed in; choose language and time zone."""
    user = cast(User, request.user)
    # Not `POST or None`: both choices may be left empty.
    data = request.POST if request.method == "POST" else None
    form = PreferencesForm(data, instance=user)
    if form.is_valid():
        save_form(form, by=user)
        # Said on the next page, which speaks the new language already.
        return redirect(f"{request.path}?saved=1")
    status = 400 if form.errors else 200
    context = {"form": form, "saved": "saved" in request.GET}
    return render(request, "accounts/account.html", context, status=status)


@require_POST
@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session and API token of the user, this one too."""
    user = cast(User, request.user)
    with transaction.atomic():
        user.sign_out_everywhere()
        audit.write(Event.SIGNED_OUT_EVERYWHERE, by=user, on=user)
    logout(request)
    messages.success(request, _("You are signed out on every device."))
    return redirect(settings.LOGIN_URL)


def slowed_down(response: HttpResponse, retry_after: int | None) -> HttpResponse:
    """Make an answer a 429 where there were too many tries."""
    if retry_after is not None:
        response.status_code = 429
        response.headers["Retry-After"] = str(retry_after)
    return response
