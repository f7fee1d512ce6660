"""A server that is asked to stop finishes what it has begun."""

import json
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from attendance_site.tests.processes import our_gunicorns
from attendance_site.tests.test_start import LONGEST_START, running

BODY = json.dumps({"refresh_token": "not one"}).encode()
HEAD = (
    "POST /auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    f"\r\nContent-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n"
).encode()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
def test_a_request_that_has_begun_is_answered_after_sigterm(school: Path) -> None:
    with running(school) as (url, lines):
        at = urlsplit(url)
        address = (str(at.hostname), at.port or 80)
        with socket.create_connection(address, LONGEST_START) as line:
            line.sendall(HEAD)
            # The worker says this when it has the request and waits for its body.
            assert line.recv(1000).startswith(b"HTTP/1.1 100")
            (server,) = our_gunicorns()
            os.kill(server, signal.SIGTERM)
            line.sendall(BODY)
            # In pieces, until the worker closes the connection.
            answer = b"".join(iter(lambda: line.recv(10_000), b""))
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"token_not_valid" in answer
    assert lines[-1] == "exit 0"
