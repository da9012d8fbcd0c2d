"""The whole review of two sides, as Markdown."""

from pathlib import Path
from typing import Any

from review import causes, locks, sections, snapshots, verdict
from review.markdown import NONE, code, listed
from review.runs import Comparison
from review.snapshots import Snapshot
from review.stale import stale

MOST_NAMED = 5


def write(
    base: Snapshot,
    head: Snapshot,
    compared: Comparison,
    drawn: list[Path],
) -> str:
    """Return the review; `drawn` are the pictures of loss curves.

    Raises:
        UserError: params.yaml or dvc.lock of a side is damaged.
    """
    values = _values(base, head)
    ran = causes.changed_stages(base, head)
    before, after = locks.lock(base), locks.lock(head)
    gone = [name for name in before or {} if after is not None and name not in after]
    outdated = stale(head)
    all_causes = [cause for one in ran.values() for cause in one]
    text = [
        verdict.sentence(compared, values, all_causes, bool(outdated)),
        f"Before: {_side(base)}. After: {_side(head)}.",
        *_warnings(base, head, outdated),
    ]
    if "params.yaml" in base.paths & head.paths:
        text.append(sections.parameters(values))
    text.append(sections.results(compared))
    if before is not None and after is not None:
        text.append(sections.stages(ran, gone))
    text.append(sections.pictures(*_pictures(base, head)))
    if drawn:
        text.append(sections.curves([path.as_posix() for path in drawn]))
    return "\n\n".join(text) + "\n"


def _warnings(base: Snapshot, head: Snapshot, outdated: list[str]) -> list[str]:
    lines = []
    if outdated:
        named = listed(outdated[:MOST_NAMED])
        more = f" and {len(outdated) - MOST_NAMED} more" if len(outdated) > MOST_NAMED else ""
        lines.append(
            f"`dvc.lock` is not up to date: {named}{more} changed since the results were made. "
            "Run `dvc repro` and commit."
        )
    elif base.read("dvc.yaml") != head.read("dvc.yaml") and (
        base.read("dvc.lock") == head.read("dvc.lock")
    ):
        lines.append(
            "`dvc.yaml` changed but `dvc.lock` did not: unless it is about descriptions or plots "
            "alone, run `dvc repro` and commit."
        )
    behind = snapshots.missing_commits(base, head)
    if behind:
        count = "1 commit" if behind == 1 else f"{behind} commits"
        lines.append(
            f"{code(base.name)} has {count} that the other side is not built on: what they changed "
            "appears here undone."
        )
    lines += [
        f"{code(side.name)} has no `{path}`: {lost}."
        for path, lost in (
            ("params.yaml", "parameters cannot be compared"),
            ("dvc.lock", "stages cannot be compared"),
        )
        for side in (base, head)
        if path not in side.paths
    ]
    return ["> [!WARNING]\n" + "\n".join(f"> - {line}" for line in lines)] if lines else []


def _side(side: Snapshot) -> str:
    commit = side.commit[:7] if side.commit else "no commit yet"
    if side.name == snapshots.WORKING_TREE:
        return f"the working tree, on {commit}, with what is not committed"
    return f"{code(side.name)} ({commit})"


def _values(base: Snapshot, head: Snapshot) -> list[tuple[str, str, str]]:
    """List the params that differ, as Markdown: name, before, after."""
    before, after = locks.params(base), locks.params(head)
    if before is None or after is None:
        return []
    return [
        (code(name), _value(before, name), _value(after, name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name, locks.ABSENT) != after.get(name, locks.ABSENT)
    ]


def _value(values: dict[str, Any], name: str) -> str:
    return code(values[name]) if name in values else NONE


def _pictures(base: Snapshot, head: Snapshot) -> tuple[list[str], list[str], list[str]]:
    """List the pictures that changed, were added, were removed."""
    before, after = (
        {path for path in side.below("plots") if path.endswith(".png")} for side in (base, head)
    )
    both = sorted(before & after)
    changed = [path for path in both if base.read(path) != head.read(path)]
    return changed, sorted(after - before), sorted(before - after)
