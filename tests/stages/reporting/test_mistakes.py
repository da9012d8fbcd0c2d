import io

import numpy as np
import pytest
from matplotlib.image import imread

from stages.reporting import mistakes


def wrong(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    actual = random.integers(0, 10, count)
    return images, actual, (actual + 1) % 10, random.random(count)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_any_number_of_mistakes_gives_a_picture_of_one_size(count):
    picture = imread(io.BytesIO(mistakes.draw("model_a", *wrong(count))))
    assert picture.shape[:2] == (637, 1170)
    assert (picture[60:, :, :3] < 0.5).any()


def test_the_24_most_confident_are_drawn_first_and_those_without_a_number_last():
    arrays = wrong(30)
    every = mistakes.draw("", *arrays)
    confident = np.argsort(arrays[3])[-24:]
    assert mistakes.draw("", *(array[confident] for array in arrays)) == every
    arrays[3][confident[0]] = np.nan
    assert mistakes.draw("", *arrays) != every
    arrays[3][np.argsort(arrays[3])[:5]] = np.nan  # 24 numbers are left
    assert mistakes.draw("", *arrays) == mistakes.draw("", *(it[arrays[3] > 0] for it in arrays))
