"""Tables into the house: CSV in any usual spelling, and XLSX, with their line numbers.

Nothing is guessed from statistics, which are wrong for short files; a preview shows
what came of the reading.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from accounts.admin_export import unquoted
from accounts.errors import DomainError

MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 2_000  # characters
# A workbook is an archive of XML: this much is far above MAX_ROWS rows.
MAX_UNPACKED: Final = 200 * 1024 * 1024
DELIMITERS: Final = (";", "\t", ",", "|")
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
TOO_LONG: Final = _("Line %(line)s has a cell that is too long.")
LEFT_OUT: Final = "-"  # in a mapping: this column of ours is not in the file
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
# What Excel writes above the headings so that it reads its own file again.
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)


class TableError(DomainError):
    """A file that can't be read as a table; `line` where one line is to blame."""

    code = "unreadable_table"
    status = 400
    default_detail = _("This file can't be read as a table.")


class TooManyRows(TableError):
    code = "too_many_rows"
    default_detail = _("A file may have up to 20,000 lines. Split it.")


class MissingColumns(TableError):
    code = "missing_columns"
    default_detail = _("The file lacks columns that are needed.")


class UnknownColumns(TableError):
    code = "unknown_columns"
    default_detail = _("`columns` maps names of ours to headings of the file.")


class EmptyTable(TableError):
    code = "empty_table"
    default_detail = _("The file has no lines below its headings.")


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # in the file, the headings being 1
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    headings: list[str]
    rows: list[Row]

    def mapped(
        self, columns: Mapping[str, int]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each line's number and its values by the names of `columns`."""
        for row in self.rows:
            yield (
                row.line,
                {
                    name: row.cells[at] if at < len(row.cells) else ""
                    for name, at in columns.items()
                },
            )


def read_table(content: bytes) -> Table:
    """Read CSV or XLSX, whatever its name says; raises TableError."""
    if content.startswith(b"PK\x03\x04"):
        lines = _xlsx_lines(content)
    else:
        lines = _csv_lines(_decoded(content))
    rows = [row for row in _bounded(lines) if any(row.cells)]
    if not rows:
        raise EmptyTable
    headings, *body = rows
    if not body:
        raise EmptyTable
    for row in body:
        if any(row.cells[len(headings.cells) :]):
            # A comma in a name that stands without quotation marks, most often.
            raise _at_line(
                _("Line %(line)s has more cells than there are headings."), row.line
            )
    return Table(headings.cells, body)


def _at_line(words: StrOrPromise, line: int) -> TableError:
    return TableError(str(words) % {"line": line}, line=line)


def _bounded(lines: Iterable[tuple[int, Sequence[object]]]) -> Iterator[Row]:
    for number, (line, values) in enumerate(lines):
        if number > MAX_ROWS:
            raise TooManyRows
        cells = [_text(value) for value in values[:MAX_COLUMNS]]
        if any(len(cell) > MAX_CELL for cell in cells):
            raise _at_line(TOO_LONG, line)
        yield Row(line, cells)


def _text(value: object) -> str:
    """Return a cell as it would be typed, without what an export put in front."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("T00:00:00", "")
    text = unicodedata.normalize("NFC", str(value)).replace("\x00", "").strip()
    return unquoted(text)


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding)
    # UTF-16 without a mark: every other byte of plain letters is zero.
    head = content[:2000]
    if head[1::2].count(0) > len(head) // 4:
        return _decode(content, "utf-16-le")
    if head[0::2].count(0) > len(head) // 4:
        return _decode(content, "utf-16-be")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_broken_utf8(content):
            raise _unreadable(content[: error.start].decode("utf-8")) from error
    return _decode(content, _one_byte_encoding(content))


def _is_broken_utf8(content: bytes) -> bool:
    """Say whether most letters beyond ASCII are UTF-8: what is not was damaged.

    In a one-byte encoding hardly any of them happens to be valid.
    """
    text = content.decode("utf-8", errors="replace")
    beyond = sum(sign > "\x7f" for sign in text)
    return beyond > 2 * text.count("\ufffd")


def _one_byte_encoding(content: bytes) -> str:
    """Return Windows' Arabic code page for text that is mostly that, else Western.

    The Western one holds all of Latin-1. In Latin scripts accented letters are few; a
    guess from statistics took the ñ of a handful of names for a Polish letter.
    """
    letters = sum(byte >= 0xC0 for byte in content)
    plain_letters = sum(chr(byte).isalpha() for byte in content if byte < 0x80)
    return "cp1256" if letters > plain_letters else "cp1252"


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        good = content[: error.start].decode(encoding, errors="ignore")
        raise _unreadable(good) from error


def _unreadable(before: str) -> TableError:
    """Return the fault of a byte that no letter has, by the text in front of it."""
    line = len(_LINE_END.findall(before)) + 1
    return _at_line(_("Line %(line)s can't be read as text."), line)


def _csv_lines(text: str) -> Iterator[tuple[int, Sequence[object]]]:
    if "\x00" in text:
        raise TableError
    told = _SEPARATOR_LINE.match(text)
    above, delimiter = (1, told[1]) if told else (0, delimiter_of(text))
    body = text[told.end() :] if told else text
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    line = above + 1
    try:
        for cells in reader:
            yield line, cells
            line = above + reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            raise _at_line(TOO_LONG, line) from error
        words = _("Line %(line)s has a quotation mark too many or too few.")
        raise _at_line(words, line) from error


def delimiter_of(text: str) -> str:
    """Return what separates the cells, judged by the headings alone.

    Headings hold no sentences, so the sign that splits them into most cells is it.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=outside.count) if outside else ","


