"""What leaves the house as a table comes back as it was."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.admin_export import FORMULA_SIGNS
from accounts.sheets import csv_lines, xlsx_chunks
from accounts.tables import read_table

# What may stand in a name or a note: no control characters, and what openpyxl and XML
# can hold. Blanks at the ends and the way an accent is composed are not kept.
texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=40
).map(lambda text: unicodedata.normalize("NFC", text).strip())
risky = st.builds(
    lambda quotes, sign, rest: ("'" * quotes + sign + rest).strip(),
    st.integers(0, 3),
    st.sampled_from([sign for sign in FORMULA_SIGNS if sign.strip()]),
    texts,
)
tables = st.lists(st.tuples(texts, texts | risky), min_size=1, max_size=5).filter(
    lambda rows: all(any(row) for row in rows)
)
HEAD = ("name", "note")
untimed = settings(deadline=None)  # a busy machine is no fault


def read(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_table(content).rows]


@untimed
@given(tables)
def test_csv_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    content = "".join(csv_lines([HEAD, *rows])).encode()
    assert read(content) == [list(row) for row in rows]


@untimed
@given(tables)
def test_a_workbook_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    content = b"".join(xlsx_chunks([HEAD, *rows], title="Roster"))
    assert read(content) == [list(row) for row in rows]


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_no_sign_that_a_spreadsheet_runs_comes_first(sign: str) -> None:
    (_mark_and_head, line) = csv_lines([["note"], [f"{sign}1+1"]])
    assert line.lstrip('"').startswith("'")
