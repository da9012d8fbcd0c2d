"""Which of the ink on a picture is its digit."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from stages.system.errors import UserError

FAINTEST = 8 / 255  # blank pages: a stroke differs from its paper by more
# Shares of the darkest ink:
STROKE = 0.5  # ruled paper, shadows, JPEG: anything fainter is not a stroke
EDGE = 0.25  # blurred photos: a digit ends where it is fainter
# Shares of the picture's longer side:
SMALLEST = 0.08  # dusty scans: anything smaller is dust
NEAR = 0.012  # chalk, pencils, dry pens: gaps in a stroke are smaller
THIN = 0.006  # rules as dark as the digit that they run through: thinner than its strokes
MARGIN = 0.02  # frames and tables: their blurred edges reach no further
# Shares of the digit's size, ink or height:
BELOW = 0.2  # digits in several strokes: gaps from top to bottom are smaller
ASIDE = 0.1  # digits in several strokes, such as a 5 and its bar: gaps to a side are smaller
DIRT = 0.03  # dusty scans: anything beside the digit that has less ink is dust
SECOND_INK = 0.15  # sums and numbers: another digit has more ink
SECOND_HEIGHT = 0.4  # sums and numbers: another digit is higher, a minus is not
WIDEST = 2.5  # lines and gradients: a digit is less wide, in times its height
ALONE = 0.3  # photos of something else: a digit has a larger share of all ink
EDGES = 4  # frames and tables: how often what touches a side is removed


class Part(NamedTuple):
    """Strokes that touch each other, or nearly; `label` is their number in an image of labels."""

    label: int
    ink: float
    rows: slice
    columns: slice
    height: int
    width: int
    at_side: bool  # touches a side of the picture
    is_large: bool  # is more than dust


def find(ink: np.ndarray) -> np.ndarray:
    """Cut out the digit on (H, W) ink, see ink.measure, at its bounding box; its darkest is 1.

    The UserError for no digit, or more than one, is a sentence that begins after the file's name.
    """
    rest = ink
    for _ in range(EDGES):
        parts, labels = split(rest)
        inner = [part for part in parts if not part.at_side]
        if any(part.is_large for part in inner):
            return cut(rest, labels, assemble(inner))
        outer = [part.label for part in parts if part.at_side]
        if not outer:
            break
        rest = np.where(around(np.isin(labels, outer), MARGIN), 0, rest)
    thick, labels = split(ink, without_rules=True)  # the digit may reach the picture's sides
    if any(part.is_large for part in thick):
        return cut(ink, labels, assemble(thick))
    raise UserError("is blank: expected a digit that stands out from its background")


def split(ink: np.ndarray, without_rules: bool = False) -> tuple[list[Part], np.ndarray]:
    """Take the strokes on (H, W) ink apart where they are not near each other.

    The (H, W) labels are those of the parts, each on its part's strokes and what is near them.
    """
    size = max(ink.shape)
    strokes = ink > max(FAINTEST, STROKE * ink.max())
    thin = round(THIN * size)
    if without_rules and thin > 2:
        strokes = ndimage.binary_opening(strokes, np.ones((thin, thin)))
    labels, number = ndimage.label(around(strokes, NEAR), np.ones((3, 3)))
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
    """Return the part with the most ink, which is the digit, and its other strokes."""
    digit = max((part for part in parts if part.is_large), key=lambda part: part.ink)
    if digit.width > WIDEST * digit.height or digit.ink < ALONE * sum(part.ink for part in parts):
        raise UserError("shows no digit: expected an upright one")
    size = max(digit.height, digit.width)
    found = [digit]
    for part in parts:
        if part is digit or part.ink < DIRT * digit.ink:
            continue
        rows_are_near = gap(part.rows, digit.rows) <= BELOW * size
        columns_are_near = gap(part.columns, digit.columns) <= ASIDE * size
        if rows_are_near and columns_are_near:
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
