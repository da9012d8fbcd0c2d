"""A git repository with the results of two runs, written by hand in the pipeline's formats."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Repository, put, run_here, write_run

from tools.review import __main__ as review_command

PIPELINE = """\
stages:
  fetch: {cmd: fetch, outs: [data/mnist]}
  train:
    cmd: train
    deps: [data/mnist, stages/train.py]
    params: [lr, models.model_a, pyproject.toml: [dependency-groups.torch]]
    outs: [data/model.pt]
  evaluate: {cmd: evaluate, deps: [data/model.pt], outs: [data/settings, metrics, plots]}
"""
LOCK = """\
schema: '2.0'
stages:
  fetch: {{cmd: fetch, outs: [{{path: data/mnist, hash: md5, md5: 11.dir}}]}}
  train:
    cmd: train
    deps:
    - {{path: data/mnist, hash: md5, md5: 11.dir}}
    - {{path: stages/train.py, hash: md5, md5: {code}}}
    params:
      params.yaml: {{lr: {lr}, models.model_a: {{epochs: 2}}}}
      pyproject.toml: {{dependency-groups.torch: [torch=={torch}]}}
    outs: [{{path: data/model.pt, hash: md5, md5: a{lr}{torch}{code}}}]
  evaluate: {{cmd: evaluate, deps: [{{path: data/model.pt, hash: md5, md5: a{lr}{torch}{code}}}]}}
"""


class Example(Repository):
    """The repository: its runs are model_a, which reads lr, and model_b-lr0.1."""

    def git(self, *arguments: str) -> str:
        return self.do("git", *arguments).strip()

    def write(self, path: str, content: str) -> None:
        put(self.root / path, content)

    def commit(self, message: str = "a change") -> str:
        super().commit(message)
        return self.git("rev-parse", "HEAD")

    def ran(self, *, lr: float = 0.001, torch: str = "2.0") -> None:
        """Write params.yaml, pyproject.toml and dvc.lock as a run with these values leaves them."""
        self.write("params.yaml", f"lr: {lr}\nmodels:\n  model_a:\n    epochs: 2\n")
        self.write("pyproject.toml", f"[dependency-groups]\ntorch = ['torch=={torch}']\n")
        code = hashlib.md5((self.root / "stages/train.py").read_bytes()).hexdigest()
        self.write("dvc.lock", LOCK.format(lr=lr, torch=torch, code=code))

    def result(self, run: str, errors: int, loss: float, *, validation: float = 0.98) -> None:
        """Write the results and the picture of a run."""
        write_run(self.root, run, errors, loss, validation=validation)
        self.write(f"plots/mistakes/{run}.png", f"picture of {errors} mistakes")

    def seeds(self, *runs: str, deviation: int = 20) -> None:
        """Write test results of three seeds; the loss has a standard deviation of 0.01."""
        results = [(200 - deviation, 0.06), (200, 0.07), (200 + deviation, 0.08)]
        rows = "run,seed,accuracy,loss,errors\n"
        for run in runs:
            for seed, (errors, loss) in enumerate(results):
                rows += f"{run},{seed},{1 - errors / 10000},{loss},{errors}\n"
        self.write("data/seeds.csv", rows)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Return a repository with one commit on main, its root the working directory."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Example(tmp_path / "example")
    made.write("stages/train.py", "print('training')\n")
    made.write(".gitignore", "/data/*\n!/data/seeds.csv\n/review-plots/\n/.dvc/tmp\n")
    made.write(".dvc/config", "")
    made.write("dvc.yaml", PIPELINE)
    made.result("model_a", 200, 0.07)
    made.result("model_b-lr0.1", 300, 0.1)
    monkeypatch.chdir(made.root)
    made.ran()
    made.seeds("model_a")
    made.begin()
    return made


@pytest.fixture
def review(capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Return a function that reviews revisions of the working directory's repository."""

    def call(*arguments: str) -> str:
        run_here(review_command, *arguments)
        return capsys.readouterr().out

    return call
