"""What params.yaml and dvc.lock say on one side."""

from functools import cache
from typing import Any

from ruamel.yaml import YAML

from review.snapshots import Snapshot, mapping

ABSENT = object()
FAULT = "is not valid YAML of the expected form: correct it"


def params(side: Snapshot) -> dict[str, Any] | None:
    """Return the values of params.yaml by dotted name, None if there is no such file.

    Raises:
        UserError: it is not valid YAML.
    """
    found = content(side, "params.yaml")
    return None if found is None else flat(found)


@cache  # a long file, which several parts of a review look into
def lock(side: Snapshot) -> dict[str, dict[str, Any]] | None:
    """Return dvc.lock's stages, None if there is no such file.

    Raises:
        UserError: it is damaged.
    """
    return side.parsed("dvc.lock", _stages, FAULT)


def hashes(stage: dict[str, Any], part: str) -> dict[str, str]:
    """Return the MD5 of each path that a stage of dvc.lock has under `part`: deps or outs."""
    return {one["path"]: one.get("md5", "") for one in stage.get(part, ())}


def values(stage: dict[str, Any]) -> dict[str, Any]:
    """Return the values of params.yaml that a stage of dvc.lock was run with."""
    return dict(stage.get("params", {}).get("params.yaml", {}))


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def content(side: Snapshot, path: str) -> dict[str, Any] | None:
    """Return the mapping in a YAML file, None if there is no such file.

    Raises:
        UserError: it is damaged.
    """
    return side.parsed(path, _yaml, FAULT)


def _yaml(text: bytes) -> dict[str, Any]:
    parsed = YAML(typ="safe").load(text.decode())
    return {} if parsed is None else mapping(parsed)


def _stages(text: bytes) -> dict[str, dict[str, Any]]:
    stages = _yaml(text).get("stages", {})
    for one in stages.values():
        hashes(one, "deps"), hashes(one, "outs"), values(one)
    return stages
