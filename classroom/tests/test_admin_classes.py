"""Classes in the admin: rosters, archive, counts."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days, make_class, make_student, seat

CLASSES = "/admin/classroom/classroom/"
STUDENTS = "/admin/classroom/student/"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def fields_of(page: Any) -> dict[str, Any]:
    """Return what the page's form would send unchanged."""
    sent: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value not in (None, ""):
                sent[field.html_name] = value
    return sent


def act(client: Client, action: str, *classes: Classroom) -> Any:
    form = {"action": action, "_selected_action": [room.pk for room in classes]}
    return client.post(f"{CLASSES}?state=all", form)


def queries(client: Client, address: str) -> int:
    client.get(address)  # the first call fills caches of the process
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


def fill(classroom: Classroom, number: int) -> list[Student]:
    students = Student.objects.bulk_create(
        Student(student_id=f"F{classroom.pk}-{row:04}", full_name=f"Filler {row:04}")
        for row in range(number)
    )
    Enrollment.objects.bulk_create(
        Enrollment(student=student, classroom=classroom, starts_on=days(-9))
        for student in students
    )
    return students


def test_a_class_is_opened_with_its_students(
    admin_client: Client, alice: User, students: list[Student]
) -> None:
    page = admin_client.get(f"{CLASSES}add/")
    sent = fields_of(page) | {
        "class_name": "Chess",
        "class_code": "CHE",
        "teacher": alice.pk,
        "add_students": [students[0].pk, students[1].pk],
    }
    assert admin_client.post(f"{CLASSES}add/", sent).status_code == 302
    chess = Classroom.objects.get(class_code="CHE")
    assert set(Student.objects.in_class(chess.pk)) == set(students[:2])


def test_students_are_added_from_a_day_on(
    admin_client: Client, maths: Classroom, outsider: Student
) -> None:
    page = admin_client.get(f"{CLASSES}{maths.pk}/change/")
    sent = fields_of(page) | {"add_students": [outsider.pk], "starting": days(3)}
    assert admin_client.post(f"{CLASSES}{maths.pk}/change/", sent).status_code == 302
    assert maths.enrollments.get(student=outsider).starts_on == days(3)


def test_a_roster_row_gets_a_last_day(
    admin_client: Client, maths: Classroom, students: list[Student]
) -> None:
    page = admin_client.get(f"{CLASSES}{maths.pk}/change/")
    sent = fields_of(page) | {"enrollments-0-ends_on": days(0)}
    assert admin_client.post(f"{CLASSES}{maths.pk}/change/", sent).status_code == 302
    left = maths.enrollments.filter(ends_on=days(0))
    assert [row.student for row in left] == [students[0]]


def test_a_last_day_before_the_first_is_refused(
    admin_client: Client, maths: Classroom, students: list[Student]
) -> None:
    page = admin_client.get(f"{CLASSES}{maths.pk}/change/")
    sent = fields_of(page) | {"enrollments-0-ends_on": days(-400)}
    answer = admin_client.post(f"{CLASSES}{maths.pk}/change/", sent)
    assert "before the first day" in answer.content.decode()
    assert not maths.enrollments.exclude(ends_on=None).exists()


def test_a_large_roster_comes_in_pages_and_each_can_be_saved(
    admin_client: Client, maths: Classroom
) -> None:
    fill(maths, 120)
    address = f"{CLASSES}{maths.pk}/change/?roster=3"
    page = admin_client.get(address)
    text = page.content.decode()
    assert "Filler 0119" in text
    assert "Filler 0099" not in text
    sent = fields_of(page) | {"enrollments-0-ends_on": days(0)}
    assert admin_client.post(address, sent).status_code == 302
    left = maths.enrollments.filter(ends_on=days(0)).select_related("student")
    assert [row.student.full_name for row in left] == ["Filler 0100"]


def test_a_roster_row_of_another_class_is_not_touched(
    admin_client: Client, maths: Classroom, outsider: Student, students: list[Student]
) -> None:
    elsewhere = Enrollment.objects.get(student=outsider)
    page = admin_client.get(f"{CLASSES}{maths.pk}/change/")
    sent = fields_of(page) | {
        "enrollments-0-id": elsewhere.pk,
        "enrollments-0-ends_on": days(0),
    }
    admin_client.post(f"{CLASSES}{maths.pk}/change/", sent)
    elsewhere.refresh_from_db()
    assert elsewhere.ends_on is None


def test_an_archived_class_takes_no_students(
    admin_client: Client, alice: User, outsider: Student
) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    page = admin_client.get(f"{CLASSES}{old.pk}/change/")
    sent = fields_of(page) | {"add_students": [outsider.pk]}
    admin_client.post(f"{CLASSES}{old.pk}/change/", sent)
    assert not old.enrollments.exists()


