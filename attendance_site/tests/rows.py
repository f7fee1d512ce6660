"""What a row of the table of permissions is, and the answers that come again."""

from dataclasses import dataclass, field
from typing import Any

ROLES = ("nobody", "stranger", "owner", "substitute of last week", "admin")

# The statuses that come back again and again, in the order of ROLES.
OPEN = (200, 200, 200, 200, 200)
ANY_USER = (401, 200, 200, 200, 200)
ADMIN_ONLY = (401, 403, 403, 403, 200)
ADMIN_MAKES = (401, 403, 403, 403, 201)
ADMIN_DELETES = (401, 403, 403, 403, 204)
# Another teacher's object is as good as none, so that nobody learns what exists.
OWN = (401, 404, 200, 404, 200)
OWN_MAKES = (401, 404, 201, 404, 201)
OWN_DELETES = (401, 404, 204, 404, 204)
# A field that names another teacher's object is a wrong value like any other.
OWN_NAMED = (401, 400, 201, 400, 201)
LEADS_ON = (302, 302, 302, 302, 302)
# A page: who isn't logged in is led to the login.
PAGE = (302, 200, 200, 200, 200)
OWN_PAGE = (302, 404, 200, 404, 200)
OWN_LEADS_ON = (302, 404, 302, 404, 302)


@dataclass(frozen=True)
class Row:
    """What each role gets for one call; names in braces are filled in by the cast."""

    method: str
    url: str
    statuses: tuple[int, int, int, int, int]
    body: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
