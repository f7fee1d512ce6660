"""Photos from an archive: each is enrolled once or listed with its reason."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import jobs
from accounts.models import Job, User
from classroom.models import Student
from conftest import ApiFactory
from faces import photo_import, spool
from faces.import_models import ImportedPhoto, PhotoState
from faces.models import FaceTemplate
from faces.tests.fakes import FakeEngine, photo_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(spool_folder: Path) -> Path:
    return spool_folder


@pytest.fixture(autouse=True)
def engine(fake_engine: FakeEngine) -> Iterator[FakeEngine]:
    yield fake_engine


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def begun(owner: User, files: dict[str, bytes]) -> Job:
    writer = spool.SpoolWriter()
    writer.write(packed(files))
    return photo_import.begin(writer.finish(), owner=owner)


def done(owner: User, files: dict[str, bytes]) -> Job:
    job = begun(owner, files)
    jobs.perform(job.pk)
    job.refresh_from_db()
    return job


def lines(job: Job) -> dict[str, tuple[str, str, str]]:
    rows = job.result["rows"]
    return {
        row["file"]: (row["student_id"], row["result"], row["reason"]) for row in rows
    }


def enrolled(student: Student) -> int:
    return FaceTemplate.objects.filter(student=student).count()


def test_photos_find_their_students_by_name_number_and_folder(
    alice: User, students: list[Student]
) -> None:
    cleo, dan, eva = (student.student_id for student in students)
    files = {
        f"{cleo}.png": photo_of(1),
        f"photos/{dan}_2.png": photo_of(2),
        f"photos/{eva}/front.png": photo_of(3),
    }
    job = done(alice, files)
    assert job.state == "done"
    assert {line[:2] for line in lines(job).values()} == {
        (cleo, "enrolled"),
        (dan, "enrolled"),
        (eva, "enrolled"),
    }
    assert [enrolled(student) for student in students] == [1, 1, 1]


def test_a_refused_photo_is_listed_with_its_reason_and_hint(
    alice: User, students: list[Student]
) -> None:
    name = f"{students[0].student_id}.png"
    job = done(alice, {name: photo_of()})
    assert lines(job)[name][1:] == ("refused", "no_face")
    assert "camera" in job.result["rows"][0]["hint"]


def test_a_face_without_consent_is_enrolled_and_said_so_or_refused(
    alice: User, students: list[Student], settings: Settings
) -> None:
    cleo, dan, _ = (student.student_id for student in students)
    assert lines(done(alice, {f"{cleo}.png": photo_of(1)})) == {
        f"{cleo}.png": (cleo, "enrolled", "consent_missing")
    }
    settings.FACE_CONSENT = "require"
    assert lines(done(alice, {f"{dan}.png": photo_of(2)})) == {
        f"{dan}.png": (dan, "refused", "consent_missing")
    }
    assert [enrolled(student) for student in students] == [1, 0, 0]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("{}.txt", b"hello", "unsupported_format"),
        ("{}.jpg", b"hello", "unsupported_format"),
        ("{}.png", photo_of(1)[:300], "unreadable_image"),
    ],
)
def test_a_file_that_is_no_photo_stops_nobody_else(
    alice: User, students: list[Student], name: str, content: bytes, code: str
) -> None:
    bad = name.format(students[0].student_id)
    good = f"{students[1].student_id}.png"
    job = done(alice, {bad: content, good: photo_of(2)})
    assert lines(job)[bad][1:] == ("refused", code)
    assert lines(job)[good][1] == "enrolled"


def test_a_strangers_student_is_as_unknown_as_none(
    alice: User, students: list[Student], outsider: Student
) -> None:
    theirs, nobodys = f"{outsider.student_id}.png", "nobody.png"
    job = done(alice, {theirs: photo_of(1), nobodys: photo_of(2)})
    assert (
        lines(job)[theirs] == lines(job)[nobodys] == ("", "unknown", "unknown_student")
    )
    assert enrolled(outsider) == 0


def test_an_admin_enrols_everybody(
    admin: User, students: list[Student], outsider: Student
) -> None:
    job = done(admin, {f"{outsider.student_id}.png": photo_of(1)})
    assert job.result["counts"] == {"enrolled": 1}


def test_a_folder_that_is_no_student_in_spite_of_its_name(
    alice: User, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo, dan, eva = students
    monkeypatch.setattr(photo_import, "MAX_TEMPLATES", 1)
    files = {
        f"{cleo.student_id}/{dan.student_id}.png": photo_of(1),
        f"{cleo.student_id}/{eva.student_id}.png": photo_of(2),
    }
    done(alice, files)
    assert [enrolled(student) for student in students] == [0, 1, 1]


def test_a_face_of_somebody_else_is_refused(
    alice: User, students: list[Student]
) -> None:
    first, second = (f"{student.student_id}.png" for student in students[:2])
    job = done(alice, {first: photo_of(1), second: photo_of(1)})
    assert lines(job)[second][1:] == ("refused", "duplicate_face")


def test_the_same_photo_twice_counts_once(alice: User, students: list[Student]) -> None:
    code = students[0].student_id
    job = done(alice, {f"{code}.png": photo_of(1), f"{code}_2.png": photo_of(1)})
    assert lines(job)[f"{code}_2.png"][1:] == ("refused", "repeated_photo")
    assert enrolled(students[0]) == 1


def test_the_same_archive_again_enrols_nothing(
    alice: User, students: list[Student]
) -> None:
    files = {f"{students[0].student_id}.png": photo_of(1)}
    done(alice, files)
    assert done(alice, files).result["counts"] == {"already": 1}
    assert enrolled(students[0]) == 1


def test_a_job_that_runs_again_enrols_nobody_twice(
    alice: User, students: list[Student]
) -> None:
    files = {
        f"{student.student_id}.png": photo_of(n + 1)
        for n, student in enumerate(students)
    }
    job = begun(alice, files)
    spooled = spool.unsealed(job.arguments["archive"], job.secret)
    jobs.perform(job.pk)
    # As a second worker would find it that had taken the first one for dead.
    spool_again = spool.SpoolWriter()
    spool_again.write(packed(files))
    again = spool_again.finish()
    Job.objects.filter(pk=job.pk).update(
        state="queued", secret=again.sealed(), arguments={"archive": again.name}
    )
    assert again.name != spooled.name
    FaceTemplate.objects.all().delete()  # or "enrolled before" would hide it
    jobs.perform(job.pk)
    assert FaceTemplate.objects.count() == 0
    job.refresh_from_db()
    assert job.result["counts"] == {"enrolled": 3}


def test_a_photo_that_kills_its_worker_is_given_up_alone(
    alice: User, students: list[Student]
) -> None:
    bad, good = (f"{student.student_id}.png" for student in students[:2])
    job = begun(alice, {bad: photo_of(1), good: photo_of(2)})
    ImportedPhoto.objects.create(
        job=job,
        number=0,
        name=bad,
        state=PhotoState.WORKING,
        tries=photo_import.MAX_TRIES,
    )
    jobs.perform(job.pk)
    job.refresh_from_db()
    assert lines(job)[bad][1:] == ("refused", "crashed")
    assert lines(job)[good][1] == "enrolled"


def test_an_ended_job_leaves_neither_archive_nor_key(
    alice: User, students: list[Student], folder: Path
) -> None:
    job = begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    assert len(list(folder.iterdir())) == 1
    jobs.perform(job.pk)
    assert list(folder.iterdir()) == []
    assert Job.objects.get(pk=job.pk).secret is None


def test_a_cancelled_job_leaves_neither_archive_nor_key(
    alice: User, students: list[Student], folder: Path
) -> None:
    job = begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    jobs.cancel(job, by=alice)
    assert list(folder.iterdir()) == []


def test_a_job_that_was_cut_short_lists_what_it_got_done(
    alice: User, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (f"{student.student_id}.png" for student in students[:2])
    job = begun(alice, {first: photo_of(1), second: photo_of(2)})
    enrol = photo_import.Reading._enrol

    def cancels(self: photo_import.Reading, *photo: Any) -> None:
        enrol(self, *photo)
        jobs.cancel(Job.objects.get(pk=job.pk), by=alice)

    monkeypatch.setattr(photo_import.Reading, "_enrol", cancels)
    monkeypatch.setattr(jobs, "SECONDS_A_WRITE", 0)
    jobs.perform(job.pk)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert [lines(job)[name][1] for name in (first, second)] == ["enrolled", "working"]


def test_a_worker_killed_at_the_very_end_leaves_no_archive_for_long(
    alice: User, students: list[Student], folder: Path
) -> None:
    job = begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    # The row had its end and the file not yet when the worker died.
    Job.objects.filter(pk=job.pk).update(state="done", secret=None)
    assert len(list(folder.iterdir())) == 1
    jobs.sweep()
    assert list(folder.iterdir()) == []


def test_without_any_worker_an_archive_goes_after_a_day_too(
    client: Client, alice: User, students: list[Student], folder: Path
) -> None:
    job = begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    yesterday = timezone.now() - dt.timedelta(hours=25)
    Job.objects.filter(pk=job.pk).update(created_at=yesterday)
    client.force_login(alice)
    client.get("/app/jobs/")
    job.refresh_from_db()
    assert (job.state, job.error, job.secret) == ("failed", "expired", None)
    assert list(folder.iterdir()) == []


def test_a_sweep_leaves_the_archive_of_a_waiting_job(
    alice: User, students: list[Student], folder: Path
) -> None:
    begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    jobs.sweep()
    assert len(list(folder.iterdir())) == 1


def test_a_lost_archive_fails_with_a_code(
    alice: User, students: list[Student], folder: Path
) -> None:
    job = begun(alice, {f"{students[0].student_id}.png": photo_of(1)})
    next(folder.iterdir()).unlink()
    jobs.perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "archive_lost")


def archive(content: bytes, name: str = "photos.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/zip")


def test_the_api_takes_an_archive_and_names_its_job(
    api: ApiFactory, alice: User, students: list[Student], folder: Path
) -> None:
    content = packed({f"{students[0].student_id}.png": photo_of(1)})
    answer = api(alice).post("/import/photos", {"file": archive(content)})
    assert answer.status_code == 202, answer.content
    jobs.perform(answer.json()["job_id"])
    body = api(alice).get(f"/jobs/{answer.json()['job_id']}").json()
    assert body["result"]["counts"] == {"enrolled": 1}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"no archive at all", 422, "archive_unreadable"),
        (packed({"../S1.jpg": b"x"}), 422, "archive_unsafe_path"),
        (packed({"more.zip": b"x"}), 422, "archive_nested"),
    ],
)
def test_a_refused_archive_leaves_nothing(
    api: ApiFactory, alice: User, folder: Path, content: bytes, status: int, code: str
) -> None:
    answer = api(alice).post("/import/photos", {"file": archive(content)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert list(folder.iterdir()) == []
    assert not Job.objects.exists()


def test_one_archive_at_a_time(
    api: ApiFactory, alice: User, students: list[Student], folder: Path
) -> None:
    content = packed({f"{students[0].student_id}.png": photo_of(1)})
    api(alice).post("/import/photos", {"file": archive(content)})
    again = api(alice).post("/import/photos", {"file": archive(content)})
    assert (again.status_code, again.json()["code"]) == (409, "import_running")
    assert len(list(folder.iterdir())) == 1


def test_an_archive_over_the_limit_is_refused(
    api: ApiFactory, alice: User, folder: Path, settings: Settings
) -> None:
    settings.IMPORT_MAX_MB = 1
    content = packed({"S1.jpg": bytes(1100 * 1024)})
    answer = api(alice).post("/import/photos", {"file": archive(content)})
    assert (answer.status_code, answer.json()["code"]) == (413, "archive_too_large")
    assert list(folder.iterdir()) == []


def test_nobody_writes_into_the_spool(api: ApiFactory, folder: Path) -> None:
    answer = api(None).post("/import/photos", {"file": archive(packed({}))})
    assert answer.status_code == 401
    assert not folder.exists()


def test_the_page_leads_to_the_job(
    client: Client, alice: User, students: list[Student]
) -> None:
    client.force_login(alice)
    content = packed({f"{students[0].student_id}.png": photo_of(1)})
    answer = client.post("/app/import/photos/", {"file": archive(content)})
    assert answer.headers["Location"] == f"/app/jobs/{Job.objects.get().pk}/"


def test_the_page_says_why_an_archive_is_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post("/app/import/photos/", {"file": archive(b"nothing")})
    assert answer.status_code == 422
    assert "This is no ZIP archive" in answer.content.decode()


def test_a_page_without_its_token_leaves_nothing(alice: User, folder: Path) -> None:
    client: Any = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.get("/app/import/photos/")  # for the cookie; else nobody reads the body
    content = packed({"S1.png": photo_of(1)})
    answer = client.post("/app/import/photos/", {"file": archive(content)})
    assert answer.status_code == 403
    answer.close()
    assert list(folder.iterdir()) == []
