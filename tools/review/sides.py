"""The two sides of a review: the working tree, or a revision of git.

DVC's file systems for git and for the disk read them, not its DVCFileSystem: a revision from before
the pipeline is not a DVC repository, and nothing here opens what DVC holds.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.fs import FileSystem, GitFileSystem, LocalFileSystem
from dvc.ignore import DvcIgnoreFilter
from dvc.scm import SCM, RevError, resolve_rev

from stages.results.runs import WORKING_TREE
from stages.system.errors import UserError


@dataclass(frozen=True)
class Side:
    """The files of a side, without those that git or .dvcignore ignores."""

    name: str  # the revision as the user named it, or WORKING_TREE's
    commit: str  # its full hash; for the working tree that of HEAD
    fs: FileSystem
    root: str  # the pipeline's folder in `fs`, which may lie in a larger repository
    paths: frozenset[str] = field(compare=False)  # every file, relative to `root`

    def read(self, path: str) -> bytes | None:
        return self.fs.cat_file(self.fs.join(self.root, path)) if path in self.paths else None


def revision(name: str) -> Side:
    """Return the files of a branch, tag, commit or DVC experiment; raise a UserError for others."""
    root = f"/{prefix()}"
    scm = SCM(".")
    try:
        commit = resolve_rev(scm, name)
    except RevError as error:
        raise UserError(
            f"{name} is not a revision in this repository ({error}): give a branch, tag, commit or "
            "experiment, such as origin/main or a commit that `dvc exp list --all` shows, or fetch "
            "what is missing with `git fetch`"
        ) from error
    fs = _Commit(scm=scm, rev=commit)
    fs.ignore = DvcIgnoreFilter(fs, fs.normpath(root))
    paths = [fs.join(it, name) for it, _, names in fs.walk(root, detail=True) for name in names]
    return Side(name, commit, fs, root, frozenset(path.removeprefix(root) for path in paths))


class _Commit(GitFileSystem):
    """A commit's files without those that .dvcignore names, which DVC leaves out on disks only."""

    ignore: DvcIgnoreFilter | None = None

    def walk(self, path: str, **options: Any) -> Iterator[tuple[str, Any, Any]]:
        for folder, folders, files in super().walk(path, **options):
            if self.ignore and isinstance(files, dict):
                _, kept = self.ignore(folder, [], list(files))
                files = {name: files[name] for name in kept}
            yield folder, folders, files


def working_tree() -> Side:
    """Return the files below the working directory, which has to be the pipeline's folder."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    fs, root = LocalFileSystem(), str(Path.cwd())
    ignored = DvcIgnoreFilter(fs, root).is_ignored_file
    paths = frozenset(path for path in listed if Path(path).is_file() and not ignored(path))
    return Side(WORKING_TREE.name, git("rev-parse", "HEAD").strip(), fs, root, paths)


def prefix() -> str:
    """Return where the working directory is in the repository, such as "inner/"; "" at its top."""
    return git("rev-parse", "--show-prefix").strip()


def git(*arguments: str) -> str:
    """Return what a git command prints; raise a UserError if it fails."""
    result = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if result.returncode:
        reason = " ".join(result.stderr.split()) or "no reason given"
        raise UserError(f"git could not read the repository ({reason}): correct this and run again")
    return result.stdout
