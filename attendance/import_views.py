"""Import marks: the API call and the page."""

from accounts.imports import ImportView, import_page
from attendance.marks_import import IMPORTER


class ImportMarksView(ImportView):
    importer = IMPORTER.kind


import_marks = import_page(IMPORTER.kind)
