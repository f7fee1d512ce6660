"""The table's rows of the reports: pages, calls and files."""

from attendance.models import AbsenceRule
from attendance_site.tests.rows import (
    ADMIN_DELETES,
    ADMIN_MAKES,
    ADMIN_ONLY,
    ANY_USER,
    OWN,
    OWN_PAGE,
    PAGE,
    Row,
)

ADMIN_LEADS_ON = (302, 403, 403, 403, 302)
ADMIN_PAGE = (302, 403, 403, 403, 200)

A_RULE = {"times": "5", "days": "7", "late": "on"}
OF_CLASS = {"class_id": "{maths}"}

REPORTS = [
    Row("GET", "/reports/school", ANY_USER),
    Row("GET", "/reports/classes/{maths}", OWN),
    Row("GET", "/reports/classes/{maths}/sessions", OWN),
    Row("GET", "/reports/classes/{maths}/grid", OWN),
    Row("GET", "/reports/sessions/{session}", OWN),
    Row("GET", "/reports/students/{student}", OWN),
    Row("GET", "/reports/absences", OWN, OF_CLASS),
    Row("GET", "/reports/rules", ANY_USER),
    Row("POST", "/reports/rules", ADMIN_MAKES, A_RULE),
    Row("GET", "/reports/rules/{rule}", ANY_USER),
    Row("PATCH", "/reports/rules/{rule}", ADMIN_ONLY, {"times": "4"}),
    Row("DELETE", "/reports/rules/{rule}", ADMIN_DELETES),
    Row("GET", "/export/reports/school", ANY_USER),
    Row("GET", "/export/reports/class", OWN, OF_CLASS),
    Row("GET", "/export/reports/sessions", OWN, OF_CLASS),
    Row("GET", "/export/reports/grid", OWN, OF_CLASS),
    Row("GET", "/export/reports/session", OWN, {"session_id": "{session}"}),
    Row("GET", "/export/reports/student", OWN, {"student_id": "{student}"}),
    Row("GET", "/export/reports/absences", OWN, OF_CLASS),
    Row("GET", "/app/reports/", PAGE),
    Row("GET", "/app/reports/absences/", PAGE),
    Row("GET", "/app/reports/classes/{maths}/", OWN_PAGE),
    Row("GET", "/app/reports/classes/{maths}/sessions/", OWN_PAGE),
    Row("GET", "/app/reports/classes/{maths}/grid/", OWN_PAGE),
    Row("GET", "/app/reports/sessions/{session}/", OWN_PAGE),
    Row("GET", "/app/reports/students/{student}/", OWN_PAGE),
    Row("GET", "/app/reports/rules/", ADMIN_PAGE),
    Row("POST", "/app/reports/rules/", ADMIN_LEADS_ON, A_RULE),
    Row("GET", "/app/reports/rules/{rule}/", ADMIN_PAGE),
    Row("POST", "/app/reports/rules/{rule}/", ADMIN_LEADS_ON, A_RULE),
    Row("POST", "/app/reports/rules/{rule}/remove/", ADMIN_LEADS_ON),
]


def report_names() -> dict[str, int]:
    """Make a rule for the name in braces."""
    return {"rule": AbsenceRule.objects.create(times=2).pk}
