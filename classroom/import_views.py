"""Import students: the API call and the page."""

from accounts.import_api import ImportView
from accounts.import_views import import_page
from classroom.roster_import import IMPORTER


class ImportStudentsView(ImportView):
    importer = IMPORTER.kind


import_students = import_page(IMPORTER.kind)
