"""Pages of the timetable: a class's week, planned absences, the school's calendar."""

import datetime as dt
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audited_forms import erase, save_form
from accounts.errors import DomainError
from attendance.calendars import CalendarUnreadable, import_closures, read_calendar
from attendance.clock import school_day
from attendance.pages import says_faults, user_of, visible_class
from attendance.rules import cancel_absence, plan_absence
from attendance.timetable import (
    delete_closure,
    delete_slot,
    open_due,
    save_closures,
    save_slot,
)
from attendance.timetable_forms import (
    CalendarForm,
    ClosureForm,
    PlannedAbsenceForm,
    SlotForm,
    signed,
    unsigned,
)
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from attendance.week import monday_of, week_of
from classroom.models import Student

WEEK = dt.timedelta(days=7)
View = Callable[..., HttpResponse]


def admins_only(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not user_of(request).is_admin:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return wrapped


def posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def saved(
    form: ModelForm[Any], save: Callable[[], object], request: HttpRequest
) -> bool:
    """Save a valid form; a fault that a rule finds is said on the form."""
    if not form.is_valid():
        return False
    try:
        save_form(form, by=user_of(request), save=save)
    except DomainError as error:
        form.add_error(None, error.detail)
        return False
    return True


@require_http_methods(["GET", "POST"])
@login_required
def timetable(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show a week of a class, and add a slot to its timetable."""
    classroom = visible_class(request, class_id)
    open_due([classroom.pk])
    day = wanted_day(request)
    form = SlotForm(posted(request), instance=Slot(classroom=classroom))
    if saved(form, partial(save_slot, form.instance), request):
        messages.success(request, _("The lesson is in the timetable."))
        return redirect("class-timetable", class_id)
    context = {
        "classroom": classroom,
        "days": week_of(classroom, day),
        "monday": monday_of(day),
        "before": monday_of(day) - WEEK,
        "after": monday_of(day) + WEEK,
        "today": school_day(),
        "slots": Slot.objects.filter(classroom=classroom),
        "form": form,
    }
    status = 400 if form.is_bound else 200
    return render(request, "attendance/timetable.html", context, status=status)


def wanted_day(request: HttpRequest) -> dt.date:
    """Return the day of `?day=`, today without one; raises Http404 for another word."""
    named = request.GET.get("day", "")
    try:
        day = dt.date.fromisoformat(named) if named else school_day()
        return (
            day if dt.date(1900, 1, 1) <= day <= dt.date(2999, 1, 1) else school_day()
        )
    except ValueError as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
@login_required
def slot(request: HttpRequest, slot_id: int) -> HttpResponse:
    """Change a slot; past sessions stay as they were."""
    found = visible_slot(request, slot_id)
    form = SlotForm(posted(request), instance=found)
    if saved(form, partial(save_slot, form.instance), request):
        messages.success(request, _("Changed. Past sessions stay as they were."))
        return redirect("class-timetable", found.classroom_id)
    context = {"classroom": found.classroom, "slot": found, "form": form}
    status = 400 if form.is_bound else 200
    return render(request, "attendance/timetable_slot.html", context, status=status)


@require_POST
@login_required
def remove_slot(request: HttpRequest, slot_id: int) -> HttpResponse:
    """Take a slot out of the timetable."""
    found = visible_slot(request, slot_id)
    erase(found, by=user_of(request), delete=partial(delete_slot, found))
    messages.success(request, _("Removed. Past sessions stay as they were."))
    return redirect("class-timetable", found.classroom_id)


def visible_slot(request: HttpRequest, slot_id: int) -> Slot:
    slots = Slot.objects.for_user(user_of(request)).select_related("classroom")
    return get_object_or_404(slots, pk=slot_id)


@require_http_methods(["GET", "POST"])
@login_required
def absences(request: HttpRequest, class_id: int) -> HttpResponse:
    """List a class's planned absences from today on, and add one."""
    classroom, user = visible_class(request, class_id), user_of(request)
    form = PlannedAbsenceForm(posted(request), classroom=classroom)
    if saved(form, partial(plan_absence, form.instance, by=user), request):
        messages.success(request, _("The student is excused on these days."))
        return redirect("class-absences", class_id)
    plans = PlannedAbsence.objects.filter(
        student__in=Student.objects.in_class(classroom.pk),
        last_date__gte=school_day(),
    )
    context = {
        "classroom": classroom,
        "plans": plans.select_related("student", "created_by").order_by("first_date"),
        "form": form,
    }
    status = 400 if form.is_bound else 200
    return render(request, "attendance/timetable_absences.html", context, status=status)


@require_POST
@login_required
def remove_absence(
    request: HttpRequest, class_id: int, absence_id: int
) -> HttpResponse:
    """Delete a planned absence of a class's student."""
    classroom, user = visible_class(request, class_id), user_of(request)
    plans = PlannedAbsence.objects.for_user(user).filter(
        student__in=Student.objects.in_class(classroom.pk)
    )
    plan = get_object_or_404(plans, pk=absence_id)
    erase(plan, by=user, delete=partial(cancel_absence, plan, by=user))
    messages.success(request, _("Removed."))
    return redirect("class-absences", class_id)


@require_http_methods(["GET", "POST"])
@login_required
def closures(request: HttpRequest) -> HttpResponse:
    """Show the school's days off; an admin adds to them."""
    form = ClosureForm(posted(request))
    if request.method == "POST" and not user_of(request).is_admin:
        raise PermissionDenied
    if saved(form, partial(save_closures, [form.instance]), request):
        messages.success(request, _("The day off is in the calendar."))
        return redirect("closures")
    status = 400 if form.is_bound else 200
    return shown_closures(request, {"form": form}, status=status)


def shown_closures(
    request: HttpRequest, context: dict[str, Any], *, status: int
) -> HttpResponse:
    ahead = Closure.objects.filter(last_date__gte=school_day())
    context = {
        "form": ClosureForm(),
        "calendar_form": CalendarForm(),
        "closures": ahead,
        **context,
    }
    return render(request, "attendance/closures.html", context, status=status)


@require_POST
@login_required
@admins_only
def preview_closures(request: HttpRequest) -> HttpResponse:
    """Show what a calendar file holds; nothing is saved yet."""
    form = CalendarForm(request.POST, request.FILES)
    if not form.is_valid():
        return shown_closures(request, {"calendar_form": form}, status=400)
    try:
        found = read_calendar(form.cleaned_data["file"].read())
    except CalendarUnreadable as error:
        form.add_error("file", error.detail)
        return shown_closures(request, {"calendar_form": form}, status=error.status)
    choices = [(signed(closure), closure) for closure in found.closures]
    context = {"choices": choices, "skipped": found.skipped}
    return render(request, "attendance/closures_preview.html", context)


@require_POST
@login_required
@admins_only
@says_faults
def keep_closures(request: HttpRequest) -> HttpResponse:
    """Save the days off that were chosen from a preview."""
    try:
        chosen = [unsigned(value) for value in request.POST.getlist("closure")]
    except BadSignature as error:
        raise CalendarUnreadable from error
    done = import_closures(chosen, by=user_of(request))
    words = _("Days off: %(added)d added, %(updated)d updated.")
    messages.success(request, words % {"added": done.added, "updated": done.updated})
    return redirect("closures")


@require_POST
@login_required
@admins_only
def remove_closure(request: HttpRequest, closure_id: int) -> HttpResponse:
    """Take a closure out of the calendar."""
    found = get_object_or_404(Closure, pk=closure_id)
    erase(found, by=user_of(request), delete=partial(delete_closure, found))
    messages.success(request, _("Removed."))
    return redirect("closures")
