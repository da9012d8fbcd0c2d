"""Any picture of one digit, as an image like MNIST's.

MNIST's digits were scaled to 20 x 20 pixels, aspect ratio kept, antialiased, and centred by their
mass in 28 x 28, light on dark: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied
to document recognition", Proceedings of the IEEE 86 (1998).
"""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from scipy import ndimage

from stages.system.errors import UserError, out_of_memory
from tools.predict import digit, ink

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")  # Pillow runs programs for others
LARGEST = 1024  # pixels a side: averages a camera's noise and bounds the work
SIZE, BOX = 28, 20
CENTRE = 14  # the pixel that the centres of mass of MNIST's own images round to
THINNEST = 1.5  # pixels of a stroke; MNIST's have 2 or 3


def read(source: Path | BinaryIO) -> torch.Tensor:
    """Make (28, 28) uint8, 255 where ink is, of a picture of one digit, or an animation's first.

    Raises:
        UserError: not a picture of one digit; the sentence begins after the picture's name.
        MemoryError: in whatever way Pillow reports it.
    """
    if isinstance(source, Path) and not source.is_file():  # a pipe would block
        raise UserError("is not a file: correct the name")
    found = digit.find(ink.measure(*decode(source)))
    return torch.from_numpy(fit(thicken(found)))


def decode(source: Path | BinaryIO) -> tuple[np.ndarray, np.ndarray]:
    """Read a picture's colours (H, W, 1 or 3) and opacity (H, W), floats from 0 to 1."""
    try:
        with warnings.catch_warnings(action="ignore"):
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as image:
                ImageOps.exif_transpose(image, in_place=True)
                return channels(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = f"{Image.MAX_IMAGE_PIXELS:,}"
        raise UserError(f"has more than {limit} pixels: make it smaller") from error
    except Exception as error:  # a corrupt file can fail anywhere in its decoder
        if out_of_memory(error):
            raise MemoryError from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        expected = f"expected an intact {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        raise UserError(f"cannot be read as an image ({reason}): {expected}") from error


def channels(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Take an image of any mode apart into colours and opacity, at most LARGEST pixels a side."""
    deep = image.mode.startswith(("I", "F"))  # 16 bits and more, of which any part may be in use
    image = image.convert("F" if deep else "RGBA")
    image.thumbnail((LARGEST, LARGEST))
    values = np.asarray(image, np.float64 if deep else np.float32)
    if not deep:
        return values[..., :3] / 255, values[..., 3] / 255
    depth = np.ptp(values)
    if not np.isfinite(depth):
        raise ValueError
    return (values[..., None] - values.min()) / (depth or 1), np.ones_like(values)


def thicken(ink: np.ndarray) -> np.ndarray:
    """Widen the strokes of (H, W) ink that would be thinner than THINNEST at MNIST's size."""
    strokes = np.pad(ink > digit.STROKE, 1)
    depths = ndimage.distance_transform_edt(strokes)
    ridges = depths[strokes & (ndimage.maximum_filter(depths, 3) == depths)]
    width = 2 * np.median(ridges) - 1
    radius = round((THINNEST * max(ink.shape) / BOX - width) / 2)
    if radius < 1:
        return ink
    padded = np.pad(ink, radius)
    return np.maximum(padded, ndimage.distance_transform_edt(padded <= digit.STROKE) <= radius)


def fit(ink: np.ndarray) -> np.ndarray:
    """Scale (H, W) ink to 20 pixels along its longer side and centre it in (28, 28) uint8."""
    height, width = (max(1, round(BOX * side / max(ink.shape))) for side in ink.shape)
    scaled = np.asarray(Image.fromarray(ink.astype(np.float32)).resize((width, height))).clip(0)
    down, across = (round(CENTRE - mass) for mass in ndimage.center_of_mass(scaled))
    top, left = min(max(down, 0), SIZE - height), min(max(across, 0), SIZE - width)
    image = np.zeros((SIZE, SIZE), np.uint8)
    image[top : top + height, left : left + width] = np.rint(255 * scaled / scaled.max())
    return image
