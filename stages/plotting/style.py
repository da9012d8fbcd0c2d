"""One look for every picture, and the same bytes for the same values."""

import io

import matplotlib
from matplotlib.figure import Figure

# A user's own matplotlibrc must not reach what DVC tracks.
matplotlib.rcdefaults()
matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "figure.dpi": 130,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": 0.1,
        "figure.constrained_layout.h_pad": 0.08,
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
    }
)

WIDTH = 9.0  # inches: 1170 pixels, shown at about 900 by GitHub
GREY = "#717581"
RIGHT, WRONG = "#1b6ca8", "#bd1f01"

# Ten colours that stay apart under the common colour-vision deficiencies: M. A. Petroff,
# "Accessible Color Sequences for Data Visualization", arXiv:2107.02270, in an order that
# keeps the first six dark enough for lines on white.
COLOURS = (
    "#3f90da",
    "#bd1f01",
    "#ffa90e",
    "#832db6",
    "#94a4a2",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadb",
)


def colour(index: int) -> str:
    """Return the `index`-th line colour, beginning again after the tenth."""
    return COLOURS[index % len(COLOURS)]


def figure(height: float, title: str) -> Figure:
    """Return an empty white figure, `WIDTH` by `height` inches, under a bold `title`."""
    empty = Figure(figsize=(WIDTH, height), facecolor="white")
    empty.suptitle(title, fontsize=13, fontweight="bold")
    return empty


def png(drawn: Figure) -> bytes:
    """Return the figure as a PNG that names neither software nor time."""
    content = io.BytesIO()
    drawn.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
