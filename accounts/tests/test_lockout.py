"""Five wrong passwords: the wait, its end, who ends it, and what is written of it."""

import datetime as dt
from io import StringIO
from typing import Any

from axes.models import AccessAttempt
from django.core.management import call_command
from django.test import Client

from accounts import audit, lockout
from accounts.audit import Event
from accounts.audit_models import AuditEntry
from accounts.models import User
from accounts.tests.factories import PASSWORD
from accounts.tests.test_login import login, use_up_tries
from conftest import ApiFactory

ADDRESS, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("event", flat=True))


def admin_login(client: Client, email: str, password: str, **extra: Any) -> Any:
    form = {"username": email, "password": password}
    return client.post("/admin/login/", form, **extra)


def pass_time(minutes: int) -> None:
    earlier = dt.timedelta(minutes=minutes)
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(
            attempt_time=attempt.attempt_time - earlier
        )


def test_the_wait_ends_by_itself(api: ApiFactory, alice: User) -> None:
    use_up_tries(api, alice.email)
    pass_time(minutes=4)
    assert login(api, alice.email, PASSWORD).status_code == 429
    pass_time(minutes=1)
    assert login(api, alice.email, PASSWORD).status_code == 200


def test_trying_on_makes_it_no_longer(api: ApiFactory, alice: User) -> None:
    use_up_tries(api, alice.email)
    pass_time(minutes=4)
    assert login(api, alice.email, "wrong").status_code == 429
    pass_time(minutes=1)
    assert login(api, alice.email, PASSWORD).status_code == 200


def test_another_browser_gets_no_more_tries(api: ApiFactory, alice: User) -> None:
    for number in range(5):
        login(api, alice.email, "wrong", HTTP_USER_AGENT=f"Browser {number}")
    response = login(api, alice.email, PASSWORD, HTTP_USER_AGENT="Browser 9")
    assert response.status_code == 429


def test_a_stranger_from_elsewhere_keeps_nobody_out(
    api: ApiFactory, alice: User, stranger: User
) -> None:
    use_up_tries(api, alice.email, REMOTE_ADDR=ELSEWHERE)
    for user in (alice, stranger):
        response = login(api, user.email, PASSWORD, REMOTE_ADDR=ADDRESS)
        assert response.status_code == 200


def test_an_unknown_account_waits_with_the_same_answer(
    api: ApiFactory, alice: User
) -> None:
    answers = []
    for email in (alice.email, "nobody@school.example"):
        use_up_tries(api, email)
        body = login(api, email, PASSWORD).json()
        answers.append(body["code"])
        assert "wait" in body["detail"] or "available" in body["detail"]
    assert answers == ["throttled", "throttled"]


def test_the_admins_own_page_waits_too(client: Client, admin: User) -> None:
    for _ in range(5):
        assert admin_login(client, admin.email, "wrong").status_code == 200
    response = admin_login(client, admin.email, PASSWORD)
    assert response.status_code == 429
    assert 290 <= int(response["Retry-After"]) <= 300
    assert "_auth_user_id" not in client.session


def test_all_doors_count_together(api: ApiFactory, client: Client, admin: User) -> None:
    for _ in range(2):
        admin_login(client, admin.email, "wrong")
        login(api, admin.email, "wrong")
    client.post("/accounts/login/", {"username": admin.email, "password": "wrong"})
    assert admin_login(client, admin.email, PASSWORD).status_code == 429
    assert login(api, admin.email, PASSWORD).status_code == 429


def test_the_admins_page_does_not_tell_that_a_teachers_password_is_right(
    client: Client, alice: User
) -> None:
    pages = [
        admin_login(client, alice.email, password).context["form"].non_field_errors()
        for password in ("wrong", PASSWORD)
    ]
    assert pages[0] == pages[1]
    for _ in range(3):
        admin_login(client, alice.email, PASSWORD)
    assert admin_login(client, alice.email, PASSWORD).status_code == 429


