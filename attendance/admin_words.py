"""Words that several pages of the register in the admin say."""

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from attendance.models import Session
from faces import runtime

# A match this far above the threshold leaves no doubt, and one this near it deserves
# a second look: the margin between two students is 0.05.
CLEAR, CLOSE = 0.15, 0.05


def similarity_words(similarity: float | None) -> str:
    """Return a match's figure with a plain word; "–" where no face was compared."""
    if similarity is None:
        return "–"
    lead = similarity - runtime.threshold()
    word = (
        _("clear") if lead >= CLEAR else _("close call") if lead < CLOSE else _("fair")
    )
    return f"{similarity:.2f} · {word}"


def day_words(session: Session) -> str:
    """Return a session's day with its weekday, in the reader's language."""
    return date_format(session.date, "D j M Y")
