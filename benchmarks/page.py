"""The page of `make draw` in a browser: digits are drawn on it, and the time to the answers taken.

python -m benchmarks.page

Needs Chromium. It also takes the screenshot in README, benchmarks/results/page.png.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from benchmarks import table
from benchmarks.drawings.strokes import DIGITS
from stages.system import errors
from stages.system.errors import UserError

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SHOWN = 3  # the digit of the screenshot


def main() -> None:
    """Draw every digit, then one for the screenshot."""
    if not CHROMIUM:
        raise UserError("chromium is not installed: install it and run again")
    with served() as url, opened(url) as page:
        found = {digit: draw(page, digit) for digit in [*DIGITS, SHOWN]}
        page.screenshot(path=table.FOLDER / "page.png")
    runs = found[SHOWN][0]
    rows = [
        {
            "run": run,
            "right": sum(said[run] == digit for digit, (said, _) in found.items()),
            "of": len(DIGITS),
        }
        for run in runs
    ]
    seconds = [one for _, one in found.values()]
    note = (
        f"Digits drawn with the mouse in Chromium: {median(seconds):.2f} s (at most "
        f"{max(seconds):.2f}) from the end of the last stroke to the answers of {len(runs)} runs."
    )
    table.write("page", (note, rows))


@contextmanager
def served() -> Iterator[str]:
    """Run `make draw`'s command at a free port; yield the page's address."""
    command = [sys.executable, "-m", "predict.draw", "--port", "0"]
    # of this code, wherever the models are; the browser is a program that does nothing
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "BROWSER": "true"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        lines = iter(process.stdout.readline, "")
        yield next(line for line in lines if line.startswith("draw at ")).split()[2]
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def opened(url: str) -> Iterator[Page]:
    """Open the page in Chromium, and wait until it knows the runs."""
    with sync_playwright() as playwright:
        # its sandbox does not work for root, as which CI may run
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1060, "height": 540})
        page.goto(url)
        page.wait_for_selector("tbody tr")
        yield page
        browser.close()


def draw(page: Page, digit: int) -> tuple[dict[str, int], float]:
    """Clear the page and draw a digit; return the runs' answers and the seconds to them."""
    page.click("#clear")
    box = page.locator("#sheet").bounding_box()
    for stroke in DIGITS[digit]:
        for x, y in stroke:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.mouse.down()  # again is nothing
        page.evaluate("document.querySelectorAll('.digit').forEach(one => one.textContent = '')")
        start = time.perf_counter()
        page.mouse.up()
        page.wait_for_function("document.querySelector('.digit').textContent !== ''")
        seconds = time.perf_counter() - start
    said = {
        row.get_attribute("data-run"): int(row.locator(".digit").inner_text())
        for row in page.locator("tbody tr").all()
    }
    return said, seconds


if __name__ == "__main__":
    errors.run(main)
