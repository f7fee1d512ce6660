"""Form fields for photos, shared by the pages and the admin."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from faces.services import MAX_PHOTOS

PHOTO_TYPES = "image/jpeg,image/png,image/webp,image/heic,image/heif"


class MultiplePhotosInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """One to five photos under one name."""

    widget = MultiplePhotosInput(attrs={"accept": PHOTO_TYPES})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        # No file at all is an empty list, which nothing below would look at.
        files = (data or [None]) if isinstance(data, list) else [data]
        cleaned = [super(PhotosField, self).clean(one, initial) for one in files]
        if len(cleaned) > MAX_PHOTOS:
            raise forms.ValidationError(
                _("Choose up to %(limit)d photos."),
                code="too_many_photos",
                params={"limit": MAX_PHOTOS},
            )
        return cleaned


class EnrolForm(forms.Form):
    """Photos of one student, and a word about twins."""

    photos = PhotosField(
        label=_("Photos of the face"),
        help_text=_(
            "One to five, one person on each: front, a little left, a little right. "
            "They are read in memory and never stored."
        ),
    )
    allow_duplicate = forms.BooleanField(
        label=_("Enrol although the face is another student's (twins)"), required=False
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        required=False,
        help_text=_("Needed for a look-alike; it stays on record."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("allow_duplicate") and not cleaned.get("reason"):
            self.add_error("reason", forms.ValidationError(_("Say why."), "required"))
        return cleaned
