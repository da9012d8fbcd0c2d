"""The test images that a network got wrong while being most sure of itself."""

import numpy as np

from stages.reporting import style

ROWS, COLUMNS = 3, 8
ARROW = "\N{RIGHTWARDS ARROW}"


def draw(
    title: str,
    images: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
) -> bytes:
    """Draw up to 24 of K misclassified images, the most confident first; return a PNG.

    Args:
        title: the line above.
        images: uint8 (K, 28, 28).
        actual: int (K,), the true digits.
        predicted: int (K,), what the network took them for.
        probability: float (K,), 0 to 1, what it gave its answers; nan where it gave no number.
    """
    figure = style.figure(title)
    if len(images) == 0:
        figure.text(0.5, 0.5, "No test image was misclassified.", ha="center", color=style.GREY)
        return style.png(figure)
    figure.supxlabel(f"true digit {ARROW} predicted digit, with the probability given to it")
    axis = figure.subplots()
    axis.axis("off")
    order = np.argsort(-np.nan_to_num(probability, nan=-1.0), kind="stable")
    for place, i in enumerate(order[: ROWS * COLUMNS]):
        row, column = divmod(place, COLUMNS)
        left, bottom = 36 * column, -46 * row
        extent = (left, left + 28, bottom, bottom + 28)
        axis.imshow(images[i], "gray_r", vmin=0, vmax=255, interpolation="nearest", extent=extent)
        sure = f"{100 * probability[i]:.1f} %" if np.isfinite(probability[i]) else "no number"
        words = f"{actual[i]} {ARROW} {predicted[i]}   {sure}"
        axis.text(left + 14, bottom + 32, words, ha="center", fontsize=9.5)
    axis.set(xlim=(-4, 36 * COLUMNS - 4), ylim=(-46 * (ROWS - 1), 36))
    return style.png(figure)
