"""Deletion pages that count what goes along, and say what stands in the way."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib.admin.utils import NestedObjects
from django.db import router
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from accounts.audit_admin import AuditedAdmin

ModelT = TypeVar("ModelT", bound=Model)
Deletion = tuple[list[Any], dict[Any, Any], set[Any], list[Any]]


class CountedDeletionAdmin(AuditedAdmin[ModelT]):
    """Count the rows that would be deleted instead of naming each one.

    Django's own page asks for the name of every line of a register, which costs
    queries for each, and for the right to delete each kind of row by itself.
    """

    deletion_hint: StrOrPromise = ""

    def get_deleted_objects(
        self, objs: QuerySet[ModelT] | Any, request: HttpRequest
    ) -> Deletion:
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        model_rows: dict[type[Model], set[Model]] = collector.model_objs  # type: ignore[assignment]
        counts = {
            model._meta.verbose_name_plural: len(rows)
            for model, rows in model_rows.items()
        }
        protected = list(counted(collector.protected))
        if protected and self.deletion_hint:
            protected.append(str(self.deletion_hint))
        return [str(row) for row in objs], counts, set(), protected


def counted(rows: Iterable[Model]) -> Iterable[str]:
    """Yield how many rows of each kind there are, in words."""
    kinds = Counter(type(row) for row in rows)
    for model, number in kinds.items():
        names = model._meta
        kind = names.verbose_name if number == 1 else names.verbose_name_plural
        yield _("%(kind)s: %(number)d") % {
            "kind": capfirst(str(kind)),
            "number": number,
        }
