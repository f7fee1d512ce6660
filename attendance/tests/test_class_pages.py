"""/app/classes/<id>/ and /app/students/<id>/: rosters, rates, who comes and goes."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Record, Source, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days, make_class, make_student, seat
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def class_url(classroom: Classroom, rest: str = "") -> str:
    return f"/app/classes/{classroom.pk}/{rest}"


def names(answer: Any) -> list[str]:
    """Return the students a class page shows, in order."""
    return [seat.student.full_name for seat in answer.context["page"]]


def fill(classroom: Classroom, number: int) -> list[Student]:
    """Put a number of students into a class, with two days of register each."""
    students = Student.objects.bulk_create(
        Student(student_id=f"N{index}", full_name=f"Name {index:03}")
        for index in range(number)
    )
    Enrollment.objects.bulk_create(
        Enrollment(classroom=classroom, student=one, starts_on=days(-30))
        for one in students
    )
    for back in (1, 2):
        session = make_session(classroom, date=days(-back))
        Record.objects.bulk_create(
            Record(
                session=session,
                student=one,
                status=Status.PRESENT,
                source=Source.MANUAL,
                marked_at=timezone.now(),
            )
            for one in students
        )
    return students


def test_the_roster_says_rate_last_seen_and_who_has_a_face(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    cleo, dan, _eva = students
    make_template(cleo, 1)
    make_record(make_session(maths, date=days(-3)), dan, Status.LATE)
    make_record(make_session(maths, date=days(-2)), dan, Status.ABSENT)
    make_record(make_session(maths, date=days(-1)), dan, Status.EXCUSED)
    answer = signed_in.get(class_url(maths))
    lines = {line.student: line for line in answer.context["page"]}
    assert [lines[one].has_face for one in students] == [True, False, False]
    assert (lines[dan].percent, lines[dan].last_seen) == (50, days(-3))
    assert (lines[cleo].percent, lines[cleo].last_seen) == (None, None)
    assert (answer.context["faces"], answer.context["rate"]) == (1, 50)


def test_records_of_another_class_do_not_count(
    signed_in: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    chess = make_class("Chess", alice)
    seat(students[0], chess)
    make_record(make_session(chess), students[0], Status.ABSENT)
    (line, *_) = signed_in.get(class_url(maths)).context["page"]
    assert (line.counted, line.percent) == (0, None)


def test_a_template_of_another_model_is_no_face(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    make_template(students[0], 1, model_id="other:1")
    (line, *_) = signed_in.get(class_url(maths)).context["page"]
    assert not line.has_face


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=castro", ["Cleo Castro"]),
        ("q=CLEO+cas", ["Cleo Castro"]),
        ("q=nobody", []),
        ("show=no-face", ["Dan Dietz", "Eva Evans"]),
        ("show=low", ["Eva Evans"]),
        ("show=never", ["Eva Evans"]),
        ("show=no-face&q=dan", ["Dan Dietz"]),
        ("show=nonsense", ["Cleo Castro", "Dan Dietz", "Eva Evans"]),
    ],
)
def test_it_searches_and_filters(
    signed_in: Client,
    maths: Classroom,
    students: list[Student],
    query: str,
    shown: list[str],
) -> None:
    make_template(students[0], 1)
    make_record(make_session(maths), students[2], Status.ABSENT)
    assert names(signed_in.get(class_url(maths, f"?{query}"))) == shown


def test_the_search_folds_capitals_of_every_alphabet(
    signed_in: Client, maths: Classroom
) -> None:
    make_student("Élodie Øst", maths)
    assert names(signed_in.get(class_url(maths, "?q=éLODIE øST"))) == ["Élodie Øst"]


def test_an_empty_class_says_what_to_do(signed_in: Client, maths: Classroom) -> None:
    page = signed_in.get(class_url(maths)).content.decode()
    assert class_url(maths, "students/add/") in page
    assert class_url(maths, "take/") not in page


@pytest.mark.parametrize("size", [40, 400])
def test_the_class_page_asks_the_same_of_the_database_whatever_the_size(
    signed_in: Client,
    maths: Classroom,
    django_assert_num_queries: DjangoAssertNumQueries,
    size: int,
) -> None:
    fill(maths, size)
    with django_assert_num_queries(4):  # session, user, class, roster
        answer = signed_in.get(class_url(maths))
    assert answer.context["size"] == size


@pytest.mark.parametrize("size", [40, 400])
def test_the_class_page_stays_small(
    signed_in: Client, maths: Classroom, size: int
) -> None:
    fill(maths, size)
    assert len(signed_in.get(class_url(maths)).content) < 90_000


def test_a_large_class_has_pages(signed_in: Client, maths: Classroom) -> None:
    fill(maths, 61)
    assert len(names(signed_in.get(class_url(maths)))) == 60
    assert names(signed_in.get(class_url(maths, "?page=2"))) == ["Name 060"]


# --- adding ---------------------------------------------------------------------------


def add(client: Client, classroom: Classroom, **fields: object) -> Any:
    form = {"full_name": "Nia New", "student_id": "N-1", **fields}
    return client.post(class_url(classroom, "students/add/"), form)


def test_a_new_student_sits_in_the_class_at_once(
    signed_in: Client, maths: Classroom
) -> None:
    answer = add(signed_in, maths, email="nia@home.example", phone="123")
    assert answer["Location"] == class_url(maths)
    nia = Student.objects.in_class(maths.pk).get()
    assert (nia.full_name, nia.email, nia.phone) == (
        "Nia New",
        "nia@home.example",
        "123",
    )


@pytest.mark.parametrize(
    ("then", "where"),
    [
        ("face", r"/app/students/\d+/face/\?class=\d+"),
        ("next", r"/app/classes/\d+/students/add/"),
    ],
)
def test_it_leads_on_to_what_the_teacher_wants_next(
    signed_in: Client, maths: Classroom, then: str, where: str
) -> None:
    location = add(signed_in, maths, then=then)["Location"]
    assert re.fullmatch(where, location)


def test_the_code_of_a_known_student_offers_that_student(
    signed_in: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    chess = make_class("Chess", alice)
    answer = add(signed_in, chess, student_id=students[0].student_id)
    assert answer.status_code == 400
    assert answer.context["form"].existing == students[0]
    add(signed_in, chess, existing=students[0].pk)
    assert list(Student.objects.in_class(chess.pk)) == [students[0]]
    assert Student.objects.count() == len(students)


def test_the_code_of_a_strangers_student_tells_no_name(
    signed_in: Client, maths: Classroom, outsider: Student
) -> None:
    answer = add(signed_in, maths, student_id=outsider.student_id)
    assert answer.status_code == 400
    assert outsider.full_name not in answer.content.decode()


def test_nobody_adds_a_strangers_student_by_number(
    signed_in: Client, maths: Classroom, outsider: Student
) -> None:
    assert add(signed_in, maths, existing=outsider.pk).status_code == 404
    assert not Student.objects.in_class(maths.pk).exists()


def test_nobody_is_added_to_an_archived_class(
    signed_in: Client, maths: Classroom
) -> None:
    maths.archived_at = timezone.now()
    maths.save()
    answer = add(signed_in, maths)
    assert answer.status_code == 400
    assert not Student.objects.exists()


# --- taking out -----------------------------------------------------------------------


def test_taking_out_asks_first(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    url = class_url(maths, f"students/{students[0].pk}/take-out/")
    assert signed_in.get(url).status_code == 200
    assert Student.objects.in_class(maths.pk).count() == 3


def test_taking_out_can_be_undone_and_the_past_stays(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    cleo = students[0]
    record = make_record(make_session(maths, date=days(-1)), cleo)
    answer = signed_in.post(class_url(maths, f"students/{cleo.pk}/take-out/"))
    page = signed_in.get(answer["Location"])
    assert cleo.full_name not in names(page)
    assert page.context["left"] == cleo
    signed_in.post(class_url(maths, f"students/{cleo.pk}/put-back/"))
    page = signed_in.get(answer["Location"])
    assert cleo.full_name in names(page)
    assert page.context["left"] is None
    assert Record.objects.get() == record


def test_only_who_left_today_can_be_put_back(
    signed_in: Client, maths: Classroom, outsider: Student
) -> None:
    gone = make_student("Gus Gone")
    seat(gone, maths, ends_on=days(-1))
    for one in (gone, outsider):
        url = class_url(maths, f"students/{one.pk}/put-back/")
        assert signed_in.post(url).status_code == 404


@pytest.mark.parametrize("left", ["x", "0", "9" * 30])
def test_a_made_up_leaver_shows_nothing(
    signed_in: Client, maths: Classroom, students: list[Student], left: str
) -> None:
    answer = signed_in.get(class_url(maths, f"?left={left}"))
    assert (answer.status_code, answer.context["left"]) == (200, None)


# --- a student ------------------------------------------------------------------------


def test_a_student_page_shows_classes_face_and_history(
    signed_in: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    cleo = students[0]
    make_template(cleo, 1, by=alice)
    make_template(cleo, 2, model_id="other:1")
    make_record(make_session(maths, date=days(-1)), cleo, Status.ABSENT)
    make_record(make_session(maths), cleo, Status.LATE)
    context = signed_in.get(f"/app/students/{cleo.pk}/").context
    assert [one.classroom for one in context["classes"]] == [maths]
    assert context["percent"] == 50
    assert (len(context["templates"]), context["older"]) == (1, 1)
    assert [line.status for line in context["page"]] == ["late", "absent"]


def test_what_a_student_does_in_a_strangers_class_stays_there(
    signed_in: Client, history: Classroom, students: list[Student]
) -> None:
    cleo = students[0]
    seat(cleo, history)
    make_record(make_session(history), cleo, Status.ABSENT)
    answer = signed_in.get(f"/app/students/{cleo.pk}/")
    assert history.class_name not in answer.content.decode()
    assert answer.context["percent"] is None
    assert list(answer.context["page"]) == []


@pytest.mark.parametrize("sessions", [5, 25])
def test_the_student_page_asks_the_same_of_the_database_whatever_the_history(
    signed_in: Client,
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: DjangoAssertNumQueries,
    sessions: int,
) -> None:
    make_template(students[0], 1)
    for back in range(sessions):
        make_record(make_session(maths, date=days(-back)), students[0])
    # Session, user, student, seats, counts, how many records, records, templates,
    # consent, receipts.
    with django_assert_num_queries(10):
        signed_in.get(f"/app/students/{students[0].pk}/")


def test_a_name_is_changed(signed_in: Client, students: list[Student]) -> None:
    cleo = students[0]
    form = {"full_name": "Cleo Cole", "student_id": cleo.student_id, "phone": "5"}
    answer = signed_in.post(f"/app/students/{cleo.pk}/edit/", form)
    assert answer["Location"] == f"/app/students/{cleo.pk}/"
    cleo.refresh_from_db()
    assert (cleo.full_name, cleo.phone) == ("Cleo Cole", "5")


def test_a_code_that_is_taken_is_refused(
    signed_in: Client, students: list[Student]
) -> None:
    cleo, dan, _eva = students
    form = {"full_name": "Cleo Cole", "student_id": dan.student_id}
    answer = signed_in.post(f"/app/students/{cleo.pk}/edit/", form)
    assert answer.status_code == 400
    assert "<h1>Name and contacts</h1>" in answer.content.decode()
    cleo.refresh_from_db()
    assert cleo.full_name == "Cleo Castro"
