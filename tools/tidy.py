"""`make tidy`: remove what no stage of dvc.yaml has from dvc.lock and from the folders of results.

DVC keeps both when a run is removed or renamed, and the report depends on whole folders of results.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

from pathlib import Path

from dvc.repo import Repo
from dvc.utils.serialize import modify_yaml
from ruamel.yaml import YAML

LOCK = "dvc.lock"
RESULTS = ("metrics", "plots/runs",
           "data/models", "data/predictions", "data/settings", "data/weights")  # fmt: skip


def main() -> None:
    with Repo() as repo, repo.lock:
        entries, files = orphans(repo)
        if entries:
            with modify_yaml(LOCK) as lock:
                for name in entries:
                    del lock["stages"][name]
    for path in map(Path, files):
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    removed = [*(f"{name} from {LOCK}" for name in entries), *files]
    print("\n".join(f"removed {one}" for one in removed) or "nothing to remove")


def orphans(repo: Repo) -> tuple[list[str], list[str]]:
    """Return the entries of dvc.lock and the files in RESULTS that no stage has."""
    stages = {it.name: it for it in repo.index.stages if it.path_in_repo == "dvc.yaml"}
    if not stages:
        return [], []
    fs, root, made = repo.fs, repo.root_dir, {out.fs_path for out in repo.index.outs}
    lock = fs.join(root, LOCK)  # which DVC's own way of reading takes long for
    recorded = YAML(typ="safe").load(fs.read_text(lock))["stages"] if fs.exists(lock) else {}
    found = [path for name in RESULTS for path in repo.dvcignore.find(fs, fs.join(root, name))]
    left = [
        fs.relpath(path, root)
        for path in sorted(found)
        if made.isdisjoint((path, *fs.parents(path)))
        and not path.endswith((".dvc", ".gitignore"))  # what `dvc add` writes
    ]
    return [name for name in recorded if name not in stages], left
