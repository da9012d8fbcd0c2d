"""The page of `make draw`: as another program asks it, and in a real browser."""

import http.client
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from unittest import mock

import pictures_kit as kit
import pytest
from helpers import ROOT, put, run_here
from playwright.sync_api import sync_playwright

from stages import models
from stages.system.errors import UserError
from tools.predict import draw, pictures

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DIGIT = kit.saved(kit.typed(2)).getvalue()


@pytest.fixture(scope="module")
def port(trained: Path) -> Iterator[int]:
    network = models.load(trained / "data/models/model_b.pt")
    with draw.Server(0, {"model_b": network}, ["model_a"]) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def request(port: int, path: str = "/read", body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST" if path == "/read" else "GET", path, body, headers)
    response = connection.getresponse()
    return response.status, response.read()


def test_every_run_answers(port: int) -> None:
    assert request(port, "/") == (200, draw.PAGE.read_bytes())
    assert request(port, "/../params.yaml")[0] == 404
    known = json.loads(request(port, "/runs")[1])
    assert known == {"runs": ["model_b"], "missing": ["model_a"], "sure": 0.8}
    said = json.loads(request(port, body=DIGIT)[1])
    assert said["runs"]["model_b"].index(max(said["runs"]["model_b"])) == 2
    assert [len(row) for row in said["image"]] == [28] * 28


def test_bad_requests_do_no_harm(port: int) -> None:
    for headers, status, words in [
        ({}, 422, b"The picture cannot be read as an image"),
        ({"Content-Length": str(draw.LARGEST + 1)}, 422, b"must have at most 20,971,520 bytes"),
        ({"Content-Length": "-1"}, 422, b"must have at most"),
        ({"Origin": "http://elsewhere.example"}, 403, b"only the page itself"),
        ({"Host": "elsewhere.example:8000"}, 403, b"only the page itself"),
    ]:
        found, error = request(port, body=b"no picture", **headers)
        assert (found, words in error) == (status, True), error
    with mock.patch.object(pictures, "channels", side_effect=MemoryError()):
        status, error = request(port, body=DIGIT)
    assert (status, b"out of memory: close other programs or make the" in error) == (507, True)
    assert request(port, body=DIGIT)[0] == 200


def test_a_client_may_leave_early(capsys) -> None:
    with draw.Server(0, {}, []) as server:
        server.daemon_threads = False  # closing it then waits for the answers
        head = f"POST /read HTTP/1.0\r\nHost: localhost:{server.server_port}\r\n"
        head = f"{head}Content-Length: {len(DIGIT)}\r\n\r\n".encode()
        for sent in (head + DIGIT, head + DIGIT[:100], head[:20]):
            with socket.create_connection(server.server_address) as client:
                client.sendall(sent)
            server.handle_request()
    assert capsys.readouterr().err == ""


def test_a_text_browser_gets_the_page_but_not_the_terminal(trained: Path) -> None:
    code = "import sys, urllib.request as web; print(web.urlretrieve(sys.argv[1], 'page'))"
    (trained / "browser.py").write_text(code)
    browser = "python browser.py %s"  # webbrowser waits for its end
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BROWSER": browser}
    command = ["python", "-m", "tools.predict.draw", "--port", "0"]
    with Popen(command, cwd=trained, env=environment, stdout=PIPE, text=True) as process:
        page, end = trained / "page", time.monotonic() + 30
        while time.monotonic() < end and not (page.exists() and page.stat().st_size):
            time.sleep(0.1)
        process.terminate()
        *_, ready = process.stdout.read().splitlines()
    assert page.read_bytes() == draw.PAGE.read_bytes()
    assert ready.startswith("draw at http://127.0.0.1:")


def test_it_needs_a_trained_run_and_a_free_port(port: int, trained, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(trained)
    with pytest.raises(UserError, match=f"port {port} cannot be used .*: choose another --port"):
        run_here(draw, "--port", str(port))
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "dvc.yaml", "vars: [{runs: {resnet18: resnet18}}]")
    with pytest.raises(UserError, match="no run is trained: run `make repro` first"):
        run_here(draw)


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_digits_drawn_in_a_browser_are_read(port: int) -> None:
    with sync_playwright() as playwright:
        # its sandbox does not work for root, as which CI may run
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://localhost:{port}")
        page.wait_for_selector("tbody tr")
        assert page.inner_text("#words") == "Not trained, so left out: model_a."
        box = page.locator("#sheet").bounding_box()
        for digit, strokes in kit.STROKES.items():
            page.click("#clear")
            assert page.inner_text(".digit") == ""
            for stroke in strokes:
                for x, y in stroke:
                    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                    page.mouse.down()  # has no effect the second time
                with page.expect_response("**/read"):
                    page.mouse.up()
            page.wait_for_selector(f".digit:text('{digit}')")
        for content, seen in ((b"", "#words.error"), (DIGIT, ".digit:text('2')")):
            file = {"name": "2.png", "mimeType": "image/png", "buffer": content}
            page.set_input_files("#file", file)
            page.wait_for_selector(seen)
