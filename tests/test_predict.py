import os
import re
import subprocess
import sys
from pathlib import Path

import drawings
import pytest
import torch
from commands import ROOT, copy_repository, refusal, run_stage, set_params

from stages import models

OPTIONS = {"image_size": 28, "activation": "relu"}
LINE = r"(.*): (\d) \((\d+\.\d) %\)"


@pytest.fixture(scope="module")
def trained(module_path: Path, mnist: Path) -> Path:
    """Return a repository with a Model B that was trained for a few seconds."""
    root = copy_repository(module_path / "trained", mnist)
    set_params(root, train_images=4000, validation_images=0, batch_size=32)
    set_params(root, models__model_b__epochs=3, lr=0.005)
    result = run_stage("stages.train", "model_b", cwd=root)
    assert result.returncode == 0, result.stderr
    return root


@pytest.fixture(scope="module")
def gallery(module_path: Path, mnist: Path) -> Path:
    """Return a folder with pictures `<style>/<digit>-<source><suffix>` in every style."""
    root = module_path / "gallery"
    digits = [(digit, f"written{i}", ink) for i, (digit, ink) in
              enumerate(drawings.written(mnist, of_each=2))]  # fmt: skip
    digits += [(digit, "typed", drawings.typed(digit)) for digit in range(10)]
    for style, save in drawings.STYLES.items():
        name, suffix = style.split(".")
        (root / name).mkdir(parents=True)
        for digit, source, ink in digits:
            bigger = ink if source == "typed" else ink.resize((140, 140))
            save(bigger, root / name / f"{digit}-{source}.{suffix}")
    return root


def wrong(cwd: Path, run: str, pictures: list[Path]) -> dict[str, list[str]]:
    """Predict, and return by style the names of the pictures that it got wrong."""
    result = run_stage("stages.predict", "--run", run, *map(str, pictures), cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    styles = {path.parent.name: [] for path in pictures}
    for path, line in zip(pictures, result.stdout.splitlines(), strict=True):
        name, digit, percent = re.fullmatch(LINE, line).groups()
        assert name == str(path)
        assert 10 <= float(percent) <= 100
        if path.name[0] != digit:
            styles[path.parent.name].append(path.name)
    return styles


def test_a_network_trained_for_seconds_reads_every_style(trained: Path, gallery: Path) -> None:
    found = wrong(trained, "model_b", sorted(gallery.glob("*/*-written*")))
    assert set(found) == {style.split(".")[0] for style in drawings.STYLES}
    assert {style: names for style, names in found.items() if len(names) > 2} == {}  # of 20


def test_resnet18_gets_the_clear_ones_right(gallery: Path) -> None:
    if not (ROOT / "data/models/resnet18.pt").is_file():
        pytest.skip("data/models/resnet18.pt is not trained yet: `dvc repro` makes it")
    pictures = [path for path in sorted(gallery.glob("*/*")) if path.parent.name != "tiny"]
    found = wrong(ROOT, "resnet18", pictures)
    assert {style: names for style, names in found.items() if names} == {}


def test_it_reads_on_after_a_file_that_is_no_picture(trained: Path, tmp_path: Path) -> None:
    words, picture = tmp_path / "words.txt", tmp_path / "good one.png"
    drawings.typed(0).save(picture)
    words.write_text("words")
    arguments = ["--run", "model_b", str(words), str(picture)]
    result = run_stage("stages.predict", *arguments, cwd=trained)
    assert f"{words} is no image that can be read" in refusal(result)
    assert re.fullmatch(LINE + "\n", result.stdout).group(1) == str(picture)


def test_a_name_that_is_no_text_is_printed_as_it_is(trained: Path, tmp_path: Path) -> None:
    picture = os.fsencode(tmp_path) + b"/\xff.png"
    drawings.typed(0).save(tmp_path / "0.png")
    (tmp_path / "0.png").rename(os.fsdecode(picture))
    result = subprocess.run(
        [sys.executable, "-m", "stages.predict", "--run", "model_b", picture],
        cwd=trained, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"}, capture_output=True,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(picture + b": ")


def test_the_probability_is_the_networks(trained: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = models.build("model_b", **OPTIONS)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():  # softmax: e ** 2 / (e ** 2 + 9)
        network.fc2.bias[4] = 2
    models.save(trained / "data/models/model_b-sure.pt", network, "model_b", OPTIONS, {})
    drawings.typed(0).save(tmp_path / "0.png")
    picture = str(tmp_path / "0.png")
    result = run_stage("stages.predict", "--run", "model_b-sure", picture, cwd=trained)
    assert result.stdout == f"{picture}: 4 (45.1 %)\n"


def test_without_a_model_it_says_how_to_get_one(workspace: Path) -> None:
    result = run_stage("stages.predict", "--run", "resnet18", "digit.png", cwd=workspace)
    assert "no run 'resnet18' has been trained" in refusal(result)
