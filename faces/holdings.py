"""What the floor of faces holds of a student."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from classroom import holdings
from classroom.holdings import Holding, Row, delete, described
from classroom.models import Student
from faces.models import FaceTemplate, ImportedPhoto, LookAlikePair


def _templates(student: Student) -> QuerySet[FaceTemplate]:
    return FaceTemplate.objects.filter(student=student).select_related("created_by")


def _pairs(student: Student) -> QuerySet[LookAlikePair]:
    pairs = LookAlikePair.objects.filter(Q(first=student) | Q(second=student))
    return pairs.select_related("created_by")


def _pair_rows(student: Student) -> Iterator[Row]:
    # Who the other one is, is the other one's business.
    return described(_pairs(student), leave_out=("first", "second"))


def _photos(student: Student) -> QuerySet[ImportedPhoto]:
    """Return the lines of imports about a student; a file's name is the code."""
    return ImportedPhoto.objects.filter(student=student)


holdings.register(
    Holding(
        "face_templates",
        _("Face templates"),
        lambda student: described(_templates(student)),
        lambda student: delete(_templates(student)),
        [FaceTemplate],
    ),
    Holding(
        "look_alikes",
        _("Look-alikes"),
        _pair_rows,
        lambda student: delete(_pairs(student)),
        [LookAlikePair],
    ),
    Holding(
        "imported_photos",
        _("Results of photo imports"),
        lambda student: described(_photos(student), leave_out=("student", "job")),
        lambda student: delete(_photos(student)),
        [ImportedPhoto],
    ),
)
