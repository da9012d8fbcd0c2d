import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from helpers import EPOCHS, ROOT, do, put, run_here, write_run

from stages import report as stage
from stages.system.errors import UserError

PICTURES = ["accuracy", "activations", "learning_rates", "notebook", "small_cnns", "transfer"]
OUTPUTS = [*(f"{name}.png" for name in PICTURES), "report.md"]
PREDICTED = ["model_a", "model_b-lr0.1"]  # runs with predictions
# run: test errors, loss at the end, what else differs
RUNS = {
    "resnet18": (62, 0.021, {"parameters": 11_175_370, "image_size": 32, "weights": "random"}),
    "alexnet": (124, 0.080, {"parameters": 57_044_810, "image_size": 64}),
    "model_a": (240, 0.070, {"activation": "relu"}),
    "model_b": (168, 0.050, {"activation": "relu"}),
    "model_a-sigmoid": (720, 0.250, {"activation": "sigmoid"}),
    "model_a-tanh": (320, 0.110, {"activation": "tanh"}),
    "model_b-sigmoid": (810, 0.270, {"activation": "sigmoid"}),
    "model_b-tanh": (185, 0.060, {"activation": "tanh"}),
    "model_b-lr0.1": (8972, 2.310, {"activation": "relu", "lr": 0.1}),
    "model_b-lr0.01": (150, 0.035, {"activation": "relu", "lr": 0.01}),
}


def options(runs: Iterable[str]) -> list[str]:
    return [word for name in runs for word in (f"--{name}", name.split("-")[0])]


def report(runs: Iterable[str] = RUNS) -> str:
    run_here(stage, *options(runs))
    return Path("plots/report.md").read_text()


def written(folder: Path) -> dict[str, bytes]:
    plots = folder / "plots"
    paths = [*plots.glob("*.*"), *plots.glob("mistakes/*")]
    return {path.relative_to(plots).as_posix(): path.read_bytes() for path in paths}


def verdicts(text: str) -> list[str]:
    found = re.findall(r"^### (\d)\. .*\n\n\*\*(.+)\*\*$", text, re.MULTILINE)
    assert [number for number, _ in found] == list("1234567")
    return [verdict.lower() for _, verdict in found]


@pytest.fixture(scope="module")
def ten_runs(tmp_path_factory, mnist):
    """Ten runs and their report, written as DVC does, for a user with a taste of their own."""
    folder = tmp_path_factory.mktemp("ten")
    put(folder / "data/notebook.yaml", (ROOT / "data/notebook.yaml").read_text())
    (folder / "data/mnist").symlink_to(mnist)
    labels = np.fromfile(mnist / "t10k-labels-idx1-ubyte", np.uint8, offset=8).tolist()
    for name, (errors, loss, own) in RUNS.items():
        write_run(folder, name, errors, loss, **own)
        if name in PREDICTED:  # wrong for the first images; every second has a probability
            predicted = [(label + (i < errors)) % 10 for i, label in enumerate(labels)]
            rows = [f"{digit},{i % 2 * 0.9 or ''}\n" for i, digit in enumerate(predicted)]
            table = "predicted,probability\n" + "".join(rows)
            put(folder / f"data/predictions/{name}.csv", table)
    put(folder / "matplotlibrc", "axes.facecolor: yellow\nfont.size: 20\n")
    do(folder, "python", "-m", "stages.report", *options(RUNS), PYTHONPATH=str(ROOT))
    return folder


@pytest.fixture
def folder(ten_runs, tmp_path, monkeypatch):
    """A copy of the ten runs that a test may change; the working directory."""
    monkeypatch.chdir(shutil.copytree(ten_runs, tmp_path / "runs", symlinks=True))
    return Path.cwd()


def test_the_outputs_are_exactly_those_named_and_know_no_time_place_or_software(ten_runs):
    outputs = written(ten_runs)
    assert set(outputs) == {*OUTPUTS, *(f"mistakes/{name}.png" for name in PREDICTED)}
    for content in outputs.values():
        words = (b"Software", b"matplotlib", b"tIME", str(ten_runs.parent).encode())
        assert not [word for word in words if word in content]


