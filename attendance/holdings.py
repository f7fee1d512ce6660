"""What the register holds of a student."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from attendance.models import Notice, Record
from attendance.timetable_models import PlannedAbsence
from classroom import holdings
from classroom.holdings import Holding, Row, delete, described
from classroom.models import Student

HistoricalRecord = Record.history.model
HistoricalAbsence = PlannedAbsence.history.model


def _records(student: Student) -> QuerySet[Record]:
    records = Record.objects.filter(student=student)
    return records.select_related("session__classroom", "marked_by")


def _record_rows(student: Student) -> Iterator[Row]:
    # Whom the face was nearly as close to is the other one's business.
    return described(_records(student), leave_out=("student", "runner_up"))


def _erase_records(student: Student) -> int:
    removed = delete(Record.objects.filter(student=student))
    # Deleting writes history too, and lines of others may name the student.
    HistoricalRecord.objects.filter(student_id=student.pk).delete()
    HistoricalRecord.objects.filter(runner_up_id=student.pk).update(runner_up=None)
    Record.objects.filter(runner_up=student).update(runner_up=None)
    return removed


def _history_rows(student: Student) -> Iterator[Row]:
    changes = HistoricalRecord.objects.filter(student_id=student.pk)
    return described(
        changes.select_related("history_user", "marked_by", "session__classroom"),
        leave_out=("student", "runner_up"),
    )


def _erase_absences(student: Student) -> int:
    removed = delete(PlannedAbsence.objects.filter(student=student))
    HistoricalAbsence.objects.filter(student_id=student.pk).delete()
    return removed


holdings.register(
    Holding("records", _("Register"), _record_rows, _erase_records, [Record]),
    Holding(
        "record_history",
        _("Changes in the register"),
        _history_rows,
        tables=[HistoricalRecord],
    ),
    Holding(
        "planned_absences",
        _("Planned absences"),
        lambda student: described(
            PlannedAbsence.objects.filter(student=student).select_related("created_by")
        ),
        _erase_absences,
        [PlannedAbsence],
    ),
    Holding(
        "planned_absence_history",
        _("Changes of planned absences"),
        lambda student: described(
            HistoricalAbsence.objects.filter(student_id=student.pk)
        ),
        tables=[HistoricalAbsence],
    ),
    Holding(
        "notices",
        _("Notices by e-mail"),
        lambda student: described(
            Notice.objects.filter(student=student).select_related(
                "session", "classroom"
            )
        ),
        lambda student: delete(Notice.objects.filter(student=student)),
        [Notice],
    ),
)
