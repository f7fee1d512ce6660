"""Today: the classes of a day, how far each register is, and what is missing."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import User
from attendance.models import Record, Session
from attendance.pages import neighbours
from attendance.register import HERE
from attendance.services import running
from attendance.timetable import open_due
from classroom.models import Classroom, Enrollment
from faces.api import enrolled_templates

CLASSES_A_PAGE = 24


@dataclass(frozen=True, slots=True)
class ClassToday:
    """A class and how much of the register of its present or last session is done."""

    classroom: Classroom
    session: Session | None
    students: int
    not_enrolled: int
    present: int
    marked: int
    earlier: list[Session]

    @property
    def percent(self) -> int:
        return round(100 * self.present / self.students) if self.students else 0

    @property
    def missing(self) -> int:
        """How many have no line yet."""
        return max(0, self.students - self.marked)


@require_GET
@login_required
def today(request: HttpRequest) -> HttpResponse:
    """Show the classes of a user with today's registers; admins may search them."""
    user = cast(User, request.user)
    words = request.GET.get("q", "").strip()
    year = request.GET.get("year", "")
    classes = Classroom.objects.for_user(user).current()
    years: list[str] = []
    if user.is_admin:
        years = list(
            classes.order_by("-school_year")
            .values_list("school_year", flat=True)
            .distinct()
        )
        classes = classes.search(words)
    if year in years:
        classes = classes.filter(school_year=year)
    page = Paginator(classes.select_related("teacher"), CLASSES_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "lines": classes_today(page),
        "page": page,
        "pages": neighbours(page, q=words, year=year),
        "date": timezone.localdate(),
        "is_filtered": bool(words or year),
        "words": words,
        "year": year,
        "years": years,
    }
    return render(request, "attendance/today.html", context)


def classes_today(
    classes: Iterable[Classroom],
) -> list[ClassToday]:
    """Return today's figures of these classes; five queries, however many they are.

    More once a day, where the timetable's sessions of the day are yet to be made.
    """
    now = timezone.now()
    day = timezone.localdate(now)
    rooms = list(classes)
    ids = [room.pk for room in rooms]
    open_due(ids, now=now)
    seats = _seats(ids, day)
    meetings: dict[int, list[Session]] = defaultdict(list)
    for session in Session.objects.filter(classroom__in=ids, date=day):
        meetings[session.classroom_id].append(session)
    counts = _counts(ids, day)
    lines = []
    for room in rooms:
        shown = _shown(meetings[room.pk], now)
        students, not_enrolled = seats.get(room.pk, (0, 0))
        present, marked = counts.get(shown.pk, (0, 0)) if shown else (0, 0)
        earlier = [session for session in meetings[room.pk] if session != shown]
        lines.append(
            ClassToday(room, shown, students, not_enrolled, present, marked, earlier)
        )
    return lines


def _shown(sessions: list[Session], now: dt.datetime) -> Session | None:
    """Return the session under way, else the ad-hoc one, else the last one."""
    ad_hoc = next((session for session in sessions if session.start is None), None)
    return running(sessions, now) or ad_hoc or next(iter(sessions), None)


def _seats(ids: list[int], day: dt.date) -> dict[int, tuple[int, int]]:
    """Return how many students sit in each class, and how many lack a template."""
    templates = enrolled_templates().filter(student=OuterRef("student"))
    seats = Enrollment.objects.current(on=day).filter(classroom__in=ids)
    rows = (
        seats.order_by()
        .annotate(known=Exists(templates))
        .values_list("classroom")
        .annotate(
            students=Count("student", distinct=True),
            not_enrolled=Count("student", filter=Q(known=False), distinct=True),
        )
    )
    return {room: (students, unknown) for room, students, unknown in rows}


def _counts(ids: list[int], day: dt.date) -> dict[int, tuple[int, int]]:
    """Return how many are here and how many are marked, by session."""
    lines = Record.objects.filter(session__date=day, session__classroom__in=ids)
    rows = (
        lines.order_by()
        .values_list("session")
        .annotate(present=Count("pk", filter=Q(status__in=HERE)), marked=Count("pk"))
    )
    return {session: (present, marked) for session, present, marked in rows}
