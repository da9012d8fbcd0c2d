"""Remove corrupt objects from DVC's cache, so that DVC makes or pulls them again.

DVC trusts a read-only object in its cache without looking inside, and puts a corrupt one in place
of a result that was just made again.

python -m tools.mend_cache
"""

import hashlib
from pathlib import Path

from dvc.repo import Repo

from stages.system import errors


def main() -> None:
    """Remove each object whose content does not match its name."""
    with Repo() as repo:
        folder = Path(repo.cache.local.path)
    objects = sorted(path for path in folder.glob("??/*") if path.is_file())
    corrupt = [path for path in objects if md5(path) != name(path)]
    for path in corrupt:
        path.unlink()
        print(f"removed {path}: corrupt")
    print(f"{len(objects)} objects in DVC's cache, {len(corrupt)} of them corrupt")


def name(path: Path) -> str:
    """Return the MD5 that an object's path in the cache stands for."""
    return path.parent.name + path.name.removesuffix(".dir")


def md5(path: Path) -> str:
    """Return the MD5 of a file's content, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


if __name__ == "__main__":
    errors.run(main)
