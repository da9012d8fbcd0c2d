"""A copy of the pipeline in which a benchmark may run stages and change params."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from stages.system.errors import UserError

USAGE = Path(__file__).with_name("usage.py").resolve()
COPIED = [".dvc/config", ".dvcignore", ".gitignore", "data/mnist", "data/notebook.yaml",
          "dvc.lock", "dvc.yaml", "params.yaml", "stages"]  # fmt: skip


class Usage(NamedTuple):
    """What a command took: seconds, and its peak of resident memory in MiB."""

    seconds: float
    mebibytes: float


class Workspace:
    """The copy."""

    def __init__(self, root: Path):
        """Copy code, params and data from the working directory, but no result and no cache.

        Raises:
            UserError: the data are not there.
        """
        if not Path("data/mnist").is_dir():
            raise UserError("data/mnist does not exist: run `dvc repro fetch` first")
        self.root, self.log = root / "copy", root / "usage.jsonl"
        for name in filter(os.path.exists, COPIED):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if Path(name).is_dir() else shutil.copy2
            copy(name, self.root / name)

    def python(self, *arguments: str) -> Usage:
        """Run python in the copy.

        Raises:
            UserError: it failed.
        """
        command = [sys.executable, USAGE, self.log, sys.executable, *arguments]
        result = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        if result.returncode:
            lines = result.stderr.splitlines() or [f"exit code {result.returncode}"]
            raise UserError(f"`python {' '.join(arguments)}` failed: {lines[-1]}")
        return self.usages()[-1]

    def usages(self) -> list[Usage]:
        """List what the commands so far took."""
        entries = map(json.loads, self.log.read_text().splitlines())
        return [Usage(entry["seconds"], entry["peak"] / 2**20) for entry in entries]

    def set(self, **values: object) -> None:
        """Change params.yaml; see set_params."""
        set_params(self.root, **values)


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


def results(root: Path, *folders: str) -> dict[str, str]:
    """Hash all files in `folders` below `root`, but parts of files, which are no results yet.

    Returns:
        SHA-256, hex, by path.
    """
    paths = [path for folder in folders for path in (root / folder).rglob("*")]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and path.suffix != ".part"
    }


@contextmanager
def copied() -> Iterator[Workspace]:
    """Make a copy that goes when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        yield Workspace(Path(folder))
