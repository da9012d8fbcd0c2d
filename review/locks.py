"""What params.yaml and dvc.lock say on one side."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from review.snapshots import Snapshot
from stages.system.errors import UserError

ABSENT = object()


def params(side: Snapshot) -> dict[str, Any] | None:
    """Return the values of params.yaml by dotted name, None if there is no such file.

    Raises:
        UserError: it is not valid YAML.
    """
    found = content(side, "params.yaml")
    return None if found is None else flat(found)


def lock(side: Snapshot) -> dict[str, dict[str, Any]] | None:
    """Return dvc.lock's stages, None if there is no such file.

    Raises:
        UserError: it is damaged.
    """
    found = content(side, "dvc.lock")
    if found is None:
        return None
    stages = found.get("stages", {})
    try:
        for one in stages.values():
            hashes(one, "deps"), hashes(one, "outs"), values(one)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(side, "dvc.lock") from error
    return stages


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
    text = side.read(path)
    if text is None:
        return None
    try:
        parsed = YAML(typ="safe").load(text.decode())
    except (YAMLError, UnicodeDecodeError) as error:
        raise _damaged(side, path) from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise _damaged(side, path)
    return parsed


def _damaged(side: Snapshot, path: str) -> UserError:
    return UserError(
        f"{path} in {side.name} is not valid YAML of the expected form: correct it, or compare "
        "another revision"
    )
