"""What the audit log keeps of marks, and why somebody was marked."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.audit_models import AuditEntry
from accounts.models import User
from attendance import services
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_session
from attendance.tests.sent_photos import sent_yesterday, verified
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces import runtime
from faces.tests.fakes import photo_of
from faces.tests.photos import upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN = 1, 2


def test_the_log_has_the_figures_of_each_match(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    record = verified(maths, photo_of(CLEO), alice)
    entry = AuditEntry.objects.about(enrolled[0]).get()
    assert (entry.event, entry.actor) == ("matched", alice)
    assert entry.details == {
        "record": record.pk,
        "session": record.session_id,
        "status": "present",
        "model": runtime.active_model_id(),
        "similarity": 1,
        "threshold": round(runtime.threshold(), 4),
        "margin": 1,
        "margin_needed": round(runtime.margin(), 4),
        "runner_up": None,
        "flags": [],
    }
    assert list(audit.verify()) == []


def test_the_log_has_corrections_and_matches_that_were_taken_back(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    record = verified(maths, photo_of(CLEO), alice)
    services.correct(record, status=Status.LATE, note="Bus", by=alice)
    entry = AuditEntry.objects.filter(event="corrected").get()
    assert entry.details["was"] == "present"
    assert entry.details["status"] == "late"
    assert "Bus" not in str(entry.details)
    other = verified(maths, photo_of(DAN), alice)
    services.reject_match(other, instead=enrolled[2], by=alice)
    entry = AuditEntry.objects.filter(event="rejected").get()
    assert (entry.subject_id, entry.details["instead"]) == (
        enrolled[1].pk,
        enrolled[2].pk,
    )


def test_a_mark_that_fails_leaves_nothing_in_the_log(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    session = make_session(maths, closed_at=timezone.now())
    with pytest.raises(services.SessionClosed):
        services.mark_by_face(
            maths, {enrolled[0].pk: 0.9}, by=alice, session_id=session.pk
        )
    assert not AuditEntry.objects.exists()


def test_the_api_says_why_and_shows_flags(
    api: ApiFactory, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    body = {"class_id": maths.pk}
    client = api(alice)
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    told = client.post("/face/verify", body | {"file": upload(photo)}).json()
    assert [flag["code"] for flag in told["attendance"]["flags"]] == [
        "photo_sent_before"
    ]
    assert "photo_sent_before" in [hint["code"] for hint in told["hints"]]
    number = told["attendance"]["id"]
    record = client.get(f"/attendance/{number}").json()
    assert record["flags"] == told["attendance"]["flags"]
    why = client.get(f"/attendance/{number}/why").json()
    assert why["source"] == "face"
    assert why["why"]["similarity"] == 1
    assert why["why"]["model_id"] == runtime.active_model_id()
    assert why["flags"] == record["flags"]


def test_a_line_by_hand_has_no_why(
    api: ApiFactory, maths: Classroom, students: list[Student], alice: User
) -> None:
    line = services.mark_by_hand(
        make_session(maths), students[0], status=Status.LATE, by=alice
    )
    why = api(alice).get(f"/attendance/{line.pk}/why").json()
    assert why == {"source": "manual", "why": None, "flags": []}


def test_the_pages_show_why_and_the_flags(
    client: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    record = verified(maths, photo, alice)
    client.force_login(alice)
    said = "The same photo was sent before"
    take = client.get(reverse("take", args=[maths.pk])).content.decode()
    assert "Please check" in take
    assert said in take
    line = reverse("session", args=[record.session_id]) + f"?line={enrolled[0].pk}"
    drawer = client.get(line).content.decode()
    assert said in drawer
    assert "Why this mark?" in drawer
    assert runtime.active_model_id() in drawer
    student = reverse("student-page", args=[enrolled[0].pk])
    assert said in client.get(student).content.decode()


def test_the_admin_shows_and_finds_flagged_lines(
    client: Client, admin: User, maths: Classroom, enrolled: list[Student]
) -> None:
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    record = verified(maths, photo, admin)
    verified(maths, photo_of(DAN), admin)
    client.force_login(admin)
    page = client.get(f"/admin/attendance/record/{record.pk}/change/")
    assert "The same photo was sent before" in page.content.decode()
    assert runtime.active_model_id() in page.content.decode()
    found = client.get("/admin/attendance/record/?flagged=yes")
    assert list(found.context["cl"].result_list) == [record]


def test_closing_and_reopening_are_in_the_log(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    session: Session = make_session(maths)
    services.close(session, by=alice)
    services.reopen(session, by=alice)
    entries = AuditEntry.objects.about(session).order_by("number")
    assert [entry.details["what"] for entry in entries] == ["closed", "reopened"]
    assert Record.objects.filter(source=Source.RULE).count() == len(students)
