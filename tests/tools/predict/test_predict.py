import re
from pathlib import Path

import pytest
import torch
from helpers import ROOT, run, run_here
from pictures_kit import saved, typed

from stages import models
from stages.system.errors import UserError
from tools.predict import __main__ as predict


def test_it_escapes_names_and_needs_nothing_of_the_pipelines_packages(trained: Path) -> None:
    names = {
        "two\nlines.png": r"two\nlines.png",
        "\x1b[2J.png": r"\x1b[2J.png",  # would clear the terminal
        "é\udcff.png": r"é\udcff.png",  # as a name that is not UTF-8 reads
    }
    for name in names:
        (trained / name).write_bytes(saved(typed(0)).getvalue())
    (trained / "a\rb").write_text("no image")
    absent = dict.fromkeys(["ruamel", "dvc", "matplotlib", "yaml"])
    code = f"import sys; sys.modules |= {absent}; from tools.predict.__main__ import main; main()"
    command = ["python", "-c", code, "--run", "model_b", "a\rb", *names]
    done = run(trained, *command, PYTHONPATH=str(ROOT), PYTHONUTF8="1")
    assert done.stderr.startswith(r"error: a\rb cannot be read as an image"), done.stderr
    assert done.returncode == 1
    for line, name in zip(done.stdout.splitlines(), names.values(), strict=True):
        assert re.fullmatch(re.escape(name) + r": \d \(\d+\.\d %\)", line)


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
