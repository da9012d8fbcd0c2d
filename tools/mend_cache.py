"""Remove what is damaged from DVC's cache: DVC makes or pulls it again, but does not look itself.

DVC takes an object of its cache that is read-only for right, and puts a damaged one in the place
of a result that was just made again.

python -m tools.mend_cache
"""

import hashlib
from pathlib import Path

from dvc.repo import Repo

from stages.system import errors


def main() -> None:
    """Remove each object whose content is not what its name says."""
    with Repo() as repo:
        folder = Path(repo.cache.local.path)
    objects = sorted(path for path in folder.glob("??/*") if path.is_file())
    damaged = [path for path in objects if md5(path) != name(path)]
    for path in damaged:
        path.unlink()
        print(f"removed {path}: damaged")
    print(f"{len(objects)} objects in DVC's cache, {len(damaged)} of them damaged")


def name(path: Path) -> str:
    """The MD5 that an object's place in the cache stands for."""
    return path.parent.name + path.name.removesuffix(".dir")


def md5(path: Path) -> str:
    """Return the MD5 of a file's content, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


if __name__ == "__main__":
    errors.run(main)
