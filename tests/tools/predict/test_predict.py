import os
import re
from collections.abc import Callable
from pathlib import Path

import drawings
import numpy as np
import pytest
import torch
from helpers import ROOT, run_here
from PIL import Image

from stages import models
from stages.system.errors import UserError
from tools.predict import __main__ as predict
from tools.predict import answer

OPTIONS = {"image_size": 28, "activation": "relu"}
LINE = r"(.*): (\d) \((\d+\.\d) %\)"
UNSURE = (
    r"error: (.*) could be \d \(\d+\.\d %\) or \d \(\d+\.\d %\): "
    r"expected a clearer picture of one digit"
)


@pytest.fixture(scope="module")
def gallery(module_path: Path, mnist: Path) -> Path:
    """Return a folder with pictures `<style>/<digit>-<source><suffix>` in every style."""
    root = module_path / "gallery"
    digits = [(name, ink.resize((140, 140))) for name, ink in written(mnist)]
    digits += [(f"{digit}-typed", drawings.typed(digit)) for digit in range(10)]
    for style, save in drawings.STYLES.items():
        folder, suffix = style.split(".")
        (root / folder).mkdir(parents=True)
        for name, ink in digits:
            save(ink, root / folder / f"{name}.{suffix}")
    return root


def written(mnist: Path) -> list[tuple[str, Image.Image]]:
    """Return two written digits of each kind, as MNIST has them, by name."""
    inks = enumerate(drawings.written(mnist, of_each=2))
    return [(f"{digit}-written{i}", ink) for i, (digit, ink) in inks]


@pytest.fixture
def say(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command in a folder: exit code, output and errors."""

    def run(cwd: Path, run: str, *pictures: Path) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            run_here(predict, "--run", run, *map(str, pictures))
        return int(ended.value.code), *capsys.readouterr()

    return run


def by_style(said: tuple[int, str, str], pictures: list[Path]) -> dict[str, dict[str, list[str]]]:
    """Return by style the names of the pictures that it refused, and of those that it got wrong."""
    code, output, error = said
    answers = {}
    for line in output.splitlines():
        name, digit, percent = re.fullmatch(LINE, line).groups()
        assert 80 <= float(percent) <= 100
        answers[name] = digit
    refusals = [re.fullmatch(UNSURE, line).group(1) for line in error.splitlines()]
    assert sorted([*answers, *refusals]) == sorted(map(str, pictures))
    assert code == (1 if refusals else 0)
    found = {path.parent.name: {"refused": [], "wrong": []} for path in pictures}
    for path in pictures:
        if str(path) in refusals:
            found[path.parent.name]["refused"].append(path.name)
        elif answers[str(path)] != path.name[0]:
            found[path.parent.name]["wrong"].append(path.name)
    return found


def test_a_network_trained_for_seconds_reads_every_style(trained, gallery, say) -> None:
    pictures = sorted(gallery.glob("*/*-written*"))
    found = by_style(say(trained, "model_b", *pictures), pictures)
    assert set(found) == {style.split(".")[0] for style in drawings.STYLES}
    for style, names in found.items():  # of 20
        assert len(names["wrong"]) <= 1, style
        assert len(names["refused"]) <= 5, style


def test_resnet18_gets_the_clear_ones_right(gallery, mnist, say) -> None:
    model = ROOT / "data/models/resnet18.pt"
    if not model.is_file():
        pytest.skip("data/models/resnet18.pt is not trained yet: `dvc repro` makes it")
    network = models.load(model)
    # what it doubts as MNIST has it, it may doubt in every style
    doubted = {
        name
        for name, ink in written(mnist)
        if answer.ask(network, torch.from_numpy(np.array(ink)))[int(name[0])] < answer.SURE
    }
    assert len(doubted) <= 1, doubted  # of 20
    pictures = [path for path in sorted(gallery.glob("*/*")) if path.parent.name != "tiny"]
    found = by_style(say(ROOT, "resnet18", *pictures), pictures).values()
    assert [names["wrong"] for names in found if names["wrong"]] == []
    clear = [path.name for path in pictures if path.stem not in doubted]
    refused = [name for names in found for name in names["refused"] if name in clear]
    assert len(refused) <= 0.02 * len(clear), refused


def test_it_reads_on_after_a_file_that_is_not_a_picture(trained, tmp_path, say) -> None:
    drawings.typed(0).save(tmp_path / "good one.png")
    (tmp_path / "words.txt").write_text("words")
    code, output, error = say(trained, "model_b", tmp_path / "words.txt", tmp_path / "good one.png")
    assert code == 1
    assert error.startswith(f"error: {tmp_path}/words.txt cannot be read as an image")
    assert re.fullmatch(LINE + "\n", output).group(1) == f"{tmp_path}/good one.png"


def test_a_name_that_a_terminal_would_obey_is_escaped(trained, tmp_path, say) -> None:
    (tmp_path / "data").symlink_to(trained / "data")
    names = {
        "two\nlines.png": r"two\nlines.png",
        "\x1b[2J.png": r"\x1b[2J.png",
        os.fsdecode(b"\xff.png"): r"\udcff.png",
        "zéro.png": "zéro.png",
    }
    for name in names:
        drawings.typed(0).save(tmp_path / "0.png")
        (tmp_path / "0.png").rename(tmp_path / name)
    (tmp_path / "a\rb").write_text("no image")
    _, output, error = say(tmp_path, "model_b", *map(Path, names), Path("a\rb"))
    assert [line.split(": ")[0] for line in output.splitlines()] == list(names.values())
    assert error.startswith(r"error: a\rb cannot be read")


def test_the_probability_is_the_networks(tmp_path: Path, say) -> None:
    network = models.build("model_b", **OPTIONS)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    drawings.typed(0).save(tmp_path / "0.png")
    # softmax: e ** 4 / (e ** 4 + 9) and e ** 2 / (e ** 2 + 9)
    sure = (0, "0.png: 4 (85.8 %)\n", "")
    unsure = "could be 4 (45.1 %) or 0 (6.1 %): expected a clearer picture of one digit"
    for bias, expected in ((4, sure), (2, (1, "", f"error: 0.png {unsure}\n"))):
        with torch.no_grad():
            network.fc2.bias[4] = bias
        models.save(tmp_path / "data/models/some.pt", network, "model_b", OPTIONS, {})
        assert say(tmp_path, "some", Path("0.png")) == expected
    with pytest.raises(UserError, match=r"resnet18.pt does not exist .there: some."):
        say(tmp_path, "resnet18", Path("0.png"))
