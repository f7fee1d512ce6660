"""Open the next school year's classes with today's rosters and archive the old ones."""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from classroom.models import FIRST_MONTH, ClassAccess, Classroom, Enrollment, Student
from classroom.rosters import end_enrolment, enrol

SCHOOL_YEAR = re.compile(r"(?P<first>\d{4})/(?P<second>\d{2})")


class RollOverRefused(DomainError):
    code = "roll_over_refused"
    status = 400


class Fate(models.TextChoices):
    """What becomes of a class in the next school year."""

    CONTINUE = "continue", _("Goes on")
    ARCHIVE = "archive", _("Ends, archive it")
    KEEP = "keep", _("Leave as it is")


@dataclass(frozen=True, slots=True)
class Step:
    """One class, what becomes of it, and what it is called next year."""

    classroom: Classroom
    fate: str = Fate.CONTINUE
    new_name: str = ""
    new_code: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a step would do: into which class, with whom, and who is new there."""

    step: Step
    target: Classroom | None
    students: list[Student]
    new: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many classes were made and archived, and how many seats were given."""

    made: int
    archived: int
    seats: int


def following_year(school_year: str) -> str:
    """Return the year after one such as 2026/27, or "" for any other spelling."""
    found = SCHOOL_YEAR.fullmatch(school_year.strip())
    if found is None:
        return ""
    first = int(found["first"]) + 1
    return f"{first}/{(first + 1) % 100:02}"


def first_day_of(school_year: str) -> dt.date:
    """Return the first of August of a year such as 2026/27; today if that is past."""
    today = timezone.localdate()
    found = SCHOOL_YEAR.fullmatch(school_year.strip())
    if found is None:
        return today
    return max(today, dt.date(int(found["first"]), FIRST_MONTH, 1))


def current_years() -> list[str]:
    """Return the school years that have classes, the latest first."""
    years = Classroom.objects.current().values_list("school_year", flat=True)
    return list(years.order_by("-school_year").distinct())


def steps_for(school_year: str, *, raise_grade: bool = False) -> list[Step]:
    """Return a step for each current class of a year: all of them go on.

    `raise_grade` counts up the first number of name and code: 7A becomes 8A.
    """
    renamed = _one_up if raise_grade else str
    classes = Classroom.objects.current().filter(school_year=school_year)
    return [
        Step(
            classroom,
            new_name=renamed(classroom.class_name),
            new_code=renamed(classroom.class_code),
        )
        for classroom in classes.select_related("teacher").order_by("class_code")
    ]


def _one_up(text: str) -> str:
    return re.sub(r"\d+", lambda found: str(int(found[0]) + 1), text, count=1)


def preview(steps: Sequence[Step], *, school_year: str) -> list[Preview]:
    """Say what `roll_over` would do, in four queries; raises RollOverRefused."""
    _check(steps, school_year)
    targets = _targets(steps, school_year)
    rosters = _rosters(step.classroom for step in steps)
    known = defaultdict(set)
    open_seats = Enrollment.objects.filter(
        classroom__in=list(targets.values()), ends_on__isnull=True
    )
    for room, student in open_seats.values_list("classroom__pk", "student__pk"):
        known[room].add(student)
    found = []
    for step in steps:
        goes_on = step.fate == Fate.CONTINUE
        target = targets.get(step.new_code) if goes_on else None
        students = rosters[step.classroom.pk] if goes_on else []
        there = known[target.pk] if target else set()
        new = sum(student.pk not in there for student in students)
        found.append(Preview(step, target, students, new))
    return found


@transaction.atomic
def roll_over(
    steps: Sequence[Step], *, school_year: str, starts_on: dt.date
) -> Outcome:
    """Carry out all steps or none; a class that is archived already is left alone.

    Today's students and open-ended co-teachers get the new class from `starts_on`;
    on that day their seats in the old class end. Raises RollOverRefused and
    ClassArchived.
    """
    _check(steps, school_year)
    wanted = [step.classroom.pk for step in steps]
    # Two admins at once take turns; the second finds the classes archived.
    locked = Classroom.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    current = {room.pk: room for room in locked if not room.is_archived}
    made = archived = seats = 0
    rosters = _rosters(current.values())
    for step in steps:
        old = current.get(step.classroom.pk)
        if old is None or step.fate == Fate.KEEP:
            continue
        if step.fate == Fate.CONTINUE:
            target, is_new = _target(step, school_year)
            made += is_new
            seats += len(enrol(target, rosters[old.pk], on=starts_on))
            _copy_co_teachers(old, target, starts_on)
        _archive(old, ends_on=starts_on)
        archived += 1
    return Outcome(made, archived, seats)


def _check(steps: Sequence[Step], school_year: str) -> None:
    going_on = [step for step in steps if step.fate == Fate.CONTINUE]
    if not school_year.strip():
        raise RollOverRefused(str(_("Name the next school year.")))
    if any(step.classroom.school_year == school_year for step in steps):
        raise RollOverRefused(str(_("These classes are of that school year already.")))
    codes = Counter(step.new_code for step in going_on)
    twice = sorted(code for code, number in codes.items() if number > 1)
    if twice:
        text = _("Two classes would get the same code: %(codes)s.")
        raise RollOverRefused(str(text % {"codes": ", ".join(twice)}))
    targets = _targets(going_on, school_year).values()
    closed = sorted(room.class_code for room in targets if room.is_archived)
    if closed:
        text = _("These classes of the next year are archived: %(codes)s.")
        raise RollOverRefused(str(text % {"codes": ", ".join(closed)}))


def _targets(steps: Iterable[Step], school_year: str) -> dict[str, Classroom]:
    codes = [step.new_code for step in steps if step.fate == Fate.CONTINUE]
    found = Classroom.objects.filter(school_year=school_year, class_code__in=codes)
    return {classroom.class_code: classroom for classroom in found}


def _rosters(classes: Iterable[Classroom]) -> dict[int, list[Student]]:
    """Return who sits in each class today, by name; one query."""
    rosters: dict[int, list[Student]] = defaultdict(list)
    seats = Enrollment.objects.current().filter(classroom__in=list(classes))
    for seat in seats.select_related("student").order_by("student__full_name", "pk"):
        rosters[seat.classroom_id].append(seat.student)
    return rosters


def _target(step: Step, school_year: str) -> tuple[Classroom, bool]:
    return Classroom.objects.get_or_create(
        class_code=step.new_code,
        school_year=school_year,
        defaults={
            "class_name": step.new_name or step.classroom.class_name,
            "teacher_id": step.classroom.teacher_id,
        },
    )


def _copy_co_teachers(old: Classroom, new: Classroom, starts_on: dt.date) -> None:
    for user_id in old.accesses.filter(ends_on__isnull=True).values_list(
        "user__pk", flat=True
    ):
        ClassAccess.objects.get_or_create(
            classroom=new,
            user_id=user_id,
            ends_on=None,
            defaults={"starts_on": starts_on},
        )


def _archive(classroom: Classroom, *, ends_on: dt.date) -> None:
    end_enrolment(
        classroom, Student.objects.filter(enrollments__classroom=classroom), on=ends_on
    )
    classroom.archived_at = timezone.now()
    classroom.save(update_fields=["archived_at"])
