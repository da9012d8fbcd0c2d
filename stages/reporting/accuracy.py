"""Every run's test error on one logarithmic axis, where 97 % and 99.5 % lie well apart."""

import numpy as np

from stages.reporting import style
from stages.results.markdown import percent
from stages.results.runs import TEST_IMAGES, Run
from stages.results.statistics import wilson

HERE, NOTEBOOK = "#1b6ca8", "#bd1f01"
MOST = 20  # runs that the notebook does not have, the best, are drawn
LOWEST = 0.05  # %: where an error of 0 is drawn, which has no logarithm


def draw(runs: dict[str, Run], recorded: dict[str, Run]) -> bytes:
    """Draw one line per run, fewest errors on top, and the notebook's; return a PNG."""
    tested = [run for run in runs.values() if run.errors is not None]
    tested.sort(key=lambda run: (run.errors, run.name))
    missing = [run.name for run in runs.values() if run.errors is None]
    others = [run.name for run in tested if run.name not in recorded]
    hidden = set(others[MOST:])
    tested = [run for run in tested if run.name not in hidden]
    figure, axis = style.subplots(f"Test error of {'the best runs' if hidden else 'every run'}")
    figure.set_figheight(1.9 + 0.34 * max(len(tested), 4))
    theirs = {name: 1 - run.accuracy for name, run in recorded.items()}
    rows = [
        (run.errors / TEST_IMAGES, *wilson(run.errors), theirs.get(run.name, np.nan))
        for run in tested
    ]
    error, low, high, notebook = np.maximum(100 * np.array(rows).reshape(-1, 4), LOWEST).T
    places = range(len(tested))
    axis.errorbar(error, places, xerr=[error - low, high - error], fmt="o", color=HERE)
    (diamonds,) = axis.plot(
        notebook, places, "D", color=NOTEBOOK, markerfacecolor="none", markeredgewidth=1.6
    )
    (dots,) = axis.plot([], [], "o-", color=HERE)
    beside = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
    axis.annotate("accuracy", (1.01, -0.6), va="bottom", color=style.GREY, **beside)
    for place, run in enumerate(tested):
        axis.annotate(percent(run.accuracy), (1.01, place), va="center", **beside)
    axis.set_yticks(places, [run.name for run in tested])
    axis.set_ylim(max(len(tested), 1) - 0.4, -0.6)
    axis.set_xscale("log")
    least, most = np.nanmin([*low, *notebook, 0.5]), np.nanmax([*high, *notebook, 5])
    axis.set_xlim(max(LOWEST, 0.8 * least), min(100, 1.25 * most))
    style.label_log(axis.xaxis, " %")
    axis.set_xlabel("test error (share of the 10,000 images misclassified, log scale)")
    labels = ["measured here, with its 95 % interval", "the notebook's"]
    notes = [f"no test result: {', '.join(style.few(missing))}"] if missing else []
    if hidden:
        notes.append(f"not shown: {len(hidden)} runs that are no better than the {MOST} best")
    style.legend(figure, [dots, diamonds], labels, "; ".join(notes))
    return style.png(figure)
