"""Fill the replicas' database and print what clients need, as JSON."""

import json
import sys
from datetime import time
from typing import Any

import django

SESSIONS = 1400  # one for each verify of the load; a day has 1,440 minutes
CLIENTS = 8


def fill() -> dict[str, Any]:
    """Enrol five people, leave the sixth without a face, and open many sessions."""
    from rest_framework_simplejwt.tokens import AccessToken

    from accounts.tests.factories import make_user
    from attendance.tests.factories import make_session
    from classroom.tests.factories import make_class, make_student
    from faces.services import register
    from faces.tests.photos import six_close_ups

    teachers = [make_user(f"Teacher {number}") for number in range(CLIENTS)]
    classes = [
        make_class(f"Class {number}", one) for number, one in enumerate(teachers)
    ]
    students = [make_student(f"Person {number}", *classes) for number in range(6)]
    for student, photo in list(zip(students, six_close_ups(), strict=True))[:5]:
        register(student, [photo], by=teachers[0])
    sessions = [
        [
            make_session(room, start=time(at // 60, at % 60)).pk
            for at in range(SESSIONS // CLIENTS)
        ]
        for room in classes
    ]
    return {
        "tokens": [str(AccessToken.for_user(one)) for one in teachers],
        "email": teachers[0].email,
        "classes": [room.pk for room in classes],
        "students": [student.pk for student in students],
        "sessions": sessions,
    }


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(fill()))
