"""The test images that a network got wrong while being most sure of itself."""

import csv
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from stages.mnist import pins
from stages.reporting import style
from stages.results.runs import TEST_IMAGES, parsed

ROWS, COLUMNS = 3, 8
ARROW = "\N{RIGHTWARDS ARROW}"


class Mistakes(NamedTuple):
    """K images that a run got wrong."""

    places: np.ndarray  # int (K,), in the test set
    images: np.ndarray  # uint8 (K, 28, 28)
    actual: np.ndarray  # (K,), the true digits
    predicted: np.ndarray  # int (K,), what the network took them for
    probability: np.ndarray  # float (K,), of that; nan where the network gave no number


def read(runs: Iterable[str]) -> dict[str, Mistakes]:
    """Return the mistakes of runs that have predictions; raise a UserError for a corrupt file."""
    images, labels = (pins.read(pins.FOLDER / name) for name in pins.TEST)
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    digits = np.frombuffer(labels, np.uint8, offset=8)
    found = {}
    for run in runs:
        if answers := parsed(f"data/predictions/{run}.csv", _predictions):
            wrong = np.flatnonzero(answers[0] != digits)
            found[run] = Mistakes(wrong, *(array[wrong] for array in (pixels, digits, *answers)))
    return found


def draw(run: str, wrong: Mistakes) -> bytes:
    """Draw up to 24 mistakes, the most confident first; return a PNG."""
    figure, axis = style.subplots(f"{run}: most confident of its {len(wrong.places)} mistakes")
    figure.supxlabel(f"true digit {ARROW} predicted digit, with the probability given to it")
    axis.axis("off")
    order = np.argsort(-np.nan_to_num(wrong.probability, nan=-1.0), kind="stable")
    for place, i in enumerate(order[: ROWS * COLUMNS]):
        row, column = divmod(place, COLUMNS)
        left, bottom = 36 * column, -46 * row
        extent = (left, left + 28, bottom, bottom + 28)
        image, share = wrong.images[i], wrong.probability[i]
        axis.imshow(image, "gray_r", vmin=0, vmax=255, interpolation="nearest", extent=extent)
        sure = f"{100 * share:.1f} %" if np.isfinite(share) else "no number"
        words = f"{wrong.actual[i]} {ARROW} {wrong.predicted[i]}   {sure}"
        axis.text(left + 14, bottom + 32, words, ha="center", fontsize=9.5)
    axis.set(xlim=(-4, 36 * COLUMNS - 4), ylim=(-46 * (ROWS - 1), 36))
    return style.png(figure)


def _predictions(text: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return predicted, int (10000,), and probability, float (10000,); None if there is no file."""
    if not text:
        return None
    header, *rows = csv.reader(text.splitlines(), strict=True)
    if header != ["predicted", "probability"] or len(rows) != TEST_IMAGES:
        raise ValueError(text)
    digits, shares = zip(*rows, strict=True)
    return np.array(digits, int), np.array([share or "nan" for share in shares], float)
