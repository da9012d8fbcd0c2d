"""The styles, by name: how to draw a (28, 28) uint8 digit of MNIST in each.

Each returns an image: (H, W, 3) or (H, W) values from 0 to 255, from its digit, a generator of
random numbers and, in the styles of several digits, another one. Figures such as the width of a pen
are guesses at what people use.
"""

from collections.abc import Callable

import numpy as np

from tools.bench.drawings import scenes
from tools.bench.drawings.pens import brush, pen
from tools.bench.drawings.scenes import BLACK, BLUE, COPYBOOK, INK, PAPER, PENCIL, WHITE

Digit, Rng = np.ndarray, np.random.Generator
PHOTO, SQUARE = (800, 600), (640, 640)


def on_photo(digit: Digit, rng: Rng) -> np.ndarray:
    """Lay a digit of 420 pixels on a photo."""
    return scenes.somewhere(brush(digit, 420, rng), *PHOTO, rng)


def drawn(width: int, side: int, sheet: int) -> Callable[[Digit, Rng], np.ndarray]:
    """Draw with a pen on white."""
    return lambda digit, rng: scenes.write(
        scenes.somewhere(pen(digit, side, width, rng), sheet, sheet, rng), WHITE, INK
    )


def clean(digit: Digit, rng: Rng) -> np.ndarray:
    """Black on white, as a drawing program makes it."""
    return scenes.write(scenes.somewhere(brush(digit, 280, rng), 400, 400, rng), WHITE, BLACK)


def photo_even(digit: Digit, rng: Rng) -> np.ndarray:
    """A photo in daylight."""
    image = scenes.write(on_photo(digit, rng), PAPER, BLUE)
    return scenes.camera(image * scenes.lamp(PHOTO, 0.92, rng), 4, rng)


def photo_lamp(digit: Digit, rng: Rng) -> np.ndarray:
    """A photo by a lamp: from full light to 60 %."""
    image = scenes.write(on_photo(digit, rng), PAPER, INK)
    light = scenes.lamp(PHOTO, 0.6, rng) * scenes.vignette(PHOTO, 0.2)
    return scenes.camera(image * light, 4, rng)


def specks(digit: Digit, rng: Rng) -> np.ndarray:
    """A scan with dust."""
    ink = scenes.somewhere(brush(digit, 300, rng), 500, 500, rng)
    return scenes.dust(scenes.write(ink, (252, 252, 252), (20, 20, 20)), 12, rng)


def margin_line(digit: Digit, rng: Rng) -> np.ndarray:
    """The red line along an exercise book's margin."""
    ink = scenes.somewhere(brush(digit, 300, rng), 700, 480, rng)
    image = scenes.write(np.pad(ink, ((0, 0), (120, 0))), COPYBOOK, INK)
    image[:, 100:103] = (225, 120, 120)
    return scenes.camera(image, 3, rng)


def ruled(digit: Digit, rng: Rng) -> np.ndarray:
    """Ruled paper."""
    paper = scenes.ruled(PHOTO, 130, 3, False, rng)
    return scenes.camera(scenes.write(on_photo(digit, rng), paper, INK), 3, rng)


def marker(digit: Digit, rng: Rng) -> np.ndarray:
    """A felt marker, a seventh of the digit's height wide."""
    return drawn(61, 420, 560)(digit, rng)


def sticky_note(digit: Digit, rng: Rng) -> np.ndarray:
    """Blue on a yellow note."""
    ink = scenes.somewhere(pen(digit, 420, 25, rng), 600, 600, rng)
    image = scenes.write(ink, (250, 235, 110), BLUE)
    return scenes.camera(image * scenes.lamp((600, 600), 0.85, rng), 3, rng)


def chalk(digit: Digit, rng: Rng) -> np.ndarray:
    """Chalk on a wiped board: both are uneven."""
    ink = scenes.somewhere(pen(digit, 420, 25, rng), *SQUARE, rng)
    ink *= rng.normal(0.75, 0.25, SQUARE).clip(0, 1)
    board = 40 + 35 * scenes.blotches(SQUARE, 12, rng)
    board = np.stack([0.8 * board, board, 0.85 * board], -1)
    return scenes.camera(scenes.write(ink, board, (230, 230, 230)), 3, rng)


