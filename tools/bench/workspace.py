"""A copy of the pipeline in which a benchmark may run stages and change params."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from stages.system.errors import UserError

USAGE = Path(__file__).with_name("usage.py").resolve()
COPIED = [".dvc/config", ".dvcignore", ".gitattributes", ".gitignore", "benchmarks",
          "data/notebook.yaml", "dvc.lock", "dvc.yaml", "params.yaml", "plotting", "pyproject.toml",
          "reporting", "results", "stages", "tools"]  # fmt: skip


class Usage(NamedTuple):
    """What a command used: python's arguments, when it began, seconds, peak memory in MiB.

    Seconds since 1970 for when it began; the memory is resident memory.
    """

    arguments: list[str]
    began: float
    seconds: float
    mebibytes: float


class Workspace:
    """Code, params and data of the working directory, copied without results or cache."""

    def __init__(self, root: Path, log: Path):
        """Copy to `root`; what each command used is noted in `log`."""
        if not Path("data/mnist").is_dir():
            raise UserError("data/mnist does not exist: run `dvc repro fetch` first")
        self.root, self.log = root, log
        for name in filter(os.path.exists, COPIED):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if Path(name).is_dir() else shutil.copy2
            copy(name, root / name)
        shutil.copytree("data/mnist", root / "data/raw")  # from where `fetch` needs no network

    def stages(self) -> dict[str, dict[str, Any]]:
        """Return what dvc.lock says of each stage, by name."""
        return YAML(typ="safe").load(self.root / "dvc.lock")["stages"]

    def prepare(self, output: str) -> list[str]:
        """Run the commands that an output needs; return its own, as python's arguments.

        Raises:
            UserError: dvc.lock has no stage that writes `output`, or a command failed.
        """
        makers = {out["path"]: stage for stage in self.stages().values() for out in stage["outs"]}
        if output not in makers:
            raise UserError(f"dvc.lock has no stage that writes {output}: run `dvc repro` first")
        for dep in makers[output].get("deps", []):
            if dep["path"] in makers:
                self.python(*self.prepare(dep["path"]))
        return shlex.split(makers[output]["cmd"])[1:]

    def train(self, run: str) -> float:
        """Train a run; return the seconds of the training command alone."""
        return self.python(*self.prepare(f"data/models/{run}.pt")).seconds

    def test(self, run: str) -> dict[str, Any]:
        """Test a trained run; return its metrics."""
        self.python("-m", "stages.evaluate", run)
        return json.loads((self.root / f"metrics/test/{run}.json").read_text())

    def python(self, *arguments: str) -> Usage:
        """Run python in the copy.

        Raises:
            UserError: it failed.
        """
        command = [sys.executable, USAGE, self.log, sys.executable, *arguments]
        result = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        if result.returncode:
            lines = result.stderr.splitlines() or [f"exit code {result.returncode}"]
            raise UserError(f"`python {shlex.join(arguments)}` failed: {lines[-1]}")
        return self.usages()[-1]

    def usages(self) -> list[Usage]:
        """List what each command so far used."""
        return [
            Usage(command[1:], began, seconds, peak / 2**20)
            for command, began, seconds, peak in map(json.loads, self.log.read_text().splitlines())
        ]

    def set(self, **values: object) -> None:
        """Change params.yaml; see set_params."""
        set_params(self.root, **values)


@contextmanager
def copied() -> Iterator[Workspace]:
    """Make a copy that is removed when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        yield Workspace(Path(folder, "copy"), Path(folder, "usage.jsonl"))


def set_params(root: Path, **values: object) -> None:
    """Change params.yaml below `root`; `models__model_b__epochs` is models.model_b.epochs."""
    yaml, path = YAML(), root / "params.yaml"
    content = yaml.load(path)
    for key, value in values.items():
        *parents, last = key.split("__")
        entry = content
        for parent in parents:
            entry = entry.setdefault(parent, {})
        entry[last] = value
    yaml.dump(content, path)
