import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pictures_kit import saved, typed
from PIL import Image, ImageOps

from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import pictures

LIGHT = typed(4)
DARK = ImageOps.invert(LIGHT)
CORNER = ImageOps.expand(LIGHT.resize((900, 900)), (1500, 0, 0, 900))
ON_BLACK, ON_WHITE = (Image.merge("LA", (Image.new("L", LIGHT.size, c), LIGHT)) for c in (255, 0))
PALETTE = DARK.quantize(16)
PALETTE.info["transparency"] = PALETTE.getpixel((0, 0))
TURNED = Image.Exif()
TURNED[0x0112] = 6  # orientation: turn clockwise to look at it


@pytest.mark.parametrize(
    "picture",
    [
        saved(DARK),
        saved(CORNER),
        saved(ImageOps.colorize(LIGHT, "#989898", "#808080")),
        saved(ImageOps.colorize(LIGHT, "#007000", "#d02020")),  # of the same brightness
        saved(ON_BLACK),
        saved(ON_WHITE, "WEBP"),
        saved(PALETTE),
        saved(Image.fromarray((255 - np.asarray(LIGHT, np.uint16)) * 16)),  # 12 of 16 bits
        saved(DARK.convert("1", dither=Image.Dither.NONE), "TIFF"),
        saved(DARK.convert("CMYK"), "JPEG"),
        saved(LIGHT, "GIF", save_all=True, append_images=[typed(7)]),
        saved(LIGHT.crop(LIGHT.getbbox())),
        saved(LIGHT.rotate(90), "JPEG", exif=TURNED),
    ],
)
def test_every_kind_of_file_is_seen_as_the_same_image(picture: BytesIO) -> None:
    plain, seen = (pictures.read(file).numpy() for file in (saved(LIGHT), picture))
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
    levels = pictures.read(saved(CORNER)).unique()
    assert ((levels > 40) & (levels < 215)).sum() > 10  # antialiased


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Path("missing.png"), "is not a file: correct the name"),
        (Path("/dev/null"), "is not a file"),  # a pipe would even block
        (BytesIO(b"no image"), "cannot be read as an image (UnidentifiedImageError)"),
        (BytesIO(saved(LIGHT).getvalue()[:-600]), "an image (OSError): expected an intact PNG, "),
        # PostScript, which Pillow would hand to Ghostscript
        (saved(LIGHT, "EPS"), "cannot be read as an image (UnidentifiedImageError)"),
        (saved(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"), "image (ValueError)"),
        # between Pillow's warning and its error, and beyond
        (saved(Image.new("1", (9500, 9500))), "has more than 89,478,485 pixels: make it smaller"),
        (saved(Image.new("1", (14000, 14000))), "has more than 89,478,485 pixels"),
        (saved(Image.new("I;16", (50, 40), 7)), "is blank: expected a digit"),
        (saved(Image.new("L", (1, 1))), "is blank"),
        (saved(Image.new("RGBA", (50, 40))), "is blank"),
        (saved(Image.linear_gradient("L")), "shows no digit: expected an upright one"),
    ],
)
def test_what_is_not_a_picture_of_a_digit_is_refused(picture: Path | BytesIO, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        pictures.read(picture)
