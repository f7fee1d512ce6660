"""What the floor of the register does in the background."""

from accounts import queue
from attendance.marks_import import IMPORTER

IMPORTER.register()
# All may be run by several workers at once.
queue.every(5, "attendance.tick.tick")
queue.every(5, "attendance.notices.run")
queue.every(60, "attendance.evidence.forget")
