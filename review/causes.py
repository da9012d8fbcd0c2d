"""Which stages ran again between two sides, and why, as dvc.lock tells."""

from dataclasses import dataclass
from typing import Any

from review import locks
from review.snapshots import Snapshot


@dataclass(frozen=True)
class Cause:
    """One thing that differs in what a stage reads: a kind, and a name or "".

    Kinds: parameter, code, data, result (of another stage), command, new, and outputs, for those
    that differ though nothing that the stage reads does.
    """

    kind: str
    name: str = ""


def changed_stages(base: Snapshot, head: Snapshot) -> dict[str, frozenset[Cause]]:
    """Tell for each stage of `head` that ran since `base` what made it run.

    Sides without dvc.lock count as without stages.
    """
    before, after = locks.lock(base) or {}, locks.lock(head) or {}
    made = [path for one in after.values() for path in locks.hashes(one, "outs")]
    found = {}
    for name, stage in after.items():
        causes = (
            _causes(before[name], stage, base, head, made)
            if name in before
            else frozenset({Cause("new")})
        )
        if causes:
            found[name] = causes
    return found


def _causes(
    before: dict[str, Any], after: dict[str, Any], base: Snapshot, head: Snapshot, made: list[str]
) -> frozenset[Cause]:
    causes = set()
    if before.get("cmd") != after.get("cmd"):
        causes.add(Cause("command"))
    old, new = locks.values(before), locks.values(after)
    for name in old.keys() | new.keys():
        pair = (old.get(name, locks.ABSENT), new.get(name, locks.ABSENT))
        if pair[0] != pair[1]:
            causes |= {Cause("parameter", key) for key in _differing(name, *pair)}
    old, new = locks.hashes(before, "deps"), locks.hashes(after, "deps")
    for path in old.keys() | new.keys():
        if old.get(path) != new.get(path):
            causes |= _dependency(path, base, head, made)
    if not causes and locks.hashes(before, "outs") != locks.hashes(after, "outs"):
        causes.add(Cause("outputs"))
    return frozenset(causes)


def _dependency(path: str, base: Snapshot, head: Snapshot, made: list[str]) -> set[Cause]:
    if any(f"{out}/".startswith(f"{path}/") or path.startswith(f"{out}/") for out in made):
        return {Cause("result")}
    kind = "code" if path.startswith("stages/") else "data"
    inside = sorted({*base.below(path), *head.below(path)})
    files = [name for name in inside if base.read(name) != head.read(name)]
    return {Cause(kind, name) for name in files or [path]}


def _differing(name: str, before: Any, after: Any) -> set[str]:
    """Name the values that differ in a param that a stage may read as a whole mapping."""
    old, new = locks.flat({name: before}), locks.flat({name: after})
    return {
        key
        for key in old.keys() | new.keys()
        if old.get(key, locks.ABSENT) != new.get(key, locks.ABSENT)
    }
