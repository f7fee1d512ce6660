"""The roll-over page: choose what becomes of each class, look at it, confirm."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from classroom.models import Classroom
from classroom.rollover import (
    Fate,
    Outcome,
    Preview,
    Step,
    current_years,
    first_day_of,
    following_year,
    preview,
    roll_over,
    steps_for,
)

CHOOSE = "admin/classroom/classroom/roll_over.html"
CONFIRM = "admin/classroom/classroom/roll_over_preview.html"


class YearForm(forms.Form):
    """Which year's classes to look at."""

    from_year = forms.ChoiceField(label=_("School year that ends"))
    raise_grade = forms.BooleanField(
        label=_("Count up the first number of names and codes (7A becomes 8A)"),
        required=False,
    )

    def __init__(self, *args: Any, years: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["from_year"]
        assert isinstance(chosen, forms.ChoiceField)  # noqa: S101
        chosen.choices = [(year, year) for year in years]


class TargetForm(forms.Form):
    """Into which year, and from which day on."""

    school_year = forms.CharField(label=_("Next school year"), max_length=16)
    starts_on = forms.DateField(
        label=_("First day"),
        widget=AdminDateWidget(),
        help_text=_("Seats in the old classes end on this day."),
    )


class StepForm(forms.Form):
    """One class's line."""

    class_id = forms.IntegerField(widget=forms.HiddenInput)
    fate = forms.ChoiceField(label=_("What happens"), choices=Fate.choices)
    new_name = forms.CharField(label=_("New name"), max_length=100, required=False)
    new_code = forms.CharField(label=_("New code"), max_length=32, required=False)

    # Set by `choose`, so that the page can name the class beside its fields.
    line: Preview | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("fate") == Fate.CONTINUE and not cleaned.get("new_code"):
            self.add_error("new_code", _("A class that goes on needs a code."))
        return cleaned


StepFormSet = forms.formset_factory(StepForm, extra=0, max_num=1000)


def roll_over_view(request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> Any:
    """Answer the page's three steps: choose (GET), preview and confirm (POST)."""
    if request.method == "POST":
        return decided(request, model_admin)
    return choose(request, model_admin)


def choose(request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> HttpResponse:
    """Show the classes of a year, each with what becomes of it."""
    years = current_years()
    asked = {"from_year": years[0]} if years else {}
    form = YearForm(asked | request.GET.dict(), years=years)
    if not form.is_valid():
        form = YearForm(asked, years=years)
    if not form.is_valid():
        return page(request, model_admin, CHOOSE, years=form)
    from_year = form.cleaned_data["from_year"]
    steps = steps_for(from_year, raise_grade=form.cleaned_data["raise_grade"])
    next_year = following_year(from_year)
    target = TargetForm(
        initial={"school_year": next_year, "starts_on": first_day_of(next_year)}
    )
    classes = StepFormSet(
        initial=[
            {
                "class_id": step.classroom.pk,
                "fate": step.fate,
                "new_name": step.new_name,
                "new_code": step.new_code,
            }
            for step in steps
        ]
    )
    name_lines(classes, steps)
    return page(
        request, model_admin, CHOOSE, years=form, target=target, classes=classes
    )


def decided(request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> HttpResponse:
    """Preview what was chosen, or do it once it was confirmed."""
    target, classes = TargetForm(request.POST), StepFormSet(request.POST)
    if not (target.is_valid() and classes.is_valid()):
        return chosen_again(request, model_admin, target, classes)
    steps = read_steps(classes)
    year, starts_on = target.cleaned_data["school_year"], target.cleaned_data
    try:
        if "confirm" in request.POST:
            done = roll_over(steps, school_year=year, starts_on=starts_on["starts_on"])
            return finished(request, model_admin, done, steps, year)
        lines = preview(steps, school_year=year)
    except DomainError as error:
        target.add_error(None, forms.ValidationError(error.detail, code=error.code))
        return chosen_again(request, model_admin, target, classes)
    context = {
        "target": target,
        "classes": classes,
        "lines": lines,
        "made": sum(goes_on(line) and line.target is None for line in lines),
        "seats": sum(line.new for line in lines),
        "archived": sum(line.step.fate != Fate.KEEP for line in lines),
        "starts_on": starts_on["starts_on"],
        "school_year": year,
    }
    return page(request, model_admin, CONFIRM, **context)


def goes_on(line: Preview) -> bool:
    return line.step.fate == Fate.CONTINUE


def read_steps(classes: Any) -> list[Step]:
    """Return the chosen steps; a class that is gone meanwhile is left out."""
    wanted = [form.cleaned_data for form in classes if form.cleaned_data]
    known = Classroom.objects.select_related("teacher").in_bulk(
        [line["class_id"] for line in wanted]
    )
    return [
        Step(
            known[line["class_id"]],
            fate=line["fate"],
            new_name=line["new_name"],
            new_code=line["new_code"],
        )
        for line in wanted
        if line["class_id"] in known
    ]


def chosen_again(
    request: HttpRequest,
    model_admin: admin.ModelAdmin[Any],
    target: TargetForm,
    classes: Any,
) -> HttpResponse:
    numbers = [form["class_id"].value() for form in classes]
    known = Classroom.objects.select_related("teacher").in_bulk(
        [int(number) for number in numbers if str(number).isdigit()]
    )
    for form, number in zip(classes, numbers, strict=True):
        if str(number).isdigit() and int(number) in known:
            form.line = Preview(Step(known[int(number)]), None, [], 0)
    context = {"target": target, "classes": classes}
    return page(request, model_admin, CHOOSE, status=400, **context)


def name_lines(classes: Any, steps: Sequence[Step]) -> None:
    """Give each form its class and today's number of students."""
    lines = preview_or_empty(steps)
    for form, line in zip(classes, lines, strict=True):
        form.line = line


def preview_or_empty(steps: Sequence[Step]) -> list[Preview]:
    # Before a year is chosen only the rosters matter; no class has that year's name.
    return preview(steps, school_year="-") if steps else []


def finished(
    request: HttpRequest,
    model_admin: admin.ModelAdmin[Any],
    done: Outcome,
    steps: Sequence[Step],
    school_year: str,
) -> HttpResponse:
    for step in steps:
        if step.fate != Fate.KEEP:
            model_admin.log_change(
                request, step.classroom, f"Rolled over to {school_year}: {step.fate}"
            )
    text = _(
        "%(year)s is ready: classes opened: %(made)d, archived: %(archived)d, "
        "seats given: %(seats)d."
    ) % {
        "year": school_year,
        "made": done.made,
        "archived": done.archived,
        "seats": done.seats,
    }
    messages.success(request, str(text))
    return HttpResponseRedirect(reverse("admin:classroom_classroom_changelist"))


def page(
    request: HttpRequest,
    model_admin: admin.ModelAdmin[Any],
    template: str,
    status: int = 200,
    **context: object,
) -> TemplateResponse:
    whole = {
        **model_admin.admin_site.each_context(request),
        "title": _("Roll over to the next school year"),
        "opts": model_admin.opts,
        "media": model_admin.media + TargetForm().media,
        "today": dt.date.today,
        **context,
    }
    return TemplateResponse(request, template, whole, status=status)
