"""/metrics: for whoever knows the token, right with several workers, without names."""

import re
import urllib.request
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.models import Job, User
from attendance_site.tests.test_start import LONGEST_START, get, running
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces.tests.factories import make_template
from faces.tests.fakes import FakeEngine, photo_of
from faces.tests.photos import astronaut, upload

TOKEN = "a token that Prometheus knows"


@pytest.fixture(autouse=True)
def metrics_token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def ask(client: Client, token: str = TOKEN) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/metrics", headers=headers).content.decode()


def value(text: str, name: str) -> float:
    """Return one figure, its labels included in the name, from Prometheus's text."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, f"{name} is not among:\n{text}"
    return float(found.group(1))


@pytest.mark.django_db
@pytest.mark.parametrize("stated", [{}, {"Authorization": "Bearer another token"}])
def test_a_stranger_gets_no_figures(client: Client, stated: dict[str, str]) -> None:
    response = client.get("/metrics", headers=stated)
    assert response.status_code == 401
    assert b"rollbook" not in response.content


def test_without_a_token_there_is_no_such_page(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = ""
    response = client.get("/metrics", headers={"Authorization": "Bearer "})
    assert response.status_code == 404


@pytest.mark.django_db
def test_prometheus_may_call_by_any_name_and_over_plain_http(
    client: Client, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "web:8000"}
    assert client.get("/metrics", headers=headers).status_code == 200


@pytest.mark.django_db
def test_it_counts_jobs_that_wait_and_run(client: Client, alice: User) -> None:
    for state in ("queued", "queued", "running", "done"):
        Job.objects.create(owner=alice, kind="import_students", state=state)
    text = ask(client)
    assert value(text, 'rollbook_jobs{state="queued"}') == 2
    assert value(text, 'rollbook_jobs{state="running"}') == 1
    assert value(text, "rollbook_oldest_waiting_job_seconds") >= 0


@pytest.mark.django_db
def test_it_counts_who_was_matched_and_who_was_not(
    client: Client,
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    fake_engine: FakeEngine,
) -> None:
    make_template(students[0], 1)
    before = ask(client)
    for person in (1, 1, 9):
        form = {"class_id": maths.pk, "file": upload(photo_of(person))}
        assert api(alice).post("/face/verify", form, "multipart").status_code == 200
    after = ask(client)

    def more(outcome: str) -> float:
        name = f'rollbook_faces_compared_total{{outcome="{outcome}"}}'
        return value(after, name) - value(before, name)

    assert (more("matched"), more("unknown"), more("ambiguous")) == (2, 1, 0)
    for secret in ("Cleo", "alice", "Maths", maths.class_code):
        assert secret not in after


@pytest.mark.django_db
def test_it_counts_faces_and_the_engines_seconds(
    client: Client, api: ApiFactory, alice: User, maths: Classroom
) -> None:
    names = ("rollbook_faces_detected_total", "rollbook_inference_seconds_count")
    before = [REGISTRY.get_sample_value(name) or 0 for name in names]
    form = {"class_id": maths.pk, "file": upload(astronaut())}
    assert api(alice).post("/face/verify", form, "multipart").status_code == 200
    after = [REGISTRY.get_sample_value(name) or 0 for name in names]
    # One look for the face, and one at it.
    assert [now - then for then, now in zip(before, after, strict=True)] == [1, 2]
    assert REGISTRY.get_sample_value("rollbook_photos_in_engine") == 0


@pytest.mark.django_db
def test_invented_methods_are_counted_as_one(client: Client) -> None:
    for number in range(3):
        client.generic(f"INVENTED{number}", "/health/live")
    assert "INVENTED" not in ask(client)


def test_all_workers_are_added_up(school: Path) -> None:
    variables = {"WEB_CONCURRENCY": "2", "THREADS": "1", "METRICS_TOKEN": TOKEN}
    variables["PROMETHEUS_MULTIPROC_DIR"] = str(school / "counts")
    (school / "counts").mkdir()
    with running(school, **variables) as (url, _):
        for _ in range(12):
            get(f"{url}/health/live")
        request = urllib.request.Request(f"{url}/metrics")  # noqa: S310
        request.add_header("Authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(request, timeout=LONGEST_START) as answer:  # noqa: S310
            text = answer.read().decode()
        workers = {path.stem for path in (school / "counts").glob("counter_*.db")}
    assert len(workers) == 2
    name = "django_http_responses_total_by_status_view_method_total"
    labels = '{method="GET",status="200",view="health-live"}'
    assert value(text, name + labels) == 12
