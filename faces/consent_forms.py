"""Forms of consent."""

from django import forms
from django.utils.translation import gettext_lazy as _

from classroom.consent_models import Consent, Relation
from classroom.consents import Answer


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ConsentForm(forms.ModelForm[Consent]):
    """A consent as it stands on the signed form."""

    class Meta:
        model = Consent
        fields = ["given_by", "relation", "given_on", "until", "note"]
        widgets = {"given_on": DayInput(), "until": DayInput()}

    @property
    def answer(self) -> Answer:
        return Answer(**self.cleaned_data)


class WithdrawalForm(forms.Form):
    """Who said no."""

    said_by = forms.CharField(
        label=_("Who said no"),
        max_length=150,
        help_text=_("A parent, a guardian, or the student: a child’s no counts."),
    )
    relation = forms.ChoiceField(
        label=_("Relation to the student"), choices=Relation.choices
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("For example how it was said: by letter, on the phone."),
    )
