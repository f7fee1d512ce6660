"""Run the site and its worker side by side: `python -m attendance_site.run`.

For `make run` and a single machine. The worker is started again where it dies; where
the site ends, for whatever reason, both end. systemd and Docker run the two as services
of their own (docs/jobs.md).
"""

import signal
import subprocess
import sys
import time
from types import FrameType

from attendance_site.environment import BASE_DIR

SITE = [sys.executable, "-m", "attendance_site.serve"]
WORKER = [sys.executable, "manage.py", "worker"]
PAUSE = 2.0  # seconds before a dead worker is followed by the next
GRACE = 30.0  # seconds that a worker has to put its jobs back
# The last one comes when a terminal is closed; Windows has none.
ENDS = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP")
    if hasattr(signal, name)
]


class Asked(Exception):
    """A signal to end."""


def ask(number: int, frame: FrameType | None) -> None:
    # make passes on what the terminal has sent already: the second must not interrupt
    # the end that the first began, or both children would be left behind.
    hear_no_more()
    raise Asked


def hear_no_more() -> None:
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)


def begin(command: list[str]) -> subprocess.Popen[bytes]:
    # In a session of its own, so that Ctrl+C reaches it once and through us. The words
    # of the commands are fixed: nothing of them comes from outside.
    return subprocess.Popen(command, cwd=BASE_DIR, start_new_session=True)  # noqa: S603


def end(*children: subprocess.Popen[bytes]) -> None:
    """Ask all to end, wait, and kill what doesn't."""
    for child in children:
        child.terminate()
    limit = time.monotonic() + GRACE
    for child in children:
        try:
            child.wait(max(0.0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()


def main() -> int:
    """Return the site's exit status."""
    for number in ENDS:
        signal.signal(number, ask)
    site, worker = begin(SITE), begin(WORKER)
    born = time.monotonic()
    try:
        while site.poll() is None:
            if worker.poll() is not None and time.monotonic() - born > PAUSE:
                sys.stderr.write("The worker ended; starting it again.\n")
                worker, born = begin(WORKER), time.monotonic()
            time.sleep(0.2)
    except Asked:
        sys.stderr.write("Stopping.\n")
    hear_no_more()
    end(worker, site)
    return site.returncode or 0


if __name__ == "__main__":
    sys.exit(main())
