"""Which of a picture's ink is its digit: pictures as people hand them in, from test digits."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from stages.mnist import images
from stages.system.errors import UserError
from tools.bench.drawings.styles import NONE, ONE, SEVERAL
from tools.bench.pictures import draw
from tools.predict import pictures

IMAGES = (3, 17, 61)  # a 0, a 7 and an 8: with a hole, with a corner, with crossing strokes


@pytest.fixture(scope="module")
def digits(mnist: Path) -> np.ndarray:
    return images.load("test", mnist)[0].numpy()


def seen(style: str, digits: np.ndarray, index: int) -> np.ndarray:
    image = draw(style, digits, index)
    return pictures.normalise(*pictures.channels(image)).numpy().astype(float)


@pytest.mark.parametrize("style", ONE)
def test_the_digit_alone_is_seen_in_every_style(style: str, digits: np.ndarray) -> None:
    for index in IMAGES:
        # pens are thinner, and each drawing is turned by another angle
        clean, found = (
            ndimage.gaussian_filter(seen(one, digits, index), 1.5) for one in ("clean", style)
        )
        assert np.corrcoef(clean.flatten(), found.flatten())[0, 1] > 0.7, index


@pytest.mark.parametrize("style", [*NONE, *SEVERAL])
def test_what_is_no_single_digit_is_refused(style: str, digits: np.ndarray) -> None:
    words = "more than one digit" if style in SEVERAL else "no digit|blank"
    for index in IMAGES:
        with pytest.raises(UserError, match=words):
            seen(style, digits, index)


def test_two_strokes_of_one_digit_stay_together() -> None:
    image = np.full((300, 300, 3), 255.0)
    image[100:200, 140:150] = 0  # a 5's body, then its bar, which does not touch it
    image[95:105, 156:200] = 0
    whole = pictures.normalise(image / 255, np.ones((300, 300)))
    assert (whole.amax(0) > 128).sum() == 10  # 60 of 105 pixels, as 20 are high, less the gap
