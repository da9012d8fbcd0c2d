"""Pictures as people hand them in, drawn from MNIST's digits, and strokes for the browser.

STYLES has one style for each way in which reading can fail. Images are (H, W, 3) floats from 0 to
255, ink is (H, W) floats from 0 to 1.
"""

import zlib
from io import BytesIO

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

PHOTO = (640, 480)  # height and width
WHITE, PAPER = (255, 255, 255), (232, 228, 218)
BLACK, BLUE, PENCIL = (35, 35, 40), (30, 50, 140), (140, 140, 145)
Rng = np.random.Generator


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> BytesIO:
    file = BytesIO()
    image.save(file, kind, **options)
    return file


def picture(style: str, digit: np.ndarray) -> BytesIO:
    """Draw a (28, 28) uint8 digit in a style, the same each time, as a file."""
    image = STYLES[style](digit, np.random.default_rng(zlib.crc32(digit)))
    return saved(Image.fromarray(image.clip(0, 255).astype(np.uint8)), "BMP")


def typed(digit: int) -> Image.Image:
    """Draw a digit in the font that comes with matplotlib, 240 x 240, white on black."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 160)
    ink = Image.new("L", (240, 240))
    ImageDraw.Draw(ink).text((120, 120), str(digit), font=font, fill=255, anchor="mm")
    return ink


# pens: a digit's ink on a square


def brush(digit: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a digit with the strokes that it has, their edges as crisp as a pen's."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return ((np.asarray(large) / 255 - 0.35) / 0.3).clip(0, 1)


def pen(digit: np.ndarray, side: int, width: int) -> np.ndarray:
    """Draw along the middle of a digit's strokes with a pen of `width` pixels."""
    depths = ndimage.distance_transform_edt(ndimage.gaussian_filter(brush(digit, side), 6) > 0.4)
    middle = ndimage.gaussian_laplace(depths, 3) < -0.12
    return (ndimage.distance_transform_edt(~middle) <= width / 2) * 1.0


# scenes: what lies around it


def write(ink: np.ndarray, paper: np.ndarray | tuple, colour: tuple) -> np.ndarray:
    ink = ink[..., None]
    return (1 - ink) * np.asarray(paper, float) + ink * np.asarray(colour, float)


