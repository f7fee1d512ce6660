"""What imports of tables share: a look first, faults with their lines, all or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from accounts import jobs
from accounts.errors import DomainError
from accounts.models import Job, User
from accounts.tables import Table, find_columns

SHOWN = 20  # lines of a preview
MAX_FAULTS = 200  # that an answer names; more are only counted

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
