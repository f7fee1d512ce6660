"""Read settings from the environment or `.env`, each checked with a clear message."""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
TEMPLATE_KEY_BYTES = 32  # AES-256
DEFAULT_PORT = 8000
DEFAULT_URL = f"http://localhost:{DEFAULT_PORT}"
SHORTEST_TOKEN = 20  # characters
SQLITE = "attendance_site.private_sqlite"

# `NAME_FILE` is read where `NAME` is wanted, so that secrets can be mounted as files.
env = environ.FileAwareEnv()


def read_env_file(path: Path) -> None:
    """Add the values of a `.env` file; the real environment wins over it."""
    if not path.is_file():
        return
    try:
        env.read_env(str(path))
    except OSError as error:  # it looks whether NAME_FILE already gives a value
        raise unreadable(error) from error


def unreadable(error: OSError) -> ImproperlyConfigured:
    names = [name for name, value in os.environ.items() if value == error.filename]
    return ImproperlyConfigured(
        f"{', '.join(names)}={error.filename} can't be read ({error.strerror}); "
        "give it a readable file."
    )


def text(name: str, default: str = "") -> str:
    try:
        return str(env.str(name, default=default)).strip()
    except OSError as error:
        raise unreadable(error) from error


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value} is neither on nor off; use 1 or 0.")


def choice(name: str, options: Sequence[str], *, default: str) -> str:
    value = text(name).lower() or default
    if value not in options:
        raise ImproperlyConfigured(
            f"{name}={value} is not known; use one of: {', '.join(options)}."
        )
    return value


def whole_number(name: str, *, default: int, low: int, high: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ImproperlyConfigured(
            f"{name}={value} must be a whole number from {low} to {high}."
        )
    return number


def optional_fraction(name: str) -> float | None:
    """Read a number from 0 to 1; an empty value means "the pack's own"."""
    value = text(name)
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ImproperlyConfigured(
            f"{name}={value} must be between 0 and 1; "
            "leave it empty for the pack's calibrated value."
        )
    return number


def secret(name: str, *, debug: bool, debug_value: str) -> str:
    value = text(name)
    if value:
        return value
    if debug:
        return debug_value
    raise ImproperlyConfigured(
        f"{name} is missing. Run `make install` to write .env with fresh keys, "
        f"or set {name} or {name}_FILE."
    )


def secrets_list(name: str, *, default: str) -> tuple[str, ...]:
    """Return the secrets of a comma list, the one in use first."""
    parts = [part.strip() for part in text(name).split(",")]
    return tuple(part for part in parts if part) or (default,)


def token(name: str) -> str:
    """Return a secret that nobody can guess, or nothing."""
    value = text(name)
    if value and len(value) < SHORTEST_TOKEN:
        raise ImproperlyConfigured(
            f"{name} is shorter than {SHORTEST_TOKEN} characters. Make one with: "
            'python -c "import secrets;print(secrets.token_urlsafe(32))"'
        )
    return value


def template_keys(*, debug: bool) -> tuple[bytes, ...]:
    """Return the AES-256 keys of the face templates; the first one encrypts."""
    name = "FACE_TEMPLATE_KEY"
    debug_value = base64.urlsafe_b64encode(b"debug-only-template-key-32-bytes").decode()
    value = secret(name, debug=debug, debug_value=debug_value)
    keys = []
    for number, part in enumerate(value.split(","), start=1):
        try:
            key = base64.urlsafe_b64decode(part.strip())
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != TEMPLATE_KEY_BYTES:
            raise ImproperlyConfigured(
                f"{name}: key {number} is not the urlsafe base64 of 32 bytes. Make one "
                'with: python -c "import base64,os;'
                'print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
            )
        keys.append(key)
    return tuple(keys)


def time_zone(name: str, *, default: str) -> str:
    value = text(name) or default
    if value not in available_timezones():
        raise ImproperlyConfigured(
            f"{name}={value} is not a time zone; use a name such as Europe/Madrid."
        )
    return value


def public_url(name: str) -> str:
    """Return the address users type, as scheme://host[:port] without a path."""
    value = (text(name) or DEFAULT_URL).rstrip("/")
    try:
        parts = urlsplit(value)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname)
        well_formed = well_formed and not parts.path and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ImproperlyConfigured(
            f"{name}={value} is not an address; use http(s)://host[:port] "
            "without a path."
        )
    return value


