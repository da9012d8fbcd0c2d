"""Trainings that are killed, stopped, starved of memory or changed between two starts."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import ROOT, refusal, run_stage, set_params

from benchmarks.soak import OFTEN
from stages import models

SMALL = {
    "train_images": 300,
    "validation_images": 64,
    "batch_size": 16,
    "models__model_b__epochs": 3,
    "models__resnet18__image_size": 28,
    "models__resnet18__epochs": 2,
    "models__alexnet__image_size": 63,
    "models__alexnet__epochs": 1,
    "models__alexnet__dropout": 0.5,
}


def start(workspace: Path, run: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", OFTEN, run], cwd=workspace, stderr=subprocess.PIPE, text=True
    )


def stop(workspace: Path, run: str, number: int) -> tuple[int, str]:
    """Start a run, send it a signal as soon as it has kept something, and wait for its end."""
    child = start(workspace, run)
    while not (workspace / f"data/checkpoints/{run}.pt").exists():
        assert child.poll() is None, child.stderr.read()
        time.sleep(0.01)
    child.send_signal(number)
    error = child.communicate()[1]
    return child.returncode, error


def hashes(workspace: Path, run: str) -> dict[str, str]:
    plots = workspace / "plots/runs" / run
    paths = {
        "model": workspace / f"data/models/{run}.pt",
        "metrics": workspace / f"metrics/train/{run}.json",
        **{name: plots / f"{name}.csv" for name in ("loss", "steps")},
        "settings": plots / "settings.json",
    }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}


def trained(workspace: Path, run: str) -> tuple[dict[str, str], str]:
    result = run_stage("stages.train", run, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert not (workspace / "data/checkpoints").exists()
    return hashes(workspace, run), result.stderr


@pytest.mark.parametrize(
    ("run", "mode", "kills", "writings"),
    [
        ("model_b", None, 10, 1),
        ("resnet18", "finetune", 3, 1),
        ("resnet18", "extract", 3, 1),
        ("alexnet", "finetune", 1, 4),
    ],
)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    run: str, mode: str | None, kills: int, writings: int, workspace: Path
) -> None:
    set_params(workspace, **SMALL)
    if mode:
        set_params(workspace, **{f"models__{run}__mode": mode}, train_images=100)
        assert run_stage("stages.weights", run, cwd=workspace).returncode == 0
    result = subprocess.run(
        [sys.executable, ROOT / "tests/killed.py", run, str(kills), "0", str(writings)],
        cwd=workspace,
        env=os.environ | {"PYTHONPATH": str(workspace)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    undisturbed, *killed = [json.loads(line) for line in result.stdout.splitlines()]
    assert undisturbed["error"] == ""
    assert len(killed) == kills
    for one in killed:
        assert one["outputs"] == undisturbed["outputs"]
        assert one["status"] == ""
        assert one["there"].items() <= one["outputs"].items()  # whole or not there
        (line,) = one["error"].splitlines()  # no warning: the checkpoint was whole
        assert line.startswith("resuming at step")
    assert not (workspace / "data/checkpoints").exists()
    if run == "model_b":
        assert trained(workspace, run) == (undisturbed["outputs"], "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_to_stop_it_says_how_to_go_on_and_does(
    number: int, code: int, workspace: Path
) -> None:
    set_params(workspace, **SMALL | {"models__model_b__epochs": 20})
    returned, error = stop(workspace, "model_b", number)
    assert returned == code
    (line,) = error.splitlines()
    assert line.startswith("error: interrupted at epoch ")
    assert line.endswith(" of 20; run the same command again to resume")
    found, error = trained(workspace, "model_b")
    assert error.startswith("resuming at step ")
    expected, error = trained(workspace, "model_b")
    assert error == ""
    assert found == expected


@pytest.mark.parametrize(
    ("stage", "number", "code"),
    [
        ("train", signal.SIGTERM, 143),
        *[(stage, signal.SIGINT, 130) for stage in ("weights", "train", "evaluate", "predict")],
    ],
)
def test_while_pytorch_is_imported_it_just_ends(stage: str, number: int, code: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", f"stages.{stage}", "model_b"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while "torch.types" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(number)
    lines = child.communicate()[1].splitlines()
    assert child.returncode == code
    said = [line for line in lines if not line.startswith("import time:")]
    assert said == ["error: interrupted; run the same command again"]


def test_before_the_first_step_it_just_ends(workspace: Path) -> None:
    loading = "train.read.load = lambda *_: signal.raise_signal(signal.SIGTERM)"
    script = OFTEN.replace("errors.run", f"import signal\n{loading}\nerrors.run")
    result = subprocess.run(
        [sys.executable, "-c", script, "model_b"], cwd=workspace, capture_output=True, text=True
    )
    assert result.returncode == 143
    assert result.stderr == "error: interrupted; run the same command again\n"


def test_a_checkpoint_of_other_values_or_code_is_not_used(workspace: Path) -> None:
    set_params(workspace, **SMALL | {"models__model_b__epochs": 20})
    stop(workspace, "model_b", signal.SIGTERM)
    kept = (workspace / "data/checkpoints/model_b.pt").read_bytes()
    path = workspace / "stages/training/loop.py"
    code = path.read_text()

    def again() -> dict[str, str]:
        (workspace / "data/checkpoints").mkdir(exist_ok=True)
        (workspace / "data/checkpoints/model_b.pt").write_bytes(kept)
        found, error = trained(workspace, "model_b")
        assert error == ""
        return found

    path.write_text(code.replace("(0.9, 0.98)", "(0.9, 0.97)"))
    other = again()
    path.write_text(code)
    set_params(workspace, lr=0.002)
    assert again() != other
    undisturbed = hashes(workspace, "model_b")
    assert trained(workspace, "model_b") == (undisturbed, "")


def limited(workspace: Path, *arguments: str) -> str:
    """Run a stage with 12 GiB of address space, of which little is ever used."""
    command = f"ulimit -v {12 * 2**20}; exec {sys.executable} -m {' '.join(arguments)}"
    result = subprocess.run(command, shell=True, cwd=workspace, capture_output=True, text=True)
    return refusal(result)


def test_out_of_memory_names_what_to_lower(workspace: Path) -> None:
    words = "out of memory: lower batch_size or the model's image_size in params.yaml"
    set_params(workspace, train_images=10000, batch_size=10000, models__model_b__image_size=1024)
    metrics = [workspace / f"metrics/{name}.json" for name in ("train/model_b", "test/vgg16")]
    metrics[1].write_text("{}")
    before = [path.read_bytes() for path in metrics]
    assert words in limited(workspace, "stages.train", "model_b")
    assert not list(workspace.glob("*/**/model_b*.pt"))
    options = {"image_size": 1024}
    network = models.build("vgg16", **options)
    models.save(workspace / "data/models/vgg16.pt", network, "vgg16", options, {})
    assert words in limited(workspace, "stages.evaluate", "vgg16")
    assert [path.read_bytes() for path in metrics] == before
