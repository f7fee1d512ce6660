"""Tell families of absences and teachers of their week: each thing once.

A row of `Notice` is written first, under a key that the database lets in once. A mail
is tried only by whoever turned its row from waiting to sending. A worker that dies in
between leaves it there: nobody knows whether the mail went out, so it is not sent again
but shown as unclear.
"""

import datetime as dt
import logging
from smtplib import SMTPException
from typing import Final
from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from attendance.models import Record, Session, Source, Status
from attendance.notice_models import Notice, NoticeKind, NoticeSettings, NoticeState
from attendance.reports import summarise
from classroom.contacts import addresses
from classroom.models import Classroom, Student

logger = logging.getLogger(__name__)

# Long enough to put a wrong line right, short enough to find a child.
DELAY: Final = dt.timedelta(minutes=15)
# After days without a worker nobody wants the news of last week.
NEWS: Final = dt.timedelta(hours=36)
DIGEST_NEWS: Final = dt.timedelta(days=6)
STUCK: Final = dt.timedelta(minutes=10)
MAX_TRIES: Final = 5
AT_ONCE: Final = 200  # mails a run
DIGEST_HOUR: Final = 6  # on Mondays, the school's time
KINDS: Final = {Status.ABSENT: NoticeKind.ABSENCE, Status.LATE: NoticeKind.LATE}


def run() -> None:
    """Write what is due and send what waits; safe to run twice at once."""
    write_absences()
    write_digests()
    send_waiting()


def write_absences(now: dt.datetime | None = None) -> int:
    """Put down the notices of sessions that closed a little while ago."""
    now = now or timezone.now()
    wishes = {wish.classroom_id: wish for wish in NoticeSettings.objects.all()}
    sessions = Session.objects.filter(
        classroom__in=list(wishes), closed_at__range=(now - NEWS, now - DELAY)
    )
    lines = (
        Record.objects.filter(session__in=sessions, status__in=list(KINDS))
        .exclude(source=Source.IMPORT)
        .exclude(student__email="")
        .select_related("session", "student")
    )
    new = []
    for line in lines:
        wish = wishes[line.session.classroom_id]
        kind = KINDS[Status(line.status)]
        closed = line.session.closed_at
        if closed and wish.tells_of(kind, closed):
            new += _to_family(line, kind)
    Notice.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return len(new)


def _to_family(line: Record, kind: NoticeKind) -> list[Notice]:
    """Return a notice for each address, so that none of them reads another one."""
    # One a session, student and address, whatever the line is corrected to later.
    key = f"mark/{line.session_id}/{line.student_id}"
    return [
        Notice(
            key=f"{key}/{place}" if place else key,
            kind=kind,
            classroom_id=line.session.classroom_id,
            session=line.session,
            student=line.student,
            to=address,
        )
        for place, address in enumerate(addresses(line.student.email))
    ]


def write_digests(now: dt.datetime | None = None) -> int:
    """Put down last week's digests, from Monday morning on."""
    local = timezone.localtime(now or timezone.now())
    monday = local.date() - dt.timedelta(days=local.weekday())
    if local.date() == monday and local.hour < DIGEST_HOUR:
        return 0
    week = monday - dt.timedelta(days=7)
    rooms = Classroom.objects.current().filter(
        notice_settings__digest=True,
        teacher__is_active=True,
        sessions__date__range=(week, monday - dt.timedelta(days=1)),
    )
    new = [
        Notice(
            key=f"digest/{room.pk}/{week}",
            kind=NoticeKind.DIGEST,
            classroom=room,
            week=week,
            to=room.teacher.email,
        )
        for room in rooms.select_related("teacher").distinct()
    ]
    Notice.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return len(new)


def mail_is_set_up() -> bool:
    """Say whether there is a mail server; without one mails end in the log.

    A log is no place for a child's name, and nobody would have been told.
    """
    return not settings.EMAIL_BACKEND.endswith(".console.EmailBackend")


