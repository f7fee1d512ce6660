"""Download rows of an admin list as CSV, safe to open in a spreadsheet."""

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts import audit
from accounts.audit import Event
from accounts.viewsets import requester

# A heading and how to read the value from a row.
Column = tuple[StrOrPromise, Callable[[Any], object]]
Action = Callable[
    [admin.ModelAdmin[Any], HttpRequest, "QuerySet[Any]"], StreamingHttpResponse
]

# Spreadsheets run a cell that begins so as a formula (OWASP, "CSV Injection").
# The wide ones are what East Asian keyboards type.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
ROWS_A_CHUNK = 1000
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as Latin-1


def export_action(name: str, columns: Sequence[Column]) -> Action:
    """Return the admin action that downloads the chosen rows as `name-DATE.csv`."""

    @admin.action(description=_("Download as CSV"))
    def export_csv(
        modeladmin: admin.ModelAdmin[Any],
        request: HttpRequest,
        queryset: QuerySet[Any],
    ) -> StreamingHttpResponse:
        rows = queryset.count()
        audit.write(Event.EXPORTED, by=requester(request), what=name, rows=rows)
        filename = f"{name}-{timezone.localdate():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            lines(columns, queryset.iterator(chunk_size=ROWS_A_CHUNK)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        )

    return export_csv


def lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of a CSV file, its headings first."""
    writer = csv.writer(_Line())
    yield BYTE_ORDER_MARK + writer.writerow(
        [str(heading) for heading, _read in columns]
    )
    for row in rows:
        yield writer.writerow([cell(read(row)) for _heading, read in columns])


def cell(value: object) -> str:
    """Return a value as text that no spreadsheet runs; moments are local time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dt.datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    return quoted(str(value))


def quoted(text: str) -> str:
    """Put an apostrophe before text that would run; `unquoted` takes it away.

    Before text that only looks quoted too, so that every text comes back as it was.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_SIGNS) else text


def unquoted(text: str) -> str:
    is_quoted = text.startswith("'") and text.lstrip("'").startswith(FORMULA_SIGNS)
    return text[1:] if is_quoted else text


class _Line:
    """A file for `csv.writer` that hands back what is written."""

    def write(self, text: str) -> str:
        return text
