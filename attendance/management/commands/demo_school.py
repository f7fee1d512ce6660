"""Load a demo school into an empty database and print how to log in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from attendance import demo, demo_load

BAR = 30  # characters


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--size",
            metavar="CLASSESxSTUDENTSxDAYS",
            help="A larger school with made-up faces, such as 20x40x60, to try speed.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        size = self.size(options["size"])
        if not User.objects.exists():
            if size is None:
                photos = demo.photos()
                school = demo.build()
                demo.look_back(school)
                demo.enrol_faces(school, photos)
            else:
                demo_load.build(size, report=self.report)
        elif not User.objects.filter(email=demo.ADMIN[0]).exists():
            self.stdout.write(
                f"This database already holds a school; nothing was added.\n"
                f"Open {settings.PUBLIC_URL}"
            )
            return
        self.stdout.write(self.welcome())

    def size(self, text: str | None) -> demo_load.Size | None:
        if text is None:
            return None
        try:
            return demo_load.Size.parse(text)
        except ValueError as error:
            raise CommandError(str(error)) from error

    def report(self, what: str, done: int, total: int) -> None:
        """Draw a bar on stderr, so that stdout holds the logins alone."""
        filled = BAR * done // total
        bar = "#" * filled + "." * (BAR - filled)
        end = "\n" if done >= total else ""
        self.stderr.write(f"\r{what:<8} [{bar}] {done} of {total}", ending=end)
        self.stderr.flush()

    def welcome(self) -> str:
        return "\n".join(
            [
                "",
                f"  Open          {settings.PUBLIC_URL}",
                f"  Teacher       {self.login(demo.TEACHERS[0][0])}",
                f"  Admin         {self.login(demo.ADMIN[0])}",
                "  Next step     log in as the teacher and take attendance of "
                "Mathematics",
                f"  API           {settings.PUBLIC_URL}/docs",
                "",
                "  This is a demo: remove its accounts before real students are added.",
                "",
            ]
        )

    def login(self, email: str) -> str:
        user = User.objects.filter(email=email).first()
        if user is None:
            return f"{email} was removed"
        password = demo.password_of(email)
        if not user.check_password(password):
            return f"{email}   with the password you gave it"
        return f"{email}   {password}"
