"""Static files have lasting names once collected, and plain ones before."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

# The end of an answer looks at the connection that an earlier test has left.
pytestmark = pytest.mark.django_db

FILE = "css/rollbook.css"


@pytest.fixture(autouse=True)
def empty_root(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path / "collected")
    # A changed setting makes the storage anew, with the new folder.
    settings.STORAGES = dict(settings.STORAGES)


def test_without_collecting_a_file_keeps_its_name() -> None:
    assert staticfiles_storage.url(FILE) == f"/static/{FILE}"


def test_a_collected_file_may_be_cached_for_ever_and_travels_compressed(
    settings: Settings,
) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    url = staticfiles_storage.url(FILE)
    assert re.fullmatch(r"/static/css/rollbook\.[0-9a-f]{12}\.css", url)
    response = Client().get(url, headers={"accept-encoding": "gzip"})
    response.close()
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"


def test_a_file_that_came_later_keeps_its_name() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    assert staticfiles_storage.url("css/later.css") == "/static/css/later.css"


def test_a_page_works_without_collecting() -> None:
    page = Client().get("/accounts/nowhere").content.decode()
    assert f'href="/static/{FILE}"' in page
    response = Client().get(f"/static/{FILE}")
    response.close()
    assert response.status_code == 200
