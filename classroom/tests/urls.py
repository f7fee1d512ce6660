"""Addresses for tests: students are routed by a floor above, completed there."""

from django.urls import URLPattern, URLResolver, include, path

from accounts.routers import Router
from classroom.api import StudentViewSet

router = Router()
router.register("students", StudentViewSet, basename="student")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("", include("classroom.urls")),
]
