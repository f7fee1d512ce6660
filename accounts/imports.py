"""What imports of tables share: preview first, faults with their lines, all or none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods
from django_stubs_ext import StrOrPromise
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import jobs
from accounts.errors import DomainError
from accounts.fields import RowIdField
from accounts.job_words import word_for
from accounts.models import Job, User
from accounts.tables import (
    LEFT_OUT,
    Row,
    Table,
    UnknownColumns,
    find_columns,
    read_table,
)
from accounts.throttles import ImportThrottle, seconds_to_wait
from accounts.viewsets import requester

SHOWN = 20  # lines of a preview
MAX_FAULTS = 200  # that an answer names; more are only counted
PAGE_HOURS = 2  # that a preview may wait for its confirmation

# A line's number in the file and its values by our names.
Line = tuple[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line."""

    line: int
    column: str
    code: str
    detail: str


@dataclass
class Report:
    """What an import would do, or did."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def fault(self, line: int, column: str, code: str, detail: StrOrPromise) -> None:
        self.faults.append(Fault(line, column, code, str(detail)))


class ImportRefused(DomainError):
    code = "import_refused"
    status = 400

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        words = _("Line %(line)s: %(detail)s") % {
            "line": first.line,
            "detail": first.detail,
        }
        super().__init__(words, errors=described(faults), count=len(faults))


class NoFile(DomainError):
    code = "no_file"
    status = 400
    default_detail = gettext_lazy("Choose a file.")


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


@dataclass(frozen=True)
class Importer:
    """One kind of table. `apply` checks and does it in one transaction.

    With `dry` it changes nothing. It is named by its dotted path, and repeated after a
    crash: doing it twice must be as good as once.
    """

    kind: str
    title: StrOrPromise
    # Ours, and other words for it; the first ones are needed.
    columns: Mapping[str, Sequence[str]]
    needed: Sequence[str]
    apply: str  # (lines, owner, options, dry=) -> Report
    options: Sequence[str] = ()
    example: Sequence[Sequence[str]] = ()

    def register(self, clear: str = "accounts.imports.clear") -> None:
        jobs.register(jobs.Kind(self.kind, self.title, "accounts.imports.work", clear))
        IMPORTERS[self.kind] = self

    def places(self, table: Table, chosen: Mapping[str, str]) -> dict[str, int]:
        """Return where each of our columns stands in a file's lines."""
        return find_columns(
            table.headings, self.columns, chosen=chosen, needed=self.needed
        )

    def run(
        self,
        lines: Sequence[Line],
        *,
        owner: User,
        options: Mapping[str, Any],
        dry: bool,
    ) -> Report:
        apply: Callable[..., Report] = import_string(self.apply)
        return apply(lines, owner=owner, options=options, dry=dry)

    def begin(
        self, lines: Sequence[Line], *, owner: User, options: Mapping[str, Any]
    ) -> Job:
        """Begin the import of lines that have no fault; raises ImportRefused."""
        report = self.run(lines, owner=owner, options=options, dry=True)
        if report.faults:
            raise ImportRefused(report.faults)
        arguments = {"lines": list(lines), "options": dict(options)}
        return jobs.start(self.kind, owner=owner, arguments=arguments, total=len(lines))


IMPORTERS: dict[str, Importer] = {}


def work(run: jobs.Run) -> dict[str, Any]:
    """Do an import that was begun; raises ImportRefused if it no longer holds."""
    importer = IMPORTERS[run.job.kind]
    lines = [(line, values) for line, values in run.job.arguments["lines"]]
    report = importer.run(
        lines,
        owner=run.job.owner,
        options=run.job.arguments["options"],
        dry=False,
    )
    if report.faults:
        raise ImportRefused(report.faults)
    return {"counts": report.counts}


def clear(job: Job) -> None:
    """Forget the lines of a job that has ended."""
    Job.objects.filter(pk=job.pk).update(arguments={})


def described(faults: Sequence[Fault]) -> list[dict[str, object]]:
    return [
        {
            "line": fault.line,
            "column": fault.column,
            "code": fault.code,
            "detail": fault.detail,
        }
        for fault in faults[:MAX_FAULTS]
    ]


# --- The API -----------------------------------------------------------------------


class TableSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV or XLSX with a line of headings.")
    preview = serializers.BooleanField(
        default=False, help_text="Say what would happen and change nothing."
    )
    dry_run = serializers.BooleanField(default=False, help_text="The same.")
    columns = serializers.CharField(
        default="",
        help_text='JSON that maps our names to headings: {"full_name": "Pupil"}; '
        '"-" leaves one out.',
    )
    class_id = RowIdField(
        required=False, help_text="The class of lines that name none."
    )
    overwrite = serializers.BooleanField(
        default=False, help_text="Replace what a person has entered (marks alone)."
    )

    def validate_columns(self, text: str) -> dict[str, str]:
        try:
            chosen = json.loads(text or "{}")
        except ValueError as error:
            raise UnknownColumns from error
        if not isinstance(chosen, dict):
            raise UnknownColumns
        return {str(name): str(heading) for name, heading in chosen.items()}


class PreviewSerializer(serializers.Serializer[Any]):
    lines = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    rows = serializers.ListField(child=serializers.DictField())


class ImportView(APIView):
    importer: str
    parser_classes = [MultiPartParser]
    throttle_classes = [ImportThrottle]

    @extend_schema(
        request={"multipart/form-data": TableSerializer},
        responses={200: PreviewSerializer},
    )
    def post(self, request: Request) -> Response:
        """Import a table: 202 `{job_id}`, or with `preview` what would happen.

        All lines or none: 400 `import_refused` lists the faults with their lines.
        """
        form = TableSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        importer, owner = IMPORTERS[self.importer], requester(request)
        table = read_table(wanted["file"].read())
        lines = list(table.mapped(importer.places(table, wanted["columns"])))
        options = {name: wanted[name] for name in importer.options if name in wanted}
        if not (wanted["preview"] or wanted["dry_run"]):
            job = importer.begin(lines, owner=owner, options=options)
            return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)
        report = importer.run(lines, owner=owner, options=options, dry=True)
        return Response(
            {
                "lines": len(lines),
                "counts": report.counts,
                "errors": described(report.faults),
                "rows": [{"line": line, **values} for line, values in lines[:SHOWN]],
            }
        )


# --- The page ----------------------------------------------------------------------


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


class PreviewTooOld(DomainError):
    code = "preview_too_old"
    default_detail = gettext_lazy("This preview is too old. Choose the file again.")


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
