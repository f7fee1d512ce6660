"""Words for the figures and codes of jobs; a program reads the codes themselves."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

WORDS: Final[dict[str, StrOrPromise]] = {
    # Figures of an import.
    "created": _("New"),
    "added": _("New"),
    "updated": _("Changed"),
    "changed": _("Changed"),
    "unchanged": _("Unchanged"),
    "kept": _("Kept as a person entered it"),
    "sessions": _("New sessions"),
    # Ends of a photo.
    "waiting": _("Not read"),
    "working": _("Not read to its end"),
    "enrolled": _("Enrolled"),
    "already": _("Enrolled before"),
    "refused": _("Refused"),
    "unknown": _("No such student"),
    # Columns of a list.
    "file": _("File"),
    "student_id": _("Student ID"),
    "result": _("Result"),
    "reason": _("Reason"),
    "hint": _("What to do"),
}


def word_for(code: object) -> StrOrPromise:
    """Return the words for a code, or the code where it has none."""
    return WORDS.get(str(code), str(code))
