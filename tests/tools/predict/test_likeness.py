"""What is no digit gets no answer: of fonts, digits and pictures that the network has not seen."""

import string
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pictures_kit as kit
import pytest
import torch
from helpers import ROOT, run_here
from matplotlib.figure import Figure
from PIL import Image

from stages import models
from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import answer, likeness, pictures

UNSEEN = ("DejaVu Serif", "STIXGeneral")


RUNS = sorted(path.stem for path in (ROOT / "data/models").glob("*.pt"))


def answered(network: torch.nn.Module, given: list[BytesIO | torch.Tensor]) -> int:
    count = 0
    for one in given:
        with suppress(UserError):
            image = one if isinstance(one, torch.Tensor) else pictures.read(one)
            answer.best(answer.ask({0: network}, image)[0])
            count += 1
    return count


@pytest.mark.parametrize("font", UNSEEN)
def test_at_most_one_in_ten_letters_and_signs_is_answered(font: str, trained, monkeypatch) -> None:
    network = models.load(trained / "data/models/model_b.pt")
    characters = likeness.OTHERS + "%=~"
    files = [likeness.draw(character, font) for character in characters]
    assert answered(network, files) <= len(files) / 10
    monkeypatch.setattr(answer, "LIKE", 0)
    assert answered(network, files) > len(files) / 3  # without it


def test_of_clean_digits_at_most_one_in_a_hundred_is_lost(mnist: Path) -> None:
    clean = list(images.load("test", mnist)[0][:1000])
    clean += [pictures.read(likeness.draw(one, font)) for font in UNSEEN for one in string.digits]
    assert sum(likeness.measure(image) >= answer.LIKE for image in clean) >= 0.99 * len(clean)


def figure(image: np.ndarray) -> BytesIO:
    """Show a digit as a plotting library does, with axes and numbers around it."""
    file, shown = BytesIO(), Figure(figsize=(4, 4))
    shown.add_subplot(title="a digit").imshow(image, cmap="gray_r")
    shown.savefig(file, format="png")
    return file


def boxed(image: np.ndarray) -> BytesIO:
    """Draw a box around a digit, 6 pixels wide, on a larger sheet."""
    ink = np.pad(np.pad(kit.brush(image, 300), 40), 6, constant_values=1)
    return kit.saved(Image.fromarray(255 - (255 * np.pad(ink, 50)).astype(np.uint8)))


@pytest.mark.parametrize("draw", [figure, boxed])
def test_at_most_one_in_ten_digits_in_a_figure_or_box_is_answered(draw, trained, mnist) -> None:
    files = [draw(image.numpy()) for image in images.load("test", mnist)[0][:20]]
    assert answered(models.load(trained / "data/models/model_b.pt"), files) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_what_each_trained_run_answers(run: str, mnist: Path, monkeypatch) -> None:
    """With -rP it prints a row of docs/measured/pictures.md."""
    network, digits = models.load(ROOT / f"data/models/{run}.pt"), images.load("test", mnist)[0]
    drawn = [[draw(image.numpy()) for image in digits[:60]] for draw in (figure, boxed)]
    letters = [likeness.draw(one, font) for one in likeness.OTHERS + "%=~" for font in UNSEEN]
    kinds = [letters, *drawn, list(digits[:1000])]
    counts = [answered(network, kind) for kind in kinds]
    monkeypatch.setattr(answer, "LIKE", 0)
    before = [answered(network, kind) for kind in kinds]
    print(f"| `{run}`", *(f"| {old} → {new}" for old, new in zip(before, counts, strict=True)), "|")
    assert counts[-1] >= 0.99 * before[-1]


def test_its_command_trains_it(here: Path, monkeypatch) -> None:
    monkeypatch.setattr(likeness, "FILE", here / "likeness.pt")
    monkeypatch.setattr(likeness, "STEPS", 100)
    likeness.load.cache_clear()
    run_here(likeness)
    seen = {one: likeness.measure(pictures.read(likeness.draw(one))) for one in "237HMK"}
    likeness.load.cache_clear()
    assert min(seen[one] for one in "237") > max(seen[one] for one in "HMK"), seen
