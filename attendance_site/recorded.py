"""The settings that a start is written down with: what decides, and no secret."""

from typing import Any, Final

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.audit import Event
from accounts.audit_models import AuditEntry
from faces import runtime, vault

NAMES: Final = (
    "DEBUG",
    "PUBLIC_URL",
    "TIME_ZONE",
    "TRUSTED_PROXIES",
    "SECURE_HSTS_SECONDS",
    "AXES_FAILURE_LIMIT",
    "AXES_COOLOFF_TIME",
    "FACE_CONSENT",
    "FACE_DEVICE",
    "FACE_ENROLL_REVIEW",
    "FACE_MAX_PIXELS",
    "FACE_MAX_UPLOAD_MB",
)


def in_force() -> dict[str, Any]:
    """Return the settings by name; keys are named by their public ids alone."""
    values = {name: getattr(settings, name, None) for name in NAMES}
    return {
        **{
            name: value if isinstance(value, (bool, int, str)) else str(value)
            for name, value in values.items()
            if value is not None
        },
        "face_model": runtime.active_model_id(),
        "face_threshold": runtime.threshold(),
        "face_margin": runtime.margin(),
        "face_template_key": vault.active_key_id(),
    }


@transaction.atomic
def write_if_new() -> bool:
    """Write the settings to the audit log unless it ends with the very same."""
    now = audit.plain(in_force())
    last = AuditEntry.objects.filter(event=Event.SETTINGS).first()
    if last is not None and last.details == now:
        return False
    audit.write(Event.SETTINGS, by=None, **now)
    return True
