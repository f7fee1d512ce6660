"""Work in the background: begin it, do it once whatever dies, cancel it, clear up.

A row of `Job` is the truth; the queue (`accounts/queue.py`) only rings. A worker takes
a job with a lease that it renews while it lives. Where the lease runs out, because the
worker was killed or its machine is gone, the next one begins the work again: so all
work is written to be repeated without harm.
"""

import datetime as dt
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django_stubs_ext import StrOrPromise

from accounts import audit, queue
from accounts.audit import Event
from accounts.errors import DomainError
from accounts.job_models import UNFINISHED, Job, JobState
from accounts.models import User

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # without getting a single part done
LONGEST = dt.timedelta(hours=24)
KEPT = dt.timedelta(days=30)  # a result list names students
SECONDS_A_WRITE = 0.5  # a progress bar needs no more


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of job does; functions by their dotted names, imported when used."""

    name: str
    label: StrOrPromise
    work: str  # (Run) -> dict, the result
    clear: str = ""  # (Job) -> None, once it has ended in any way


KINDS: dict[str, Kind] = {}
_sweepers: list[str] = []


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind


def on_sweep(function: str) -> None:
    """Have a function called now and then, for what a crash has left behind."""
    _sweepers.append(function)


class NoSuchKind(DomainError):
    code = "unknown_kind"
    default_detail = "This kind of job is no longer known."


class JobFinished(DomainError):
    code = "job_finished"
    default_detail = "This job has ended already."


class TryLater(DomainError):
    """Something that may pass: the job is tried again a few times before it fails."""

    code = "not_now"


class Stopped(Exception):
    """This run is not to go on: the job was cancelled, taken over or put back."""


@dataclass
class Run:
    """One attempt at a job, for the function that does the work."""

    job: Job
    token: str
    _written: float = field(default=0.0)
    _done: int = field(default=0)

    def progress(self, done: int, *, total: int | None = None) -> None:
        """Say how far the work is; raises Stopped where it must not go on."""
        if stopping.is_set():
            give_back(self)
            raise Stopped
        now = time.monotonic()
        if total is None and now - self._written < SECONDS_A_WRITE:
            return
        self._written = now
        changes: dict[str, Any] = {"done": done, "heartbeat_at": timezone.now()}
        if total is not None:
            changes["total"] = total
        if done > self._done:
            changes["attempts"], self._done = 0, done
        if not self.mine().update(**changes):
            raise Stopped

    def mine(self) -> models.QuerySet[Job]:
        """Return the job's row as long as it belongs to this run."""
        return Job.objects.filter(
            pk=self.job.pk, run=self.token, state=JobState.RUNNING
        )


# Set when this process is asked to end: its runs put their jobs back.
stopping = threading.Event()
_runs: set[str] = set()
_runs_lock = threading.Lock()


def lease() -> dt.timedelta:
    """Return how long a run counts as alive after its last sign of life."""
    return dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)


@transaction.atomic
def start(
    kind: str,
    *,
    owner: User,
    arguments: dict[str, Any] | None = None,
    total: int = 0,
    secret: bytes | None = None,
) -> Job:
    """Put a job down; a worker is called once the transaction is through."""
    job = Job.objects.create(
        owner=owner, kind=kind, arguments=arguments or {}, total=total, secret=secret
    )
    transaction.on_commit(partial(call, job.pk))
    return job


def call(job_id: int) -> None:
    """Call a worker to a job. Where that fails, the next sweep does it."""
    task_id = queue.ring(job_id)
    if task_id:
        Job.objects.filter(pk=job_id).update(task_id=task_id)


def perform(job_id: int) -> None:
    """Do a job, unless somebody else does it or it has ended."""
    run = _claim(job_id)
    if run is None:
        return
    with _runs_lock:
        _runs.add(run.token)
    try:
        _work(run)
    finally:
        # A fault that nobody foresaw ends here: the lease runs out and the job is
        # tried again, up to a limit, and then shown as failed.
        with _runs_lock:
            _runs.discard(run.token)


def _claim(job_id: int) -> Run | None:
    now, token = timezone.now(), uuid.uuid4().hex
    free = Q(state=JobState.QUEUED) | Q(
        state=JobState.RUNNING, heartbeat_at__lt=now - lease()
    )
    taken = Job.objects.filter(free, pk=job_id, attempts__lt=MAX_ATTEMPTS).update(
        state=JobState.RUNNING,
        run=token,
        heartbeat_at=now,
        attempts=F("attempts") + 1,
    )
    if not taken:
        return None
    Job.objects.filter(pk=job_id, started_at=None).update(started_at=now)
    job = Job.objects.select_related("owner").get(pk=job_id)
    return Run(job, token, _done=job.done)


