"""Addresses of classes."""

from django.urls import include, path, re_path

from accounts.routers import Router
from classroom import api, import_views

router = Router()
router.register("classes", api.ClassViewSet, basename="class")

urlpatterns = [
    re_path(
        r"^import/students/?$",
        import_views.ImportStudentsView.as_view(),
        name="api-import-students",
    ),
    path("app/import/students/", import_views.import_students, name="import-students"),
    path("", include(router.urls)),
]
