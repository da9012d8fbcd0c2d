"""What the benchmarks share: a clone of the repository to measure in, and the table they write."""

import datetime
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.utils.collections import merge_dicts
from dvc.utils.flatten import unflatten
from dvc.utils.serialize import modify_yaml

from stages.results import markdown
from stages.system import outputs
from stages.system.errors import UserError


@contextmanager
def cloned() -> Iterator[Path]:
    """Clone what is committed, without DVC's cache, until the block ends."""
    if not Path("data/mnist").is_dir():
        raise UserError("data/mnist does not exist: run `dvc repro fetch` first")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "clone")
        run(Path(), "git", "clone", "--quiet", ".", str(root))
        (root / "data/raw").symlink_to(Path("data/mnist").absolute())  # `fetch` looks there first
        yield root


def run(root: Path, *command: str) -> tuple[str, float]:
    """Run a command in a folder; return its output and seconds. A UserError says why it failed."""
    # this Python's folder, as in an active virtual environment
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"`{shlex.join(command)}` failed: {reason.removeprefix('error: ')}")
    return done.stdout, time.perf_counter() - start


def set_params(root: Path, **values: object) -> None:
    """Change params.yaml below `root`; `models__model_b__epochs` is models.model_b.epochs."""
    changed = unflatten({key.replace("__", "."): value for key, value in values.items()})
    with modify_yaml(root / "params.yaml") as content:
        merge_dicts(content, changed)


def write(name: str, note: str, rows: list[dict[str, str]]) -> None:
    """Print a table below a line on machine and commit; write it to docs/measured/<name>.md."""
    import torch  # not at the top: tests import this module before they choose PyTorch's kernels

    found = re.search("model name.*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = found[1] if found else platform.machine()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    made = f"{cpu}, {os.cpu_count()} cores{gpu}; {versions}; {datetime.date.today()}"
    commit = run(Path(), "git", "rev-parse", "--short", "HEAD")[0].strip()
    if run(Path(), "git", "status", "--porcelain", "stages", "tools", "params.yaml")[0]:
        commit += " with uncommitted changes"
    table = markdown.table(list(rows[0]), [list(row.values()) for row in rows])
    text = f"{made}; commit {commit}. {note}\n\n{table}\n"
    print(text, end="")
    outputs.write_bytes(Path(f"docs/measured/{name}.md"), text.encode())
