"""The audit log: what is written stays, and what was changed is found."""

import threading
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import audit
from accounts.audit import Event, Line
from accounts.audit_models import AppendOnly, AuditEntry, AuditHead
from accounts.models import User
from accounts.tests.factories import make_user

pytestmark = pytest.mark.django_db


def write_some(count: int = 5, by: User | None = None) -> None:
    for number in range(count):
        audit.write(Event.LOGIN, by=by, step=number)


def tamper(sql: str, *values: str | int) -> None:
    """Change the table as somebody with the database's password would."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def codes() -> list[tuple[int, str]]:
    return [(fault.number, fault.code) for fault in audit.verify()]


def test_an_entry_says_who_what_and_about_whom(alice: User, stranger: User) -> None:
    entry = audit.write(Event.LOGIN_UNLOCKED, by=alice, on=stranger, failures=5)
    entry = AuditEntry.objects.get(pk=entry.pk)
    assert (entry.number, entry.event, entry.actor) == (1, "login_unlocked", alice)
    assert (entry.subject, entry.subject_id) == ("user", stranger.pk)
    assert entry.details == {"failures": 5}


def test_numbers_have_no_gaps_and_the_log_is_whole(alice: User) -> None:
    write_some(3, alice)
    audit.write_all([Line(Event.MATCHED), Line(Event.MATCHED)], by=None)
    numbers = AuditEntry.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]
    assert codes() == []


def test_an_empty_log_is_whole() -> None:
    assert codes() == []


def test_what_is_undone_leaves_no_entry_and_no_gap() -> None:
    write_some(1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.write(Event.LOGIN, by=None)
        _ = 1 / 0
    write_some(1)
    assert AuditEntry.objects.count() == 2
    assert codes() == []


def test_figures_come_back_as_they_were_sealed() -> None:
    audit.write(
        Event.MATCHED,
        by=None,
        similarity=np.float32(0.51234),
        margin=-0.0,
        threshold=1.0,
        small=1.5e-7,
        number=np.int64(3),
        yes=True,
        none=None,
        code=Event.MATCHED,
        nested={"list": [0.1, {"a": 2.0}]},
    )
    assert codes() == []


@pytest.mark.parametrize(
    "change",
    [
        "event = 'logout'",
        "actor_id = 99999",
        "subject = 'student'",
        "subject_id = 7",
        """details = '{"step": 9}'""",
        "at = '2020-01-01 00:00:00+00:00'",
        "previous = '00'",
        "seal = '00'",
    ],
)
def test_an_edited_row_is_found(change: str) -> None:
    write_some()
    tamper(f"UPDATE accounts_auditentry SET {change} WHERE number = 3")  # noqa: S608
    assert (3, "edited") in codes()


def test_a_missing_row_is_found() -> None:
    write_some()
    tamper("DELETE FROM accounts_auditentry WHERE number IN (2, 3)")
    assert codes() == [(2, "missing")]


def test_the_first_row_is_missed_too() -> None:
    write_some()
    tamper("DELETE FROM accounts_auditentry WHERE number = 1")
    assert codes() == [(1, "missing")]


def test_rows_cut_off_at_the_end_are_found() -> None:
    write_some()
    tamper("DELETE FROM accounts_auditentry WHERE number >= 4")
    assert codes() == [(4, "cut_off")]


def test_a_count_that_was_set_back_with_the_rows_is_found() -> None:
    write_some()
    seal = AuditEntry.objects.get(number=3).seal
    tamper("DELETE FROM accounts_auditentry WHERE number >= 4")
    tamper("UPDATE accounts_audithead SET number = 3, last_seal = %s", seal)
    assert codes() == [(3, "head_edited")]


def test_rows_that_changed_places_are_found() -> None:
    write_some()
    for old, new in ((2, 99), (3, 2), (99, 3)):
        tamper("UPDATE accounts_auditentry SET number = %s WHERE number = %s", new, old)
    assert {(2, "edited"), (3, "edited")} <= set(codes())


def test_a_row_of_another_copy_of_the_log_is_found() -> None:
    write_some(2)
    copy = AuditEntry.objects.filter(number=2).values_list("details", "seal").get()
    tamper("DELETE FROM accounts_auditentry WHERE number = 2")
    first = AuditEntry.objects.get(number=1)
    AuditHead.objects.update(number=1, last_seal=first.seal)
    audit.write(Event.LOGOUT, by=None)
    write_some(1)
    assert codes() == []  # a fork that the sealing machine itself wrote
    rows = AuditEntry.objects.filter(number=2)
    assert rows.values_list("details", "seal").get() != copy
    tamper("UPDATE accounts_auditentry SET seal = %s WHERE number = 2", copy[1])
    assert (2, "edited") in codes()
    assert (3, "replaced") in codes()


def test_a_log_whose_count_was_taken_away_goes_on_with_a_gap() -> None:
    write_some(2)
    tamper("DELETE FROM accounts_audithead")
    assert codes() == [(2, "head_missing")]
    write_some(1)
    assert codes() == [(3, "missing")]


def test_a_row_can_be_neither_changed_nor_deleted() -> None:
    entry = audit.write(Event.LOGIN, by=None)
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(event="logout"),
    ):
        with pytest.raises(AppendOnly):
            change()


def test_an_account_that_goes_leaves_its_id(alice: User) -> None:
    pk = alice.pk
    audit.write(Event.LOGIN, by=alice, on=alice)
    alice.delete()
    assert AuditEntry.objects.get().actor_id == pk
    assert codes() == []


def test_a_new_key_seals_and_an_old_one_still_opens(settings: Settings) -> None:
    settings.AUDIT_KEYS = ("old",)
    write_some(2)
    settings.AUDIT_KEYS = ("new", "old")
    write_some(2)
    assert codes() == []
    settings.AUDIT_KEYS = ("new",)
    assert codes() == [(1, "unknown_key"), (2, "unknown_key")]


def test_without_the_key_nobody_can_seal_a_row(settings: Settings) -> None:
    write_some(2)
    settings.AUDIT_KEYS = ("guessed",)
    assert [code for _, code in codes()] == ["unknown_key"] * 3


def test_several_events_cost_three_queries(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    write_some(1)
    lines = [Line(Event.MATCHED, alice) for _ in range(30)]
    # the count with its lock, all rows at once, the count again
    with django_assert_num_queries(3):
        audit.write_all(lines, by=alice)


def test_the_command_prints_a_receipt_that_it_takes_again(alice: User) -> None:
    write_some(2, alice)
    out = StringIO()
    call_command("audit_verify", stdout=out)
    assert "whole: 2 rows" in out.getvalue()
    receipt = out.getvalue().split()[-1]
    write_some(1)
    call_command("audit_verify", expect=receipt, stdout=StringIO())


def test_the_command_names_the_fault_and_fails() -> None:
    write_some()
    tamper("DELETE FROM accounts_auditentry WHERE number = 3")
    out = StringIO()
    with pytest.raises(CommandError, match="1 faults"):
        call_command("audit_verify", stdout=out)
    assert "3\tmissing\tRow 3 is missing." in out.getvalue()


def test_the_command_finds_an_older_copy_by_its_receipt() -> None:
    write_some(2)
    with pytest.raises(CommandError):
        call_command("audit_verify", expect="9:ab", stdout=StringIO())
    with pytest.raises(CommandError, match="as it was printed"):
        call_command("audit_verify", expect="nonsense", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain() -> None:
    """Two replicas write through connections of their own, as these threads do."""
    users = [make_user(f"Writer{number}") for number in range(4)]
    start = threading.Barrier(len(users))
    faults: list[BaseException] = []

    def work(user: User) -> None:
        try:
            start.wait()
            for step in range(10):
                with transaction.atomic():
                    audit.write(Event.LOGIN, by=user, step=step)
        except BaseException as error:
            faults.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert AuditEntry.objects.count() == 40
    assert codes() == []
