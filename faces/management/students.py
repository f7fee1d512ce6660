"""Find the student whom a command line names."""

from django.core.management.base import CommandError

from classroom.models import Student


def student_of(code: str) -> Student:
    """Return the student with the school's code; raises CommandError."""
    student = Student.objects.filter(student_id=code).first()
    if student is None:
        raise CommandError(f"There is no student with the ID {code}.")
    return student
