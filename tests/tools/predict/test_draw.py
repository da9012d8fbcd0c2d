"""The page of `make draw`: as another program asks it, and in a real browser."""

import http.client
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import pictures_kit as kit
import pytest
from helpers import ROOT, run_here
from playwright.sync_api import Page, sync_playwright

from stages import models
from stages.system.errors import UserError
from tools.predict import draw, pictures

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DIGIT = kit.saved(kit.typed(2)).getvalue()


@pytest.fixture(scope="module")
def url(trained: Path) -> Iterator[str]:
    network = models.load(trained / "data/models/model_b.pt")
    with draw.Server(0, {"model_b": network}, ["model_a"]) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def request(
    url: str, method: str = "POST", path: str = "/read", body: bytes = b"", **headers: str
) -> tuple[int, dict | bytes]:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content.startswith(b"{") else content


def test_every_run_answers(url: str) -> None:
    known = {"runs": ["model_b"], "missing": ["model_a"], "sure": 0.8}
    assert request(url, "GET", "/runs") == (200, known)
    assert request(url, "GET", "/") == (200, draw.PAGE.read_bytes())
    assert request(url, "GET", "/../params.yaml")[0] == 404
    status, said = request(url, body=DIGIT)
    assert status == 200
    assert said["runs"]["model_b"].index(max(said["runs"]["model_b"])) == 2
    assert [len(row) for row in said["image"]] == [28] * 28


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({}, 422, "The picture cannot be read as an image"),
        ({"Content-Length": str(draw.LARGEST + 1)}, 422, "must have at most 20,971,520 bytes"),
        ({"Content-Length": "-1"}, 422, "must have at most"),
        ({"Origin": "http://elsewhere.example"}, 403, "only the page itself"),
        ({"Host": "elsewhere.example:8000"}, 403, "only the page itself"),
    ],
)
def test_bad_requests_do_no_harm(headers: dict, status: int, words: str, url: str) -> None:
    found, said = request(url, body=b"no picture", **headers)
    assert found == status
    assert words in said["error"]
    assert request(url, body=DIGIT)[0] == 200


def test_too_little_memory_is_reported(url: str, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "decode", lambda _: [0] * 2**60)
    error = "out of memory: close other programs or make the picture smaller"
    assert request(url) == (507, {"error": error})


def test_a_text_browser_gets_the_page_but_not_the_terminal(trained: Path) -> None:
    (trained / "browser.py").write_text(
        "import sys, urllib.request\n"
        "urllib.request.urlretrieve(sys.argv[1], 'page')\n"
        "print('in the terminal')\n"
    )
    browser = f"{sys.executable} browser.py %s"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BROWSER": browser}
    command = [sys.executable, "-m", "tools.predict.draw", "--port", "0"]
    with Popen(command, cwd=trained, env=environment, stdout=PIPE, text=True) as process:
        missing, ready = (process.stdout.readline() for _ in range(2))
        page, end = trained / "page", time.monotonic() + 30
        while time.monotonic() < end and not (page.exists() and page.stat().st_size):
            time.sleep(0.1)
        process.terminate()
        rest = process.stdout.read()
    assert missing.startswith("not trained, so left out (`make repro` trains them): resnet18, ")
    assert ready.startswith("draw at http://127.0.0.1:")
    assert page.read_bytes() == draw.PAGE.read_bytes()
    assert rest == ""


def test_it_needs_a_trained_run_and_a_free_port(url: str, trained, tmp_path, monkeypatch) -> None:
    shutil.copy(trained / "dvc.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no run is trained: run `make repro` first"):
        run_here(draw)
    monkeypatch.chdir(trained)
    port = url.rsplit(":")[-1]
    with pytest.raises(UserError, match=f"port {port} cannot be used .*: choose another"):
        run_here(draw, "--port", port)


def answer_to(page: Page, digit: int) -> str:
    """Draw a digit with the mouse; return the answer."""
    page.click("#clear")
    box = page.locator("#sheet").bounding_box()
    for stroke in kit.STROKES[digit]:
        for x, y in stroke:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.mouse.down()  # has no effect the second time
        with page.expect_response("**/read"):
            page.mouse.up()
    page.wait_for_function("document.querySelector('.digit').textContent !== ''")
    return page.inner_text(".digit")


def choose(page: Page, content: bytes) -> None:
    """Open a file with the keyboard."""
    page.focus("#file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "2.png", "mimeType": "image/png", "buffer": content})


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_digits_drawn_in_a_browser_are_read(url: str) -> None:
    with sync_playwright() as playwright:
        # its sandbox does not work for root, as which CI may run
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("tbody tr")
        assert page.inner_text("#words") == "Not trained, so left out: model_a."
        assert [answer_to(page, digit) for digit in kit.STROKES] == ["3", "4", "7"]
        page.click("#clear")
        assert page.inner_text(".digit") == ""
        choose(page, b"no picture")
        page.wait_for_selector("#words.error")
        assert page.inner_text("#words").startswith("The picture cannot be read as an image")
        choose(page, DIGIT)
        page.wait_for_function("document.querySelector('.digit').textContent === '2'")
        browser.close()
