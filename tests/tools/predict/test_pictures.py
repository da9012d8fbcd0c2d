import os
import re
from collections.abc import Callable
from pathlib import Path

import drawings
import numpy as np
import pytest
from PIL import Image

from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import pictures


def test_mnists_own_images_come_back_as_they_were(mnist: Path, tmp_path: Path) -> None:
    digits, _ = images.load("test", mnist)
    differences = []
    for image in digits[:200]:
        Image.fromarray(image.numpy()).save(tmp_path / "digit.png")
        back = pictures.read(tmp_path / "digit.png")
        differences.append((back.float() - image).abs().mean().item())
    assert np.median(differences) < 0.1  # of 255; the brightest pixel becomes 255, it was 253
    assert np.mean(differences) < 0.5


@pytest.mark.parametrize("style", drawings.STYLES)
def test_a_digit_looks_the_same_in_every_style(style: str, tmp_path: Path) -> None:
    for digit in (0, 2, 4, 7):
        ink = drawings.typed(digit)
        ink.save(tmp_path / "plain.png")
        plain = pictures.read(tmp_path / "plain.png").numpy()
        drawings.STYLES[style](ink, tmp_path / style)
        image = pictures.read(tmp_path / style).numpy()
        assert likeness(plain, image) > (0.6 if style == "tiny.png" else 0.85), digit


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the highest correlation within a pixel: the centre is rounded."""
    moved = [np.roll(other, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(np.corrcoef(one.flatten(), image.flatten())[0, 1] for image in moved)


def test_it_lies_as_mnists_digits_do(tmp_path: Path) -> None:
    drawings.STYLES["off_centre.png"](drawings.typed(7), tmp_path / "7.png")
    image = pictures.read(tmp_path / "7.png").double().numpy()
    rows, columns = (np.flatnonzero(image.max(axis)) for axis in (1, 0))
    assert rows[-1] - rows[0] == 19  # taller than wide
    assert columns[-1] - columns[0] == 12
    mass = np.array([(image.sum(axis) @ np.arange(28)) / image.sum() for axis in (1, 0)])
    assert np.abs(mass - 14).max() <= 0.51
    assert image.max() == 255


def test_its_strokes_are_antialiased(tmp_path: Path) -> None:
    drawings.STYLES["large.png"](drawings.typed(0), tmp_path / "0.png")
    levels = pictures.read(tmp_path / "0.png").unique()
    assert ((levels > 40) & (levels < 215)).sum() > 10


def test_what_is_drawn_to_the_border_is_kept(tmp_path: Path) -> None:
    ink = drawings.typed(0)
    ink.crop(ink.getbbox()).save(tmp_path / "tight.png")
    ink.save(tmp_path / "wide.png")
    tight, wide = (pictures.read(tmp_path / f"{name}.png").float() for name in ("tight", "wide"))
    assert (tight - wide).abs().mean() < 4


def save(image: Image.Image, kind: str | None = None) -> Callable[[Path], None]:
    return lambda path: image.save(path, kind)


def cut_short(path: Path) -> None:
    drawings.typed(3).save(path)
    path.write_bytes(path.read_bytes()[:-600])


INVISIBLE = drawings.painted(drawings.typed(3), "black", "white")
INVISIBLE.putalpha(0)
NUMBERS = Image.fromarray(np.full((9, 9), np.nan, np.float32))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "cannot be read as an image (no such file): expected an intact PNG"),
        (Path.mkdir, "no such file"),
        (os.mkfifo, "no such file"),
        (lambda path: path.write_text("not an image"), "image (UnidentifiedImageError)"),
        (cut_short, "cannot be read as an image (OSError)"),
        # PostScript, which Pillow would hand to Ghostscript
        (save(drawings.typed(3), "EPS"), "cannot be read as an image (UnidentifiedImageError)"),
        (save(NUMBERS, "TIFF"), "cannot be read as an image (ValueError)"),
        # between Pillow's warning and its error, and beyond
        (save(Image.new("1", (9500, 9500))), "has more than 89,478,485 pixels: make it smaller"),
        (save(Image.new("1", (14000, 14000))), "has more than 89,478,485 pixels: make it smaller"),
        (save(Image.new("RGB", (50, 40), "pink")), "is blank: expected a digit"),
        (save(Image.new("I;16", (50, 40), 7)), "is blank"),
        (save(Image.new("L", (1, 1))), "is blank"),
        (save(Image.linear_gradient("L")), "is blank"),
        (save(INVISIBLE), "is blank"),
    ],
)
def test_what_is_not_a_picture_of_a_digit_is_refused(
    make: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "digit.png")
    with pytest.raises(UserError, match=re.escape(words)) as refused:
        pictures.read(tmp_path / "digit.png")
    assert str(refused.value).startswith(str(tmp_path / "digit.png"))
