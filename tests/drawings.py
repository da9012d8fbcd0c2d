"""Pictures of digits in many styles, each drawn from what is ink (L, 0 to 255 where it is)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont, ImageOps

from stages.mnist import images


def typed(digit: int) -> Image.Image:
    """Draw a digit in the font that comes with matplotlib, 240 x 240."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 160)
    ink = Image.new("L", (240, 240))
    ImageDraw.Draw(ink).text((120, 120), str(digit), font=font, fill=255, anchor="mm")
    return ink


def written(mnist: Path, of_each: int) -> list[tuple[int, Image.Image]]:
    """Take MNIST's first test images of each digit, but its ninth: no one can tell that 5."""
    digits, labels = images.load("test", mnist)
    chosen = []
    for digit in range(10):
        indices = [i for i in (labels == digit).nonzero().flatten().tolist() if i != 8]
        chosen += [(digit, Image.fromarray(digits[i].numpy())) for i in indices[:of_each]]
    return chosen


def painted(ink: Image.Image, colour: str, background: str) -> Image.Image:
    """Put ink of one colour on a background of another."""
    return ImageOps.colorize(ink, background, colour)


def off_centre(ink: Image.Image) -> Image.Image:
    canvas = Image.new("L", (4 * ink.width, 3 * ink.height))
    canvas.paste(ink, (3 * ink.width, 0))
    return painted(canvas, "black", "white")


def on_nothing(ink: Image.Image, colour: str) -> Image.Image:
    layer = Image.new("RGBA", ink.size, colour)
    layer.putalpha(ink)
    return layer


def cut_out(ink: Image.Image) -> Image.Image:
    """Draw light on dark on a card with round, transparent corners."""
    card = painted(ink, "white", "navy").convert("RGBA")
    corners = Image.new("L", ink.size)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, *ink.size), ink.width // 6, fill=255)
    card.putalpha(corners)
    return card


def snapshot(ink: Image.Image) -> Image.Image:
    """Draw as a camera sees pencil on paper: shaded from side to side, and noisy."""
    covered = np.asarray(ink.resize((560, 560)), np.float64) / 255
    paper = np.linspace(210, 150, 560) * (1 - 0.7 * covered)
    noise = np.random.default_rng(0).normal(0, 6, covered.shape)
    return Image.fromarray((paper + noise).clip(0, 255).astype(np.uint8))


def sixteen_bits(ink: Image.Image) -> Image.Image:
    """Use 12 of the 16 bits, as scanners do."""
    return Image.fromarray((255 - np.asarray(ink, np.uint16)) * 16)


def palette(ink: Image.Image) -> Image.Image:
    """Index colours, of which one, the background's, is transparent."""
    image = ink.quantize(16)
    image.info["transparency"] = image.getpixel((0, 0))
    return image


def save_turned(ink: Image.Image, path: Path) -> None:
    """Lie on the side, as cameras store it, with the EXIF note that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn clockwise to look at it
    painted(ink, "black", "white").rotate(90, expand=True).save(path, exif=exif, quality=90)


def save_animation(ink: Image.Image, path: Path) -> None:
    """Follow the digit with its mirror image."""
    first = painted(ink, "white", "black")
    first.save(path, save_all=True, append_images=[ImageOps.mirror(first)], duration=100)


def saver(draw: Callable[[Image.Image], Image.Image]) -> Callable[[Image.Image, Path], None]:
    return lambda ink, path: draw(ink).save(path)


STYLES = {
    "light.png": saver(lambda ink: ink),
    "inverted.png": saver(ImageOps.invert),
    "coloured.bmp": saver(lambda ink: painted(ink, "blue", "yellow")),
    "same_brightness.png": saver(lambda ink: painted(ink, "#d02020", "#007000")),
    "faint.png": saver(lambda ink: painted(ink, "#808080", "#989898")),
    "large.png": saver(lambda ink: painted(ink.resize((1500, 1500)), "black", "white")),
    "off_centre.png": saver(off_centre),
    "tiny.png": saver(lambda ink: ImageOps.invert(ink.resize((16, 16)))),
    "black_on_nothing.png": saver(lambda ink: on_nothing(ink, "black")),
    "white_on_nothing.webp": saver(lambda ink: on_nothing(ink, "white")),
    "cut_out.png": saver(cut_out),
    "snapshot.jpg": saver(snapshot),
    "sixteen_bits.png": saver(sixteen_bits),
    "palette.png": saver(palette),
    "two_tone.tiff": saver(lambda ink: ImageOps.invert(ink).convert("1", dither=0)),
    "print.jpg": saver(lambda ink: painted(ink, "black", "white").convert("CMYK")),
    "turned.jpg": save_turned,
    "animation.gif": save_animation,
}
