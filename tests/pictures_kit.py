"""Pictures as people hand them in, drawn from MNIST's digits, and strokes for the browser.

Each style is one way in which reading can fail. Images are (H, W, 3) floats from 0 to 255, digits
(28, 28) uint8, ink (H, W) floats from 0 to 1.
"""

import zlib
from io import BytesIO

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageOps
from scipy import ndimage

from tools.predict import likeness

PHOTO = (640, 480)  # height and width
PAPER, BLACK, PENCIL = (232, 228, 218), (35, 35, 40), (140, 140, 145)
STROKES = {  # each (x, y) points on a sheet of 1 by 1, y downwards
    "3": [[(0.3, 0.25), (0.5, 0.2), (0.65, 0.32), (0.5, 0.47), (0.68, 0.65), (0.3, 0.75)]],
    "4": [[(0.4, 0.2), (0.3, 0.55), (0.7, 0.53)], [(0.62, 0.25), (0.58, 0.82)]],
    "7": [[(0.3, 0.25), (0.68, 0.23), (0.45, 0.82)]],
}
REFUSALS = {
    "two_digits": "shows more than one digit: cut out one",
    "empty": "is blank: expected a digit that stands out from its background",
}


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> BytesIO:
    file = BytesIO()
    image.save(file, kind, **options)
    return file


def picture(style: str, digit: np.ndarray) -> BytesIO:
    """Draw a digit in a style, the same each time, as a file."""
    image = STYLES[style](digit, np.random.default_rng(zlib.crc32(digit)))
    return saved(Image.fromarray(image.clip(0, 255).astype(np.uint8)), "BMP")


def typed(digit: int) -> Image.Image:
    """Draw a digit in the font that comes with matplotlib, 240 x 240, white on black."""
    return ImageOps.invert(Image.open(likeness.draw(str(digit))))


def brush(digit: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a digit with the strokes that it has, their edges as crisp as a pen's."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return ((np.asarray(large) / 255 - 0.35) / 0.3).clip(0, 1)


def pen(digit: np.ndarray, side: int, width: int) -> np.ndarray:
    """Draw along the middle of a digit's strokes with a pen of `width` pixels."""
    depths = ndimage.distance_transform_edt(ndimage.gaussian_filter(brush(digit, side), 6) > 0.4)
    middle = ndimage.gaussian_laplace(depths, 3) < -0.12
    return (ndimage.distance_transform_edt(~middle) <= width / 2) * 1.0


def write(ink: np.ndarray, paper: np.ndarray | tuple, colour: tuple) -> np.ndarray:
    ink = ink[..., None]
    return (1 - ink) * np.asarray(paper, float) + ink * np.asarray(colour, float)


def photo(ink: np.ndarray, rng: Generator, paper=PAPER, colour=BLACK, cover=1) -> np.ndarray:
    """Take a photo of ink somewhere on a sheet, where it covers the paper as far as `cover`."""
    sheet = np.zeros(PHOTO)
    top, left = rng.integers(0, np.subtract(PHOTO, ink.shape) + 1)
    sheet[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return write(sheet * cover, paper, colour) + rng.normal(0, 4, (*PHOTO, 3))


def squared(colour: tuple) -> np.ndarray:
    """Rule squares on a sheet, 3 pixels wide."""
    lines = np.zeros(PHOTO)
    for start in (40, 41, 42):
        lines[start::130] = lines[:, start::130] = 1
    return write(lines, PAPER, colour)


def position(rng: Generator) -> np.ndarray:
    """Measure positions along a random direction, in sides of the sheet, 0 at its centre."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[: PHOTO[0], : PHOTO[1]]
    along = np.cos(angle) * (columns / PHOTO[1] - 0.5) + np.sin(angle) * (rows / PHOTO[0] - 0.5)
    return along[..., None]


def blotches(cells: int, rng: Generator) -> np.ndarray:
    """Vary smoothly between 0 and 1, over as many cells a side."""
    noise = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
    return np.asarray(noise.resize(PHOTO[::-1], Image.Resampling.BICUBIC), float).clip(0, 1)


def dusty(image: np.ndarray, rng: Generator) -> np.ndarray:
    for y, x in rng.integers(5, min(PHOTO) - 5, (12, 2)):
        image[y : y + rng.integers(3, 6), x : x + 4] = 60
    return image


def touching(digit: np.ndarray, rng: Generator) -> np.ndarray:
    ink = brush(digit, 300)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis)) for axis in (1, 0))
    return write(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], PAPER, BLACK)


def detached(digit: np.ndarray, rng: Generator) -> np.ndarray:
    ink = brush(digit, 300)
    rows = np.flatnonzero((ink > 0.5).any(1))
    ink[rows[0] + round(0.3 * len(rows)) :][:16] = 0
    return photo(ink, rng)


def framed(digit: np.ndarray, rng: Generator) -> np.ndarray:
    wide = (30, 7), (12, 38)
    light = ndimage.gaussian_filter(np.pad(np.ones(PHOTO), wide), 20)
    image = dusty(photo(brush(digit, 340), rng, PAPER, PENCIL), rng)
    return np.pad(image, (*wide, (0, 0)), constant_values=15) * light[..., None]


def chalk(digit: np.ndarray, rng: Generator) -> np.ndarray:
    board, cover = 40 + 35 * blotches(12, rng)[..., None], rng.normal(0.75, 0.25, PHOTO).clip(0, 1)
    return photo(pen(digit, 340, 20), rng, board, (230, 230, 230), cover)


STYLES = {
    # full light at one side, 60 % at the other, with and without a transition
    "lamp": lambda digit, rng: photo(brush(digit, 340), rng) * (0.8 + 0.28 * position(rng)),
    "hard_shadow": lambda digit, rng: (
        photo(brush(digit, 340), rng) * (0.8 + 0.2 * np.sign(position(rng)))
    ),
    "chalk": chalk,  # light on dark, and both are uneven
    # dots on the grain of the paper
    "pencil": lambda digit, rng: photo(
        pen(digit, 340, 10), rng, PAPER, PENCIL, 0.3 + 0.7 * blotches(110, rng)
    ),
    "fine_pen": lambda digit, rng: photo(pen(digit, 470, 1), rng),
    "dark_rules": lambda digit, rng: photo(pen(digit, 340, 12), rng, squared(PENCIL), PENCIL),
    # blue is darker than yellow, but lighter in the blue channel
    "note": lambda digit, rng: photo(brush(digit, 340), rng, (250, 235, 30), (20, 50, 240)),
    "framed": framed,  # a scan with the lid open: dust, a frame and its shadow, darker than pencil
    "touching": touching,  # all four sides, so tightly is it cut
    "detached": detached,  # a stroke ends short of the other, in the upper half
    "two_digits": lambda digit, _: write(np.tile(brush(digit, 280), 2), PAPER, BLACK),
    "empty": lambda _, rng: dusty(photo(np.zeros((1, 1)), rng, squared((150, 175, 215))), rng),
}
