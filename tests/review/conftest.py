"""A git repository with the results of two runs, written by hand in the pipeline's formats."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from review.__main__ import main

GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]
LOCK = """\
schema: '2.0'
stages:
  train@model_a:
    cmd: python -m stages.train model_a
    deps:
    - {{path: data/mnist, hash: md5, md5: 11.dir}}
    - {{path: stages/train.py, hash: md5, md5: {code}}}
    params:
      params.yaml: {{lr: {lr}, models.model_a: {{epochs: 2}}}}
      pyproject.toml: {{dependency-groups.torch: [torch=={torch}]}}
    outs:
    - {{path: data/models/model_a.pt, hash: md5, md5: a{lr}{torch}{code}}}
  learning_rate@0.1:
    cmd: python -m stages.train model_b --lr 0.1
    deps:
    - {{path: stages/train.py, hash: md5, md5: {code}}}
    outs:
    - {{path: data/models/model_b-lr0.1.pt, hash: md5, md5: b{code}}}
  evaluate@model_a:
    cmd: python -m stages.evaluate model_a
    deps:
    - {{path: data/models/model_a.pt, hash: md5, md5: a{lr}{torch}{code}}}
"""


class Example:
    """The repository: its two runs are model_a, which reads lr, and model_b-lr0.1."""

    def __init__(self, root: Path):
        self.root = root

    def git(self, *arguments: str) -> str:
        found = subprocess.run(
            [*GIT, *arguments], cwd=self.root, check=True, capture_output=True, text=True
        )
        return found.stdout.strip()

    def write(self, path: str, content: str | bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def run(self, *, lr: float = 0.001, torch: str = "2.0") -> None:
        """Write params.yaml, pyproject.toml and dvc.lock as a run with these values leaves them."""
        self.write("params.yaml", f"lr: {lr}\nmodels:\n  model_a:\n    epochs: 2\n")
        self.write("pyproject.toml", f"[dependency-groups]\ntorch = ['torch=={torch}']\n")
        code = hashlib.md5((self.root / "stages/train.py").read_bytes()).hexdigest()
        self.write("dvc.lock", LOCK.format(lr=lr, torch=torch, code=code))

    def result(self, run: str, errors: int, loss: float, *, validation: float = 0.98) -> None:
        """Write the metrics, curves and picture of a run."""
        test = {"accuracy": (10000 - errors) / 10000, "loss": loss, "errors": errors}
        train = {"loss": 0.1, "validation_loss": loss, "validation_accuracy": validation,
                 "epochs": 2, "parameters": 101290}  # fmt: skip
        self.write(f"metrics/test/{run}.json", json.dumps(test))
        self.write(f"metrics/train/{run}.json", json.dumps(train))
        self.write(f"plots/mistakes/{run}.png", f"picture of {errors} mistakes")
        self.write(f"plots/runs/{run}/steps.csv", f"step,epoch,loss\n5,0.5,2.0\n20,2.0,{loss}\n")
        self.write(
            f"plots/runs/{run}/loss.csv",
            "epoch,train_loss,validation_loss,validation_accuracy\n"
            f"1,1.5,0.9,0.7\n2,0.4,{loss},{validation}\n",
        )

    def seeds(self, *runs: str) -> None:
        """Write test results of three seeds: standard deviation 20 errors, 0.01 of the loss."""
        rows = [
            f"{run},{seed},{1 - errors / 10000},{loss},{errors}\n"
            for run in runs
            for seed, errors, loss in ((0, 180, 0.06), (1, 200, 0.07), (2, 220, 0.08))
        ]
        path = "benchmarks/results/seeds.csv"
        self.write(path, "run,seed,accuracy,loss,errors\n" + "".join(rows))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with one commit on main."""
    made = Example(tmp_path_factory.mktemp("template"))
    made.write("stages/train.py", "print('training')\n")
    made.write(".gitignore", "/data/*\n/review-plots/\n")
    made.write("plots/accuracy.png", "picture")
    made.result("model_a", 200, 0.07)
    made.result("model_b-lr0.1", 300, 0.1)
    made.run()
    made.seeds("model_a")
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    return made.root


@pytest.fixture
def example(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Return a copy of the repository, its root the working directory."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(shutil.copytree(template, tmp_path / "example"))
    return Example(Path.cwd())


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Return a function that reviews revisions of the working directory's repository."""

    def call(*revisions: str) -> str:
        monkeypatch.setattr(sys, "argv", ["review", *revisions])
        main()
        return capsys.readouterr().out

    return call
