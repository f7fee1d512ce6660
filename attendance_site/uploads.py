"""Keep uploaded photos in memory and refuse what is too large."""

from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Hold a file of any size in memory, up to the limit of one photo.

    Django's own handler steps aside for larger files, so that they end up in a
    temporary file or, as the only handler, are dropped without a word.
    """

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, Any]] | None:
        self.activated = True
        return None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.received = 0
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a chunk; raises RequestDataTooBig once the file is over the limit."""
        self.received += len(raw_data)
        if self.received > settings.FACE_MAX_UPLOAD_MB * 1024 * 1024:
            raise RequestDataTooBig
        return super().receive_data_chunk(raw_data, start)
