"""Dockerfile, compose.yaml and their neighbours keep the rules of a careful host."""

import base64
import re
import runpy
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from attendance_site.environment import BASE_DIR
from faces.engine.queue import IN_HAND

DEPLOY = BASE_DIR / "deploy"
SECRET = re.compile(r"KEY|PASSWORD|SECRET|DATABASE_URL|EMAIL_URL")
# A version down to the patch, and the distribution where the image has several.
PINNED = re.compile(r"[a-z/]+:\d+\.\d+(\.\d+)?-[a-z]+(-[a-z]+)?")
ENDS = {"migrate", "manage"}  # they do one thing and stop
SITES = ["web", "web-plain", "web-replica", "worker"]


def text(name: str) -> str:
    return (BASE_DIR / name).read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, lines joined."""
    lines = [line for line in text("Dockerfile").splitlines() if line.strip()]
    whole = "\n".join(line for line in lines if not line.startswith("#"))
    joined = whole.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in joined]


def arguments(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def stages() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Return each stage's base and its instructions, by the stage's name."""
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = (base, [])
        else:
            found[list(found)[-1]][1].append((word, rest))
    return found


def lineage(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a stage and of all it is built on, in order."""
    base, own = stages()[name]
    return [*(lineage(base) if base in stages() else []), *own]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return read


def test_every_base_is_pinned() -> None:
    bases = {base for base, _ in stages().values()} - set(stages())
    assert bases
    assert [base for base in bases if not PINNED.fullmatch(base)] == []


def test_all_bases_have_the_same_version() -> None:
    assert len({base for base, _ in stages().values()} - set(stages())) == 1


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_runs_as_a_user_without_rights(target: str) -> None:
    users = [rest for word, rest in lineage(target) if word == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1])


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_says_whether_it_works(target: str) -> None:
    checks = [rest for word, rest in lineage(target) if word == "HEALTHCHECK"]
    assert len(checks) == 1
    assert "/health/live" in checks[0]


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_has_no_tools_to_build_with(target: str) -> None:
    commands = " ".join(rest for word, rest in lineage(target) if word == "RUN")
    assert "pip uninstall" in commands
    assert not re.search(r"apt-get install|apk add|pip install|gcc", commands)


def test_the_target_for_the_processor_is_the_last_and_so_the_default() -> None:
    assert list(stages())[-1] == "cpu"


def test_nothing_is_fetched_but_by_the_package_manager() -> None:
    assert arguments("ADD") == []
    assert not re.search(r"curl|wget|https?://(?!127\.)", " ".join(arguments("RUN")))


def test_packages_are_the_locks_own_and_leave_no_cache() -> None:
    installs = [
        part
        for run in arguments("RUN")
        for part in run.split("&&")
        if "pip install" in part
    ]
    assert len(installs) == 2
    for install in installs:
        assert {"--no-cache-dir", "--no-deps", "--require-hashes"} <= set(
            install.split()
        )


def test_an_apt_list_is_removed_where_one_was_fetched() -> None:
    fetching = [run for run in arguments("RUN") if "apt-get update" in run]
    assert [run for run in fetching if "rm -rf /var/lib/apt/lists" not in run] == []


def test_no_layer_holds_a_secret() -> None:
    variables = [
        pair.partition("=")
        for rest in [*arguments("ENV"), *arguments("ARG")]
        for pair in rest.split()
    ]
    secrets = [name for name, _, _ in variables if SECRET.search(name)]
    assert secrets == ["DATABASE_URL"]
    assert ("DATABASE_URL", "=", "sqlite:////data/db.sqlite3") in variables


def test_only_named_files_reach_the_image() -> None:
    lines = text(".dockerignore").splitlines()
    assert lines[1] == "*"
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert {"manage.py", "attendance_site", "requirements-gpu.txt"} <= taken
    assert not taken & {".env", ".git", "deploy", "db.sqlite3"}
    for copied in arguments("COPY"):
        source = copied.split()[0]
        assert source.startswith("--from=") or source == "." or source in taken


def test_every_service_gives_its_rights_up(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}, name
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
        assert service["ulimits"] == {"core": 0}, name


def test_every_service_that_stays_says_whether_it_works(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        if name in ENDS:
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        if name != "worker":  # nobody can ask it; another one takes its jobs over
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_images_of_others_are_pinned(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()}
    foreign = {image for image in images if not image.startswith("rollbook:")}
    assert len(foreign) == 4
    assert [image for image in foreign if not PINNED.fullmatch(image)] == []


def test_secrets_are_files_and_nothing_else(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}):
            assert not SECRET.search(variable) or variable.endswith("_FILE"), name
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"deploy/secrets/{name}"}


def test_the_script_writes_exactly_the_secrets_that_are_mounted(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    script = tmp_path / "make-secrets"
    script.write_bytes((DEPLOY / "make-secrets").read_bytes())
    run = ["/bin/sh", str(script)]
    subprocess.run(run, check=True, capture_output=True)  # noqa: S603
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text("ascii") for path in folder.iterdir()}
    assert set(first) == set(compose["secrets"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(base64.urlsafe_b64decode(first["face_template_key"])) == 32
    assert len(first["secret_key"]) >= 50
    assert first["database_password"] in first["database_url"]
    # A second run keeps every key: a new one would lose all faces.
    subprocess.run(run, check=True, capture_output=True)  # noqa: S603
    again = {path.name: path.read_text("ascii") for path in folder.iterdir()}
    assert again == first


def test_the_site_waits_for_its_database_and_migrations(
    compose: dict[str, Any],
) -> None:
    for name in SITES:
        waits = compose["services"][name]["depends_on"]
        assert waits["db"] == {"condition": "service_healthy"}
        assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_only_the_proxy_can_be_reached_from_outside(compose: dict[str, Any]) -> None:
    open_ports = {name for name, s in compose["services"].items() if "ports" in s}
    assert open_ports == {"caddy", "nginx", "web-plain"}
    assert compose["services"]["web-plain"]["ports"] == [
        "${PLAIN_BIND:-127.0.0.1:8000}:8000"
    ]
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["db"]["networks"] == ["inside"]
    assert compose["services"]["redis"]["networks"] == ["inside"]


def test_the_site_believes_the_proxys_address_alone(compose: dict[str, Any]) -> None:
    caddy = compose["services"]["caddy"]["networks"]["edge"]["ipv4_address"]
    assert compose["services"]["web"]["environment"]["TRUSTED_PROXIES"] == caddy
    nginx = compose["services"]["nginx"]["networks"]["edge"]["ipv4_address"]
    assert compose["services"]["web-replica"]["environment"]["TRUSTED_PROXIES"] == nginx
    assert nginx != caddy


def test_only_the_encrypted_spool_can_be_written_to(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {
        "database",
        "spool",
        "certificates",
        "caddy-config",
    }
    for name in [*SITES, *ENDS]:
        service = compose["services"][name]
        mounts = service["volumes"]
        writable = [mount for mount in mounts if not mount.endswith(":ro")]
        assert writable == (["spool:/data"] if name in SITES else []), name
        assert service["environment"]["IMPORT_SPOOL_DIR"] == "/data/spool"


def test_every_setting_of_the_example_reaches_the_containers(
    compose: dict[str, Any],
) -> None:
    example = text(".env.example").splitlines()
    names = {line.removeprefix("# ").partition("=")[0] for line in example}
    names = {name for name in names if name.isupper()}
    known = set(compose["services"]["web"]["environment"])
    known |= {name.removesuffix("_FILE") for name in known}
    # The image decides on the device; the others belong to a start without a proxy.
    elsewhere = {"DEBUG", "FACE_DEVICE", "BIND", "TLS_CERTIFICATE", "TLS_KEY"}
    assert names - known == elsewhere


def test_the_gpu_file_changes_services_that_exist(compose: dict[str, Any]) -> None:
    extra = yaml.safe_load(text("deploy/compose.gpu.yaml"))
    assert set(extra["services"]) == set(SITES) <= set(compose["services"])
    for service in extra["services"].values():
        assert service["build"]["target"] in stages()
        assert service["environment"]["FACE_DEVICE"] == "cuda"


def test_the_gpu_lock_holds_libraries_alone_with_their_hashes() -> None:
    pinned = re.findall(r"^([\w.-]+)==", text("requirements-gpu.txt"), re.MULTILINE)
    assert {"nvidia-cudnn-cu13", "nvidia-cuda-runtime", "nvidia-cublas"} <= set(pinned)
    assert [name for name in pinned if not name.startswith("nvidia-")] == []
    entries = re.split(r"^(?=[\w.-]+==)", text("requirements-gpu.txt"), flags=re.M)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_proxies_take_what_the_site_takes() -> None:
    limit = settings.MAX_REQUEST_BYTES // 1024 // 1024
    archive = settings.IMPORT_MAX_MB + 1
    for file in ("deploy/nginx.conf", "deploy/replicas.nginx.conf"):
        sizes = re.findall(r"^ *(client_\w+_size) (\w+);", text(file), re.M)
        assert sizes == [
            ("client_max_body_size", f"{limit}m"),
            ("client_body_buffer_size", f"{limit}m"),
            ("client_max_body_size", f"{archive}m"),
        ]
    caddy = text("deploy/Caddyfile")
    assert f"max_size {{$MAX_REQUEST_SIZE:{limit}MiB}}" in caddy
    assert f"max_size {{$MAX_ARCHIVE_SIZE:{archive}MiB}}" in caddy


@pytest.mark.parametrize("name", ["nginx.conf", "replicas.nginx.conf"])
def test_the_nginx_example_replaces_what_a_client_claims(name: str) -> None:
    example = text(f"deploy/{name}")
    assert "proxy_set_header X-Request-ID $request_id;" in example
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in example
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in example


@pytest.mark.parametrize(
    ("limit", "at_most"),
    [("100000 100000\n", 1), ("50000 100000\n", 1), ("max 100000\n", None)],
)
def test_a_containers_share_of_the_cores_counts(
    tmp_path: Path, limit: str, at_most: int | None
) -> None:
    cores = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))["cores"]
    file = tmp_path / "cpu.max"
    file.write_text(limit, "ascii")
    assert cores(file) == (at_most or cores(tmp_path / "missing"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_has_threads_for_its_queue_and_for_pages(workers: int) -> None:
    conf = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))
    threads = conf["default_threads"](workers, queue=16)
    assert threads > IN_HAND + 16


@pytest.mark.parametrize("workers", [1, 4, 8, 32])
def test_workers_leave_connections_to_the_database(workers: int) -> None:
    conf = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))
    threads = conf["default_threads"](workers, queue=64)
    assert threads == conf["SMALL_REQUESTS"] or threads * workers <= 80


@pytest.mark.parametrize("name", ["rollbook.service", "rollbook-worker.service"])
def test_a_service_of_systemd_runs_without_rights(name: str) -> None:
    pairs = (line.partition("=")[::2] for line in text(f"deploy/{name}").split("\n"))
    unit = dict(pairs)
    assert unit["User"] == "rollbook"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["LimitCORE"] == "0"
