"""Any picture of one digit, as an image like MNIST's.

MNIST's digits were scaled to fit 20 x 20 pixels with their aspect ratio kept, antialiased, and laid
by their centre of mass on the centre of 28 x 28, light on dark: LeCun, Bottou, Bengio and Haffner,
"Gradient-based learning applied to document recognition", Proceedings of the IEEE 86 (1998).
"""

import math
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from scipy import ndimage

from stages.system.errors import UserError
from tools.predict import digit, ink

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")  # Pillow runs programs for others
LARGEST = 1024  # pixels a side that are looked at: averages a camera's noise, bounds the work
SIZE, BOX = 28, 20
THINNEST = 1.5  # pixels of a stroke; MNIST's have 2 or 3
CENTRE = 14  # the pixel that the centres of mass of MNIST's own images round to


def read(path: Path) -> torch.Tensor:
    """Read a picture of one digit, of any size, colours and transparency.

    Returns:
        (28, 28) uint8, 0 background to 255 ink, as in MNIST. Of an animation, its first frame.

    Raises:
        UserError: no such file, no image, too many pixels, or nothing to be seen on it.
    """
    try:
        if not path.is_file():  # a pipe would block
            raise unreadable("no such file")
        return normalise(*decode(path))
    except UserError as error:
        raise UserError(f"{path} {error}") from error


def normalise(colours: np.ndarray, opacity: np.ndarray) -> torch.Tensor:
    """Make an image like MNIST's of the digit on a picture; see `decode` and `read`.

    Raises:
        UserError: there is no digit, or more than one; it says what a picture is.
    """
    found = thicken(digit.find(ink.measure(colours, opacity)))
    return torch.from_numpy(place(fit(found)))


def decode(source: Path | BinaryIO) -> tuple[np.ndarray, np.ndarray]:
    """Read a picture's colours (H, W, 1 or 3) and opacity (H, W), floats from 0 to 1.

    Raises:
        UserError: no image, or too many pixels; it says what a picture is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as image:
                ImageOps.exif_transpose(image, in_place=True)
                return channels(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(
            f"has more than {Image.MAX_IMAGE_PIXELS:,} pixels: make it smaller"
        ) from error
    except Exception as error:  # a corrupt file can fail anywhere in its decoder
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise unreadable(reason) from error


def unreadable(reason: str) -> UserError:
    """Make the error for what is no image."""
    return UserError(
        f"cannot be read as an image ({reason}): "
        f"expected an intact {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
    )


def channels(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Take an image of any mode apart into colours and opacity, 1,024 pixels a side at most."""
    deep = image.mode.startswith(("I", "F"))  # 16 bits and more, of which any part may be in use
    image = image.convert("F" if deep else "RGBA")
    image.thumbnail((LARGEST, LARGEST))
    values = np.asarray(image, np.float64 if deep else np.float32)
    if deep:
        depth = np.ptp(values)
        if not np.isfinite(depth):
            raise ValueError
        return (values[..., None] - values.min()) / (depth or 1), np.ones_like(values)
    return values[..., :3] / 255, values[..., 3] / 255


def thicken(ink: np.ndarray) -> np.ndarray:
    """Widen the strokes of (H, W) ink that, scaled to 20 pixels, would be thinner than THINNEST."""
    strokes = np.pad(ink > digit.STROKE, 1)
    depths = ndimage.distance_transform_edt(strokes)
    ridges = depths[strokes & (ndimage.maximum_filter(depths, 3) == depths)]
    width = 2 * np.median(ridges) - 1
    radius = round((THINNEST * max(ink.shape) / BOX - width) / 2)
    if radius < 1:
        return ink
    padded = np.pad(ink, radius)
    widened = np.zeros_like(padded)
    for row in range(-radius, radius + 1):  # of a disk, which as one footprint takes seconds
        chord = 2 * math.isqrt(radius**2 - row**2) + 1
        np.maximum(widened, np.roll(ndimage.maximum_filter1d(padded, chord), row, 0), out=widened)
    return widened


def fit(ink: np.ndarray) -> np.ndarray:
    """Scale (H, W) ink to 20 pixels along its longer side, antialiased, the most of it 1 again."""
    height, width = (max(1, round(BOX * side / max(ink.shape))) for side in ink.shape)
    scaled = Image.fromarray(ink.astype(np.float32)).resize((width, height))
    fitted = np.asarray(scaled).clip(0)
    return fitted / fitted.max()


def place(ink: np.ndarray) -> np.ndarray:
    """Lay (H, W) ink of at most 20 x 20 by its centre of mass on the centre of (28, 28) uint8."""
    image = np.zeros((SIZE, SIZE), np.uint8)
    starts = []
    for axis, side in enumerate(ink.shape):
        mass = (ink.sum(axis=1 - axis) * np.arange(side)).sum() / ink.sum()
        starts.append(min(max(round(CENTRE - mass), 0), SIZE - side))
    top, left = starts
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = np.rint(255 * ink)
    return image
