"""E-mail addresses of a student's family: several of them in one field."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

MAX_ADDRESSES: Final = 5
SEPARATORS: Final = re.compile(r"[,;\s]+")


def addresses(text: str) -> list[str]:
    """Return the addresses of a text, each once; commas, semicolons, spaces part them.

    Nothing is checked here: `validate_addresses` does that.
    """
    return list(dict.fromkeys(part for part in SEPARATORS.split(text) if part))


def tidy(text: str) -> str:
    """Return the one spelling under which several addresses are stored."""
    return ", ".join(addresses(text))


def validate_addresses(text: str) -> None:
    """Raise ValidationError, `invalid` or `too_many`, naming the wrong address."""
    found = addresses(text)
    if len(found) > MAX_ADDRESSES:
        detail = ngettext(
            "Up to %(number)d address can be kept.",
            "Up to %(number)d addresses can be kept.",
            MAX_ADDRESSES,
        )
        raise ValidationError(detail % {"number": MAX_ADDRESSES}, "too_many")
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("%(address)s is no e-mail address."),
                "invalid",
                params={"address": address},
            ) from None


class AddressesInput(forms.EmailInput):
    """A browser's own field for several addresses, with commas between them."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"multiple": True, **(attrs or {})})


class AddressesField(models.CharField[str, str]):
    """Up to `MAX_ADDRESSES` e-mail addresses, stored as `a@b.example, c@d.example`."""

    default_validators = [validate_addresses]

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return tidy(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        # Not everything that saves a student has cleaned it.
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(*args, **{"widget": AddressesInput, **kwargs})
