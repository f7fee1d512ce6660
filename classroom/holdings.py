"""All that is held of a student: each floor says what it keeps and how it erases it.

Export and erasure go through this list. A test finds a table that points at a student
and is not in it.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.audit import AuditEntry
from accounts.models import Job
from classroom.consent_models import Consent, ErasureReceipt
from classroom.models import Enrollment, Student

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of rows about a student.

    `rows` describes them for a person, `erase` deletes them for good and returns how
    many they were; None where they go with other rows. What `stays` after an erasure
    names the student by numbers alone.
    """

    name: str
    title: StrOrPromise
    rows: Callable[[Student], Iterable[Row]]
    erase: Callable[[Student], int] | None = None
    tables: Sequence[type[Model]] = ()
    stays: bool = False


_holdings: list[Holding] = []


def register(*holdings: Holding) -> None:
    _holdings.extend(holdings)


def all_holdings() -> list[Holding]:
    """Return what every floor holds; the student itself comes first."""
    return list(_holdings)


def described(
    rows: Iterable[Model], *, leave_out: Sequence[str] = ("student",)
) -> Iterator[Row]:
    """Yield rows as their fields by name, in values that JSON and people can read."""
    for row in rows:
        yield {
            one.name: readable(row, one)
            for one in row._meta.concrete_fields
            if one.name not in leave_out
        }


def readable(row: Model, one: Any) -> Any:
    """Return a field's value: a choice by its label, another row by its name."""
    if one.many_to_one or one.one_to_one:
        target = getattr(row, one.name)
        return None if target is None else str(target)
    value = getattr(row, one.attname)
    if one.choices and value not in ("", None):
        return str(getattr(row, f"get_{one.name}_display")())
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, (bytes, memoryview)):
        return f"{len(value)} bytes, encrypted"
    plain = isinstance(value, (bool, int, float, list, dict)) or value is None
    return value if plain else str(value)


def delete(rows: QuerySet[Any]) -> int:
    """Delete rows; return how many of this very kind they were."""
    return rows.delete()[1].get(rows.model._meta.label, 0)


def _student_itself(student: Student) -> Iterator[Row]:
    return described([student], leave_out=())


def _seats(student: Student) -> QuerySet[Enrollment]:
    seats = Enrollment.objects.filter(student=student)
    return seats.select_related("classroom")


def _consents(student: Student) -> QuerySet[Consent]:
    answers = Consent.objects.filter(student=student)
    return answers.select_related("recorded_by", "withdrawal_recorded_by")


def _receipts(student: Student) -> QuerySet[ErasureReceipt]:
    receipts = ErasureReceipt.objects.filter(student_code=student.student_id)
    return receipts.select_related("created_by")


def _audit_rows(student: Student) -> Iterator[Row]:
    for entry in AuditEntry.objects.about(student).select_related("actor"):
        yield {
            "number": entry.number,
            "at": timezone.localtime(entry.at).isoformat(timespec="seconds"),
            "event": entry.event_label,
            "by": str(entry.actor) if entry.actor else None,
            "details": entry.details,
        }


def log_entries(student: Student) -> QuerySet[LogEntry]:
    """Return the lines of the admin's own log that name a student."""
    label = {"content_type__app_label": "classroom", "content_type__model": "student"}
    return LogEntry.objects.filter(
        Q(object_id=str(student.pk), **label)
        | Q(object_repr__contains=f"({student.student_id})")
    ).select_related("user", "content_type")


def jobs_naming(student: Student) -> list[Job]:
    """Return the jobs that have ended and name a student in what they kept.

    They are few: jobs are forgotten 30 days after their end.
    """
    words = {student.student_id, student.full_name}
    ended = Job.objects.exclude(finished_at=None).iterator()
    return [job for job in ended if words & set(_strings([job.arguments, job.result]))]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _job_rows(student: Student) -> Iterator[Row]:
    for job in jobs_naming(student):
        yield {
            "kind": job.kind,
            "created_at": timezone.localtime(job.created_at).isoformat(),
            "mentions": "the student's code or name, among others",
        }


def _erase_jobs(student: Student) -> int:
    return delete(Job.objects.filter(pk__in=[job.pk for job in jobs_naming(student)]))


def as_json(data: Any) -> str:
    """Return an export as text; names keep their letters."""
    return json.dumps(data, ensure_ascii=False, indent=2)


register(
    Holding("student", _("Student"), _student_itself, tables=[Student]),
    Holding(
        "classes",
        _("Classes"),
        lambda student: described(_seats(student)),
        lambda student: delete(_seats(student)),
        [Enrollment],
    ),
    Holding(
        "consents",
        _("Consents"),
        lambda student: described(_consents(student)),
        lambda student: delete(_consents(student)),
        [Consent],
    ),
    Holding(
        "receipts",
        _("Receipts of erasures"),
        lambda student: described(_receipts(student)),
        tables=[ErasureReceipt],
        stays=True,
    ),
    Holding(
        "audit_log",
        _("Audit log"),
        _audit_rows,
        tables=[AuditEntry],
        stays=True,
    ),
    Holding(
        "import_lists",
        _("Lists of imports that name the student"),
        _job_rows,
        _erase_jobs,
        [Job],
    ),
    Holding(
        "admin_log",
        _("The admin’s log of changes"),
        lambda student: described(log_entries(student), leave_out=()),
        lambda student: delete(log_entries(student)),
        [LogEntry],
    ),
)
