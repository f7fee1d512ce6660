"""The colours of the pages."""

import re

from django.conf import settings

PALETTE = settings.BASE_DIR / "static/css/palette.css"


def rules_of(selector: str) -> list[str]:
    found = re.search(re.escape(selector) + r" \{(.*?)\}", PALETTE.read_text(), re.S)
    assert found
    return found[1].split()


def test_a_theme_chosen_by_hand_is_as_dark_as_the_system_s() -> None:
    system = rules_of(':root:not([data-theme="light"])')
    assert "--paper:" in system
    assert rules_of(':root[data-theme="dark"]') == system
