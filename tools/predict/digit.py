"""Which of the ink on a picture is its digit."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from stages.system.errors import UserError

# How much ink, and what share of the darkest:
FAINTEST = 8 / 255  # blank pages: ink differs from its paper by more
STROKE = 0.5  # ruled paper, soft shadows, JPEG: fainter ink is no stroke
EDGE = 0.25  # blurred photos: where a digit ends
# Shares of the picture's longer side:
SMALLEST = 0.08  # dusty scans: anything smaller is dust
NEAR = 0.012  # chalk, pencils, dry pens: gaps in a stroke are smaller
THIN = 0.006  # rules as dark as the digit that they run through: thinner than its strokes
MARGIN = 0.02  # frames and tables: how far their blurred edge reaches
EDGES = 4  # frames and tables: as many are removed, one for each side
# Shares of the digit:
BELOW = 0.2  # digits in several strokes: the gap above or below one
ASIDE = 0.1  # digits in several strokes, such as a 5's bar: the gap to a side
DIRT = 0.03  # dust beside the digit has less ink than a stroke of it
SECOND_INK = 0.15  # sums and numbers: another digit has more ink
SECOND_HEIGHT = 0.4  # sums and numbers: another digit is higher, a minus is not
ALONE = 0.3  # photos of something else: of all ink, a digit has more
WIDEST = 2.5  # empty ruled pages: a digit is less wide, in times its height
EIGHT = np.ones((3, 3))  # neighbours of a pixel


class Part(NamedTuple):
    """Strokes that touch each other, or nearly."""

    label: int  # in an image of labels
    ink: float  # summed over its pixels
    rows: slice
    columns: slice
    height: int
    width: int
    at_side: bool  # it touches a side of the picture
    is_large: bool  # more than dust


def find(ink: np.ndarray) -> np.ndarray:
    """Cut out the ink of a picture's digit at its bounding box.

    Args:
        ink: (H, W) floats from 0 to 1; see ink.measure.

    Returns:
        (h, w) floats from 0 to 1; the darkest is 1.

    Raises:
        UserError: no digit, or more than one; the sentence begins after the file's name.
    """
    rest = ink
    for _ in range(EDGES):
        if rest.max() <= FAINTEST:
            break
        parts, labels = split(rest)
        inner = [part for part in parts if not part.at_side]
        if any(part.is_large for part in inner):
            return cut(rest, labels, assemble(inner))
        thick, labels_of_thick = split(rest, without_rules=True)
        if any(part.is_large for part in thick) and not any(part.at_side for part in thick):
            return cut(rest, labels_of_thick, assemble(thick))
        outer = [part.label for part in parts if part.at_side]
        if not outer:
            break
        rest = np.where(around(np.isin(labels, outer), MARGIN), 0, rest)
    if ink.max() > FAINTEST:  # nothing lies within the picture: its digit may reach the sides
        thick, labels = split(ink, without_rules=True)
        if any(part.is_large for part in thick):
            return cut(ink, labels, assemble(thick))
    raise UserError("is blank: expected a digit that stands out from its background")


def split(ink: np.ndarray, without_rules: bool = False) -> tuple[list[Part], np.ndarray]:
    """Take the strokes on (H, W) ink apart where they are not near each other.

    Returns:
        The parts, and (H, W) labels, each on its part's strokes and what is near them.
    """
    size = max(ink.shape)
    strokes = ink > STROKE * ink.max()
    thin = round(THIN * size)
    if without_rules and thin > 2:
        strokes = ndimage.binary_opening(strokes, np.ones((thin, thin)))
    labels, number = ndimage.label(around(strokes, NEAR), EIGHT)
    of_strokes = np.where(strokes, labels, 0)
    inks = ndimage.sum_labels(ink, of_strokes, range(1, number + 1))
    parts = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(of_strokes), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        at_end = rows.stop == ink.shape[0] or columns.stop == ink.shape[1]
        at_side = at_end or rows.start == 0 or columns.start == 0
        is_large = max(height, width) >= SMALLEST * size
        parts.append(Part(label, inks[label - 1], rows, columns, height, width, at_side, is_large))
    return parts, labels


def around(mask: np.ndarray, margin: float) -> np.ndarray:
    """Widen an (H, W) mask by a share of its longer side, by two pixels at least."""
    return ndimage.distance_transform_edt(~mask) <= max(2, margin * max(mask.shape))


def gap(one: slice, other: slice) -> int:
    """Return how many pixels lie between two ranges; negative if they overlap."""
    return max(one.start, other.start) - min(one.stop, other.stop)


def assemble(parts: list[Part]) -> list[Part]:
    """Return the part with the most ink, which is the digit, and its other strokes.

    Raises:
        UserError: it is no digit, or there is another one.
    """
    digit = max((part for part in parts if part.is_large), key=lambda part: part.ink)
    if digit.width > WIDEST * digit.height or digit.ink < ALONE * sum(part.ink for part in parts):
        raise UserError("shows no digit: expected an upright one")
    size = max(digit.height, digit.width)
    found = [digit]
    for part in parts:
        if part is digit or part.ink < DIRT * digit.ink:
            continue
        is_below = gap(part.rows, digit.rows) <= BELOW * size
        is_beside = gap(part.columns, digit.columns) <= ASIDE * size
        if is_below and is_beside:
            found.append(part)
        elif part.ink > SECOND_INK * digit.ink and part.height > SECOND_HEIGHT * digit.height:
            raise UserError("shows more than one digit: cut out one")
    return found


def cut(ink: np.ndarray, labels: np.ndarray, parts: list[Part]) -> np.ndarray:
    """Cut parts out of (H, W) ink, without what lies between them."""
    found = np.where(np.isin(labels, [part.label for part in parts]), ink, 0)
    found = found / found.max()
    rows, columns = (np.flatnonzero((found > EDGE).any(axis)) for axis in (1, 0))
    return found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
