"""Faults that a person can act on, each with a stable code."""

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise


class DomainError(Exception):
    """A request that the rules refuse.

    `code` is stable and meant for programs, `detail` is a sentence for a person in the
    language of the request (the API's is English), and `status` is the HTTP status both
    doors answer with. `extra` travels in the answer.
    """

    code = "refused"
    status = 409
    default_detail: StrOrPromise = _("This can't be done.")

    def __init__(self, detail: str | None = None, **extra: object) -> None:
        self.detail = str(detail or self.default_detail)
        self.extra = extra
        super().__init__(self.detail)


class LastAdmin(DomainError):
    code = "last_admin"
    default_detail = _(
        "This is the last active admin. Give the role to somebody else first."
    )
