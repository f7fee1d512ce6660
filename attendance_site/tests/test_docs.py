"""The API's documents: a valid schema and pages that ask no other host for anything."""

import re
from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

PAGES = ["/docs", "/docs/", "/redoc", "/redoc/"]


@pytest.mark.parametrize("address", ["/schema", "/schema/"])
def test_the_schema_is_open_to_everybody(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.")


def test_the_schema_comes_as_yaml_too(client: Client) -> None:
    schema = yaml.safe_load(client.get("/schema?format=yaml").content)
    assert schema == client.get("/schema").json()


def test_the_schema_is_valid_and_complete() -> None:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    assert "openapi: 3." in out.getvalue()


def test_every_operation_says_who_may_call_it(client: Client) -> None:
    schema = client.get("/schema").json()
    open_to_all = {
        path
        for path, operations in schema["paths"].items()
        for name, operation in operations.items()
        if name != "parameters" and {} in operation.get("security", [{}])
    }
    assert open_to_all == {"/auth/login", "/auth/refresh", "/auth/logout"}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_names_no_other_host(client: Client, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 200
    assert re.findall(r"(?:https?:)?//[\w.]+", page.content.decode()) == []


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_inline_script(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<script[^>]*\bsrc=", page)


@pytest.mark.parametrize("address", PAGES)
def test_a_stale_token_does_not_close_the_documents(
    client: Client, address: str
) -> None:
    headers = {"authorization": "Bearer stale"}
    assert client.get(address, headers=headers).status_code == 200
    assert client.get("/schema", headers=headers).status_code == 200


def test_only_the_documents_may_write_style_attributes(client: Client) -> None:
    for address in PAGES:
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "script-src" not in policy  # so that default-src 'self' holds
    assert "unsafe" not in client.get("/schema").headers["Content-Security-Policy"]


def test_redocs_script_asks_no_other_host_for_its_logo(client: Client) -> None:
    response = client.get("/redoc/bundle.js")
    assert response.headers["Content-Type"].startswith("text/javascript")
    script = response.content.decode()
    assert "redocly logo" in script  # the image is still there, without its address
    assert "cdn.redoc" not in script


def test_browsers_that_ask_by_habit_find_an_icon(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert re.search(r"/favicon\b.*\.svg$", response.headers["Location"])


def test_the_root_leads_to_the_pages(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/app/"
