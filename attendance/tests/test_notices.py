"""Notices: by choice, once each, never to a stranger, and seen in a log."""

import datetime as dt
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from attendance import notices, services
from attendance.models import Record, Session, Source, Status
from attendance.notice_models import Notice, NoticeSettings, NoticeState
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student

pytestmark = pytest.mark.django_db


@pytest.fixture
def cleo(students: list[Student]) -> Student:
    """A student whose family can be written to."""
    Student.objects.filter(pk=students[0].pk).update(email="castro@family.example")
    students[0].refresh_from_db()
    return students[0]


def wanted(classroom: Classroom, **kinds: bool) -> None:
    wishes = NoticeSettings.objects.create(classroom=classroom, **kinds)
    ago(wishes, since=dt.timedelta(days=30))


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
    ago(wishes, since=dt.timedelta(days=1))
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