def touching(digit: Digit, rng: Rng) -> np.ndarray:
    """Cut so tight that the digit touches all four sides."""
    ink = brush(digit, 300, rng)
    return scenes.write(scenes.tight(ink, ink > 0.5), WHITE, BLACK)


def one_tight(digit: Digit, rng: Rng) -> np.ndarray:
    """MNIST's own pixels, cut out at the digit's bounding box."""
    return scenes.tight(255 - digit, digit > 60)


def red_pen(digit: Digit, rng: Rng) -> np.ndarray:
    """A teacher's."""
    ink = scenes.somewhere(pen(digit, 420, 21, rng), 640, 480, rng)
    return scenes.camera(scenes.write(ink, (250, 250, 248), (215, 60, 60)), 3, rng)


def shaded(depth: float, softness: float) -> Callable[[Digit, Rng], np.ndarray]:
    """Let a shadow fall over a part of it."""
    return lambda digit, rng: scenes.camera(
        scenes.write(on_photo(digit, rng), PAPER, INK) * scenes.shadow(PHOTO, depth, softness, rng),
        4,
        rng,
    )


def low_light(digit: Digit, rng: Rng) -> np.ndarray:
    """Half the light, and the noise of a sensor that makes up for it."""
    return scenes.camera(0.55 * scenes.write(on_photo(digit, rng), PAPER, INK), 10, rng)


def squared(digit: Digit, rng: Rng) -> np.ndarray:
    """Squared paper, held at an angle."""
    paper = scenes.ruled(PHOTO, 65, 3, True, rng)
    image = scenes.write(scenes.somewhere(pen(digit, 420, 15, rng), *PHOTO, rng), paper, BLUE)
    return scenes.camera(scenes.turned(image, rng.uniform(-3, 3), COPYBOOK), 3, rng)


def pencil(digit: Digit, rng: Rng) -> np.ndarray:
    """A soft pencil: grey, with the grain of the paper."""
    ink = scenes.somewhere(pen(digit, 420, 11, rng), *PHOTO, rng)
    ink *= 0.35 + 0.65 * scenes.blotches(PHOTO, 200, rng)
    return scenes.camera(scenes.write(ink, PAPER, PENCIL) * scenes.lamp(PHOTO, 0.8, rng), 4, rng)


def pencil_on_rules(digit: Digit, rng: Rng) -> np.ndarray:
    """A pencil as light as the rules under it."""
    paper = scenes.ruled(PHOTO, 130, 3, False, rng)
    ink = scenes.somewhere(pen(digit, 420, 13, rng), *PHOTO, rng)
    return scenes.camera(scenes.write(ink, paper, (140, 140, 145)), 3, rng)


def dry_pen(digit: Digit, rng: Rng) -> np.ndarray:
    """A ballpoint that skips: the stroke has gaps."""
    ink = scenes.somewhere(pen(digit, 420, 9, rng), *SQUARE, rng)
    ink *= (scenes.blotches(SQUARE, 60, rng) > 0.3) * 1.0
    return scenes.write(ink, WHITE, BLUE)


def detached(digit: Digit, rng: Rng) -> np.ndarray:
    """A stroke that ends short of the other: a gap through the upper half."""
    ink = brush(digit, 300, rng)
    rows = np.flatnonzero((ink > 0.5).any(1))
    at = rows[0] + round(0.3 * len(rows))
    ink[at : at + 12] = 0
    return scenes.write(scenes.somewhere(ink, 500, 500, rng), WHITE, INK)


def framed(digit: Digit, rng: Rng) -> np.ndarray:
    """A scan whose lid was open: black around the sheet."""
    ink = scenes.somewhere(brush(digit, 300, rng), 480, 400, rng)
    image = scenes.write(ink, PAPER, BLUE)
    wide = [(int(rng.integers(4, 40)), int(rng.integers(4, 40))) for _ in range(2)]
    return scenes.camera(np.pad(image, (*wide, (0, 0)), constant_values=15), 3, rng)


def on_table(digit: Digit, rng: Rng) -> np.ndarray:
    """A sheet on a dark table whose edge is in the picture."""
    image = scenes.write(on_photo(digit, rng), PAPER, INK)
    past = scenes.crossing(PHOTO, rng.choice(4) * np.pi / 2 + rng.uniform(-0.1, 0.1))
    table = np.array([95, 60, 40]) * (0.8 + 0.4 * scenes.blotches(PHOTO, 30, rng)[..., None])
    ink_past = past[on_ink(image)].max(initial=-0.5)
    image = np.where(past[..., None] > max(0.36, ink_past + 0.03), table, image)
    return scenes.camera(image * scenes.lamp(PHOTO, 0.8, rng), 4, rng)


