"""The classroom app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class ClassroomConfig(AppConfig):
    name = "classroom"
    verbose_name = _("Classes and students")

    def ready(self) -> None:
        # Each floor's `holdings.py` says what it keeps of a student.
        autodiscover_modules("holdings")
