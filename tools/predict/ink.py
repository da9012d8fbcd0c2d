"""How much ink there is at each point of a picture, whatever its paper and light."""

import numpy as np
from PIL import Image
from scipy import ndimage

COARSE = 160  # pixels a side that are enough for paper and light, which change slowly
CROSSES = 0.1  # what ink that crosses the border differs by
TINY = 40  # pixels a side that are enough to tell whether ink is dark
DARKEST = 0.3  # paper's light that ink is measured by: noise is the same on darker paper
BROADEST = 0.5  # of a picture's longer side, that a stroke never reaches


def measure(colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Measure how far each pixel is from the paper around it.

    Args:
        colours: (H, W, C) floats from 0 to 1.
        opacity: (H, W), the same.

    Returns:
        (H, W) floats from 0, of which noise and texture of the paper are taken off.
    """
    ink = max(map(deviation, flattened(colours, opacity)), key=np.sum)
    least, quarter = np.quantile(ink, (0.05, 0.25))  # of paper alone, unless ink covers the most
    noise = (quarter - least) / (1.645 - 0.674)  # its standard deviation, if it is normal
    return (ink - quarter - (0.674 + 3) * noise).clip(0)


def flattened(colours: np.ndarray, opacity: np.ndarray) -> list[np.ndarray]:
    """Lay a picture on paper of the colour that is usual at its border.

    If the border is transparent, on white and on black.
    """
    solid = border(opacity) > 0.5
    papers = [1, 0]
    if solid.mean() >= 0.5:
        papers = [np.median(border(colours)[solid], axis=0)]
    opacity = opacity[..., None]
    return [opacity * colours + (1 - opacity) * paper for paper in papers]


def border(values: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of (H, W, ...) as (N, ...), one after another around it."""
    return np.concatenate([values[0], values[:, -1], values[-1, ::-1], values[::-1, 0]])


def deviation(colours: np.ndarray) -> np.ndarray:
    """Return how far (H, W, C) colours are from the paper around them, as a share of its light.

    The paper at a point is what a morphological opening leaves, a closing if ink is dark: it
    removes strokes, which are narrow, and keeps slopes and edges of light. A share of the paper's
    light is the same in the shadow.
    """
    height, width, _ = colours.shape
    channels = np.moveaxis(colours, 2, 0)
    tiny = np.stack([shrunk(channel, TINY) for channel in channels])
    sign = -1 if is_dark(tiny) else 1
    ink = np.zeros((height, width), np.float32)
    for channel, shape in zip(channels, tiny, strict=True):
        if is_dark(shape[None]) != (sign < 0):
            continue  # blue is darker than yellow, but lighter in the blue channel
        small = shrunk(channel, COARSE)
        paper = sign * ndimage.grey_opening(sign * small, broadest(small), mode="reflect")
        paper = Image.fromarray(paper).resize((width, height), Image.Resampling.BILINEAR)
        ink = np.maximum(ink, sign * (channel - paper) / np.maximum(paper, DARKEST))
    return ink


def shrunk(channel: np.ndarray, size: int) -> np.ndarray:
    """Average (H, W) down to `size` pixels a side at most."""
    image = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    image.thumbnail((size, size), Image.Resampling.BOX)
    return np.asarray(image)


def broadest(image: np.ndarray) -> int:
    """Return a width in pixels that no stroke on an image has."""
    return max(2, round(BROADEST * max(image.shape)))


def is_dark(channels: np.ndarray) -> bool:
    """Say whether the ink on (C, H, W) is darker than its paper.

    Ink changes fewer pixels than it leaves, and by more: the third moment about the surroundings is
    negative if it is dark. Where a digit fills the picture so that this says little, ink is what
    crosses the border.
    """
    width = broadest(channels[0])
    inside = channels - ndimage.median_filter(channels, (1, width, width), mode="reflect")
    around = border(np.moveaxis(channels, 0, 2))
    crossing = around - ndimage.median_filter(around, (width, 1), mode="wrap")
    if np.abs(crossing).max() < CROSSES:
        crossing[:] = 0
    return skewness(inside) + skewness(crossing) < 0


def skewness(deviations: np.ndarray) -> float:
    """Return the third moment of deviations as a share of the absolute one, -1 to 1."""
    cubes = deviations.astype(float) ** 3
    return cubes.sum() / max(np.abs(cubes).sum(), 1e-9)
