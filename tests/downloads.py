"""What the tests of downloading share: content with its pin, a server, and an address without."""

import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stages.mnist.files import Pin

CONTENT = bytes(range(256)) * 400
PAUSE = 0.1  # seconds between two halves of what is sent slowly
# The stage with a folder, named by SHELF, in the place of its sources: it needs no network.
FETCH_FROM_A_SHELF = """
import os
from pathlib import Path
from stages import fetch
from stages.system import errors
def shelf(names):
    return {name: Path(os.environ["SHELF"], name).read_bytes() for name in names}
fetch.SOURCES = {"a shelf": shelf}
errors.run(fetch.main)
"""


def pin(content):
    return Pin(len(content), hashlib.sha256(content).hexdigest())


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Mirror(ThreadingHTTPServer):
    """A server on loopback that answers each path as told, and counts what it is asked for."""

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
        kind, content = answer if isinstance(answer, tuple) else ("whole", answer)
        self.send_response(200)
        if kind in ("cut", "stall"):
            self.send_header("Content-Length", str(len(content)))
            content = content[: len(content) // 2]
        if name.endswith("/"):  # pip reads a page of an index as nothing else
            self.send_header("Content-Type", "text/html")
        self.end_headers()
        while kind == "slow" and len(content) > 1:
            half = len(content) // 2
            self.wfile.write(content[:half])
            content = content[half:]
            self.server.stop.wait(PAUSE)
        self.wfile.write(content)
        if kind == "stall":
            self.server.stop.wait()
        while kind == "endless" and not self.server.stop.is_set():
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
