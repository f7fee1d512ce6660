"""/sessions: the meetings of a class."""

from typing import Any

import pytest

from accounts.models import User
from attendance.models import Record, Session
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

URL = "/sessions"


def test_a_session_is_added_and_shown(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    body = {
        "class_id": maths.pk,
        "date": "2026-03-02",
        "start": "09:00",
        "end": "10:00",
        "grace_minutes": 5,
    }
    answer = api(alice).post(URL, body)
    assert answer.status_code == 201
    session = Session.objects.get()
    told = api(alice).get(f"{URL}/{session.pk}").json()
    assert answer.json() == told
    assert told == {
        "id": session.pk,
        "class_id": maths.pk,
        "date": "2026-03-02",
        "start": "09:00:00",
        "end": "10:00:00",
        "room": "",
        "grace_minutes": 5,
        "is_open": True,
        "closed_at": None,
    }
    assert session.created_by == alice


@pytest.mark.parametrize("time", [{}, {"start": "09:00"}], ids=["ad hoc", "timed"])
def test_the_same_meeting_twice_is_refused(
    api: ApiFactory, alice: User, maths: Classroom, time: dict[str, str]
) -> None:
    body = {"class_id": maths.pk, "date": "2026-03-02", **time}
    client = api(alice)
    assert client.post(URL, body).status_code == 201
    answer = client.post(URL, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_exists")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"date": "soon"}, "date"),
        ({"end": "10:00"}, "start"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"grace_minutes": 10**9}, "grace_minutes"),
        ({"class_id": "x"}, "class_id"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    change: dict[str, object],
    field: str,
) -> None:
    body = {"class_id": maths.pk, "date": "2026-03-02"} | change
    answer = api(alice).post(URL, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_session_can_be_moved(api: ApiFactory, alice: User, maths: Classroom) -> None:
    session = make_session(maths)
    told = api(alice).patch(f"{URL}/{session.pk}", {"start": "08:15"}).json()
    assert told["start"] == "08:15:00"


def test_a_session_can_not_be_moved_onto_another(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    make_session(maths, start="09:00")
    session = make_session(maths, start="10:00")
    answer = api(alice).patch(f"{URL}/{session.pk}", {"start": "09:00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "session_exists")


def test_an_empty_session_is_deleted_and_one_with_records_is_kept(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    record = make_record(session, students[0])
    client = api(alice)
    answer = client.delete(f"{URL}/{session.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "session_has_records")
    record.delete()
    assert client.delete(f"{URL}/{session.pk}").status_code == 204


def test_closing_makes_the_unmarked_absent_and_reopening_keeps_them(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    client = api(alice)
    closed = client.post(f"{URL}/{session.pk}/close").json()
    assert (closed["is_open"], closed["closed_at"] is None) == (False, False)
    assert Record.objects.filter(status="absent").count() == len(students)
    reopened = client.post(f"{URL}/{session.pk}/reopen").json()
    assert (reopened["is_open"], reopened["closed_at"]) == (True, None)
    assert Record.objects.count() == len(students)


def test_lists_are_filtered(
    api: ApiFactory, admin: User, maths: Classroom, history: Classroom
) -> None:
    old = make_session(maths, date=days(-1))
    new = make_session(maths)
    theirs = make_session(history)
    client = api(admin)
    client.post(f"{URL}/{old.pk}/close")

    def ids(**query: str | int) -> set[int]:
        results = client.get(URL, query).json()["results"]
        return {line["id"] for line in results}

    assert ids() == {old.pk, new.pk, theirs.pk}
    assert ids(class_id=maths.pk) == {old.pk, new.pk}
    assert ids(date=str(days(0))) == {new.pk, theirs.pk}
    assert ids(is_open="true") == {new.pk, theirs.pk}
    assert ids(is_open="false") == {old.pk}


def test_a_stranger_sees_and_changes_nothing(
    api: ApiFactory, stranger: User, maths: Classroom
) -> None:
    session = make_session(maths)
    client = api(stranger)
    url = f"{URL}/{session.pk}"
    assert client.get(URL).json()["results"] == []
    answers = [
        client.get(url),
        client.patch(url, {"start": "09:00"}),
        client.delete(url),
        client.post(f"{url}/close"),
        client.post(f"{url}/reopen"),
        client.post(URL, {"class_id": maths.pk, "date": "2026-03-02"}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert Session.objects.get().is_open


def test_a_program_marks_several_looks_and_takes_it_back(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    ids = [student.pk for student in students[:2]]
    body = {"student_ids": ids, "status": "excused", "note": "Trip"}
    records = api(alice).post(f"/sessions/{session.pk}/mark", body).json()
    assert {(one["student_id"], one["status"]) for one in records} == {
        (pk, "excused") for pk in ids
    }
    changes = api(alice).get(f"/sessions/{session.pk}/history").json()["records"]
    assert {(one["student_id"], one["reason"]) for one in changes} == {
        (pk, "Trip") for pk in ids
    }
    undo = {"changes": [one["id"] for one in changes]}
    answer = api(alice).post(f"/sessions/{session.pk}/undo", undo)
    assert answer.json() == {"undone": 2}
    assert not Record.objects.exists()
    changes = api(alice).get(f"/sessions/{session.pk}/history").json()["records"]
    assert [one["deleted"] for one in changes] == [True, True, False, False]


def test_one_student_of_another_class_stops_all(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    session = make_session(maths)
    body = {"student_ids": [students[0].pk, outsider.pk], "status": "late"}
    assert api(alice).post(f"/sessions/{session.pk}/mark", body).status_code == 404
    assert not Record.objects.exists()


def test_the_history_says_who_closed_and_reopened(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    session = make_session(maths)
    api(alice).post(f"/sessions/{session.pk}/close")
    api(alice).post(f"/sessions/{session.pk}/reopen")
    events = api(alice).get(f"/sessions/{session.pk}/history").json()["session"]
    told = [(one["reason"], one["is_open"], one["changed_by"]) for one in events[:2]]
    assert told == [
        ("Reopened", True, alice.full_name),
        ("Closed", False, alice.full_name),
    ]


def test_the_history_costs_the_same_however_long_it_is(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: Any,
) -> None:
    session = make_session(maths)
    for student in students:
        make_record(session, student, by=alice)
    caller = api(alice)
    # The user, the session, its own history and that of its lines.
    with django_assert_num_queries(4):
        caller.get(f"/sessions/{session.pk}/history")