@transaction.atomic
def send_again(notice: Notice, *, by: User) -> bool:
    """Let a mail that failed, or perhaps did, wait to be sent; a person decides that.

    False where it was sent, or waits already.
    """
    ended = (NoticeState.FAILED, NoticeState.UNCLEAR)
    again = Notice.objects.filter(pk=notice.pk, state__in=ended).update(
        state=NoticeState.WAITING, tries=0, fault="", created_at=timezone.now()
    )
    if again:
        audit.write(Event.CHANGED, by=by, on=notice, what="sent again")
    return bool(again)


def send_waiting() -> None:
    """Send what waits, and show what a dead worker has left unclear."""
    now = timezone.now()
    stuck = Notice.objects.filter(
        state=NoticeState.SENDING, tried_at__lt=now - STUCK
    ).update(state=NoticeState.UNCLEAR)
    if stuck:
        logger.error("notices whose sending was cut short: %s", stuck)
    if not mail_is_set_up():
        return
    waiting = Notice.objects.filter(state=NoticeState.WAITING).order_by("id")
    for notice in waiting.select_related("classroom__teacher", "session", "student")[
        :AT_ONCE
    ]:
        _send(notice)


def _send(notice: Notice) -> None:
    mine = Notice.objects.filter(pk=notice.pk)
    if _is_old_news(notice) or not _still_true(notice):
        mine.filter(state=NoticeState.WAITING).update(state=NoticeState.DROPPED)
        return
    taken = mine.filter(state=NoticeState.WAITING).update(
        state=NoticeState.SENDING, tried_at=timezone.now(), tries=F("tries") + 1
    )
    if not taken:  # another worker has it
        return
    try:
        message_of(notice).send()
    except (SMTPException, OSError) as error:
        again = notice.tries + 1 < MAX_TRIES
        # The name of the fault alone: its text may repeat the address.
        fault = type(error).__name__
        logger.warning("notice %s was not sent: %s", notice.pk, fault)
        state = NoticeState.WAITING if again else NoticeState.FAILED
        mine.update(state=state, fault=fault)
        return
    mine.update(state=NoticeState.SENT, sent_at=timezone.now(), fault="")


def _is_old_news(notice: Notice) -> bool:
    most = DIGEST_NEWS if notice.kind == NoticeKind.DIGEST else NEWS
    return notice.created_at < timezone.now() - most


def _still_true(notice: Notice) -> bool:
    if notice.kind == NoticeKind.DIGEST:
        return True
    status = next(status for status, kind in KINDS.items() if kind == notice.kind)
    lines = Record.objects.filter(session=notice.session, student=notice.student)
    return lines.filter(status=status).exists()


def message_of(notice: Notice) -> EmailMessage:
    """Return the mail in the language of whom it goes to."""
    teacher = notice.classroom.teacher
    is_digest = notice.kind == NoticeKind.DIGEST
    if is_digest:
        language = teacher.language
    else:
        wishes = NoticeSettings.objects.filter(classroom=notice.classroom_id).first()
        language = wishes.language if wishes else ""
    with translation.override(language or settings.LANGUAGE_CODE):
        context = _digest(notice) if is_digest else _absence(notice)
        name = f"notices/{notice.kind}"
        subject = render_to_string(f"{name}_subject.txt", context)
        body = render_to_string(f"{name}.txt", context)
    # One line: a name may hold what a header must not.
    return EmailMessage(" ".join(subject.split()), body, to=[notice.to])


def _absence(notice: Notice) -> dict[str, object]:
    student: Student | None = notice.student
    return {"student": student, "session": notice.session, "room": notice.classroom}


def _digest(notice: Notice) -> dict[str, object]:
    week = notice.week or timezone.localdate()
    last = week + dt.timedelta(days=6)
    summary = summarise(notice.classroom, start=week, end=last)
    page = reverse("print-register", args=[notice.classroom_id])
    return {
        "room": notice.classroom,
        "first": week,
        "last": last,
        "counts": summary.counts,
        "rate": None if summary.counts.rate is None else summary.counts.rate * 100,
        "sessions": summary.sessions,
        "absent": [line for line in summary.students if line.counts.absent],
        "address": urljoin(settings.PUBLIC_URL, f"{page}?start={week}&end={last}"),
    }
