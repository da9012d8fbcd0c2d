"""Which stages ran again between two sides, and why, as dvc.lock tells."""

from tools.review import locks
from tools.review.locks import Stage
from tools.review.sides import Snapshot

Causes = dict[str, list[str]]  # names of what differs by kind, such as parameter, code or data


def changed_stages(base: Snapshot, head: Snapshot) -> dict[str, Causes]:
    """Tell for each stage of `head` that ran since `base` what made it run."""
    before, after = locks.stages(base), locks.stages(head)
    made = [path for stage in after.values() for path in stage.outs]
    found = {
        name: _causes(before[name], stage, base, head, made) if name in before else {"new": []}
        for name, stage in after.items()
    }
    return {name: causes for name, causes in found.items() if causes}


def _causes(before: Stage, after: Stage, base: Snapshot, head: Snapshot, made: list[str]) -> Causes:
    params = locks.differing(locks.flat(before.params), locks.flat(after.params))
    causes: Causes = {"parameter": params} if params else {}
    for path in locks.differing(before.deps, after.deps):
        if any(f"{out}/".startswith(f"{path}/") or path.startswith(f"{out}/") for out in made):
            causes["new results of earlier stages"] = []
            continue
        files = locks.differing(locks.md5s(base, path), locks.md5s(head, path))
        kind = "data" if path.startswith("data/") else "code"
        causes.setdefault(kind, []).extend(files or [path])
    if before.command != after.command:
        causes["changed command"] = []
    if not causes and before.outs != after.outs:
        causes["no input changed but its outputs differ: forced, or run on another machine"] = []
    return causes
