"""A page to draw a digit on, with what every trained run says to it: `make draw`.

python -m tools.predict.draw [--port 8000]

It is served to this machine alone, and keeps nothing.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import json
import signal
import threading
import webbrowser
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from torch import nn

from stages import models
from stages.results import runs
from stages.system import errors
from stages.system.errors import UserError
from tools.predict import answer, pictures

PAGE = Path(__file__).with_name("page.html")
HERE = "127.0.0.1"
LARGEST = 20 * 2**20  # bytes of a picture


def main() -> None:
    """Serve the page until interrupted."""
    parser = argparse.ArgumentParser(description="Draw digits and see what each run says.")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    port = parser.parse_args().port
    networks, missing = load(runs.names())
    if missing:
        print(f"left out, as not trained (`make repro` does it): {', '.join(missing)}")
    try:
        server = Server(port, networks, missing)
    except (OSError, OverflowError) as error:
        raise UserError(
            f"port {port} cannot be used ({error}): give another with --port"
        ) from error
    url = f"http://{HERE}:{server.server_port}"
    print(f"draw at {url} (Ctrl-C ends it)", flush=True)
    webbrowser.open(url)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the usual end, no error
    with suppress(KeyboardInterrupt):
        server.serve_forever()


def load(names: Iterable[str]) -> tuple[dict[str, nn.Module], list[str]]:
    """Load the runs that are trained; return them, and the names of the others.

    Raises:
        UserError: none is, or a model is corrupt.
    """
    paths = {name: Path(f"data/models/{name}.pt") for name in names}
    networks = {name: models.load(path) for name, path in paths.items() if path.is_file()}
    if not networks:
        raise UserError("no run is trained: run `make repro` first")
    return networks, [name for name in paths if name not in networks]


class Server(ThreadingHTTPServer):
    """Serves the page, and reads one picture at a time."""

    daemon_threads = True

    def __init__(self, port: int, networks: dict[str, nn.Module], missing: list[str]):
        """Listen at a port; 0 is any."""
        super().__init__((HERE, port), Handler)
        self.networks, self.missing = networks, missing
        self.one_at_a_time = threading.Lock()

    def read(self, content: bytes) -> dict:
        """Return what each run says to a picture.

        Raises:
            UserError: it is no picture of a digit; it says what a picture is.
        """
        with self.one_at_a_time:  # large ones take much memory
            image = pictures.normalise(*pictures.decode(BytesIO(content)))
            said = {name: answer.ask(network, image) for name, network in self.networks.items()}
        return {"image": image.tolist(), "runs": said}


class Handler(BaseHTTPRequestHandler):
    """Answers requests from the page, and only from it."""

    timeout = 10  # seconds that a request may take to arrive

    def do_GET(self) -> None:
        """Send the page, or which runs there are."""
        if self._is_strange():
            return
        if self.path == "/":
            self._send(HTTPStatus.OK, PAGE.read_bytes(), "text/html; charset=utf-8")
        elif self.path == "/runs":
            known = {"runs": list(self.server.networks), "missing": self.server.missing}
            self._send_json(HTTPStatus.OK, known | {"sure": answer.SURE})
        else:
            self._send_json(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})

    def do_POST(self) -> None:
        """Read a picture: the body is an image file."""
        if self._is_strange():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            sentence = f"a picture may have {LARGEST:,} bytes at most: make it smaller"
            self._send_json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": sentence})
            return
        try:
            said = self.server.read(self.rfile.read(int(length)))
        except UserError as error:
            self._send_json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": f"The picture {error}"})
        else:
            self._send_json(HTTPStatus.OK, said)

    def log_message(self, *_: object) -> None:
        """Say nothing about requests."""

    def _is_strange(self) -> bool:
        """Refuse other sites: their pages may send requests here, and even rename themselves so."""
        port = self.server.server_port
        hosts = {f"{HERE}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") in hosts and origin in {None, *(f"http://{h}" for h in hosts)}:
            return False
        self._send_json(HTTPStatus.FORBIDDEN, {"error": "only the page itself may ask"})
        return True

    def _send_json(self, status: HTTPStatus, content: dict) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
