"""Pages of jobs: a list, one with its progress, its result as a file."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import audit, jobs
from accounts.audit import Event
from accounts.job_models import Job
from accounts.job_words import word_for
from accounts.models import User
from accounts.sheets import csv_lines
from accounts.viewsets import requester

JOBS_A_PAGE = 20
ROWS_A_PAGE = 200  # of a result; the file has all of them


def _job_of(request: HttpRequest, job_id: int) -> Job:
    seen = Job.objects.for_user(cast(User, request.user))
    return get_object_or_404(seen.select_related("owner"), pk=job_id)


def label(job: Job) -> str:
    """Return the words for a job's kind; of a kind that is gone, its name."""
    kind = jobs.KINDS.get(job.kind)
    return str(kind.label) if kind else job.kind


@require_GET
@login_required
def job_list(request: HttpRequest) -> HttpResponse:
    """List the user's jobs, the newest first; an admin sees everybody's."""
    jobs.end_overdue()
    seen = Job.objects.for_user(cast(User, request.user))
    rows = seen.defer("result", "arguments", "secret").select_related("owner")
    page = Paginator(rows, JOBS_A_PAGE).get_page(request.GET.get("page"))
    lines = [(job, label(job)) for job in page]
    return render(request, "jobs/list.html", {"lines": lines, "page": page})


@require_GET
@login_required
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show how far a job is; the page renews itself until the job has ended."""
    job = _job_of(request, job_id)
    rows = job.result.get("rows", [])
    context = {
        "job": job,
        "label": label(job),
        "counts": [
            (word_for(name), count)
            for name, count in job.result.get("counts", {}).items()
        ],
        "headings": [word_for(name) for name in (rows[0] if rows else {})],
        "rows": [_shown(row) for row in rows[:ROWS_A_PAGE]],
        "is_waited_for": jobs.is_waited_for(job),
        "more": max(0, len(rows) - ROWS_A_PAGE),
    }
    return render(request, "jobs/job.html", context)


def _shown(row: dict[str, Any]) -> list[object]:
    """Return a row's cells; how it ended is said in words."""
    return [
        word_for(value) if name == "result" else value for name, value in row.items()
    ]


@require_GET
@login_required
def job_result(request: HttpRequest, job_id: int) -> StreamingHttpResponse:
    """Download the rows of a result as CSV."""
    job = _job_of(request, job_id)
    rows: list[dict[str, Any]] = job.result.get("rows", [])
    by = requester(request)
    audit.write(Event.EXPORTED, by=by, on=job, what="job", format="csv")
    return StreamingHttpResponse(
        csv_lines(_table(rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="job-{job.pk}.csv"'},
    )


def _table(rows: list[dict[str, Any]]) -> Iterator[list[object]]:
    names = list(rows[0]) if rows else []
    yield list(names)
    for row in rows:
        yield [row.get(name, "") for name in names]


@require_POST
@login_required
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """End a job; what is done stays."""
    job = _job_of(request, job_id)
    try:
        jobs.cancel(job, by=requester(request))
    except jobs.JobFinished as error:
        messages.warning(request, error.detail)
    else:
        messages.success(request, _("The job is cancelled. What was done stays."))
    return redirect("job", job.pk)
