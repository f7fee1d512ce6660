"""Take an uploaded archive straight into the encrypted spool, chunk by chunk."""

from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    StopFutureHandlers,
    StopUpload,
)
from django.http import HttpRequest

from faces.spool import Spooled, SpoolWriter

FIELD = "file"


class SpooledUpload(UploadedFile[Any]):
    """An archive in the spool; it goes with its request unless somebody keeps it."""

    def __init__(self, writer: SpoolWriter, spooled: Spooled, name: str) -> None:
        super().__init__(None, name, "application/zip", spooled.size)
        self.spooled = spooled
        self._writer: SpoolWriter | None = writer

    def keep(self) -> Spooled:
        """Leave the archive to a job, which removes it."""
        self._writer = None
        return self.spooled

    def close(self) -> None:
        # Django closes what was uploaded when the answer has left.
        if self._writer is not None:
            self._writer.destroy()
            self._writer = None


class SpoolUploadHandler(FileUploadHandler):
    """One file of a request, up to IMPORT_MAX_MB; raises RequestDataTooBig."""

    chunk_size = 256 * 1024
    writer: SpoolWriter | None = None
    received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self.writer is not None:
            raise StopUpload(connection_reset=True)
        self.writer = SpoolWriter()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.writer is not None  # noqa: S101  (new_file came first)
        self.received += len(raw_data)
        if self.received > settings.IMPORT_MAX_MB * 1024 * 1024:
            self.upload_interrupted()
            raise RequestDataTooBig
        self.writer.write(raw_data)

    def file_complete(self, file_size: int) -> SpooledUpload | None:
        if self.writer is None:
            return None
        return SpooledUpload(self.writer, self.writer.finish(), self.file_name or "")

    def upload_interrupted(self) -> None:
        if self.writer is not None:
            self.writer.destroy()


def spools_uploads(request: HttpRequest) -> None:
    """Have this request's file go to the spool; before anything reads its body."""
    request.upload_handlers = [SpoolUploadHandler(request)]


def with_spooled_uploads(view: Any) -> Any:
    """Decorate a page: what it is sent goes to the spool."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        spools_uploads(request)
        return view(request, *args, **kwargs)

    return wrapped
