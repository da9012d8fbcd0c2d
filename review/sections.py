"""The tables and lists of a review, each under its heading or absent."""

from collections import defaultdict
from collections.abc import Callable

from review.causes import Cause
from review.markdown import NONE, code, listed, table
from review.noise import PATH
from review.runs import DECIDED, Change, Comparison, Result, Verdict, difference
from stages.reporting.tables import loss, percent

WORSE = "▼"


def parameters(values: list[tuple[str, str, str]]) -> str:
    """Tabulate the params that differ: name, before, after."""
    return "### Parameters\n\n" + (
        table(["parameter", "before", "after"], values) if values else "None changed."
    )


def results(compared: Comparison) -> str:
    """Tabulate the runs that changed, best change first, and name the others."""
    text = ["### Results"]
    if compared.changed:
        header = ["run", "verdict", "test accuracy", "test errors", "test loss",
                  "validation accuracy", "noise of the seed: accuracy, loss"]  # fmt: skip
        text += [table(header, map(_row, compared.changed)), _legend(compared)]
    for word, runs in (("Added", compared.added), ("Removed", compared.removed)):
        if runs:
            header = ["run", "test accuracy", "test errors", "test loss", "validation accuracy"]
            rows = [[code(run), *_figures(result)] for run, result in runs.items()]
            text += [f"{word}, with nothing to compare:", table(header, rows)]
    if compared.unchanged:
        text.append(f"Unchanged: {listed(compared.unchanged)}.")
    return "\n\n".join(text)


def stages(ran: dict[str, frozenset[Cause]], gone: list[str]) -> str:
    """Tabulate the stages that ran again by what made them."""
    text = ["### Stages that ran again"]
    groups = defaultdict(list)
    for name, causes in ran.items():
        groups[causes].append(name)
    rows = [[listed(names), _why(causes)] for causes, names in groups.items()]
    text.append(table(["stages", "why"], rows) if rows else "None.")
    if gone:
        text.append(f"No longer there: {listed(gone)}.")
    return "\n\n".join(text)


def pictures(changed: list[str], added: list[str], removed: list[str]) -> str:
    """List the pictures that differ."""
    lists = [("Changed", changed), ("Added", added), ("Removed", removed)]
    lines = [f"- {word}: {listed(names)}" for word, names in lists if names]
    return "### Pictures\n\n" + ("\n".join(lines) or "None changed.")


def curves(names: list[str]) -> str:
    """Say where the loss curves before and after lie."""
    return f"### Loss curves\n\nDrawn by `make review`, not in git: {listed(names)}."


def _row(change: Change) -> list[str]:
    noise = change.noise
    return [
        code(change.run),
        _verdict(change),
        _cell(change, "accuracy", percent, _points, change.accuracy),
        _cell(change, "errors", _count, "{:+g}".format, change.accuracy, less=True),
        _cell(change, "loss", loss, "{:+.4f}".format, change.loss, less=True),
        _cell(change, "validation_accuracy", percent, _points, None),
        f"{_noise(noise.accuracy, 100, 2)}, {_noise(noise.loss, 1, 4)}",
    ]


def _verdict(change: Change) -> str:
    if change.before.diverged != change.after.diverged:
        return f"{WORSE} **diverged**" if change.after.diverged else "no longer diverges"
    parts = []
    if change.accuracy in DECIDED:
        parts.append("more accurate" if change.accuracy is Verdict.BETTER else "**less accurate**")
    if change.loss in DECIDED:
        parts.append("lower loss" if change.loss is Verdict.BETTER else "**higher loss**")
    parts = parts or [change.verdict.value]
    for figure in ("accuracy", "loss"):
        sides = [getattr(side, figure) is None for side in (change.before, change.after)]
        if sum(sides) == 1:
            parts.append(f"no test {figure} {'before' if sides[0] else 'after'}")
    mark = f"{WORSE} " if change.verdict is Verdict.WORSE else ""
    return mark + ", ".join(parts)


def _cell(
    change: Change,
    figure: str,
    show: Callable[[float | None], str],
    show_difference: Callable[[float], str],
    verdict: Verdict | None,
    less: bool = False,
) -> str:
    sides = " → ".join(show(getattr(side, figure)) for side in (change.before, change.after))
    gain = difference(change, figure)
    if gain is None:
        return sides
    shown = show_difference(gain)
    if verdict in DECIDED:
        shown = f"**{shown}**"
    worse = gain > 0 if less else gain < 0
    return f"{sides} ({shown}{' ' + WORSE if worse else ''})"


def _legend(compared: Comparison) -> str:
    lines = [
        f"Best change first. Differences of accuracy are in points; {WORSE} is worse, **bold** is "
        "beyond the noise of the seed."
    ]
    seeds = sorted({one.noise.seeds for one in compared.changed if one.noise.seeds})
    if seeds:
        number = " or ".join(map(str, seeds))
        lines.append(
            "That noise is the least difference between two single runs that another seed alone "
            f"makes once in twenty times, by Student's t from {number} seeds a run. It was "
            "measured with the default params: with others it is an estimate. Where many runs "
            "changed, expect one figure in twenty beyond it by chance."
        )
    else:
        lines.append(f"How large that noise is, `{PATH}` does not say of these runs.")
    return " ".join(lines)


def _figures(result: Result) -> list[str]:
    return [
        percent(result.accuracy),
        _count(result.errors),
        loss(result.loss),
        percent(result.validation_accuracy),
    ]


def _why(causes: frozenset[Cause]) -> str:
    parts = [
        f"{kind} {listed(sorted(cause.name for cause in causes if cause.kind == kind))}"
        for kind in ("parameter", "code", "data")
        if any(cause.kind == kind for cause in causes)
    ]
    words = {
        "new": "new",
        "command": "another command",
        "result": "new results of the stages before it",
        "outputs": "nothing it reads, but its outputs differ: forced, or run on another machine",
    }
    parts += [text for kind, text in words.items() if Cause(kind) in causes]
    return "; ".join(parts)


def _noise(bound: float | None, scale: float, digits: int) -> str:
    return "unknown" if bound is None else f"±{scale * bound:.{digits}f}"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"


def _count(number: float | None) -> str:
    return NONE if number is None else f"{number:g}"
