"""Addresses of classes."""

from django.urls import include, path, re_path

from accounts.routers import Router
from classroom import api, import_views, privacy_views, roster_export

router = Router()
router.register("classes", api.ClassViewSet, basename="class")

urlpatterns = [
    re_path(
        r"^import/students/?$",
        import_views.ImportStudentsView.as_view(),
        name="api-import-students",
    ),
    re_path(
        r"^export/students/?$",
        roster_export.ExportStudentsView.as_view(),
        name="api-export-students",
    ),
    path("app/import/students/", import_views.import_students, name="import-students"),
    path(
        "app/receipts/<uuid:receipt_id>/",
        privacy_views.receipt,
        name="erasure-receipt",
    ),
    path(
        "app/students/<int:student_id>/data/",
        privacy_views.data,
        name="student-data",
    ),
    re_path(
        r"^students/(?P<student_id>\d+)/export/?$",
        privacy_views.StudentExportView.as_view(),
        name="api-student-export",
    ),
    path("", include(router.urls)),
]
