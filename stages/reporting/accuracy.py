"""Every run's test error on one logarithmic axis, where 97 % and 99.5 % lie well apart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from stages.reporting import style

HERE, NOTEBOOK = "#1b6ca8", "#bd1f01"
LOWEST = 0.0005  # where an error of 0 is drawn, which has no logarithm


class Row(NamedTuple):
    """One run: test error as a fraction, its 95 % interval, and the notebook's error or None."""

    label: str
    error: float
    low: float
    high: float
    notebook: float | None


def draw(title: str, rows: Sequence[Row], missing: Sequence[str]) -> bytes:
    """Draw one line per run, fewest errors on top, and name those without a figure.

    Returns:
        A PNG.
    """
    rows = sorted(rows, key=lambda row: (row.error, row.label))
    figure = style.figure(title, 1.9 + 0.34 * max(len(rows), 4))
    axis = figure.subplots()
    places = range(len(rows))
    figures = np.array([row[1:] for row in rows], float).reshape(-1, 4)
    error, low, high, notebook = 100 * np.maximum(figures, LOWEST).T
    axis.errorbar(error, places, xerr=[error - low, high - error], fmt="o", color=HERE)
    (theirs,) = axis.plot(
        notebook, places, "D", color=NOTEBOOK, markerfacecolor="none", markeredgewidth=1.6
    )
    (here,) = axis.plot([], [], "o-", color=HERE)
    beside = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
    for place, row in enumerate(rows):
        axis.annotate(
            f"{1 - row.error:.2%}".replace("%", " %"), (1.01, place), va="center", **beside
        )
    axis.annotate("accuracy", (1.01, -0.6), va="bottom", color=style.GREY, **beside)
    if not rows:
        words = "no run has been evaluated"
        axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", color=style.GREY)
    axis.set_yticks(places, [row.label for row in rows])
    axis.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axis.set_xscale("log")
    axis.set_xlim(
        max(100 * LOWEST, 0.8 * np.nanmin([*low, *notebook, 0.5])),
        min(100, 1.25 * np.nanmax([*high, *notebook, 5])),
    )
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:g} %"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("test error (share of the 10,000 images misclassified, log scale)")
    labels = ["measured here, with its 95 % interval", "the notebook's"]
    note = f"no test result: {', '.join(missing)}" if missing else ""
    style.legend(figure, [here, theirs], labels, note)
    return style.png(figure)
