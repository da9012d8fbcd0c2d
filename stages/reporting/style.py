"""One look for every picture, and the same bytes for the same values."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import style
from matplotlib.axis import Axis
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


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG that names neither software nor time."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