def _xlsx_lines(content: bytes) -> Iterator[tuple[int, Sequence[object]]]:
    stream = io.BytesIO(content)
    try:
        with zipfile.ZipFile(stream) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
                raise TooManyRows
        book: Any = load_workbook(stream, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise TableError from error
    try:
        sheet = book.active
        if sheet is None:
            raise TableError
        yield from enumerate(sheet.iter_rows(values_only=True), start=1)
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise TableError from error
    finally:
        book.close()


def plain(heading: str) -> str:
    """Return a heading without case, accents and signs, to compare it."""
    bare = unicodedata.normalize("NFKD", heading.casefold())
    return re.sub(
        r"[\W_]+", "", "".join(c for c in bare if not unicodedata.combining(c))
    )


def find_columns(
    headings: Sequence[str],
    known: Mapping[str, Sequence[str]],
    *,
    chosen: Mapping[str, str] | None = None,
    needed: Iterable[str] = (),
) -> dict[str, int]:
    """Return the place of each known column that the headings hold.

    `known` maps our names to other words for them; `chosen` maps ours to a heading of
    the file, or to "-" for one to leave out, and wins. Raises MissingColumns with their
    names and the file's headings, and UnknownColumns.
    """
    places: dict[str, int] = {}
    for at, heading in reversed(list(enumerate(headings))):
        places[plain(heading)] = at
    chosen = chosen or {}
    for name, heading in chosen.items():
        if name not in known or not (heading == LEFT_OUT or plain(heading) in places):
            raise UnknownColumns(column=name, headings=list(headings))
    found: dict[str, int] = {}
    for name, others in known.items():
        if chosen.get(name) == LEFT_OUT:
            continue
        words = [chosen[name]] if name in chosen else [name, *others]
        at_once = [places[plain(word)] for word in words if plain(word) in places]
        if at_once:
            found[name] = at_once[0]
    missing = [name for name in needed if name not in found]
    if missing:
        raise MissingColumns(
            _("The file lacks: %(names)s.") % {"names": ", ".join(missing)},
            columns=missing,
            headings=list(headings),
        )
    return found
