"""Addresses of the register's files and mails: out, on paper, and in."""

from django.urls import path, re_path

from attendance import export_views, import_views, notice_views

urlpatterns = [
    re_path(
        r"^export/attendance/?$",
        export_views.ExportView.as_view(),
        name="api-export-attendance",
    ),
    path(
        "app/classes/<int:class_id>/print/",
        export_views.printed,
        name="print-register",
    ),
    path("app/classes/<int:class_id>/sheet/", export_views.sheet, name="empty-sheet"),
    re_path(
        r"^import/attendance/?$",
        import_views.ImportMarksView.as_view(),
        name="api-import-attendance",
    ),
    path(
        "app/classes/<int:class_id>/notices/",
        notice_views.notices,
        name="class-notices",
    ),
    path("app/notices/<int:notice_id>/again/", notice_views.again, name="notice-again"),
    re_path(
        r"^classes/(?P<class_id>\d+)/notices/?$",
        notice_views.NoticesView.as_view(),
        name="api-class-notices",
    ),
    path("app/import/attendance/", import_views.import_marks, name="import-marks"),
]
