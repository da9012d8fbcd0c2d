"""Merge dvc.lock stage by stage: git's merge driver for it (.gitattributes, Makefile).

A stage that one side changed comes from that side, as its results do. One that both changed stays
ours and is a conflict, so that git stops and nobody forgets `dvc repro`.

python -m tools.merge_lock BASE OURS THEIRS
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import sys

from dvc.utils.serialize import ParseError, dump_yaml, load_yaml


def main() -> None:
    """Write the merged file over OURS, as git expects; conflicts are a UserError."""
    try:
        base, ours, theirs = map(load_yaml, sys.argv[1:])
    except ParseError as error:
        raise errors.UserError(f"dvc.lock cannot be merged: {error}") from error
    stages, conflicts = merge(*(lock.get("stages", {}) for lock in (base, ours, theirs)))
    dump_yaml(sys.argv[2], ours | {"stages": stages})
    if conflicts:
        raise errors.UserError(f"both sides changed {', '.join(conflicts)}: yours is kept")


def merge(base: dict, ours: dict, theirs: dict) -> tuple[dict, list[str]]:
    """Return the merged stages, in the order in which DVC would add them, and the conflicts."""
    merged, conflicts = {}, []
    for name in ours | theirs:
        before, mine, other = base.get(name), ours.get(name), theirs.get(name)
        merged[name] = other if mine == before else mine
        if mine != other and before not in (mine, other):
            conflicts.append(name)
    return {name: stage for name, stage in merged.items() if stage is not None}, conflicts
