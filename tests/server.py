"""A server on loopback that answers as it is told: what a download meets when things go wrong."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAUSE = 0.05  # seconds between two halves of what is sent slowly


class Server(ThreadingHTTPServer):
    """Counts in `asked` how often each path is requested, and answers it as `answers` says.

    An answer is (how it is sent, content); with "redirect", the content is the other URL.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.answers = {}
        self.asked = Counter()
        self.stop = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients hang up when they are sent too much."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path[1:]
        self.server.asked[name] += 1
        how, content = self.server.answers.get(name, ("absent", b""))
        if how == "drop":
            return
        self.send_response({"absent": 404, "redirect": 302}.get(how, 200))
        if how == "redirect":
            self.send_header("Location", content)
            content = b""
        if how in ("cut", "stall"):
            self.send_header("Content-Length", str(len(content)))
            content = content[: len(content) // 2]
        if name.endswith("/"):  # pip accepts a page of an index as HTML only
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

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()
