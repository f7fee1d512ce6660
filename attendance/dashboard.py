"""What the admin's first page shows: today's rates, and what needs a look."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import jobs
from accounts.job_models import JobState
from accounts.models import Job, Role, User
from attendance.models import Record, Session
from attendance.notice_models import Notice as Mail
from attendance.notice_models import NoticeState
from attendance.reports import Counts
from classroom.models import (
    Classroom,
    ConsentState,
    Enrollment,
    Student,
    consent_state,
)
from faces import consent, runtime, status
from faces.models import FaceTemplate
from faces.status import FaceState, face_state

# From this share of absent students on, a closed session deserves a look.
HIGH_ABSENCE = 0.3
FEWEST_STUDENTS = 5  # a share of fewer says little
LOOK_BACK = dt.timedelta(days=7)
LONGEST_LIST = 12  # bars on the page


@dataclass(frozen=True, slots=True)
class ClassRate:
    """Today's lines of one class, over all its sessions."""

    classroom: Classroom
    counts: Counts


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to look at, and where; `grave` where marking may fail."""

    text: str
    url: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class FirstStep:
    text: str
    url: str
    done: bool


@dataclass(frozen=True, slots=True)
class Dashboard:
    rates: list[ClassRate]
    more: int  # classes with a register today that the list leaves out
    waiting: int  # classes with students and without a register today
    notices: list[Notice]
    first_steps: list[FirstStep]


def dashboard() -> Dashboard:
    """Return the page's figures; the number of queries doesn't grow with the school."""
    steps = first_steps()
    if not all(step.done for step in steps):
        return Dashboard([], 0, 0, list(notices()), steps)
    rates, waiting = rates_today()
    rates.sort(key=lambda line: (line.counts.rate is None, line.counts.rate))
    more = max(len(rates) - LONGEST_LIST, 0)
    return Dashboard(rates[:LONGEST_LIST], more, waiting, list(notices()), [])


def rates_today() -> tuple[list[ClassRate], int]:
    """Return each class with a register today, and how many classes have none yet."""
    day = timezone.localdate()
    classes = {room.pk: room for room in Classroom.objects.current()}
    seats = dict(
        Enrollment.objects.seated()
        .values_list("classroom__pk")
        .annotate(number=Count("student", distinct=True))
    )
    sessions = Session.objects.filter(date=day, classroom__in=classes)
    held = dict(
        sessions.order_by().values_list("classroom__pk").annotate(number=Count("pk"))
    )
    lines = Record.objects.filter(session__in=sessions)
    marked = lines.status_counts("session__classroom__pk")
    found = []
    for room, number in held.items():
        expected = number * seats.get(room, 0)
        missing = max(expected - sum(marked[room].values()), 0)
        found.append(ClassRate(classes[room], Counts(**marked[room], unmarked=missing)))
    return found, len(set(seats) - set(held))


def first_steps() -> list[FirstStep]:
    """Return what a new school does first, and what of it is done."""
    people, rooms, rows = (
        reverse(f"admin:{name}_add")
        for name in ("accounts_user", "classroom_classroom", "classroom_student")
    )
    return [
        FirstStep(
            _("Add a teacher"), people, User.objects.filter(role=Role.TEACHER).exists()
        ),
        FirstStep(
            _("Open a class and give it to the teacher"),
            rooms,
            Classroom.objects.exists(),
        ),
        FirstStep(
            _("Add a student to the class, then a photo on the student's page"),
            rows,
            Student.objects.exists(),
        ),
    ]


def notices() -> Iterator[Notice]:
    """Yield what needs a look, the gravest first."""
    yield from _broken_templates()
    yield from _failures()
    yield from _open_sessions()
    yield from _high_absence()
    yield from _classes()
    yield from _consents()
    yield from _students()


def _broken_templates() -> Iterator[Notice]:
    number = status.broken_templates() if FaceTemplate.objects.exists() else 0
    if number:
        text = ngettext(
            "%(number)d face template can't be opened",
            "%(number)d face templates can't be opened",
            number,
        )
        url = reverse("admin:engine")
        yield Notice(text % {"number": number}, url, grave=True)


def _failures() -> Iterator[Notice]:
    """Yield what went wrong in the background within a week, and what nobody does."""
    since = timezone.now() - LOOK_BACK
    failed = Job.objects.filter(state=JobState.FAILED, finished_at__gte=since).count()
    if failed:
        text = ngettext(
            "%(number)d job failed this week",
            "%(number)d jobs failed this week",
            failed,
        )
        yield Notice(text % {"number": failed}, reverse("job-list"), grave=True)
    oldest = Job.objects.filter(state=JobState.QUEUED).order_by("pk").first()
    if oldest is not None and jobs.is_waited_for(oldest):
        text = _("No worker takes the jobs that wait")
        yield Notice(text, reverse("job", args=[oldest.pk]), grave=True)
    ended = (NoticeState.FAILED, NoticeState.UNCLEAR)
    mails = Mail.objects.filter(state__in=ended, created_at__gte=since).count()
    if mails:
        text = ngettext(
            "%(number)d e-mail was not sent for sure",
            "%(number)d e-mails were not sent for sure",
            mails,
        )
        url = reverse("admin:attendance_notice_changelist")
        yield Notice(text % {"number": mails}, url, grave=True)


def _open_sessions() -> Iterator[Notice]:
    number = Session.objects.open().filter(date__lt=timezone.localdate()).count()
    if number:
        text = ngettext(
            "%(number)d session is open since before today",
            "%(number)d sessions are open since before today",
            number,
        )
        url = reverse("admin:attendance_session_changelist") + "?state=forgotten"
        yield Notice(text % {"number": number}, url)


def _high_absence() -> Iterator[Notice]:
    closed = Session.objects.filter(
        date=timezone.localdate(), closed_at__isnull=False
    ).select_related("classroom")
    counts = Record.objects.filter(session__in=closed).status_counts("session__pk")
    for session in closed:
        total, absent = sum(counts[session.pk].values()), counts[session.pk]
        share = absent.get("absent", 0) / total if total else 0.0
        if total >= FEWEST_STUDENTS and share >= HIGH_ABSENCE:
            text = _("%(code)s: %(percent)d %% absent today") % {
                "code": session.classroom.class_code,
                "percent": round(100 * share),
            }
            url = reverse("admin:attendance_session_change", args=[session.pk])
            yield Notice(text, url)


def _classes() -> Iterator[Notice]:
    current = Classroom.objects.current()
    page = reverse("admin:classroom_classroom_changelist")
    orphaned = current.filter(teacher__is_active=False).count()
    if orphaned:
        text = ngettext(
            "%(number)d class belongs to a deactivated teacher",
            "%(number)d classes belong to deactivated teachers",
            orphaned,
        )
        yield Notice(text % {"number": orphaned}, f"{page}?state=orphaned", grave=True)
    seats = Enrollment.objects.current().values("classroom")
    empty = current.exclude(pk__in=seats).count()
    if empty:
        text = ngettext(
            "%(number)d class has no students",
            "%(number)d classes have no students",
            empty,
        )
        yield Notice(text % {"number": empty}, f"{page}?state=empty")


def _consents() -> Iterator[Notice]:
    """Say how many faces are kept without a consent in force, by what is missing."""
    if not consent.is_asked():
        return
    page = reverse("admin:classroom_student_changelist")
    page += f"?face={FaceState.ENROLLED}"
    templates = FaceTemplate.objects.of_model(runtime.active_model_id())
    enrolled = templates.students().annotate(answer=consent_state())
    counts = dict(
        enrolled.order_by().values_list("answer").annotate(number=Count("pk"))
    )
    unasked = counts.get(ConsentState.NONE, 0)
    ended = counts.get(ConsentState.EXPIRED, 0)
    grave = consent.is_required()
    if unasked:
        text = ngettext(
            "%(number)d enrolled student has no consent on record",
            "%(number)d enrolled students have no consent on record",
            unasked,
        )
        link = f"{page}&consent={ConsentState.NONE}"
        yield Notice(text % {"number": unasked}, link, grave=grave)
    if ended:
        text = ngettext(
            "The consent of %(number)d enrolled student has expired",
            "The consents of %(number)d enrolled students have expired",
            ended,
        )
        link = f"{page}&consent={ConsentState.EXPIRED}"
        yield Notice(text % {"number": ended}, link, grave=grave)


def _students() -> Iterator[Notice]:
    page = reverse("admin:classroom_student_changelist")
    seated = Enrollment.objects.seated().values("student")
    students = Student.objects.filter(pk__in=seated).annotate(face=face_state())
    counts = dict(students.order_by().values_list("face").annotate(number=Count("pk")))
    missing, renew = counts.get(FaceState.NONE, 0), counts.get(FaceState.RENEW, 0)
    if missing:
        text = ngettext(
            "%(number)d student has no face yet",
            "%(number)d students have no face yet",
            missing,
        )
        link = f"{page}?class=any&face={FaceState.NONE}"
        yield Notice(text % {"number": missing}, link)
    if renew:
        text = ngettext(
            "%(number)d student needs a new photo",
            "%(number)d students need a new photo",
            renew,
        )
        link = f"{page}?class=any&face={FaceState.RENEW}"
        yield Notice(text % {"number": renew}, link)
    seatless = Student.objects.exclude(pk__in=seated).count()
    if seatless:
        text = ngettext(
            "%(number)d student sits in no class",
            "%(number)d students sit in no class",
            seatless,
        )
        yield Notice(text % {"number": seatless}, f"{page}?class=none")
