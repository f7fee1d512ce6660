"""Forms of the register in the admin: every change goes through the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from attendance.models import Record, Session
from attendance.services import NotInClass
from classroom.models import Student


class SessionForm(forms.ModelForm[Session]):
    class Meta:
        model = Session
        fields = ["classroom", "date", "start", "end", "grace_minutes"]


class MarkForm(forms.ModelForm[Record]):
    """A new line of the register."""

    class Meta:
        model = Record
        fields = ["session", "student", "status", "note"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        session, student = cleaned.get("session"), cleaned.get("student")
        if session and student:
            roster = Student.objects.in_class(session.classroom_id, on=session.date)
            if not roster.filter(pk=student.pk).exists():
                self.add_error("student", NotInClass.default_detail)
        return cleaned


class CorrectionForm(forms.ModelForm[Record]):
    """A change of a line, which always says why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=100,
        required=False,
        help_text=_("Why the line changes; it stays in its history."),
    )

    class Meta:
        model = Record
        fields = ["status", "note"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        changed = {"status", "note"} & set(self.changed_data)
        if changed and not cleaned.get("reason", "").strip():
            self.add_error("reason", forms.ValidationError(_("Say why."), "required"))
        return cleaned