def test_a_command_ends_the_wait(api: ApiFactory, alice: User) -> None:
    use_up_tries(api, alice.email)
    out = StringIO()
    call_command("login_unlock", "ALICE@school.example", stdout=out)
    assert "may sign in again" in out.getvalue()
    assert login(api, alice.email, PASSWORD).status_code == 200


def test_the_command_may_unlock_one_address_alone(api: ApiFactory, alice: User) -> None:
    for address in (ADDRESS, ELSEWHERE):
        use_up_tries(api, alice.email, REMOTE_ADDR=address)
    call_command("login_unlock", alice.email, address=ADDRESS, stdout=StringIO())
    assert login(api, alice.email, PASSWORD, REMOTE_ADDR=ADDRESS).status_code == 200
    locked = login(api, alice.email, PASSWORD, REMOTE_ADDR=ELSEWHERE)
    assert locked.status_code == 429


def test_the_command_says_where_nobody_waits(db: None) -> None:
    out = StringIO()
    call_command("login_unlock", "nobody@school.example", stdout=out)
    assert "Nothing is in the way" in out.getvalue()
    assert events() == []


def test_failures_are_forgotten_once_they_no_longer_count(
    api: ApiFactory, alice: User
) -> None:
    login(api, alice.email, "wrong")
    lockout.forget()
    assert AccessAttempt.objects.count() == 1
    pass_time(minutes=5)
    lockout.forget()
    assert AccessAttempt.objects.count() == 0


def test_no_password_is_kept(client: Client, alice: User) -> None:
    secret = "a-secret-typo"
    client.post("/accounts/login/", {"username": alice.email, "password": secret})
    (attempt,) = AccessAttempt.objects.values_list("post_data", "get_data")
    assert secret not in str(attempt)


def test_every_door_is_in_the_audit_log(
    api: ApiFactory, client: Client, admin: User
) -> None:
    form = {"username": admin.email, "password": PASSWORD}
    client.post("/accounts/login/", form, REMOTE_ADDR=ADDRESS)
    client.post("/accounts/logout/")
    admin_login(client, admin.email, PASSWORD)
    tokens = login(api, admin.email, PASSWORD).json()
    body = {"refresh_token": tokens["refresh_token"]}
    assert api(None).post("/auth/logout", body, format="json").status_code == 204
    entries = AuditEntry.objects.order_by("number")
    assert [(entry.event, entry.details["door"]) for entry in entries] == [
        ("login", "page"),
        ("logout", "page"),
        ("login", "admin"),
        ("login", "api"),
        ("logout", "api"),
    ]
    assert {entry.actor_id for entry in entries} == {admin.pk}
    assert entries[0].details["address"] == ADDRESS


def test_failures_and_the_lock_are_in_the_audit_log(
    api: ApiFactory, alice: User
) -> None:
    use_up_tries(api, alice.email)
    login(api, alice.email, PASSWORD)
    assert events().count("login_failed") == 5
    assert events().count("login_locked") == 1
    assert set(AuditEntry.objects.values_list("subject_id", flat=True)) == {alice.pk}


def test_the_log_names_no_account_that_there_is_not(api: ApiFactory, db: None) -> None:
    login(api, "my-password-by-mistake@x.example", "wrong")
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.subject_id) == ("login_failed", None)
    assert "mistake" not in str(vars(entry))


def test_a_known_account_takes_the_same_queries_as_an_unknown_one(
    api: ApiFactory, alice: User, django_assert_max_num_queries: Any
) -> None:
    audit.write(Event.LOGIN, by=None)  # the log's first row costs more
    counts = []
    for email in (alice.email, "nobody@school.example"):
        with django_assert_max_num_queries(40) as queries:
            login(api, email, "wrong")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_browsers_session_changes_its_name_at_the_login(
    client: Client, alice: User
) -> None:
    client.get("/accounts/login/")
    session = client.session
    session["before"] = "login"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = str(before)
    client.post("/accounts/login/", {"username": alice.email, "password": PASSWORD})
    assert client.session.session_key != before
