"""The user: one spelling of an address, one role that gives all rights."""

import os
from importlib import import_module

import pytest
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from pytest_django import Settings

from accounts.errors import LastAdmin
from accounts.models import User
from accounts.tests.factories import make_admin, make_user


def test_an_admin_may_see_everybody(admin: User, alice: User, stranger: User) -> None:
    assert set(User.objects.for_user(admin)) == {admin, alice, stranger}


def test_a_teacher_may_see_the_own_account_alone(
    admin: User, alice: User, stranger: User
) -> None:
    assert set(User.objects.for_user(alice)) == {alice}


def test_a_deactivated_admin_may_see_nobody(alice: User) -> None:
    left = make_admin("Lena Left", is_active=False)
    assert not User.objects.for_user(left).exists()


def test_the_role_gives_all_rights(admin: User, alice: User) -> None:
    for user, expected in ((admin, True), (alice, False)):
        rights = (
            user.is_staff,
            user.is_superuser,
            user.has_perm("classroom.delete_student"),
            user.has_perms(["classroom.delete_student"]),
            user.has_module_perms("classroom"),
        )
        assert set(rights) == {expected}


def test_a_deactivated_admin_has_no_rights(db: None) -> None:
    left = make_admin("Lena Left", is_active=False)
    assert not left.is_staff
    assert not left.has_perm("classroom.delete_student")


def test_an_address_is_stored_in_one_spelling(db: None) -> None:
    assert make_user(email=" Zoe@School.EXAMPLE ").email == "zoe@school.example"


def test_the_database_refuses_an_address_in_another_case(alice: User) -> None:
    user = make_user("Twin")
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=user.pk).update(email=alice.email.upper())


def test_the_database_refuses_a_role_that_is_not_known(alice: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=alice.pk).update(role="king")


def test_an_account_without_a_password_lets_nobody_in(db: None) -> None:
    assert not make_user(password=None).check_password("")


def test_passwords_are_kept_with_bcrypt(settings: Settings) -> None:
    shipped = import_module(os.environ["DJANGO_SETTINGS_MODULE"])
    settings.PASSWORD_HASHERS = shipped.PASSWORD_HASHERS
    stored = make_password("plum-orchard-47")
    assert stored.startswith("bcrypt_sha256$")


def test_the_last_active_admin_has_to_stay(admin: User, alice: User) -> None:
    make_admin("Lena Left", is_active=False)
    with pytest.raises(LastAdmin):
        admin.require_another_admin()


def test_an_admin_may_go_while_another_stays(admin: User) -> None:
    make_admin("Second")
    admin.require_another_admin()
    assert not admin.is_last_admin()
