"""The test images that a network got wrong while being most sure of itself."""

from collections.abc import Sequence

import numpy as np

from stages.plotting import style

COLUMNS, ROWS = 8, 3


def draw(
    images: np.ndarray,
    actual: Sequence[int],
    predicted: Sequence[int],
    probability: Sequence[float],
    title: str,
) -> bytes:
    """Draw up to 24 of K misclassified images, the most confident first.

    Args:
        images: uint8 (K, 28, 28).
        actual: the K true digits.
        predicted: the K digits that the network saw in them.
        probability: what the network gave each of its answers, 0..1.
        title: the line above.

    Returns:
        A PNG. For K = 0 it says that there were no mistakes.
    """
    figure = style.figure(4.9, title)
    if len(images) == 0:
        figure.text(0.5, 0.5, "No test image was misclassified.", ha="center", color=style.GREY)
        return style.png(figure)
    figure.supxlabel(
        "true digit \N{RIGHTWARDS ARROW} predicted digit, and the probability given to it",
        fontsize=10,
    )
    # A network whose loss diverged gives no numbers; those images come last.
    order = np.argsort(-np.nan_to_num(probability, nan=-1.0), kind="stable")
    axes = figure.subplots(ROWS, COLUMNS).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, i in zip(axes, order, strict=False):
        axis.imshow(images[i], cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(
            f"{actual[i]} \N{RIGHTWARDS ARROW} {predicted[i]}   {_percent(probability[i])}",
            fontsize=9.5,
        )
    return style.png(figure)


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %" if np.isfinite(probability) else "no number"
