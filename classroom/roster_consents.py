"""The consents of a roster's table: one answer a line, each recorded once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.imports import Report
from accounts.models import User
from classroom.consent_models import Consent, Relation
from classroom.consents import Answer, give_all
from classroom.models import Student

CONSENT_COLUMNS: Final = (
    "consent_by",
    "consent_relation",
    "consent_date",
    "consent_until",
)
# What school systems write for a relation; ours and its label are known as well.
_OTHER_WORDS: Final = {
    "mother": Relation.PARENT,
    "father": Relation.PARENT,
    "madre": Relation.PARENT,
    "padre": Relation.PARENT,
    "tutor": Relation.GUARDIAN,
    "tutora": Relation.GUARDIAN,
    "legal guardian": Relation.GUARDIAN,
    "self": Relation.STUDENT,
}


class RosterConsents:
    """Read the consents line by line, then write those that are new.

    A table that is imported again must not bring back what was withdrawn meanwhile:
    an answer that is on record already is passed over, and one from before the latest
    is a fault.
    """

    def __init__(self, known: Mapping[str, Student]) -> None:
        self.new: dict[str, Answer] = {}
        self._known: dict[str, list[Consent]] = defaultdict(list)
        answers = Consent.objects.filter(
            student__in=[student.pk for student in known.values()]
        )
        for answer in answers.select_related("student"):
            self._known[answer.student.student_id].append(answer)

    def read(self, report: Report, number: int, values: Mapping[str, str]) -> None:
        """Take a line's consent, or report what is wrong with it."""
        if not any(values.get(name) for name in CONSENT_COLUMNS):
            return
        before = len(report.faults)
        answer = _answer(report, number, values)
        if answer is None or len(report.faults) > before:
            return
        code = values["student_id"]
        if any(answer.is_that(known) for known in self._known[code]):
            return
        current = [one for one in self._known[code] if one.replaced_at is None]
        if current and answer.given_on < current[0].answered_on:
            detail = _("There is a later answer, of %(day)s.") % {
                "day": current[0].answered_on.isoformat()
            }
            report.fault(number, "consent_date", "not_the_latest", detail)
            return
        earlier = self.new.setdefault(code, answer)
        if earlier != answer:
            detail = _("An earlier line gives this student another consent.")
            report.fault(number, "consent_by", "repeated", detail)

    def write(self, students: Mapping[str, Student], *, by: User) -> None:
        answers = [(students[code], answer) for code, answer in self.new.items()]
        give_all(answers, by=by)


def _answer(report: Report, number: int, values: Mapping[str, str]) -> Answer | None:
    given_by = values.get("consent_by", "")
    relation = _relation(values.get("consent_relation", ""))
    given_on = _day(report, number, "consent_date", values)
    until = _day(report, number, "consent_until", values)
    if not given_by:
        detail = _("Say who gave the consent.")
        report.fault(number, "consent_by", "required", detail)
    if len(given_by) > 150:
        detail = _("This is longer than %(most)s characters.") % {"most": 150}
        report.fault(number, "consent_by", "too_long", detail)
    if relation is None:
        detail = _("This is none of: %(words)s.") % {
            "words": ", ".join(Relation.values)
        }
        report.fault(number, "consent_relation", "unknown_relation", detail)
    if not values.get("consent_date"):
        detail = _("Say on which day the consent was given.")
        report.fault(number, "consent_date", "required", detail)
    if given_on is None or relation is None:
        return None
    if given_on > timezone.localdate():
        detail = _("This day is yet to come.")
        report.fault(number, "consent_date", "future", detail)
    if until is not None and until < given_on:
        detail = _("The last day is before the first.")
        report.fault(number, "consent_until", "too_early", detail)
    return Answer(given_by=given_by, relation=relation, given_on=given_on, until=until)


def _relation(text: str) -> Relation | None:
    if not text:
        return Relation.PARENT
    word = text.casefold()
    labels = {str(relation.label).casefold(): relation for relation in Relation}
    known = {relation.value: relation for relation in Relation} | labels | _OTHER_WORDS
    return known.get(word)


def _day(
    report: Report, number: int, column: str, values: Mapping[str, str]
) -> dt.date | None:
    text = values.get(column, "")
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        detail = _("Write the day as 2026-09-01.")
        report.fault(number, column, "invalid", detail)
        return None
