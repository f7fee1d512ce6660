"""A register as pages show it: one line a student, and what is still open."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from django.db.models import QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance.models import Record, Session, Source, Status
from attendance.rules import excuses
from classroom.models import Classroom, Student
from faces import runtime

# Cosines above the threshold. Of the embedded pack's genuine pairs about 2 % lie in the
# lowest band, and nine in ten of the few impostors that pass (see
# `benchmarks/calibration.md`).
CLEAR_LEAD: Final = 0.20
GOOD_LEAD: Final = 0.08

HERE: Final = (Status.PRESENT, Status.LATE)


class Likeness(TextChoices):
    """A similarity in a word; the figure says little to a teacher."""

    CLEAR = "clear", _("very alike")
    GOOD = "good", _("alike")
    WEAK = "weak", _("just alike enough")


def likeness(similarity: float) -> Likeness:
    """Return the word for a cosine, measured from the threshold in force."""
    lead = similarity - runtime.threshold()
    if lead >= CLEAR_LEAD:
        return Likeness.CLEAR
    return Likeness.GOOD if lead >= GOOD_LEAD else Likeness.WEAK


@dataclass(frozen=True)
class Line:
    """A student of a register; `record` is None where nothing was written yet.

    `reason` says why the student is excused on that day, where it was planned.
    """

    student: Student
    record: Record | None
    reason: str = ""

    @property
    def status(self) -> str:
        """What was written, or "" where nothing was."""
        return self.record.status if self.record else ""

    @cached_property
    def likeness(self) -> Likeness | None:
        """How alike the face was, for a line that a face wrote."""
        score = self.record.confidence_score if self.record else None
        return None if score is None else likeness(score)

    @property
    def is_by_face(self) -> bool:
        return self.record is not None and self.record.source == Source.FACE

    @property
    def is_uncertain(self) -> bool:
        """Whether a person should look: a face wrote it, only just or with a flag."""
        return self.is_by_face and (self.likeness == Likeness.WEAK or self.is_flagged)

    @property
    def is_flagged(self) -> bool:
        return self.record is not None and bool(self.record.flags)

    @property
    def is_open(self) -> bool:
        """Whether nobody was seen and nobody said anything (closing is nobody)."""
        if self.record is None:
            return True
        closed = self.record.source == Source.RULE
        return closed and self.record.status == Status.ABSENT

    @property
    def is_planned_away(self) -> bool:
        """Whether closing would excuse the student instead of marking them absent."""
        return self.record is None and bool(self.reason)

    @property
    def is_same_day(self) -> bool:
        """Whether it was written on the day of its session: the hour says enough."""
        if self.record is None:
            return False
        return timezone.localdate(self.record.marked_at) == self.record.session.date

    @property
    def is_here(self) -> bool:
        return self.record is not None and self.record.status in HERE


@dataclass(frozen=True)
class Register:
    """A class's lines in one session, or in the one that the first mark will make."""

    classroom: Classroom
    session: Session | None
    date: dt.date
    lines: list[Line] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.session is None or self.session.is_open

    @property
    def students(self) -> int:
        return len(self.lines)

    @cached_property
    def present(self) -> int:
        return sum(line.is_here for line in self.lines)

    @property
    def percent(self) -> int:
        return round(100 * self.present / self.students) if self.students else 0

    @cached_property
    def uncertain(self) -> list[Line]:
        return [line for line in self.lines if line.is_uncertain]

    @cached_property
    def not_seen(self) -> list[Line]:
        return [line for line in self.lines if line.is_open]

    @cached_property
    def unmarked(self) -> list[Line]:
        return [line for line in self.lines if line.record is None]

    @cached_property
    def waited_for(self) -> list[Line]:
        """The lines that closing would make absent."""
        return [line for line in self.unmarked if not line.is_planned_away]

    @cached_property
    def marked(self) -> list[Line]:
        return [line for line in self.lines if not line.is_open]

    @cached_property
    def settled(self) -> list[Line]:
        """The marked lines that nobody needs to look at again."""
        return [line for line in self.marked if not line.is_uncertain]

    @cached_property
    def counts(self) -> list[tuple[Status, int]]:
        """How many lines have each status, in the order of the statuses."""
        found = Counter(line.record.status for line in self.lines if line.record)
        return [(status, found[status]) for status in Status]


def register_of(classroom: Classroom, session: Session | None) -> Register:
    """Return a session's register in three queries, however large the class.

    It holds that day's roster and whoever was marked although they sat elsewhere.
    """
    day = session.date if session else timezone.localdate()
    students = {
        student.pk: student
        for student in Student.objects.in_class(classroom.pk, on=day)
    }
    records = {record.student_id: record for record in _records(session)}
    for record in records.values():
        students.setdefault(record.student_id, record.student)
    ordered = sorted(students.values(), key=lambda one: (one.full_name, one.pk))
    reasons = excuses(day)
    lines = [
        Line(student, records.get(student.pk), reasons.get(student.pk, ""))
        for student in ordered
    ]
    return Register(classroom, session, day, lines)


def _records(session: Session | None) -> QuerySet[Record]:
    if session is None:
        return Record.objects.none()
    lines = Record.objects.filter(session=session)
    return lines.select_related("session", "student", "marked_by")
