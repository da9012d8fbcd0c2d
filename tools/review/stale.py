"""Whether the results of a side are those of its own values, code and data."""

import hashlib
import json

from tools.review import locks
from tools.review.sides import Snapshot


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
    """Return the hash that DVC gives a file or folder, None if the side does not have it."""
    return hash_of(path, locks.md5s(side, path))


def hash_of(path: str, md5s: dict[str, str]) -> str | None:
    """Return the hash that DVC gives a file or folder of files with these MD5s, None for neither.

    A file's is its MD5. A folder's is the MD5 of the JSON list of its files, sorted by path, and
    ".dir" (dvc-data, Tree.as_bytes).
    """
    below = {name: md5 for name, md5 in sorted(md5s.items()) if name.startswith(f"{path}/")}
    if path in md5s or not below:
        return md5s.get(path)
    files = [{"md5": md5, "relpath": name[len(path) + 1 :]} for name, md5 in below.items()]
    return hashlib.md5(json.dumps(files, sort_keys=True).encode()).hexdigest() + ".dir"
