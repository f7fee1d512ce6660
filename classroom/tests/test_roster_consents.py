"""The consent columns of a roster: read once, never against a later word."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import jobs
from accounts.models import User
from classroom.consents import current_consent, say_no
from classroom.models import Classroom, Consent, ConsentState, Student
from classroom.tests.factories import days
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

HEADINGS = (
    "student_id,full_name,class_code,"
    "consent_by,consent_relation,consent_date,consent_until\n"
)


def sent(api: ApiFactory, user: User, *lines: str) -> Any:
    content = (HEADINGS + "\n".join(lines)).encode()
    file = SimpleUploadedFile("roster.csv", content)
    answer: Any = api(user).post("/import/students", {"file": file}, format="multipart")
    if answer.status_code == 202:
        jobs.perform(answer.json()["job_id"])
    return answer


def state(code: str) -> str:
    known = current_consent(Student.objects.get(student_id=code))
    return known.state() if known else ConsentState.NONE


def test_a_line_brings_a_students_consent(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(
        api,
        alice,
        "N1,Nia New,MAT-1,Nora New,mother,2026-09-01,2099-07-31",
        "N2,Noa New,MAT-1,,,,",
    )
    given = Consent.objects.get()
    assert (given.student.student_id, given.given_by) == ("N1", "Nora New")
    assert (given.relation, given.recorded_by) == ("parent", alice)
    assert (str(given.given_on), str(given.until)) == ("2026-09-01", "2099-07-31")
    assert (state("N1"), state("N2")) == ("given", "none")


def test_the_preview_counts_them(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    content = HEADINGS + "N1,Nia New,MAT-1,Nora New,parent,2026-09-01,"
    file = SimpleUploadedFile("roster.csv", content.encode())
    form = {"file": file, "preview": "true"}
    told = api(alice).post("/import/students", form, format="multipart").json()
    assert told["counts"]["consents"] == 1
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("Nora New,parent,,", "consent_date", "required"),
        (",parent,2026-09-01,", "consent_by", "required"),
        ("Nora New,neighbour,2026-09-01,", "consent_relation", "unknown_relation"),
        ("Nora New,parent,1 Sept,", "consent_date", "invalid"),
        ("Nora New,parent,2999-01-01,", "consent_date", "future"),
        ("Nora New,parent,2026-09-01,2026-08-01", "consent_until", "too_early"),
        ("N" * 151 + ",parent,2026-09-01,", "consent_by", "too_long"),
    ],
)
def test_a_fault_names_its_line_and_column(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    cells: str,
    column: str,
    code: str,
) -> None:
    answer = sent(api, alice, f"N1,Nia New,MAT-1,{cells}")
    assert answer.status_code == 400
    faults = answer.json()["errors"]
    assert (faults[0]["line"], faults[0]["column"]) == (2, column)
    assert faults[0]["code"] == code
    assert not Student.objects.filter(student_id="N1").exists()


LINE = "N1,Nia New,MAT-1,Nora New,parent,2026-09-01,"


def test_the_same_roster_again_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, LINE)
    sent(api, alice, LINE)
    assert Consent.objects.count() == 1


def test_the_same_roster_again_never_undoes_a_withdrawal(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, LINE)
    say_no(Student.objects.get(student_id="N1"), said_by="Nia", by=alice)
    assert sent(api, alice, LINE).status_code == 202
    assert state("N1") == "withdrawn"


def test_another_answer_from_before_the_withdrawal_is_a_fault(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, LINE)
    say_no(Student.objects.get(student_id="N1"), said_by="Nia", by=alice)
    answer = sent(api, alice, LINE.replace("2026-09-01", "2026-09-02"))
    assert answer.json()["errors"][0]["code"] == "not_the_latest"
    assert state("N1") == "withdrawn"


def test_a_renewal_replaces_the_answer_before(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, LINE + days(-30).isoformat())
    assert state("N1") == "expired"
    sent(api, alice, f"N1,Nia New,MAT-1,Nora New,parent,{days(0)},")
    assert state("N1") == "given"


def test_two_lines_that_disagree_are_a_fault(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    answer = sent(api, alice, LINE, LINE.replace("Nora", "Noah"))
    assert answer.json()["errors"][0]["code"] == "repeated"


def test_a_strangers_roster_gives_no_consent_for_others(
    api: ApiFactory, stranger: User, history: Classroom, students: list[Student]
) -> None:
    code = students[0].student_id
    cells = "Sam Stranger,parent,2026-09-01,"
    answer = sent(api, stranger, f"{code},Cleo Castro,HIS-1,{cells}")
    assert answer.status_code == 400
    assert not Consent.objects.exists()


def test_what_a_class_exports_can_be_read_back(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    sent(api, alice, LINE + "2099-07-31", "N2,Noa New,MAT-1,,,,")
    answer: Any = api(alice).get("/export/students", {"class_id": maths.pk})
    exported = b"".join(answer.streaming_content)
    assert b"Nora New,parent,2026-09-01,2099-07-31" in exported
    file = SimpleUploadedFile("roster.csv", exported)
    again = api(alice).post("/import/students", {"file": file}, format="multipart")
    assert again.status_code == 202
    jobs.perform(again.json()["job_id"])
    assert Consent.objects.count() == 1
    assert state("N1") == "given"
