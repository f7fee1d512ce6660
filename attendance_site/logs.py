"""The log: one line an event, with the request's id, and of people nothing but ids.

`LOG_FORMAT=json` writes an object a line, for whatever collects logs; `line` writes
what a person reads. gunicorn's own words go the same way (`gunicorn.conf.py`).
"""

import logging
import re
import traceback
import uuid
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FIELDS = ["levelname", "name", "message", "request_id"]
NAMES = {"levelname": "level", "name": "logger", "exc_info": "traceback"}
# What proxies make: UUIDs and the like. Anything else could be somebody's name.
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")

# Of the request that this thread works on; empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")


def accepted_id(stated: str) -> str:
    """Return the id that a proxy of ours states, or a new one where it is none."""
    return stated if REQUEST_ID.fullmatch(stated) else uuid.uuid4().hex


class PrivateFilter(logging.Filter):
    """Add the request's id, and take out what a library says of a request's content.

    Django and gunicorn name the whole address of a request that failed. It may hold a
    token or a name, and the line of the request says which page it was.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if record.__dict__.pop("request", None) is not None:
            status = record.__dict__.pop("status_code", "")
            record.msg, record.args = f"the request failed: {status}".strip(": "), ()
        elif record.name == "gunicorn.error" and "request" in str(record.msg):
            record.msg, record.args = "a request failed before it was read", ()
        return True


class PrivateTraceback:
    """Write where a fault happened and of what kind it is, without its message.

    A message quotes values: PostgreSQL's names the row that was refused. The lines of
    the code and the kind say what went wrong; only faults of the outside world (a
    server that doesn't answer, a file that can't be read) need their words.
    """

    def formatException(self, ei: Any) -> str:
        parts = []
        error = ei[1]
        while error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{type(error).__qualname__}{_words(error)}")
            hidden = error.__suppress_context__
            error = error.__cause__ or (None if hidden else error.__context__)
        return "\nwhich was caused by:\n".join(parts)


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror}"
    if type(error).__name__ == "OperationalError":
        return f": {str(error).strip()}"
    return ""


class Line(PrivateTraceback, logging.Formatter):
    """A line for people; the request's id at its end, so that lines can be matched."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        known = getattr(record, "request_id", "")
        return f"{line} [{known}]" if known else line


class Json(PrivateTraceback, JsonFormatter):
    """An object a line: time, level, logger, message, request_id, and an event's own
    fields."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value for key, value in log_data.items() if value not in ("", None)
        }


def configuration(style: str) -> dict[str, Any]:
    """Return what `logging.config` takes, for a style of `json` or `line`."""
    formatters: dict[str, Any] = {
        "json": {
            "()": Json,
            "fmt": FIELDS,
            "rename_fields": NAMES,
            "timestamp": "time",
        },
        "line": {"()": Line, "fmt": LINE},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"private": {"()": PrivateFilter}},
        "formatters": {"chosen": formatters[style]},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "chosen",
                "filters": ["private"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "faces": {"level": "INFO"},
            "accounts": {"level": "INFO"},
            "attendance": {"level": "INFO"},
            "attendance_site": {"level": "INFO"},
            # Masks all that would help, and the audit log has it.
            "axes": {"level": "ERROR"},
            # Says at each HEAD that its body was dropped, which is what should happen.
            "gunicorn.http.wsgi": {"level": "ERROR"},
            "gunicorn.error": {"handlers": [], "level": "WARNING", "propagate": True},
            # The default also mails tracebacks; here errors go to the log alone.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # What a client did wrong is in the line of its request.
            "django.request": {"level": "ERROR"},
        },
    }
