"""Users: an e-mail address to log in with and one role that gives all rights."""

import zoneinfo
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.audit_models import AuditEntry, AuditHead
from accounts.errors import LastAdmin
from accounts.job_models import Job, JobState
from accounts.lockout_models import LoginFailure
from accounts.search import holding

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Job",
    "JobState",
    "LoginFailure",
    "Role",
    "User",
    "UserManager",
    "UserQuerySet",
]

# Read once: the list is a walk through a folder.
ZONES = frozenset(zoneinfo.available_timezones())


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    TEACHER = "teacher", _("Teacher")


class UserQuerySet(models.QuerySet["User"]):
    def for_user(self, user: "User") -> Self:
        """Return the accounts a user may see: all for an admin, else their own."""
        if not user.is_active:
            return self.none()
        return self if user.is_admin else self.filter(pk=user.pk)

    def active_admins(self) -> Self:
        return self.filter(is_active=True, role=Role.ADMIN)

    def search(self, words: str) -> Self:
        """Return those whose name, e-mail or code holds every one of the words."""
        return holding(self, words, "full_name", "email", "teacher_id")


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        teacher_id: str,
        full_name: str,
        role: str = Role.TEACHER,
        is_active: bool = True,
    ) -> "User":
        """Save a new user; `password=None` makes an account nobody can log in to."""
        user: User = self.model(
            email=email,
            teacher_id=teacher_id,
            full_name=full_name,
            role=role,
            is_active=is_active,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail address, whatever its case."""
        user: User = self.get(email=normalise_email(username or ""))
        return user


def normalise_email(email: str) -> str:
    """Return the one spelling under which an address is stored and looked up."""
    return email.strip().lower()


class User(AbstractBaseUser):
    email = models.EmailField(_("e-mail address"), unique=True)
    full_name = models.CharField(_("full name"), max_length=150)
    teacher_id = models.CharField(
        _("teacher ID"), max_length=32, unique=True, help_text=_("The school's code.")
    )
    role = models.CharField(
        _("role"), max_length=10, choices=Role, default=Role.TEACHER
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: this person can't log in.")
    )
    date_joined = models.DateTimeField(
        _("joined"), default=timezone.now, editable=False
    )
    # Empty: the browser's language, the school's time zone.
    language = models.CharField(_("language"), max_length=16, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    sign_outs = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Every session and token carries this number and ends with it.",
    )

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name", "teacher_id"]

    class Meta:
        ordering = ["full_name", "id"]
        verbose_name = _("teacher")
        verbose_name_plural = _("teachers")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_user_an_email"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def clean(self) -> None:
        super().clean()
        self.email = normalise_email(self.email)

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = normalise_email(self.email)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0]

    def zone(self) -> zoneinfo.ZoneInfo | None:
        """Return the chosen time zone; None for the school's, or one now unknown."""
        return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone in ZONES else None

    def sign_out_everywhere(self) -> None:
        """End every session and every token of this user, here and elsewhere."""
        User.objects.filter(pk=self.pk).update(sign_outs=models.F("sign_outs") + 1)
        self.refresh_from_db(fields=["sign_outs"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django mixes in the password alone; both of its callers come through here.
        return salted_hmac(
            "accounts.models.User.get_session_auth_hash",
            f"{self.sign_outs} {self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def is_last_admin(self) -> bool:
        others = User.objects.active_admins().exclude(pk=self.pk)
        return self.is_admin and not others.exists()

    def require_another_admin(self) -> None:
        """Raise LastAdmin unless another active admin stays; needs a transaction.

        All admins are locked, so that two who remove each other at once take turns.
        """
        admins = User.objects.active_admins().select_for_update().order_by("pk")
        if {admin.pk for admin in admins} == {self.pk}:
            raise LastAdmin

    # Django's own rights, answered from the role alone.

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_admin

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_admin
