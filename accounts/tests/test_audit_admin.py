"""The audit log in the admin: to be read, and written by all that admins do there."""

from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from accounts import audit
from accounts.audit import Event
from accounts.audit_admin import AuditedAdmin
from accounts.audit_models import AuditEntry
from accounts.models import LoginFailure, User
from accounts.tests.factories import PASSWORD, make_user
from accounts.tests.test_login import login, use_up_tries
from conftest import ApiFactory

LOG = "/admin/accounts/auditentry/"
FAILURES = "/admin/accounts/loginfailure/"


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def last() -> AuditEntry:
    return AuditEntry.objects.order_by("number").reverse()[0]


def test_it_shows_who_did_what_to_whom(desk: Client, admin: User, alice: User) -> None:
    audit.write(Event.LOGIN_UNLOCKED, by=admin, on=alice, places=2)
    page = desk.get(LOG).content.decode()
    assert "Sign-in unlocked" in page
    assert "Ada Admin" in page
    assert f'href="/admin/accounts/user/{alice.pk}/change/"' in page
    assert "places: 2" in page


def test_an_account_that_is_gone_is_shown_by_its_number(
    desk: Client, stranger: User
) -> None:
    number = stranger.pk
    entry = audit.write(Event.LOGIN, by=stranger, on=stranger)
    stranger.delete()
    assert f"#{number}" in desk.get(LOG).content.decode()
    assert desk.get(f"{LOG}{entry.number}/change/").status_code == 200


@pytest.mark.parametrize(
    "query", ["event=exported", "subject=user", "q=Stranger", "q=%(pk)s"]
)
def test_it_is_filtered_and_searched(
    desk: Client, stranger: User, alice: User, query: str
) -> None:
    wanted = audit.write(Event.EXPORTED, by=stranger, on=stranger, what="audit")
    AuditEntry.objects.exclude(pk=wanted.pk)._raw_delete("default")
    audit.write(Event.LOGOUT, by=alice)
    page = desk.get(f"{LOG}?{query % {'pk': stranger.pk}}")
    assert list(page.context["cl"].result_list) == [wanted]


def test_nothing_in_it_can_be_changed(desk: Client) -> None:
    entry = audit.write(Event.LOGIN, by=None)
    assert desk.get(f"{LOG}add/").status_code == 403
    assert desk.post(f"{LOG}{entry.number}/change/", {}).status_code == 403
    assert desk.post(f"{LOG}{entry.number}/delete/", {}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [entry.number]}
    desk.post(LOG, form)
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_a_teacher_sees_nothing_of_it(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(LOG)["Location"].startswith("/admin/login/")
    assert not AuditEntry.objects.for_user(alice).exists()


def test_it_is_downloaded_with_its_seals_and_that_is_written_too(
    desk: Client, admin: User
) -> None:
    entry = audit.write(Event.LOGIN, by=admin, on=admin, door="page")
    form = {"action": "export_csv", "_selected_action": [entry.number]}
    answer: Any = desk.post(LOG, form)
    text = b"".join(answer.streaming_content).decode()
    assert entry.seal in text
    assert '""door"": ""page""' in text
    assert (last().event, last().details) == (
        "exported",
        {"what": "audit", "rows": 1},
    )


def test_the_list_takes_a_few_queries_however_long_it_is(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        user = make_user(f"Person{number}")
        audit.write(Event.LOGIN, by=user, on=user)
    # session, user, kinds for the filter, count, page with its people
    with django_assert_max_num_queries(8):
        desk.get(LOG)


def test_a_change_in_the_admin_is_written(
    desk: Client, admin: User, alice: User
) -> None:
    form = {
        "full_name": "Alice Ames",
        "teacher_id": alice.teacher_id,
        "email": alice.email,
        "role": alice.role,
        "is_active": "on",
    }
    desk.post(f"/admin/accounts/user/{alice.pk}/change/", form)
    alice.refresh_from_db()
    assert alice.full_name == "Alice Ames"
    entry = AuditEntry.objects.about(alice).get(event="changed")
    assert entry.actor == admin
    assert "Ames" not in str(entry.details)


def test_a_deletion_in_the_admin_is_written(desk: Client, stranger: User) -> None:
    number = stranger.pk
    page = f"/admin/accounts/user/{number}/delete/"
    desk.post(page, {"post": "yes"})
    assert (last().event, last().subject, last().subject_id) == (
        "erased",
        "user",
        number,
    )


def test_a_new_password_in_the_admin_is_written(desk: Client, alice: User) -> None:
    form = {"password1": "peach-orchard-48", "password2": "peach-orchard-48"}
    desk.post(f"/admin/accounts/user/{alice.pk}/password/", form)
    assert AuditEntry.objects.about(alice).filter(event="password_changed").exists()


def test_every_page_of_the_admin_that_changes_something_is_audited(
    admin: User,
) -> None:
    request = RequestFactory().get("/admin/")
    request.user = admin
    unaudited = [
        page
        for page in django_admin.site._registry.values()
        if any(
            allowed(request)
            for allowed in (
                page.has_add_permission,
                page.has_change_permission,
                page.has_delete_permission,
            )
        )
        and not isinstance(page, AuditedAdmin)
    ]
    assert unaudited == []


def test_an_admin_sees_who_waits_and_ends_the_wait(
    desk: Client, admin: User, api: ApiFactory, alice: User, stranger: User
) -> None:
    use_up_tries(api, alice.email)
    login(api, stranger.email, "wrong")
    page = desk.get(FAILURES).content.decode()
    assert alice.email in page
    assert stranger.email in page
    waiting = LoginFailure.objects.get(username=alice.email)
    form = {"action": "unlock", "_selected_action": [waiting.pk]}
    desk.post(FAILURES, form)
    assert login(api, alice.email, PASSWORD).status_code == 200
    entry = AuditEntry.objects.get(event="login_unlocked")
    assert (entry.actor, entry.subject_id) == (admin, alice.pk)
