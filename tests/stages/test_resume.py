"""Trainings that are stopped and run again; test_checkpoint.py stops a small one at every step."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import ROOT, results, run_here, set_params
from killed import OUTPUTS, reports

from stages import train, weights
from stages.system.interrupts import Interrupted
from stages.system.progress import Progress

HERE = Path()
AT_AN_EPOCH = " of 4; run the same command again to resume\n"
EXTRACT = {"image_size": 28, "mode": "extract"}


def trained(model: str) -> dict[str, str]:
    run_here(train, model)
    assert not list(Path("data/checkpoints").glob("*"))
    return results(HERE, *OUTPUTS)


def start_from(model: str, seed: int) -> None:
    set_params(HERE, seed=seed)
    run_here(weights, model)
    set_params(HERE, seed=0)


@pytest.mark.parametrize(
    ("model", "settings", "change"),
    [
        ("alexnet", {"image_size": 63, "dropout": 0.5}, None),
        ("resnet18", EXTRACT, None),
        ("resnet18", EXTRACT, lambda: start_from("resnet18", seed=1)),
        ("model_b", {}, lambda: set_params(HERE, validation_images=33)),
    ],
)
def test_it_resumes_to_the_same_bytes_unless_something_changed(
    model: str, settings: dict, change: Callable | None, here: Path, monkeypatch, capsys
) -> None:
    values = {f"models__{model}__{key}": value for key, value in settings.items()}
    set_params(here, train_images=32, **values)
    if settings:
        start_from(model, seed=0)
    with monkeypatch.context() as context, pytest.raises(Interrupted, match="to resume"):
        context.setattr(Progress, "step", lambda *_: signal.raise_signal(signal.SIGTERM))
        run_here(train, model)
    if change:
        change()
    capsys.readouterr()
    found = trained(model)
    error = capsys.readouterr().err
    assert error == "" if change else error.startswith("resuming at step 1 of ")
    assert trained(model) == found


def test_stopped_by_a_signal_it_resumes_to_the_same_bytes(here: Path) -> None:
    set_params(here, train_images=100)
    told = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
    ends = [(*end, AT_AN_EPOCH) for end in told] + [(signal.SIGKILL, -9, "")] * 4
    undisturbed, *stopped = reports(here, "model_b", [number for number, *_ in ends])
    assert undisturbed["resumed"] == ""
    assert len(undisturbed["outputs"]) == 5
    for (_, code, sentence), one in zip(ends, stopped, strict=True):
        assert one["code"] == code
        assert one["stopped"].endswith(sentence)
        assert one["stopped"].count("\n") == len(sentence.splitlines())
        there = {path: bits for path, bits in one["there"].items() if "plots/" not in path}  # grow
        assert there.items() <= undisturbed["outputs"].items()  # complete or not there
        assert one["outputs"] == undisturbed["outputs"]
        (line,) = one["resumed"].splitlines()  # no warning: the checkpoint was complete
        assert line.startswith("resuming at step")
    assert not list(here.rglob("*.part"))
    assert trained("model_b") == undisturbed["outputs"]


def test_while_pytorch_is_imported_it_just_ends() -> None:
    command = ["python", "-X", "importtime", "-m", "stages.train", "model_b"]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while "torch.types" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    lines = child.communicate()[1].splitlines()
    assert child.returncode == 143
    assert [line for line in lines if not line.startswith("import time:")] == [
        "error: interrupted; run the same command again"
    ]
