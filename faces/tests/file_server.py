"""A small HTTP server for one file: ranges, tags, and cuts where a test wants them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, and what was asked.

    ``cuts`` are numbers of bytes after which one answer each breaks off; ``ranges``
    holds the Range header of every request, "" for none.
    """

    data: bytes
    tag: str = '"one"'
    status: int = 200
    cuts: list[int] = field(default_factory=list)
    understands_ranges: bool = True
    ranges: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(data: bytes) -> Iterator[FileServer]:
    """Serve ``data`` at ``.url`` on this machine."""
    server = FileServer(data)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            server.ranges.append(asked)
            start = self.start_of(asked)
            if server.status != 200:
                self.answer(server.status, b"", 0)
            elif start is None:
                self.answer(200, server.data, 0)
            elif start >= len(server.data):
                self.answer(416, b"", start)
            else:
                self.answer(206, server.data[start:], start)

        def start_of(self, asked: str) -> int | None:
            same = self.headers.get("If-Range", server.tag) == server.tag
            if not asked or not server.understands_ranges or not same:
                return None
            return int(asked.removeprefix("bytes=").partition("-")[0])

        def answer(self, status: int, body: bytes, start: int) -> None:
            total = len(server.data)
            self.send_response(status)
            self.send_header("ETag", server.tag)
            self.send_header("Content-Length", str(len(body)))
            if status == 206:
                place = f"bytes {start}-{total - 1}/{total}"
                self.send_header("Content-Range", place)
            if status == 416:
                self.send_header("Content-Range", f"bytes */{total}")
            self.end_headers()
            if server.cuts and body:
                body = body[: server.cuts.pop(0)]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/pack.zip"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
