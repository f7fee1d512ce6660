"""Short ways to make users; a test names only what it is about."""

import itertools
from typing import Any

from accounts.models import Role, User

PASSWORD = "plum-orchard-47"
_numbers = itertools.count(1)


def make_user(name: str = "Somebody", **fields: Any) -> User:
    """Save a teacher who can log in with PASSWORD, unless `fields` say otherwise."""
    number = next(_numbers)
    values = {
        "email": f"{name.split()[0].lower()}{number}@school.example",
        "teacher_id": f"t{number:04}",
        "full_name": name,
        "password": PASSWORD,
        **fields,
    }
    return User.objects.create_user(**values)


def make_admin(name: str = "Admin", **fields: Any) -> User:
    return make_user(name, role=Role.ADMIN, **fields)
