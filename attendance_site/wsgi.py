"""The WSGI entry point: `gunicorn attendance_site.wsgi`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # One line that says what to change; a traceback would hide it.
    sys.exit(f"Configuration: {error}")
