"""What teachers and admins change on the pages stands in the audit log."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import Event
from accounts.audit_models import AuditEntry
from accounts.models import User
from attendance.models import AbsenceRule
from classroom.models import Classroom, Student

pytestmark = pytest.mark.django_db


def told(subject: Any) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Return event, actor and details of what was written about a row."""
    entries = AuditEntry.objects.about(subject).order_by("number")
    return [(entry.event, entry.actor_id, entry.details) for entry in entries]


def test_a_student_who_is_added_and_seated(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    body = {"full_name": "Nia North", "student_id": "N-1", "email": "", "phone": ""}
    client.post(reverse("class-add", args=[maths.pk]), body)
    fields = ["full_name", "student_id"]
    assert told(Student.objects.get(student_id="N-1")) == [
        (Event.ADDED, alice.pk, {"door": "page", "fields": fields}),
        (Event.CHANGED, alice.pk, {"what": "enrolled", "class": maths.pk}),
    ]


def test_a_student_who_is_edited_and_taken_out(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    client.force_login(alice)
    student = students[0]
    body = {"full_name": "New Name", "student_id": student.student_id}
    client.post(f"/app/students/{student.pk}/edit/", body)
    client.post(f"/app/classes/{maths.pk}/students/{student.pk}/take-out/")
    assert told(student) == [
        (Event.CHANGED, alice.pk, {"door": "page", "fields": ["full_name"]}),
        (Event.CHANGED, alice.pk, {"what": "ended", "class": maths.pk}),
    ]


def test_what_a_stranger_tries_changes_nothing_and_is_not_written(
    client: Client, stranger: User, maths: Classroom, students: list[Student]
) -> None:
    client.force_login(stranger)
    answer = client.post(f"/app/students/{students[0].pk}/edit/", {"full_name": "Bad"})
    assert answer.status_code == 404
    assert told(students[0]) == []


def test_a_rule_that_is_added_changed_and_removed(client: Client, admin: User) -> None:
    client.force_login(admin)
    body = {"times": "5", "days": "7", "late": "on"}
    client.post("/app/reports/rules/", body)
    rule = AbsenceRule.objects.get(times=5)
    client.post(f"/app/reports/rules/{rule.pk}/", {**body, "times": "4"})
    client.post(f"/app/reports/rules/{rule.pk}/remove/")
    assert not AbsenceRule.objects.filter(pk=rule.pk).exists()
    assert [(event, actor) for event, actor, _ in told(rule)] == [
        (Event.ADDED, admin.pk),
        (Event.CHANGED, admin.pk),
        (Event.ERASED, admin.pk),
    ]
