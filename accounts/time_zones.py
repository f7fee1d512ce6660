"""The time zones a person may choose from, sorted by the part of the world."""

from collections import defaultdict

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.models import ZONES

Choice = tuple[str, StrOrPromise]
Group = tuple[StrOrPromise, list[Choice]]

# The other names of the database are aliases that it keeps for old programs.
AREAS: dict[str, StrOrPromise] = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic Ocean"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific Ocean"),
}


def grouped() -> list[Group]:
    """Return the zones as grouped choices, each area's places from A to Z."""
    places: dict[str, list[Choice]] = defaultdict(list)
    for name in sorted(ZONES):
        area, _slash, place = name.partition("/")
        if area in AREAS and place:
            places[area].append((name, place.replace("_", " ").replace("/", ", ")))
    return [(label, places[area]) for area, label in AREAS.items()]
