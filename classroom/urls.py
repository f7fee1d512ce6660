"""Addresses of classes."""

from django.urls import include, path, re_path

from accounts.routers import Router
from classroom import api, import_views, roster_export

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
    path("", include(router.urls)),
]
