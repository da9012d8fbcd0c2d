"""A sheet of what a network sees."""

from collections.abc import Iterable

import numpy as np

from plotting import style

COLUMNS, CELL = 20, 30  # pictures of each style, evenly chosen; pixels of each
REFUSED, WRONG = (225, 225, 225), (225, 60, 60)


def draw(found: Iterable) -> bytes:
    """Draw a row for each style; return a PNG. Refused pictures are grey, wrong ones are red."""
    by_style: dict[str, list] = {}
    for one in found:
        by_style.setdefault(one.style, []).append(one)
    image = np.full((CELL * len(by_style), CELL * COLUMNS, 3), 255, np.uint8)
    for row, readings in enumerate(by_style.values()):
        chosen = np.linspace(0, len(readings) - 1, min(COLUMNS, len(readings))).round().astype(int)
        for column, place in enumerate(chosen):
            top, left = CELL * row + 1, CELL * column + 1
            image[top : top + 28, left : left + 28] = _cell(readings[place])
    title = "What the network sees: grey is refused, red is wrong"
    figure = style.figure(title, 0.35 * len(by_style) + 0.8)
    axis = figure.subplots()
    axis.imshow(image, interpolation="nearest")
    axis.set_yticks([CELL * (row + 0.5) for row in range(len(by_style))], list(by_style))
    axis.set_xticks([])
    axis.grid(False)
    return style.png(figure)


def _cell(reading) -> np.ndarray:
    if reading.image is None:
        return np.full((28, 28, 3), REFUSED, np.uint8)
    ink = reading.image[..., None] / 255
    colour = np.array(WRONG if reading.outcome() == "wrong" else (0, 0, 0))
    return np.rint(255 * (1 - ink) + colour * ink).astype(np.uint8)
