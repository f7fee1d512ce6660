"""Notices: by choice, once each, never to a stranger, and seen in a log."""

import datetime as dt
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.models import User
from attendance import notices, services
from attendance.models import Record, Session, Source, Status
from attendance.notice_models import Notice, NoticeSettings, NoticeState
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from conftest import ApiFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cleo(students: list[Student]) -> Student:
    """A student whose family can be written to."""
    Student.objects.filter(pk=students[0].pk).update(email="castro@family.example")
    students[0].refresh_from_db()
    return students[0]


def wanted(classroom: Classroom, **kinds: bool | str) -> None:
    wishes = NoticeSettings.objects.create(classroom=classroom, **kinds)
    long_ago = dt.timedelta(days=30)
    ago(wishes, absence_since=long_ago, late_since=long_ago)


def ago(row: Any, **fields: dt.timedelta) -> None:
    moments = {name: timezone.now() - since for name, since in fields.items()}
    type(row).objects.filter(pk=row.pk).update(**moments)


def closed(classroom: Classroom, by: User, *, minutes: int = 20) -> Session:
    session = services.close(make_session(classroom), by=by)
    ago(session, closed_at=dt.timedelta(minutes=minutes))
    return session


def test_an_absence_is_told_once(alice: User, maths: Classroom, cleo: Student) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    for _ in range(3):
        notices.run()
    assert [message.to for message in mail.outbox] == [["castro@family.example"]]
    assert "Cleo Castro was marked absent in Maths" in str(mail.outbox[0].body)
    assert Notice.objects.get().state == NoticeState.SENT


