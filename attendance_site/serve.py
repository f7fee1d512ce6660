"""Start gunicorn with the site: `python -m attendance_site.serve`.

gunicorn reads WEB_CONCURRENCY while it is imported, before it asks gunicorn.conf.py,
and ends in a traceback where that is no number: an empty one, as compose.yaml hands it
on, too.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from attendance_site import environment as conf

WORKERS = "WEB_CONCURRENCY"


def main() -> None:
    """Run gunicorn; more arguments are its own."""
    try:
        # The default is chosen later; here it only stands for no number at all.
        conf.whole_number(WORKERS, default=1, low=1, high=256)
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration: {error}")
    if not os.environ.get(WORKERS, "").strip():
        os.environ.pop(WORKERS, None)
    from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]

    sys.argv[1:1] = ["attendance_site.wsgi"]
    run()


if __name__ == "__main__":
    main()
