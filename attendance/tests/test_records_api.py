"""/attendance: manual marks, corrections, lists, history and the summary."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Record, Source, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student
from conftest import ApiFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(maths: Classroom, students: list[Student], alice: User) -> Record:
    return make_record(make_session(maths), students[0], by=alice)


@pytest.fixture
def theirs(history: Classroom, outsider: Student) -> Record:
    return make_record(make_session(history), outsider)


def ids(answer: Any) -> set[int]:
    assert answer.status_code == 200
    return {line["id"] for line in answer.json()["results"]}


# --- By hand


def test_a_student_is_marked_by_hand(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    body = {
        "class_id": maths.pk,
        "student_id": students[0].pk,
        "status": "excused",
        "note": "Dentist",
    }
    told = api(alice).post("/attendance", body).json()
    record = Record.objects.get()
    assert told == {
        "id": record.pk,
        "session_id": record.session_id,
        "class_id": maths.pk,
        "date": str(days(0)),
        "student_id": students[0].pk,
        "student": {
            "id": students[0].pk,
            "student_id": students[0].student_id,
            "full_name": students[0].full_name,
        },
        "status": "excused",
        "source": "manual",
        "confidence_score": None,
        "marked_at": told["marked_at"],
        "marked_by_id": alice.pk,
        "note": "Dentist",
        "flags": [],
    }


def test_marking_again_by_hand_corrects_the_line(
    api: ApiFactory, alice: User, record: Record
) -> None:
    body = {
        "session_id": record.session_id,
        "student_id": record.student_id,
        "status": "absent",
    }
    told = api(alice).post("/attendance", body).json()
    assert (told["id"], told["status"]) == (record.pk, "absent")


def test_a_closed_register_can_still_be_corrected(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    client = api(alice)
    session = make_session(maths)
    client.post(f"/sessions/{session.pk}/close")
    body = {"class_id": maths.pk, "student_id": students[0].pk, "status": "late"}
    told = client.post("/attendance", body).json()
    assert (told["session_id"], told["status"]) == (session.pk, "late")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "gone"}, "status"),
        ({"status": ""}, "status"),
        ({"student_id": "x"}, "student_id"),
        ({"student_id": 10**30}, "student_id"),
        ({"note": "n" * 501}, "note"),
        ({"class_id": None}, "class_id"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    change: dict[str, object],
    field: str,
) -> None:
    body = {"class_id": maths.pk, "student_id": students[0].pk, "status": "late"}
    answer = api(alice).post("/attendance", body | change, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_either_a_class_or_a_session_is_needed(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    body = {"student_id": students[0].pk, "status": "late"}
    answer = api(alice).post("/attendance", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["class_id"])


def test_a_session_and_another_class_do_not_go_together(
    api: ApiFactory, admin: User, record: Record, history: Classroom
) -> None:
    body = {
        "session_id": record.session_id,
        "class_id": history.pk,
        "student_id": record.student_id,
        "status": "late",
    }
    assert api(admin).post("/attendance", body).status_code == 404


def test_a_student_of_another_class_is_refused(
    api: ApiFactory, admin: User, maths: Classroom, outsider: Student
) -> None:
    body = {"class_id": maths.pk, "student_id": outsider.pk, "status": "late"}
    answer = api(admin).post("/attendance", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_in_class")


def test_a_stranger_marks_nobody(
    api: ApiFactory, stranger: User, maths: Classroom, students: list[Student]
) -> None:
    body = {"class_id": maths.pk, "student_id": students[0].pk, "status": "late"}
    assert api(stranger).post("/attendance", body).status_code == 404
    assert not Record.objects.exists()


def test_a_substitute_marks_while_the_access_lasts(
    api: ApiFactory,
    bob: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    body = {"class_id": maths.pk, "student_id": students[0].pk, "status": "late"}
    assert api(bob).post("/attendance", body).status_code == 200
    bob.accesses.update(ends_on=days(-1))
    assert api(bob).post("/attendance", body).status_code == 404


# --- Corrections and their history


def test_a_correction_keeps_its_reason_in_the_history(
    api: ApiFactory, alice: User, admin: User, record: Record
) -> None:
    url = f"/attendance/{record.pk}"
    body = {"status": "late", "note": "Bus"}
    told = api(admin).patch(url, body, format="json").json()
    assert (told["status"], told["source"], told["note"]) == ("late", "manual", "Bus")
    newest, oldest = api(alice).get(f"{url}/history").json()
    assert (newest["from_status"], newest["to_status"]) == ("present", "late")
    assert (newest["changed_by"], newest["reason"]) == (admin.full_name, "Bus")
    assert (oldest["from_status"], oldest["to_status"]) == (None, "present")


def test_a_note_alone_keeps_the_status(
    api: ApiFactory, alice: User, record: Record
) -> None:
    url = f"/attendance/{record.pk}"
    told = api(alice).patch(url, {"note": "Left early"}, format="json").json()
    assert (told["status"], told["note"]) == ("present", "Left early")


@pytest.mark.parametrize("end", ["", "/history"])
def test_a_strangers_record_is_not_found(
    api: ApiFactory, stranger: User, record: Record, end: str
) -> None:
    assert api(stranger).get(f"/attendance/{record.pk}{end}").status_code == 404


def test_a_stranger_corrects_nothing(
    api: ApiFactory, stranger: User, record: Record
) -> None:
    url = f"/attendance/{record.pk}"
    answer = api(stranger).patch(url, {"status": "absent"}, format="json")
    record.refresh_from_db()
    assert (answer.status_code, record.status) == (404, Status.PRESENT)


# --- Lists


def test_today_shows_own_classes_alone(
    api: ApiFactory, alice: User, admin: User, record: Record, theirs: Record
) -> None:
    assert ids(api(alice).get("/attendance/today")) == {record.pk}
    assert ids(api(admin).get("/attendance/today")) == {record.pk, theirs.pk}


def test_today_leaves_yesterday_out(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_record(make_session(maths, date=days(-1)), students[0])
    assert ids(api(alice).get("/attendance/today")) == set()


def test_a_class_is_listed_by_dates_and_session(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    records = [
        make_record(make_session(maths, date=days(day)), students[0])
        for day in (-2, -1, 0)
    ]
    url = f"/attendance/by-class/{maths.pk}"
    client = api(alice)
    assert ids(client.get(url)) == {record.pk for record in records}
    since = client.get(url, {"from": str(days(-1))})
    assert ids(since) == {records[1].pk, records[2].pk}
    until = client.get(url, {"to": str(days(-2))})
    assert ids(until) == {records[0].pk}
    of_session = client.get(url, {"session_id": records[1].session_id})
    assert ids(of_session) == {records[1].pk}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"session_id": "x"}, "session_id"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["by-class", "summary"])
def test_a_wrong_period_is_named(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    kind: str,
    query: dict[str, str],
    field: str,
) -> None:
    answer = api(alice).get(f"/attendance/{kind}/{maths.pk}", query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("kind", ["by-class", "summary"])
def test_a_strangers_class_is_not_found(
    api: ApiFactory, stranger: User, maths: Classroom, record: Record, kind: str
) -> None:
    assert api(stranger).get(f"/attendance/{kind}/{maths.pk}").status_code == 404


@pytest.mark.parametrize("size", [1, 30])
def test_a_list_takes_four_queries_whatever_its_length(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    size: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session = make_session(maths)
    for number in range(size):
        make_record(session, make_student(f"Student {number}", maths))
    client = api(alice)
    # The user, the class, the count, the page.
    with django_assert_num_queries(4):
        client.get(f"/attendance/by-class/{maths.pk}")


def test_lists_come_in_pages(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    for student in students:
        make_record(session, student)
    page = api(alice).get("/attendance/today", {"limit": 2}).json()
    assert (page["count"], len(page["results"])) == (3, 2)
    assert page["previous"] is None
    rest = api(alice).get(page["next"]).json()
    assert (len(rest["results"]), rest["next"]) == (1, None)


# --- Summary


def test_the_summary_counts_per_student_and_class(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    for day, status in ((-1, Status.PRESENT), (0, Status.ABSENT)):
        make_record(make_session(maths, date=days(day)), students[0], status)
    told = api(alice).get(f"/attendance/summary/{maths.pk}").json()
    assert (told["class_id"], told["sessions"]) == (maths.pk, 2)
    first = told["students"][0]
    assert first["student"]["id"] == students[0].pk
    assert first["counts"] == {
        "present": 1,
        "late": 0,
        "absent": 1,
        "excused": 0,
        "unmarked": 0,
        "rate": 0.5,
    }
    assert told["counts"]["unmarked"] == 4
    assert told["counts"]["rate"] == 0.5


def test_a_face_record_says_so(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_record(make_session(maths), students[0], source=Source.FACE)
    (line,) = api(alice).get("/attendance/today").json()["results"]
    assert line["source"] == "face"
