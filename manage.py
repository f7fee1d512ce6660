#!/usr/bin/env python
"""Run the project's management commands."""

import os
import sys


def main() -> None:
    """Run a command; a wrong setting ends in one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from faces.engine.errors import ConfigurationError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, ConfigurationError) as error:
        sys.exit(f"Configuration: {error}")


if __name__ == "__main__":
    main()