def somewhere(ink: np.ndarray, shape: tuple[int, int], rng: Rng) -> np.ndarray:
    """Lay ink anywhere on a sheet."""
    sheet = np.zeros(shape)
    top, left = (rng.integers(0, all - one + 1) for all, one in zip(shape, ink.shape, strict=True))
    sheet[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return sheet


def written(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Write a digit on a photo of a sheet."""
    return write(somewhere(brush(digit, 340), PHOTO, rng), PAPER, BLACK)


def ruled(every: int, colour: tuple) -> np.ndarray:
    """Rule a sheet in squares."""
    lines = np.zeros(PHOTO)
    for line in range(3):
        lines[line + 40 :: every] = lines[:, line + 40 :: every] = 1
    return write(lines, WHITE, colour)


def position(rng: Rng) -> np.ndarray:
    """Return how far each pixel is along a random direction, in sides of the sheet."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[: PHOTO[0], : PHOTO[1]]
    along = np.cos(angle) * (columns / PHOTO[1] - 0.5) + np.sin(angle) * (rows / PHOTO[0] - 0.5)
    return along[..., None]


def blotches(cells: int, rng: Rng) -> np.ndarray:
    """Vary smoothly between 0 and 1, over as many cells a side."""
    noise = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
    smooth = noise.resize(PHOTO[::-1], Image.Resampling.BICUBIC)
    return np.asarray(smooth, float).clip(0, 1)


def camera(image: np.ndarray, rng: Rng, noise: float = 4) -> np.ndarray:
    return image + rng.normal(0, noise, image.shape)


def dusty(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Scatter grey specks of 3 to 5 pixels."""
    for y, x in rng.integers(5, min(PHOTO) - 5, (12, 2)):
        image[y : y + rng.integers(3, 6), x : x + 4] = 60
    return image


# styles


def lamp(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """A photo by a lamp: from full light at one side to 60 % at the other."""
    return camera(written(digit, rng) * (0.8 + 0.28 * position(rng)), rng)


def hard_shadow(digit: np.ndarray, rng: Rng) -> np.ndarray:
    return camera(
        written(digit, rng) * np.where(position(rng) > rng.uniform(-0.2, 0.2), 1, 0.6), rng
    )


def chalk(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Chalk with gaps on a wiped blackboard: light on dark, both uneven."""
    ink = somewhere(pen(digit, 340, 20), PHOTO, rng) * rng.normal(0.75, 0.25, PHOTO).clip(0, 1)
    return camera(write(ink, 40 + 35 * blotches(12, rng)[..., None], (230, 230, 230)), rng)


def pencil(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """A soft pencil: grey, in dots, with the grain of the paper."""
    ink = somewhere(pen(digit, 340, 10), PHOTO, rng) * (0.3 + 0.7 * blotches(110, rng))
    return camera(write(ink, PAPER, PENCIL), rng)


def fine_pen(digit: np.ndarray, rng: Rng) -> np.ndarray:
    return write(somewhere(pen(digit, 470, 1), PHOTO, rng), WHITE, BLACK)


def dark_rules(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Squared paper whose rules are as dark as the pencil."""
    ink = somewhere(pen(digit, 340, 12), PHOTO, rng)
    return camera(write(ink, ruled(130, PENCIL), PENCIL), rng)


def note(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Blue on a yellow note: darker, but lighter in the blue channel."""
    return camera(
        write(somewhere(brush(digit, 340), PHOTO, rng), (250, 235, 30), (20, 50, 240)), rng
    )


def framed(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """A dusty scan with the lid open: a frame and its shadow, darker than the pencil."""
    image = dusty(write(somewhere(brush(digit, 340), PHOTO, rng), PAPER, PENCIL), rng)
    wide = (30, 7), (12, 38)
    light = ndimage.gaussian_filter(np.pad(np.ones(PHOTO), wide), 20)
    return np.pad(image, (*wide, (0, 0)), constant_values=15) * light[..., None]


def touching(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Cut so tight that the digit touches all four sides."""
    ink = brush(digit, 300)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis)) for axis in (1, 0))
    return write(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], WHITE, BLACK)


def detached(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """A stroke that ends short of the other: a gap through the upper half."""
    ink = brush(digit, 300)
    rows = np.flatnonzero((ink > 0.5).any(1))
    ink[rows[0] + round(0.3 * len(rows)) :][:16] = 0
    return write(somewhere(ink, PHOTO, rng), WHITE, BLACK)


def two_digits(digit: np.ndarray, rng: Rng) -> np.ndarray:
    return write(np.concatenate([brush(digit, 280)] * 2, 1), WHITE, BLACK)


def empty(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """A squared page that nothing is written on."""
    return camera(dusty(ruled(130, (150, 175, 215)), rng), rng)


PHOTOS = [lamp, hard_shadow, chalk, pencil, fine_pen, dark_rules, note, framed, touching, detached]
READABLE = {style.__name__: style for style in PHOTOS}
REFUSED = {"two_digits": two_digits, "empty": empty}
STYLES = READABLE | REFUSED


# for the browser: a digit's strokes, each (x, y) points on a sheet of 1 by 1, y downwards
STROKES = {
    3: [
        [(0.3, 0.25), (0.5, 0.2), (0.65, 0.32), (0.5, 0.47), (0.68, 0.62), (0.5, 0.8), (0.3, 0.72)]
    ],
    4: [[(0.4, 0.2), (0.3, 0.55), (0.7, 0.53)], [(0.62, 0.25), (0.58, 0.82)]],
    7: [[(0.3, 0.25), (0.68, 0.23), (0.45, 0.82)]],
}
