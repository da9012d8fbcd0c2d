"""A digit of MNIST as strokes on a square, (side, side) floats from 0 to 1 where the ink is."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

TURN = 8  # degrees to either side that a digit may be turned by


def brush(digit: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Enlarge a (28, 28) uint8 digit with the strokes that it has, edges as crisp as a pen's."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    large = large.rotate(rng.uniform(-TURN, TURN), Image.Resampling.BICUBIC)
    return ((np.asarray(large) / 255 - 0.35) / 0.3).clip(0, 1)


def pen(digit: np.ndarray, side: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a digit's skeleton with a pen of `width` pixels; one of 1 is not antialiased."""
    strokes = skeleton(brush(digit, side, rng) > 0.5)
    if width == 1:
        return strokes.astype(float)
    image = Image.fromarray(strokes).convert("L").filter(ImageFilter.MaxFilter(width | 1))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.7))) / 255


def skeleton(strokes: np.ndarray) -> np.ndarray:
    """Thin (H, W) bool strokes to lines of one pixel.

    Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", Communications of the
    ACM 27 (1984).
    """
    strokes, before = np.pad(strokes, 1), -1
    while before != strokes.sum():
        before = strokes.sum()
        for removable in REMOVABLE:
            codes = ndimage.correlate(strokes.astype(np.uint8), WEIGHTS, mode="constant")
            strokes &= ~removable[codes]
    return strokes[1:-1, 1:-1]


# the eight neighbours as bits, clockwise from the one above
WEIGHTS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.uint8)


def _removable(first: bool) -> np.ndarray:
    """Tabulate over all neighbourhoods whether a pixel goes, in the first or the second pass."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    starts = ((bits == 0) & (np.roll(bits, -1, 1) == 1)).sum(1)  # of runs of ink around it
    north, east, south, west = bits[:, ::2].T
    if first:
        at_edge = (north * east * south == 0) & (east * south * west == 0)
    else:
        at_edge = (north * east * west == 0) & (north * south * west == 0)
    return (bits.sum(1) >= 2) & (bits.sum(1) <= 6) & (starts == 1) & at_edge


REMOVABLE = _removable(True), _removable(False)
