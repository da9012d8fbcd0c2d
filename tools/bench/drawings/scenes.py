"""What lies around a digit: papers, light, lenses. Images are (H, W, 3) floats from 0 to 255."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WHITE, PAPER, COPYBOOK = (255, 255, 255), (232, 228, 218), (245, 245, 243)
BLACK, INK, BLUE, PENCIL = (0, 0, 0), (35, 35, 40), (30, 50, 140), (105, 105, 108)
RULE = (150, 175, 215)


def somewhere(ink: np.ndarray, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Lay ink anywhere on a sheet."""
    sheet = np.zeros((height, width))
    top = rng.integers(0, height - ink.shape[0] + 1)
    left = rng.integers(0, width - ink.shape[1] + 1)
    sheet[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return sheet


def tight(values: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Cut values out at the bounding box of a mask of ink."""
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    return values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def write(ink: np.ndarray, paper: np.ndarray | tuple, colour: tuple) -> np.ndarray:
    """Put ink of a colour on paper, a colour itself or (H, W, 3)."""
    ink = ink[..., None]
    return (1 - ink) * np.asarray(paper, float) + ink * np.asarray(colour, float)


def ruled(
    shape: tuple[int, int], every: int, width: int, squared: bool, rng: np.random.Generator
) -> np.ndarray:
    """Rule a sheet of a copybook, across or in squares."""
    lines = np.zeros(shape)
    for line in range(rng.integers(0, every), shape[0], every):
        lines[line : line + width] = 1
    for line in range(rng.integers(0, every), shape[1] if squared else 0, every):
        lines[:, line : line + width] = 1
    return write(lines, COPYBOOK, RULE)


def turned(image: np.ndarray, degrees: float, beyond: tuple) -> np.ndarray:
    """Turn an image about its centre; what comes in at the corners has the colour `beyond`."""
    image = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=beyond), float)


def slope(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Rise from 0 at one side, any one, to 1 at the opposite."""
    across = crossing(shape, rng.uniform(0, 2 * np.pi))
    return (across - across.min()) / np.ptp(across)


def crossing(shape: tuple[int, int], angle: float) -> np.ndarray:
    """Measure positions along a direction from the centre, in sides of the sheet."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.cos(angle) * (columns / shape[1] - 0.5) + np.sin(angle) * (rows / shape[0] - 0.5)


def lamp(shape: tuple[int, int], darkest: float, rng: np.random.Generator) -> np.ndarray:
    """Light from a side, 1 there and `darkest` at the opposite; to multiply an image with."""
    return (darkest + (1 - darkest) * slope(shape, rng))[..., None]


def vignette(shape: tuple[int, int], corners: float) -> np.ndarray:
    """Darken towards the corners, as lenses do."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    off = (columns / shape[1] - 0.5) ** 2 + (rows / shape[0] - 0.5) ** 2
    return (1 - corners * off / 0.5)[..., None]


def shadow(
    shape: tuple[int, int], depth: float, softness: float, rng: np.random.Generator
) -> np.ndarray:
    """Darken one side, as a hand or a phone does; softness of the edge in sides of the sheet."""
    past = crossing(shape, rng.uniform(0, 2 * np.pi)) + rng.uniform(-0.2, 0.2)
    return (1 - depth / (1 + np.exp((-past / softness).clip(-50, 50))))[..., None]


def camera(image: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Add a sensor's noise: grey, and half as much in colour."""
    grey = rng.normal(0, noise, image.shape[:2])[..., None]
    return image + grey + rng.normal(0, noise / 2, image.shape)


def dust(image: np.ndarray, specks: int, rng: np.random.Generator) -> np.ndarray:
    """Scatter grey specks of 3 to 5 pixels."""
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(specks):
        x, y = rng.integers(5, min(image.shape[:2]) - 5, 2)
        radius = rng.integers(1, 3)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(60, 60, 60))
    return np.asarray(picture, float)


def blotches(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> np.ndarray:
    """Vary smoothly between 0 and 1, over as many cells a side."""
    noise = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
    smooth = noise.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(smooth, float).clip(0, 1)


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    """Be out of focus."""
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), float)


def sent(image: np.ndarray, side: int, quality: int) -> np.ndarray:
    """Make it as small and as compressed as a messenger does."""
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    picture.thumbnail((side, side))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), float)
