"""Addresses of the reports: pages, calls and files."""

from django.urls import include, path, re_path

from accounts.routers import Router
from attendance import report_api, report_rule_views, report_views
from attendance.report_serializers import REPORTS

router = Router()
router.register("reports/rules", report_api.AbsenceRuleViewSet, basename="absence-rule")

urlpatterns = [
    path("app/reports/", report_views.reports, name="reports"),
    path("app/reports/absences/", report_views.absences, name="report-absences"),
    path(
        "app/reports/classes/<int:class_id>/",
        report_views.class_report,
        name="report-class",
    ),
    path(
        "app/reports/classes/<int:class_id>/sessions/",
        report_views.class_sessions,
        name="report-sessions",
    ),
    path(
        "app/reports/classes/<int:class_id>/grid/",
        report_views.class_grid,
        name="report-grid",
    ),
    path(
        "app/reports/sessions/<int:session_id>/",
        report_views.session_report,
        name="report-session",
    ),
    path(
        "app/reports/students/<int:student_id>/",
        report_views.student,
        name="report-student",
    ),
    path("app/reports/rules/", report_rule_views.rules, name="report-rules"),
    path(
        "app/reports/rules/<int:rule_id>/", report_rule_views.rule, name="report-rule"
    ),
    path(
        "app/reports/rules/<int:rule_id>/remove/",
        report_rule_views.remove_rule,
        name="report-rule-remove",
    ),
    re_path(
        r"^reports/school/?$", report_api.SchoolReportView.as_view(), name="api-school"
    ),
    re_path(
        r"^reports/classes/(?P<class_id>\d+)/?$",
        report_api.ClassReportView.as_view(),
        name="api-report-class",
    ),
    re_path(
        r"^reports/classes/(?P<class_id>\d+)/sessions/?$",
        report_api.ClassSessionsView.as_view(),
        name="api-report-sessions",
    ),
    re_path(
        r"^reports/classes/(?P<class_id>\d+)/grid/?$",
        report_api.GridView.as_view(),
        name="api-report-grid",
    ),
    re_path(
        r"^reports/sessions/(?P<session_id>\d+)/?$",
        report_api.SessionReportView.as_view(),
        name="api-report-session",
    ),
    re_path(
        r"^reports/students/(?P<student_id>\d+)/?$",
        report_api.StudentReportView.as_view(),
        name="api-report-student",
    ),
    re_path(
        r"^reports/absences/?$",
        report_api.AbsencesView.as_view(),
        name="api-report-absences",
    ),
    re_path(
        rf"^export/reports/(?P<report>{'|'.join(REPORTS)})/?$",
        report_api.ReportFileView.as_view(),
        name="api-export-report",
    ),
    re_path("", include(router.urls)),
]
