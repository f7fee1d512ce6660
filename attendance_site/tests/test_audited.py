"""What the audit log hears of: enrolments, removals, exports, imports, settings."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from accounts import audit, jobs
from accounts.audit_models import AuditEntry
from accounts.models import Job, User
from attendance_site.recorded import write_if_new
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces.tests.factories import make_template
from faces.tests.fakes import photo_of
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db


def told(event: str) -> list[tuple[int | None, int | None, Any]]:
    entries = AuditEntry.objects.filter(event=event).order_by("number")
    return list(entries.values_list("actor_id", "subject_id", "details"))


@pytest.mark.usefixtures("fake_engine")
def test_an_enrolment_is_written(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    body = {"student_id": students[0].pk, "file": upload(photo_of(1))}
    answer = api(alice).post("/face/register", body)
    assert answer.status_code == 201, answer.content
    ((by, who, details),) = told("enrolled")
    assert (by, who) == (alice.pk, students[0].pk)
    assert details["templates"] == [part["id"] for part in answer.json()["templates"]]


def test_a_removal_is_written_once_there_was_something(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    for _ in range(2):
        api(alice).delete(f"/face/register/{students[0].pk}")
    ((by, who, details),) = told("erased")
    assert (by, who) == (alice.pk, students[0].pk)
    assert (details["reason"], details["templates"]) == ("request", 1)


def test_an_export_is_written(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    api(alice).get("/export/attendance", {"class_id": maths.pk})
    assert told("exported") == [(alice.pk, None, {"what": "register", "format": "csv"})]


def test_a_strangers_refused_export_is_not(
    api: ApiFactory, stranger: User, maths: Classroom
) -> None:
    answer = api(stranger).get("/export/attendance", {"class_id": maths.pk})
    assert answer.status_code == 404
    assert told("exported") == []


def test_an_import_is_written_when_it_is_done(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    table = b"student_id,full_name,class_code\nN9,Nora New,MAT-1\n"
    answer = api(alice).post("/import/students", {"file": upload(table, "a.csv")})
    assert told("imported") == []
    job = Job.objects.get(pk=answer.json()["job_id"])
    jobs.perform(job.pk)
    ((by, which, details),) = told("imported")
    assert (by, which, details["kind"]) == (alice.pk, job.pk, "import_students")
    assert "Nora" not in json.dumps(details)


def test_deleting_a_student_is_written(
    api: ApiFactory, admin: User, students: list[Student]
) -> None:
    number = students[0].pk
    api(admin).delete(f"/students/{number}")
    entries = [(by, which) for by, which, _details in told("erased")]
    assert set(entries) == {(admin.pk, number)}


def test_a_new_account_and_a_new_password_are_written(
    api: ApiFactory, admin: User, alice: User
) -> None:
    secret = "peach-orchard-48"
    api(admin).patch(f"/teachers/{alice.pk}", {"password": secret}, format="json")
    assert told("changed") == [
        (admin.pk, alice.pk, {"door": "api", "fields": ["password"]})
    ]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_start_writes_the_settings_when_they_are_new(settings: Settings) -> None:
    assert write_if_new()
    assert not write_if_new()
    settings.FACE_ENROLL_REVIEW = "strict"
    assert write_if_new()
    assert [details["FACE_ENROLL_REVIEW"] for _, _, details in told("settings")] == [
        "standard",
        "strict",
    ]


def test_the_settings_hold_no_secret(settings: Settings) -> None:
    write_if_new()
    text = str(told("settings"))
    assert settings.SECRET_KEY not in text
    assert all(key.hex() not in text for key in settings.FACE_TEMPLATE_KEYS)
    assert list(audit.verify()) == []
