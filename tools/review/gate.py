"""The check of a pull request: git holds all results, and they are up to date.

python -m tools.review.gate BASE

Prints the review as Markdown. It needs no data: what only DVC keeps may be missing.
"""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo

from stages.results.markdown import listed
from stages.system import errors
from stages.system.errors import UserError
from tools.review import locks, sides
from tools.review.__main__ import review
from tools.review.stale import hash_of

MOST_NAMED = 5


def main() -> None:
    """Review the commit checked out against BASE.

    Raises:
        UserError: something is stale or missing, or git or DVC cannot read the repository.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tools.review.gate", description="Check a commit."
    )
    parser.add_argument("base", metavar="BASE", help="the revision that it is to be merged into")
    base = parser.parse_args().base
    found = list(dict.fromkeys(problems()))
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    if found:
        print(f"**Missing or out of date:** {listed(found[:MOST_NAMED])}{more}.\n")
    review(base, None)
    if found:
        raise UserError(
            f"dvc.lock and the results in git do not match the params, code and data "
            f"({', '.join(found[:MOST_NAMED])}{more}): run dvc repro, commit the results that it "
            f"changes or that are not in git yet, and push again"
        )


def problems() -> Iterator[str]:
    """Say what is not as dvc.lock has it, or not in git though it should be."""
    head = sides.revision("HEAD")
    try:
        with Repo() as repo:
            status, outs = repo.status(), list(repo.index.outs)
    except DvcException as error:
        reason = " ".join(str(error).split())
        raise UserError(f"DVC could not read the pipeline ({reason}): correct this") from error
    committed = [str(out) for out in outs if not out.use_cache]
    missing = [path for path in committed if not is_within(path, head.paths)]
    absent = [str(out) for out in outs if out.use_cache] + missing
    for stage, entries in status.items():
        for entry in entries:
            if isinstance(entry, str):  # such as "changed command"
                yield f"{stage}: {entry}"
                continue
            for path, state in [one for paths in entry.values() for one in paths.items()]:
                if not is_within(path, absent):
                    yield from described(path, state)
    yield from (f"{path} not in git" for path in missing)
    differing = sides.git("status", "--porcelain", "-z", "--", locks.LOCK, *committed)
    yield from (f"{line[3:]} not committed" for line in differing.decode().split("\0") if line)
    stages = locks.stages(head).items()
    made = {path: md5 for _, stage in stages for path, md5 in stage.outs.items()}
    for name, stage in stages:
        for path, md5 in stage.deps.items():
            if hash_of(path, made) not in (None, md5):
                yield f"{name} not run with the latest {path}"


def is_within(path: str, others: Iterable[str]) -> bool:
    """Say whether a path is one of others, or a folder that one of them is in."""
    return any(f"{other}/".startswith(f"{path}/") for other in others)


def described(path: str, state: Any) -> Iterator[str]:
    """Say what DVC says of a path, or of each value in a file of params."""
    if isinstance(state, dict):
        yield from (f"{path} {key} {one}" for key, one in state.items())
    else:
        yield f"{path} {state}"


if __name__ == "__main__":
    errors.run(main)
