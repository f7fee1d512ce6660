"""The table's rows of the timetable, the calendar and planned absences."""

import datetime as dt

from attendance.timetable_models import Closure, PlannedAbsence, Slot
from attendance_site.tests.rows import (
    ADMIN_DELETES,
    ADMIN_MAKES,
    ADMIN_ONLY,
    ANY_USER,
    OWN,
    OWN_DELETES,
    OWN_LEADS_ON,
    OWN_MAKES,
    OWN_PAGE,
    PAGE,
    Row,
)
from classroom.models import Classroom, Student
from classroom.tests.factories import days

NO_EVENTS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
ADMIN_LEADS_ON = (302, 403, 403, 403, 302)
ADMIN_PAGE = (302, 403, 403, 403, 200)

A_SLOT = {"class_id": "{maths}", "weekday": "2", "start": "11:00", "end": "12:00"}
A_SLOT_FORM = {
    "weekday": "2",
    "start": "11:00",
    "end": "12:00",
    "grace_minutes": "10",
    "first_date": "2026-03-02",
}
SOME_DAYS = {"first_date": "2026-03-02", "last_date": "2026-03-06"}
A_CLOSURE = {**SOME_DAYS, "name": "Snow"}
A_PLAN = {**SOME_DAYS, "student_id": "{student}", "reason": "Journey"}
A_PLAN_FORM = {**SOME_DAYS, "student": "{student}", "reason": "Journey"}

TIMETABLE = [
    Row("GET", "/timetable", ANY_USER),
    Row("POST", "/timetable", OWN_MAKES, A_SLOT),
    Row("GET", "/timetable/{slot}", OWN),
    Row("PATCH", "/timetable/{slot}", OWN, {"room": "B12"}),
    Row("DELETE", "/timetable/{slot}", OWN_DELETES),
    Row("GET", "/closures", ANY_USER),
    Row("POST", "/closures", ADMIN_MAKES, A_CLOSURE),
    Row("POST", "/closures/import", ADMIN_ONLY, {"file": "calendar"}),
    Row("GET", "/closures/{closure}", ANY_USER),
    Row("PATCH", "/closures/{closure}", ADMIN_ONLY, {"name": "Ice"}),
    Row("DELETE", "/closures/{closure}", ADMIN_DELETES),
    Row("GET", "/absences", ANY_USER),
    Row("POST", "/absences", OWN_MAKES, A_PLAN),
    Row("GET", "/absences/{absence}", OWN),
    Row("PATCH", "/absences/{absence}", OWN, {"reason": "Ill"}),
    Row("DELETE", "/absences/{absence}", OWN_DELETES),
    Row("GET", "/app/classes/{maths}/timetable/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/timetable/", OWN_LEADS_ON, A_SLOT_FORM),
    Row("GET", "/app/slots/{slot}/", OWN_PAGE),
    Row("POST", "/app/slots/{slot}/", OWN_LEADS_ON, A_SLOT_FORM),
    Row("POST", "/app/slots/{slot}/remove/", OWN_LEADS_ON),
    Row("GET", "/app/classes/{maths}/absences/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/absences/", OWN_LEADS_ON, A_PLAN_FORM),
    Row("POST", "/app/classes/{maths}/absences/{absence}/remove/", OWN_LEADS_ON),
    Row("GET", "/app/closures/", PAGE),
    Row("POST", "/app/closures/", ADMIN_LEADS_ON, A_CLOSURE),
    Row("POST", "/app/closures/preview/", ADMIN_PAGE, {"file": "calendar"}),
    Row("POST", "/app/closures/keep/", ADMIN_LEADS_ON),
    Row("POST", "/app/closures/{closure}/remove/", ADMIN_LEADS_ON),
]


def timetable_names(classroom: Classroom, student: Student) -> dict[str, int]:
    """Make a slot, a closure and a planned absence for the names in braces."""
    first, last = days(60), days(61)
    slot = Slot.objects.create(
        classroom=classroom, weekday=1, start=dt.time(9), end=dt.time(10)
    )
    closure = Closure.objects.create(first_date=first, last_date=last, name="Storm")
    absence = PlannedAbsence.objects.create(
        student=student, first_date=first, last_date=last, reason="Wedding"
    )
    return {"slot": slot.pk, "closure": closure.pk, "absence": absence.pk}
