"""The page that imports a table: choose a file, look at it, confirm."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.imports import IMPORTERS, MAX_FAULTS, SHOWN, Importer, Line, described
from accounts.job_words import word_for
from accounts.models import User
from accounts.tables import LEFT_OUT, Row, Table, find_columns, read_table
from accounts.throttles import ImportThrottle, seconds_to_wait

PAGE_HOURS = 2  # that a preview may wait for its confirmation


class NoFile(DomainError):
    code = "no_file"
    status = 400
    default_detail = gettext_lazy("Choose a file.")


class PreviewTooOld(DomainError):
    code = "preview_too_old"
    default_detail = gettext_lazy("This preview is too old. Choose the file again.")


class TooManyImports(DomainError):
    code = "throttled"
    status = 429

    def __init__(self, wait: int) -> None:
        words = ngettext(
            "Too many files in a minute. Try again in %(wait)s second.",
            "Too many files in a minute. Try again in %(wait)s seconds.",
            wait,
        )
        super().__init__(words % {"wait": wait}, retry_after=wait)


def require_room(request: HttpRequest) -> None:
    """Count a file that a page was sent; raises TooManyImports."""
    wait = seconds_to_wait(ImportThrottle(), request)
    if wait is not None:
        raise TooManyImports(wait)


def refused(page: HttpResponse, error: DomainError) -> HttpResponse:
    """Give a page the status of a refusal, and when to try again if that is known."""
    page.status_code = error.status
    if "retry_after" in error.extra:
        page.headers["Retry-After"] = str(error.extra["retry_after"])
    return page


def import_page(kind: str) -> Callable[[HttpRequest], HttpResponse]:
    """Return the page of an import: choose a file, look at it, confirm."""

    @require_http_methods(["GET", "POST"])
    @login_required
    def page(request: HttpRequest) -> HttpResponse:
        importer = IMPORTERS[kind]
        context: dict[str, Any] = {
            "importer": importer,
            "has_overwrite": "overwrite" in importer.options,
            "overwrite": request.POST.get("overwrite") == "on",
        }
        refusal: DomainError | None = None
        if request.method == "POST":
            try:
                require_room(request)
                table = _table_of(request, importer)
                context |= {"sealed": _sealed(request, importer, table)}
                context |= _choices(importer, table, _chosen(request, importer))
                if "confirmed" in request.POST:
                    return _begun(request, importer, table)
                context |= _looked_at(request, importer, table)
            except DomainError as error:
                context |= {"fault": error.detail, "faults": error.extra.get("errors")}
                refusal = error
        answer = render(request, "imports/table.html", context)
        return answer if refusal is None else refused(answer, refusal)

    return page


def _salt(request: HttpRequest, importer: Importer) -> str:
    # What one person has looked at is no use to another, nor to another import.
    return f"accounts.imports.{importer.kind}.{request.user.pk}"


def _table_of(request: HttpRequest, importer: Importer) -> Table:
    """Return the file that was sent, or the one that the page has carried along."""
    upload = request.FILES.get("file")
    if upload is not None:
        return read_table(upload.read())
    if "table" not in request.POST:
        raise NoFile
    try:
        kept = signing.loads(
            request.POST["table"],
            salt=_salt(request, importer),
            max_age=PAGE_HOURS * 3600,
        )
    except signing.BadSignature as error:
        raise PreviewTooOld from error
    return Table(kept["headings"], [Row(line, cells) for line, cells in kept["rows"]])


def _sealed(request: HttpRequest, importer: Importer, table: Table) -> str:
    """Return a file as the page carries it, so that it need not be chosen again."""
    rows = [(row.line, row.cells) for row in table.rows]
    return signing.dumps(
        {"headings": table.headings, "rows": rows},
        salt=_salt(request, importer),
        compress=True,
    )


def _chosen(request: HttpRequest, importer: Importer) -> dict[str, str]:
    return {
        name: request.POST[f"column-{name}"]
        for name in importer.columns
        if request.POST.get(f"column-{name}")
    }


def _choices(
    importer: Importer, table: Table, chosen: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the page needs to ask which column of the file is which."""
    places = find_columns(table.headings, importer.columns, chosen=chosen)
    headings = [heading for heading in table.headings if heading]
    columns = [
        (name, table.headings[places[name]] if name in places else LEFT_OUT)
        for name in importer.columns
    ]
    return {"headings": headings, "columns": columns, "left_out": LEFT_OUT}


def _lines_of(request: HttpRequest, importer: Importer, table: Table) -> list[Line]:
    return list(table.mapped(importer.places(table, _chosen(request, importer))))


def _options(request: HttpRequest, importer: Importer) -> dict[str, Any]:
    return {name: True for name in importer.options if request.POST.get(name) == "on"}


def _looked_at(
    request: HttpRequest, importer: Importer, table: Table
) -> dict[str, Any]:
    lines = _lines_of(request, importer, table)
    owner = cast(User, request.user)
    options = _options(request, importer)
    report = importer.run(lines, owner=owner, options=options, dry=True)
    shown = [name for name in importer.columns if name in lines[0][1]]
    return {
        "is_good": not report.faults,
        "counts": [(word_for(name), count) for name, count in report.counts.items()],
        "faults": described(report.faults),
        "more_faults": max(0, len(report.faults) - MAX_FAULTS),
        "number": len(lines),
        "shown": shown,
        "lines": [
            (line, [values[name] for name in shown]) for line, values in lines[:SHOWN]
        ],
    }


def _begun(request: HttpRequest, importer: Importer, table: Table) -> HttpResponse:
    job = importer.begin(
        _lines_of(request, importer, table),
        owner=cast(User, request.user),
        options=_options(request, importer),
    )
    return redirect("job", job.pk)
