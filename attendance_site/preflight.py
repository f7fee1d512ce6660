"""Check the whole configuration once, before any server process exists.

`python -m attendance_site.preflight` says in one line what to change and exits with 1.
It runs in a process of its own: the libraries that a check loads start threads, and a
server that forks its workers afterwards would hand them over broken.
"""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured


def check() -> None:
    """Raise ImproperlyConfigured or EngineError for what would fail later."""
    django.setup()
    from django.conf import settings
    from django.urls import get_resolver

    from faces import runtime

    runtime.check_configuration()
    require_tables()
    write_settings_down()
    if settings.FACE_DEVICE.startswith("cuda"):
        runtime.get_engine()  # only a session shows whether CUDA really loads
    # Read once here, so that a fault in an address ends the start and not a request.
    _ = get_resolver().url_patterns


def require_tables() -> None:
    """Raise ImproperlyConfigured where the database is older than the code.

    One that doesn't answer yet is no fault of the configuration: /health/ready tells.
    """
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
    except DatabaseError:
        return
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ImproperlyConfigured(
            "The database lacks tables of this version: run "
            "`.venv/bin/python manage.py migrate`."
        )


def write_settings_down() -> None:
    """Tell the audit log with which settings the site starts, where they are new."""
    from django.db import DatabaseError

    from attendance_site.recorded import write_if_new

    try:
        write_if_new()
    except DatabaseError:
        return  # one that doesn't answer yet: the next start writes them


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    from faces.engine.errors import EngineError

    try:
        check()
    except (ImproperlyConfigured, EngineError) as error:
        sys.exit(f"Configuration: {error}")


if __name__ == "__main__":
    main()
