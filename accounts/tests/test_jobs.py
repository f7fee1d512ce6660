"""Jobs: done once whatever dies, ended visibly, seen by their owner alone."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import jobs
from accounts.errors import DomainError
from accounts.job_models import Job, JobState
from accounts.models import User
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

Work = Callable[[jobs.Run], dict[str, Any]]
cleared: list[int] = []


class Broken(DomainError):
    code = "broken"
    default_detail = "This can't be read."


def work(run: jobs.Run) -> dict[str, Any]:
    return _works[run.job.arguments["work"]](run)


def clear(job: Job) -> None:
    cleared.append(job.pk)


def count_to_three(run: jobs.Run) -> dict[str, Any]:
    run.progress(0, total=3)
    return {"counted": 3}


def fail(run: jobs.Run) -> dict[str, Any]:
    raise Broken


def die(run: jobs.Run) -> dict[str, Any]:
    raise MemoryError


def put_off(run: jobs.Run) -> dict[str, Any]:
    raise jobs.TryLater


_works: dict[str, Work] = {
    "count": count_to_three,
    "fail": fail,
    "die": die,
    "later": put_off,
}


@pytest.fixture(autouse=True)
def a_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    here = "accounts.tests.test_jobs"
    kind = jobs.Kind("test", "A test", work=f"{here}.work", clear=f"{here}.clear")
    monkeypatch.setitem(jobs.KINDS, "test", kind)
    cleared.clear()
    yield
    jobs.stopping.clear()


def begun(owner: User, name: str = "count", **fields: Any) -> Job:
    job = jobs.start("test", owner=owner, arguments={"work": name}, secret=b"key")
    Job.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    return job


def long_ago(**since: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(**since)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_a_worker_is_called_once_the_transaction_is_through(
    alice: User,
    rung: list[int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = begun(alice)
        assert rung == []
    assert rung == [job.pk]


def test_work_that_is_done_leaves_its_result(alice: User) -> None:
    job = begun(alice)
    jobs.perform(job.pk)
    assert state_of(job) == JobState.DONE
    assert job.result == {"counted": 3}
    assert job.done == job.total == 3


def test_a_job_is_done_once_however_often_it_is_called(alice: User) -> None:
    job = begun(alice)
    jobs.perform(job.pk)
    ended = Job.objects.get(pk=job.pk).finished_at
    jobs.perform(job.pk)
    assert Job.objects.get(pk=job.pk).finished_at == ended


def test_a_job_that_another_worker_does_is_left_alone(alice: User) -> None:
    job = begun(alice, state=JobState.RUNNING, run="a", heartbeat_at=timezone.now())
    jobs.perform(job.pk)
    assert state_of(job) == JobState.RUNNING


def test_what_a_killed_worker_left_runs_again(alice: User, rung: list[int]) -> None:
    job = begun(
        alice, state=JobState.RUNNING, run="dead", heartbeat_at=long_ago(minutes=5)
    )
    jobs.sweep()
    assert rung == [job.pk]
    jobs.perform(job.pk)
    assert state_of(job) == JobState.DONE


def test_a_job_whose_message_got_lost_is_called_again(
    alice: User, rung: list[int]
) -> None:
    job = begun(alice)
    jobs.sweep()
    assert rung == [job.pk]


def test_a_run_that_was_taken_for_dead_stops(alice: User) -> None:
    job = begun(alice, state=JobState.RUNNING, run="new", heartbeat_at=timezone.now())
    slow = jobs.Run(job, "old")
    with pytest.raises(jobs.Stopped):
        slow.progress(1, total=3)
    assert state_of(job) == JobState.RUNNING


def test_a_living_run_keeps_its_lease(
    alice: User, rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(alice, state=JobState.RUNNING, run="mine", heartbeat_at=long_ago(minutes=5))
    monkeypatch.setattr(jobs, "_runs", {"mine"})
    jobs.beat()
    jobs.sweep()
    assert rung == []


def test_a_refused_job_says_why(alice: User) -> None:
    job = begun(alice, "fail")
    jobs.perform(job.pk)
    assert state_of(job) == JobState.FAILED
    assert (job.error, job.detail) == ("broken", "This can't be read.")


def test_what_may_pass_is_tried_again_and_then_fails(alice: User) -> None:
    job = begun(alice, "later")
    states = []
    for _ in range(jobs.MAX_ATTEMPTS):
        jobs.perform(job.pk)
        states.append(state_of(job))
    assert states == [JobState.QUEUED] * (jobs.MAX_ATTEMPTS - 1) + [JobState.FAILED]
    assert job.error == "not_now"


def test_work_that_kills_every_worker_ends_as_failed(alice: User) -> None:
    job = begun(alice, "die")
    for _ in range(jobs.MAX_ATTEMPTS):
        Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago(minutes=5))
        with pytest.raises(MemoryError):
            jobs.perform(job.pk)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago(minutes=5))
    jobs.sweep()
    assert state_of(job) == JobState.FAILED
    assert job.error == "worker_died"


@pytest.mark.parametrize("name", ["count", "fail"])
def test_an_ended_job_has_no_secret_and_is_cleared(alice: User, name: str) -> None:
    job = begun(alice, name)
    jobs.perform(job.pk)
    assert Job.objects.get(pk=job.pk).secret is None
    assert cleared == [job.pk]


def test_a_cancelled_job_loses_its_secret_at_once(alice: User) -> None:
    job = begun(alice)
    jobs.cancel(job, by=alice)
    assert state_of(job) == JobState.CANCELLED
    assert job.secret is None
    assert cleared == [job.pk]


def test_a_job_cancelled_meanwhile_stops(alice: User) -> None:
    job = begun(alice, state=JobState.RUNNING, run="mine", heartbeat_at=timezone.now())
    run = jobs.Run(job, "mine")
    jobs.cancel(job, by=alice)
    with pytest.raises(jobs.Stopped):
        run.progress(1, total=3)
    assert state_of(job) == JobState.CANCELLED


def test_a_job_is_over_after_a_day(alice: User) -> None:
    job = begun(alice, created_at=long_ago(hours=25))
    jobs.sweep()
    assert state_of(job) == JobState.FAILED
    assert (job.error, job.secret) == ("expired", None)


def test_a_worker_that_is_asked_to_end_puts_its_job_back(alice: User) -> None:
    job = begun(alice)
    jobs.stopping.set()
    jobs.perform(job.pk)
    assert state_of(job) == JobState.QUEUED
    jobs.stopping.clear()
    jobs.perform(job.pk)
    assert state_of(job) == JobState.DONE


def test_results_are_forgotten_after_a_month(alice: User) -> None:
    job = begun(alice, state=JobState.DONE, finished_at=long_ago(days=31))
    jobs.sweep()
    assert not Job.objects.filter(pk=job.pk).exists()


def test_the_api_says_how_far_a_job_is(api: ApiFactory, alice: User) -> None:
    job = begun(alice, total=8, done=3)
    body = api(alice).get(f"/jobs/{job.pk}").json()
    assert (body["state"], body["done"], body["total"]) == ("queued", 3, 8)
    assert "secret" not in body


def test_cancelling_twice_is_a_conflict(api: ApiFactory, alice: User) -> None:
    job = begun(alice)
    assert api(alice).post(f"/jobs/{job.pk}/cancel").json()["state"] == "cancelled"
    again = api(alice).post(f"/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_finished")


def test_a_page_lists_no_job_of_a_stranger(
    client: Client, alice: User, stranger: User
) -> None:
    mine, theirs = begun(alice), begun(stranger)
    client.force_login(alice)
    shown = client.get("/app/jobs/").content.decode()
    assert f"/app/jobs/{mine.pk}/" in shown
    assert f"/app/jobs/{theirs.pk}/" not in shown


def test_the_page_renews_itself_until_the_job_has_ended(
    client: Client, alice: User
) -> None:
    job = begun(alice, total=3, done=1)
    client.force_login(alice)
    page = f"/app/jobs/{job.pk}/"
    assert 'http-equiv="refresh"' in client.get(page).content.decode()
    jobs.perform(job.pk)
    assert 'http-equiv="refresh"' not in client.get(page).content.decode()


def test_a_downloaded_result_runs_no_formula(client: Client, alice: User) -> None:
    rows = [{"file": "=cmd()", "state": "unknown"}]
    job = begun(alice, state=JobState.DONE, result={"rows": rows})
    client.force_login(alice)
    answer: Any = client.get(f"/app/jobs/{job.pk}/result.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines() == ["file,state", "'=cmd(),unknown"]
