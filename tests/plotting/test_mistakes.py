import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from stages.plotting import mistakes

ROOT = Path(__file__).resolve().parents[2]


def wrong(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    actual = random.integers(0, 10, count)
    return images, actual, (actual + 1) % 10, random.random(count)


@pytest.mark.parametrize("count", [0, 1, 24, 30])
def test_any_number_of_mistakes_gives_a_picture_of_one_size(count):
    picture = imread(io.BytesIO(mistakes.draw(*wrong(count), "model_a")))
    assert picture.shape[:2] == (637, 1170)
    assert (picture[..., :3] < 0.5).any()


def test_the_same_mistakes_give_the_same_bytes_and_no_software_is_named():
    first = mistakes.draw(*wrong(5), "model_a")
    lists = [wrong(5)[0], *(values.tolist() for values in wrong(5)[1:])]
    assert mistakes.draw(*lists, "model_a") == first
    assert b"Software" not in first


def test_the_24_most_confident_are_drawn_first():
    images, actual, predicted, probability = wrong(30)
    order = np.argsort(-probability)[:24]
    every = mistakes.draw(images, actual, predicted, probability, "")
    best = mistakes.draw(images[order], actual[order], predicted[order], probability[order], "")
    least = order[::-1]
    again = mistakes.draw(images[least], actual[least], predicted[least], probability[least], "")
    assert every == best == again


def test_probabilities_that_are_not_numbers_come_last():
    images, actual, predicted, probability = wrong(30)
    probability[:10] = np.nan
    kept = slice(10, 30)
    both = mistakes.draw(images, actual, predicted, probability, "")
    finite = mistakes.draw(images[kept], actual[kept], predicted[kept], probability[kept], "")
    top = slice(60, 400)
    assert np.array_equal(imread(io.BytesIO(both))[top], imread(io.BytesIO(finite))[top])


def test_drawing_needs_neither_torch_nor_pyplot():
    code = (
        "import sys, stages.plotting.mistakes;"
        "print(bool({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "False"
