"""`manage.py check` and the development server look at the face model too."""

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from pytest_django import Settings

from faces import runtime


@pytest.fixture(autouse=True)
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the settings as a fresh process does."""
    monkeypatch.setattr(runtime, "_engine", None)
    runtime._find_pack.cache_clear()


def test_the_embedded_model_is_well() -> None:
    assert [fault for fault in run_checks() if fault.id == "faces.E001"] == []


def test_an_unknown_model_is_named(settings: Settings) -> None:
    settings.FACE_MODEL = "nonesuch"
    (fault,) = [fault for fault in run_checks() if fault.id == "faces.E001"]
    assert "FACE_MODEL is 'nonesuch'" in str(fault.msg)
    with pytest.raises(CommandError, match="nonesuch"):
        call_command("check")
