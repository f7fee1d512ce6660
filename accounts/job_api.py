"""API of jobs: how far one is, how it ended, and an end to it."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import jobs
from accounts.job_models import Job
from accounts.viewsets import requester


class JobSerializer(serializers.ModelSerializer[Job]):
    """`error` is a stable code; `result` is what the work has found."""

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "state",
            "total",
            "done",
            "result",
            "error",
            "detail",
            "created_at",
            "started_at",
            "finished_at",
        ]
        extra_kwargs = {
            "total": {"help_text": "Parts there are; 0 until they are counted."},
            "error": {"help_text": "A stable code; empty unless it failed."},
        }


class StartedSerializer(serializers.Serializer[Any]):
    """The answer of a call that begins a job."""

    job_id = serializers.IntegerField(help_text="Ask GET /jobs/{id} how far it is.")


def visible_job(request: Request, job_id: int) -> Job:
    """Return a job that the user may see; another one is as good as none: 404."""
    job = Job.objects.for_user(requester(request)).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job


class JobView(APIView):
    @extend_schema(responses={200: JobSerializer})
    def get(self, request: Request, job_id: int) -> Response:
        """Say how far a job is, and its result once it is done."""
        return Response(JobSerializer(visible_job(request, job_id)).data)


class CancelView(APIView):
    @extend_schema(request=None, responses={200: JobSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        """End a job; what is done stays. 409 `job_finished` where it ended before."""
        job = visible_job(request, job_id)
        jobs.cancel(job, by=requester(request))
        job.refresh_from_db()
        return Response(JobSerializer(job).data)
