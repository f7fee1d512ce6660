"""Photos stay in memory, and what is too large is refused instead of lost."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from pytest_django import Settings

pytestmark = pytest.mark.urls("attendance_site.tests.fault_urls")

MEGABYTE = 1024 * 1024


class Unread(io.RawIOBase):
    """A body that must not be touched."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("The body was read.")


class Sent(io.RawIOBase):
    """A body that comes in piece by piece, and counts what was taken of it."""

    def __init__(self, length: int) -> None:
        self.left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = self.left if size < 0 else min(size, self.left)
        self.left -= taken
        return bytes(taken)


def photo(size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", b"\xff" * size, content_type="image/jpeg")


def raw_answer(
    path: str, *, sent: io.RawIOBase | None = None, **headers: str
) -> tuple[str, bytes]:
    """Return status and body of a POST, whose own body may not be read by default."""
    environ: dict[str, Any] = RequestFactory().generic("POST", path).environ
    environ.pop("CONTENT_LENGTH", None)
    environ |= {
        "wsgi.input": sent or Unread(),
        "CONTENT_TYPE": "multipart/form-data",
        **headers,
    }
    seen: list[str] = []

    def start(status: str, *rest: object) -> Any:
        seen.append(status)

    body = WSGIHandler()(environ, start)
    return seen[0], b"".join(body)


def test_a_photo_at_the_limit_stays_in_memory(client: Client) -> None:
    # Django's own handler would put this one into a temporary file.
    response = client.post("/files", {"file": photo(10 * MEGABYTE)})
    assert response.json() == {
        "sizes": [10 * MEGABYTE],
        "kinds": ["InMemoryUploadedFile"],
    }


def test_five_photos_arrive_whole(client: Client) -> None:
    sizes = [3 * MEGABYTE + number for number in range(5)]
    response = client.post("/files", {"file": [photo(size) for size in sizes]})
    assert response.json()["sizes"] == sizes


def test_a_small_photo_after_a_large_one_is_not_counted_with_it(client: Client) -> None:
    sizes = [8 * MEGABYTE, 8 * MEGABYTE]
    response = client.post("/files", {"file": [photo(size) for size in sizes]})
    assert response.json()["sizes"] == sizes


@pytest.mark.parametrize("address", ["/files", "/app/files"])
def test_a_photo_over_the_limit_is_refused_and_not_dropped(
    client: Client, address: str
) -> None:
    response = client.post(address, {"file": photo(10 * MEGABYTE + 1)})
    assert response.status_code == 413
    assert "A photo may have up to 10 MB." in response.content.decode()


def test_the_limit_of_a_photo_is_a_setting(client: Client, settings: Settings) -> None:
    settings.FACE_MAX_UPLOAD_MB = 1
    response = client.post("/files", {"file": photo(MEGABYTE + 1)})
    assert response.status_code == 413
    assert response.json()["code"] == "image_too_large"


@pytest.mark.django_db  # the raw handler looks after its connections
def test_too_large_a_request_is_refused_without_reading_it() -> None:
    status, body = raw_answer("/files", CONTENT_LENGTH=str(60 * MEGABYTE))
    assert status.startswith("413")
    assert b'"image_too_large"' in body


@pytest.mark.django_db  # the raw handler looks after its connections
def test_too_large_a_request_to_a_page_answers_with_a_page() -> None:
    status, body = raw_answer("/app/files", CONTENT_LENGTH=str(60 * MEGABYTE))
    assert status.startswith("413")
    assert b"<!doctype html>" in body


@pytest.mark.django_db  # the raw handler looks after its connections
def test_a_body_of_unknown_length_is_refused_and_not_taken_for_empty() -> None:
    status, body = raw_answer("/files", HTTP_TRANSFER_ENCODING="chunked")
    assert status.startswith("411")
    assert b'"length_required"' in body


@pytest.mark.django_db  # the raw handler looks after its connections
@pytest.mark.parametrize("address", ["/nothing-here", "/fault/throttled"])
def test_a_body_is_taken_in_whole_before_a_refusal(address: str) -> None:
    # Or the connection would break before its client has heard the answer.
    body = Sent(5 * MEGABYTE)
    status, _ = raw_answer(address, sent=body, CONTENT_LENGTH=str(body.left))
    assert status.startswith("4")
    assert body.left == 0