def test_the_report_shows_every_run_its_figures_and_what_follows_from_them(ten_runs):
    text = (ten_runs / "plots/report.md").read_text()
    for name, (errors, _, _) in RUNS.items():
        link = f"[`{name}`](mistakes/{name}.png)" if name in PREDICTED else f"`{name}`"
        figures = rf"{100 - errors / 100:.2f} % \| {errors:,}"
        assert re.search(rf"^\| {re.escape(link)} .* {figures} \|", text, re.MULTILINE)
    for part in (
        "| 99.38 % | 62 | 99.04 % | +0.34 |",
        "| `alexnet` | 64 | 2 | 128 | 0.001 | 0.98 | 1 | one-cycle | fp32 | 55000 | 5000 |",
        "| *the notebook* | 224 | 10 | 32 | 0.001 | 0.999 | 0 | constant | fp32 | 60000 | 0 |",
        "1. ResNet18 does better on MNIST than AlexNet. **borne out**",
        "| Model A: the loss of relu falls faster than that of tanh and sigmoid | loss of the "
        "first epoch 0.2400 (relu), 0.3200 (tanh), 0.6000 (sigmoid) | borne out |",
        "figures, by the same test: test accuracy 97.43 % (Model B), 97.26 % (Model A); p = 0.45 "
        "unpaired, one seed: no clear difference.",
        "**Not like for like**, other settings differ too: image_size (resnet18 32, alexnet 64)",
        "The runs were not trained like the notebook's (image_size, epochs, batch_size, beta2, "
        "clip_norm, schedule, train_images, validation_images, weights):",
        *(f"]({name}.png)" for name in PICTURES),
    ):
        assert part in text
    out, partly = "borne out", "partly borne out"
    assert verdicts(text) == [out, out, out, partly, partly, "no clear difference", partly]
    assert "Missing" not in text and "{" not in text


def test_the_same_results_give_the_same_bytes_and_others_another_report(folder):
    first = written(folder)
    report()
    assert written(folder) == first
    write_run(folder, "vgg16", 70, 0.03, parameters=134_000_000)
    write_run(folder, "resnet18", 240, 0.021, parameters=11_175_370, image_size=32)
    text = report([*(name for name in RUNS if name != "model_b-lr0.1"), "vgg16"])
    assert verdicts(text)[0] == "not borne out"
    assert "| `vgg16` | 134,000,000 |" in text
    assert "model_b-lr0.1" not in text and "**No results for** lr 0.1." in text
    changed = {name for name in first if written(folder)[name] != first[name]}
    assert changed == {"accuracy.png", "report.md", "learning_rates.png"}


def test_no_results_at_all_still_give_every_output(folder):
    for part in ("metrics", "plots", "data/settings", "data/predictions"):
        shutil.rmtree(part)
    text = report()
    assert set(written(folder)) == set(OUTPUTS)
    assert Path("plots/mistakes").is_dir()
    assert verdicts(text) == ["not measured"] * 7
    assert "`metrics/train/resnet18.json`" in text


def test_missing_files_and_a_diverged_run_are_shown_as_such(folder):
    Path("metrics/test/model_b.json").unlink()
    Path("plots/runs/alexnet/steps.csv").unlink()
    put(Path("plots/runs/model_a/loss.csv"), EPOCHS)  # stopped in its first epoch
    put(Path("metrics/train/model_b-lr0.1.json"), '{"loss": null, "diverged": true}')
    put(Path("plots/runs/model_b-lr0.1/loss.csv"), EPOCHS + "1,,,\n")
    put(Path("plots/runs/model_b-lr0.1/steps.csv"), "step,epoch,loss\n6,0.1,2.3\n18,0.3,\n")
    text = report()
    missing = ["plots/runs/alexnet/steps.csv", "plots/runs/model_a/loss.csv"]
    missing.append("metrics/test/model_b.json")
    assert f"**Missing files:** {', '.join(f'`{path}`' for path in missing)}." in text
    assert "test accuracy – (Model B), 97.60 % (Model A)" in text  # noqa: RUF001
    assert verdicts(text)[4] == "borne out"
    assert "| training loss stopped being finite (lr 0.1) |" in text
    assert "| loss of the last epoch not finite (lr 0.1) |" in text


@pytest.mark.parametrize(
    ("path", "content", "remedy"),
    [
        ("metrics/train/model_a.json", '{"loss": "low"}', "dvc repro"),
        ("metrics/test/model_a.json", '{"accuracy": 98.0, "errors": 200}', "dvc repro"),
        ("plots/runs/model_a/loss.csv", EPOCHS + "1,0.5,", "dvc repro"),  # cut short
        ("data/settings/model_a.json", "\x00", "dvc repro"),
        ("data/predictions/model_a.csv", "predicted,probability\n7\n", "dvc repro"),
        ("data/notebook.yaml", "runs: {}", "git checkout data/notebook.yaml"),
    ],
)
def test_corrupt_results_are_named_and_leave_the_report_alone(folder, path, content, remedy):
    before = written(folder)
    put(folder / path, content)
    with pytest.raises(UserError, match=rf"^{re.escape(path)} .* corrupt.*{re.escape(remedy)}"):
        report()
    assert written(folder) == before
