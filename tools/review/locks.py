"""What dvc.lock recorded on each side: parameters, why stages ran again, what is out of date."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.scm import SCM
from dvc.stage import PipelineStage as Stage
from dvc.utils.flatten import flatten
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from stages.system.errors import UserError
from tools.review.sides import Side, git
from tools.tidy import LOCK, orphans

PARAMS = "params.yaml."

Stages = dict[str, Stage]  # by name
Params = dict[str, Any]  # by dotted name, which begins with the file's unless it is params.yaml
Causes = dict[str, list[str]]  # names of what differs by kind, such as parameter, code or data


@cache
def read(side: Side) -> tuple[Stages, Params, Repo | None]:
    """Return a side's stages as dvc.lock recorded them, the params they read now, and DVC's view.

    Without dvc.lock there is nothing; raise a UserError if DVC cannot read the pipeline.
    """
    if LOCK not in side.paths:
        return {}, {}, None
    try:
        repo = Repo(side.fs.normpath(side.root), fs=side.fs, scm=SCM("."))
        stages = [stage for stage in repo.index.stages if stage.cmd]  # not what `dvc add` made
        params = _params(stages, ParamsDependency.read_params)
    except DvcException as error:
        where = f"DVC could not read the pipeline in {side.name}"
        raise UserError(f"{where} ({' '.join(str(error).split())}): correct it") from error
    return {stage.name: stage for stage in stages}, params, repo


def tidied(side: Side) -> tuple[Side, list[str]]:
    """Return a side without the results that belong to no stage, and all that belongs to none."""
    *_, repo = read(side)
    entries, files = orphans(repo) if repo else ([], [])
    return replace(side, paths=side.paths.difference(files)), [*entries, *files]


def _params(stages: Iterable[Stage], values: Callable[[ParamsDependency], Params | None]) -> Params:
    found: Params = {}
    for one in (dep for stage in stages for dep in stage.deps if isinstance(dep, ParamsDependency)):
        found |= flatten({one.def_path: values(one) or {}})
    return {name.removeprefix(PARAMS): value for name, value in found.items()}


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys that only one of two mappings has or whose values differ."""
    absent = object()
    keys = dict.fromkeys([*before, *after])
    return [key for key in keys if before.get(key, absent) != after.get(key, absent)]


def causes(before: Stages, after: Stages, files: list[str]) -> dict[str, Causes]:
    """Tell why stages ran between two sides whose `files` differ, or that they are gone."""
    made = [out.def_path for stage in after.values() for out in stage.outs]
    found: dict[str, Causes] = {name: {"removed": []} for name in before if name not in after}
    for name, stage in after.items():
        found[name] = _causes(before[name], stage, made, files) if name in before else {"new": []}
    return {name: why for name, why in found.items() if why}


def _causes(before: Stage, after: Stage, made: list[str], files: list[str]) -> Causes:
    old, new = (_params([stage], lambda one: one.hash_info.value) for stage in (before, after))
    why: Causes = {"parameter": differing(old, new)} if old != new else {}
    for path in differing(_hashes(before.deps), _hashes(after.deps)):
        if any(_overlap(path, out) for out in made):
            why["new results of earlier stages"] = []
            continue
        kind = "data" if path.startswith("data/") else "code"
        why.setdefault(kind, []).extend([file for file in files if _overlap(file, path)] or [path])
    if before.cmd != after.cmd:
        why["changed command"] = []
    if not why and _hashes(before.outs) != _hashes(after.outs):
        why["no input changed but its outputs differ: forced, or run on another machine"] = []
    return why


def outdated(side: Side, committed: bool) -> list[str]:
    """Say what changed since a side's results were made, as far as git's files tell.

    That is DVC's status, except for what DVC holds, such as models, which a clone may lack: of
    those, dvc.lock has to record the same as one stage's output and another's input. With
    `committed`, it is also what git should hold but does not hold as it is in the working tree.
    """
    if LOCK not in side.paths:
        return [f"{LOCK} missing"] if "dvc.yaml" in side.paths else []
    stages, _, repo = read(side)
    outs = {"/".join(out.index_key[1]): out for out in repo.index.outs}
    found = []
    for name, stage in stages.items():
        if stage.cmd_changed:
            found.append(f"{name} changed command")
        for one in (*stage.deps, *stage.outs):
            path = one.def_path
            if not any(out.use_cache and _overlap(path, where) for where, out in outs.items()):
                status = flatten(one.status())
                found += [f"{it.removeprefix(PARAMS)} {state}" for it, state in status.items()]
            elif _made(path, outs) not in (None, one.hash_info):
                found.append(f"{name} not run with the latest {path}")
    if committed:
        paths = [LOCK, *(where for where, out in outs.items() if not out.use_cache)]
        listed = git("status", "--porcelain", "--ignored", "--no-renames", "-z", "--", *paths)
        found += [f"{line[3:]} not committed" for line in listed.split("\0") if line]
    return list(dict.fromkeys(found))


def _made(path: str, outs: dict[str, Output]) -> HashInfo | None:
    """Return the recorded hash of an output or a folder of outputs, None for neither."""
    if path in outs:
        return outs[path].hash_info
    tree = Tree()
    for where, out in outs.items():
        if where.startswith(f"{path}/"):
            tree.add(tuple(where[len(path) + 1 :].split("/")), None, out.hash_info)
    tree.digest()
    return tree.hash_info if len(tree) else None


def _hashes(files: list[Output]) -> dict[str, HashInfo]:
    return {one.def_path: one.hash_info for one in files if not isinstance(one, ParamsDependency)}


def _overlap(path: str, other: str) -> bool:
    """Say whether two paths are the same or one is in the other."""
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")
