"""Import marks: the API call and the page."""

from accounts.import_api import ImportView
from accounts.import_views import import_page
from attendance.marks_import import IMPORTER


class ImportMarksView(ImportView):
    importer = IMPORTER.kind


import_marks = import_page(IMPORTER.kind)
