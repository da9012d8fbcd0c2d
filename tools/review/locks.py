"""What dvc.lock recorded on one side, and what the side's own files say."""

import hashlib
import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from pathspec import GitIgnoreSpec
from ruamel.yaml import YAML

from stages.results.runs import parsed
from tools.review.sides import Snapshot

LOCK, PARAMS = "dvc.lock", "params.yaml"
ABSENT = object()


class Stage(NamedTuple):
    """A stage of dvc.lock: its command, its params by dotted name, MD5s by path.

    Params of other files than params.yaml are named as in `pyproject.toml:dependency-groups.torch`.
    """

    command: Any
    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


@cache
def stages(side: Snapshot) -> dict[str, Stage]:
    """Return the stages of dvc.lock by name, {} if there is no such file."""

    def parse(text: str) -> dict[str, Stage]:
        recorded = _mapping(text).get("stages", {})
        return {name: _stage(stage) for name, stage in recorded.items()}

    return _parsed(side, LOCK, parse)


@cache
def values(side: Snapshot) -> dict[str, Any]:
    """Return what params.yaml has, and of other files what a stage of dvc.lock read, by name."""
    found = flat(_parsed(side, PARAMS, _mapping))
    read = {name for stage in stages(side).values() for name in stage.params}
    for path in sorted({name.partition(":")[0] for name in read if ":" in name}):
        content = _parsed(side, path, tomllib.loads if path.endswith(".toml") else _mapping)
        found |= within(flat({f"{path}:{key}": value for key, value in content.items()}), read)
    return found


def flat(nested: dict[str, Any]) -> dict[str, Any]:
    """Return nested values by dotted name."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict) and value:
            found |= flat({f"{name}.{key}": one for key, one in value.items()})
        else:
            found[name] = value
    return found


def within(named: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    """Return those of some flat values that `keys` name, themselves or what they are part of."""
    parts = tuple(f"{key}." for key in keys)
    return {name: named[name] for name in named if name in keys or name.startswith(parts)}


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys that only one of two mappings has or whose values differ."""
    keys = dict.fromkeys([*before, *after])
    return [key for key in keys if before.get(key, ABSENT) != after.get(key, ABSENT)]


def md5s(side: Snapshot, path: str) -> dict[str, str]:
    """Return the MD5 of a file, or of each file in a folder that .dvcignore lets DVC see, by path.

    It is of the bytes as they are, as DVC's is.
    """
    names = [path] if path in side.paths else side.below(path)
    return {
        name: hashlib.md5(side.read(name) or b"", usedforsecurity=False).hexdigest()
        for name in names
        if not _ignored(side).match_file(name)
    }


@cache
def _ignored(side: Snapshot) -> GitIgnoreSpec:
    lines = (side.read(".dvcignore") or b"").decode().splitlines()
    return GitIgnoreSpec.from_lines(map(str.strip, lines))


def _stage(recorded: dict[str, Any]) -> Stage:
    params = {
        key if path == PARAMS else f"{path}:{key}": value
        for path, values in recorded.get("params", {}).items()
        for key, value in values.items()
    }
    deps, outs = (
        {one["path"]: one.get("md5", "") for one in recorded.get(part, ())}
        for part in ("deps", "outs")
    )
    return Stage(recorded["cmd"], params, deps, outs)


def _mapping(text: str) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(text) or {})


def _parsed(side: Snapshot, path: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    wrong = "is not valid: correct it or restore it with git"
    return parsed(path, parse, side.read, side.name, wrong)
