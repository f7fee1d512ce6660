"""Prepare an installation: `.env` with fresh keys, the database, a demo school.

`python -m attendance_site.first_run` does all of it and keeps what is there;
`--env-only` stops after `.env`.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
KEYS = ("SECRET_KEY", "FACE_TEMPLATE_KEY")


def new_value(name: str) -> str:
    if name == "FACE_TEMPLATE_KEY":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(64)


def write_env(path: Path, *, example: Path) -> bool:
    """Write `.env` from its example with fresh keys; never touch one that exists.

    Returns whether it was written. Only its owner may read it.
    """
    lines = []
    for line in example.read_text(encoding="utf-8").splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={new_value(name)}" if name in KEYS else line)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return True


def main(arguments: list[str]) -> None:
    if write_env(BASE_DIR / ".env", example=BASE_DIR / ".env.example"):
        sys.stdout.write("Wrote .env with fresh keys. Keep a copy in a safe place.\n")
    if "--env-only" in arguments:
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from faces.engine.errors import ConfigurationError

    try:
        django.setup()
        from faces import runtime

        runtime.check_configuration()  # before anything is made
        for command in (
            ["migrate", "--noinput", "--verbosity", "0"],
            ["collectstatic", "--noinput", "--verbosity", "0"],
            ["demo_school"],
        ):
            execute_from_command_line(["manage.py", *command])
    except (ImproperlyConfigured, ConfigurationError) as error:
        sys.exit(f"Configuration: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
