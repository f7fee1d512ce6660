"""Addresses of jobs, in the API and as pages."""

from django.urls import path, re_path

from accounts import job_api, job_views

urlpatterns = [
    re_path(r"^jobs/(?P<job_id>\d+)/?$", job_api.JobView.as_view(), name="api-job"),
    re_path(
        r"^jobs/(?P<job_id>\d+)/cancel/?$",
        job_api.CancelView.as_view(),
        name="api-job-cancel",
    ),
    path("app/jobs/", job_views.job_list, name="job-list"),
    path("app/jobs/<int:job_id>/", job_views.job_page, name="job"),
    path("app/jobs/<int:job_id>/result.csv", job_views.job_result, name="job-result"),
    path("app/jobs/<int:job_id>/cancel/", job_views.job_cancel, name="job-cancel"),
]
