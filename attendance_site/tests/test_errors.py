"""Every fault has one shape: JSON for programs, a page for people, no traceback."""

import logging
from typing import Any

import pytest
from django.test import Client

from attendance_site.tests.fault_urls import FAULTS

pytestmark = pytest.mark.urls("attendance_site.tests.fault_urls")


@pytest.fixture
def quiet_client() -> Client:
    """A client that gets the answer to a bug instead of the exception."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("domain", 409, "class_full"),
        ("face", 422, "face_too_small"),
        ("busy", 503, "engine_busy"),
        ("protected", 409, "in_use"),
        ("missing", 404, "not_found"),
        ("forbidden", 403, "permission_denied"),
        ("anonymous", 401, "not_authenticated"),
        ("throttled", 429, "throttled"),
    ],
)
def test_a_known_fault_has_a_stable_code_and_a_sentence(
    client: Client, name: str, status: int, code: str
) -> None:
    response = client.get(f"/fault/{name}")
    assert response.status_code == status
    assert response.json()["code"] == code
    assert response.json()["detail"].endswith((".", "again."))
    assert "secret" not in response.content.decode()


def test_every_fault_of_the_list_is_tested() -> None:
    parameters: Any = test_a_known_fault_has_a_stable_code_and_a_sentence.pytestmark  # type: ignore[attr-defined]
    tested = {row[0] for row in parameters[0].args[1]}
    assert tested | {"bug", "cut_off"} == set(FAULTS)


def test_the_figures_of_a_refusal_travel_in_the_answer(client: Client) -> None:
    assert client.get("/fault/domain").json()["limit"] == 30
    assert client.get("/fault/face").json()["width"] == 20


@pytest.mark.parametrize(("name", "seconds"), [("busy", "3"), ("throttled", "7")])
def test_whoever_must_wait_is_told_how_long(
    client: Client, name: str, seconds: str
) -> None:
    assert client.get(f"/fault/{name}").headers["Retry-After"] == seconds


def test_an_invalid_field_is_named_with_its_code(client: Client) -> None:
    response = client.post("/form", {"name": "much too long"})
    assert response.status_code == 400
    body = response.json()
    assert body["code"] == "validation_error"
    assert body["detail"].startswith("name: ")
    assert [fault["code"] for fault in body["errors"]["name"]] == ["max_length"]


def test_a_fault_deep_in_a_list_belongs_to_its_field(client: Client) -> None:
    data = {"name": "ok", "records": [{"status": "present"}, {"status": "asleep"}]}
    body = client.post("/form", data, content_type="application/json").json()
    assert [fault["code"] for fault in body["errors"]["records"]] == ["invalid_choice"]


def test_a_fault_of_the_whole_form_names_no_field(client: Client) -> None:
    body = client.post("/form", {"name": "pair"}).json()
    assert body["detail"] == "These don't fit together."
    assert [fault["code"] for fault in body["errors"]["non_field_errors"]] == ["pair"]


def test_broken_json_is_a_parse_error(client: Client) -> None:
    response = client.post("/form", "{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] == "parse_error"


def test_an_unknown_address_answers_a_program_with_json(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.json() == {"code": "not_found", "detail": "There is nothing here."}


def test_an_unknown_address_answers_a_person_with_a_page(client: Client) -> None:
    response = client.get("/app/nowhere")
    assert response.status_code == 404
    assert "text/html" in response.headers["Content-Type"]
    assert "There is nothing here." in response.content.decode()


@pytest.mark.parametrize("address", ["/plain?fault=forbidden", "/garbled"])
def test_a_refusal_keeps_its_reason_to_itself(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.json()["code"] in {"permission_denied", "bad_request"}
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("address", ["/plain?fault=bug", "/fault/bug"])
def test_a_bug_answers_a_program_with_json_and_no_traceback(
    quiet_client: Client, address: str
) -> None:
    response = quiet_client.get(address)
    assert response.status_code == 500
    assert response.json()["code"] == "server_error"
    text = response.content.decode()
    assert "secret" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("address", ["/plain", "/app/page"])
def test_a_database_that_is_gone_is_no_bug_and_may_be_asked_again(
    quiet_client: Client, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = quiet_client.get(address, {"fault": "cut_off"})

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "The database does not answer now." in response.content.decode()
    assert "secret" not in response.content.decode()
    assert "cut_off" not in response.content.decode()
    assert len([line for line in caplog.records if line.levelname == "ERROR"]) == 1


def test_a_program_learns_by_a_code_that_the_database_is_gone(
    quiet_client: Client,
) -> None:
    body = quiet_client.get("/fault/cut_off").json()

    assert body["code"] == "database_unavailable"


def test_a_bug_answers_a_person_with_a_page_that_asks_no_database(
    quiet_client: Client,
) -> None:
    # No database mark: a query would fail this test.
    quiet_client.cookies["sessionid"] = "a" * 32
    response = quiet_client.get("/app/page?fault=bug")
    assert response.status_code == 500
    assert "It has been logged." in response.content.decode()
    assert "secret" not in response.content.decode()


def test_a_bug_reaches_the_log(
    quiet_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="django.request"):
        quiet_client.get("/fault/bug")
    assert any(record.exc_info for record in caplog.records)
