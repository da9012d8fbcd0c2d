import os
import re
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT, do, run_here
from pictures_kit import typed

from stages import models
from stages.system.errors import UserError
from tools.predict import __main__ as predict

ANSWER = r"\d \(\d+\.\d %\)"


def test_it_reads_on_after_bad_files_and_escapes_names(trained, monkeypatch, capsys) -> None:
    monkeypatch.chdir(trained)
    names = {
        "two\nlines.png": r"two\nlines.png",
        "\x1b[2J.png": r"\x1b[2J.png",  # would clear the terminal
        os.fsdecode(b"\xff.png"): r"\udcff.png",
        "zéro.png": "zéro.png",
    }
    Path("a\rb").write_text("no image")
    for name in names:
        typed(0).save("0.png")
        Path("0.png").rename(name)
    with pytest.raises(SystemExit) as ended:
        run_here(predict, "--run", "model_b", "a\rb", *names)
    assert ended.value.code == 1
    output, error = capsys.readouterr()
    assert error.startswith(r"error: a\rb cannot be read as an image (UnidentifiedImageError)")
    for line, name in zip(output.splitlines(), names.values(), strict=True):
        assert re.fullmatch(re.escape(name) + ": " + ANSWER, line)


def test_the_probability_is_the_networks(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    options = {"image_size": 28, "activation": "relu"}
    network = models.build("model_b", **options)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    typed(0).save("0.png")
    # softmax: e ** 4 / (e ** 4 + 9) and e ** 2 / (e ** 2 + 9)
    unsure = "0.png could be 4 (45.1 %) or 0 (6.1 %): expected a clearer picture of one digit"
    for bias, expected in ((4, ("0.png: 4 (85.8 %)\n", "")), (2, ("", f"error: {unsure}\n"))):
        with torch.no_grad():
            network.fc2.bias[4] = bias
        models.save(Path("data/models/some.pt"), network, "model_b", options, {})
        with pytest.raises(SystemExit) as ended:
            run_here(predict, "--run", "some", "0.png")
        assert (ended.value.code, *capsys.readouterr()) == (bias == 2, *expected)
    with pytest.raises(UserError, match=r"resnet18.pt does not exist .there: some."):
        run_here(predict, "--run", "resnet18", "0.png")


def test_it_needs_torch_torchvision_pillow_and_scipy_only(trained: Path) -> None:
    typed(0).save(trained / "digit.png")
    others = ("ruamel", "dvc", "matplotlib", "yaml", "omegaconf")
    code = f"import sys; sys.modules |= dict.fromkeys({others}); from tools.predict import __main__"
    command = [sys.executable, "-c", f"{code}; __main__.main()", "--run", "model_b", "digit.png"]
    output = do(trained, *command, PYTHONPATH=str(ROOT))
    assert re.fullmatch("digit.png: " + ANSWER + "\n", output)
