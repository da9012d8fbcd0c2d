"""Which of the ink on a picture is its digit."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.system.errors import UserError

FAINTEST = 8 / 255  # what ink must differ by from its paper
STROKE = 0.5  # of the darkest ink; rules, soft shadows and JPEG's ripples are less
EDGE = 0.25  # of the darkest ink, where a stroke ends
SMALLEST = 0.08  # of the picture's longer side: what is smaller is dust
NEAR = 0.012  # of the picture's longer side: gaps that chalk, pencils and dry pens leave
THIN = 0.006  # of the picture's longer side: rules of the paper
MARGIN = 0.02  # of the picture's longer side: how far the edge of what is no digit reaches
BELOW, ASIDE = 0.2, 0.1  # of a digit's size: how far from it a stroke of it may be
DIRT = 0.03  # of a digit's ink: what has less is no stroke of it
SECOND_INK, SECOND_HEIGHT = 0.15, 0.4  # of a digit's: what has more, further off, is another one
ALONE = 0.3  # of all ink: what has less is lost in clutter
EDGES = 4  # things at the picture's sides that are looked past
WIDEST = 2.5  # times its height
EIGHT = np.ones((3, 3))  # neighbours


@dataclass(frozen=True)
class Part:
    """Strokes that touch each other, or nearly.

    Attributes:
        label: their number in an image of labels.
        ink: how much they have, in pixels.
        top, left, bottom, right: their bounding box; bottom and right are one beyond.
    """

    label: int
    ink: float
    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Its width in pixels."""
        return self.right - self.left

    def gaps(self, other: "Part") -> tuple[int, int]:
        """Return how far another one is below or above, and to a side; 0 where they overlap."""
        return (
            max(0, other.top - self.bottom, self.top - other.bottom),
            max(0, other.left - self.right, self.left - other.right),
        )


def find(ink: np.ndarray) -> np.ndarray:
    """Return a digit's ink alone, cut out at its bounding box.

    Args:
        ink: (H, W) floats from 0 to 1; see ink.measure.

    Returns:
        (h, w) floats from 0 to 1, which the darkest is.

    Raises:
        UserError: nothing is there, or more than one digit; it says what a picture is.
    """
    size = max(ink.shape)
    rest, whole = ink, None
    for _ in range(EDGES):
        if rest.max() <= FAINTEST:
            break
        strokes = rest > STROKE * rest.max()
        parts, labels = split(rest, strokes)
        whole = whole or (parts, labels)
        inner = [part for part in parts if not touches(part, ink.shape)]
        if not any(is_large(part, size) for part in inner):
            thick, of_thick = split(rest, without_rules(strokes))
            inner = [] if any(touches(part, ink.shape) for part in thick) else thick
            labels = of_thick if inner else labels
        large = [part for part in inner if is_large(part, size)]
        if large:
            return cut(rest, labels, assemble(large, inner))
        outer = [part.label for part in parts if touches(part, ink.shape)]
        if not outer:
            break
        rest = np.where(around(np.isin(labels, outer), MARGIN, size), 0, rest)
    if whole:
        parts, labels = whole
        thick = without_rules(ink > STROKE * ink.max())
        parts = [part for part in parts if not is_line(part, ink.shape) and is_large(part, size)]
        if parts and thick.any():
            return cut(ink, labels, assemble(parts, parts))
    raise UserError("is blank: expected a digit that stands out from its background")


def split(ink: np.ndarray, strokes: np.ndarray) -> tuple[list[Part], np.ndarray]:
    """Take (H, W) strokes apart where they are not near each other.

    Returns:
        The parts, and (H, W) of their labels: of their strokes and of what is near these.
    """
    labels, number = ndimage.label(around(strokes, NEAR, max(ink.shape)), EIGHT)
    of_strokes = np.where(strokes, labels, 0)
    boxes = ndimage.find_objects(of_strokes, number)
    inks = ndimage.sum_labels(ink, of_strokes, range(1, number + 1))
    parts = [
        Part(label, ink, box[0].start, box[0].stop, box[1].start, box[1].stop)
        for label, (ink, box) in enumerate(zip(inks, boxes, strict=True), start=1)
        if box  # none if there are no strokes at all
    ]
    return parts, labels


def without_rules(strokes: np.ndarray) -> np.ndarray:
    """Remove thin strokes from a mask: rules that run through a digit, if it is thicker."""
    width = round(THIN * max(strokes.shape))
    return ndimage.binary_opening(strokes, np.ones((width, width))) if width > 2 else strokes


def around(mask: np.ndarray, share: float, size: int) -> np.ndarray:
    """Widen a mask by a share of the picture's size, by two pixels at least."""
    return ndimage.distance_transform_edt(~mask) <= max(2, share * size)


def touches(part: Part, shape: tuple[int, int]) -> bool:
    """Say whether a part reaches a side of a picture of that shape."""
    return part.top == 0 or part.left == 0 or part.bottom == shape[0] or part.right == shape[1]


def is_large(part: Part, size: int) -> bool:
    """Say whether a part is more than dust on a picture of that size."""
    return max(part.height, part.width) >= SMALLEST * size


def is_line(part: Part, shape: tuple[int, int]) -> bool:
    """Say whether a part goes from side to side, as rules of the paper do."""
    down, across = part.height / shape[0], part.width / shape[1]
    return max(down, across) > 0.95 and min(down, across) < 0.2


def assemble(candidates: list[Part], parts: list[Part]) -> list[Part]:
    """Return the heaviest part with the strokes that belong to it.

    Raises:
        UserError: another one is no stroke of it, but as large.
    """
    digit = max(candidates, key=lambda part: part.ink)
    if digit.width > WIDEST * digit.height or digit.ink < ALONE * sum(part.ink for part in parts):
        raise UserError("shows no digit: expected an upright one")
    found, size = [digit], max(digit.height, digit.width)
    for part in parts:
        below, aside = digit.gaps(part)
        if part is digit or part.ink < DIRT * digit.ink:
            continue
        if below <= BELOW * size and aside <= ASIDE * size:
            found.append(part)
        elif part.ink > SECOND_INK * digit.ink and part.height > SECOND_HEIGHT * digit.height:
            raise UserError("shows more than one digit: cut out one")
    return found


def cut(ink: np.ndarray, labels: np.ndarray, parts: list[Part]) -> np.ndarray:
    """Cut parts out of (H, W) ink, without what is between them."""
    alone = np.where(np.isin(labels, [part.label for part in parts]), ink, 0)
    alone = alone / alone.max()
    rows, columns = (np.flatnonzero((alone > EDGE).any(axis)) for axis in (1, 0))
    return alone[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
