"""What the pages' forms change, written to the audit log as the admin's changes are."""

from collections.abc import Callable
from copy import copy
from typing import TypeVar

from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm

from accounts import audit
from accounts.audit import Event
from accounts.models import User

ModelT = TypeVar("ModelT", bound=Model)


@transaction.atomic
def save_form(
    form: ModelForm[ModelT], *, by: User, save: Callable[[], object] | None = None
) -> ModelT:
    """Save a valid form, and which fields it changed, in one transaction.

    `save` is the service that saves the form's instance, where there is one.
    """
    event = Event.ADDED if form.instance.pk is None else Event.CHANGED
    (save or form.save)()
    fields = sorted(form.changed_data)
    audit.write(event, by=by, on=form.instance, door="page", fields=fields)
    return form.instance


@transaction.atomic
def erase(
    row: Model,
    *,
    by: User,
    delete: Callable[[], object] | None = None,
    door: str = "page",
) -> None:
    """Delete a row, and say so, in one transaction; `delete` is its service, if any."""
    gone = copy(row)  # a deleted row forgets its id
    (delete or row.delete)()
    audit.write(Event.ERASED, by=by, on=gone, door=door)
