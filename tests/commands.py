"""What tests of several stages share: commands as a user runs them, a repository for them."""

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

from benchmarks.workspace import set_params as set_params  # tests take it from here

ROOT = Path(__file__).parent.parent


def run_stage(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run `python -m <arguments>` as DVC would, with the code that lies in `cwd`."""
    return run(cwd, sys.executable, "-m", *arguments, **environment)


def run_here(stage: ModuleType, *arguments: str) -> None:
    """Run a stage in this process and folder: starting Python and PyTorch takes seconds."""
    with mock.patch.object(sys, "argv", [stage.__name__, *arguments]):
        stage.main()


def run(cwd: Path, *command: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command of git, dvc or python, as a user of the virtual environment would."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"PATH": path} | environment,
        capture_output=True,
        text=True,
    )


def do(cwd: Path, *command: str, **environment: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    result = run(cwd, *command, **environment)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def refusal(result: subprocess.CompletedProcess) -> str:
    """Check that a command ended as a user error does and return its one sentence."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


def rows(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file that a stage has written."""
    with Path(path).open() as file:
        return list(csv.DictReader(file))


def copy_repository(folder: Path, mnist: Path) -> Path:
    """Copy what git tracks or would track, as it lies in the working tree, and the data."""
    listed = do(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(mnist, folder / "data/mnist")
    return folder


def results(root: Path, *folders: str) -> dict[str, str]:
    """Hash all files in `folders` below `root`, except unfinished ones.

    Returns:
        SHA-256, hex, by path.
    """
    paths = [path for folder in folders for path in (root / folder).rglob("*")]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and path.suffix != ".part"
    }
