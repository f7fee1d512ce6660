"""Every setting: what it accepts, and the one line it answers a wrong value with."""

import base64
import runpy
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from attendance_site import environment

SETTINGS_FILE = environment.BASE_DIR / "attendance_site" / "settings.py"
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that reads the settings anew under the given variables."""

    def read(**variables: str) -> dict[str, Any]:
        # Remembered secrets of an earlier test would hide this test's own.
        monkeypatch.setattr(environment.env.ENVIRON, "files_cache", {})
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS_FILE))

    return read


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("DEBUG", "maybe", "use 1 or 0"),
        ("SECRET_KEY", "", "set SECRET_KEY or SECRET_KEY_FILE"),
        ("SECRET_KEY_FILE", "/nowhere/key", "give it a readable file"),
        ("FACE_TEMPLATE_KEY", "", "set FACE_TEMPLATE_KEY or FACE_TEMPLATE_KEY_FILE"),
        ("FACE_TEMPLATE_KEY", "short", "key 1 is not the urlsafe base64 of 32 bytes"),
        ("FACE_TEMPLATE_KEY", f"{KEY},", "key 2 is not the urlsafe base64"),
        ("PUBLIC_URL", "school.example", "use http(s)://host[:port]"),
        ("PUBLIC_URL", "https://school.example/app", "without a path"),
        ("PUBLIC_URL", "http://school.example:port", "use http(s)://host[:port]"),
        ("TRUSTED_PROXIES", "proxy.example", "use 127.0.0.1, 10.0.0.0/24"),
        ("TRUSTED_PROXIES", "10.0.0.1/24", "use 127.0.0.1, 10.0.0.0/24"),
        ("TRUSTED_PROXIES", "*", "use 127.0.0.1, 10.0.0.0/24"),
        ("HSTS_DAYS", "always", "from 0 to 3650"),
        ("DATABASE_URL", "mysql://root@localhost/x", "only sqlite:// and postgres://"),
        ("DATABASE_URL", "somewhere", "sqlite:///file or postgres://"),
        ("REDIS_URL", "localhost:6379", "use redis://host:6379/0"),
        ("EMAIL_URL", "school@example.org", "use smtp+tls://"),
        ("TIME_ZONE", "Mars/Olympus", "use a name such as Europe/Madrid"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0", "from 1 to 1440"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "soon", "a whole number"),
        ("FACE_SIMILARITY_THRESHOLD", "7", "must be between 0 and 1"),
        ("FACE_SIMILARITY_THRESHOLD", "high", "must be between 0 and 1"),
        ("FACE_SIMILARITY_THRESHOLD", "nan", "must be between 0 and 1"),
        ("FACE_MATCH_MARGIN", "-0.1", "must be between 0 and 1"),
        ("FACE_DEVICE", "tpu", "use auto, cpu, cuda or cuda:N"),
        ("FACE_DEVICE", "cuda:one", "use auto, cpu, cuda or cuda:N"),
        ("FACE_THREADS", "-1", "from 0 to 256"),
        ("FACE_ENROLL_REVIEW", "harsh", "use one of: off, standard, strict"),
        ("FACE_MAX_UPLOAD_MB", "0", "from 1 to 99"),
        ("FACE_MAX_PIXELS", "1e7", "from 10000 to"),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_to_do(
    load: Load, name: str, value: str, advice: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(**{"DEBUG": "0", name: value})
    message = str(caught.value)
    assert name in message
    assert advice in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "value", "setting", "expected"),
    [
        ("DEBUG", "yes", "DEBUG", True),
        ("DEBUG", "", "DEBUG", False),
        ("SECRET_KEY", "signing", "SECRET_KEY", "signing"),
        ("FACE_TEMPLATE_KEY", KEY, "FACE_TEMPLATE_KEYS", (b"k" * 32,)),
        (
            "FACE_TEMPLATE_KEY",
            f"{OTHER_KEY}, {KEY}",
            "FACE_TEMPLATE_KEYS",
            (b"o" * 32, b"k" * 32),
        ),
        ("PUBLIC_URL", "https://school.example/", "SECURE_SSL_REDIRECT", True),
        ("PUBLIC_URL", "https://school.example", "SESSION_COOKIE_SECURE", True),
        (
            "PUBLIC_URL",
            "http://school.example:8000",
            "CSRF_TRUSTED_ORIGINS",
            ["http://school.example:8000"],
        ),
        ("PUBLIC_URL", "http://school.example", "SESSION_COOKIE_SECURE", False),
        ("PUBLIC_URL", "https://school.example", "SECURE_HSTS_SECONDS", 31_536_000),
        ("HSTS_DAYS", "7", "SECURE_HSTS_SECONDS", 0),  # plain HTTP has none
        ("TRUSTED_PROXIES", "", "TRUSTED_PROXIES", ()),
        ("TRUSTED_PROXIES", "", "SECURE_PROXY_SSL_HEADER", None),
        ("TRUSTED_PROXIES", "None", "TRUSTED_PROXIES", ()),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/24, ::1",
            "TRUSTED_PROXIES",
            (ip_network("10.0.0.0/24"), ip_network("::1")),
        ),
        ("REDIS_URL", "redis://cache:6379/1", "REDIS_URL", "redis://cache:6379/1"),
        ("EMAIL_URL", "smtp+tls://u:p@mail.example:587", "EMAIL_HOST", "mail.example"),
        ("TIME_ZONE", "Europe/Madrid", "TIME_ZONE", "Europe/Madrid"),
        ("FACE_MODEL", "", "FACE_MODEL", "sface"),
        ("FACE_SIMILARITY_THRESHOLD", "", "FACE_SIMILARITY_THRESHOLD", None),
        ("FACE_SIMILARITY_THRESHOLD", "0.5", "FACE_SIMILARITY_THRESHOLD", 0.5),
        ("FACE_MATCH_MARGIN", "0", "FACE_MATCH_MARGIN", 0.0),
        ("FACE_DEVICE", "CUDA:1", "FACE_DEVICE", "cuda:1"),
        ("FACE_THREADS", "", "FACE_THREADS", 0),
        ("FACE_THREADS", "3", "FACE_THREADS", 3),
        ("FACE_ENROLL_REVIEW", "Strict", "FACE_ENROLL_REVIEW", "strict"),
        ("FACE_MAX_UPLOAD_MB", "20", "FACE_MAX_UPLOAD_MB", 20),
        ("FACE_MAX_PIXELS", "12000000", "FACE_MAX_PIXELS", 12_000_000),
    ],
)
def test_a_good_value_arrives(
    load: Load, name: str, value: str, setting: str, expected: object
) -> None:
    assert load(**{"DEBUG": "0", name: value})[setting] == expected


def test_over_https_only_this_machines_own_proxy_is_believed(load: Load) -> None:
    settings = load(PUBLIC_URL="https://school.example")
    assert settings["TRUSTED_PROXIES"] == (ip_network("127.0.0.1"), ip_network("::1"))
    assert settings["SECURE_PROXY_SSL_HEADER"] is not None


def test_without_proxies_no_header_can_claim_https(load: Load) -> None:
    settings = load(PUBLIC_URL="https://school.example", TRUSTED_PROXIES="none")
    assert settings["SECURE_PROXY_SSL_HEADER"] is None
    assert settings["SECURE_SSL_REDIRECT"] is True


def test_cookies_of_https_have_a_name_that_plain_http_cannot_take(load: Load) -> None:
    settings = load(PUBLIC_URL="https://school.example")
    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert settings["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert "SESSION_COOKIE_NAME" not in load(PUBLIC_URL="http://school.example")


def test_the_lifetime_of_a_token_is_in_minutes(load: Load) -> None:
    tokens = load(ACCESS_TOKEN_EXPIRE_MINUTES="45")["SIMPLE_JWT"]
    assert tokens["ACCESS_TOKEN_LIFETIME"] == timedelta(minutes=45)


def test_a_request_may_carry_five_photos_of_the_largest_size(load: Load) -> None:
    assert load(FACE_MAX_UPLOAD_MB="4")["MAX_REQUEST_BYTES"] == 21 * 1024 * 1024


def test_the_public_host_is_allowed_and_a_strange_one_is_not(load: Load) -> None:
    hosts = load(PUBLIC_URL="https://school.example")["ALLOWED_HOSTS"]
    assert "school.example" in hosts
    assert "stranger.example" not in hosts
    assert "*" not in hosts


def test_sqlite_waits_for_its_lock_and_overwrites_what_it_deletes(load: Load) -> None:
    database = load(DATABASE_URL="sqlite:////srv/register.sqlite3")["DATABASES"]
    options = database["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "secure_delete=ON" in options["init_command"]
    assert "journal_mode=WAL" in options["init_command"]


def test_postgres_connections_are_kept_and_checked(load: Load) -> None:
    url = "postgres://user:secret@db.example:5433/register"
    database = load(DATABASE_URL=url)["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"]) == ("db.example", 5433)
    assert database["CONN_HEALTH_CHECKS"] is True


def test_redis_takes_the_cache_and_the_sessions(load: Load) -> None:
    settings = load(REDIS_URL="redis://cache:6379/0")
    assert settings["CACHES"]["default"]["BACKEND"].endswith("ThrottleCache")
    assert settings["CACHES"]["sessions"]["BACKEND"].endswith("SessionCache")
    assert settings["SESSION_ENGINE"].endswith("cached_db")


def test_without_debug_nothing_falls_back_to_a_known_key(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured):
        load(DEBUG="0", SECRET_KEY="")


def test_with_debug_the_keys_may_be_missing(load: Load) -> None:
    settings = load(DEBUG="1", SECRET_KEY="", FACE_TEMPLATE_KEY="")
    assert settings["SECRET_KEY"].startswith("debug-only")


def test_a_secret_can_be_a_mounted_file(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n", encoding="utf-8")
    settings = load(SECRET_KEY="from the variable", SECRET_KEY_FILE=str(file))
    assert settings["SECRET_KEY"] == "from the file"


def test_a_wrong_address_does_not_repeat_the_password(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(DATABASE_URL="mysql://root:hunter2@localhost/x")
    assert "hunter2" not in str(caught.value)


def test_the_environment_wins_over_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("TIME_ZONE=Europe/Paris\n", encoding="utf-8")
    monkeypatch.setenv("TIME_ZONE", "Europe/Madrid")
    environment.read_env_file(file)
    assert environment.text("TIME_ZONE") == "Europe/Madrid"


def test_the_env_file_fills_in_what_the_environment_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("TIME_ZONE=Europe/Paris\n", encoding="utf-8")
    monkeypatch.setenv("TIME_ZONE", "replaced")  # so that the old value comes back
    monkeypatch.delenv("TIME_ZONE")
    environment.read_env_file(file)
    assert environment.text("TIME_ZONE") == "Europe/Paris"


def test_a_missing_env_file_is_no_fault(tmp_path: Path) -> None:
    environment.read_env_file(tmp_path / ".env")


def test_the_example_names_no_unknown_variable() -> None:
    example = (environment.BASE_DIR / ".env.example").read_text(encoding="utf-8")
    code = (
        "".join(
            (environment.BASE_DIR / name).read_text(encoding="utf-8")
            for name in ("attendance_site/settings.py", "gunicorn.conf.py")
        )
        + '"FACE_TEMPLATE_KEY"'
    )
    names = {
        line.removeprefix("# ").partition("=")[0]
        for line in example.splitlines()
        if line.removeprefix("# ").partition("=")[0].isupper()
    }
    assert {name for name in names if f'"{name}"' not in code} == set()
    assert len(names) > 15


@pytest.mark.parametrize(
    ("public_url", "listening"),
    [
        ("http://localhost:8000", "0.0.0.0:8000"),
        ("http://localhost:8001", "0.0.0.0:8001"),
        ("http://127.0.0.1:9000", "0.0.0.0:9000"),
        ("http://localhost", "0.0.0.0:8000"),
        ("http://register.school.example:9000", "0.0.0.0:8000"),
        ("https://localhost:8443", "0.0.0.0:8000"),
    ],
)
def test_an_address_of_this_machine_alone_decides_where_to_listen(
    monkeypatch: pytest.MonkeyPatch, public_url: str, listening: str
) -> None:
    monkeypatch.delenv("BIND", raising=False)
    assert environment.bind("BIND", public_url=public_url) == listening
    monkeypatch.setenv("BIND", "127.0.0.1:8080")
    assert environment.bind("BIND", public_url=public_url) == "127.0.0.1:8080"
