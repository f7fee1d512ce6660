"""The accounts app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import logins  # noqa: F401  (listens to Django's signals)

        # Each floor's `tasks.py` says which jobs and what by the clock it has.
        autodiscover_modules("tasks")
