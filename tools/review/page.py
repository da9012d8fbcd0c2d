"""The whole review of two sides, as Markdown."""

import os
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote

from stages.results import seeds
from stages.results.markdown import code, count, listed, loss, percent, table
from tools.review import locks, noise, sides
from tools.review.changes import DECIDED, Change, Verdict, clear
from tools.review.sides import Side
from tools.review.verdict import sentence

DOWN = "▼"
FIGURES = {  # in the table: title, value as text, difference as text, its factor, less is better
    "accuracy": ("test accuracy", percent, "{:+.2f}", 100, False),
    "errors": ("test errors", count, "{:+,}", 1, True),
    "loss": ("test loss", loss, "{:+.4f}", 1, True),
    "validation_accuracy": ("validation accuracy", percent, "{:+.2f}", 100, False),
}
WORDS = {  # for better, for worse
    "accuracy": ("more accurate", "**less accurate**"),
    "loss": ("lower loss", "**higher loss**"),
}


def write(
    base: Side, head: Side, changes: list[Change], problems: list[str], drawn: list[Path]
) -> str:
    """Return the review of all runs' changes, the best first.

    `problems` are what is missing or out of date in `head`, `drawn` the pictures of loss curves.
    """
    (before, old, _), (after, new, _) = locks.read(base), locks.read(head)
    files = sorted(path for path in base.paths | head.paths if base.read(path) != head.read(path))
    ran = locks.causes(before, after, files)
    names = locks.differing(old, new) if before and after else []
    params = [[code(name), _value(old.get(name, "")), _value(new.get(name, ""))] for name in names]
    counted = clear(changes)
    text = [sentence(changes, counted, params, ran)]
    if problems:
        text[0] = f"**Out of date**, run `make tidy` and `dvc repro` first; as it stands: {text[0]}"
        text.append(f"**Missing or out of date:** {listed(problems)}.")
    named = [f"{code(side.name)} ({side.commit[:7]})" for side in (base, head)]
    text.append(f"Before: {named[0]}. After: {named[1]}.")
    if lacking := int(sides.git("rev-list", "--count", f"{head.commit}..{base.commit}")):
        what = f"{code(base.name)} has commits that the other side lacks ({lacking})"
        text.append(f"> [!WARNING]\n> {what}: their changes appear reverted.")
    if before and after:
        header = ["parameter", "before", "after"]
        text += ["### Parameters", table(header, params) if params else "None changed."]
    else:
        text += [f"Params and stages need a `{locks.LOCK}` on both sides: they are not compared."]
    text += ["### Results", *_results(changes, counted)]
    if before and after:
        text += ["### Stages that ran again", _stages(ran)]
    text += ["### Pictures", _pictures(base, head, files)]
    if drawn:
        text += ["### Loss curves", f"Not in git; `make review` draws them: {listed(drawn)}."]
    return "\n\n".join(filter(None, text)) + "\n"


def _value(value: Any) -> str:
    return code(", ".join(map(str, value)) if isinstance(value, list) else value)


def _results(changes: list[Change], counted: list[Change]) -> list[str]:
    changed = [one for one in changes if one.verdict is not Verdict.UNCHANGED]
    unchanged = [one.after.name for one in changes if one.verdict is Verdict.UNCHANGED]
    text = []
    if changed:
        titles = [title for title, *_ in FIGURES.values()]
        header = ["run", "verdict", *titles, "accuracy's seed noise", "loss's seed noise"]
        rows = []
        for one in changed:
            cells = [_cell(one, name) for name in FIGURES] + [_noise(one, name) for name in WORDS]
            rows.append([code(one.after.name), _verdict(one, one in counted), *cells])
        text = [table(header, rows), _legend(changed)]
    return [*text, f"Unchanged: {listed(unchanged)}."] if unchanged else text


def _verdict(change: Change, counted: bool) -> str:
    if change.verdict in DECIDED and change.diverged is not None:
        return f"{DOWN} **diverged**" if change.diverged else "no longer diverges"
    decided = [(name, one) for name, one in change.verdicts.items() if one in DECIDED]
    words = [WORDS[name][one is Verdict.WORSE] for name, one in decided]
    mark = f"{DOWN} " if change.verdict is Verdict.WORSE else ""
    doubt = "; not counted" if decided and not counted else ""
    return mark + (", ".join(words) or change.verdict.value) + doubt


def _cell(change: Change, name: str) -> str:
    _, show, show_difference, factor, less_is_better = FIGURES[name]
    sides = " → ".join(map(show, change.figures(name)))
    more = change.difference(name)
    if more is None:
        return sides
    bold = "**" if change.verdicts.get("accuracy" if name == "errors" else name) in DECIDED else ""
    mark = f" {DOWN}" if more and (more > 0) == less_is_better else ""
    return f"{sides} ({bold}{show_difference.format(factor * more)}{bold}{mark})"


def _noise(change: Change, name: str) -> str:
    """Say where another seed's figure lies, or how far from the one before."""
    values = change.seeds.values(name)
    bound = noise.bound(values, change.measured)
    if bound is None:
        return "unknown"
    _, show, show_difference, factor, _ = FIGURES[name]
    mean = f"{show(fmean(values))} " if change.measured else ""
    return f"{mean}± {show_difference.format(factor * bound).lstrip('+')}"


def _legend(changed: list[Change]) -> str:
    numbers = sorted({len(one.seeds.results) for one in changed} - {0})
    text = (
        f"Best change first. Differences in accuracy are in percentage points; {DOWN} is worse, "
        "**bold** is outside the seed noise in the last columns, which another seed alone leaves "
        f"one time in twenty (Student's t, {' or '.join(map(str, numbers)) or 'no'} seeds per run "
        f'in `{seeds.PATH}`). "Not counted": significant on its own, but not after correcting for '
        "all figures (Holm)."
    )
    others = [one.after.name for one in changed if one.seeds.results and not one.measured]
    estimate = f" For {listed(others)} it is an estimate from other results than those before."
    return text + estimate if others else text


def _stages(ran: dict[str, locks.Causes]) -> str:
    groups = defaultdict(list)
    for stage, why in ran.items():
        parts = [f"{kind} {listed(sorted(set(names)))}".strip() for kind, names in why.items()]
        groups["; ".join(sorted(parts))].append(stage)
    rows = [[listed(names), why] for why, names in groups.items()]
    return table(["stages", "why"], rows) if rows else "None."


def _pictures(base: Side, head: Side, files: list[str]) -> str:
    pictures = [path for path in files if path.startswith("plots/") and path.endswith(".png")]
    lists, shown = defaultdict(list), []
    for path in sorted(pictures, key=lambda path: path.count("/")):
        both = path in base.paths and path in head.paths
        lists["Changed" if both else "Added" if path in head.paths else "Removed"].append(path)
        if both and "GITHUB_REPOSITORY" in os.environ:
            raw = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}/raw"
            where = quote(sides.prefix() + path)
            images = [f"![{it.name}]({raw}/{it.commit}/{where})" for it in (base, head)]
            shown.append(table([f"{path} before", "after"], [images]))
    lines = [f"- {word}: {listed(paths)}" for word, paths in sorted(lists.items())]
    if shown:
        folded = "\n\n".join(shown)
        lines.append(f"\n<details><summary>Before and after</summary>\n\n{folded}\n\n</details>")
    return "\n".join(lines) or "None changed."
