"""What a consent decides: who may be enrolled, who is compared, what a no deletes."""

from collections.abc import Callable

import pytest
from django.test import TestCase
from pytest_django import Settings

from accounts.audit import AuditEntry
from accounts.models import User
from classroom.consent_models import ErasureReceipt
from classroom.consents import Answer, give
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from conftest import ApiFactory
from faces import gallery, runtime, services, status
from faces.consent import ConsentMissing
from faces.erasure import withdraw_consent
from faces.models import FaceTemplate, LookAlikePair
from faces.tests.factories import make_template
from faces.tests.fakes import FakeEngine, photo_of
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db

Recorder = Callable[..., object]


@pytest.fixture
def consented(alice: User) -> Recorder:
    """Return a function that records a consent, until a day if one is given."""

    def record(student: Student, until: int | None = None) -> object:
        last = None if until is None else days(until)
        given = Answer(given_by="Carla Castro", given_on=days(-30), until=last)
        return give(student, given, by=alice)

    return record


def enrol(student: Student, by: User) -> services.Registration:
    return services.register(student, [photo_of(7)], by=by)


def owners(classroom: Classroom) -> list[int]:
    found = gallery.for_class(classroom.pk, model_id=runtime.active_model_id())
    return [int(owner) for owner in found.owners]


def verify(api: ApiFactory, user: User, classroom: Classroom) -> dict[str, object]:
    form = {"class_id": classroom.pk, "file": upload(photo_of(7))}
    told: dict[str, object] = api(user).post("/face/verify", form).json()
    return told


# --- enrolment ------------------------------------------------------------------------


def test_warn_enrols_without_a_consent_and_says_so(
    students: list[Student], alice: User, fake_engine: FakeEngine
) -> None:
    done = enrol(students[0], alice)
    assert [doubt.code for doubt in done.warnings] == ["consent_missing"]
    assert len(done.templates) == 1


def test_warn_says_that_a_consent_has_ended(
    students: list[Student],
    alice: User,
    consented: Recorder,
    fake_engine: FakeEngine,
) -> None:
    consented(students[0], until=-1)
    (doubt,) = enrol(students[0], alice).warnings
    assert doubt.code == "consent_missing" and "ended on" in doubt.detail


@pytest.mark.parametrize("mode", ["warn", "require"])
def test_with_a_consent_nothing_is_said(
    students: list[Student],
    alice: User,
    consented: Recorder,
    fake_engine: FakeEngine,
    settings: Settings,
    mode: str,
) -> None:
    settings.FACE_CONSENT = mode
    consented(students[0])
    assert enrol(students[0], alice).warnings == []


def test_off_asks_for_nothing(
    students: list[Student], alice: User, fake_engine: FakeEngine, settings: Settings
) -> None:
    settings.FACE_CONSENT = "off"
    assert enrol(students[0], alice).warnings == []


@pytest.mark.parametrize("until", [None, -1])
def test_require_refuses_without_a_consent_in_force(
    api: ApiFactory,
    students: list[Student],
    alice: User,
    consented: Recorder,
    fake_engine: FakeEngine,
    settings: Settings,
    until: int | None,
) -> None:
    settings.FACE_CONSENT = "require"
    if until is not None:
        consented(students[0], until=until)
    form = {"student_id": students[0].pk, "file": upload(photo_of(7))}
    answer = api(alice).post("/face/register", form)
    assert (answer.status_code, answer.json()["code"]) == (422, "consent_missing")
    assert not FaceTemplate.objects.exists()


def test_a_no_holds_even_where_silence_is_enough(
    students: list[Student], alice: User, fake_engine: FakeEngine
) -> None:
    withdraw_consent(students[0], said_by="Cleo", by=alice)
    with pytest.raises(ConsentMissing):
        enrol(students[0], alice)


def test_an_enrolment_under_way_is_stopped_by_a_withdrawal(
    students: list[Student], alice: User, fake_engine: FakeEngine
) -> None:
    face = services.only_face(services.read_photo(photo_of(7)))
    withdraw_consent(students[0], said_by="Cleo", by=alice)
    with pytest.raises(ConsentMissing):
        services.save(students[0], [face], alice)


# --- recognition ----------------------------------------------------------------------


