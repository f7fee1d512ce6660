"""Forms of the class pages: students and what is shown of them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from classroom.contacts import AddressesInput
from classroom.models import Student


class StudentForm(forms.ModelForm[Student]):
    """A student's name, code and contacts.

    `existing` holds the student who has the code already, if the user may see them.
    """

    existing: Student | None = None

    class Meta:
        model = Student
        fields = ["full_name", "student_id", "email", "phone"]
        labels = {"student_id": _("Student ID")}
        widgets = {
            # Somebody else's data: the browser's own must not be offered.
            name: widget(attrs={"autocomplete": "off"})
            for name, widget in {
                "full_name": forms.TextInput,
                "student_id": forms.TextInput,
                "email": AddressesInput,
                "phone": forms.TextInput,
            }.items()
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_student_id(self) -> str:
        code: str = self.cleaned_data["student_id"]
        others = Student.objects.filter(student_id=code).exclude(pk=self.instance.pk)
        other = others.first()
        if other is None:
            return code
        visible = Student.objects.for_user(self.user).filter(pk=other.pk)
        self.existing = visible.first()
        if self.existing is None:
            raise forms.ValidationError(
                _("A student you don’t teach has this ID. Ask an admin."), "unique"
            )
        raise forms.ValidationError(
            _("%(name)s has this ID already."),
            "unique",
            params={"name": self.existing.full_name},
        )