def _work(run: Run) -> None:
    try:
        kind = KINDS.get(run.job.kind)
        if kind is None:
            raise NoSuchKind
        work: Callable[[Run], dict[str, Any]] = import_string(kind.work)
        # What it says is for whoever asked for it.
        with translation.override(run.job.owner.language or settings.LANGUAGE_CODE):
            result = work(run)
    except Stopped:
        return
    except DomainError as error:
        if isinstance(error, TryLater) and _put_off(run):
            logger.warning("job %s is put off: %s", run.job.pk, error.detail)
            return
        logger.warning("job %s failed: %s", run.job.pk, error.code)
        _end(run.mine(), JobState.FAILED, error=error.code, detail=error.detail)
        return
    with transaction.atomic():
        done = _end(run.mine(), JobState.DONE, result=result, done=F("total"))
        if done and run.job.kind.startswith("import_"):
            _tell_import(run.job, result)


def _tell_import(job: Job, result: dict[str, Any]) -> None:
    counts = result.get("counts", result)
    numbers = {name: count for name, count in counts.items() if isinstance(count, int)}
    audit.write(Event.IMPORTED, by=job.owner, on=job, kind=job.kind, **numbers)


def _end(jobs: models.QuerySet[Job], state: JobState, **values: Any) -> bool:
    """End one unfinished job, its secret first; False where it had ended already."""
    job = jobs.first()
    if job is None:
        return False
    values["detail"] = values.get("detail", "")[:500]
    ended = Job.objects.filter(pk=job.pk, run=job.run, state__in=UNFINISHED).update(
        state=state, secret=None, finished_at=timezone.now(), **values
    )
    if ended:
        _clear(job)
    return bool(ended)


def _clear(job: Job) -> None:
    kind = KINDS.get(job.kind)
    if kind is not None and kind.clear:
        import_string(kind.clear)(job)


def give_back(run: Run) -> None:
    """Put a job back into the queue because this worker ends."""
    run.mine().update(state=JobState.QUEUED, attempts=0)


def _put_off(run: Run) -> bool:
    """Leave a job to a later sweep; False once it was tried often enough."""
    again = run.mine().filter(attempts__lt=MAX_ATTEMPTS)
    return bool(again.update(state=JobState.QUEUED))


@transaction.atomic
def cancel(job: Job, *, by: User) -> None:
    """End a job now, or as soon as its worker looks; raises JobFinished."""
    if not _end(Job.objects.filter(pk=job.pk).unfinished(), JobState.CANCELLED):
        raise JobFinished
    audit.write(Event.CHANGED, by=by, on=job, kind=job.kind, what="cancelled")


def is_waited_for(job: Job) -> bool:
    """Say whether a job has waited for so long that perhaps no worker runs at all."""
    if job.state != JobState.QUEUED or job.created_at > timezone.now() - 2 * lease():
        return False
    alive = Job.objects.filter(
        state=JobState.RUNNING, heartbeat_at__gte=timezone.now() - lease()
    )
    return not alive.exists()


def beat() -> None:
    """Renew the leases of the runs of this process."""
    with _runs_lock:
        tokens = list(_runs)
    if tokens:
        Job.objects.filter(run__in=tokens, state=JobState.RUNNING).update(
            heartbeat_at=timezone.now()
        )


def end_overdue() -> None:
    """End what waits for too long; the site asks too, where no worker runs at all."""
    for job in Job.objects.unfinished().filter(created_at__lt=timezone.now() - LONGEST):
        _give_up(job, "expired", "It was not done within 24 hours.")


def sweep() -> None:
    """Call workers to what was left lying, end what is hopeless, forget what is old."""
    now = timezone.now()
    end_overdue()
    stale = Q(state=JobState.RUNNING, heartbeat_at__lt=now - lease())
    waiting = Q(state=JobState.QUEUED)
    for job in Job.objects.filter(stale, attempts__gte=MAX_ATTEMPTS):
        detail = "Its worker died again and again. See the worker's log."
        _give_up(job, "worker_died", detail)
    if not queue.is_busy():
        for job in Job.objects.filter(stale | waiting).order_by("pk"):
            call(job.pk)
    Job.objects.filter(finished_at__lt=now - KEPT).delete()
    for function in _sweepers:
        import_string(function)()


def _give_up(job: Job, code: str, detail: str) -> None:
    logger.error("job %s (%s) is given up: %s", job.pk, job.kind, code)
    _end(
        Job.objects.filter(pk=job.pk).unfinished(),
        JobState.FAILED,
        error=code,
        detail=detail,
    )
