"""Draw a digit in the browser and see what each trained run makes of it: `make draw`.

`python -m tools.predict.draw [--port 8000]` serves this machine only and keeps nothing.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import json
import signal
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from subprocess import DEVNULL, Popen

from ruamel.yaml import YAML

from stages import models
from stages.system.errors import UserError
from tools.predict import answer, pictures

PAGE = Path(__file__).with_name("page.html")
HERE = "127.0.0.1"
LARGEST = 20 * 2**20  # bytes of a picture


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw digits and see what each run says.")
    parser.add_argument("--port", type=int, default=8000, help="0 for any free port")
    port = parser.parse_args().port
    runs = YAML(typ="safe").load(Path("dvc.yaml"))["vars"][0]["runs"]
    files = {name: Path(f"data/models/{name}.pt") for name in runs}
    networks = {name: models.load(path) for name, path in files.items() if path.is_file()}
    missing = [name for name in files if name not in networks]
    if not networks:
        raise UserError("no run is trained: run `make repro` first")
    if missing:
        print(f"not trained, so left out (`make repro` trains them): {', '.join(missing)}")
    try:
        server = Server(port, networks, missing)
    except (OSError, OverflowError) as error:
        raise UserError(f"port {port} cannot be used ({error}): choose another --port") from error
    url = f"http://{HERE}:{server.server_port}"
    print(f"draw at {url} (Ctrl-C to stop)", flush=True)
    # a text browser, over SSH, must neither take over the terminal nor be waited for
    command = [sys.executable, "-m", "webbrowser", url]
    Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the usual end, not an error
    with suppress(KeyboardInterrupt):
        server.serve_forever()


class Server(ThreadingHTTPServer):
    """Serves the page and the networks' answers."""

    def __init__(self, port: int, networks: dict, missing: list[str]):
        super().__init__((HERE, port), Handler)
        self.networks, self.missing = networks, missing
        self.one_at_a_time = threading.Lock()  # large pictures take much memory


class Handler(BaseHTTPRequestHandler):
    """Answers requests from the page, and only from it."""

    timeout = 10  # seconds that a request may take to arrive

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client may leave before it has its answer
            super().handle()

    def parse_request(self) -> bool:
        """Reject other sites' requests, by their Origin, and DNS rebinding, by the Host."""
        if not super().parse_request():
            return False
        hosts = [f"{name}:{self.server.server_port}" for name in (HERE, "localhost")]
        origins = [None, *(f"http://{host}" for host in hosts)]
        if self.headers.get("Host") in hosts and self.headers.get("Origin") in origins:
            return True
        self._send({"error": "only the page itself may ask"}, HTTPStatus.FORBIDDEN)
        return False

    def do_GET(self) -> None:
        if self.path == "/":
            self._send(PAGE.read_bytes())
        elif self.path == "/runs":
            known = {"runs": list(self.server.networks), "missing": self.server.missing}
            self._send(known | {"sure": answer.SURE})
        else:
            self._send({"error": "there is no such page"}, HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Read a picture: the body is an image file."""
        length = self.headers.get("Content-Length", "")
        try:
            if not length.isdecimal() or int(length) > LARGEST:
                raise UserError(f"must have at most {LARGEST:,} bytes: make it smaller")
            content = BytesIO(self.rfile.read(int(length)))
            with self.server.one_at_a_time:
                image = pictures.read(content)
                said = answer.ask(self.server.networks, image)
        except UserError as error:
            self._send({"error": f"The picture {error}"}, HTTPStatus.UNPROCESSABLE_ENTITY)
        except MemoryError:
            sentence = f"out of memory: {errors.CLOSE} or make the picture smaller"
            self._send({"error": sentence}, HTTPStatus.INSUFFICIENT_STORAGE)
        else:
            self._send({"image": image.tolist(), "runs": said})

    def log_message(self, *_: object) -> None:
        pass

    def _send(self, content: bytes | dict, status: HTTPStatus = HTTPStatus.OK) -> None:
        kind = "text/html; charset=utf-8"
        if isinstance(content, dict):
            kind, content = "application/json", json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
