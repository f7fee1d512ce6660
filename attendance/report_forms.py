"""What a report asks for: its period, and the rules of its lists."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from attendance.report_models import AbsenceRule
from attendance.timetable_forms import date_input
from classroom.models import FIRST_MONTH

USUAL_DAYS = 30  # what is shown where nobody asked for a period


class PeriodForm(forms.Form):
    start = forms.DateField(label=_("From"), required=False, widget=date_input())
    end = forms.DateField(label=_("To"), required=False, widget=date_input())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("start"), cleaned.get("end")
        if first and last and first > last:
            self.add_error("end", _now("The last day is before the first."))
        return cleaned


class AbsenceRuleForm(forms.ModelForm[AbsenceRule]):
    class Meta:
        model = AbsenceRule
        fields = ["times", "days", "absent", "late", "excused", "per_day"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A period that a person often wants."""

    label: StrOrPromise
    query: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a report, both included; None is open."""

    start: dt.date | None
    end: dt.date | None
    form: PeriodForm

    @property
    def days(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end}

    @property
    def query(self) -> str:
        """The address's part that leads to another report of the same period."""
        return _query(self.start, self.end)

    @property
    def api_query(self) -> str:
        """The same for the API, which leaves an open end out."""
        named = {"from": self.start, "to": self.end}
        return urlencode({name: day.isoformat() for name, day in named.items() if day})

    @property
    def status(self) -> int:
        return 400 if self.form.errors else 200

    def choices(self) -> list[Choice]:
        today = timezone.localdate()
        wanted = [
            (_("Last 30 days"), *usual_period()),
            (_("This month"), today.replace(day=1), today),
            (_("This school year"), first_school_day(today), today),
            (_("All"), None, None),
        ]
        return [
            Choice(label, _query(start, end), (start, end) == (self.start, self.end))
            for label, start, end in wanted
        ]


def wanted_period(request: HttpRequest) -> Period:
    """Return the period that an address names, the last 30 days without one.

    Where it can't be read, the usual one is shown beside the form's fault.
    """
    start, end = usual_period()
    if not {"start", "end"} & set(request.GET):
        form = PeriodForm(initial={"start": start, "end": end})
        return Period(start, end, form)
    form = PeriodForm(request.GET)
    if form.is_valid():
        return Period(form.cleaned_data["start"], form.cleaned_data["end"], form)
    return Period(start, end, form)


def usual_period() -> tuple[dt.date, dt.date]:
    today = timezone.localdate()
    return today - dt.timedelta(days=USUAL_DAYS - 1), today


def first_school_day(day: dt.date) -> dt.date:
    """Return the first day of the school year that a day lies in."""
    year = day.year if day.month >= FIRST_MONTH else day.year - 1
    return dt.date(year, FIRST_MONTH, 1)


def _query(start: dt.date | None, end: dt.date | None) -> str:
    named = {"start": start, "end": end}
    return urlencode(
        {name: day.isoformat() if day else "" for name, day in named.items()}
    )
