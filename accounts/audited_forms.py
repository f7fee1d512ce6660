"""What the pages' forms change, written to the audit log as the admin's changes are."""

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
def save_form(form: ModelForm[ModelT], *, by: User) -> ModelT:
    """Save a valid form, and which fields it changed, in one transaction."""
    event = Event.ADDED if form.instance.pk is None else Event.CHANGED
    saved = form.save()
    audit.write(event, by=by, on=saved, door="page", fields=sorted(form.changed_data))
    return saved


@transaction.atomic
def erase(row: Model, *, by: User) -> None:
    """Delete a row, and say so, in one transaction."""
    gone = copy(row)  # a deleted row forgets its id
    row.delete()
    audit.write(Event.ERASED, by=by, on=gone, door="page")
