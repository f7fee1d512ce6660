"""The rules by which a student's absences call for somebody's attention."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.text import get_text_list
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User

MAX_TIMES = 100
MAX_DAYS = 366


class AbsenceRuleQuerySet(models.QuerySet["AbsenceRule"]):
    def for_user(self, user: User) -> Self:
        """Return all: the school's rules are everybody's who has an account."""
        return self if user.is_active else self.none()


class AbsenceRule(models.Model):
    """So many of some statuses within so many days, such as 3 absences in 14."""

    times = models.PositiveSmallIntegerField(
        _("how often"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_TIMES)],
    )
    days = models.PositiveSmallIntegerField(
        _("within days"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)],
        help_text=_("Days of the calendar in a row, weekends too."),
    )
    absent = models.BooleanField(_("absent counts"), default=True)
    late = models.BooleanField(_("late counts"), default=False)
    excused = models.BooleanField(_("excused counts"), default=False)
    # A day in bed is one absence, however many lessons it had.
    per_day = models.BooleanField(
        _("a day counts once"),
        default=True,
        help_text=_("However many sessions a student missed on it."),
    )

    objects: ClassVar[AbsenceRuleQuerySet] = AbsenceRuleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["id"]
        verbose_name = _("absence rule")
        verbose_name_plural = _("absence rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(absent=True) | Q(late=True) | Q(excused=True),
                name="absence_rule_counts_something",
                violation_error_message=_("Choose at least one status that counts."),
            ),
            models.CheckConstraint(
                condition=Q(times__gte=1) & Q(days__gte=1),
                name="absence_rule_is_positive",
            ),
            models.CheckConstraint(
                condition=Q(per_day=False) | Q(times__lte=F("days")),
                name="absence_rule_can_be_met",
                violation_error_message=_(
                    "That many days don't fit: a day counts once."
                ),
            ),
        ]

    def __str__(self) -> str:
        words = {"times": self.times, "what": self.what(), "days": self.days}
        if self.per_day:
            text = ngettext(
                "%(what)s on %(times)d day within %(days)d days",
                "%(what)s on %(times)d days within %(days)d days",
                self.times,
            )
        else:
            text = ngettext(
                "%(what)s %(times)d time within %(days)d days",
                "%(what)s %(times)d times within %(days)d days",
                self.times,
            )
        return text % words

    def statuses(self) -> list[str]:
        """Return the statuses that count."""
        names = ("absent", "late", "excused")
        return [name for name in names if getattr(self, name)]

    def what(self) -> str:
        """Return the statuses in words, such as "absent or late"."""
        words = {
            "absent": _now("absent"),
            "late": _now("late"),
            "excused": _now("excused"),
        }
        chosen = [words[name] for name in self.statuses()]
        text: str = get_text_list(chosen, _now("or"))
        return text[:1].upper() + text[1:]
