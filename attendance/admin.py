"""The register in the admin. Django looks here; each module registers its own pages."""

from attendance import (
    notice_admin,
    record_admin,
    report_admin,
    session_admin,
    timetable_admin,
)

__all__ = [
    "notice_admin",
    "record_admin",
    "report_admin",
    "session_admin",
    "timetable_admin",
]
