"""A git repository with the results of two runs, written by hand in the pipeline's formats."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import set_params

from review.__main__ import main

ENVIRONMENT = os.environ | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}
LOCK = """\
schema: '2.0'
stages:
  train@model_a:
    cmd: python -m stages.train model_a
    deps:
    - {{path: data/mnist, hash: md5, md5: 11.dir}}
    - {{path: stages/train.py, hash: md5, md5: {code}}}
    params:
      params.yaml:
        lr: {lr}
        models.model_a: {{epochs: {epochs}}}
    outs:
    - {{path: data/models/model_a.pt, hash: md5, md5: a{lr}{epochs}{code}}}
  learning_rate@0.1:
    cmd: python -m stages.train model_b-lr0.1
    deps:
    - {{path: stages/train.py, hash: md5, md5: {code}}}
    outs:
    - {{path: data/models/model_b-lr0.1.pt, hash: md5, md5: b{code}}}
  evaluate@model_a:
    cmd: python -m stages.evaluate model_a
    deps:
    - {{path: data/models/model_a.pt, hash: md5, md5: a{lr}{epochs}{code}}}
"""


class Example:
    """The repository: its two runs are model_a, which reads lr, and model_b-lr0.1."""

    def __init__(self, root: Path):
        self.root = root

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, path: str, content: str | bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        (self.root / path).write_bytes(data)

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def set_lr(self, lr: float, *, epochs: int = 2) -> None:
        """Write params.yaml and dvc.lock as a run with these values leaves them."""
        set_params(self.root, lr=lr, models__model_a__epochs=epochs)
        self.lock(lr, epochs)

    def lock(self, lr: float = 0.001, epochs: int = 2) -> None:
        code = hashlib.md5((self.root / "stages/train.py").read_bytes()).hexdigest()
        self.write("dvc.lock", LOCK.format(lr=lr, epochs=epochs, code=code))

    def result(self, run: str, errors: int, loss: float, *, validation: float = 0.98) -> None:
        """Write the metrics and curves that a run leaves."""
        test = {"accuracy": (10000 - errors) / 10000, "loss": loss, "errors": errors}
        train = {"loss": 0.1, "validation_loss": loss, "validation_accuracy": validation,
                 "epochs": 2, "parameters": 101290}  # fmt: skip
        self.write(f"metrics/test/{run}.json", json.dumps(test))
        self.write(f"metrics/train/{run}.json", json.dumps(train))
        folder = f"plots/runs/{run}"
        self.write(f"{folder}/mistakes.png", f"picture of {errors} mistakes")
        settings = {"model": "model_a", "options": {}, "params": {"train_images": 1000,
                    "batch_size": 100}}  # fmt: skip
        self.write(f"{folder}/settings.json", json.dumps(settings))
        self.write(f"{folder}/steps.csv", f"step,loss\n5,2.0\n10,1.0\n15,0.5\n20,{loss}\n")
        self.write(
            f"{folder}/loss.csv",
            "epoch,train_loss,validation_loss,validation_accuracy\n"
            f"1,1.5,0.9,0.7\n2,0.4,{loss},{validation}\n",
        )

    def seeds(self, run: str = "model_a") -> None:
        """Write test results of three seeds: 20 errors standard deviation, 0.01 of the loss."""
        rows = [
            f"{run},{seed},{1 - errors / 10000},{loss},{errors}"
            for seed, errors, loss in ((0, 180, 0.06), (1, 200, 0.07), (2, 220, 0.08))
        ]
        self.write(
            "benchmarks/results/seeds.csv",
            "\n".join(["run,seed,accuracy,loss,errors", *rows]) + "\n",
        )


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Return the repository with one commit on main, its root the working directory."""
    made = Example(tmp_path)
    made.write("params.yaml", "lr: 0.001\nmodels:\n  model_a:\n    epochs: 2\n")
    made.write("stages/train.py", "print('training')\n")
    made.write(".gitignore", "/data/*\n/review-plots/\n")
    made.write("plots/accuracy.png", "picture")
    made.result("model_a", 200, 0.07)
    made.result("model_b-lr0.1", 300, 0.1)
    made.lock()
    made.seeds()
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def review(
    example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Callable[..., str]:
    """Return a function that reviews revisions in the repository and returns the Markdown."""

    def call(*revisions: str) -> str:
        monkeypatch.setattr(sys, "argv", ["review", *revisions])
        main()
        return capsys.readouterr().out

    return call
