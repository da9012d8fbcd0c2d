"""One look for every picture, and the same bytes for the same values."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib import style
from matplotlib.figure import Figure

# A user's own matplotlibrc must not reach what DVC tracks.
matplotlib.rcdefaults()
style.use(Path(__file__).with_name("house.mplstyle"))

GREY = "C8"


def figure(title: str, height: float | None = None) -> Figure:
    """Return an empty figure under a bold title, of the house's size or `height` inches high."""
    empty = Figure()
    if height:
        empty.set_figheight(height)
    empty.suptitle(title)
    return empty


def legend(figure: Figure, handles: Sequence, labels: Sequence[str], title: str = "") -> None:
    """Put a legend below everything else, its title above the entries."""
    figure.legend(handles, labels, loc="outside lower center", ncols=4, title=title or None)


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG that names neither software nor time."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
