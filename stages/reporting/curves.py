"""Training and validation loss over the epochs."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from stages.reporting import style
from stages.reporting.comparisons import Comparison
from stages.reporting.notebook import NAMES
from stages.results.runs import Run

MARKERS = "osD^vPX"
MOST = 11  # more learning rates than these have a colour bar, not a legend


def draw(title: str, panels: dict[str, Comparison]) -> bytes:
    """Draw comparisons side by side with one logarithmic loss axis; return a PNG."""
    figure, axes = style.subplots(title, ncols=len(panels), sharey=True, squeeze=False)
    entries = {}
    for axis, (name, compared) in zip(axes[0], panels.items(), strict=True):
        axis.set_title(name)
        _loss_axis(axis)
        missing = [f"no results for {label}" for label in compared.missing]
        # A setting keeps its colour even where another one is missing.
        places = list(dict.fromkeys([*compared.expected, *compared.runs]))
        many = compared.meant == "lr" and len(places) > MOST
        if many:
            rates = [run.settings["lr"] for run in compared.runs.values()]
            scale = style.color_bar(axis, rates, "lr")
        for label, run in compared.runs.items():
            if not run.steps:
                missing.append(f"no loss curves for {label}")
                continue
            if many:
                color, width = scale.to_rgba(run.settings["lr"]), 1
                look = {"color": color, "marker": "o", "markersize": 3}
            else:
                place, width = places.index(label), None
                color, marker = f"C{place}", MARKERS[place % len(MARKERS)]
                look = {"color": color, "marker": marker, "markeredgecolor": "white"}
                entries.setdefault(label, axis.plot([], [], **look)[0])
            axis.plot(run.steps["epoch"], run.steps["loss"], color=color, linewidth=width)
            if run.epochs:
                points = run.epochs["epoch"], run.epochs["validation_loss"]
                axis.plot(*points, linestyle="", zorder=3, **look)
        corner = {"transform": axis.transAxes, "ha": "right", "va": "top", "color": style.GREY}
        axis.text(0.98, 0.97, "\n".join(style.few(missing)), **corner)
        axis.set_xlim(left=0)
    axes[0, 0].set_ylabel("cross entropy loss (nats, log scale)")
    key = "line: training loss; marker: validation loss at the end of the epoch"
    style.legend(figure, entries.values(), entries.keys(), key)
    return style.png(figure)


def reference(recorded: dict[str, Run], runs: dict[str, Run]) -> bytes:
    """Draw the losses per epoch that the notebook recorded, and ours over them; return a PNG."""
    figure, axis = style.subplots("Training loss: the notebook's and ours")
    _loss_axis(axis)
    dashed = {"linestyle": (0, (2, 1.2)), "markerfacecolor": "white", "zorder": 3}
    for place, (name, theirs) in enumerate(recorded.items()):
        label, color = NAMES[name], f"C{place}"
        points = theirs.epochs["epoch"], theirs.epochs["train_loss"]
        axis.plot(*points, "s-", color=color, markersize=4, label=f"{label}, notebook")
        if name in runs and runs[name].epochs:
            points = runs[name].epochs["epoch"], runs[name].epochs["train_loss"]
            axis.plot(*points, "o", color=color, label=f"{label}, here", **dashed)
        else:
            axis.plot([], [], " ", label=f"{label}: not run here")
    axis.set_ylabel("mean training loss of the epoch (nats, log scale)")
    style.legend(figure, *axis.get_legend_handles_labels())
    return style.png(figure)


def _loss_axis(axis: Axes) -> None:
    axis.set_yscale("log", nonpositive="mask")
    style.label_log(axis.yaxis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")
