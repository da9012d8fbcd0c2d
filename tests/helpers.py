"""What several test files share.

PyTorch is imported where it is needed: conftest.py has to choose its kernels first.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from ruamel.yaml import YAML

from stages.system import params
from tools.bench.workspace import set_params as set_params  # tests take it from here

# commands

ROOT = Path(__file__).parents[1]


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


# repositories


@dataclass
class Repository:
    """A git and DVC repository in a folder of its own."""

    root: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command here; see `run`."""
        return run(self.root, *command, **environment)

    def do(self, *command: str, **environment: str) -> str:
        """Run a command here that has to succeed and return what it printed."""
        return do(self.root, *command, **environment)

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


# run files

SHARED = {"seed": 0, "lr": 0.001, "schedule": "one-cycle", "beta2": 0.98, "clip_norm": 1,
          "batch_size": 128, "precision": "fp32", "train_images": 55000, "validation_images": 5000,
          "epochs": 2}  # fmt: skip
EPOCHS = "epoch,train_loss,validation_loss,validation_accuracy\n"


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_run(
    root: Path,
    run: str,
    errors: int,
    loss: float,
    *,
    validation: float = 0.98,
    parameters: int = 101_290,
    **settings: object,
) -> None:
    """Write all but predictions; a training that ends at `loss` fell the slower the higher it is.

    `settings` are those that differ from the shared ones.
    """
    test = {"accuracy": (10_000 - errors) / 10_000, "loss": loss, "errors": errors}
    train = {"loss": loss, "validation_loss": loss, "validation_accuracy": validation,
             "epochs": 2, "parameters": parameters}  # fmt: skip
    saved = {"model": run.split("-")[0], "options": {}, "params": SHARED | settings}
    put(root / f"metrics/train/{run}.json", json.dumps(train))
    put(root / f"metrics/test/{run}.json", json.dumps(test))
    put(root / f"data/settings/{run}.json", json.dumps(saved))
    rows = f"1,{0.1 + 2 * loss},0.9,0.7\n2,{loss},{loss},{validation}\n"
    put(root / f"plots/runs/{run}/loss.csv", EPOCHS + rows)
    steps = f"step,epoch,loss\n5,0.5,2.0\n20,2.0,{loss}\n"
    put(root / f"plots/runs/{run}/steps.csv", steps)


# parameters

TEXT = (ROOT / "params.yaml").read_text()
COMMITTED = YAML(typ="safe").load(TEXT)


def check_all(values: Any) -> None:
    """Check values as the stages do, then look each run up."""
    from stages.training import recipe

    params.check_params(values)
    for model in values["models"]:
        recipe.find(values, model)


def load_all(path: Path) -> dict[str, Any]:
    """Read a params.yaml wherever it is, and check it as the stages do."""
    with mock.patch.object(params, "PATH", path):
        values = params.read()
    check_all(values)
    return values


# harm


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, as a failing disk does."""
    content, rights = bytearray(path.read_bytes()), path.stat().st_mode
    content[len(content) // 2] ^= 1
    path.unlink()  # the objects of DVC's cache may not be written, but removed
    path.write_bytes(content)
    path.chmod(rights)


def cut(path: Path) -> None:
    """Leave the first half of a file, no whole line at its end."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rstrip(b"\n"))


class Trap:
    """Pickled, it makes a folder where it is loaded without care."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.canary),)


# checkpoints

OFFICIAL = {"resnet18": "resnet18-f37072fd.pth", "alexnet": "alexnet-owt-7be5be79.pth"}


def cached(hub: Path, model: str) -> Path:
    """Return where torch.hub looks for the official checkpoint when TORCH_HOME is `hub`."""
    return hub / "hub/checkpoints" / OFFICIAL[model]


def stand_in(hub: Path, model: str) -> dict[str, Any]:
    """Put a checkpoint of the official shape where torch.hub looks for the official one."""
    import torch
    import torchvision

    torch.manual_seed(99)
    state = getattr(torchvision.models, model)(num_classes=1000).state_dict()
    cached(hub, model).parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, cached(hub, model))
    return state


# fault table

TABLE = ROOT / "docs/faults.md"


def assert_told(fault: str, output: str) -> None:
    """Hold the first message in a command's output against the table's row on `fault`.

    There `...` stands for what differs from one time to the next.
    """
    (cell,) = re.findall(rf"^\| {re.escape(fault)} \| `+ ?(.+?) ?`+ \|$", TABLE.read_text(), re.M)
    expected = re.escape(cell).replace(r"\.\.\.", ".+")
    said = re.search(r"^(error|warning|ERROR): .*", output, re.MULTILINE)
    assert said, output
    assert re.fullmatch(expected, said[0].strip()), f"docs/faults.md on {fault!r}: {said[0]}"
    assert "Traceback" not in output