def bind(name: str, *, public_url: str) -> str:
    """Return the address to listen at, as host:port.

    Without a value it is the port of a `public_url` that is this machine's own; any
    other address may be that of a proxy in front.
    """
    parts = urlsplit(public_url)
    own = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"}
    port = parts.port if own and parts.port else DEFAULT_PORT
    return text(name) or f"0.0.0.0:{port}"


def readable_file(name: str) -> str | None:
    """Return the path of a file that can be read, or None for an empty value."""
    value = text(name)
    if not value:
        return None
    try:
        Path(value).open("rb").close()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}={value} can't be read ({error.strerror}); give it a readable file."
        ) from error
    return value


def networks(name: str, *, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses and networks of a comma list; `none` stands for no one."""
    value = text(name) or default
    if value.lower() == "none":
        return ()
    try:
        return tuple(ip_network(part.strip()) for part in value.split(","))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}={value} is not a list of addresses; use 127.0.0.1, 10.0.0.0/24 "
            "or none."
        ) from error


def database(name: str, *, default: str) -> dict[str, object]:
    """Return Django's settings of one database from its URL."""
    value = text(name) or default
    # Checked first: the parser warns of a strange address by printing its password.
    if not value.startswith(("sqlite://", "postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            f"{name}: only sqlite:// and postgres:// databases are supported; use "
            "sqlite:///file or postgres://user:password@host/name."
        )
    try:
        settings = dict(env.db_url_config(value))
    except (ValueError, KeyError, environ.ImproperlyConfigured) as error:
        raise ImproperlyConfigured(
            f"{name} is not a database address; use sqlite:///file or "
            "postgres://user:password@host/name."
        ) from error
    if value.startswith("sqlite://"):
        settings["ENGINE"] = SQLITE
        # Immediate transactions wait for the write lock instead of failing half-way;
        # secure_delete overwrites removed templates on disk.
        settings["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                "PRAGMA secure_delete=ON;"
            ),
        }
        # A file, because threads that share an in-memory database lock each other out.
        # Each run has its own, so that two runs at once don't meet.
        name = f"attendance-test-{os.getpid()}.sqlite3"
        settings["TEST"] = {"NAME": str(Path(tempfile.gettempdir()) / name)}
    else:
        settings["CONN_MAX_AGE"] = 60
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


def folder_beside_database(name: str, *, database: dict[str, object]) -> Path:
    """Return a folder that is made when it is needed: by default near the database."""
    value = text(name)
    if value:
        return Path(value)
    is_file = database.get("ENGINE") == SQLITE
    place = Path(str(database["NAME"])).parent if is_file else BASE_DIR
    return place / "spool"


def redis_url(name: str) -> str:
    """Return the address of a Redis server, or nothing."""
    value = text(name)
    if not value or value.startswith(("redis://", "rediss://", "unix://")):
        return value
    raise ImproperlyConfigured(
        f"{name} is not a Redis address; use redis://host:6379/0."
    )


def device(name: str) -> str:
    """Return auto, cpu, cuda or cuda:N."""
    value = text(name).lower() or "auto"
    kind, _, number = value.partition(":")
    if value in {"auto", "cpu", "cuda"} or (kind == "cuda" and number.isdigit()):
        return value
    raise ImproperlyConfigured(
        f"{name}={value} is not known; use auto, cpu, cuda or cuda:N."
    )


def email(name: str) -> dict[str, object]:
    """Return Django's EMAIL_* settings; without a value mail goes to the log."""
    value = text(name) or "consolemail://"
    try:
        return dict(env.email_url_config(value))
    except (ValueError, KeyError, environ.ImproperlyConfigured) as error:
        raise ImproperlyConfigured(
            f"{name} is not a mail address; use smtp+tls://user:password@host:587."
        ) from error
