"""Where results are read: the folder on disk, or a revision of git."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from stages.results.runs import WORKING_TREE, on_disk
from stages.system.errors import UserError


@dataclass(frozen=True)
class Snapshot:
    """The files of a revision or of the working tree, without those that git ignores.

    Attributes:
        name: the revision as the user named it, or WORKING_TREE.
        commit: its full hash; that of the commit checked out for the working tree, None if there
            is none yet.
        paths: every file, relative to the pipeline's root.
        content: returns the bytes of one of them.
    """

    name: str
    commit: str | None
    paths: frozenset[str]
    content: Callable[[str], bytes | None] = field(repr=False)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None if there is no such file."""
        return self.content(path) if path in self.paths else None

    def below(self, folder: str) -> list[str]:
        """List the files in `folder`, at any depth, in order."""
        return sorted(path for path in self.paths if path.startswith(f"{folder}/"))


def revision(name: str) -> Snapshot:
    """Return the files of a branch, tag, commit or one of DVC's experiments.

    Raises:
        UserError: no such revision, or an experiment's name that several have.
    """
    commit = _commit(name)
    # relative to the working directory, which may be a folder of a larger repository
    listed = git("ls-tree", "-r", "-z", "--name-only", commit).decode()
    paths = frozenset(filter(None, listed.split("\0")))

    @cache
    def content(path: str) -> bytes:
        return git("cat-file", "blob", f"{commit}:./{path}")

    return Snapshot(name, commit, paths, content)


def working_tree() -> Snapshot:
    """Return the files below the working directory, which has to be the pipeline's root.

    Raises:
        UserError: this is no git repository.
    """
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
    paths = frozenset(path for path in listed.split("\0") if path and Path(path).is_file())
    return Snapshot(WORKING_TREE, _verified("HEAD"), paths, cache(on_disk))


def git(*arguments: str) -> bytes:
    """Return what a git command prints.

    Raises:
        UserError: it failed.
    """
    result = _call(*arguments)
    if result.returncode:
        said = " ".join(result.stderr.decode(errors="replace").split()) or "no reason given"
        raise UserError(f"git could not read the repository ({said}): correct this and run again")
    return result.stdout


def _commit(name: str) -> str:
    if commit := _verified(name):
        return commit
    # DVC keeps experiments as refs/exps/<2 digits>/<38 digits of the commit>/<name>.
    found = git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").decode().split()
    if len(found) > 1:
        raise UserError(f"{name} names several experiments: give one of {', '.join(found)}")
    if not found:
        raise UserError(
            f"{name} is not a revision in this repository: give a branch, tag, commit or "
            "experiment, such as origin/main, or fetch what is missing with `git fetch`"
        )
    return _verified(found[0]) or ""


def _verified(name: str) -> str | None:
    command = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    result = _call(*command)
    return result.stdout.decode().strip() if result.returncode == 0 else None


def _call(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], capture_output=True)
