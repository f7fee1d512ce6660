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
from django.utils.translation import gettext_lazy
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
from accounts.models import Job, User
from accounts.tables import Table, find_columns, read_table
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


class UnknownMapping(DomainError):
    code = "unknown_columns"
    status = 400
    default_detail = gettext_lazy("`columns` maps names of ours to headings.")


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

    def lines(self, table: Table, chosen: Mapping[str, str] | None) -> list[Line]:
        places = find_columns(
            table.headings, self.columns, chosen=chosen, needed=self.needed
        )
        return list(table.mapped(places))

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
        default="", help_text='JSON that maps our names to headings: {"full_name": …}.'
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
            raise UnknownMapping from error
        if not isinstance(chosen, dict):
            raise UnknownMapping
        return {str(name): str(heading) for name, heading in chosen.items()}


class PreviewSerializer(serializers.Serializer[Any]):
    lines = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    rows = serializers.ListField(child=serializers.DictField())


class ImportView(APIView):
    importer: str
    parser_classes = [MultiPartParser]

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
        lines = importer.lines(read_table(wanted["file"].read()), wanted["columns"])
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
        }
        try:
            if "confirmed" in request.POST:
                return _confirmed(request, importer)
            if request.method == "POST":
                context |= _looked_at(request, importer)
        except DomainError as error:
            context |= {
                "fault": error.detail,
                "headings": error.extra.get("headings"),
                "faults": error.extra.get("errors"),
            }
            return render(request, "imports/table.html", context, status=error.status)
        return render(request, "imports/table.html", context)

    return page


def _salt(request: HttpRequest, importer: Importer) -> str:
    # What one person has looked at is no use to another, nor to another import.
    return f"accounts.imports.{importer.kind}.{request.user.pk}"


def _looked_at(request: HttpRequest, importer: Importer) -> dict[str, Any]:
    upload = request.FILES.get("file")
    if upload is None:
        raise UnknownMapping(_("Choose a file."))
    chosen = {
        name: request.POST[f"column-{name}"]
        for name in importer.columns
        if request.POST.get(f"column-{name}")
    }
    lines = importer.lines(read_table(upload.read()), chosen)
    options = {
        name: True for name in importer.options if request.POST.get(name) == "on"
    }
    owner = cast(User, request.user)
    report = importer.run(lines, owner=owner, options=options, dry=True)
    sealed = ""
    if not report.faults:
        sealed = signing.dumps(
            {"lines": lines, "options": options},
            salt=_salt(request, importer),
            compress=True,
        )
    shown = [name for name in importer.columns if name in lines[0][1]]
    return {
        "report": report,
        "faults": described(report.faults),
        "number": len(lines),
        "shown": shown,
        "lines": [
            (line, [values[name] for name in shown]) for line, values in lines[:SHOWN]
        ],
        "sealed": sealed,
    }


class PreviewTooOld(DomainError):
    code = "preview_too_old"
    default_detail = gettext_lazy("This preview is too old. Choose the file again.")


def _confirmed(request: HttpRequest, importer: Importer) -> HttpResponse:
    try:
        kept = signing.loads(
            request.POST["confirmed"],
            salt=_salt(request, importer),
            max_age=PAGE_HOURS * 3600,
        )
    except signing.BadSignature as error:
        raise PreviewTooOld from error
    lines = [(line, values) for line, values in kept["lines"]]
    owner = cast(User, request.user)
    job = importer.begin(lines, owner=owner, options=kept["options"])
    return redirect("job", job.pk)
