"""The reports as tables: the headings first, then a row each; programs read English."""

from collections.abc import Iterable, Iterator
from typing import Final

from attendance.register import Line
from attendance.report_rules import RuleList
from attendance.report_school import SchoolReport
from attendance.report_students import StudentReport
from attendance.reports import ELSEWHERE, UNMARKED, Counts, Grid

Rows = Iterator[list[object]]

COUNTS: Final = ["present", "late", "absent", "excused", "unmarked", "rate"]
STUDENT: Final = ["student_id", "full_name"]
CLASS: Final = ["class_code", "school_year", "class_name"]


def counted(counts: Counts) -> list[object]:
    return [
        counts.present,
        counts.late,
        counts.absent,
        counts.excused,
        counts.unmarked,
        counts.rate,
    ]


def school_rows(report: SchoolReport) -> Rows:
    yield [*CLASS, "teacher", "sessions", *COUNTS]
    for line in report.classes:
        room = line.classroom
        yield [
            room.class_code,
            room.school_year,
            room.class_name,
            room.teacher.full_name,
            line.sessions,
            *counted(line.counts),
        ]


def class_rows(register: Grid) -> Rows:
    yield [*STUDENT, *COUNTS]
    for line in register.by_student():
        student = line.student
        yield [student.student_id, student.full_name, *counted(line.counts)]


def session_rows(register: Grid) -> Rows:
    yield ["date", "start", "end", *COUNTS]
    for line in register.by_session():
        session = line.session
        yield [session.date, session.start, session.end, *counted(line.counts)]


def grid_rows(register: Grid) -> Rows:
    """A column a session: a status, `unmarked`, or nothing for who sat elsewhere."""
    words = {UNMARKED: "unmarked", ELSEWHERE: None}
    yield [
        *STUDENT,
        *(
            f"{one.date:%Y-%m-%d} {one.start:%H:%M}" if one.start else f"{one.date}"
            for one in register.sessions
        ),
        "rate",
    ]
    for line in register.lines:
        student = line.student
        cells = [words.get(cell, cell) for cell in line.cells]
        yield [student.student_id, student.full_name, *cells, line.counts.rate]


def one_session_rows(lines: Iterable[Line]) -> Rows:
    yield [*STUDENT, "status", "source", "note", "marked_at"]
    for line in lines:
        record = line.record
        yield [
            line.student.student_id,
            line.student.full_name,
            record.status if record else None,
            record.source if record else None,
            record.note if record else None,
            record.marked_at if record else None,
        ]


def student_rows(report: StudentReport) -> Rows:
    yield ["date", "start", *CLASS, "status", "note"]
    for one in reversed(report.meetings):
        room = one.session.classroom
        yield [
            one.session.date,
            one.session.start,
            room.class_code,
            room.school_year,
            room.class_name,
            one.status or "unmarked",
            one.record.note if one.record else None,
        ]


def absence_rows(lists: Iterable[RuleList]) -> Rows:
    yield ["rule", *STUDENT, "number", "first", "last", "days", "classes"]
    for rule in lists:
        for one in rule.students:
            yield [
                str(rule.rule),
                one.student.student_id,
                one.student.full_name,
                one.number,
                one.days[0],
                one.last,
                " ".join(day.isoformat() for day in one.days),
                " ".join(room.class_code for room in one.classes),
            ]
