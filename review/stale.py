"""Whether the results of a side are those of its own values, code and data."""

import hashlib
import json
from typing import Any

from review import locks
from review.snapshots import Snapshot


def stale(side: Snapshot) -> list[str]:
    """List the params and files that are not what `side`'s dvc.lock recorded.

    dvc.yaml itself is not among them: what it says anew, such as another command, only
    `dvc status` knows.
    """
    content = locks.content(side, "params.yaml") or {}
    found = {}
    for stage in (locks.lock(side) or {}).values():
        for name, value in locks.values(stage).items():
            if _value(content, name) != value:
                found[name] = None
        for path, recorded in (locks.hashes(stage, "deps") | locks.hashes(stage, "outs")).items():
            actual = _hash(side, path)
            if actual is not None and actual != recorded:
                found[path] = None
    return list(found)


def _hash(side: Snapshot, path: str) -> str | None:
    """Return the hash that DVC gives a file or folder, None where the side does not hold it.

    A file's is its MD5. A folder's is the MD5 of the JSON list of its files, sorted by path, and
    ".dir" (dvc-data, Tree.as_bytes).
    """
    content = side.read(path)
    if content is not None:
        return _md5(content)
    inside = side.below(path)
    if not inside:
        return None
    listed = [
        {"md5": _md5(side.read(name) or b""), "relpath": name.removeprefix(f"{path}/")}
        for name in inside
    ]
    return _md5(json.dumps(listed, sort_keys=True).encode()) + ".dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _value(content: dict[str, Any], name: str) -> Any:
    """Look a dotted name up."""
    value: Any = content
    for key in name.split("."):
        if not isinstance(value, dict) or key not in value:
            return locks.ABSENT
        value = value[key]
    return value
