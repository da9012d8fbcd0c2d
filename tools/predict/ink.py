"""How much ink there is at each point of a picture, whatever its paper and light."""

import numpy as np
from PIL import Image
from scipy import ndimage

COARSE = 160  # pixels a side that show paper and light, which change slowly
TINY = 40  # pixels a side that show whether ink is dark
BROADEST = 0.5  # no stroke is as wide, as a share of the picture's longer side
DARKEST = 0.3  # blackboards: ink is measured by this light at least, as noise does not get darker
CROSSES = 0.1  # digits at the border: ink there differs from its surroundings by more


def measure(colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Measure how far each pixel is from the paper around it, beyond noise and texture.

    (H, W, C) colours and (H, W) opacity are from 0 to 1, the (H, W) ink is from 0.
    """
    # on paper of its border's usual colour; if that is transparent, on white and on black
    solid = border(opacity) > 0.5
    papers = [np.median(border(colours)[solid], axis=0)] if solid.mean() >= 0.5 else [1, 0]
    opacity = opacity[..., None]
    laid = (opacity * colours + (1 - opacity) * paper for paper in papers)
    ink = max(map(deviation, laid), key=np.sum)
    # both quantiles are of paper, unless ink covers most of the picture; noise is taken as normal
    least, quarter = np.quantile(ink, (0.05, 0.25))
    noise = (quarter - least) / (1.645 - 0.674)
    return (ink - quarter - (0.674 + 3) * noise).clip(0)


def border(values: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of (H, W, ...) as (N, ...), in order around it."""
    return np.concatenate([values[0], values[:, -1], values[-1, ::-1], values[::-1, 0]])


def deviation(colours: np.ndarray) -> np.ndarray:
    """Return how far (H, W, C) colours are from the paper around them, as a share of its light.

    A morphological opening (a closing, if ink is dark) leaves the paper: it removes strokes, which
    are narrow, and keeps gradients and edges of light. Its share is the same in a shadow.
    """
    height, width, _ = colours.shape
    channels = np.moveaxis(colours, 2, 0)
    tiny = np.stack([shrunk(channel, TINY) for channel in channels])
    sign = -1 if is_dark(tiny) else 1
    ink = np.zeros((height, width), np.float32)
    for channel, small in zip(channels, tiny, strict=True):
        if is_dark(small[None]) != (sign < 0):
            continue  # blue is darker than yellow, but lighter in the blue channel
        coarse = shrunk(channel, COARSE)
        broadest = max(2, round(BROADEST * max(coarse.shape)))
        paper = sign * ndimage.grey_opening(sign * coarse, broadest, mode="reflect")
        paper = Image.fromarray(paper).resize((width, height), Image.Resampling.BILINEAR)
        ink = np.maximum(ink, sign * (channel - paper) / np.maximum(paper, DARKEST))
    return ink


def shrunk(channel: np.ndarray, size: int) -> np.ndarray:
    """Average (H, W) down to at most `size` pixels a side."""
    image = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    image.thumbnail((size, size), Image.Resampling.BOX)
    return np.asarray(image)


def is_dark(channels: np.ndarray) -> bool:
    """Say whether the ink on (C, H, W) is darker than its paper.

    Ink covers less than its paper and differs by more, so dark ink makes the third moment of all
    deviations negative. Where a digit fills the picture, those along the border tell it.
    """
    width = max(2, round(BROADEST * max(channels.shape[1:])))
    inside = channels - ndimage.median_filter(channels, (1, width, width), mode="reflect")
    around = border(np.moveaxis(channels, 0, 2))
    crossing = around - ndimage.median_filter(around, (width, 1), mode="wrap")
    if np.abs(crossing).max() < CROSSES:
        crossing[:] = 0
    cubes = (deviations.astype(float) ** 3 for deviations in (inside, crossing))
    return sum(cube.sum() / max(np.abs(cube).sum(), 1e-9) for cube in cubes) < 0
