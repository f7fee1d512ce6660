"""No process of the site may write its memory to a disk when it crashes."""

import builtins
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attendance_site import core_dumps
from attendance_site.environment import BASE_DIR
from attendance_site.tests.processes import children, our_gunicorns
from attendance_site.tests.test_start import environment, get, running

PRINT = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/limits").exists(), reason="limits are read from /proc"
)


def limit_of(process: int) -> str:
    lines = Path(f"/proc/{process}/limits").read_text("ascii").splitlines()
    return next(line for line in lines if line.startswith("Max core")).split()[5]


def test_a_command_may_write_no_dump(tmp_path: Path) -> None:
    # As a shell that wants dumps starts it; only root may ask for them from here, where
    # the limit is 0 already.
    wanting = ["/bin/sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "sh"]
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", PRINT]
    shown = subprocess.run(  # noqa: S603  our own command
        [*wanting, *command],
        cwd=BASE_DIR,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.strip() == "(0, 0)"


def test_neither_the_server_nor_its_worker_may(school: Path) -> None:
    with running(school) as (url, _):
        get(f"{url}/health/live")
        (server,) = our_gunicorns()
        assert {limit_of(pid) for pid in (server, *children(server))} == {"0"}
        assert children(server)


def test_a_platform_without_limits_starts_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def no_resource(name: str, *rest: Any, **more: Any) -> Any:
        if name == "resource":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_resource)
    importlib.reload(core_dumps).forbid()
    monkeypatch.undo()
    importlib.reload(core_dumps)
