"""Forms of the timetable's pages."""

from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Classroom, Student

# What a preview showed comes back as it was, or not at all.
SALT = "attendance.closures"


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SlotForm(forms.ModelForm[Slot]):
    class Meta:
        model = Slot
        fields = [
            "weekday",
            "start",
            "end",
            "room",
            "grace_minutes",
            "first_date",
            "last_date",
        ]
        widgets = {
            "start": time_input(),
            "end": time_input(),
            "first_date": date_input(),
            "last_date": date_input(),
        }
        help_texts = {
            "end": _("Earlier than the start means the next day."),
            "last_date": _("Empty: no end."),
        }


class ClosureForm(forms.ModelForm[Closure]):
    class Meta:
        model = Closure
        fields = ["first_date", "last_date", "name"]
        widgets = {"first_date": date_input(), "last_date": date_input()}


class CalendarForm(forms.Form):
    file = forms.FileField(
        label=_("Calendar file (.ics)"),
        help_text=_("Its whole-day events of this school year and the next."),
        widget=forms.ClearableFileInput(attrs={"accept": ".ics,text/calendar"}),
    )


class PlannedAbsenceForm(forms.ModelForm[PlannedAbsence]):
    """One of a class's students, excused from one day to another."""

    def __init__(self, *args: Any, classroom: Classroom, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        students = self.fields["student"]
        if isinstance(students, forms.ModelChoiceField):
            students.queryset = Student.objects.in_class(classroom.pk)

    class Meta:
        model = PlannedAbsence
        fields = ["student", "first_date", "last_date", "reason"]
        widgets = {"first_date": date_input(), "last_date": date_input()}


def signed(closure: Closure) -> str:
    """Return a closure of a preview as a value that a form can carry."""
    days = [closure.first_date.isoformat(), closure.last_date.isoformat()]
    return signing.dumps([*days, closure.name, closure.source_key], salt=SALT)


def unsigned(value: str) -> Closure:
    """Return the closure of `signed`; raises BadSignature."""
    first, last, name, key = signing.loads(value, salt=SALT)
    form = ClosureForm({"first_date": first, "last_date": last, "name": name})
    closure = form.save(commit=False)
    closure.source_key = key
    return closure
