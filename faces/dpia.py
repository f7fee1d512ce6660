"""The facts of this installation for a data protection impact assessment."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from classroom.models import (
    Classroom,
    ConsentState,
    ErasureReceipt,
    Student,
    consent_state,
)
from faces import runtime
from faces.models import FaceTemplate


def assessment() -> str:
    """Return the document in Markdown; raises EngineError for a model that is amiss."""
    return render_to_string("privacy/dpia.md", facts())


def facts() -> dict[str, Any]:
    """Return what configuration and database say, and nothing about a person."""
    pack = runtime.active_pack()
    return {
        "day": timezone.localdate(),
        "address": settings.PUBLIC_URL,
        "https": settings.HTTPS,
        "model_id": pack.model_id,
        "dimension": pack.dimension,
        "licence": pack.licence,
        "source": pack.source,
        "threshold": runtime.threshold(),
        "own_threshold": settings.FACE_SIMILARITY_THRESHOLD is not None,
        "margin": runtime.margin(),
        "threshold_source": pack.threshold_source,
        "calibrated": pack.calibrated,
        "review": settings.FACE_ENROLL_REVIEW,
        "device": settings.FACE_DEVICE,
        "consent_mode": settings.FACE_CONSENT,
        "retention_days": settings.FACE_RETENTION_DAYS,
        "backup_days": settings.BACKUP_RETENTION_DAYS,
        "places": places(),
        "classes": Classroom.objects.current().count(),
        "students": Student.objects.count(),
        "teachers": User.objects.filter(is_active=True).count(),
        "enrolled": FaceTemplate.objects.students().count(),
        "templates": FaceTemplate.objects.count(),
        "consents": consents(),
        "receipts": ErasureReceipt.objects.count(),
    }


def places() -> list[tuple[str, str]]:
    """Return what lies where, without addresses, names of accounts or passwords."""
    kind = {"sqlite": "SQLite, one file on this machine", "postgresql": "PostgreSQL"}
    host = connection.settings_dict.get("HOST") or "this machine"
    where = kind.get(connection.vendor, connection.vendor)
    if connection.vendor == "postgresql":
        where += f" on {host}"
    cache = "Redis" if settings.REDIS_URL else "memory of the server"
    mail = settings.EMAIL_HOST if is_mailing() else "the log of the server, unsent"
    return [
        ("Students, classes, registers, consents, receipts", where),
        ("Face templates (encrypted)", where),
        ("The key of the templates", "the server's environment, not the database"),
        ("Throttles and short-lived state", cache),
        ("Uploaded archives of photos, until their import ends", "an encrypted spool"),
        ("Photos", "nowhere: the memory of the server while one is looked at"),
        ("Notices by e-mail", f"sent through {mail}"),
    ]


def is_mailing() -> bool:
    return str(settings.EMAIL_BACKEND).endswith("smtp.EmailBackend")


def consents() -> list[tuple[str, int]]:
    """Return how many students have which state of consent."""
    rows = Student.objects.annotate(answer=consent_state()).order_by()
    counts = Counter(dict(rows.values_list("answer").annotate(number=Count("pk"))))
    return [(str(state.label), counts[state.value]) for state in ConsentState]
