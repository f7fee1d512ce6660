"""Forms of the register's pages: photos, marks and sessions."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from attendance.models import Session, Status
from attendance.serializers import NOTE_LENGTH
from faces.forms import PHOTO_TYPES, PhotosField


class GroupPhotoForm(forms.Form):
    file = PhotosField(
        label=_("Photos of the room"),
        help_text=_("One to five. They are read in memory and never stored."),
    )


class OnePhotoForm(forms.Form):
    file = forms.FileField(
        label=_("Photo of one person"),
        help_text=_("It is read in memory and never stored."),
        widget=forms.ClearableFileInput(attrs={"accept": PHOTO_TYPES}),
    )


class MarkForm(forms.Form):
    """One line by hand: `mark` is "12:late" or "rest:absent", or the parts alone."""

    mark = forms.CharField(required=False)
    student = forms.IntegerField(required=False)
    status = forms.ChoiceField(choices=Status.choices, required=False)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        who, _colon, status = cleaned.get("mark", "").partition(":")
        if who:
            cleaned["student"] = int(who) if who.isdecimal() else None
            cleaned["status"] = status
        cleaned["is_rest"] = who == "rest"
        named = cleaned["is_rest"] or cleaned.get("student") is not None
        if not named or cleaned.get("status") not in Status.values:
            raise forms.ValidationError(
                _("Choose a student and a status."), code="incomplete"
            )
        return cleaned


class ManyForm(forms.Form):
    """Several students' lines by hand; `student` comes once for each."""

    student = forms.TypedMultipleChoiceField(coerce=int)
    status = forms.ChoiceField(choices=Status.choices)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)

    def __init__(self, data: Any, *, students: Iterable[int]) -> None:
        super().__init__(data)
        self.fields["student"].choices = [(pk, pk) for pk in students]  # type: ignore[attr-defined]


class NewSessionForm(forms.ModelForm[Session]):
    class Meta:
        model = Session
        fields = ["date", "start", "end"]
        widgets = {
            "date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "start": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "end": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        help_texts = {"start": _("Empty for a register of the whole day.")}
