"""Tables out of the house: CSV and XLSX that no spreadsheet runs as a formula."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from accounts.admin_export import BYTE_ORDER_MARK, cell

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv; charset=utf-8"
CHUNK = 64 * 1024  # bytes
IN_MEMORY = 8 * 1024 * 1024  # bytes; a larger workbook goes through a file


class _Line:
    """A file for `csv.writer` that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file in UTF-8 with a byte order mark."""
    writer = csv.writer(_Line())
    mark = BYTE_ORDER_MARK
    for row in rows:
        yield mark + writer.writerow([cell(value) for value in row])
        mark = ""


def xlsx_chunks(rows: Iterable[Sequence[object]], *, title: str) -> Iterator[bytes]:
    """Yield the bytes of a workbook with one sheet; rows are never all in memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_title(title))
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        book.save(file)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _sheet_title(title: str) -> str:
    # A sheet's name has up to 31 characters, and none of these.
    return "".join("-" if sign in "[]:*?/\\" else sign for sign in title)[:31] or "1"


def _xlsx_cell(sheet: Any, value: object) -> Any:
    """Return numbers and days as such, and everything else as text, never a formula."""
    if value is None:
        return None
    is_plain = isinstance(value, (int, float, dt.date, dt.time))
    if is_plain and not isinstance(value, (bool, dt.datetime)):
        return value
    made = WriteOnlyCell(sheet, value=None)
    made.value = cell(value)
    # "=1+1" would be taken for a formula by the library itself.
    made.data_type = "s"
    return made
