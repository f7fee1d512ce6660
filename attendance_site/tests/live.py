"""A copy of the project with a server of its own, and a client that talks to it."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from attendance_site.environment import BASE_DIR

LONGEST_WAIT = 120  # seconds, for the slowest machine
TEMPLATE_KEY = b"a template key for tests, 32 by."
# What a clone doesn't have, and what no server needs.
LEFT_OUT = shutil.ignore_patterns(
    ".*", "*.sqlite3*", "__pycache__", "staticfiles", "e2e", "benchmarks", "docs"
)


@dataclass(frozen=True)
class Installation:
    """The project in a folder of its own, with a home, a temp folder and a database."""

    folder: Path
    log: list[bytes] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> "Installation":
        made = cls(folder)
        shutil.copytree(BASE_DIR, made.project, ignore=LEFT_OUT)
        # Where `make install` puts it, so that commands work as they are written.
        (made.project / ".venv").symlink_to(sys.prefix)
        for place in (made.home, made.temp, made.data):
            place.mkdir()
        return made

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database(self) -> Path:
        return self.data / "db.sqlite3"

    def environment(self, **variables: str) -> dict[str, str]:
        return os.environ | {
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": "",
            "DEBUG": "0",
            "SECRET_KEY": "a secret key for tests, long enough to sign with",
            "FACE_TEMPLATE_KEY": base64.urlsafe_b64encode(TEMPLATE_KEY).decode(),
            "FACE_THREADS": "1",
            "WEB_CONCURRENCY": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run manage.py and return what it printed; raises CalledProcessError."""
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, "manage.py", *arguments],
            cwd=self.project,
            env=self.environment(**variables),
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            timeout=LONGEST_WAIT,
        ).stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Run gunicorn; yield its address. All it writes is added to `log`."""
        address = free_address()
        url = f"http://{address}"
        server = subprocess.Popen(
            [sys.executable, "-m", "attendance_site.serve"],
            cwd=self.project,
            env=self.environment(BIND=address, PUBLIC_URL=url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        listening = threading.Event()
        reader = threading.Thread(target=self._read, args=(server, listening))
        reader.start()
        try:
            assert listening.wait(LONGEST_WAIT), self.log
            assert server.poll() is None, self.log
            yield url
        finally:
            server.terminate()
            reader.join(LONGEST_WAIT)
            server.kill()
            server.wait()

    def _read(
        self, server: subprocess.Popen[bytes], listening: threading.Event
    ) -> None:
        assert server.stdout is not None
        with server.stdout:
            for line in server.stdout:
                self.log.append(line)
                if b"Listening on" in line:
                    listening.set()
        listening.set()  # it ended: nobody needs to wait any longer


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@dataclass
class Browser:
    """A client of the API and of the pages, with a token and with cookies."""

    url: str
    token: str = ""
    jar: CookieJar = field(default_factory=CookieJar)
    opener: OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.jar}

    def get(self, path: str) -> tuple[int, Any]:
        return self._send(Request(self.url + path))  # noqa: S310  our own server

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Post JSON; return the status and the answer."""
        return self._post(path, json.dumps(body).encode(), "application/json")

    def send_photos(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Post a form with files; return the status and the answer."""
        content = encode_multipart(BOUNDARY, dict(body))
        return self._post(path, content, MULTIPART_CONTENT)

    def submit(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Fill in a page's form and send it, as a browser without JavaScript does."""
        _, page = self.get(path)
        hidden = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert hidden is not None, page
        return self.send_photos(path, {**body, "csrfmiddlewaretoken": hidden.group(1)})

    def _post(self, path: str, content: bytes, kind: str) -> tuple[int, Any]:
        headers = {"Content-Type": kind}
        request = Request(self.url + path, content, headers)  # noqa: S310
        return self._send(request)

    def _send(self, request: Request) -> tuple[int, Any]:
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            answer = self.opener.open(request, timeout=LONGEST_WAIT)
        except HTTPError as error:
            answer = error
        with answer:
            content = answer.read()
            if answer.headers.get_content_type() == "application/json":
                return answer.status, json.loads(content)
            return answer.status, content.decode()
