import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from reporting import comparisons
from results.runs import read
from stages import report as stage
from stages.system.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ["accuracy", "activations", "learning_rates", "notebook", "small_cnns", "transfer"]
OUTPUTS = ["report.md", *(f"{name}.png" for name in PICTURES)]
PREDICTED = ["model_a", "model_b-lr0.1"]  # runs with predictions
SIZES = {"resnet18": 11_175_370, "alexnet": 57_044_810, "model_a": 132_042, "model_b": 68_138}
OPTIONS = ("image_size", "activation", "stem")
SHARED = {
    "seed": 0,
    "lr": 0.001,
    "schedule": "one-cycle",
    "beta2": 0.98,
    "clip_norm": 1,
    "batch_size": 128,
    "precision": "fp32",
    "train_images": 55000,
    "validation_images": 5000,
    "image_size": 32,
    "epochs": 3,
}
# run: training loss of the last epoch, test errors, settings besides the shared ones
RUNS = {
    "resnet18": (0.021, 62, {"epochs": 2, "mode": "finetune", "weights": "random"}),
    "alexnet": (0.080, 124, {"epochs": 1, "image_size": 64, "mode": "finetune"}),
    "model_a": (0.070, 240, {"activation": "relu"}),
    "model_b": (0.050, 168, {"activation": "relu"}),
    "model_a-sigmoid": (0.250, 720, {"activation": "sigmoid"}),
    "model_a-tanh": (0.110, 320, {"activation": "tanh"}),
    "model_b-sigmoid": (0.270, 810, {"activation": "sigmoid"}),
    "model_b-tanh": (0.060, 185, {"activation": "tanh"}),
    "model_b-lr0.1": (2.310, 8972, {"activation": "relu", "lr": 0.1}),
    "model_b-lr0.01": (0.035, 150, {"activation": "relu", "lr": 0.01}),
}


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def make_run(folder: Path, name: str, final: float, errors: int, different: dict) -> None:
    """Write the files of one run, with a loss that falls from ln 10 to `final`."""
    settings = SHARED | different
    options = {key: settings.pop(key) for key in OPTIONS if key in settings}
    model, epochs = name.split("-")[0], settings["epochs"]

    def loss(epoch: float) -> float:
        fall = (math.log(10) - final) * math.exp(-epoch * (8 if final < 0.1 else 4))
        return final + fall + 0.1 * final * math.sin(40 * epoch)

    steps = [430 * epochs * i // 100 for i in range(1, 101)]
    accuracy = 1 - errors / 9000
    rows = [f"{i},{loss(i - 0.5)},{1.1 * loss(i)},{accuracy}\n" for i in range(1, epochs + 1)]
    train = {
        "loss": loss(epochs - 0.5),
        "validation_loss": 1.1 * final,
        "validation_accuracy": accuracy,
        "epochs": epochs,
        "parameters": SIZES.get(model, 134_000_000),
    }
    test = {"accuracy": 1 - errors / 10000, "loss": final, "errors": errors}
    saved = {"model": model, "options": options, "params": settings}
    put(folder / f"metrics/train/{name}.json", json.dumps(train))
    put(folder / f"metrics/test/{name}.json", json.dumps(test))
    put(folder / f"data/settings/{name}.json", json.dumps(saved))
    header = "epoch,train_loss,validation_loss,validation_accuracy\n"
    put(folder / f"plots/runs/{name}/loss.csv", header + "".join(rows))
    lines = [f"{step},{step / 430:.4f},{loss(step / 430)}\n" for step in steps]
    put(folder / f"plots/runs/{name}/steps.csv", "step,epoch,loss\n" + "".join(lines))


def make_predictions(path: Path, labels: np.ndarray, errors: int) -> None:
    """Write predictions that are wrong for the first images; every second has a probability."""
    predicted = [(label + (i < errors)) % 10 for i, label in enumerate(labels.tolist())]
    rows = [f"{digit},{i % 2 * 0.9 or ''}\n" for i, digit in enumerate(predicted)]
    put(path, "predicted,probability\n" + "".join(rows))


def options(runs: Iterable[str]) -> list[str]:
    """Return what DVC makes of the mapping `runs` of dvc.yaml in a command."""
    return [word for name in runs for word in (f"--{name}", name.split("-")[0])]


def written(folder: Path) -> dict[str, bytes]:
    plots = folder / "plots"
    paths = [*plots.glob("*.*"), *plots.glob("mistakes/*")]
    return {path.relative_to(plots).as_posix(): path.read_bytes() for path in paths}


def verdict(text: str, number: int) -> str:
    return re.search(rf"^### {number}\. .*\n\n\*\*(.+)\*\*$", text, re.M)[1].lower()


@pytest.fixture(scope="module")
def bare(tmp_path_factory, mnist):
    """What the report reads besides results."""
    folder = tmp_path_factory.mktemp("bare")
    put(folder / "data/notebook.yaml", (ROOT / "data/notebook.yaml").read_text())
    (folder / "data/mnist").symlink_to(mnist)
    return folder


@pytest.fixture(scope="module")
def ten_runs(bare, tmp_path_factory, mnist):
    """Ten runs and their report, written as DVC does, for a user with a taste of their own."""
    folder = shutil.copytree(bare, tmp_path_factory.mktemp("ten") / "runs", symlinks=True)
    for name, (final, errors, different) in RUNS.items():
        make_run(folder, name, final, errors, different)
    labels = np.fromfile(mnist / "t10k-labels-idx1-ubyte", np.uint8, offset=8)
    for name in PREDICTED:
        make_predictions(folder / f"data/predictions/{name}.csv", labels, RUNS[name][1])
    put(folder / "matplotlibrc", "axes.facecolor: yellow\nfont.size: 20\n")
    command = [sys.executable, "-m", "stages.report", *options(RUNS)]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    return folder


@pytest.fixture
def folder(ten_runs, tmp_path, monkeypatch):
    """A copy of the ten runs that a test may change; the working directory."""
    copy = shutil.copytree(ten_runs, tmp_path / "runs", symlinks=True)
    monkeypatch.chdir(copy)
    monkeypatch.setattr(sys, "argv", ["report", *options(RUNS)])
    return copy


def report(folder: Path) -> str:
    stage.main()
    return (folder / "plots/report.md").read_text()


def test_the_outputs_are_whole_and_exactly_those_named(ten_runs):
    outputs = written(ten_runs)
    assert sorted(outputs) == sorted([*OUTPUTS, *(f"mistakes/{name}.png" for name in PREDICTED)])
    for name, content in outputs.items():
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG") and content.endswith(b"IEND\xaeB`\x82")
            assert b"Software" not in content
        assert str(ten_runs.parent).encode() not in content


def test_the_report_shows_every_run_its_figures_and_all_pictures(ten_runs):
    text = (ten_runs / "plots/report.md").read_text()
    for name, (_, errors, _) in RUNS.items():
        link = f"[`{name}`](mistakes/{name}.png)" if name in PREDICTED else f"`{name}`"
        assert re.search(
            rf"^\| {re.escape(link)} .* {100 - errors / 100:.2f} % \| {errors:,} \|", text, re.M
        )
    assert "| 99.38 % | 62 | 99.04 % | +0.34 |" in text
    assert (
        "| `alexnet` | 64 | 1 | 128 | 0.001 | one-cycle | 0.98 | 1 | fp32 | 55000 | 5000 |" in text
    )
    assert (
        "| *the notebook* | 224 | 10 | 32 | 0.001 | constant | 0.999 | 0 | fp32 | 60000 | 0 |"
        in text
    )
    for name in PICTURES:
        assert f"]({name}.png)" in text
    assert "Missing" not in text and "{" not in text


def test_the_verdicts_follow_from_the_figures(ten_runs):
    text = (ten_runs / "plots/report.md").read_text()
    out, partly = "borne out", "partly borne out"
    expected = [out, out, out, partly, partly, "no clear difference", partly]
    assert [verdict(text, number) for number in range(1, 8)] == expected
    assert "1. ResNet18 does better on MNIST than AlexNet. **borne out**" in text
    assert "**Not like for like**" in text and "image_size (resnet18 32, alexnet 64)" in text
    differing = (
        "image size, epochs, batch, schedule, Adam's beta2, gradient clipping, training images, "
        "validation images, initial weights"
    )
    assert f"The runs were not trained like the notebook's ({differing}):" in text


def test_the_same_results_give_the_same_bytes(folder):
    first = written(folder)
    for name in OUTPUTS:
        put(folder / "plots" / name, "of an earlier report")
    put(folder / "plots/mistakes/gone.png", "of a run that is no more")
    report(folder)
    assert written(folder) == first


def test_other_figures_and_other_runs_in_dvc_yaml_give_another_report(folder, monkeypatch):
    first = written(folder)
    make_run(folder, "vgg16", 0.03, 70, {"image_size": 64, "weights": "random"})
    make_run(folder, "resnet18", 0.021, 240, RUNS["resnet18"][2])
    runs = [*(name for name in RUNS if name != "model_b-lr0.1"), "vgg16"]
    monkeypatch.setattr(sys, "argv", ["report", *options(runs)])
    text = report(folder)
    assert verdict(text, 1) == "not borne out"
    assert "| `vgg16` | 134,000,000 |" in text
    assert "model_b-lr0.1" not in text and "**No results for** lr 0.1." in text
    changed = {name for name in first if written(folder).get(name) != first[name]}
    gone = "mistakes/model_b-lr0.1.png"
    assert changed == {"accuracy.png", "report.md", "learning_rates.png", gone}
    assert gone not in written(folder)


@pytest.mark.parametrize("runs", [[], list(RUNS)])
def test_no_results_at_all_still_give_every_output(bare, tmp_path, monkeypatch, runs):
    folder = shutil.copytree(bare, tmp_path / "none", symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["report", *options(runs)])
    text = report(folder)
    assert sorted(written(folder)) == sorted(OUTPUTS)
    assert (folder / "plots/mistakes").is_dir()
    assert [verdict(text, number) for number in range(1, 8)] == ["not measured"] * 7
    assert ("`metrics/train/resnet18.json`" in text) == bool(runs)


def test_missing_files_and_a_diverged_run_are_shown_as_such(folder):
    (folder / "metrics/test/model_b.json").unlink()
    (folder / "plots/runs/alexnet/steps.csv").unlink()
    name = "model_b-lr0.1"
    nothing = dict.fromkeys(["loss", "validation_loss", "validation_accuracy"])
    train = {**nothing, "epochs": 3, "parameters": 68138, "diverged": True}
    put(folder / f"metrics/train/{name}.json", json.dumps(train))
    put(folder / f"metrics/test/{name}.json", '{"accuracy": 0.098, "loss": null, "errors": 9020}')
    plots = folder / f"plots/runs/{name}"
    put(plots / "loss.csv", "epoch,train_loss,validation_loss,validation_accuracy\n1,,,\n")
    put(plots / "steps.csv", "step,epoch,loss\n6,0.1,2.3\n12,0.2,80.0\n18,0.3,\n")
    text = report(folder)
    assert "**Missing files:** `plots/runs/alexnet/steps.csv`, `metrics/test/model_b.json`." in text
    assert "test accuracy – (Model B), 97.60 % (Model A)" in text  # noqa: RUF001
    assert verdict(text, 5) == "borne out"
    assert "| training loss stopped being finite (lr 0.1) |" in text
    assert "| loss of the last epoch not finite (lr 0.1) |" in text


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("metrics/train/model_a.json", '{"loss": 0.1, "validation_loss": 0.1'),
        ("metrics/train/model_a.json", '{"loss": "low"}'),
        ("metrics/test/model_a.json", '{"accuracy": 98.0, "loss": 0.1, "errors": 200}'),
        ("metrics/test/model_a.json", "[]"),
        ("plots/runs/model_a/loss.csv", "epoch,train_loss\n1,0.5\n"),
        ("plots/runs/model_a/steps.csv", "step,epoch,loss\n1,0.1,low\n"),
        ("data/settings/model_a.json", '{"model": "model_a", "options": {}}'),
        ("data/settings/model_a.json", "\x00"),
        ("data/predictions/model_a.csv", "predicted,probability\n7,0.9\n"),
        ("data/predictions/model_a.csv", "predicted,probability\n7\n"),
        ("data/predictions/model_a.csv", "predicted,probability\nseven,0.9\n"),
    ],
)
def test_corrupt_results_are_named_and_leave_the_report_alone(folder, path, content):
    before = written(folder)
    put(folder / path, content)
    with pytest.raises(UserError, match=rf"^{re.escape(path)} .*is corrupt.*dvc repro"):
        stage.main()
    assert written(folder) == before


@pytest.mark.parametrize("content", [None, "runs: [", "runs: {}"])
def test_a_corrupt_notebook_says_how_to_restore_it(folder, content):
    (folder / "data/notebook.yaml").unlink()
    if content is not None:
        put(folder / "data/notebook.yaml", content)
    with pytest.raises(UserError, match=r"git checkout data/notebook\.yaml"):
        stage.main()


def test_without_the_test_images_the_way_to_them_is_named(folder):
    (folder / "data/mnist").unlink()
    with pytest.raises(UserError, match=r"^data/mnist/t10k-images.*`dvc repro fetch`"):
        stage.main()


def test_a_setting_keeps_its_colour_where_another_is_missing(folder):
    runs = read([name for name in RUNS if name != "model_a-tanh"])
    compared = comparisons.every(runs)
    colours = {
        name: {curve.label: curve.colour for curve in stage.panel(compared[name]).curves}
        for name in ("Model A", "Model B")
    }
    assert colours == {
        "Model A": {"relu": 0, "sigmoid": 2},
        "Model B": {"relu": 0, "tanh": 1, "sigmoid": 2},
    }
