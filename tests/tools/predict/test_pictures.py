import os
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pictures_kit import saved, typed
from PIL import Image, ImageOps

from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import pictures


def on_nothing(colour: str) -> Image.Image:
    layer = Image.new("RGBA", (240, 240), colour)
    layer.putalpha(typed(4))
    return layer


def turned() -> BytesIO:
    """Lie on the side, as cameras store it, with the EXIF note that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn clockwise to look at it
    return saved(typed(4).rotate(90), "JPEG", exif=exif)


def wide() -> Image.Image:
    """Lie in the corner of a large sheet."""
    return ImageOps.expand(typed(4).resize((900, 900)), (1500, 0, 0, 900))


DARK = ImageOps.invert(typed(4))
TRANSPARENT_BACKGROUND = DARK.quantize(16)
TRANSPARENT_BACKGROUND.info["transparency"] = TRANSPARENT_BACKGROUND.getpixel((0, 0))
SAME_BRIGHTNESS = ImageOps.colorize(typed(4), "#007000", "#d02020")


@pytest.mark.parametrize(
    "picture",
    [
        saved(DARK),
        saved(wide()),
        saved(ImageOps.colorize(typed(4), "#989898", "#808080")),  # faint
        saved(SAME_BRIGHTNESS),
        saved(on_nothing("black")),
        saved(on_nothing("white"), "WEBP"),
        saved(Image.fromarray((255 - np.asarray(typed(4), np.uint16)) * 16)),  # 12 of 16 bits
        saved(TRANSPARENT_BACKGROUND),
        saved(DARK.convert("1", dither=Image.Dither.NONE), "TIFF"),
        saved(DARK.convert("CMYK"), "JPEG"),
        saved(typed(4), "GIF", save_all=True, append_images=[typed(7)]),
        saved(typed(4).crop(typed(4).getbbox())),
        turned(),
    ],
)
def test_every_kind_of_file_is_seen_as_the_same_image(picture: BytesIO) -> None:
    plain, seen = (pictures.read(file).numpy() for file in (saved(typed(4)), picture))
    # within a pixel: the centre is rounded
    moved = [np.roll(seen, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert max(np.corrcoef(plain.flatten(), one.flatten())[0, 1] for one in moved) > 0.95


def test_it_is_made_as_mnists_images_are(mnist: Path) -> None:
    differences = []
    for image in images.load("test", mnist)[0][:100]:
        back = pictures.read(saved(Image.fromarray(image.numpy())))
        differences.append((back.float() - image).abs().mean().item())
    assert np.median(differences) < 0.1  # of 255; the brightest pixel becomes 255, it was 253
    assert np.mean(differences) < 0.5
    large = pictures.read(saved(wide())).unique()
    assert ((large > 40) & (large < 215)).sum() > 10  # antialiased


def cut_short(path: Path) -> None:
    path.write_bytes(saved(typed(3)).getvalue()[:-600])


def save(image: Image.Image, kind: str = "PNG") -> Callable[[Path], int]:
    return lambda path: path.write_bytes(saved(image, kind).getvalue())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "is not a file: correct the name"),
        (os.mkfifo, "is not a file"),
        (lambda path: path.write_text("no"), "cannot be read as an image (UnidentifiedImageError)"),
        (cut_short, "cannot be read as an image (OSError): expected an intact PNG, JPEG, GIF, "),
        # PostScript, which Pillow would hand to Ghostscript
        (save(typed(3), "EPS"), "cannot be read as an image (UnidentifiedImageError)"),
        (save(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"), "image (ValueError)"),
        # between Pillow's warning and its error, and beyond
        (save(Image.new("1", (9500, 9500))), "has more than 89,478,485 pixels: make it smaller"),
        (save(Image.new("1", (14000, 14000))), "has more than 89,478,485 pixels: make it smaller"),
        (save(Image.new("I;16", (50, 40), 7)), "is blank: expected a digit"),
        (save(Image.new("L", (1, 1))), "is blank"),
        (save(Image.linear_gradient("L")), "shows no digit: expected an upright one"),
        (save(Image.new("RGBA", (50, 40))), "is blank"),
    ],
)
def test_what_is_not_a_picture_of_a_digit_is_refused(
    make: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "digit.png")
    with pytest.raises(UserError, match=re.escape(words)):
        pictures.read(tmp_path / "digit.png")


@pytest.mark.parametrize("error", [MemoryError(), OSError("out of memory error when reading")])
def test_too_little_memory_is_not_taken_for_a_corrupt_file(error: Exception, monkeypatch) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(pictures, "channels", fail)
    with pytest.raises(MemoryError):
        pictures.read(saved(typed(3)))
