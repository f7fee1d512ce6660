"""Whatever happens in whatever order: one line each, a person's word, true sums."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.tests.factories import make_user
from attendance import history, reports, services
from attendance.models import Record, Session, Source, Status
from attendance.rules import cancel_absence, plan_absence
from attendance.tests.plans import make_slot
from attendance.tick import tick
from attendance.timetable_models import PlannedAbsence
from classroom.models import Classroom, Student
from classroom.rosters import end_enrolment, enrol
from classroom.tests.factories import days, make_class, make_student

pytestmark = pytest.mark.django_db

# Each example runs in a transaction of its own that is rolled back at its end.
RULES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

STUDENTS = 3
MIDNIGHT = dt.time()


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class School:
    """A class with a lesson today from nine to ten, and a clock that only runs on."""

    teacher: User
    classroom: Classroom
    students: list[Student]
    now: dt.datetime
    said: dict[int, Status] = field(default_factory=dict)  # a person's last words
    plans: list[PlannedAbsence] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return Session.objects.get()


@pytest.fixture
def school(db: None) -> School:
    teacher = make_user("Tea Teacher")
    classroom = make_class("Maths", teacher)
    students = [make_student(f"Student {i}", classroom) for i in range(STUDENTS)]
    make_slot(classroom, days(0))
    morning = dt.datetime.combine(days(0), dt.time(8), tzinfo=dt.UTC)
    tick(morning)
    return School(teacher, classroom, students, morning)


Act = Callable[[School], object]


def by_face(who: int) -> Act:
    def act(school: School) -> None:
        seen = {school.students[who].pk: 0.7}
        try:
            services.mark_by_face(
                school.classroom,
                seen,
                by=school.teacher,
                session_id=school.session.pk,
                now=school.now,
            )
        except services.SessionClosed:
            assert not school.session.is_open

    return act


def by_hand(who: int, status: Status) -> Act:
    def act(school: School) -> None:
        student = school.students[who]
        services.mark_by_hand(school.session, student, status=status, by=school.teacher)
        school.said[student.pk] = status

    return act


def the_rest(status: Status) -> Act:
    def act(school: School) -> None:
        rest = services.mark_rest(school.session, status=status, by=school.teacher)
        lines = Record.objects.filter(student__in=rest)
        school.said |= {line.student_id: Status(line.status) for line in lines}

    return act


def not_this_one(who: int) -> Act:
    def act(school: School) -> None:
        lines = Record.objects.filter(student=school.students[who], source=Source.FACE)
        for line in lines:
            services.reject_match(line, by=school.teacher)

    return act


def close(school: School) -> None:
    services.close(school.session, by=school.teacher)


def reopen(school: School) -> None:
    services.reopen(school.session, by=school.teacher)


def pass_time(minutes: int) -> Act:
    def act(school: School) -> None:
        school.now += dt.timedelta(minutes=minutes)

    return act


def run_tick(school: School) -> None:
    tick(school.now)


def plan(who: int) -> Act:
    def act(school: School) -> None:
        wanted = PlannedAbsence(
            student=school.students[who],
            first_date=days(0),
            last_date=days(0),
            reason="Ill",
        )
        school.plans.append(plan_absence(wanted, by=school.teacher))

    return act


def drop_plan(school: School) -> None:
    if school.plans:
        cancel_absence(school.plans.pop(), by=school.teacher)


WHO = st.integers(0, STUDENTS - 1)
STATUS = st.sampled_from(Status)
ACTS = st.lists(
    st.one_of(
        st.builds(by_face, WHO),
        st.builds(by_hand, WHO, STATUS),
        st.builds(the_rest, STATUS),
        st.builds(not_this_one, WHO),
        st.just(close),
        st.just(reopen),
        st.builds(pass_time, st.integers(1, 200)),
        st.just(run_tick),
        st.builds(plan, WHO),
        st.just(drop_plan),
    ),
    max_size=14,
)


def lived(school: School, acts: list[Act]) -> School:
    """Let a day pass, checking after each act what must hold at any time."""
    school = replace(school, said={}, plans=[])
    for act in acts:
        with patch.object(timezone, "now", return_value=school.now):
            act(school)
        check_lines(school)
    return school


def check_lines(school: School) -> None:
    lines = list(Record.objects.all())
    assert max(Counter(line.student_id for line in lines).values(), default=1) == 1
    words = {
        line.student_id: line.status for line in lines if line.source == Source.MANUAL
    }
    assert words == school.said
    if not school.session.is_open:
        assert len(lines) == STUDENTS  # nobody is left open


@RULES
@given(acts=ACTS)
def test_each_student_has_one_line_and_a_persons_word_survives(
    school: School, acts: list[Act]
) -> None:
    with rolled_back():
        lived(school, acts)


@RULES
@given(acts=ACTS)
def test_counts_add_up_to_the_roster(school: School, acts: list[Act]) -> None:
    with rolled_back():
        school = lived(school, acts)
        summary = reports.summarise(school.classroom)
        counts = summary.counts
        total = counts.present + counts.late + counts.absent + counts.excused
        assert total + counts.unmarked == STUDENTS
        assert total == Record.objects.count()
        parts = reports.add(line.counts for line in summary.students)
        assert parts == counts
        assert counts.rate is None or 0 <= counts.rate <= 1


@RULES
@given(acts=ACTS)
def test_the_history_ends_with_what_the_register_says(
    school: School, acts: list[Act]
) -> None:
    with rolled_back():
        school = lived(school, acts)
        for student in school.students:
            story = history.of_line(school.session, student)
            line = Record.objects.filter(student=student).first()
            if line is None:
                assert not story or story[0].history_type == "-"
                continue
            newest = story[0]
            assert (newest.status, newest.source) == (line.status, line.source)


@RULES
@given(acts=ACTS, runs=st.integers(2, 4))
def test_another_tick_changes_nothing(
    school: School, acts: list[Act], runs: int
) -> None:
    with rolled_back():
        school = lived(school, [*acts, run_tick])
        before = (Record.history.count(), Session.history.count())
        for _ in range(runs):
            run_tick(school)
        assert (Record.history.count(), Session.history.count()) == before


@RULES
@given(acts=ACTS)
def test_the_next_day_finds_the_register_closed(
    school: School, acts: list[Act]
) -> None:
    with rolled_back():
        school = lived(school, acts)
        midnight = dt.datetime.combine(
            max(school.now.date(), days(0)) + dt.timedelta(days=1),
            MIDNIGHT,
            tzinfo=dt.UTC,
        )
        tick(midnight)
        assert not Session.objects.get(date=days(0)).is_open
        assert Record.objects.filter(session__date=days(0)).count() == STUDENTS


# --- A student who changes class in the middle of the year

DAYS = 6
DAY = st.integers(0, DAYS - 1)
MOVES = st.lists(
    st.tuples(DAY, st.sampled_from(["join", "leave"]), st.booleans()), max_size=5
)


@settings(RULES, max_examples=20)
@given(moves=MOVES, marked=st.sets(DAY))
def test_who_changes_class_keeps_a_right_history(
    db: None, moves: list[tuple[int, str, bool]], marked: set[int]
) -> None:
    with rolled_back():
        teacher = make_user("Tea Teacher")
        classes = [make_class(name, teacher) for name in ("7A", "7B")]
        student = make_student("Mia Mover")
        seats = sit_through(student, classes, moves)
        for classroom, sat in zip(classes, seats, strict=True):
            # Entered when all moves are past: the roster of each day is what counts.
            keep_registers(classroom, student, sat & {days(-day) for day in marked})
            lines = Record.objects.filter(session__classroom=classroom)
            assert {line.session.date for line in lines} == sat
            counted = reports.summarise(classroom).counts
            assert counted.present == len(lines.filter(status=Status.PRESENT))
            assert counted.absent == len(lines.filter(status=Status.ABSENT))
            assert counted.unmarked == 0


def sit_through(
    student: Student, classes: list[Classroom], moves: list[tuple[int, str, bool]]
) -> list[set[dt.date]]:
    """Play the moves day by day; return when the student sat in each class."""
    seats: list[set[dt.date]] = [set() for _ in classes]
    sits = [False for _ in classes]
    for ago in reversed(range(DAYS)):
        for when, what, second in moves:
            if when == ago:
                change = enrol if what == "join" else end_enrolment
                change(classes[int(second)], [student], on=days(-ago))
                sits[int(second)] = what == "join"
        for place, sitting in enumerate(sits):
            if sitting:
                seats[place].add(days(-ago))
    return seats


def keep_registers(
    classroom: Classroom, student: Student, present: set[dt.date]
) -> None:
    for ago in range(DAYS):
        session = Session.objects.create(classroom=classroom, date=days(-ago))
        by = classroom.teacher
        if session.date in present:
            services.mark_by_hand(session, student, status=Status.PRESENT, by=by)
        services.close(session, by=by)
