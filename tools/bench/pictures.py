"""How well pictures that people hand in are read: right, refused or wrong, by style.

python -m tools.bench.pictures [--run resnet18] [--styles ruled ...] [--of-each 5]

Pictures are drawn from MNIST's digits (tools/bench/drawings/): those of the table from test digits,
those that the least probability of an answer is chosen on from training digits.
"""

import argparse
import os
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from stages import models
from stages.mnist import images
from stages.results import runs
from stages.system import errors, outputs
from stages.system.errors import UserError
from tools.bench import table
from tools.bench.drawings import sheet
from tools.bench.drawings.styles import NONE, ONE, SEVERAL
from tools.predict import answer, pictures

STYLES = ONE | NONE | SEVERAL
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
FIRST = 10  # of each digit's images that are drawn: tests use the first


class Reading(NamedTuple):
    """A drawn picture and what became of it.

    Attributes:
        style: its name.
        digit: what is right, None if there is no answer.
        image: (28, 28) uint8 that the network saw, None if no digit was found.
        said: the network's ten probabilities.
    """

    style: str
    digit: int | None
    image: np.ndarray | None = None
    said: list[float] | None = None

    def outcome(self, least: float = answer.SURE) -> str:
        """Return "right", "not sure", "refused" or "wrong"."""
        if self.said is None:
            return "refused"
        digit = answer.ranked(self.said)[0]
        if self.said[digit] < least:
            return "not sure"
        return "right" if digit == self.digit else "wrong"


def main() -> None:
    """Draw, read and count; write tables and a sheet of what the network saw."""
    parser = argparse.ArgumentParser(description="Read drawn pictures of digits.")
    parser.add_argument("--run", choices=runs.names(), default="resnet18")
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=list(STYLES))
    parser.add_argument("--of-each", type=int, default=5, help="pictures of each digit and style")
    options = parser.parse_args()
    if options.of_each < 1:
        raise UserError("--of-each has to be 1 or more")
    models.load(f"data/models/{options.run}.pt")  # says now if it is not there
    chosen_on, found = (
        every(options.run, options.styles, part, options.of_each) for part in ("train", "test")
    )
    note = (
        f"Pictures of test digits, read with {options.run}; an answer needs a probability of "
        f"{answer.SURE:.0%}. Where there is no digit or several, refused is what is right."
    )
    rows = [row(style, [one for one in found if one.style == style]) for style in options.styles]
    levels = [level(least, chosen_on) for least in LEVELS]
    table.write("pictures", (note, rows), ("Pictures of training digits:", levels))
    outputs.write_bytes(table.FOLDER / "pictures.png", sheet.draw(found))


def every(run: str, styles: list[str], part: str, of_each: int) -> list[Reading]:
    """Draw and read all pictures of "train" or "test" digits, one process a core."""
    work = partial(readings, run, part=part, of_each=of_each)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        return [one for found in processes.map(work, styles) for one in found]


def readings(run: str, style: str, part: str, of_each: int) -> list[Reading]:
    """Draw and read the pictures of one style."""
    torch.set_num_threads(1)
    network = models.load(f"data/models/{run}.pt")
    digits, labels = (values.numpy() for values in images.load(part))
    found = []
    for digit in range(10):
        for index in np.flatnonzero(labels == digit)[FIRST : FIRST + of_each]:
            image = draw(style, digits, index)
            right = digit if style in ONE else None
            try:
                seen = pictures.normalise(*pictures.channels(image))
            except UserError:
                found.append(Reading(style, right))
            else:
                found.append(Reading(style, right, seen.numpy(), answer.ask(network, seen)))
    return found


def draw(style: str, digits: np.ndarray, index: int) -> Image.Image:
    """Draw a digit, the same each time."""
    rng = np.random.default_rng([index, zlib.crc32(style.encode())])
    others = [digits[rng.integers(len(digits))]] if style in SEVERAL else []
    values = STYLES[style](digits[index], rng, *others)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def row(style: str, found: list[Reading]) -> dict[str, Any]:
    """Count what became of a style's pictures."""
    outcomes = [one.outcome() for one in found]
    words = ("right", "not sure", "refused", "wrong")
    return {"style": style, "pictures": len(found)} | {word: outcomes.count(word) for word in words}


def level(least: float, found: list[Reading]) -> dict[str, Any]:
    """Count all answers with at least that probability."""
    outcomes = [one.outcome(least) for one in found]
    words = ("right", "not sure", "wrong")
    return {"least probability": f"{least:.0%}"} | {word: outcomes.count(word) for word in words}


if __name__ == "__main__":
    errors.run(main)
