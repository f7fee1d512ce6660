"""manage.py faces_rotate_key: new key, same embeddings, resumable."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from classroom.models import Student
from faces import vault
from faces.gallery import open_template
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.fakes import embedding_of

pytestmark = pytest.mark.django_db

NEW, OTHER = b"n" * 32, b"o" * 32


def rotate() -> str:
    out = StringIO()
    call_command("faces_rotate_key", stdout=out)
    return out.getvalue()


def test_every_template_moves_to_the_first_key(
    students: list[Student], settings: Settings
) -> None:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    settings.FACE_TEMPLATE_KEYS = (NEW, *settings.FACE_TEMPLATE_KEYS)
    assert "3 of 3 templates" in rotate()
    settings.FACE_TEMPLATE_KEYS = (NEW,)
    for person, template in enumerate(FaceTemplate.objects.order_by("id"), start=1):
        opened = open_template(template)
        assert opened is not None
        assert opened.tobytes() == embedding_of(person).tobytes()


def test_a_second_run_has_nothing_to_do(
    students: list[Student], settings: Settings
) -> None:
    make_template(students[0], 1)
    settings.FACE_TEMPLATE_KEYS = (NEW, *settings.FACE_TEMPLATE_KEYS)
    rotate()
    assert "already" in rotate()


def test_a_template_without_its_key_is_left_and_named(
    students: list[Student], settings: Settings
) -> None:
    lost = make_template(students[0], 1)
    settings.FACE_TEMPLATE_KEYS = (OTHER,)
    good = make_template(students[1], 2)
    settings.FACE_TEMPLATE_KEYS = (NEW, OTHER)
    with pytest.raises(CommandError, match=rf"1 templates .*\({lost.pk}\)"):
        rotate()
    lost.refresh_from_db()
    good.refresh_from_db()
    assert lost.key_id != vault.key_id(NEW) == good.key_id
