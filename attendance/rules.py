"""Planned absences: who is excused on which day, and the lines that follow from it."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from simple_history.utils import bulk_update_with_history

from accounts.models import User
from attendance.models import Record, RecordQuerySet, Source, Status
from attendance.timetable_models import PlannedAbsence

PLANNED = "Planned absence"
NOT_PLANNED = "No planned absence any more"


def excuses(day: dt.date) -> dict[int, str]:
    """Return the reason of each student who is excused on a day, by row id."""
    plans = PlannedAbsence.objects.within(day, day)
    return dict(
        plans.order_by("-first_date", "-pk").values_list("student__pk", "reason")
    )


@transaction.atomic
def plan_absence(plan: PlannedAbsence, *, by: User) -> PlannedAbsence:
    """Save a planned absence, a new or a changed one.

    Lines that the closing of a session wrote follow it, in past sessions too; what a
    person or a photo wrote stays.
    """
    if plan.pk is None:
        plan.created_by = by
    plan._history_user = by  # type: ignore[attr-defined]
    plan.save()
    _settle(Record.objects.filter(student=plan.student_id), by=by)
    return plan


@transaction.atomic
def cancel_absence(plan: PlannedAbsence, *, by: User) -> None:
    """Delete a planned absence; who was excused by it alone is absent."""
    student = plan.student_id
    plan._history_user = by  # type: ignore[attr-defined]
    plan.delete()
    _settle(Record.objects.filter(student=student), by=by)


@transaction.atomic
def excuse_since(day: dt.date) -> int:
    """Excuse whom a session's closing called absent although it was planned.

    Closing sees to it by itself; this finds the plan that was entered in the same
    moment by somebody else. Returns how many lines changed.
    """
    return _excuse(Record.objects.filter(session__date__gte=day), by=None)


def _settle(lines: RecordQuerySet, *, by: User) -> None:
    _excuse(lines, by=by)
    _accuse(lines, by=by)


def _excuse(lines: RecordQuerySet, *, by: User | None) -> int:
    absent = lines.filter(Exists(_plans()), source=Source.RULE, status=Status.ABSENT)
    reason = Subquery(_plans().values("reason")[:1])
    found = list(_locked(absent).annotate(why=reason))
    for line in found:
        line.status, line.note = Status.EXCUSED, line.why
    _save(found, by=by, why=PLANNED)
    return len(found)


def _accuse(lines: RecordQuerySet, *, by: User) -> None:
    found = list(
        _locked(
            lines.filter(~Exists(_plans()), source=Source.RULE, status=Status.EXCUSED)
        )
    )
    for line in found:
        line.status, line.note = Status.ABSENT, ""
    _save(found, by=by, why=NOT_PLANNED)


def _plans() -> QuerySet[PlannedAbsence]:
    """Return the plans that cover the line of an outer query, the first one first."""
    day = OuterRef("session__date")
    plans = PlannedAbsence.objects.filter(
        student=OuterRef("student"), first_date__lte=day, last_date__gte=day
    )
    return plans.order_by("first_date", "pk")


def _locked(lines: QuerySet[Record]) -> QuerySet[Record]:
    # A person's word that is being written at this moment is waited for; the line is
    # then no rule's any more and is left alone.
    return lines.select_for_update(of=("self",)).order_by("pk")


def _save(lines: Sequence[Record], *, by: User | None, why: str) -> None:
    bulk_update_with_history(
        lines,
        Record,
        ["status", "note"],
        default_user=by,
        default_change_reason=why,
    )
