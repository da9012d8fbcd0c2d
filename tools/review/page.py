"""The whole review of two sides, as Markdown."""

import os
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote

from stages.results import seeds
from stages.results.markdown import NONE, code, count, listed, loss, percent, table
from tools.review import causes, locks, sides
from tools.review.changes import DECIDED, ON_ONE_SIDE, Change, Verdict, clear
from tools.review.sides import Snapshot
from tools.review.stale import stale
from tools.review.verdict import sentence

DOWN = "▼"
MOST_NAMED = 5
FIGURES = {  # in the table: title, value as text, difference as text, its factor, less is better
    "accuracy": ("test accuracy", percent, "{:+.2f}", 100, False),
    "errors": ("test errors", count, "{:+,}", 1, True),
    "loss": ("test loss", loss, "{:+.4f}", 1, True),
    "validation_accuracy": ("validation accuracy", percent, "{:+.2f}", 100, False),
}


def write(base: Snapshot, head: Snapshot, changes: list[Change], drawn: list[Path]) -> str:
    """Return the review of all runs' `changes`; `drawn` are the pictures of loss curves."""
    outdated = stale(head)
    ran = causes.changed_stages(base, head)
    both = base.paths & head.paths
    params = _params(base, head) if locks.PARAMS in both else []
    counted = clear(changes)
    uncounted = [one for one in changes if one.verdict in DECIDED and one not in counted]
    text = [
        sentence(changes, uncounted, params, ran, bool(outdated)),
        f"Before: {_side(base)}. After: {_side(head)}.",
        _warnings(base, head, outdated),
    ]
    if locks.PARAMS in both:
        header = ["parameter", "before", "after"]
        text += ["### Parameters", table(header, params) if params else "None changed."]
    text += ["### Results", *_results(changes, uncounted)]
    if locks.LOCK in both:
        text += ["### Stages that ran again", *_stages(base, head, ran)]
    text += ["### Pictures", _pictures(base, head)]
    if drawn:
        paths = listed(path.as_posix() for path in drawn)
        text += ["### Loss curves", f"Not in git; `make review` draws them: {paths}."]
    return "\n\n".join(filter(None, text)) + "\n"


def _side(side: Snapshot) -> str:
    commit = side.commit[:7] if side.commit else "no commit yet"
    if side.name == sides.WORKING_TREE:
        return f"the working tree, on {commit}, including uncommitted changes"
    return code(side.name) if side.name == commit else f"{code(side.name)} ({commit})"


def _warnings(base: Snapshot, head: Snapshot, outdated: list[str]) -> str:
    lines = []
    changed = [path for path in ("dvc.yaml", locks.LOCK) if base.read(path) != head.read(path)]
    if outdated:
        more = f" and {len(outdated) - MOST_NAMED} more" if len(outdated) > MOST_NAMED else ""
        lines.append(
            f"`dvc.lock` is not up to date: {listed(outdated[:MOST_NAMED])}{more} changed since "
            "the results were made. Run `dvc repro` and commit."
        )
    elif changed == ["dvc.yaml"]:
        lines.append(
            "`dvc.yaml` changed but `dvc.lock` did not: unless only descriptions or plots changed, "
            "run `dvc repro` and commit."
        )
    ahead = f"{head.commit}..{base.commit}"
    lacking = int(sides.git("rev-list", "--count", ahead)) if head.commit else 0
    if lacking:
        lines.append(
            f"{code(base.name)} has commits that the other side lacks ({lacking}): their changes "
            "appear reverted."
        )
    lines += [
        f"{code(side.name)} has no `{path}`: {what} cannot be compared."
        for path, what in ((locks.PARAMS, "parameters"), (locks.LOCK, "stages"))
        for side in (base, head)
        if path not in side.paths
    ]
    return "\n".join(["> [!WARNING]", *(f"> - {line}" for line in lines)]) if lines else ""


def _params(base: Snapshot, head: Snapshot) -> list[list[str]]:
    def show(value: Any) -> str:
        return code(", ".join(map(str, value)) if isinstance(value, list) else value)

    before, after = locks.values(base), locks.values(head)
    return [
        [code(name), *(show(side[name]) if name in side else NONE for side in (before, after))]
        for name in locks.differing(before, after)
    ]


def _results(changes: list[Change], uncounted: list[Change]) -> list[str]:
    changed = [one for one in changes if one.verdict is not Verdict.UNCHANGED]
    unchanged = [one.after.name for one in changes if one not in changed]
    text = [f"Unchanged: {listed(unchanged)}."] if unchanged else []
    if changed:
        titles = [title for title, *_ in FIGURES.values()]
        header = ["run", "verdict", *titles, "seed noise: accuracy, loss"]
        rows = [_row(one, one not in uncounted) for one in changed]
        text = [table(header, rows), _legend(changed), *text]
    return text


