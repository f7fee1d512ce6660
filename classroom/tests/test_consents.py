"""What a family answered: the latest answer counts, and none of them is lost."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.audit import AuditEntry
from accounts.models import User
from classroom.consents import Answer, current_consent, give, say_no
from classroom.models import Consent, ConsentState, Student, consent_state
from classroom.tests.factories import days

pytestmark = pytest.mark.django_db


def answer(on: dt.date | None = None, **values: object) -> Answer:
    given: dict[str, object] = {"given_by": "Carla Castro", "given_on": on or days(-10)}
    return Answer(**(given | values))  # type: ignore[arg-type]


def state_in_the_database(student: Student) -> str:
    rows = Student.objects.filter(pk=student.pk).annotate(answer=consent_state())
    return str(rows.values_list("answer", flat=True).get())


def states(student: Student) -> tuple[str, str]:
    """Return what the row says and what the database's expression says."""
    known = current_consent(student)
    return (
        known.state() if known else ConsentState.NONE,
        state_in_the_database(student),
    )


def test_without_an_answer_there_is_none(students: list[Student]) -> None:
    assert states(students[0]) == ("none", "none")


def test_a_consent_holds_until_its_last_day_is_over(
    students: list[Student], alice: User
) -> None:
    give(students[0], answer(until=days(0)), by=alice)
    give(students[1], answer(until=days(-1)), by=alice)
    assert states(students[0]) == ("given", "given")
    assert states(students[1]) == ("expired", "expired")
    assert list(Consent.objects.in_force()) == [current_consent(students[0])]
    assert list(Consent.objects.expired()) == [current_consent(students[1])]


def test_a_newer_answer_replaces_the_older_which_stays_on_record(
    students: list[Student], alice: User
) -> None:
    first = give(students[0], answer(days(-20)), by=alice)
    second = give(students[0], answer(days(-5), until=days(-1)), by=alice)
    assert current_consent(students[0]) == second
    assert states(students[0]) == ("expired", "expired")
    first.refresh_from_db()
    assert first.replaced_at is not None


def test_a_withdrawal_ends_it_with_who_and_when(
    students: list[Student], alice: User
) -> None:
    give(students[0], answer(), by=alice)
    said = say_no(students[0], said_by="Cleo herself", by=alice)
    assert states(students[0]) == ("withdrawn", "withdrawn")
    assert (said.withdrawn_by, said.withdrawal_recorded_by) == ("Cleo herself", alice)
    assert said.withdrawn_at is not None and not said.refused


def test_a_no_without_a_consent_before_is_a_refusal(
    students: list[Student], alice: User
) -> None:
    said = say_no(students[0], said_by="Carla Castro", by=alice)
    assert said.refused
    assert states(students[0]) == ("withdrawn", "withdrawn")
    assert say_no(students[0], said_by="Somebody else", by=alice) == said


def test_after_a_no_a_new_consent_may_be_given(
    students: list[Student], alice: User
) -> None:
    give(students[0], answer(days(0)), by=alice)
    say_no(students[0], said_by="Carla Castro", by=alice)
    give(students[0], answer(days(0)), by=alice)
    assert states(students[0]) == ("given", "given")
    assert Consent.objects.count() == 2


@pytest.mark.parametrize("no_first", [True, False])
def test_an_old_form_that_turns_up_later_undoes_nothing(
    students: list[Student], alice: User, no_first: bool
) -> None:
    if no_first:
        say_no(students[0], said_by="Carla Castro", by=alice)
    else:
        give(students[0], answer(days(-1)), by=alice)
    before = states(students[0])
    with pytest.raises(ValidationError) as refused:
        give(students[0], answer(days(-30)), by=alice)
    assert refused.value.error_dict["given_on"][0].code == "not_the_latest"
    assert states(students[0]) == before
    assert Consent.objects.count() == 1


@pytest.mark.parametrize(
    ("on", "until", "field", "code"),
    [(1, None, "given_on", "future"), (-3, -4, "until", "too_early")],
)
def test_it_refuses_impossible_days(
    students: list[Student],
    alice: User,
    on: int,
    until: int | None,
    field: str,
    code: str,
) -> None:
    wanted = answer(days(on), until=None if until is None else days(until))
    with pytest.raises(ValidationError) as refused:
        give(students[0], wanted, by=alice)
    assert refused.value.error_dict[field][0].code == code


def test_the_same_answer_twice_in_a_row_is_one(
    students: list[Student], alice: User
) -> None:
    assert give(students[0], answer(), by=alice) == give(
        students[0], answer(), by=alice
    )


def test_the_database_lets_in_one_current_answer_a_student(
    students: list[Student], alice: User
) -> None:
    give(students[0], answer(), by=alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(student=students[0], given_by="Another")


def test_a_stranger_sees_no_answer(
    students: list[Student], alice: User, stranger: User, admin: User
) -> None:
    given = give(students[0], answer(), by=alice)
    assert list(Consent.objects.for_user(alice)) == [given]
    assert list(Consent.objects.for_user(admin)) == [given]
    assert list(Consent.objects.for_user(stranger)) == []


def test_the_audit_log_knows_it_without_a_name(
    students: list[Student], alice: User
) -> None:
    given = give(students[0], answer(), by=alice)
    (entry,) = AuditEntry.objects.about(students[0])
    assert (entry.event, entry.actor) == ("consent", alice)
    assert entry.details == {"consent": given.pk, "state": "given"}
