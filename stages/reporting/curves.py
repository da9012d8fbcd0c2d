"""Training and validation loss over the epochs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stages.reporting import style

Points = Sequence[tuple[float, float | None]]
MARKERS = "osD^vPX"


class Curve(NamedTuple):
    """One run's losses as (epoch, loss); None where the loss was not finite.

    `colour` is the place in the palette, so that one setting keeps its colour in every panel.
    """

    label: str
    train: Points
    validation: Points
    colour: int


class Panel(NamedTuple):
    """The curves that share a pair of axes, and what to say about those that are not there."""

    title: str
    curves: Sequence[Curve]
    missing: Sequence[str] = ()


def draw(title: str, panels: Sequence[Panel]) -> bytes:
    """Draw panels side by side with one logarithmic loss axis; return a PNG.

    Lines are the training loss, markers the validation loss at the end of each epoch.
    """
    figure = style.figure(title)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    entries = {}
    for axis, panel in zip(axes, panels, strict=True):
        axis.set_title(panel.title)
        _loss_axis(axis)
        for curve in panel.curves:
            marker = MARKERS[curve.colour % len(MARKERS)]
            look = {"color": f"C{curve.colour}", "marker": marker, "markeredgecolor": "white"}
            axis.plot(*_columns(curve.train), color=look["color"])
            axis.plot(*_columns(curve.validation), linestyle="", zorder=3, **look)
            entries.setdefault(curve.label, axis.plot([], [], **look)[0])
        x, y, side, top = (
            (0.98, 0.97, "right", "top") if panel.curves else (0.5,) * 2 + ("center",) * 2
        )
        words = "\n".join(panel.missing)
        axis.text(x, y, words, transform=axis.transAxes, ha=side, va=top, color=style.GREY)
        axis.set_xlim(left=0)
    axes[0].set_ylabel("cross entropy loss (nats, log scale)")
    key = "line: training loss; marker: validation loss at the end of the epoch"
    style.legend(figure, entries.values(), entries.keys(), key)
    return style.png(figure)


def reference(title: str, pairs: Sequence[tuple[Curve, Curve | None]]) -> bytes:
    """Draw recorded losses per epoch, each with the one measured here or None; return a PNG."""
    figure = style.figure(title)
    axis = figure.subplots()
    _loss_axis(axis)
    for recorded, measured in pairs:
        name, color = recorded.label, f"C{recorded.colour}"
        theirs = {"markersize": 4, "label": f"{name}, notebook"}
        axis.plot(*_columns(recorded.train), "s-", color=color, **theirs)
        if measured is None:
            axis.plot([], [], " ", label=f"{name}: not run here")
            continue
        ours = {"linestyle": (0, (2, 1.2)), "markerfacecolor": "white", "zorder": 3}
        axis.plot(*_columns(measured.train), "o", color=color, label=f"{name}, here", **ours)
    axis.set_ylabel("mean training loss of the epoch (nats, log scale)")
    style.legend(figure, *axis.get_legend_handles_labels())
    return style.png(figure)


def _loss_axis(axis: Axes) -> None:
    axis.set_yscale("log", nonpositive="mask")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")


def _columns(points: Points) -> np.ndarray:
    """Return epochs and losses, float (2, N); nan, drawn as a gap, where there is no loss."""
    return np.array(points, float).reshape(-1, 2).T
