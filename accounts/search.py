"""Search by words, no more of them than every database can take."""

from functools import reduce
from operator import or_
from typing import Any, Final, TypeVar

from django.db.models import Q, QuerySet

# Signs. SQLite refuses patterns of some ten thousand and some thousand conditions.
MAX_SEARCH: Final = 200

Rows = TypeVar("Rows", bound=QuerySet[Any])


def holding(rows: Rows, words: str, *fields: str) -> Rows:
    """Return the rows in which each word stands in one of the fields.

    What is typed beyond MAX_SEARCH signs is left out.
    """
    for word in words[:MAX_SEARCH].split():
        rows = rows.filter(
            reduce(or_, (Q(**{f"{name}__icontains": word}) for name in fields))
        )
    return rows
