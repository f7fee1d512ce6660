"""The rows of the table of permissions about consent, erasures and data held."""

from uuid import UUID

from attendance_site.tests.rows import (
    ADMIN_ONLY,
    OWN,
    OWN_LEADS_ON,
    OWN_MAKES,
    OWN_PAGE,
    Row,
)
from classroom import receipts
from classroom.consent_models import ErasureReason, ErasureReceipt
from classroom.models import Student

NO_RECEIPT = UUID(int=1)
A_CONSENT = {"given_by": "Carla Castro", "relation": "parent"}
A_SIGNED_CONSENT = {**A_CONSENT, "given_on": "2026-09-01"}
A_NO = {"said_by": "Carla Castro", "relation": "parent"}
# Only an admin answers a family that asks for all that is held.
ADMIN_PAGE = (302, 403, 403, 403, 200)

PRIVACY = [
    Row("GET", "/students/{student}/consent", OWN),
    Row("POST", "/students/{student}/consent", OWN_MAKES, A_CONSENT),
    Row("DELETE", "/students/{student}/consent", OWN),
    Row("GET", "/students/{student}/export", ADMIN_ONLY),
    Row("GET", "/app/students/{student}/data/", ADMIN_PAGE),
    Row("GET", "/app/students/{student}/data/?format=json", ADMIN_PAGE),
    Row("GET", "/app/students/{student}/data/?format=html", ADMIN_PAGE),
    Row("GET", "/app/students/{student}/consent/", OWN_PAGE),
    Row("POST", "/app/students/{student}/consent/", OWN_LEADS_ON, A_SIGNED_CONSENT),
    Row("GET", "/app/students/{student}/consent/withdraw/", OWN_PAGE),
    Row("POST", "/app/students/{student}/consent/withdraw/", OWN_LEADS_ON, A_NO),
    Row("GET", "/app/receipts/{receipt}/", OWN_PAGE),
    Row("GET", "/app/receipts/{receipt}/?download", OWN_PAGE),
]


def make_receipt(student: Student) -> ErasureReceipt:
    return receipts.issue(
        student, reason=ErasureReason.LEFT, counts={"face_templates": 3}, by=None
    )
