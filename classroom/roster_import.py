"""Rosters from a table: students, their contacts, and the classes they sit in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.imports import Importer, Line, Report
from accounts.models import User
from classroom.contacts import tidy, validate_addresses
from classroom.models import Classroom, Enrollment, Student, current_school_year
from classroom.roster_consents import CONSENT_COLUMNS, RosterConsents
from classroom.rosters import enrol

IMPORTER: Final = Importer(
    kind="import_students",
    title=gettext_lazy("Import of students"),
    columns={
        "student_id": ("id", "code", "student code", "student number", "matrícula"),
        "full_name": ("name", "student", "student name", "nombre", "nombre completo"),
        "class_code": ("class", "group", "clase", "grupo", "curso"),
        "school_year": ("year", "curso escolar", "año"),
        "email": ("e-mail", "mail", "email address", "contact", "correo"),
        "phone": ("telephone", "mobile", "teléfono", "móvil"),
        "consent_by": ("consent given by", "consentimiento de"),
        "consent_relation": ("consent relation", "relación"),
        "consent_date": ("consent given on", "fecha del consentimiento"),
        "consent_until": ("consent valid until", "consentimiento hasta"),
    },
    needed=("student_id", "full_name"),
    apply="classroom.roster_import.apply",
    options=("class_id",),
    example=(
        (
            "student_id",
            "full_name",
            "class_code",
            "email",
            "phone",
            *CONSENT_COLUMNS,
        ),
        (
            "S0001",
            "Cleo Castro",
            "MAT-1",
            "castro@family.example",
            "+34 600 000 000",
            "Carla Castro",
            "parent",
            "2026-09-01",
            "2027-07-31",
        ),
    ),
)
CONTACTS: Final = ("email", "phone")


@transaction.atomic
def apply(
    lines: Sequence[Line], *, owner: User, options: Mapping[str, Any], dry: bool
) -> Report:
    """Add and change students and give them seats; nothing where a line is at fault.

    An empty cell leaves what is there. Nobody loses a seat.
    """
    report = Report()
    classes = _classes(owner)
    default = Classroom.objects.for_user(owner).filter(pk=options.get("class_id") or 0)
    fallback = default.current().first()
    codes = {values["student_id"] for _line, values in lines}
    known = Student.objects.in_bulk(codes, field_name="student_id")
    own = set(Student.objects.for_user(owner).values_list("pk", flat=True))
    changed: dict[str, Student] = {}
    wanted: dict[int, dict[str, Student]] = defaultdict(dict)
    names: dict[str, tuple[int, str]] = {}
    consents = RosterConsents(known)
    for number, values in lines:
        room = _class_of(values, classes, fallback)
        student = changed.get(values["student_id"]) or known.get(values["student_id"])
        _check(report, number, values, owner, student, own)
        consents.read(report, number, values)
        _check_class(report, number, values, owner, room)
        _check_name(report, number, values, names)
        if report.faults:
            continue
        student = student or Student(student_id=values["student_id"])
        if _take_over(student, values) or student.pk is None:
            changed[student.student_id] = student
        known[student.student_id] = student
        if room is not None:
            wanted[room.pk][student.student_id] = student
    if report.faults:
        report.counts = {}
        return report
    _count(report, changed, known, wanted)
    if consents.new:
        report.counts["consents"] = len(consents.new)
    if not dry:
        _write(changed, wanted)
        consents.write(known, by=owner)
    return report


def _classes(owner: User) -> dict[str, list[Classroom]]:
    """Return the owner's classes that are not archived by their codes."""
    rooms: dict[str, list[Classroom]] = defaultdict(list)
    for room in Classroom.objects.for_user(owner).current():
        rooms[room.class_code].append(room)
    return rooms


