"""Makes a class of 30 for the HTTP benchmarks and prints its id and a teacher's token.

    python -m benchmarks.school PHOTO.jpg

Database, keys and pack come from the environment, as everywhere.
"""

import json
import sys
from pathlib import Path

import django
from django.core.management import call_command

PERSON = "Person"


def main(photo: bytes) -> dict[str, object]:
    """Enrol one person from ``photo`` and 29 vectors that are nobody's."""
    call_command("migrate", verbosity=0, interactive=False)
    from rest_framework_simplejwt.tokens import AccessToken

    from accounts.tests.factories import make_user
    from benchmarks.material import PEOPLE, unit_vectors
    from classroom.tests.factories import make_class, make_student
    from faces import runtime
    from faces.services import register
    from faces.tests.factories import make_template

    teacher = make_user("Teacher")
    classroom = make_class("Class", teacher)
    register(make_student(PERSON, classroom), [photo], by=teacher)
    dimension = runtime.get_engine().dimension
    for number, vector in enumerate(unit_vectors(PEOPLE - 1, dimension)):
        student = make_student(f"Somebody {number}", classroom)
        make_template(student, 0, embedding=vector)
    return {"class_id": classroom.pk, "token": str(AccessToken.for_user(teacher))}


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]).read_bytes())))