def test_classes_are_archived_and_brought_back(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    act(admin_client, "archive", maths)
    maths.refresh_from_db()
    history.refresh_from_db()
    assert maths.is_archived and not history.is_archived
    act(admin_client, "bring_back", maths)
    maths.refresh_from_db()
    assert not maths.is_archived


def test_a_class_is_archived_and_brought_back_on_its_page(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    address = f"{CLASSES}{maths.pk}/change/"
    sent = fields_of(admin_client.get(address))
    changed = sent | {"class_name": "Algebra", "_archive": "1"}
    assert admin_client.post(address, changed).url == address  # type: ignore[attr-defined]
    maths.refresh_from_db()
    history.refresh_from_db()
    assert maths.is_archived and maths.class_name == "Algebra"
    assert not history.is_archived
    admin_client.post(address, fields_of(admin_client.get(address)) | {"_back": "1"})
    maths.refresh_from_db()
    assert not maths.is_archived


def test_archived_classes_are_hidden_until_asked_for(
    admin_client: Client, maths: Classroom, alice: User
) -> None:
    old = make_class("Old", alice, class_code="OLD-1", archived_at=timezone.now())
    page = admin_client.get(CLASSES).content.decode()
    assert maths.class_code in page and old.class_code not in page
    page = admin_client.get(f"{CLASSES}?state=archived").content.decode()
    assert old.class_code in page and maths.class_code not in page


def test_the_list_can_show_what_is_wrong_with_classes(
    admin_client: Client, maths: Classroom, students: list[Student], stranger: User
) -> None:
    empty = make_class("Empty", stranger, class_code="EMP-1")
    stranger.is_active = False
    stranger.save()
    page = admin_client.get(f"{CLASSES}?state=empty").content.decode()
    assert empty.class_code in page and maths.class_code not in page
    page = admin_client.get(f"{CLASSES}?state=orphaned").content.decode()
    assert empty.class_code in page and maths.class_code not in page


def test_deleting_a_teacher_with_classes_is_explained(
    admin_client: Client, alice: User, maths: Classroom
) -> None:
    address = f"/admin/accounts/user/{alice.pk}/delete/"
    assert "Give the classes" in admin_client.get(address).content.decode()
    admin_client.post(address, {"post": "yes"})
    assert User.objects.filter(pk=alice.pk).exists()


def test_several_teachers_with_classes_are_not_deleted_from_the_list(
    admin_client: Client, alice: User, maths: Classroom
) -> None:
    form = {
        "action": "delete_selected",
        "_selected_action": [alice.pk],
        "post": "yes",
    }
    answer = admin_client.post("/admin/accounts/user/", form)
    assert "Give the classes" in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_teachers_list_counts_current_classes(
    admin_client: Client, alice: User, maths: Classroom
) -> None:
    make_class("Old", alice, archived_at=timezone.now())
    page = admin_client.get("/admin/accounts/user/").content.decode()
    assert f'teacher__id__exact={alice.pk}">1</a>' in page


def test_a_search_for_a_seat_offers_current_classes_only(
    admin_client: Client, maths: Classroom, alice: User
) -> None:
    make_class("Maths of old", alice, archived_at=timezone.now())
    query = {
        "term": "maths",
        "app_label": "classroom",
        "model_name": "enrollment",
        "field_name": "classroom",
    }
    found = admin_client.get("/admin/autocomplete/", query).json()["results"]
    assert [row["id"] for row in found] == [str(maths.pk)]


def test_a_student_is_put_into_classes_on_their_page(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    page = admin_client.get(f"{STUDENTS}add/")
    sent = fields_of(page) | {
        "full_name": "Nina New",
        "student_id": "N-1",
        "add_to": [maths.pk, history.pk],
        "starting": dt.date(2026, 3, 2),
    }
    assert admin_client.post(f"{STUDENTS}add/", sent).status_code == 302
    seats = Enrollment.objects.filter(student__student_id="N-1")
    assert {row.classroom for row in seats} == {maths, history}
    assert {row.starts_on for row in seats} == {dt.date(2026, 3, 2)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("any", {"Cleo Castro", "Dan Dietz", "Eva Evans", "Otto Outsider"}),
        ("none", {"Nora Nowhere", "Gone Girl"}),
        ("maths", {"Cleo Castro", "Dan Dietz", "Eva Evans"}),
    ],
)
def test_students_are_filtered_by_where_they_sit(
    admin_client: Client,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    query: str,
    expected: set[str],
) -> None:
    make_student("Nora Nowhere")
    gone = make_student("Gone Girl")
    seat(gone, maths, ends_on=days(-1))
    wanted = str(maths.pk) if query == "maths" else query
    page = admin_client.get(f"{STUDENTS}?class={wanted}")
    found = {student.full_name for student in page.context["cl"].result_list}
    assert found == expected


def test_deleting_a_student_counts_what_goes_along(
    admin_client: Client, students: list[Student]
) -> None:
    address = f"{STUDENTS}{students[0].pk}/delete/"
    page = admin_client.get(address).content.decode()
    assert "Enrolments" in page or "enrolments" in page
    admin_client.post(address, {"post": "yes"})
    assert not Student.objects.filter(pk=students[0].pk).exists()
    assert Student.objects.filter(pk=students[1].pk).exists()


@pytest.mark.parametrize(
    ("address", "number"),
    [
        # session, user, page of rows, their count, filters (years, teachers)
        (CLASSES, 6),
        # session, user, page of rows, their count, seats with classes, classes
        (STUDENTS, 6),
        # session, user, page of rows, their count
        ("/admin/accounts/user/", 4),
    ],
)
def test_a_list_of_500_costs_no_more_than_a_list_of_one(
    admin_client: Client,
    maths: Classroom,
    alice: User,
    address: str,
    number: int,
) -> None:
    fill(maths, 1)
    assert queries(admin_client, address) == number
    for row in range(10):
        fill(make_class(f"Class {row}", alice), 50)
    assert queries(admin_client, address) == number


def test_a_class_of_500_opens_with_the_queries_of_a_class_of_one(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    fill(history, 1)
    fill(maths, 500)
    few = queries(admin_client, f"{CLASSES}{history.pk}/change/")
    assert queries(admin_client, f"{CLASSES}{maths.pk}/change/") == few


def test_the_message_names_how_many_were_archived(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    answer = act(admin_client, "archive", maths, history)
    (message,) = get_messages(answer.wsgi_request)
    assert str(message) == "Archived: 2"
