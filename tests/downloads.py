"""What the tests of downloads share: content with its pin, and a server that answers as told."""

import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stages.mnist.pins import Pin

CONTENT = bytes(range(256)) * 400
PAUSE = 0.1  # seconds between two halves of what is sent slowly
# The stage with a folder, named by SHELF, as its only source: it needs no network.
FETCH_FROM_A_SHELF = """
import os
from pathlib import Path
from stages import fetch
from stages.system import errors
def shelf(names):
    return [(name, Path(os.environ["SHELF"], name).read_bytes()) for name in names]
fetch.SOURCES = [shelf]
errors.run(fetch.main)
"""


def pin(content: bytes) -> Pin:
    return Pin(len(content), hashlib.sha256(content).hexdigest())


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Mirror(ThreadingHTTPServer):
    """A server on loopback that answers each path as told, and counts what it is asked for.

    An answer is content, an HTTP status, "drop", or how content is sent: (how, content).
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.host = f"http://127.0.0.1:{self.server_port}/"
        self.answers = {}
        self.asked = Counter()
        self.stop = threading.Event()

    def handle_error(self, request, client_address):
        """A client that hangs up on too much data is what the tests want."""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path[1:]
        self.server.asked[name] += 1
        answer = self.server.answers.get(name, 404)
        if answer == "drop":
            return
        if isinstance(answer, int):
            self.send_error(answer)
            return
        how, content = answer if isinstance(answer, tuple) else ("whole", answer)
        self.send_response(200)
        if how in ("cut", "stall"):
            self.send_header("Content-Length", str(len(content)))
            content = content[: len(content) // 2]
        if name.endswith("/"):  # pip reads a page of an index as nothing else
            self.send_header("Content-Type", "text/html")
        self.end_headers()
        while how == "slow" and len(content) > 1:
            half = len(content) // 2
            self.wfile.write(content[:half])
            content = content[half:]
            self.server.stop.wait(PAUSE)
        self.wfile.write(content)
        if how == "stall":
            self.server.stop.wait()
        while how == "endless" and not self.server.stop.is_set():
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@contextmanager
def serving() -> Iterator[Mirror]:
    """Start a server, and stop it at the end."""
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()
            thread.join()
