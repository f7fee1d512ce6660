"""A table as a file to download, in the format that was asked for."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from accounts.sheets import CSV_TYPE, XLSX_TYPE, csv_lines, xlsx_chunks

FORMATS: Final = ("csv", "xlsx")


class AnyFormat(BaseContentNegotiation):
    """`?format=` is ours here: the framework would look for a renderer of that name."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), "application/json"


def as_file(
    rows: Iterable[Sequence[object]],
    kind: str,
    *,
    name: str,
    title: str,
    what: str,
    by: User,
) -> StreamingHttpResponse:
    """Answer with a table as CSV or XLSX; `title` names the workbook's sheet.

    The audit log says who took `what`, a word for the kind of table.
    """
    audit.write(Event.EXPORTED, by=by, what=what, format=kind)
    plain = "".join(
        sign if sign.isalnum() or sign in "-_" else "-"
        for sign in name
        if sign.isascii()
    )
    content = xlsx_chunks(rows, title=title) if kind == "xlsx" else csv_lines(rows)
    file = f"{plain}-{timezone.localdate():%Y-%m-%d}.{kind}"
    return StreamingHttpResponse(
        content,
        content_type=XLSX_TYPE if kind == "xlsx" else CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )
