import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages import report as stage
from stages.reporting import comparisons, results
from stages.system.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
OUTPUTS = [
    "accuracy.png",
    "activations.png",
    "learning_rates.png",
    "notebook.png",
    "report.md",
    "small_cnns.png",
    "transfer.png",
]
SIZES = {"resnet18": 11_175_370, "alexnet": 57_044_810, "model_a": 132_042, "model_b": 68_138}
# run: final training loss, test errors, options and params that are not the usual ones
RUNS = {
    "resnet18": (0.021, 62, {"epochs": 2, "mode": "finetune", "weights": "random"}),
    "alexnet": (0.080, 124, {"image_size": 64, "mode": "finetune", "weights": "random"}),
    "model_a": (0.070, 240, {"epochs": 3, "activation": "relu"}),
    "model_b": (0.050, 168, {"epochs": 3, "activation": "relu"}),
    "model_a-sigmoid": (0.250, 720, {"epochs": 3, "activation": "sigmoid"}),
    "model_a-tanh": (0.110, 320, {"epochs": 3, "activation": "tanh"}),
    "model_b-sigmoid": (0.270, 810, {"epochs": 3, "activation": "sigmoid"}),
    "model_b-tanh": (0.060, 185, {"epochs": 3, "activation": "tanh"}),
    "model_b-lr0.1": (2.310, 8972, {"epochs": 3, "activation": "relu", "lr": 0.1}),
    "model_b-lr0.01": (0.035, 150, {"epochs": 3, "activation": "relu", "lr": 0.01}),
}


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def make_run(folder: Path, name: str, final: float, errors: int, different: dict) -> None:
    """Write the files of one run, with a loss that falls from ln 10 to `final`."""
    model = name.split("-")[0]
    options = {"image_size": 32}
    params = {
        "seed": 0,
        "lr": 0.001,
        "schedule": "one-cycle",
        "batch_size": 128,
        "precision": "fp32",
        "train_images": 55000,
        "validation_images": 5000,
        "epochs": 1,
    }
    for key, value in different.items():
        (options if key in ("image_size", "activation", "stem") else params)[key] = value
    epochs = params["epochs"]
    steps = [430 * epochs * i // 200 for i in range(1, 201)]

    def loss(epoch: float) -> float:
        fall = (math.log(10) - final) * math.exp(-epoch * (8 if final < 0.1 else 4))
        return final + fall + 0.1 * final * math.sin(40 * epoch)

    losses = [(step, loss(step / 430)) for step in steps]
    rows = []
    for epoch in range(1, epochs + 1):
        mine = [value for step, value in losses if epoch - 1 < step / 430 <= epoch]
        rows.append(f"{epoch},{sum(mine) / len(mine)},{1.1 * mine[-1]},{1 - errors / 9000}\n")
    train = {
        "loss": float(rows[-1].split(",")[1]),
        "validation_loss": 1.1 * final,
        "validation_accuracy": 1 - errors / 9000,
        "epochs": epochs,
        "parameters": SIZES.get(model, 134_000_000),
    }
    test = {"accuracy": 1 - errors / 10000, "loss": final, "errors": errors}
    settings = {"model": model, "options": options, "params": params}
    put(folder / f"metrics/train/{name}.json", json.dumps(train))
    put(folder / f"metrics/test/{name}.json", json.dumps(test))
    runs = folder / f"plots/runs/{name}"
    put(runs / "settings.json", json.dumps(settings))
    put(runs / "loss.csv", "epoch,train_loss,validation_loss,validation_accuracy\n" + "".join(rows))
    put(runs / "steps.csv", "step,loss\n" + "".join(f"{s},{value}\n" for s, value in losses))


def report(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "stages.report"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "plots").iterdir() if path.is_file()}


def verdict(text: str, number: int) -> str:
    return re.search(rf"^### {number}\. .*\n\n\*\*(.+)\*\*$", text, re.M)[1].lower()


@pytest.fixture(scope="session")
def ten_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ten")
    put(folder / "data/notebook.yaml", (ROOT / "data/notebook.yaml").read_text())
    for name, (final, errors, different) in RUNS.items():
        make_run(folder, name, final, errors, different)
    assert report(folder).returncode == 0
    return folder


@pytest.fixture
def folder(ten_runs, tmp_path):
    """A copy of the ten runs that a test may change."""
    return Path(shutil.copytree(ten_runs, tmp_path / "runs"))


def test_the_outputs_are_whole_and_exactly_those_named(ten_runs):
    outputs = written(ten_runs)
    assert sorted(outputs) == OUTPUTS
    for name in OUTPUTS:
        if name.endswith(".png"):
            assert outputs[name].startswith(b"\x89PNG") and outputs[name].endswith(
                b"IEND\xaeB`\x82"
            )


def test_the_report_shows_every_run_its_figures_and_all_pictures(ten_runs):
    text = (ten_runs / "plots/report.md").read_text()
    for name, (_, errors, _) in RUNS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| [`{name}`]"))
        assert f"| {100 - errors / 100:.2f} % | {errors} |" in row
    assert "| 99.38 % | 62 | 99.04 % | +0.34 |" in text
    assert "| `alexnet` | 64 | 1 | 128 | 0.001 | one-cycle | fp32 | 55000 | 5000 |" in text
    assert "| *the notebook* | 224 | 10 | 32 | 0.001 | constant | fp32 | 60000 | 0 |" in text
    for name in OUTPUTS:
        assert name == "report.md" or f"]({name})" in text
    assert "Missing" not in text


def test_the_verdicts_follow_from_the_figures(ten_runs):
    text = (ten_runs / "plots/report.md").read_text()
    assert [verdict(text, number) for number in range(1, 8)] == [
        "borne out",
        "borne out",
        "borne out",
        "partly borne out",
        "partly borne out",
        "no clear difference",
        "partly borne out",
    ]
    assert "image_size (resnet18 32, alexnet 64)" in text


def test_other_figures_give_other_verdicts(folder):
    make_run(folder, "resnet18", 0.021, 240, RUNS["resnet18"][2])
    assert report(folder).returncode == 0
    assert verdict((folder / "plots/report.md").read_text(), 1) == "not borne out"


def test_two_runs_write_the_same_bytes(folder):
    first = written(folder)
    shutil.rmtree(folder / "plots/runs/model_b-lr0.1")
    assert report(folder).returncode == 0
    changed = written(folder)
    assert changed["learning_rates.png"] != first["learning_rates.png"]
    shutil.rmtree(folder / "plots")
    shutil.rmtree(folder / "metrics")
    for name in reversed(RUNS):
        make_run(folder, name, *RUNS[name])
    assert report(folder).returncode == 0
    assert written(folder) == first


def test_an_unknown_run_is_in_the_table_and_the_picture(folder):
    first = written(folder)
    make_run(folder, "vgg16", 0.03, 70, {"image_size": 64, "weights": "random"})
    assert report(folder).returncode == 0
    assert (
        "| [`vgg16`](runs/vgg16/mistakes.png) | 134,000,000 |"
        in (folder / "plots/report.md").read_text()
    )
    changed = [name for name, content in written(folder).items() if content != first[name]]
    assert sorted(changed) == ["accuracy.png", "report.md"]


def test_no_runs_at_all_still_give_every_output(tmp_path):
    put(tmp_path / "data/notebook.yaml", (ROOT / "data/notebook.yaml").read_text())
    result = report(tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(written(tmp_path)) == OUTPUTS
    text = (tmp_path / "plots/report.md").read_text()
    assert [verdict(text, number) for number in range(1, 8)] == ["not measured"] * 7
    assert "resnet18 has not been run" in text


def test_missing_files_are_named(folder):
    (folder / "metrics/test/model_b.json").unlink()
    (folder / "plots/runs/alexnet/steps.csv").unlink()
    assert report(folder).returncode == 0
    text = (folder / "plots/report.md").read_text()
    assert "`metrics/test/model_b.json`" in text and "`plots/runs/alexnet/steps.csv`" in text
    assert "no figure for Model B" in text


def test_a_plain_model_of_another_activation_leaves_the_comparison_unmeasured(folder):
    make_run(folder, "model_a", 0.07, 240, {"epochs": 3, "activation": "tanh"})
    assert report(folder).returncode == 0
    text = (folder / "plots/report.md").read_text()
    assert "model_a-tanh has the same activation as model_a, tanh" in text
    line = "| Model A: the loss of relu falls faster than that of tanh and sigmoid |"
    assert next(row for row in text.splitlines() if row.startswith(line)).endswith(
        "| not measured |"
    )


def test_a_diverged_run_is_shown_as_such(folder):
    name = "model_b-lr0.1"
    put(
        folder / f"metrics/train/{name}.json",
        '{"loss": null, "validation_loss": null, "validation_accuracy": null, "epochs": 3, '
        '"parameters": 68138, "diverged": true}',
    )
    put(folder / f"metrics/test/{name}.json", '{"accuracy": 0.098, "loss": null, "errors": 9020}')
    runs = folder / f"plots/runs/{name}"
    put(runs / "loss.csv", "epoch,train_loss,validation_loss,validation_accuracy\n1,,,\n")
    put(runs / "steps.csv", "step,loss\n6,2.3\n12,80.0\n18,\n")
    assert report(folder).returncode == 0
    text = (folder / "plots/report.md").read_text()
    assert verdict(text, 5) == "borne out"
    assert "final training loss not finite" in text


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("metrics/train/model_a.json", '{"loss": 0.1, "validation_loss": 0.1'),
        ("metrics/train/model_a.json", '{"loss": "low"}'),
        ("metrics/test/model_a.json", '{"accuracy": 0.98}'),
        ("metrics/test/model_a.json", '{"accuracy": 98.0, "loss": 0.1, "errors": 200}'),
        ("metrics/test/model_a.json", "[]"),
        ("plots/runs/model_a/loss.csv", ""),
        ("plots/runs/model_a/loss.csv", "epoch,train_loss\n1,0.5\n"),
        ("plots/runs/model_a/steps.csv", "step,loss\n1,low\n"),
        ("plots/runs/model_a/settings.json", '{"model": "model_a", "options": {}, "params": {}}'),
        ("plots/runs/model_a/settings.json", "\x00"),
    ],
)
def test_damaged_results_are_named_and_leave_the_report_alone(folder, monkeypatch, path, content):
    before = written(folder)
    put(folder / path, content)
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match=rf"^{re.escape(path)} is damaged.*dvc repro"):
        stage.main()
    assert written(folder) == before


@pytest.mark.parametrize(("key", "value"), [("train_images", "55000"), ("batch_size", 0)])
def test_a_setting_that_no_run_writes_is_damage(folder, monkeypatch, key, value):
    path = folder / "plots/runs/model_a/settings.json"
    content = json.loads(path.read_text())
    content["params"][key] = value
    put(path, json.dumps(content))
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match=r"settings\.json is damaged"):
        stage.main()


def test_the_claims_say_how_the_runs_differ_from_the_notebooks(folder):
    text = (folder / "plots/report.md").read_text()
    differing = "image size, epochs, batch, schedule, training images, validation images, "
    assert f"The runs were not trained as the notebook's ({differing}initial weights)" in text


def test_damaged_results_end_in_one_sentence(folder):
    put(folder / "metrics/test/model_a.json", "{")
    result = report(folder)
    assert result.returncode == 1
    assert result.stderr.startswith("error: metrics/test/model_a.json is damaged")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [None, "runs: [", "runs: {}"])
def test_a_damaged_notebook_says_how_to_restore_it(folder, monkeypatch, content):
    (folder / "data/notebook.yaml").unlink()
    if content is not None:
        put(folder / "data/notebook.yaml", content)
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match=r"git checkout data/notebook\.yaml"):
        stage.main()


def test_the_report_does_not_import_torch():
    code = "import sys, stages.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_setting_keeps_its_colour_where_another_is_missing(folder, monkeypatch):
    shutil.rmtree(folder / "plots/runs/model_a-tanh")
    monkeypatch.chdir(folder)
    runs = results.read_runs(Path(), [])
    whole = stage.panel("", comparisons.activations(runs, "model_b"))
    partial = stage.panel("", comparisons.activations(runs, "model_a"))
    assert [(curve.label, curve.colour) for curve in whole.curves] == [
        ("relu", 0),
        ("tanh", 1),
        ("sigmoid", 2),
    ]
    assert [(curve.label, curve.colour) for curve in partial.curves] == [
        ("relu", 0),
        ("sigmoid", 2),
    ]