def _class_of(
    values: Mapping[str, str],
    classes: Mapping[str, Sequence[Classroom]],
    fallback: Classroom | None,
) -> Classroom | None:
    """Return the class of a line: of the year it names, else of this one.

    Before a year begins its classes may be filled: a code that only one class has
    needs no year.
    """
    code, year = values.get("class_code"), values.get("school_year")
    if not code:
        return fallback
    same = classes.get(code, [])
    if not year and len(same) == 1:
        return same[0]
    wanted = year or current_school_year()
    return next((room for room in same if room.school_year == wanted), None)


def _check(
    report: Report,
    number: int,
    values: Mapping[str, str],
    owner: User,
    student: Student | None,
    own: set[int],
) -> None:
    """Report what is wrong with the student of a line."""
    for name, most in (("student_id", 32), ("full_name", 150), ("phone", 32)):
        value = values.get(name, "")
        if len(value) > most:
            detail = _("This is longer than %(most)s characters.") % {"most": most}
            report.fault(number, name, "too_long", detail)
    if not values["student_id"]:
        report.fault(number, "student_id", "required", _("The student ID is missing."))
    if not values["full_name"] and student is None:
        report.fault(number, "full_name", "required", _("The name is missing."))
    is_foreign = student is not None and student.pk is not None
    if is_foreign and not owner.is_admin and student and student.pk not in own:
        detail = _("This student ID is taken by a student of another class.")
        report.fault(number, "student_id", "not_yours", detail)
    if values.get("email"):
        try:
            validate_addresses(values["email"])
        except ValidationError as error:
            report.fault(number, "email", str(error.code), error.messages[0])


def _check_class(
    report: Report,
    number: int,
    values: Mapping[str, str],
    owner: User,
    room: Classroom | None,
) -> None:
    """Report a class that the owner doesn't have, or that a teacher didn't name."""
    code = values.get("class_code")
    if room is not None:
        return
    if code:
        detail = _("You have no class with the code %(code)s in that school year.")
        report.fault(number, "class_code", "unknown_class", detail % {"code": code})
    elif not owner.is_admin:
        detail = _("Name one of your classes.")
        report.fault(number, "class_code", "required", detail)


def _check_name(
    report: Report,
    number: int,
    values: Mapping[str, str],
    names: dict[str, tuple[int, str]],
) -> None:
    """Report a name other than that of an earlier line about the same student.

    `names` holds the first line of each student ID and the name there.
    """
    name = values["full_name"]
    line, earlier = names.setdefault(values["student_id"], (number, name))
    if earlier != name:
        detail = _("Line %(line)s gives this student ID another name.")
        report.fault(number, "student_id", "repeated", detail % {"line": line})


def _take_over(student: Student, values: Mapping[str, str]) -> bool:
    """Put a line's values into a student; return whether anything changed."""
    changed = False
    for name in ("full_name", *CONTACTS):
        value = values.get(name, "")
        value = tidy(value) if name == "email" else value
        if value and getattr(student, name) != value:
            setattr(student, name, value)
            changed = True
    return changed


def _count(
    report: Report,
    changed: Mapping[str, Student],
    known: Mapping[str, Student],
    wanted: Mapping[int, Mapping[str, Student]],
) -> None:
    new = sum(student.pk is None for student in changed.values())
    seats = Enrollment.objects.current().filter(classroom__in=list(wanted))
    taken = set(seats.values_list("classroom__pk", "student__student_id"))
    asked = {(room, code) for room, codes in wanted.items() for code in codes}
    report.counts = {
        "created": new,
        "updated": len(changed) - new,
        "unchanged": len(known) - len(changed),
        "enrolled": len(asked - taken),
    }


def _write(
    changed: Mapping[str, Student], wanted: Mapping[int, Mapping[str, Student]]
) -> None:
    Student.objects.bulk_create(
        [student for student in changed.values() if student.pk is None], batch_size=500
    )
    Student.objects.bulk_update(
        list(changed.values()), ["full_name", *CONTACTS], batch_size=500
    )
    for room in Classroom.objects.filter(pk__in=list(wanted)):
        enrol(room, wanted[room.pk].values())
