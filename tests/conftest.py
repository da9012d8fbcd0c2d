import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run_stage(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run `python -m <arguments>` as DVC would, with the code that lies in `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def refusal(result: subprocess.CompletedProcess) -> str:
    """Check that a command ended as a user error does and return its one sentence."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the real four files: the checkout's own, else fetched once."""
    here = ROOT / "data/mnist"
    if here.is_dir():
        return here
    folder = tmp_path_factory.mktemp("fetched")
    shutil.copytree(ROOT / "stages", folder / "stages")
    result = run_stage("stages.fetch", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "data/mnist"


def copy_repository(folder: Path, mnist: Path) -> Path:
    """Copy what git tracks or would track, as it lies in the working tree, and the data."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(mnist, folder / "data/mnist")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, mnist: Path) -> Path:
    """Return a copy of the repository that a test may change, set to train on few images."""
    copy_repository(tmp_path, mnist)
    set_params(tmp_path, train_images=64, validation_images=32)
    return tmp_path


def set_params(folder: Path, **values: object) -> None:
    """Change top-level values of params.yaml."""
    path = folder / "params.yaml"
    lines = path.read_text().splitlines()
    for key, value in values.items():
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"{key}:")]
        lines[at] = f"{key}: {value}"
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def copied() -> Callable[[Path, Path], Path]:
    """Return the function that copies the repository."""
    return copy_repository
