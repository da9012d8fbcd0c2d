"""Trainings that are stopped and run again; test_checkpoint.py stops a small one at every step."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import ROOT, results, run_here, set_params
from killed import OUTPUTS, reports

from stages import train, weights
from stages.system.interrupts import Interrupted
from stages.system.progress import Progress

HERE, CHECKPOINTS = Path(), Path("data/checkpoints")
TO_RESUME = " of 3; run the same command again to resume\n"
ENDS = {signal.SIGTERM: (143, TO_RESUME), signal.SIGINT: (130, TO_RESUME), signal.SIGKILL: (-9, "")}


def trained(model: str) -> dict[str, str]:
    run_here(train, model)
    assert not CHECKPOINTS.exists()
    return results(HERE, *OUTPUTS)


def start_from(model: str, seed: int) -> None:
    set_params(HERE, seed=seed)
    run_here(weights, model)
    set_params(HERE, seed=0)


@pytest.mark.parametrize(
    ("model", "mode", "change"),
    [
        ("resnet18", "finetune", None),
        ("resnet18", "extract", None),
        ("alexnet", "finetune", None),
        ("model_b", None, lambda: set_params(HERE, lr=0.002)),
        ("model_b", None, lambda: set_params(HERE, validation_images=33)),
        ("resnet18", "extract", lambda: start_from("resnet18", 1)),
    ],
)
def test_it_resumes_to_the_same_bytes_unless_something_changed(
    model: str, mode: str | None, change: Callable | None, here: Path, monkeypatch, capsys
) -> None:
    """Something other than the code, that is; for this see the fingerprint in test_checkpoint."""
    set_params(here, train_images=32, models__resnet18__image_size=28,
               models__alexnet__image_size=63, models__alexnet__dropout=0.5)  # fmt: skip
    if mode:
        set_params(here, **{f"models__{model}__mode": mode})
        start_from(model, 0)
    step = Progress.step

    def stop(self: Progress, images: int, loss: torch.Tensor) -> None:
        signal.raise_signal(signal.SIGTERM)
        step(self, images, loss)

    with monkeypatch.context() as context, pytest.raises(Interrupted, match="to resume"):
        context.setattr(Progress, "step", stop)
        run_here(train, model)
    if change:
        change()
    capsys.readouterr()
    found = trained(model)
    error = capsys.readouterr().err
    assert error == "" if change else error.startswith("resuming at step 1 of ")
    assert trained(model) == found
    assert capsys.readouterr().err == ""


def test_stopped_by_a_signal_it_resumes_to_the_same_bytes(here: Path) -> None:
    set_params(here, train_images=100)
    signals = [signal.SIGTERM, signal.SIGINT, *[signal.SIGKILL] * 4]
    undisturbed, *stopped = reports(here, "model_b", signals)
    assert undisturbed["resumed"] == ""
    assert len(undisturbed["outputs"]) == 5
    for number, one in zip(signals, stopped, strict=True):
        code, sentence = ENDS[number]
        assert one["code"] == code
        assert one["stopped"].endswith(sentence)
        assert one["stopped"].count("\n") == len(sentence.splitlines())
        assert one["there"].items() <= undisturbed["outputs"].items()  # complete or not there
        assert one["outputs"] == undisturbed["outputs"]
        (line,) = one["resumed"].splitlines()  # no warning: the checkpoint was complete
        assert line.startswith("resuming at step")
    assert not CHECKPOINTS.exists()
    assert not list(here.rglob("*.part"))
    assert trained("model_b") == undisturbed["outputs"]


@pytest.mark.parametrize(
    ("module", "number", "code"),
    [
        ("stages.train", signal.SIGTERM, 143),
        *[(f"stages.{name}", signal.SIGINT, 130) for name in ("weights", "train", "evaluate")],
    ],
)
def test_while_pytorch_is_imported_it_just_ends(module: str, number: int, code: int) -> None:
    command = [sys.executable, "-X", "importtime", "-m", module, "model_b"]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while "torch.types" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(number)
    lines = child.communicate()[1].splitlines()
    assert child.returncode == code
    said = [line for line in lines if not line.startswith("import time:")]
    assert said == ["error: interrupted; run the same command again"]
