"""The call that imports a table, or tells what it would do."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.fields import RowIdField
from accounts.imports import IMPORTERS, SHOWN, described
from accounts.tables import UnknownColumns, read_table
from accounts.throttles import ImportThrottle
from accounts.viewsets import requester


class TableSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV or XLSX with a line of headings.")
    preview = serializers.BooleanField(
        default=False, help_text="Say what would happen and change nothing."
    )
    dry_run = serializers.BooleanField(default=False, help_text="The same.")
    columns = serializers.CharField(
        default="",
        help_text='JSON that maps our names to headings: {"full_name": "Pupil"}; '
        '"-" leaves one out.',
    )
    class_id = RowIdField(
        required=False, help_text="The class of lines that name none."
    )
    overwrite = serializers.BooleanField(
        default=False, help_text="Replace what a person has entered (marks alone)."
    )

    def validate_columns(self, text: str) -> dict[str, str]:
        try:
            chosen = json.loads(text or "{}")
        except ValueError as error:
            raise UnknownColumns from error
        if not isinstance(chosen, dict):
            raise UnknownColumns
        return {str(name): str(heading) for name, heading in chosen.items()}


class PreviewSerializer(serializers.Serializer[Any]):
    lines = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    rows = serializers.ListField(child=serializers.DictField())


class ImportView(APIView):
    importer: str
    parser_classes = [MultiPartParser]
    throttle_classes = [ImportThrottle]

    @extend_schema(
        request={"multipart/form-data": TableSerializer},
        responses={200: PreviewSerializer},
    )
    def post(self, request: Request) -> Response:
        """Import a table: 202 `{job_id}`, or with `preview` what would happen.

        All lines or none: 400 `import_refused` lists the faults with their lines.
        """
        form = TableSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        importer, owner = IMPORTERS[self.importer], requester(request)
        table = read_table(wanted["file"].read())
        lines = list(table.mapped(importer.places(table, wanted["columns"])))
        options = {name: wanted[name] for name in importer.options if name in wanted}
        if not (wanted["preview"] or wanted["dry_run"]):
            job = importer.begin(lines, owner=owner, options=options)
            return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)
        report = importer.run(lines, owner=owner, options=options, dry=True)
        return Response(
            {
                "lines": len(lines),
                "counts": report.counts,
                "errors": described(report.faults),
                "rows": [{"line": line, **values} for line, values in lines[:SHOWN]],
            }
        )
