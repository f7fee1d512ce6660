"""The audit log's rows: numbered, sealed, chained, and never changed again."""

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Event(models.TextChoices):
    """What happened. The column knows no list, so a new event needs no migration."""

    LOGIN = "login", _("Signed in")
    LOGIN_FAILED = "login_failed", _("Sign-in failed")
    LOGIN_LOCKED = "login_locked", _("Sign-in locked")
    LOGIN_UNLOCKED = "login_unlocked", _("Sign-in unlocked")
    LOGOUT = "logout", _("Signed out")
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere", _("Signed out everywhere")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    ENROLLED = "enrolled", _("Face enrolled")
    TEMPLATES_REMOVED = "templates_removed", _("Face templates removed")
    MATCHED = "matched", _("Marked by face")
    CORRECTED = "corrected", _("Marked or corrected by hand")
    REJECTED = "rejected", _("Match taken back")
    EXPORTED = "exported", _("Exported")
    IMPORTED = "imported", _("Imported")
    CONSENT = "consent", _("Consent")
    ERASED = "erased", _("Erased")
    SETTINGS = "settings", _("Settings changed")
    KEYS_ROTATED = "keys_rotated", _("Keys rotated")
    BACKUP = "backup", _("Backup written")
    RESTORED = "restored", _("Backup restored")


class AppendOnly(TypeError):
    """A row of the audit log was to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("The audit log is only ever added to.")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def for_user(self, user: "User") -> Self:
        """Return all of the log for an admin, nothing for anybody else."""
        return self if user.is_admin else self.none()

    def about(self, subject: models.Model) -> Self:
        """Return what was written about one row, whatever its kind."""
        return self.filter(subject=kind_of(subject), subject_id=subject.pk)

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditEntry(models.Model):
    """One event. It points at people and things by their ids alone.

    `seal` is an HMAC-SHA256 over all else, `previous` the seal of the row before.
    """

    number = models.BigIntegerField(_("number"), primary_key=True, editable=False)
    at = models.DateTimeField(_("when"), db_index=True)
    event = models.CharField(_("event"), max_length=40)
    # The id stays when the account goes: it is part of what was sealed.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("who"),
    )
    subject = models.CharField(_("about"), max_length=40, blank=True)
    subject_id = models.BigIntegerField(_("row id"), null=True)
    details = models.JSONField(_("details"), default=dict)
    previous = models.CharField(max_length=64, editable=False)
    key_id = models.CharField(_("key"), max_length=16, editable=False)
    seal = models.CharField(_("seal"), max_length=64, editable=False)

    objects: ClassVar[AuditEntryQuerySet] = AuditEntryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        app_label = "accounts"
        ordering = ["-number"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["subject", "subject_id"]),
            models.Index(fields=["event"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.event_label}"

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    @property
    def event_label(self) -> str:
        """Return the event in words; one that this version doesn't know as it is."""
        return str(dict(Event.choices).get(self.event, self.event))


class AuditHead(models.Model):
    """The log's one last number and seal, sealed themselves.

    Writers lock this row, so that numbers have no gaps, and it shows where rows were
    cut off at the end.
    """

    number = models.BigIntegerField(default=0)
    last_seal = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    seal = models.CharField(max_length=64)

    class Meta:
        app_label = "accounts"

    def __str__(self) -> str:
        return str(self.number)


def kind_of(subject: models.Model) -> str:
    """Return the name under which the log knows a kind of row: `student`, `user`."""
    return str(subject._meta.model_name)