def on_ink(image: np.ndarray) -> np.ndarray:
    """Say where a dark digit is on light paper."""
    return image.mean(2) < 150


def folded(digit: Digit, rng: Rng) -> np.ndarray:
    """A sheet that was folded twice: each quarter in another light, creases between."""
    image = scenes.write(on_photo(digit, rng), PAPER, INK)
    for angle in (0, np.pi / 2):
        across = scenes.crossing(PHOTO, angle + rng.uniform(-0.03, 0.03))[..., None]
        image = image * np.where(across > 0, 1, rng.uniform(0.8, 0.95))
        image = image * (1 - 0.2 * np.exp(-((across / 0.004) ** 2)))
    return scenes.camera(image, 4, rng)


def glare(digit: Digit, rng: Rng) -> np.ndarray:
    """A whiteboard with a lamp's reflection."""
    ink = scenes.somewhere(pen(digit, 420, 19, rng), *SQUARE, rng)
    image = scenes.write(ink, (205, 208, 210), (40, 90, 60))
    x, y = rng.uniform(-0.4, 0.4, 2)
    rows, columns = np.mgrid[:640, :640] / 640 - 0.5
    light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 0.02)[..., None]
    return scenes.camera(image + 90 * light, 3, rng)


def blurred(digit: Digit, rng: Rng) -> np.ndarray:
    """Out of focus, and compressed by a messenger."""
    image = scenes.blurred(photo_even(digit, rng), 6)
    return scenes.sent(image, 240, 25)


def two_digits(digit: Digit, rng: Rng, other: Digit) -> np.ndarray:
    """Two digits side by side."""
    ink = np.concatenate([brush(digit, 280, rng), brush(other, 280, rng)], 1)
    return scenes.write(ink, WHITE, BLACK)


def column(digit: Digit, rng: Rng, other: Digit) -> np.ndarray:
    """Two digits one above the other, as in a sum."""
    ink = np.concatenate([pen(digit, 280, 15, rng), pen(other, 280, 15, rng)], 0)
    return scenes.camera(scenes.write(ink, PAPER, BLUE), 3, rng)


def empty(digit: Digit, rng: Rng) -> np.ndarray:
    """A ruled page that nothing is written on, with dust."""
    page = scenes.ruled(PHOTO, 130, 3, rng.random() < 0.5, rng)
    return scenes.camera(scenes.dust(page, 12, rng) * scenes.lamp(PHOTO, 0.8, rng), 3, rng)


def no_paper(digit: Digit, rng: Rng) -> np.ndarray:
    """A photo of something else: blotches of all sizes."""
    sizes = (4, 9, 20, 60)
    channels = [sum(scenes.blotches(PHOTO, n, rng) for n in sizes) for _ in range(3)]
    return scenes.camera(255 * np.stack(channels, -1) / len(sizes), 4, rng)


ONE = {
    "clean": clean,
    "photo_even": photo_even,
    "photo_lamp": photo_lamp,
    "specks": specks,
    "margin_line": margin_line,
    "ruled": ruled,
    "pen_40th": drawn(7, 420, 500),
    "pen_100th": drawn(3, 420, 500),
    "paint_1px": drawn(1, 210, 300),
    "marker": marker,
    "sticky_note": sticky_note,
    "chalk": chalk,
    "touching": touching,
    "one_tight": one_tight,
    "red_pen": red_pen,
    "shadow_15": shaded(0.15, 0.03),
    "shadow_30": shaded(0.30, 0.03),
    "low_light": low_light,
    "squared": squared,
    "pencil": pencil,
    "pencil_on_rules": pencil_on_rules,
    "dry_pen": dry_pen,
    "detached": detached,
    "framed": framed,
    "on_table": on_table,
    "hard_shadow": shaded(0.4, 0.002),
    "folded": folded,
    "glare": glare,
    "blurred": blurred,
}
NONE = {"empty": empty, "no_paper": no_paper}  # nothing to answer
SEVERAL = {"two_digits": two_digits, "column": column}
