"""Digits as a hand draws them: strokes, each (x, y) points on a sheet of 1 by 1, y downwards."""

import math

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, across: float, down: float, start: float, end: float) -> Stroke:
    """Follow an ellipse about (x, y) from one angle to another, in degrees, 90 at the bottom."""
    angles = [math.radians(start + (end - start) * step / 24) for step in range(25)]
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
    1: [[(0.4, 0.32), (0.52, 0.2), (0.5, 0.8)]],
    2: [[*arc(0.5, 0.36, 0.17, 0.16, -170, 40), (0.3, 0.8), (0.72, 0.78)]],
    3: [[*arc(0.48, 0.35, 0.17, 0.15, -160, 80), *arc(0.48, 0.64, 0.19, 0.16, -80, 150)]],
    4: [[(0.4, 0.2), (0.3, 0.55), (0.7, 0.53)], [(0.62, 0.25), (0.58, 0.82)]],
    5: [[(0.38, 0.22), (0.36, 0.46), *arc(0.48, 0.62, 0.18, 0.17, -120, 150)],
        [(0.38, 0.22), (0.66, 0.2)]],
    6: [[(0.6, 0.18), (0.4, 0.4), *arc(0.5, 0.64, 0.16, 0.16, -180, 180)]],
    7: [[(0.3, 0.25), (0.68, 0.23), (0.45, 0.82)]],
    8: [[*arc(0.5, 0.36, 0.14, 0.14, 90, -270), *arc(0.5, 0.66, 0.17, 0.16, -90, 270)]],
    9: [[*arc(0.5, 0.36, 0.15, 0.15, 0, -360), (0.62, 0.82)]],
}  # fmt: skip
