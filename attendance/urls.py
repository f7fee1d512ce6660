"""Addresses of the register."""

from django.urls import include, path, re_path

from accounts.routers import Router
from attendance import api, class_views, session_api, session_views, take_views, views

router = Router()
router.register("attendance", api.AttendanceViewSet, basename="record")
router.register("sessions", session_api.SessionViewSet, basename="session")

urlpatterns = [
    re_path(r"^face/verify/?$", api.VerifyView.as_view(), name="face-verify"),
    re_path(r"^attendance/group/?$", api.GroupView.as_view(), name="attendance-group"),
    path("app/", views.today, name="today"),
    path("app/classes/<int:class_id>/take/", take_views.take, name="take"),
    path(
        "app/classes/<int:class_id>/look/", take_views.LookView.as_view(), name="look"
    ),
    path("app/classes/<int:class_id>/mark/", take_views.mark, name="mark"),
    path(
        "app/classes/<int:class_id>/sessions/",
        session_views.sessions,
        name="class-sessions",
    ),
    path("app/sessions/<int:session_id>/", session_views.session, name="session"),
    path(
        "app/sessions/<int:session_id>/close/",
        session_views.close,
        name="close-session",
    ),
    path(
        "app/sessions/<int:session_id>/reopen/",
        session_views.reopen,
        name="reopen-session",
    ),
    path(
        "app/sessions/<int:session_id>/mark/",
        session_views.mark,
        name="mark-many",
    ),
    path(
        "app/sessions/<int:session_id>/undo/",
        session_views.take_back,
        name="undo-session",
    ),
    path("app/records/<int:record_id>/reject/", session_views.reject, name="reject"),
    path("app/classes/<int:class_id>/", class_views.classroom, name="class-page"),
    path(
        "app/classes/<int:class_id>/students/add/",
        class_views.add_student,
        name="class-add",
    ),
    path(
        "app/classes/<int:class_id>/students/<int:student_id>/take-out/",
        class_views.take_out,
        name="class-take-out",
    ),
    path(
        "app/classes/<int:class_id>/students/<int:student_id>/put-back/",
        class_views.put_back,
        name="class-put-back",
    ),
    path("app/students/<int:student_id>/", class_views.student, name="student-page"),
    path(
        "app/students/<int:student_id>/edit/",
        class_views.edit_student,
        name="student-edit",
    ),
    path("", include("attendance.report_urls")),
    path("", include("attendance.timetable_urls")),
    re_path("", include(router.urls)),
]