def test_each_address_of_a_family_gets_a_mail_of_its_own(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    cleo.email = "mother@family.example; father@family.example"
    cleo.save()
    closed(maths, alice)
    for _ in range(2):
        notices.run()
    assert [message.to for message in mail.outbox] == [
        ["mother@family.example"],
        ["father@family.example"],
    ]


def test_nothing_is_sent_unless_it_was_chosen(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, late=True)
    closed(maths, alice)
    notices.run()
    assert mail.outbox == []


def test_a_late_mark_is_told_by_choice(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, late=True)
    make_record(make_session(maths), cleo, Status.LATE)
    session = services.close(Session.objects.get(), by=alice)
    ago(session, closed_at=dt.timedelta(minutes=20))
    notices.run()
    assert [message.subject.split(" on ")[0] for message in mail.outbox] == [
        "Cleo Castro came late"
    ]


def test_there_is_time_to_put_a_mark_right(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice, minutes=5)
    notices.run()
    assert not Notice.objects.exists()


def test_a_mark_put_right_meanwhile_is_not_told(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    notices.write_absences()
    services.correct(Record.objects.get(student=cleo), status=Status.PRESENT, by=alice)
    notices.send_waiting()
    assert mail.outbox == []
    assert Notice.objects.get().state == NoticeState.DROPPED


def test_what_happened_before_the_choice_is_not_told(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    closed(maths, alice)
    NoticeSettings.objects.create(classroom=maths, absence=True)
    notices.run()
    assert mail.outbox == []


def test_another_choice_forgets_nothing_that_is_about_to_be_told(
    client: Client, alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    client.force_login(alice)
    both = {"absence": "on", "digest": "on"}
    client.post(f"/app/classes/{maths.pk}/notices/", both)
    notices.run()
    assert len(mail.outbox) == 1


def test_an_imported_past_is_not_told(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    Record.objects.update(source=Source.IMPORT)
    notices.run()
    assert mail.outbox == []


def test_old_news_is_not_told(alice: User, maths: Classroom, cleo: Student) -> None:
    wanted(maths, absence=True)
    closed(maths, alice, minutes=3 * 24 * 60)
    notices.run()
    assert mail.outbox == []


def test_a_mail_cut_short_by_a_crash_is_shown_and_not_sent_again(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    notices.write_absences()
    Notice.objects.update(state=NoticeState.SENDING)
    ago(Notice.objects.get(), tried_at=dt.timedelta(hours=1))
    notices.run()
    assert mail.outbox == []
    assert Notice.objects.get().state == NoticeState.UNCLEAR


def test_a_server_that_is_away_is_tried_again_and_then_given_up(
    alice: User, maths: Classroom, cleo: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: object) -> int:
        raise SMTPServerDisconnected("castro@family.example")

    wanted(maths, absence=True)
    closed(maths, alice)
    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    states = []
    for _ in range(notices.MAX_TRIES):
        notices.run()
        states.append(Notice.objects.get().state)
    assert states == [NoticeState.WAITING] * (notices.MAX_TRIES - 1) + ["failed"]
    assert Notice.objects.get().fault == "SMTPServerDisconnected"


@pytest.mark.parametrize(
    ("state", "sent"), [("failed", 1), ("unclear", 1), ("sent", 0), ("dropped", 0)]
)
def test_a_person_may_send_again_what_failed_or_is_unclear(
    client: Client, alice: User, maths: Classroom, cleo: Student, state: str, sent: int
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    notices.write_absences()
    Notice.objects.update(state=state, tries=notices.MAX_TRIES)
    client.force_login(alice)
    client.post(f"/app/notices/{Notice.objects.get().pk}/again/")
    notices.send_waiting()
    assert len(mail.outbox) == sent


def test_without_a_mail_server_nothing_is_said_to_be_sent(
    client: Client, alice: User, maths: Classroom, cleo: Student, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    wanted(maths, absence=True)
    closed(maths, alice)
    notices.run()
    assert Notice.objects.get().state == NoticeState.WAITING
    client.force_login(alice)
    page = client.get(f"/app/classes/{maths.pk}/notices/").content.decode()
    assert "No mail server is set up" in page


def test_what_waited_for_a_mail_server_for_too_long_is_dropped(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    closed(maths, alice)
    notices.write_absences()
    ago(Notice.objects.get(), created_at=dt.timedelta(days=2))
    notices.send_waiting()
    assert Notice.objects.get().state == NoticeState.DROPPED
    assert mail.outbox == []


def test_a_family_is_written_to_in_the_language_chosen_for_the_class(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True, language="es")
    closed(maths, alice)
    notices.run()
    with translation.override("es"):
        expected = translation.gettext("If this is not right, please tell the school.")
    assert expected in str(mail.outbox[0].body)
    assert "please tell" not in str(mail.outbox[0].body)


def test_a_teacher_is_written_to_in_their_own_language(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    User.objects.filter(pk=alice.pk).update(language="es")
    wanted(maths, digest=True)
    make_record(make_session(maths, date=dt.date(2026, 9, 9)), cleo, Status.ABSENT)
    notices.write_digests(monday(7))
    notices.send_waiting()
    assert "Ausente" in str(mail.outbox[0].body)


def test_a_program_chooses_and_reads_the_log(
    api: ApiFactory, alice: User, stranger: User, maths: Classroom, cleo: Student
) -> None:
    address = f"/classes/{maths.pk}/notices"
    body = api(alice).patch(address, {"absence": True, "language": "ar"}).json()
    assert (body["absence"], body["late"], body["language"]) == (True, False, "ar")
    closed(maths, alice)
    ago(NoticeSettings.objects.get(), absence_since=dt.timedelta(days=1))
    notices.run()
    (line,) = api(alice).get(address).json()["log"]
    assert (line["kind"], line["state"], line["student_id"]) == (
        "absence",
        "sent",
        cleo.pk,
    )
    assert api(stranger).get(address).status_code == 404


def test_a_name_cannot_write_a_header(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, absence=True)
    Student.objects.update(full_name="Cleo\r\nBcc: all@school.example")
    closed(maths, alice)
    notices.run()
    assert "\n" not in mail.outbox[0].subject


def monday(hour: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime(2026, 9, 14, hour))


def test_the_digest_comes_once_on_monday_morning(
    alice: User, maths: Classroom, cleo: Student
) -> None:
    wanted(maths, digest=True)
    make_record(make_session(maths, date=dt.date(2026, 9, 9)), cleo, Status.ABSENT)
    assert notices.write_digests(monday(5)) == 0
    for _ in range(2):
        notices.write_digests(monday(7))
        notices.send_waiting()
    assert [message.to for message in mail.outbox] == [[alice.email]]
    assert "Cleo Castro: 1" in str(mail.outbox[0].body)


def test_a_week_without_a_session_has_no_digest(maths: Classroom) -> None:
    wanted(maths, digest=True)
    assert notices.write_digests(monday(7)) == 0


def test_the_page_keeps_a_choice_and_shows_the_log(
    client: Client, alice: User, maths: Classroom, cleo: Student
) -> None:
    client.force_login(alice)
    page = f"/app/classes/{maths.pk}/notices/"
    client.post(page, {"absence": "on"})
    wishes = NoticeSettings.objects.get(classroom=maths)
    assert (wishes.absence, wishes.late, wishes.digest) == (True, False, False)
    ago(wishes, absence_since=dt.timedelta(days=1))
    closed(maths, alice)
    notices.run()
    assert "castro@family.example" in client.get(page).content.decode()


def test_a_stranger_sees_no_notices(
    client: Client, stranger: User, maths: Classroom
) -> None:
    client.force_login(stranger)
    assert client.get(f"/app/classes/{maths.pk}/notices/").status_code == 404


def test_nobody_changes_the_log(client: Client, admin: User, maths: Classroom) -> None:
    notice = Notice.objects.create(
        key="x", kind="absence", classroom=maths, to="a@family.example"
    )
    client.force_login(admin)
    address = f"/admin/attendance/notice/{notice.pk}"
    assert client.get(f"{address}/change/").status_code == 200
    assert client.post(f"{address}/change/", {"to": "x"}).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
