"""Addresses of the timetable, the school's calendar and planned absences."""

from django.urls import include, path, re_path

from accounts.routers import Router
from attendance import timetable_api, timetable_views

router = Router()
router.register("timetable", timetable_api.SlotViewSet, basename="slot")
router.register("closures", timetable_api.ClosureViewSet, basename="closure")
router.register("absences", timetable_api.PlannedAbsenceViewSet, basename="absence")

urlpatterns = [
    path(
        "app/classes/<int:class_id>/timetable/",
        timetable_views.timetable,
        name="class-timetable",
    ),
    path("app/slots/<int:slot_id>/", timetable_views.slot, name="slot-page"),
    path(
        "app/slots/<int:slot_id>/remove/",
        timetable_views.remove_slot,
        name="slot-remove",
    ),
    path(
        "app/classes/<int:class_id>/absences/",
        timetable_views.absences,
        name="class-absences",
    ),
    path(
        "app/classes/<int:class_id>/absences/<int:absence_id>/remove/",
        timetable_views.remove_absence,
        name="absence-remove",
    ),
    path("app/closures/", timetable_views.closures, name="closures"),
    path(
        "app/closures/preview/",
        timetable_views.preview_closures,
        name="closures-preview",
    ),
    path("app/closures/keep/", timetable_views.keep_closures, name="closures-keep"),
    path(
        "app/closures/<int:closure_id>/remove/",
        timetable_views.remove_closure,
        name="closure-remove",
    ),
    re_path("", include(router.urls)),
]
