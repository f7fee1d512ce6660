"""Rosters from a file: read right, looked at first, taken whole or not at all."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from accounts import jobs
from accounts.models import Job, User
from classroom.models import Classroom, Student
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

HEADINGS = "student_id,full_name,class_code,email"
GOOD = f"{HEADINGS}\nN1,Íñigo Núñez,MAT-1,nunez@family.example\nN2,Zoë Zahn,MAT-1,\n"


def table(content: str | bytes, name: str = "roster.csv") -> SimpleUploadedFile:
    encoded = content.encode() if isinstance(content, str) else content
    return SimpleUploadedFile(name, encoded)


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def sent(api: ApiFactory, user: User, content: str | bytes, **fields: Any) -> Any:
    answer: Any = api(user).post(
        "/import/students", {"file": table(content), **fields}, format="multipart"
    )
    if answer.status_code == 202:
        jobs.perform(answer.json()["job_id"])
        job = Job.objects.get(pk=answer.json()["job_id"])
        assert job.state == "done", job.detail
    return answer


def names(classroom: Classroom) -> set[str]:
    return {student.full_name for student in Student.objects.in_class(classroom.pk)}


BOTH = {"Íñigo Núñez", "Zoë Zahn"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD.encode(), id="UTF-8"),
        pytest.param(GOOD.encode("utf-8-sig"), id="with a byte order mark"),
        pytest.param(GOOD.encode("utf-16"), id="UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(GOOD.encode("latin-1"), id="Latin-1"),
        pytest.param(GOOD.replace(",", ";").encode("cp1252"), id="semicolons"),
        pytest.param(GOOD.replace(",", "\t").encode(), id="tabs"),
        pytest.param(GOOD.replace("\n", "\r\n").encode(), id="Windows' line ends"),
        pytest.param(
            workbook(*[tuple(line.split(",")) for line in GOOD.splitlines()]), id="XLSX"
        ),
    ],
)
def test_a_file_is_read_right_however_it_was_saved(
    api: ApiFactory, alice: User, maths: Classroom, content: bytes
) -> None:
    assert sent(api, alice, content).status_code == 202
    assert names(maths) == BOTH
    assert Student.objects.get(student_id="N1").email == "nunez@family.example"


def test_arabic_names_are_read_in_windows_own_spelling(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    people = ["أحمد محمد عبد الله", "فاطمة الزهراء", "عائشة بنت عبد الرحمن"]
    lines = [f"N{number},{name},MAT-1" for number, name in enumerate(people)]
    arabic = "\n".join(["student_id,full_name,class_code", *lines])
    sent(api, alice, arabic.encode("cp1256"))
    assert "فاطمة الزهراء" in names(maths)


def test_a_preview_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    answer = sent(api, alice, GOOD, preview="true")
    assert answer.status_code == 200
    assert answer.json()["counts"] == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "enrolled": 2,
    }
    assert names(maths) == set()
    assert not Job.objects.exists()


def test_the_same_file_again_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, GOOD)
    counts = sent(api, alice, GOOD, preview="true").json()["counts"]
    assert counts == {"created": 0, "updated": 0, "unchanged": 2, "enrolled": 0}


def test_a_later_file_updates_and_an_empty_cell_leaves_what_is_there(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, GOOD)
    sent(api, alice, f"{HEADINGS}\nN1,Íñigo N. Núñez,MAT-1,\n")
    student = Student.objects.get(student_id="N1")
    assert student.full_name == "Íñigo N. Núñez"
    assert student.email == "nunez@family.example"


def test_one_bad_line_stops_the_whole_file(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    answer = sent(api, alice, GOOD + "N3,Bad Mail,MAT-1,nothing\n")
    assert (answer.status_code, answer.json()["code"]) == (400, "import_refused")
    assert not Student.objects.exists()


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        (",No Code,MAT-1,", "student_id", "required"),
        ("N3,,MAT-1,", "full_name", "required"),
        ("N3,No Class,NO-1,", "class_code", "unknown_class"),
        ("N3,Nowhere,,", "class_code", "required"),
        ("N3,Bad Mail,MAT-1,nothing", "email", "invalid"),
        (f"{'N' * 33},Long,MAT-1,", "student_id", "too_long"),
        ("N1,Somebody Else,MAT-1,", "student_id", "repeated"),
    ],
)
def test_a_fault_names_its_line_and_column(
    api: ApiFactory, alice: User, maths: Classroom, line: str, column: str, code: str
) -> None:
    errors = sent(api, alice, f"{GOOD}{line}\n").json()["errors"]
    assert {(4, column, code)} == {
        (error["line"], error["column"], error["code"]) for error in errors
    }


def test_an_open_quotation_mark_is_found_on_its_line(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    body = sent(api, alice, f'{GOOD}N3,"Open,MAT-1,\n').json()
    assert (body["code"], body["line"]) == ("unreadable_table", 4)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(f"{HEADINGS}\nN1,Núñez,,\nN2,Zo\xff,,\n", 3, id="broken UTF-8"),
        pytest.param(f"{HEADINGS}\nN1,B\x81b,,\n", 2, id="no letter of Windows'"),
        pytest.param(f"{HEADINGS}\nN1,Castro, Cleo,MAT-1,x\n", 2, id="a comma more"),
        pytest.param(f"{HEADINGS}\nN1,{'a' * 200_000},,\n", 2, id="a cell too long"),
    ],
)
def test_a_broken_file_is_answered_with_the_line(
    api: ApiFactory, alice: User, content: str, line: int
) -> None:
    # Only the two signs above stand for bytes that are no UTF-8.
    damaged = content.encode().replace(b"\xc3\xbf", b"\xff")
    body = sent(api, alice, damaged.replace(b"\xc2\x81", b"\x81")).json()
    assert (body["code"], body["line"]) == ("unreadable_table", line)


def test_the_line_that_excel_writes_above_is_heeded(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    text = "sep=|\r\n" + GOOD.replace(",", "|")
    assert sent(api, alice, text).status_code == 202
    assert names(maths) == BOTH
    errors = sent(api, alice, text + "N3|Nobody|NO-1|\n").json()["errors"]
    assert errors[0]["line"] == 5


def test_headings_are_known_by_other_names_and_in_any_order(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, "Clase;Nombre completo;Matrícula\nMAT-1;Íñigo Núñez;N1\n")
    assert names(maths) == {"Íñigo Núñez"}


def test_columns_are_mapped_by_hand(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    text = "Nr;Wer;Wo\nN1;Zoë Zahn;MAT-1\n"
    missing = sent(api, alice, text).json()
    assert (missing["code"], missing["headings"]) == (
        "missing_columns",
        ["Nr", "Wer", "Wo"],
    )
    columns = '{"student_id": "Nr", "full_name": "Wer", "class_code": "Wo"}'
    assert sent(api, alice, text, columns=columns).status_code == 202
    assert names(maths) == {"Zoë Zahn"}


@pytest.mark.parametrize("columns", ['{"email": "Nothing"}', '{"age": "full_name"}'])
def test_a_mapping_to_what_is_not_there_is_refused(
    api: ApiFactory, alice: User, columns: str
) -> None:
    assert sent(api, alice, GOOD, columns=columns).json()["code"] == "unknown_columns"


def test_a_column_may_be_left_out(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, GOOD, columns='{"email": "-"}')
    assert Student.objects.get(student_id="N1").email == ""


def test_a_class_of_the_next_year_is_filled_before_it_begins(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    later = Classroom.objects.create(
        class_name="Next", class_code="NXT", school_year="2099/2100", teacher=alice
    )
    sent(api, alice, "student_id,full_name,class_code\nN1,Zoë Zahn,NXT\n")
    assert names(later) == {"Zoë Zahn"}


def test_of_two_classes_of_a_code_the_year_decides(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    later = Classroom.objects.create(
        class_name="Next", class_code="MAT-1", school_year="2099/2100", teacher=alice
    )
    head = "student_id,full_name,class_code,school_year\n"
    sent(api, alice, f"{head}N1,Íñigo Núñez,MAT-1,2099/2100\nN2,Zoë Zahn,MAT-1,\n")
    assert (names(later), names(maths)) == ({"Íñigo Núñez"}, {"Zoë Zahn"})


def test_a_class_is_named_once_for_all(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, "student_id,full_name\nN1,Zoë Zahn\n", class_id=maths.pk)
    assert names(maths) == {"Zoë Zahn"}


def test_a_strangers_class_is_as_unknown_as_none(
    api: ApiFactory, alice: User, maths: Classroom, history: Classroom
) -> None:
    answer = sent(api, alice, f"{HEADINGS}\nN1,Zoë Zahn,HIS-1,\n")
    assert answer.json()["errors"][0]["code"] == "unknown_class"


def test_a_strangers_student_is_neither_changed_nor_taken(
    api: ApiFactory, alice: User, maths: Classroom, outsider: Student
) -> None:
    text = f"{HEADINGS}\n{outsider.student_id},New Name,MAT-1,\n"
    assert sent(api, alice, text).json()["errors"][0]["code"] == "not_yours"
    outsider.refresh_from_db()
    assert outsider.full_name == "Otto Outsider"


def test_the_lines_are_forgotten_once_they_are_in(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, GOOD)
    assert Job.objects.get().arguments == {}


def test_the_page_shows_a_preview_and_imports_what_was_confirmed(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    page = client.post("/app/import/students/", {"file": table(GOOD)})
    assert "Íñigo Núñez" in page.content.decode()
    assert not Student.objects.exists()
    form = {"table": page.context["sealed"], "confirmed": ""}
    answer = client.post("/app/import/students/", form)
    job = Job.objects.get()
    assert answer.headers["Location"] == f"/app/jobs/{job.pk}/"
    jobs.perform(job.pk)
    assert names(maths) == BOTH


def test_a_preview_is_no_use_to_a_stranger(
    client: Client, alice: User, stranger: User, maths: Classroom
) -> None:
    client.force_login(alice)
    page = client.post("/app/import/students/", {"file": table(GOOD)})
    form = {"table": page.context["sealed"], "confirmed": ""}
    client.force_login(stranger)
    answer = client.post("/app/import/students/", form)
    assert answer.status_code == 409
    assert not Job.objects.exists()


def test_the_page_lists_faults_with_their_lines(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    bad = f"{GOOD}N3,Bad Mail,MAT-1,nothing\n"
    page = client.post("/app/import/students/", {"file": table(bad)})
    assert "is no e-mail address" in page.content.decode()
    assert 'name="confirmed"' not in page.content.decode()


def test_the_page_asks_which_column_is_which_and_keeps_the_file(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    text = "Nr;Wer;Wo\nN1;Zoë Zahn;MAT-1\n"
    page = client.post("/app/import/students/", {"file": table(text)})
    assert (page.status_code, page.context["headings"]) == (400, ["Nr", "Wer", "Wo"])
    form = {
        "table": page.context["sealed"],
        "column-student_id": "Nr",
        "column-full_name": "Wer",
        "column-class_code": "Wo",
    }
    page = client.post("/app/import/students/", form)
    assert page.context["lines"] == [(2, ["N1", "Zoë Zahn", "MAT-1"])]
    client.post("/app/import/students/", form | {"confirmed": ""})
    jobs.perform(Job.objects.get().pk)
    assert names(maths) == {"Zoë Zahn"}


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"PK\x03\x04 no workbook", b"\x00\x01"]
)
def test_what_is_no_table_is_refused(
    api: ApiFactory, alice: User, maths: Classroom, content: bytes
) -> None:
    assert sent(api, alice, content).status_code == 400


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_is_imported_as_the_same(
    api: ApiFactory, alice: User, maths: Classroom, kind: str
) -> None:
    sent(api, alice, f"{HEADINGS},phone\nN1,=Íñigo,MAT-1,n@family.example,+34 600\n")
    before = list(Student.objects.values("student_id", "full_name", "email", "phone"))
    query: Any = {"class_id": maths.pk, "format": kind}
    answer: Any = api(alice).get("/export/students", query)
    file = b"".join(answer.streaming_content)
    Student.objects.update(full_name="Changed", phone="", email="")
    assert sent(api, alice, file).status_code == 202
    after = list(Student.objects.values("student_id", "full_name", "email", "phone"))
    assert after == before
    assert names(maths) == {"=Íñigo"}


def test_a_stranger_exports_no_roster(
    api: ApiFactory, stranger: User, maths: Classroom
) -> None:
    query = {"class_id": maths.pk}
    assert api(stranger).get("/export/students", query).status_code == 404
