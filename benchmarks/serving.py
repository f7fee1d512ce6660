"""A server as it is installed, clients that keep their connection, and its memory."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.school import PERSON

PROJECT: Final = Path(__file__).resolve().parent.parent
LONGEST_START: Final = 120  # seconds
BOUNDARY: Final = "a-boundary-that-no-photo-holds"

# Nothing else of this shell, so that workers and threads are the product's defaults.
_INHERITED: Final = ("HOME", "LANG", "PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Site:
    """A running server with a class of 30, and what a client needs."""

    address: str
    token: str
    class_id: int
    master: int  # process id

    def memory_mb(self, figure: str) -> float:
        """Sum over the workers of VmRSS (now) or VmHWM (at most), in megabytes."""
        return round(sum(_status(one, figure) for one in self._workers()), 1)

    def processors_ms(self) -> float:
        """Milliseconds of processor time that the workers have used so far."""
        ticks = 0
        for worker in self._workers():
            stat = Path(f"/proc/{worker}/stat").read_text("ascii")
            # proc(5): the name in brackets may hold blanks; 14 and 15 are the times.
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def _workers(self) -> list[str]:
        children = Path(f"/proc/{self.master}/task/{self.master}/children")
        return children.read_text("ascii").split()


@contextmanager
def site(folder: Path, photo: bytes, settings: Mapping[str, str]) -> Iterator[Site]:
    """Run gunicorn with the project's own configuration, scratch data in ``folder``.

    Nothing of the installation is touched: database and keys are its own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment = inherited | _settings(folder) | {"BIND": address} | dict(settings)
    picture = folder / "person.jpg"
    picture.write_bytes(photo)
    made = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "benchmarks.school", picture],
        cwd=PROJECT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    school = json.loads(made.stdout)
    log = folder / "server.log"
    with (
        log.open("w", encoding="utf-8") as told,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "attendance_site.wsgi"],
            cwd=PROJECT,
            env=environment,
            stderr=told,
        ) as process,
    ):
        try:
            if not _becomes_ready(address, process):
                sys.exit(f"The server does not start:\n{log.read_text('utf-8')}")
            yield Site(address, school["token"], school["class_id"], process.pid)
        finally:
            process.terminate()


class Client:
    """One device: it keeps its connection, as browsers do."""

    def __init__(self, site: Site, photo: bytes) -> None:
        self._connection = http.client.HTTPConnection(site.address)
        self._body = _form(site.class_id, photo)
        self._headers = {
            "Authorization": f"Bearer {site.token}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }

    def verify(self) -> bool:
        """Whether the photo was answered and the right person named."""
        self._connection.request("POST", "/face/verify", self._body, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            return False
        return bool(json.loads(told)["student"]["full_name"] == PERSON)


def _settings(folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "REDIS_URL": "",
        "DEBUG": "0",
        "PUBLIC_URL": "http://localhost:8000",
        "SECRET_KEY": "a secret key for benchmarks, long enough to sign with",
        "FACE_TEMPLATE_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "FACE_DEVICE": "cpu",
        "FACE_MODEL": "sface",
    }


def _becomes_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection(address, timeout=LONGEST_START)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return True
        except ConnectionError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.2)
    return False


def _status(process: str, figure: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[figure].split()[0]) / 1024


def _form(class_id: int, jpeg: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'
    return (
        f'{head}class_id"\r\n\r\n{class_id}\r\n'
        f'{head}file"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    ).encode() + (jpeg + f"\r\n--{BOUNDARY}--\r\n".encode())
