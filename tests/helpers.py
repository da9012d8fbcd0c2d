"""What several test files share.

PyTorch is imported inside functions: conftest.py has to choose its kernels first.
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

from tools.bench.workspace import set_params as set_params  # tests import it from here

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "params.yaml").read_text()
COMMITTED = YAML(typ="safe").load(TEXT)
RUNS = set(YAML(typ="safe").load(ROOT / "dvc.yaml")["vars"][0]["runs"])
# git, dvc and python are those that a user of the virtual environment runs
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(cwd: Path, *command: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command of git, dvc or python."""
    variables = os.environ | environment
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)


def do(cwd: Path, *command: str, **environment: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    result = run(cwd, *command, **environment)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def run_here(stage: ModuleType, *arguments: str) -> None:
    """Run a stage in this process and folder: starting Python and PyTorch takes seconds."""
    with mock.patch.object(sys, "argv", [stage.__name__, *arguments]):
        stage.main()


def refusal(result: subprocess.CompletedProcess) -> str:
    """Check that a command ended with a user error and return its one sentence."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


def assert_told(fault: str, output: str) -> None:
    """Compare the first message in a command's output with docs/faults.md, where `...` varies."""
    table = (ROOT / "docs/faults.md").read_text()
    (cell,) = re.findall(rf"^\| {re.escape(fault)} \| `+ ?(.+?) ?`+ \|$", table, re.MULTILINE)
    expected = re.escape(cell).replace(r"\.\.\.", ".+")
    message = re.search(r"^(error|warning|ERROR): .*", output, re.MULTILINE)
    assert message, output
    assert re.fullmatch(expected, message[0].strip()), f"docs/faults.md on {fault!r}: {output}"
    assert "Traceback" not in output


def documented(page: str, section: str = "") -> list[str]:
    """List the commands that a page, or one section of it, shows after a `$`, without comments."""
    text = (ROOT / page).read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\$ (.*?)(?:\s+#.*)?$", text, re.MULTILINE)


def rows(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file that a stage has written."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def results(root: Path, *folders: str) -> dict[str, str]:
    """Return the SHA-256 of all finished files in `folders`, by their path below `root`."""
    paths = [path for folder in folders for path in (root / folder).rglob("*")]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and path.suffix != ".part"
    }


COMMITTER = ["user.name=Test", "user.email=test@example.com"]


@dataclass
class Repository:
    """A git and DVC repository."""

    root: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        return run(self.root, *command, **environment)

    def do(self, *command: str, **environment: str) -> str:
        return do(self.root, *command, **environment)

    def set_params(self, **values: object) -> None:
        set_params(self.root, **values)

    def stages_run(self, *command: str, **environment: str) -> set[str]:
        """Run a command of dvc and return the stages that it ran (not those taken from cache)."""
        return set(re.findall("^Running stage '(.*?)'", self.do(*command, **environment), re.M))

    def begin(self) -> None:
        """Make it a git repository whose first commit has all files."""
        self.do("git", "init", "--quiet", "--initial-branch=main")
        for setting in COMMITTER:
            self.do("git", "config", *setting.split("="))
        self.commit("start")

    def commit(self, message: str) -> None:
        self.do("git", "add", "--all")
        self.do("git", "commit", "--quiet", "--allow-empty", "--message", message)

    def clone(self, root: Path, *options: str) -> "Repository":
        """Clone with git, as on another machine: what DVC keeps does not come along."""
        settings = [f"--config={setting}" for setting in COMMITTER]
        self.do("git", "clone", "--quiet", *settings, *options, str(self.root), str(root))
        return Repository(root)

    def copy(self, root: Path, *options: str) -> "Repository":
        """Clone with the same cache, so that nothing has to run again."""
        there = self.clone(root, *options)
        shutil.copytree(self.root / ".dvc/cache", root / ".dvc/cache", copy_function=os.link)
        there.do("dvc", "checkout", "--quiet")
        return there


def copy_repository(folder: Path, mnist: Path) -> Path:
    """Copy what git tracks or would track, as it is in the working tree, and the data."""
    listed = do(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(mnist, folder / "data/mnist")
    return folder


def make(root: Path, mnist: Path) -> Repository:
    """Make a repository of the working tree's files in which the pipeline takes a minute."""
    repository = Repository(copy_repository(root, mnist))
    (root / "data/mnist").rename(root / "data/raw")  # DVC empties data/mnist before it fetches
    repository.set_params(train_images=96, validation_images=32, batch_size=32, threads=1)
    repository.set_params(models__resnet18__epochs=1, models__resnet18__image_size=28)
    repository.set_params(models__alexnet__epochs=1, models__alexnet__image_size=63)
    repository.begin()
    return repository


SHARED = {"seed": 0, "lr": 0.001, "schedule": "one-cycle", "beta2": 0.98, "clip_norm": 1,
          "batch_size": 128, "precision": "fp32", "train_images": 55000, "validation_images": 5000,
          "epochs": 2}  # fmt: skip
EPOCHS = "epoch,train_loss,validation_loss,validation_accuracy\n"


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_run(
    root: Path, run: str, errors: int, loss: float, validation=0.98, parameters=101_290, **settings
) -> None:
    """Write a run's results except its predictions; the higher its `loss`, the slower it fell.

    `settings` are those that differ from the shared ones.
    """
    test = {"accuracy": (10_000 - errors) / 10_000, "loss": loss, "errors": errors}
    train = {"loss": loss, "validation_loss": loss, "validation_accuracy": validation,
             "epochs": 2, "parameters": parameters}  # fmt: skip
    saved = {"model": run.split("-")[0], "options": {}, "params": SHARED | settings}
    put(root / f"metrics/train/{run}.json", json.dumps(train))
    put(root / f"metrics/test/{run}.json", json.dumps(test))
    put(root / f"data/settings/{run}.json", json.dumps(saved))
    epochs = f"1,{0.1 + 2 * loss},0.9,0.7\n2,{loss},{loss},{validation}\n"
    put(root / f"plots/runs/{run}/loss.csv", EPOCHS + epochs)
    put(root / f"plots/runs/{run}/steps.csv", f"step,epoch,loss\n5,0.5,2.0\n20,2.0,{loss}\n")


OFFICIAL = {"resnet18": "resnet18-f37072fd.pth", "alexnet": "alexnet-owt-7be5be79.pth"}


def cached(hub: Path, model: str) -> Path:
    """Return where torch.hub looks for the official checkpoint when TORCH_HOME is `hub`."""
    return hub / "hub/checkpoints" / OFFICIAL[model]


def stand_in(hub: Path, model: str) -> dict[str, Any]:
    """Put random weights of the official shape where torch.hub looks for the official ones."""
    import torch
    import torchvision

    torch.manual_seed(99)
    state = getattr(torchvision.models, model)(num_classes=1000).state_dict()
    cached(hub, model).parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, cached(hub, model))
    return state


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, as a failing disk does."""
    content, rights = bytearray(path.read_bytes()), path.stat().st_mode
    content[len(content) // 2] ^= 1
    path.unlink()  # the objects in DVC's cache are read-only, but can be removed
    path.write_bytes(content)
    path.chmod(rights)


def cut(path: Path) -> None:
    """Leave the first half of a file, without a complete last line."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rstrip(b"\n"))


class Trap:
    """Makes a folder when it is unpickled carelessly."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.canary),)
