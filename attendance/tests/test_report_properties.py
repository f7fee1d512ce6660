"""Whatever is in the register: every report of it has the same sum."""

import datetime as dt
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.tests.factories import make_user
from attendance.models import AbsenceRule, Record, Session, Source, Status
from attendance.report_rules import Miss, last_window, number
from attendance.report_school import school
from attendance.report_students import student_report
from attendance.report_trends import Dated, trend, weekdays
from attendance.reports import Counts, add, grid, summarise
from attendance.tests.factories import at
from attendance.tests.test_properties import RULES, rolled_back
from classroom.models import Classroom, Enrollment
from classroom.tests.factories import days, make_class, make_student

pytestmark = pytest.mark.django_db

# Few of each, so that seats overlap and marks meet.
DAYS = 4
FIRST = dt.date(2026, 3, 2)

DAY = st.integers(0, DAYS - 1)
SEAT = st.tuples(st.integers(0, 1), st.integers(0, 1), DAY, st.none() | DAY)
MARK = st.tuples(DAY, st.integers(0, 1), st.integers(0, 1), st.sampled_from(Status))


@settings(RULES, max_examples=50)
@given(
    seats=st.lists(SEAT, max_size=6),
    held=st.sets(st.tuples(DAY, st.integers(0, 1)), max_size=8),
    marks=st.lists(MARK, max_size=10),
)
def test_every_report_of_a_register_has_the_same_sum(
    db: None,
    seats: list[tuple[int, int, int, int | None]],
    held: set[tuple[int, int]],
    marks: list[tuple[int, int, int, Status]],
) -> None:
    """Seats may overlap, and marks go to whoever sits elsewhere, too."""
    with rolled_back():
        teacher = make_user("Tea Teacher")
        rooms = [make_class(name, teacher) for name in ("7A", "7B")]
        students = [make_student(f"Student {n}") for n in range(2)]
        for room, who, first, left in seats:
            Enrollment.objects.bulk_create(
                [
                    Enrollment(
                        student=students[who],
                        classroom=rooms[room],
                        starts_on=days(-first),
                        ends_on=days(0) if left is None else days(max(-first, -left)),
                    )
                ]
            )
        sessions = {
            (day, room): Session.objects.create(classroom=rooms[room], date=days(-day))
            for day, room in held
        }
        for day, room, who, status in marks:
            if (day, room) in sessions:
                Record.objects.update_or_create(
                    session=sessions[day, room],
                    student=students[who],
                    defaults={
                        "status": status,
                        "source": Source.MANUAL,
                        "marked_at": at(9, day=days(-day)),
                    },
                )
        everything = Classroom.objects.for_user(teacher)
        whole = school(everything)
        by_class = [summarise(room) for room in rooms]
        grids = [grid(room) for room in rooms]
        total = whole.counts
        assert total == add(one.counts for one in by_class)
        assert total == add(line.counts for one in grids for line in one.by_session())
        assert total == add(line.counts for one in grids for line in one.by_student())
        assert total == add(
            student_report(student, user=teacher).counts for student in students
        )
        assert total == add(point.counts for point in trend(whole.dated).points)
        assert total == add(day.counts for day in weekdays(whole.dated))
        assert total.base + total.excused == Record.objects.count()
        assert total.rate is None or 0 <= total.rate <= 1


COUNTS = st.builds(Counts, *(st.integers(0, 9) for _ in range(5)))
DATED = st.lists(st.tuples(st.integers(0, 500), COUNTS), max_size=30)


@given(rows=DATED)
def test_a_trend_and_the_weekdays_lose_no_line(rows: list[tuple[int, Counts]]) -> None:
    dated: list[Dated] = [(FIRST + dt.timedelta(days=n), parts) for n, parts in rows]
    total = add(parts for _day, parts in dated)
    found = trend(dated)
    assert add(point.counts for point in found.points) == total
    assert add(day.counts for day in weekdays(dated)) == total
    firsts = [point.first for point in found.points]
    assert firsts == sorted(set(firsts))


@given(
    ago=st.lists(st.integers(0, 30), max_size=8),
    times=st.integers(1, 4),
    length=st.integers(1, 14),
    per_day=st.booleans(),
)
def test_who_is_on_a_list_has_so_many_absences_so_near_together(
    ago: list[int], times: int, length: int, per_day: bool
) -> None:
    rule = AbsenceRule(times=times, days=length, per_day=per_day)
    dates = sorted(FIRST + dt.timedelta(days=n) for n in ago)
    window = last_window(rule, [Miss(day, Status.ABSENT, 1) for day in dates])
    looked_at = sorted(set(dates)) if per_day else dates
    is_met = any(
        (some[-1] - some[0]).days < length for some in combinations(looked_at, times)
    )
    assert bool(window) == is_met
    if window:
        assert number(rule, window) >= times
        assert (window[-1].day - window[0].day).days < length
