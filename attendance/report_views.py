"""Pages of the reports: a session, a class, a student, and all classes at once."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from attendance.export_views import letters
from attendance.models import Status
from attendance.pages import neighbours, user_of, visible_class, visible_session
from attendance.register import register_of
from attendance.report_forms import Period, wanted_period
from attendance.report_rules import RuleList, follow_ups
from attendance.report_school import school
from attendance.report_students import student_report
from attendance.report_trends import Dated, trend, weekdays, worst
from attendance.reports import SessionLine, add, count, grid
from attendance.rosters import LOW_RATE
from classroom.models import Classroom, Student

STUDENTS_A_PAGE = 60
SESSIONS_A_PAGE = 40
CLASSES_A_PAGE = 60
MISSES_A_PAGE = 40
# As wide as a desktop, and with a page of students well under what a page may weigh.
GRID_SESSIONS = 25
SHORT_LIST = 8  # students of a rule on a page that is about more
WHOLE_LIST = 150  # and on the page of the rules' lists: what a person can read


def shown(
    request: HttpRequest, name: str, period: Period, context: dict[str, Any]
) -> HttpResponse:
    context |= {"period": period, "low_rate": int(100 * LOW_RATE)}
    return render(request, f"reports/{name}.html", context, status=period.status)


def charts(dated: list[Dated], *, by_day: bool = True) -> dict[str, Any]:
    days = weekdays(dated)
    return {
        "trend": trend(dated, by_day=by_day),
        "weekdays": days,
        "worst": worst(days),
    }


def by_rate(lines: list[Any], request: HttpRequest) -> list[Any]:
    """Return the lines as they are, by `?sort=rate` the lowest rate first."""
    if request.GET.get("sort") != "rate":
        return lines
    return sorted(
        lines, key=lambda line: (line.counts.rate is None, line.counts.rate or 0.0)
    )


def followed(request: HttpRequest, classes: Any, period: Period) -> dict[str, Any]:
    """Return the lists of the rules, and whose page the user may open."""
    lists: list[RuleList] = follow_ups(classes, **period.days)
    named = {one.student.pk for rule in lists for one in rule.students}
    mine = Student.objects.for_user(user_of(request)).filter(pk__in=named)
    return {"rules": lists, "mine": set(mine.values_list("pk", flat=True))}


@require_GET
@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """Show all classes of a user: the school for an admin, the own for a teacher."""
    period = wanted_period(request)
    classes = Classroom.objects.for_user(user_of(request))
    report = school(classes, **period.days)
    lines = by_rate(report.classes, request)
    page = Paginator(lines, CLASSES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "report": report,
        "counts": report.counts,
        "page": page,
        "pages": neighbours(page, **paging(request, period)),
        "short": SHORT_LIST,
        **charts(report.dated),
        **followed(request, classes, period),
    }
    return shown(request, "school", period, context)


def paging(request: HttpRequest, period: Period) -> dict[str, str]:
    """Return what the address of another page of the same list holds."""
    days = {name: day.isoformat() if day else "" for name, day in period.days.items()}
    sort = request.GET.get("sort", "")
    return days | ({"sort": "rate"} if sort == "rate" else {})


@require_GET
@login_required
def absences(request: HttpRequest) -> HttpResponse:
    """Show who was missing as often as the rules say, in all classes of a user."""
    period = wanted_period(request)
    classes = Classroom.objects.for_user(user_of(request))
    lists = followed(request, classes, period)
    context = {**lists, "short": WHOLE_LIST, "is_whole": True}
    return shown(request, "absences", period, context)


@require_GET
@login_required
def class_report(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show a class: its rate, how it goes, and each student's."""
    classroom, period = visible_class(request, class_id), wanted_period(request)
    register = grid(classroom, **period.days)
    students = by_rate(register.by_student(), request)
    sessions = register.by_session()
    page = Paginator(students, STUDENTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "classroom": classroom,
        "of": f"class_id={class_id}&",
        "sessions": len(sessions),
        "counts": add(line.counts for line in students),
        "page": page,
        "pages": neighbours(page, **paging(request, period)),
        "short": STUDENTS_A_PAGE,
        **charts([(line.session.date, line.counts) for line in sessions]),
        **followed(request, Classroom.objects.filter(pk=class_id), period),
    }
    return shown(request, "class", period, context)


