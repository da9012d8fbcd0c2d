"""Whether the results of a side are those of its own values, code and data."""

import hashlib
import json

from results.snapshots import Snapshot
from review import locks


def stale(side: Snapshot) -> list[str]:
    """List the params and files that are not what `side`'s dvc.lock recorded.

    It leaves out what git does not hold, such as data and models, and what only `dvc status` knows,
    such as another command in dvc.yaml.
    """
    found: dict[str, None] = {}
    for stage in locks.stages(side).values():
        now = locks.within(locks.values(side), set(stage.params))
        found |= dict.fromkeys(locks.differing(locks.flat(stage.params), now))
        for path, recorded in (stage.deps | stage.outs).items():
            if _hash(side, path) not in (None, recorded):
                found[path] = None
    return list(found)


def _hash(side: Snapshot, path: str) -> str | None:
    """Return the hash that DVC gives a file or folder, None if the side does not have it.

    A file's is its MD5. A folder's is the MD5 of the JSON list of its files, sorted by path, and
    ".dir" (dvc-data, Tree.as_bytes).
    """
    md5s = locks.md5s(side, path)
    if path in md5s or not md5s:
        return md5s.get(path)
    files = [{"md5": md5, "relpath": name[len(path) + 1 :]} for name, md5 in md5s.items()]
    return hashlib.md5(json.dumps(files, sort_keys=True).encode()).hexdigest() + ".dir"
