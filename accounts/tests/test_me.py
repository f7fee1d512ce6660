"""GET /auth/me, and which tokens open the API at all."""

from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from conftest import ApiFactory


def test_it_says_who_is_logged_in(api: ApiFactory, alice: User) -> None:
    assert api(alice).get("/auth/me").json() == {
        "id": alice.pk,
        "teacher_id": alice.teacher_id,
        "full_name": "Alice Archer",
        "email": "alice@school.example",
        "role": "teacher",
        "is_active": True,
    }


def test_it_asks_for_a_login(api: ApiFactory, db: None) -> None:
    response = api(None).get("/auth/me")
    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_page_session_opens_it_too(api: ApiFactory, alice: User) -> None:
    client = api(None)
    client.force_login(alice)
    assert client.get("/auth/me").json()["id"] == alice.pk


def test_a_token_ends_when_the_account_is_deactivated(
    api: ApiFactory, alice: User
) -> None:
    client = api(alice)
    alice.is_active = False
    alice.save()
    assert client.get("/auth/me").status_code == 401


def test_a_token_ends_when_the_password_changes(api: ApiFactory, alice: User) -> None:
    client = api(alice)
    alice.set_password("another-orchard-48")
    alice.save()
    assert client.get("/auth/me").status_code == 401


def test_a_token_ends_with_its_account(api: ApiFactory, alice: User) -> None:
    client = api(alice)
    alice.delete()
    assert client.get("/auth/me").status_code == 401


def test_a_changed_token_is_refused(api: ApiFactory, alice: User) -> None:
    header, payload, signature = str(AccessToken.for_user(alice)).split(".")
    client = api(None)
    turned = signature[::-1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {header}.{payload}.{turned}")
    assert client.get("/auth/me").json()["code"] == "token_not_valid"


def test_a_new_role_holds_at_once(api: ApiFactory, admin: User, alice: User) -> None:
    client = api(alice)
    alice.role = "admin"
    alice.save()
    assert client.get("/teachers").status_code == 200
