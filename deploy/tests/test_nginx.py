"""The nginx example as it is written, in front of a real server (`make nginx`)."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from attendance_site import certificate
from attendance_site.environment import BASE_DIR
from attendance_site.tests.test_start import LONGEST_START, environment, running

EXAMPLE = (BASE_DIR / "deploy" / "nginx.conf").read_text("utf-8")
HOST = "register.school.example"
PUBLIC_URL = f"https://{HOST}"
MEGABYTE = 1024 * 1024
STRANGER = "127.0.0.2"  # this machine too, but no proxy of ours
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Nginx:
    """A running nginx: its two ports, its certificate and what it complained of."""

    http: int
    https: int
    trust: ssl.SSLContext
    log: Path

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPSConnection(
            "localhost", self.https, context=self.trust, timeout=LONGEST_START
        )
        return exchange(connection, method, path, body, headers)

    def log_in(self, **headers: str) -> int:
        body = json.dumps({"email": "nobody@school.example", "password": "wrong"})
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Content-Type"] = "application/json"
        return self.ask("POST", "/auth/login", body.encode(), sent).status


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    try:
        connection.request(method, path, body, {"Host": HOST, **(headers or {})})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(folder: Path, *, upstream: str, example: str = EXAMPLE) -> Iterator[Nginx]:
    """Run nginx on the example, with other ports and a certificate of our own."""
    made = certificate.ensure(folder / "certificate", hosts=["localhost", HOST])
    plain, secure = free_port(), free_port()
    site = re.sub(r"\n *listen \[::\].*", "", example)
    for old, new in {
        "server 127.0.0.1:8000;": f"server {upstream};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        f"/etc/letsencrypt/live/{HOST}/fullchain.pem": str(made.certificate),
        f"/etc/letsencrypt/live/{HOST}/privkey.pem": str(made.key),
    }.items():
        assert old in site, old
        site = site.replace(old, new)
    log = folder / "error.log"
    lines = [f"pid {folder / 'nginx.pid'};", f"error_log {log} warn;", "events {}"]
    if os.geteuid() == 0:
        lines.append("user root;")  # the folder of a test is closed for others
    lines += ["http {", "access_log off;"]
    lines += [f"{name}_temp_path {folder / name};" for name in TEMPORARY]
    configuration = folder / "nginx.conf"
    configuration.write_text("\n".join([*lines, site, "}"]), "utf-8")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "apt-get install nginx-light"
    command = [program, "-p", str(folder), "-c", str(configuration)]
    # It comes back once it listens, and goes on in the background.
    subprocess.run([*command, "-t", "-q"], check=True)  # noqa: S603
    subprocess.run(command, check=True)  # noqa: S603
    try:
        trust = ssl.create_default_context(cafile=made.certificate)
        yield Nginx(plain, secure, trust, log)
    finally:
        subprocess.run([*command, "-s", "stop"], check=True)  # noqa: S603


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gunicorn whose users come over https."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=BASE_DIR,
        env=environment(folder),
        check=True,
    )
    with running(folder, PUBLIC_URL=PUBLIC_URL, TRUSTED_PROXIES="") as (url, _):
        yield url.removeprefix("http://")


@pytest.fixture(scope="module")
def front(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx"), upstream=upstream) as running_nginx:
        yield running_nginx


def test_a_page_comes_over_https_with_its_style(front: Nginx) -> None:
    page = front.ask("GET", "/accounts/login/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    style = re.search(rb'href="(/static/[^"]+\.css)"', page.body)
    assert style is not None
    assert front.ask("GET", style.group(1).decode()).status == 200


def test_plain_http_is_sent_to_https(front: Nginx) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.http)
    answer = exchange(connection, "GET", "/app/?day=today")
    assert answer.status == 308
    assert answer.headers["Location"] == f"{PUBLIC_URL}/app/?day=today"


def test_what_is_too_large_is_refused(front: Nginx) -> None:
    assert front.ask("POST", "/face/verify", bytes(52 * MEGABYTE)).status == 413


def test_photos_reach_the_site_without_touching_the_disk(front: Nginx) -> None:
    assert front.ask("POST", "/face/verify", bytes(50 * MEGABYTE)).status == 401
    assert "temporary file" not in front.log.read_text("utf-8")


def test_an_archive_reaches_the_site_without_touching_the_disk(front: Nginx) -> None:
    answer = front.ask("POST", "/import/photos", bytes(60 * MEGABYTE))
    assert "code" in json.loads(answer.body)  # the site's own words, not nginx's
    assert "temporary file" not in front.log.read_text("utf-8")


def test_without_its_buffer_nginx_would_write_them_to_a_file(
    upstream: str, tmp_path: Path
) -> None:
    example = re.sub(r"client_body_buffer_size .*;", "", EXAMPLE)
    with nginx(tmp_path, upstream=upstream, example=example) as careless:
        careless.ask("POST", "/face/verify", bytes(MEGABYTE))
        assert "temporary file" in careless.log.read_text("utf-8")


def test_nobody_gets_more_tries_by_claiming_other_addresses(front: Nginx) -> None:
    statuses = [
        front.log_in(X_Forwarded_For=f"203.0.113.{n}", X_Real_IP=f"203.0.113.{n}")
        for n in range(6)
    ]
    assert statuses == [401] * 5 + [429]


def test_past_the_proxy_nobody_can_claim_to_come_over_https(upstream: str) -> None:
    host, _, port = upstream.partition(":")
    connection = http.client.HTTPConnection(
        host, int(port), source_address=(STRANGER, 0)
    )
    headers = {"X-Forwarded-Proto": "https"}
    answer = exchange(connection, "GET", "/accounts/login/", None, headers)
    assert answer.status == 301
    assert answer.headers["Location"].startswith(PUBLIC_URL)
