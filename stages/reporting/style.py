"""One look for every picture, and the same bytes for the same values."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

# A user's own matplotlibrc must not reach what DVC tracks.
matplotlib.rcdefaults()
style.use(Path(__file__).with_name("house.mplstyle"))

GREY = "C8"


def subplots(title: str, **options: Any) -> tuple[Figure, Any]:
    """Return a figure and its axes, as pyplot's function of this name does."""
    figure = Figure()
    figure.suptitle(title)
    return figure, figure.subplots(**options)


def label_log(axis: Axis, unit: str = "") -> None:
    """Label a logarithmic axis at 1, 2 and 5 of each decade."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{unit}"))
    axis.set_minor_formatter(NullFormatter())


def legend(figure: Figure, handles: Sequence, labels: Sequence[str], title: str = "") -> None:
    """Put a legend below everything else, its title above the entries."""
    figure.legend(handles, labels, loc="outside lower center", ncols=4, title=title or None)


def color_bar(axis: Axes, values: Sequence[float], label: str) -> ScalarMappable:
    """Put a logarithmic colour bar next to an axis; return what maps a value to its colour."""
    scale = ScalarMappable(LogNorm(min(values), max(values)), "viridis")
    bar = axis.figure.colorbar(scale, ax=axis, label=f"{label} (log scale)")
    label_log(bar.ax.yaxis)
    return scale


def few(words: list[str]) -> list[str]:
    """Return the first words, and how many more there are."""
    return [*words[:3], f"{len(words) - 3} more"] if len(words) > 4 else words


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG that names neither software nor time."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
