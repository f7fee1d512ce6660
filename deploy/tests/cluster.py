"""Two replicas behind nginx, with PostgreSQL and Redis, all started here and stopped.

Each is a process of its own that a test may kill: nothing of this machine's own
servers is touched.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from attendance_site import certificate
from attendance_site.environment import BASE_DIR
from attendance_site.tests.live import LONGEST_WAIT, free_address
from attendance_site.tests.test_start import environment

CONFIGURATION = (BASE_DIR / "deploy" / "replicas.nginx.conf").read_text("utf-8")
HOST = "localhost"
PROGRAMS = ("nginx", "redis-server")


def missing() -> list[str]:
    """Return what has to be installed first."""
    wanted = [name for name in PROGRAMS if program(name) is None]
    return wanted if postgres_folder() else [*wanted, "postgresql"]


def program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def postgres_folder() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


def wait_for(happened: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + LONGEST_WAIT
    while not happened():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


@dataclass
class Postgres:
    """A cluster of our own; run by the user postgres where this one is root."""

    folder: Path
    port: str = field(default_factory=lambda: free_address().rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run("initdb", *words, "--no-sync")

    def start(self) -> None:
        # With fsync, as a school has it: a restart must lose nothing.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 "
        options += f"-c unix_socket_directories={self.folder}"
        self._run(
            "pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def restart(self) -> None:
        self._run(
            "pg_ctl", "-w", "-m", "fast", "-l", str(self.folder / "log"), "restart"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-m", "immediate", "stop", check=False)

    def _run(self, name: str, *words: str, check: bool = True) -> None:
        folder = postgres_folder()
        assert folder is not None
        command = [str(folder / name), "-D", str(self.folder), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, cwd="/", check=check, stdout=subprocess.DEVNULL)  # noqa: S603


@dataclass
class Server:
    """A process that can be killed with all it has started, and started again."""

    command: Sequence[str]
    log: Path
    variables: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own server
                self.command,
                cwd=BASE_DIR,
                env=self.variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it and its workers at once, as a power cut would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(LONGEST_WAIT)
            self.process = None


@dataclass
class Cluster:
    """What runs: where nginx and each replica listen, and what a test may break."""

    url: str
    trust: Path
    replicas: list[Server]
    addresses: list[str]
    postgres: Postgres
    redis: Server
    variables: dict[str, str]

    def manage(self, *words: str) -> str:
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, *words],
            cwd=BASE_DIR,
            env=self.variables,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        ).stdout

    def log(self, number: int) -> str:
        return self.replicas[number].log.read_text("utf-8")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run two replicas of one worker each; everything is stopped in the end."""
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    with ExitStack() as stack:
        postgres = Postgres(folder / "pg")
        postgres.make()
        stack.callback(postgres.stop)
        postgres.start()
        redis_at, front = free_address(), free_address()
        redis = redis_server(redis_at, folder)
        stack.callback(redis.stop)
        redis.start()
        variables = environment(
            folder,
            DATABASE_URL=postgres.url,
            REDIS_URL=f"redis://{redis_at}/0",
            PUBLIC_URL=f"https://{HOST}:{front.rpartition(':')[2]}",
            TRUSTED_PROXIES="127.0.0.1",
            METRICS_TOKEN="",
        )
        migrate(variables)
        addresses = [free_address(), free_address()]
        replicas = [replica(at, folder, variables) for at in addresses]
        for one in replicas:
            stack.callback(one.kill)
            one.start()
        for one in replicas:
            wait_for(lambda log=one.log: "Listening" in log.read_text(), "no replica")  # type: ignore[misc]
        trust = stack.enter_context(nginx(folder, front=front, behind=addresses))
        yield Cluster(
            variables["PUBLIC_URL"],
            trust,
            replicas,
            addresses,
            postgres,
            redis,
            variables,
        )


def migrate(variables: dict[str, str]) -> None:
    """Migrate twice at once, as two replicas that start do."""
    command = [sys.executable, "manage.py", "migrate", "--noinput", "-v", "0"]
    both = [
        subprocess.Popen(command, cwd=BASE_DIR, env=variables)  # noqa: S603
        for _ in range(2)
    ]
    assert [one.wait(LONGEST_WAIT) for one in both] == [0, 0]


def redis_server(address: str, folder: Path) -> Server:
    words = ["--port", address.rpartition(":")[2], "--bind", "127.0.0.1"]
    words += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    command = [str(program("redis-server")), *words]
    return Server(command, folder / "redis.log", dict(os.environ))


def replica(address: str, folder: Path, variables: dict[str, str]) -> Server:
    command = [sys.executable, "-m", "attendance_site.serve"]
    log = folder / f"{address.rpartition(':')[2]}.log"
    log.touch()
    return Server(command, log, {**variables, "BIND": address, "THREADS": "8"})


@contextmanager
def nginx(folder: Path, *, front: str, behind: Sequence[str]) -> Iterator[Path]:
    """Run nginx on the replicas' configuration; yield the certificate to trust."""
    made = certificate.ensure(folder / "certificate", hosts=[HOST])
    servers = "".join(
        f"server {address} max_fails=1 fail_timeout=2s;" for address in behind
    )
    text = CONFIGURATION
    for old, new in {
        # First: the folder of a test lies in /tmp itself.
        r"/tmp/": f"{folder}/nginx-",  # noqa: S108
        r"server web-replica:8000 resolve .*;": servers,
        r"resolver .*;": "",  # there is no Docker here
        r"server \{\n *listen 80;\n.*\n *\}": "",
        r"listen 443 ssl;": f"listen {front} ssl;",
        r"http2 on;": "",  # newer than some distributions' nginx
        r"/etc/nginx/certificates/fullchain.pem": str(made.certificate),
        r"/etc/nginx/certificates/privkey.pem": str(made.key),
        r"worker_processes auto;": "worker_processes 1;",
    }.items():
        text, number = re.subn(old, new, text)
        assert number, old
    if os.geteuid() == 0:
        text = "user root;\n" + text  # the folder of a test is closed for others
    path = folder / "nginx.conf"
    path.write_text(text, "utf-8")
    command = [str(program("nginx")), "-p", str(folder), "-c", str(path)]
    subprocess.run([*command, "-t", "-q"], check=True)  # noqa: S603
    server = Server([*command, "-g", "daemon off;"], folder / "nginx.log", {})
    server.variables = dict(os.environ)
    server.start()
    try:
        yield made.certificate
    finally:
        server.stop()
