"""Every run's test error on one logarithmic axis, where 97 % and 99.5 % lie well apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import FuncFormatter, NullFormatter

from stages.plotting import style

TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Row:
    """One run: test error as a fraction, its 95 % interval, and the notebook's error or None."""

    label: str
    error: float
    low: float
    high: float
    notebook: float | None


def draw(title: str, rows: Sequence[Row], missing: Sequence[str]) -> bytes:
    """Draw one line a run, fewest errors on top, and name those without a figure; return a PNG."""
    rows = sorted(rows, key=lambda row: (row.error, row.label))
    figure = style.figure(1.9 + 0.34 * max(len(rows), 4), title)
    axis = figure.subplots()
    axis.set_xscale("log")
    for place, row in enumerate(rows):
        # No logarithm of a perfect score: it is drawn at the lower end of its interval's scale.
        error = 100 * max(row.error, 0.0005)
        axis.plot([100 * max(row.low, 0.0005), 100 * row.high], [place] * 2, color=style.RIGHT)
        axis.plot(error, place, marker="o", markersize=8, color=style.RIGHT)
        if row.notebook is not None:
            axis.plot(
                100 * row.notebook,
                place,
                marker="D",
                markersize=8,
                color=style.WRONG,
                markerfacecolor="none",
                markeredgewidth=1.6,
            )
        axis.annotate(
            f"{100 * (1 - row.error):.2f} %",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9.5,
            annotation_clip=False,
        )
    if not rows:
        axis.text(
            0.5,
            0.5,
            "no run has been evaluated",
            transform=axis.transAxes,
            ha="center",
            color=style.GREY,
        )
    axis.annotate(
        "accuracy",
        (1.01, 1.0),
        xycoords="axes fraction",
        va="bottom",
        fontsize=9.5,
        color=style.GREY,
        annotation_clip=False,
    )
    axis.set_yticks(range(len(rows)), [row.label for row in rows])
    axis.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    shown = [100 * e for row in rows for e in (row.low, row.high, row.notebook) if e is not None]
    low, high = min([*shown, 0.5]), max([*shown, 5.0])
    axis.set_xlim(max(0.05, low * 0.8), min(100, high * 1.25))
    axis.set_xticks([tick for tick in TICKS if axis.get_xlim()[0] <= tick <= axis.get_xlim()[1]])
    axis.xaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:g} %"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("test error (share of the 10,000 images misclassified, log scale)")
    here = axis.plot([], [], marker="o", markersize=8, color=style.RIGHT)
    notebook = axis.plot(
        [], [], marker="D", markersize=8, color=style.WRONG, markerfacecolor="none", linestyle=""
    )
    note = f"no test result: {', '.join(missing)}" if missing else None
    figure.legend(
        [*here, *notebook],
        ["measured here, with its 95 % interval", "the notebook's"],
        loc="outside lower center",
        ncols=2,
        title=note,
    )
    return style.png(figure)
