"""A repository for a few stages at a time, as small as can be."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Repository:
    """A git and DVC repository in a folder of its own, for commands as a user gives them."""

    root: Path

    def environment(self) -> dict[str, str]:
        """Return the environment with the virtual environment's commands first."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return os.environ | {"PATH": path}

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command to its end."""
        return subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True
        )

    def do(self, *command: str) -> str:
        """Run a command that has to succeed and return what it printed."""
        result = self.run(*command)
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def start(self, *command: str, **options: Any) -> subprocess.Popen:
        """Start a command in a process group of its own."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment(), start_new_session=True, **options
        )

    def commit(self, message: str) -> None:
        """Commit all that git sees."""
        self.do("git", "add", "--all")
        self.do("git", "commit", "--quiet", "--allow-empty", "--message", message)


@pytest.fixture
def repository(workspace: Path) -> Repository:
    """Return the workspace as a repository with one commit."""
    repository = Repository(workspace)
    repository.do("git", "init", "--quiet", "--initial-branch=main")
    repository.do("git", "config", "user.name", "Test")
    repository.do("git", "config", "user.email", "test@example.com")
    repository.commit("start")
    return repository