def test_require_leaves_out_of_every_gallery_who_has_none_in_force(
    maths: Classroom,
    students: list[Student],
    consented: Recorder,
    settings: Settings,
) -> None:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    consented(students[0])
    consented(students[1], until=-1)
    assert len(owners(maths)) == 3
    settings.FACE_CONSENT = "require"
    assert owners(maths) == [students[0].pk]
    school = gallery.for_school(model_id=runtime.active_model_id())
    assert school.owners.tolist() == [students[0].pk]
    consented(students[2])
    assert owners(maths) == [students[0].pk, students[2].pk]


def test_who_is_left_out_is_not_reported_as_broken(
    students: list[Student], settings: Settings
) -> None:
    settings.FACE_CONSENT = "require"
    make_template(students[0], 1)
    assert status.broken_templates() == 0


def test_a_photo_of_who_is_left_out_matches_nobody_and_says_why(
    api: ApiFactory,
    maths: Classroom,
    students: list[Student],
    alice: User,
    fake_engine: FakeEngine,
    settings: Settings,
) -> None:
    make_template(students[0], 7)
    settings.FACE_CONSENT = "require"
    told = verify(api, alice, maths)
    assert (told["matched"], told["reason"]) == (False, "nobody_enrolled")
    assert "consent_missing" in str(told["hints"])


def test_a_student_without_a_face_is_marked_by_hand_like_any_other(
    api: ApiFactory, maths: Classroom, students: list[Student], alice: User
) -> None:
    withdraw_consent(students[0], said_by="Cleo", by=alice)
    mark = {"class_id": maths.pk, "student_id": students[0].pk, "status": "present"}
    answer = api(alice).post("/attendance", mark)
    assert (answer.status_code, answer.json()["status"]) == (200, "present")


# --- withdrawal -----------------------------------------------------------------------


def test_a_withdrawal_deletes_the_templates_of_every_model_with_a_receipt(
    maths: Classroom, students: list[Student], alice: User, consented: Recorder
) -> None:
    consented(students[0])
    make_template(students[0], 1)
    make_template(students[0], 2, model_id="older:1")
    make_template(students[1], 3)
    LookAlikePair.objects.create(first=students[0], second=students[1])
    answer, receipt = withdraw_consent(students[0], said_by="Cleo", by=alice)
    assert answer.withdrawn_by == "Cleo"
    assert receipt is not None
    assert receipt.counts == {"face_templates": 2, "look_alikes": 1}
    assert {one["model_id"] for one in receipt.templates} == {
        "older:1",
        runtime.active_model_id(),
    }
    assert (receipt.reason, receipt.created_by) == ("withdrawal", alice)
    assert [one.student for one in FaceTemplate.objects.all()] == [students[1]]
    assert not LookAlikePair.objects.exists()
    assert owners(maths) == [students[1].pk]


def test_the_receipt_says_until_when_backups_hold_it(
    students: list[Student], alice: User, settings: Settings
) -> None:
    settings.BACKUP_RETENTION_DAYS = 14
    make_template(students[0], 1)
    _, receipt = withdraw_consent(students[0], said_by="Cleo", by=alice)
    assert receipt is not None and receipt.backups_until == days(14)


def test_without_a_face_there_is_no_receipt(
    students: list[Student], alice: User
) -> None:
    assert withdraw_consent(students[0], said_by="Cleo", by=alice)[1] is None
    assert not ErasureReceipt.objects.exists()


def test_this_process_forgets_the_opened_embeddings(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_template(students[0], 1)
    owners(maths)
    assert gallery._entries
    with TestCase.captureOnCommitCallbacks(execute=True):
        withdraw_consent(students[0], said_by="Cleo", by=alice)
    assert not gallery._entries


def test_the_audit_log_has_the_answer_and_the_erasure(
    students: list[Student], alice: User
) -> None:
    make_template(students[0], 1)
    _, receipt = withdraw_consent(students[0], said_by="Cleo", by=alice)
    assert receipt is not None
    entries = {one.event: one for one in AuditEntry.objects.about(students[0])}
    assert set(entries) == {"consent", "erased"}
    assert entries["erased"].details["receipt"] == str(receipt.pk)
    assert entries["erased"].details["templates"] == 1
