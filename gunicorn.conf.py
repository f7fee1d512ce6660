"""How gunicorn runs the site: one process per core that memory allows, with threads.

`BIND`, `WEB_CONCURRENCY`, `THREADS`, `TLS_CERTIFICATE` and `TLS_KEY` come from the
environment or `.env`.
"""

import errno
import logging
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from attendance_site import core_dumps, logs
from attendance_site import environment as conf
from faces.engine.queue import DEFAULT_LENGTH, IN_HAND

# NumPy would share each product of a group photo among all cores and wait, spinning,
# for cores that other photos use. Workers inherit this before they load it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MEGABYTE = 1024 * 1024
# Measured (benchmarks/growth.py): 260 idle, 420 with group photos of 12 megapixels, 620
# for moments in which all four threads read one.
WORKER_MEGABYTES = 600
# Each thread keeps a connection to the database; PostgreSQL allows 100 by itself, and
# jobs and commands want some.
CONNECTIONS = 80
SMALL_REQUESTS = 4  # threads that photos never take
MULTIPROC = "PROMETHEUS_MULTIPROC_DIR"  # where workers count for /metrics
BOOT_ERROR = 3  # the exit code on which gunicorn gives up instead of trying again


def memory_megabytes() -> int:
    """Return what this machine has, or the container it runs in may use."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text("ascii").strip()).isdigit():
        total = min(total, int(text))
    return total // MEGABYTE


def cores(limit: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many cores this process, or the container it runs in, may use."""
    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    limited = limit.read_text("ascii") if limit.is_file() else ""
    quota, _, period = limited.partition(" ")
    if not quota.isdigit():  # no limit, or the word "max"
        return count or 1
    return min(count or 1, math.ceil(int(quota) / int(period)))


def default_workers() -> int:
    """One worker a core; a quarter of the memory stays free for everything else."""
    return max(1, min(cores(), memory_megabytes() * 3 // 4 // WORKER_MEGABYTES))


def default_threads(workers: int, *, queue: int) -> int:
    """As many as make the engine's queue fill, and some for everything but photos.

    With fewer a photo too many would wait unseen, in gunicorn, instead of being told to
    come again. A thread that waits costs next to nothing.
    """
    wanted = IN_HAND + queue + SMALL_REQUESTS
    return max(SMALL_REQUESTS, min(wanted, CONNECTIONS // workers))


core_dumps.forbid()
try:
    conf.read_env_file(conf.BASE_DIR / ".env")
    bind = conf.bind("BIND", public_url=conf.public_url("PUBLIC_URL"))
    workers = conf.whole_number(
        "WEB_CONCURRENCY", default=default_workers(), low=1, high=256
    )
    queue = conf.whole_number("FACE_QUEUE", default=DEFAULT_LENGTH, low=0, high=10_000)
    threads = conf.whole_number(
        "THREADS", default=default_threads(workers, queue=queue), low=1, high=256
    )
    # Only where no proxy stands in front and speaks HTTPS.
    certfile = conf.readable_file("TLS_CERTIFICATE")
    keyfile = conf.readable_file("TLS_KEY")
    is_https = conf.text("PUBLIC_URL").startswith("https://")
    log_format = conf.choice(
        "LOG_FORMAT", ("json", "line"), default="json" if is_https else "line"
    )
except ImproperlyConfigured as error:
    sys.exit(f"Configuration: {error}")

worker_class = "gthread"
# ONNX Runtime's sessions don't survive a fork, so each worker makes its own.
preload_app = False
timeout = 120  # seconds: a large pack needs some of them to warm up
graceful_timeout = 30
keepalive = 5
# The heartbeat is a file; on a disk a slow write could look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# Nobody's headers decide here on the scheme: attendance_site/proxies.py does.
forwarded_allow_ips = ""
control_socket_disable = True
accesslog = None
loglevel = "warning"
logconfig_dict = logs.configuration(log_format)


def in_use(address: tuple[str, int]) -> bool:
    """Return whether another program listens where this one is going to."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def on_starting(server: Any) -> None:
    """Stop with one line, and before the first worker, where a value is wrong."""
    # A socket that was handed over is in use by definition.
    handed_over = {"GUNICORN_FD", "LISTEN_FDS"} & os.environ.keys()
    for address in () if handed_over else server.cfg.address:
        if isinstance(address, tuple) and in_use(address):
            sys.exit(
                f"Configuration: port {address[1]} is in use by another program: end "
                "it, or choose another port in PUBLIC_URL and, where it is set, BIND."
            )
    command = [sys.executable, "-m", "attendance_site.preflight"]
    known = {name: value for name, value in os.environ.items() if name != MULTIPROC}
    # Fixed words: nothing of it comes from outside.
    ended = subprocess.run(command, cwd=conf.BASE_DIR, env=known, check=False)  # noqa: S603
    if ended.returncode:
        sys.exit(1)
    if conf.text("METRICS_TOKEN") and MULTIPROC not in os.environ:
        # In memory: each request writes there.
        folder = tempfile.mkdtemp(prefix="rollbook-metrics-", dir=worker_tmp_dir)
        os.environ[MULTIPROC] = folder
        server.metrics_folder = folder


def when_ready(server: Any) -> None:
    addresses = ", ".join(str(listener) for listener in server.LISTENERS)
    size = f"{server.cfg.workers} x {server.cfg.threads} threads"
    line = f"Listening on {addresses} with {size}."
    if log_format == "json":
        logging.getLogger("attendance_site").info(line)
    else:
        sys.stderr.write(f"{line}\n")


def child_exit(server: Any, worker: Any) -> None:
    """Take what a worker held at its end out of the figures; its sums stay."""
    if MULTIPROC in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if folder := getattr(server, "metrics_folder", None):
        shutil.rmtree(folder, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Warm the engine up, so that the first photo is as fast as the next."""
    from faces import runtime
    from faces.engine.errors import EngineError

    try:
        runtime.get_engine()
    except EngineError as error:
        sys.stderr.write(f"Configuration: {error}\n")
        sys.stderr.flush()
        os._exit(BOOT_ERROR)  # at once: threads of a failed start may hang an exit
