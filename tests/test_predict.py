import os
import re
from collections.abc import Callable
from pathlib import Path

import drawings
import pytest
import torch
from commands import ROOT, run_here, set_params

from predict import __main__ as predict
from stages import models, train
from stages.system.errors import UserError

OPTIONS = {"image_size": 28, "activation": "relu"}
LINE = r"(.*): (\d) \((\d+\.\d) %\)"


@pytest.fixture(scope="module")
def trained(module_path: Path, mnist: Path) -> Path:
    """Return a folder with a Model B that was trained for a few seconds."""
    (module_path / "data").mkdir()
    (module_path / "data/mnist").symlink_to(mnist)
    (module_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    set_params(module_path, train_images=4000, validation_images=0, batch_size=32, lr=0.005)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(module_path)
        run_here(train, "model_b")
    return module_path


@pytest.fixture(scope="module")
def gallery(module_path: Path, mnist: Path) -> Path:
    """Return a folder with pictures `<style>/<digit>-<source><suffix>` in every style."""
    root = module_path / "gallery"
    digits = [(digit, f"written{i}", ink.resize((140, 140))) for i, (digit, ink) in
              enumerate(drawings.written(mnist, of_each=2))]  # fmt: skip
    digits += [(digit, "typed", drawings.typed(digit)) for digit in range(10)]
    for style, save in drawings.STYLES.items():
        name, suffix = style.split(".")
        (root / name).mkdir(parents=True)
        for digit, source, ink in digits:
            save(ink, root / name / f"{digit}-{source}.{suffix}")
    return root


@pytest.fixture
def say(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command in a folder: exit code, output and errors."""

    def run(cwd: Path, run: str, *pictures: Path) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            run_here(predict, "--run", run, *map(str, pictures))
        return int(ended.value.code), *capsys.readouterr()

    return run


def wrong(said: tuple[int, str, str], pictures: list[Path]) -> dict[str, list[str]]:
    """Return by style the names of the pictures that it got wrong."""
    code, output, error = said
    assert (code, error) == (0, "")
    styles = {path.parent.name: [] for path in pictures}
    for path, line in zip(pictures, output.splitlines(), strict=True):
        name, digit, percent = re.fullmatch(LINE, line).groups()
        assert name == str(path)
        assert 10 <= float(percent) <= 100
        if path.name[0] != digit:
            styles[path.parent.name].append(path.name)
    return styles


def test_a_network_trained_for_seconds_reads_every_style(trained, gallery, say) -> None:
    pictures = sorted(gallery.glob("*/*-written*"))
    found = wrong(say(trained, "model_b", *pictures), pictures)
    assert set(found) == {style.split(".")[0] for style in drawings.STYLES}
    assert {style: names for style, names in found.items() if len(names) > 2} == {}  # of 20


def test_resnet18_gets_the_clear_ones_right(gallery, say) -> None:
    if not (ROOT / "data/models/resnet18.pt").is_file():
        pytest.skip("data/models/resnet18.pt is not trained yet: `dvc repro` makes it")
    pictures = [path for path in sorted(gallery.glob("*/*")) if path.parent.name != "tiny"]
    found = wrong(say(ROOT, "resnet18", *pictures), pictures)
    assert {style: names for style, names in found.items() if names} == {}


def test_it_reads_on_after_a_file_that_is_not_a_picture(trained, tmp_path, say) -> None:
    drawings.typed(0).save(tmp_path / "good one.png")
    (tmp_path / "words.txt").write_text("words")
    code, output, error = say(trained, "model_b", tmp_path / "words.txt", tmp_path / "good one.png")
    assert code == 1
    assert error.startswith(f"error: {tmp_path}/words.txt cannot be read as an image")
    assert re.fullmatch(LINE + "\n", output).group(1) == f"{tmp_path}/good one.png"


def test_a_name_that_is_not_text_is_printed_as_it_is(trained, tmp_path, capfdbinary, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawings.typed(0).save("0.png")
    Path("0.png").rename(os.fsdecode(b"\xff.png"))
    Path("data").symlink_to(trained / "data")
    with pytest.raises(SystemExit):
        run_here(predict, "--run", "model_b", os.fsdecode(b"\xff.png"))
    output, error = capfdbinary.readouterr()
    assert output.startswith(b"\xff.png: ")
    assert error == b""


def test_the_probability_is_the_networks(tmp_path: Path, say) -> None:
    network = models.build("model_b", **OPTIONS)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():  # softmax: e ** 2 / (e ** 2 + 9)
        network.fc2.bias[4] = 2
    models.save(tmp_path / "data/models/sure.pt", network, "model_b", OPTIONS, {})
    drawings.typed(0).save(tmp_path / "0.png")
    assert say(tmp_path, "sure", Path("0.png")) == (0, "0.png: 4 (45.1 %)\n", "")
    with pytest.raises(UserError, match=r"resnet18.pt does not exist .there: sure."):
        say(tmp_path, "resnet18", Path("0.png"))
