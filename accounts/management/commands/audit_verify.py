"""Check that no row of the audit log was changed, replaced or taken away."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.audit_models import AuditEntry

SHOWN = 50


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            metavar="NUMBER:SEAL",
            help="A receipt of an earlier run: the log must still hold that row.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        faults = list(audit.verify())
        if options["expect"]:
            faults += expected(options["expect"])
        for fault in faults[:SHOWN]:
            self.stdout.write(f"{fault.number}\t{fault.code}\t{fault.detail}")
        if len(faults) > SHOWN:
            self.stdout.write(f"… and {len(faults) - SHOWN} more")
        if faults:
            raise CommandError(f"The audit log has {len(faults)} faults.")
        last = AuditEntry.objects.order_by("number").last()
        if last is None:
            self.stdout.write("The audit log is empty.")
            return
        self.stdout.write(f"The audit log is whole: {last.number} rows.")
        self.stdout.write(f"Receipt, to be kept elsewhere: {last.number}:{last.seal}")


def expected(receipt: str) -> list[audit.Fault]:
    """Return a fault unless the log holds the row of a receipt."""
    number, _, seal = receipt.partition(":")
    if not number.isdecimal() or not seal:
        raise CommandError("--expect takes a receipt as it was printed, NUMBER:SEAL.")
    if AuditEntry.objects.filter(number=int(number), seal=seal).exists():
        return []
    detail = "This is not the row of the receipt: the log is another or an older copy."
    return [audit.Fault(int(number), "not_as_expected", detail)]
