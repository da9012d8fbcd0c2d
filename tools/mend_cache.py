"""Remove corrupt objects from DVC's cache, so that DVC makes or pulls them again.

DVC trusts a read-only object in its cache without looking inside, and puts a corrupt one in place
of a result that was just made again.

python -m tools.mend_cache
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

from pathlib import Path

from dvc.fs import localfs
from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5


def main() -> None:
    """Remove each object whose MD5 is not the one that its path stands for."""
    with Repo() as repo:
        folder = Path(repo.cache.local.path)
    objects = sorted(path for path in folder.glob("??/*") if path.is_file())
    corrupt = [it for it in objects if it.parent.name + it.stem != file_md5(str(it), localfs)]
    for path in corrupt:
        path.unlink()
        print(f"removed {path}: corrupt")
    print(f"{len(objects)} objects in DVC's cache, {len(corrupt)} of them corrupt")
