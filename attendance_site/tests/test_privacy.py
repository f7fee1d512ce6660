"""All that is held of a student: exported whole, erased whole, with a receipt."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import Client
from pytest_django import Settings

from accounts.audit import AuditEntry
from accounts.job_models import JobState
from accounts.models import Job, User
from attendance import services
from attendance.models import Notice, Record, Status
from attendance.tests.factories import make_record, make_session
from attendance.timetable_models import PlannedAbsence
from classroom.consent_models import ErasureReceipt
from classroom.consents import Answer, give
from classroom.erasure import erase_student, export
from classroom.holdings import all_holdings
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from conftest import ApiFactory
from faces.models import FaceTemplate, ImportedPhoto, LookAlikePair
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db

# Points at students by numbers that the log itself never resolves.
NOT_ABOUT_ONE = {"accounts.AuditEntry"}


@pytest.fixture
def cleo(
    maths: Classroom, students: list[Student], alice: User, admin: User
) -> Student:
    """A student of whom every floor holds something; Dan is there to be left alone."""
    cleo, dan = students[0], students[1]
    cleo.email, cleo.phone = "castro@family.example", "+34 600 000 000"
    cleo.save()
    for number, student in enumerate((cleo, dan), start=1):
        make_template(student, number, by=alice)
        give(student, Answer(given_by="A Parent", given_on=days(-9)), by=alice)
    LookAlikePair.objects.create(first=cleo, second=dan, created_by=alice)
    session = make_session(maths)
    record = make_record(session, cleo, Status.LATE)
    services.correct(record, status=Status.EXCUSED, note="doctor", by=alice)
    make_record(session, dan)
    Record.objects.filter(student=dan).update(runner_up=cleo)
    PlannedAbsence.objects.create(
        student=cleo, first_date=days(0), last_date=days(1), reason="dentist"
    )
    Notice.objects.create(
        key="n1", kind="late", classroom=maths, student=cleo, to=cleo.email
    )
    rows = {"rows": [{"file": "a.jpg", "student_id": cleo.student_id}]}
    job = Job.objects.create(owner=alice, kind="import_photos", result=rows)
    ImportedPhoto.objects.create(job=job, number=1, name="a.jpg", student=cleo)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.DONE, finished_at=session.created_at
    )
    LogEntry.objects.log_actions(admin.pk, Student.objects.filter(pk=cleo.pk), CHANGE)
    return cleo


def everything() -> str:
    """Return all rows of all tables as one text, without the log that is sealed."""
    words = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.label not in NOT_ABOUT_ONE:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608
                words += [repr(row) for row in cursor.fetchall()]
    return "\n".join(words)


# --- what counts as held --------------------------------------------------------------


def points_at_students(model: type[models.Model]) -> bool:
    return any(
        field.is_relation and field.related_model is Student
        for field in model._meta.concrete_fields
    )


def test_every_table_that_points_at_a_student_is_held() -> None:
    known = {table for holding in all_holdings() for table in holding.tables}
    found = {model for model in apps.get_models() if points_at_students(model)}
    assert len(found) > 8
    assert {model._meta.label for model in found - known} == set()


def test_each_kind_is_filled_by_what_the_floors_hold(
    cleo: Student, admin: User
) -> None:
    held = export(cleo, by=admin)["held"]
    empty = {name for name, rows in held.items() if not rows}
    assert empty == {"receipts"}


# --- the export -----------------------------------------------------------------------


def test_the_export_is_readable_and_names_nobody_else(
    cleo: Student, students: list[Student], admin: User
) -> None:
    text = json.dumps(export(cleo, by=admin), ensure_ascii=False)
    for word in ("castro@family.example", "doctor", "dentist", "A Parent", "Excused"):
        assert word in text
    assert "bytes, encrypted" in text
    assert students[1].full_name not in text
    assert students[1].student_id not in text


def test_the_api_and_the_command_say_the_same(
    api: ApiFactory, admin: User, cleo: Student
) -> None:
    by_api = api(admin).get(f"/students/{cleo.pk}/export").json()
    out = io.StringIO()
    call_command("privacy_export", cleo.student_id, stdout=out)
    by_command = json.loads(out.getvalue())
    for answer in (by_api, by_command):
        answer["held"].pop("audit_log")  # the second one knows of the first
        answer.pop("exported_at")
    assert by_api == by_command


def test_an_export_is_on_record(cleo: Student, admin: User) -> None:
    export(cleo, by=admin)
    entries = AuditEntry.objects.about(cleo).filter(event="exported")
    assert [entry.actor for entry in entries] == [admin]


def test_an_admin_reads_it_on_a_page_and_takes_it_away(
    client: Client, admin: User, cleo: Student
) -> None:
    client.force_login(admin)
    page = f"/app/students/{cleo.pk}/data/"
    assert "dentist" in client.get(page).content.decode()
    for kind in ("json", "html"):
        file = client.get(f"{page}?format={kind}")
        assert "attachment" in file.headers["Content-Disposition"]
        assert file.headers["Cache-Control"] == "no-store"
        assert "dentist" in file.content.decode()


def test_a_file_is_new_and_its_owners_alone(cleo: Student, tmp_path: Path) -> None:
    target = tmp_path / "cleo.html"
    words = ["privacy_export", cleo.student_id, "--format=html", f"--output={target}"]
    call_command(*words, stdout=io.StringIO())
    assert target.stat().st_mode & 0o777 == 0o600
    assert "dentist" in target.read_text("utf-8")
    with pytest.raises(CommandError, match="File exists"):
        call_command(*words, stdout=io.StringIO())


def test_the_numbers_of_a_face_come_only_when_asked_for(cleo: Student) -> None:
    out = io.StringIO()
    call_command("privacy_export", cleo.student_id, "--with-embeddings", stdout=out)
    (face,) = json.loads(out.getvalue())["held"]["embeddings"]
    assert len(face["numbers"]) == 128


def test_it_knows_no_student_whom_nobody_knows() -> None:
    with pytest.raises(CommandError, match="no student with the ID X9"):
        call_command("privacy_export", "X9")


# --- the erasure ----------------------------------------------------------------------


def test_an_erasure_leaves_no_trace_in_any_table_but_the_receipt(
    cleo: Student, admin: User
) -> None:
    traces = [cleo.full_name, "castro@family.example", "doctor", "dentist", "a.jpg"]
    assert all(word in everything() for word in traces)
    receipt = erase_student(cleo, by=admin)
    left = everything()
    assert [word for word in traces if word in left] == []
    assert left.count(cleo.student_id) == 1  # the receipt
    assert receipt.student is None and receipt.everything
    assert receipt.counts["records"] == 1
    assert receipt.counts["face_templates"] == len(receipt.templates) == 1


def test_an_erasure_leaves_others_alone(
    cleo: Student, students: list[Student], admin: User
) -> None:
    erase_student(cleo, by=admin)
    dan = students[1]
    assert Student.objects.filter(pk=dan.pk).exists()
    record = Record.objects.get()
    assert (record.student, record.runner_up) == (dan, None)
    assert FaceTemplate.objects.get().student == dan


def test_history_names_an_erased_student_by_no_number(
    cleo: Student, admin: User
) -> None:
    number = cleo.pk
    erase_student(cleo, by=admin)
    history = Record.history.model.objects
    assert not history.filter(student_id=number).exists()
    assert not history.filter(runner_up_id=number).exists()


def test_it_is_in_the_audit_log(cleo: Student, admin: User) -> None:
    receipt = erase_student(cleo, by=admin)
    entry = AuditEntry.objects.filter(event="erased").get()
    assert entry.details["receipt"] == str(receipt.pk)
    assert cleo.student_id not in json.dumps(entry.details)


@pytest.mark.parametrize("door", ["api", "admin", "list of the admin", "command"])
def test_every_door_erases_the_same(
    api: ApiFactory, client: Client, admin: User, cleo: Student, door: str
) -> None:
    client.force_login(admin)
    if door == "api":
        assert api(admin).delete(f"/students/{cleo.pk}").status_code == 204
    elif door == "admin":
        page = f"/admin/classroom/student/{cleo.pk}/delete/"
        client.post(page, {"post": "yes"})
    elif door == "list of the admin":
        form = {"action": "delete_selected", "_selected_action": cleo.pk, "post": "yes"}
        client.post("/admin/classroom/student/", form)
    else:
        words = ["privacy_erase", cleo.student_id, "--yes"]
        call_command(*words, stdout=io.StringIO())
    assert ErasureReceipt.objects.get().everything
    assert "Cleo Castro" not in everything()


def erased(*options: str) -> str:
    out = io.StringIO()
    call_command("privacy_erase", *options, stdout=out)
    return out.getvalue()


def test_a_dry_run_counts_and_changes_nothing(cleo: Student) -> None:
    before = everything()
    said = erased(cleo.student_id, "--dry-run")
    assert "Register: 1 is erased" in said and "Audit log" in said
    assert "Nothing was erased" in said
    assert everything() == before


@pytest.mark.parametrize(("typed", "goes"), [("right", True), ("S9999", False)])
def test_it_asks_for_the_code_again(
    cleo: Student, monkeypatch: pytest.MonkeyPatch, typed: str, goes: bool
) -> None:
    word = cleo.student_id if typed == "right" else typed
    monkeypatch.setattr("builtins.input", lambda _question: word)
    if goes:
        assert "Receipt" in erased(cleo.student_id)
    else:
        with pytest.raises(CommandError, match="another ID"):
            erased(cleo.student_id)
    assert Student.objects.filter(pk=cleo.pk).exists() is not goes


def test_the_face_alone_leaves_the_register(cleo: Student) -> None:
    assert "Register: 1 stays" in erased(cleo.student_id, "--face-only", "--yes")
    assert not FaceTemplate.objects.filter(student=cleo).exists()
    assert Record.objects.filter(student=cleo).exists()
    assert "no face to erase" in erased(cleo.student_id, "--face-only", "--yes")


def test_a_stranger_reads_no_receipt_and_an_admin_reads_all(
    client: Client, cleo: Student, alice: User, stranger: User, admin: User
) -> None:
    erased(cleo.student_id, "--face-only", "--yes")
    page = f"/app/receipts/{ErasureReceipt.objects.get().pk}/"
    for user, status in ((alice, 200), (stranger, 404), (admin, 200)):
        client.force_login(user)
        assert client.get(page).status_code == status
    erase_student(cleo, by=admin)
    whole = ErasureReceipt.objects.get(everything=True)
    for user, status in ((alice, 404), (admin, 200)):
        client.force_login(user)
        assert client.get(f"/app/receipts/{whole.pk}/").status_code == status


# --- the impact assessment ------------------------------------------------------------


def assessed(**options: Any) -> str:
    out = io.StringIO()
    call_command("privacy_dpia", stdout=out, **options)
    return out.getvalue()


def test_the_assessment_is_filled_in_from_what_runs(
    cleo: Student, settings: Settings
) -> None:
    settings.FACE_CONSENT = "require"
    settings.FACE_RETENTION_DAYS = 41
    settings.BACKUP_RETENTION_DAYS = 17
    settings.FACE_SIMILARITY_THRESHOLD = 0.47
    text = assessed()
    for word in ("`FACE_CONSENT=require`", "41 days", "17 days", "0.47", "sface:"):
        assert word in text, word
    assert "given 2" in text
    assert "one by one" in text and "[to be filled in" in text
    assert not re.search(r"{{|{%|Cleo|Castro", text)


def test_the_assessment_names_no_password(settings: Settings) -> None:
    text = assessed()
    assert settings.SECRET_KEY not in text
    password = settings.DATABASES["default"].get("PASSWORD")
    assert not password or str(password) not in text


def test_the_assessment_overwrites_no_file(tmp_path: Path, db: None) -> None:
    target = tmp_path / "dpia.md"
    assessed(output=str(target))
    target.write_text("filled in by the school")
    with pytest.raises(CommandError, match="File exists"):
        assessed(output=str(target))
    assert target.read_text() == "filled in by the school"