@require_GET
@login_required
def class_sessions(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show the counts of each session of a class, the latest first."""
    classroom, period = visible_class(request, class_id), wanted_period(request)
    lines: list[SessionLine] = grid(classroom, **period.days).by_session()[::-1]
    lines = by_rate(lines, request)
    page = Paginator(lines, SESSIONS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "classroom": classroom,
        "of": f"class_id={class_id}&",
        "counts": add(line.counts for line in lines),
        "sessions": len(lines),
        "page": page,
        "pages": neighbours(page, **paging(request, period)),
    }
    return shown(request, "sessions", period, context)


@require_GET
@login_required
def class_grid(request: HttpRequest, class_id: int) -> HttpResponse:
    """Show students down and sessions across; `?part=` goes back in time."""
    classroom, period = visible_class(request, class_id), wanted_period(request)
    register = grid(classroom, **period.days)
    page = Paginator(register.lines, STUDENTS_A_PAGE).get_page(request.GET.get("page"))
    # From the end, so that the first part holds the latest sessions in full.
    ends = range(len(register.sessions), 0, -GRID_SESSIONS)
    part = Paginator(ends, 1).get_page(request.GET.get("part"))
    end = next(iter(part), 0)
    window = slice(max(0, end - GRID_SESSIONS), end)
    here = paging(request, period)
    context = {
        "classroom": classroom,
        "of": f"class_id={class_id}&",
        "sessions": register.sessions[window],
        "lines": [(line, line.cells[window]) for line in page],
        "letters": dict(letters()),
        "page": page,
        "pages": neighbours(page, **here, part=str(part.number)),
        "part": part,
        "parts": {
            name: query.replace("page=", "part=")
            for name, query in neighbours(part, **here).items()
        },
    }
    return shown(request, "grid", period, context)


@require_GET
@login_required
def session_report(request: HttpRequest, session_id: int) -> HttpResponse:
    """Show a session: how many were there, and who was not."""
    session = visible_session(request, session_id)
    register = register_of(session.classroom, session)
    groups = [
        (
            status,
            [line for line in register.lines if line.status == status],
        )
        for status in (Status.ABSENT, Status.LATE, Status.EXCUSED, Status.PRESENT)
    ]
    context = {
        "session": session,
        "classroom": session.classroom,
        "of": f"session_id={session_id}&",
        "counts": count(line.status for line in register.lines),
        "groups": [(status, lines) for status, lines in groups if lines],
        "unmarked": register.unmarked,
    }
    return shown(request, "session", wanted_period(request), context)


@require_GET
@login_required
def student(request: HttpRequest, student_id: int) -> HttpResponse:
    """Show a student: rates by class, how they go, and what was missed."""
    user, period = user_of(request), wanted_period(request)
    found = get_object_or_404(Student.objects.for_user(user), pk=student_id)
    report = student_report(found, user=user, **period.days)
    missed = [one for one in report.meetings if one.status != Status.PRESENT]
    page = Paginator(missed, MISSES_A_PAGE).get_page(request.GET.get("page"))
    classes = Classroom.objects.for_user(user)
    lists = follow_ups(classes, **period.days, student=found)
    context = {
        "student": found,
        "of": f"student_id={student_id}&",
        "report": report,
        "counts": report.counts,
        "sessions": len(report.meetings),
        "met": [(one.rule, one.students[0]) for one in lists if one.students],
        "page": page,
        "pages": neighbours(page, **paging(request, period)),
        **charts(report.dated, by_day=False),
    }
    return shown(request, "student", period, context)
