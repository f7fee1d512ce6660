"""Import students: the API call and the page."""

from accounts.imports import ImportView, import_page
from classroom.roster_import import IMPORTER


class ImportStudentsView(ImportView):
    importer = IMPORTER.kind


import_students = import_page(IMPORTER.kind)
