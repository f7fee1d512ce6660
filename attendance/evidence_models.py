"""What is remembered of a photo: that its bytes were sent, and when, for a week."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SentPhoto(models.Model):
    """A keyed hash of a photo that marked somebody; it leads back to no photo."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    sent_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "attendance"
        verbose_name = _("sent photo")
        verbose_name_plural = _("sent photos")

    def __str__(self) -> str:
        return self.digest[:8]
