"""Figures for Prometheus at `/metrics`, for whoever knows METRICS_TOKEN.

Each process counts for itself; with several workers their counts lie in a folder in
memory that gunicorn.conf.py makes, and whichever is asked adds them up.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.job_models import JobState
from accounts.models import Job

logger = logging.getLogger(__name__)

SCHEME = "Bearer "


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures; 404 without a METRICS_TOKEN, 401 with a wrong one."""
    if not settings.METRICS_TOKEN:
        raise Http404
    stated = request.headers.get("Authorization", "")
    if not constant_time_compare(stated, SCHEME + settings.METRICS_TOKEN):
        headers = {"WWW-Authenticate": SCHEME.strip()}
        return HttpResponse("A token is needed.\n", status=401, headers=headers)
    return HttpResponse(figures(), content_type=CONTENT_TYPE_LATEST)


def figures() -> bytes:
    """Return what all workers of this server counted, and the state of the jobs."""
    jobs = CollectorRegistry()
    jobs.register(JobFigures())
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return bytes(generate_latest(REGISTRY) + generate_latest(jobs))
    workers = CollectorRegistry()
    MultiProcessCollector(workers)
    return bytes(generate_latest(workers) + generate_latest(jobs))


class JobFigures:
    """How many jobs wait and run, and for how long the oldest waits: from the database,
    so of the whole installation and not of this server alone."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            states = dict(
                Job.objects.unfinished()
                .order_by()
                .values_list("state")
                .annotate(number=Count("pk"))
            )
            waiting = Job.objects.filter(state=JobState.QUEUED)
            oldest = waiting.aggregate(since=Min("created_at"))["since"]
        except DatabaseError:
            logger.error("The database does not answer: the jobs are left out.")
            return
        number = GaugeMetricFamily("rollbook_jobs", "Jobs by state.", labels=["state"])
        for state in (JobState.QUEUED, JobState.RUNNING):
            number.add_metric([state.value], states.get(state.value, 0))
        yield number
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        words = "Seconds since the oldest waiting job was put down."
        yield GaugeMetricFamily("rollbook_oldest_waiting_job_seconds", words, value=age)


class CountingMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]
    """Count requests by view, and an invented method as one of all such.

    The library takes the method's own name in one place: whoever sends a thousand
    invented ones would fill the memory with figures.
    """

    def label_metric(
        self, metric: Any, request: HttpRequest, response: Any = None, **labels: str
    ) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
