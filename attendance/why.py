"""Why was I marked? The figures of a match, as the audit log has them."""

from dataclasses import dataclass

from accounts.audit import Event
from accounts.audit_models import AuditEntry
from attendance.models import Record, Source


@dataclass(frozen=True, slots=True)
class Why:
    """What made a face a match: cosines, the model that compared, the log's row.

    `margin` is the lead over the next student; None where nobody else was enrolled.
    """

    number: int
    model_id: str
    similarity: float
    threshold: float
    margin: float | None
    margin_needed: float


def why(record: Record) -> Why | None:
    """Return the figures of a line that a face wrote; None for any other line."""
    if record.source != Source.FACE:
        return None
    entry = (
        AuditEntry.objects.about(record.student)
        .filter(event=Event.MATCHED, details__record=record.pk)
        .first()
    )
    if entry is None:  # written before there was a log, or by another program
        return None
    told = entry.details
    return Why(
        number=entry.number,
        model_id=told["model"],
        similarity=told["similarity"],
        threshold=told["threshold"],
        margin=told["margin"],
        margin_needed=told["margin_needed"],
    )
