"""Repositories of git and DVC that tests make, change and run the pipeline in."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import commands
from commands import copy_repository, set_params


@dataclass
class Repository:
    """A git and DVC repository in a folder of its own."""

    root: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command here; see commands.run."""
        return commands.run(self.root, *command, **environment)

    def do(self, *command: str, **environment: str) -> str:
        """Run a command here that has to succeed and return what it printed."""
        return commands.do(self.root, *command, **environment)

    def commit(self, message: str) -> None:
        """Commit all that git sees."""
        self.do("git", "add", "--all")
        self.do("git", "commit", "--quiet", "--allow-empty", "--message", message)

    def stages_run(self, *command: str, **environment: str) -> set[str]:
        """Run a command of dvc and return the stages that it ran (not those taken from cache)."""
        lines = self.do(*command, **environment).splitlines()
        marker = "Running stage '"
        return {line.split("'")[1] for line in lines if line.startswith(marker)}

    def set_params(self, **values: object) -> None:
        """Change values of params.yaml, `models__model_b__epochs` for nested ones."""
        set_params(self.root, **values)

    def clone(self, root: Path, *options: str) -> "Repository":
        """Clone with git, as on another machine: what DVC keeps does not come along."""
        self.do("git", "clone", "--quiet", *options, str(self.root), str(root))
        there = Repository(root)
        there.introduce()
        return there

    def copy(self, root: Path, *options: str) -> "Repository":
        """Clone with a cache that holds the same, so that nothing has to run again."""
        there = self.clone(root, *options)
        cache = Path(".dvc/cache")
        shutil.copytree(self.root / cache, root / cache, copy_function=os.link)
        there.do("dvc", "checkout", "--quiet")
        return there

    def begin(self) -> None:
        """Make it a git repository, its files the first commit."""
        self.do("git", "init", "--quiet", "--initial-branch=main")
        self.introduce()
        self.commit("start")

    def introduce(self) -> None:
        """Tell git who commits."""
        self.do("git", "config", "user.name", "Test")
        self.do("git", "config", "user.email", "test@example.com")


def make(root: Path, mnist: Path) -> Repository:
    """Lay out a repository with the working tree's files, sized to be quick, and commit it."""
    repository = Repository(copy_repository(root, mnist))
    (root / "data/mnist").rename(root / "data/raw")  # DVC would empty data/mnist before it fetches
    repository.set_params(
        train_images=96,
        validation_images=32,
        batch_size=32,
        threads=1,
        models__resnet18__epochs=1,
        models__resnet18__image_size=28,
        models__alexnet__epochs=1,
        models__alexnet__image_size=63,
        models__model_a__image_size=28,
        models__model_b__image_size=28,
    )
    repository.begin()
    return repository
