"""`make run HTTPS=1`: a certificate of one's own, and a server that shows it."""

import json
import os
import ssl
import stat
import urllib.request
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from attendance_site import certificate, https_run
from attendance_site.environment import BASE_DIR
from attendance_site.tests.test_start import LONGEST_START, running

HOSTS = ["192.0.2.44", "localhost", "school-laptop"]
NOW = datetime(2030, 9, 1, tzinfo=UTC)


def names_in(made: certificate.Certificate) -> x509.SubjectAlternativeName:
    found = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    return found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_it_covers_names_and_addresses(tmp_path: Path) -> None:
    names = names_in(certificate.ensure(tmp_path / "kept", hosts=HOSTS))
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "school-laptop"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.0.2.44")]


def test_only_its_owner_may_read_the_key(tmp_path: Path) -> None:
    made = certificate.ensure(tmp_path / "kept", hosts=HOSTS)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("hosts", [HOSTS, HOSTS[:1]])
def test_it_is_kept_as_long_as_it_fits(tmp_path: Path, hosts: list[str]) -> None:
    first = certificate.ensure(tmp_path, hosts=HOSTS, now=NOW)
    later = NOW + timedelta(days=300)
    assert certificate.ensure(tmp_path, hosts=hosts, now=later) == first


@pytest.mark.parametrize(
    ("hosts", "days"), [(HOSTS, 395), (HOSTS, 500), (["192.0.2.45"], 1)]
)
def test_it_is_renewed_when_it_expires_or_lacks_a_host(
    tmp_path: Path, hosts: list[str], days: int
) -> None:
    first = certificate.ensure(tmp_path, hosts=HOSTS, now=NOW)
    later = NOW + timedelta(days=days)
    second = certificate.ensure(tmp_path, hosts=hosts, now=later)
    assert second.fingerprint != first.fingerprint
    assert stat.S_IMODE(second.key.stat().st_mode) == 0o600
    assert certificate.ensure(tmp_path, hosts=hosts, now=later) == second


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_a_damaged_file_is_replaced(tmp_path: Path, name: str) -> None:
    first = certificate.ensure(tmp_path, hosts=HOSTS)
    (tmp_path / name).write_text("damaged", encoding="ascii")
    assert certificate.ensure(tmp_path, hosts=HOSTS).fingerprint != first.fingerprint


def test_a_key_of_another_certificate_is_replaced(tmp_path: Path) -> None:
    first = certificate.ensure(tmp_path / "a", hosts=HOSTS)
    stranger = certificate.ensure(tmp_path / "b", hosts=HOSTS)
    first.key.write_bytes(stranger.key.read_bytes())
    again = certificate.ensure(tmp_path / "a", hosts=HOSTS)
    assert again.fingerprint != first.fingerprint


def test_this_machine_is_known_by_more_than_localhost() -> None:
    hosts = certificate.own_hosts()
    assert {"localhost", "127.0.0.1", os.uname().nodename} <= set(hosts)


def test_its_folder_is_in_no_commit_and_in_no_image() -> None:
    ignored = (BASE_DIR / ".gitignore").read_text("utf-8").splitlines()
    assert f"{https_run.FOLDER.name}/" in ignored
    copied = (BASE_DIR / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in copied
    assert not [line for line in copied if https_run.FOLDER.name in line]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, None),
        ({"PUBLIC_URL": "http://localhost:8000"}, None),
        (
            {"PUBLIC_URL": "https://school.example:8443"},
            "https://school.example:8443",
        ),
    ],
)
def test_the_address_is_the_one_that_was_chosen_or_the_networks(
    tmp_path: Path, given: dict[str, str], url: str | None
) -> None:
    variables, _ = https_run.prepared(given, folder=tmp_path)
    expected = url or f"https://{certificate.own_address() or 'localhost'}:8443"
    assert variables["PUBLIC_URL"] == expected


def test_a_server_really_shows_it(school: Path, tmp_path: Path) -> None:
    variables, fingerprint = https_run.prepared({}, folder=tmp_path / "kept")
    del variables["BIND"]
    with running(school, **variables) as (address, _):
        port = address.rpartition(":")[2]
        trust = ssl.create_default_context(cafile=variables["TLS_CERTIFICATE"])
        url = f"https://localhost:{port}/health/live"
        with urllib.request.urlopen(
            url, timeout=LONGEST_START, context=trust
        ) as answer:
            assert json.load(answer) == {"status": "ok"}
            # A certificate that nobody vouches for must not bind a browser for long.
            assert answer.headers["Strict-Transport-Security"] is None
        shown = ssl.get_server_certificate(("localhost", int(port)))
    made = Path(variables["TLS_CERTIFICATE"]).read_text("ascii")
    assert shown.strip() == made.strip()
    assert len(fingerprint) == 95
