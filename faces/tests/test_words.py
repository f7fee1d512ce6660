"""What a person is told about a photo, in every language."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from accounts.errors import DomainError, LastAdmin
from faces import services
from faces.engine import errors
from faces.engine.errors import EngineError, FaceError
from faces.words import sentence, sentence_for_photo, template_words

LANGUAGES = [code for code, _name in settings.LANGUAGES]


def kinds(root: type[FaceError]) -> Iterator[type[FaceError]]:
    """Yield a fault's subclasses, however deep."""
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def faults() -> list[FaceError | EngineError]:
    """Return one of each fault the engine may raise towards a page."""
    made: list[FaceError | EngineError] = [
        kind() for kind in kinds(FaceError) if kind is not services.DuplicateFace
    ]
    return [*made, errors.EngineBusy(), errors.EngineUnavailable("out of memory")]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.code)
def test_every_fault_is_told_in_every_language(fault: FaceError | EngineError) -> None:
    told = set()
    for language in LANGUAGES:
        with translation.override(language):
            told.add(sentence(fault))
    assert len(told) == len(LANGUAGES)


def test_an_engines_own_words_never_reach_a_page() -> None:
    fault = errors.EngineUnavailable("/srv/models/det.onnx: bad allocation")
    assert "/srv" not in sentence(fault)


def test_a_domains_fault_speaks_the_language_it_was_raised_in() -> None:
    with translation.override("es"):
        fault: DomainError = LastAdmin()
    assert "administración" in sentence(fault)


@pytest.mark.parametrize("axis", ["yaw", "pitch", "roll"])
def test_each_way_to_hold_the_head_has_its_own_advice(axis: str) -> None:
    others = {
        sentence(errors.ExtremePose(axis=one)) for one in ("yaw", "pitch", "roll")
    }
    assert len(others) == 3
    assert sentence(errors.ExtremePose(axis=axis)) in others


def test_the_number_of_faces_is_counted() -> None:
    fault = errors.MultipleFaces(faces=6)
    assert sentence(fault).startswith("There are 6 faces.")
    with translation.override("ar"):
        assert "6 وجوه" in sentence(fault)


def test_a_photo_has_a_number_only_where_there_are_several() -> None:
    fault = errors.NoFace(photo=2)
    assert sentence_for_photo(fault, photos=3).startswith("Photo 2: ")
    assert sentence_for_photo(errors.NoFace(photo=1), photos=1) == sentence(fault)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, "Front"),
        ({"yaw": 20.0}, "Left"),
        ({"yaw": -20.0}, "Right"),
        (
            {"yaw": 2, "eye_distance": 60, "sharpness": 200, "brightness": 130},
            "Front, clear",
        ),
        ({"yaw": 2, "eye_distance": 60, "sharpness": 200, "brightness": 5}, "Front"),
    ],
)
def test_a_template_is_told_by_its_look(figures: dict[str, float], words: str) -> None:
    assert template_words(figures) == words
