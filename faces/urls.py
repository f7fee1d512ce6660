"""Addresses of faces and of students (who show whether their face is enrolled)."""

from django.urls import include, path, re_path

from accounts.routers import Router
from faces import api, consent_api, consent_views, import_views, views

router = Router()
router.register("students", api.EnrolledStudentViewSet, basename="student")

urlpatterns = [
    re_path(r"^face/register/?$", api.RegisterView.as_view(), name="face-register"),
    re_path(
        r"^face/register/(?P<student_id>\d+)/?$",
        api.RegisteredView.as_view(),
        name="face-registered",
    ),
    re_path(
        r"^students/(?P<student_id>\d+)/consent/?$",
        consent_api.ConsentView.as_view(),
        name="api-student-consent",
    ),
    path(
        "app/students/<int:student_id>/consent/",
        consent_views.consent,
        name="student-consent",
    ),
    path(
        "app/students/<int:student_id>/consent/withdraw/",
        consent_views.withdraw,
        name="student-consent-withdraw",
    ),
    path("app/students/<int:student_id>/face/", views.face, name="student-face"),
    path(
        "app/students/<int:student_id>/face/check/",
        views.CheckView.as_view(),
        name="student-face-check",
    ),
    path(
        "app/students/<int:student_id>/face/remove/",
        views.remove,
        name="student-face-remove",
    ),
    re_path(
        r"^import/photos/?$",
        import_views.ImportPhotosView.as_view(),
        name="api-import-photos",
    ),
    path("app/import/photos/", import_views.import_photos, name="import-photos"),
    re_path("", include(router.urls)),
]
