"""Training and validation loss over the epochs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stages.plotting import style

Points = Sequence[tuple[float, float | None]]
MARKERS = "osD^vPX"


@dataclass(frozen=True)
class Curve:
    """One run's losses as (epoch, loss); None where the loss was not finite.

    `colour` is the place in the palette, so that one setting keeps its colour in every panel.
    """

    label: str
    train: Points
    validation: Points
    colour: int


@dataclass(frozen=True)
class Panel:
    """The curves that share a pair of axes, and what to say about those that are not there."""

    title: str
    curves: Sequence[Curve]
    missing: Sequence[str] = ()


def draw(title: str, panels: Sequence[Panel]) -> bytes:
    """Draw panels side by side with one logarithmic loss axis; return a PNG.

    Lines are the training loss, markers the validation loss at the end of each epoch.
    """
    figure = style.figure(4.9, title)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        axis.set_title(panel.title)
        _loss_axis(axis)
        for curve in panel.curves:
            look = {
                "color": style.colour(curve.colour),
                "marker": MARKERS[curve.colour % len(MARKERS)],
                "markersize": 8,
                "markeredgecolor": "white",
            }
            axis.plot(*_columns(curve.train), color=look["color"])
            axis.plot(*_columns(curve.validation), linestyle="", zorder=3, **look)
            axis.plot([], [], label=curve.label, **look)
        _note(axis, panel)
        axis.set_xlim(left=0)
    axes[0].set_ylabel("cross entropy loss (nats, log scale)")
    _legend(figure, axes, "line: training loss; marker: validation loss at the end of the epoch")
    return style.png(figure)


def reference(title: str, pairs: Sequence[tuple[Curve, Curve | None]]) -> bytes:
    """Draw recorded losses per epoch, each with the one measured here or None; return a PNG."""
    figure = style.figure(4.9, title)
    axis = figure.subplots()
    _loss_axis(axis)
    for recorded, measured in pairs:
        look = {"color": style.colour(recorded.colour)}
        label = f"{recorded.label}, notebook"
        axis.plot(*_columns(recorded.train), marker="s", markersize=4, label=label, **look)
        if measured is None:
            axis.plot([], [], linestyle="", label=f"{recorded.label}: not run here")
            continue
        axis.plot(
            *_columns(measured.train),
            linestyle=(0, (2, 1.2)),
            marker="o",
            markersize=8,
            markerfacecolor="white",
            label=f"{recorded.label}, here",
            zorder=3,
            **look,
        )
    axis.set_ylabel("mean training loss of the epoch (nats, log scale)")
    _legend(figure, [axis], "")
    return style.png(figure)


def _loss_axis(axis: Axes) -> None:
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")


def _columns(points: Points) -> tuple[list[float], list[float]]:
    """Split points; what a logarithmic axis cannot show becomes a gap."""
    return (
        [epoch for epoch, _ in points],
        [loss if loss is not None and loss > 0 else math.nan for _, loss in points],
    )


def _note(axis: Axes, panel: Panel) -> None:
    if not panel.missing:
        return
    text = "\n".join(panel.missing)
    place = (0.5, 0.5, "center") if not panel.curves else (0.98, 0.97, "top")
    axis.text(
        place[0],
        place[1],
        text,
        transform=axis.transAxes,
        ha="right" if panel.curves else "center",
        va=place[2],
        color=style.GREY,
        fontsize=9,
    )


def _legend(figure: Figure, axes: Sequence[Axes], key: str) -> None:
    entries = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if not entries:
        return
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside lower center",
        ncols=4,
        title=key or None,
        handlelength=3,
    )
