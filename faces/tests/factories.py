"""Short ways to enrol faces without photos."""

import numpy as np

from accounts.models import User
from classroom.models import Student
from faces import runtime, vault
from faces.models import FaceTemplate
from faces.tests.fakes import embedding_of


def make_template(
    student: Student,
    person: int,
    *,
    model_id: str | None = None,
    by: User | None = None,
    embedding: np.ndarray | None = None,
) -> FaceTemplate:
    """Enrol a student as one of the fake engine's people."""
    vector = embedding_of(person) if embedding is None else embedding
    model = model_id or runtime.active_model_id()
    key_id, sealed = vault.seal(vector, student_id=student.pk, model_id=model)
    return FaceTemplate.objects.create(
        student=student,
        model_id=model,
        dimension=vector.size,
        key_id=key_id,
        sealed_embedding=sealed,
        created_by=by,
    )
