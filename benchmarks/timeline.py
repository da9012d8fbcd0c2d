"""When each stage of a run of the pipeline ran."""

from collections.abc import Mapping

from benchmarks.workspace import Usage
from plotting import style


def draw(runs: Mapping[str, Mapping[str, Usage]]) -> bytes:
    """Draw a panel for each run, its stages from top to bottom as they began in the first run.

    Args:
        runs: what each stage's command used, by title.

    Returns:
        A PNG.
    """
    first = next(iter(runs.values()))
    stages = sorted(first, key=lambda stage: first[stage].began)
    figure = style.figure("When each stage ran", 1.5 + 0.22 * len(stages))
    axes = figure.subplots(1, len(runs), sharex=True, sharey=True)
    for axis, (title, used) in zip(axes, runs.items(), strict=True):
        zero = min(one.began for one in used.values())
        began = [used[stage].began - zero for stage in stages]
        axis.barh(range(len(stages)), [used[stage].seconds for stage in stages], left=began)
        axis.set_title(title)
        axis.set_xlabel("seconds")
    axes[0].set_yticks(range(len(stages)), stages)
    axes[0].invert_yaxis()
    return style.png(figure)
