"""The page of `make draw`: as another program asks it, and in a real browser."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import drawings
import pytest
from helpers import ROOT, refusal, run_stage
from PIL import Image

from tools.bench import page
from tools.bench.drawings.strokes import DIGITS
from tools.predict.draw import LARGEST, PAGE

BROWSER = pytest.mark.skipif(not page.CHROMIUM, reason="chromium is not installed")


@pytest.fixture(scope="module")
def url(trained: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        with page.served() as url:
            yield url


def request(
    url: str, method: str = "POST", path: str = "/read", body: bytes = b"", **headers: str
) -> tuple[int, dict]:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content.startswith(b"{") else content


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def drawn(digit: int) -> bytes:
    return png(drawings.typed(digit))


def test_every_trained_run_answers_and_the_others_are_named(url: str) -> None:
    _, known = request(url, "GET", "/runs")
    assert known["runs"] == ["model_b"]
    assert len(known["missing"]) == 9
    status, said = request(url, body=drawn(0))
    assert status == 200
    assert said["runs"]["model_b"].index(max(said["runs"]["model_b"])) == 0
    assert [len(row) for row in said["image"]] == [28] * 28
    assert request(url, "GET", "/") == (200, PAGE.read_bytes())


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"", {}, 422, "The picture cannot be read as an image"),
        (b"no picture", {}, 422, "The picture cannot be read as an image"),
        (png(Image.new("RGB", (50, 40), "pink")), {}, 422, "The picture is blank"),
        (png(Image.new("1", (9500, 9500))), {}, 422, "has more than 89,478,485 pixels"),
        (b"", {"Content-Length": str(LARGEST + 1)}, 413, "20,971,520 bytes at most"),
        (b"", {"Content-Length": "-1"}, 413, "bytes at most"),
        (b"", {"Content-Length": "many"}, 413, "bytes at most"),
        (drawn(0), {"Origin": "http://elsewhere.example"}, 403, "only the page itself"),
        (drawn(0), {"Host": "elsewhere.example:8000"}, 403, "only the page itself"),
    ],
)
def test_bad_requests_do_no_harm(
    body: bytes, headers: dict, status: int, words: str, url: str
) -> None:
    found, said = request(url, body=body, **headers)
    assert found == status
    assert words in said["error"]
    assert request(url, body=drawn(0))[0] == 200


def test_there_is_nothing_else(url: str) -> None:
    assert request(url, "GET", "/../params.yaml")[0] == 404


def test_it_needs_a_trained_run_and_a_free_port(url: str, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_bytes((trained / "dvc.yaml").read_bytes())
    nothing = run_stage("tools.predict.draw", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert refusal(nothing) == "error: no run is trained: run `make repro` first"
    port = url.rsplit(":")[-1]
    taken = run_stage("tools.predict.draw", "--port", port, cwd=trained, PYTHONPATH=str(ROOT))
    assert f"error: port {port} cannot be used" in refusal(taken)


@BROWSER
def test_digits_drawn_in_a_browser_are_read(url: str) -> None:
    with page.opened(url) as sheet:
        assert "model_a, resnet18, alexnet" in sheet.inner_text("#words")
        right = [page.draw(sheet, digit)[0] == {"model_b": digit} for digit in DIGITS]
        assert sum(right) >= 8  # it was trained for seconds
        sheet.click("#clear")
        assert sheet.inner_text(".digit") == ""
        sheet.set_input_files("#file", {"name": "x", "mimeType": "image/png", "buffer": b"no"})
        sheet.wait_for_selector("#words.error")
        assert sheet.inner_text("#words").startswith("The picture cannot be read as an image")
        typed = {"name": "7.png", "mimeType": "image/png", "buffer": drawn(7)}
        sheet.set_input_files("#file", typed)
        sheet.wait_for_function("document.querySelector('.digit').textContent === '7'")
