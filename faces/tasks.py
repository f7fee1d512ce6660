"""What the floor of faces does in the background."""

from django.utils.translation import gettext_lazy as _

from accounts import jobs, queue

jobs.register(
    jobs.Kind(
        "import_photos",
        _("Import of photos"),
        work="faces.photo_import.work",
        clear="faces.photo_import.clear",
    )
)
jobs.on_sweep("faces.photo_import.sweep")
queue.every(60, "faces.retention.hourly")