def _row(change: Change, counted: bool) -> list[str]:
    verdict = _verdict(change)
    if not counted:
        verdict += "; not counted"
    cells = [_cell(change, name) for name in FIGURES]
    noise = [_noise(change, "accuracy", 100, 2), _noise(change, "loss", 1, 4)]
    return [code(change.after.name), verdict, *cells, ", ".join(noise)]


def _noise(change: Change, name: str, factor: int, digits: int) -> str:
    """Say where another seed's figure lies, or how far from the one before."""
    bound = change.seeds.bound(name, change.measured)
    if bound is None:
        return "unknown"
    mean = f"{factor * fmean(change.seeds.values(name)):.{digits}f} " if change.measured else ""
    return f"{mean}± {factor * bound:.{digits}f}"


def _verdict(change: Change) -> str:
    if change.verdict in ON_ONE_SIDE:
        return change.verdict.value
    if change.diverged is not None:
        return f"{DOWN} **diverged**" if change.diverged else "no longer diverges"
    words = {
        ("accuracy", Verdict.BETTER): "more accurate",
        ("accuracy", Verdict.WORSE): "**less accurate**",
        ("loss", Verdict.BETTER): "lower loss",
        ("loss", Verdict.WORSE): "**higher loss**",
    }
    parts = [words[one] for one in change.verdicts.items() if one in words]
    lacking = []
    for name in ("accuracy", "loss"):
        none = [it is None for it in change.figures(name)]
        if sum(none) == 1:
            lacking.append(f"no test {name} {'before' if none[0] else 'after'}")
    if not parts and not (lacking and change.verdict is Verdict.NOTHING):
        parts = [change.verdict.value]
    return f"{DOWN} " * (change.verdict is Verdict.WORSE) + ", ".join(parts + lacking)


def _cell(change: Change, name: str) -> str:
    _, show, show_difference, factor, less_is_better = FIGURES[name]
    sides = " → ".join(map(show, change.figures(name)))
    more = change.difference(name)
    if more is None:
        return sides
    bold = "**" if change.verdicts.get(name) in DECIDED else ""
    mark = f" {DOWN}" if more and (more > 0) == less_is_better else ""
    return f"{sides} ({bold}{show_difference.format(factor * more)}{bold}{mark})"


def _legend(changed: list[Change]) -> str:
    text = (
        "Best change first. Differences in accuracy are in percentage points; "
        f"{DOWN} is worse, **bold** is beyond seed noise"
    )
    numbers = sorted({len(change.seeds.results) for change in changed} - {0})
    if not numbers:
        return f"{text}, which is unknown: `{seeds.PATH}` has none of these runs."
    text += (
        f": the result after is outside the last column's range, which another seed's leaves one "
        f"time in twenty (Student's t, {' or '.join(map(str, numbers))} seeds per run). A run that "
        "is not counted in the first sentence is so alone, but not among so many figures (Holm)."
    )
    others = [one.after.name for one in changed if one.seeds.results and not one.measured]
    if others:
        text += (
            f" The noise is that of other results than those before: {listed(others)}; as an "
            "estimate, it is taken for theirs."
        )
    return text


def _stages(base: Snapshot, head: Snapshot, ran: dict[str, causes.Causes]) -> list[str]:
    groups = defaultdict(list)
    for stage, why in ran.items():
        parts = [f"{kind} {listed(sorted(set(names)))}".strip() for kind, names in why.items()]
        groups["; ".join(sorted(parts))].append(stage)
    rows = [[listed(names), why] for why, names in groups.items()]
    text = [table(["stages", "why"], rows) if rows else "None."]
    removed = [name for name in locks.stages(base) if name not in locks.stages(head)]
    return [*text, f"Removed: {listed(removed)}."] if removed else text


def _pictures(base: Snapshot, head: Snapshot) -> str:
    before, after = (
        {path: side.read(path) for path in side.below("plots") if path.endswith(".png")}
        for side in (base, head)
    )
    lists, shown = defaultdict(list), []
    for path in sorted(locks.differing(before, after), key=lambda path: (path.count("/"), path)):
        both = path in before and path in after
        lists["Changed" if both else "Added" if path in after else "Removed"].append(path)
        if both:
            cells = [f"![{side.name}]({_link(side, path)})" for side in (base, head)]
            shown.append(table([f"{path} before", "after"], [cells]))
    lines = [f"- {word}: {listed(paths)}" for word, paths in sorted(lists.items())]
    if shown and _link(base, ""):
        folded = "\n\n".join(shown)
        lines.append(f"\n<details><summary>Before and after</summary>\n\n{folded}\n\n</details>")
    return "\n".join(lines) or "None changed."


def _link(side: Snapshot, path: str) -> str:
    """Return where GitHub has a side's file; "" elsewhere than in its workflows."""
    server, repository = (os.environ.get(f"GITHUB_{it}") for it in ("SERVER_URL", "REPOSITORY"))
    if not (server and repository and side.commit):
        return ""
    folder = sides.git("rev-parse", "--show-prefix").decode().strip()
    return f"{server}/{repository}/raw/{side.commit}/{quote(folder + path)}"
