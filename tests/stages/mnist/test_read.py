import pytest
import torch

from stages.mnist import images, pins
from stages.system.errors import UserError


def test_train(mnist):
    digits, labels = images.load("train", mnist)
    assert (digits.shape, digits.dtype) == ((60_000, 28, 28), torch.uint8)
    assert (labels.shape, labels.dtype) == ((60_000,), torch.int64)
    # The mean that is published with 0.1307 = 33.3184 / 255.
    assert digits.double().mean().item() == pytest.approx(33.3184, abs=1e-4)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert labels.bincount().tolist() == counts
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_test(mnist, recwarn):
    digits, labels = images.load("test", mnist)
    assert (digits.shape, digits.dtype) == ((10_000, 28, 28), torch.uint8)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    # The first test image is a 7: a bar on top, nothing in the corners.
    assert digits[0, 8, 8:20].min() > 0
    assert digits[0, [0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert not recwarn.list


@pytest.mark.parametrize("name", [pins.TEST_IMAGES, pins.TEST_LABELS])
@pytest.mark.parametrize(("content", "says"), [(None, "is missing"), (b"short", "has 5 bytes")])
def test_a_corrupt_file_is_refused(mnist, tmp_path, name, content, says):
    for other in set(pins.PINS) - {name}:
        (tmp_path / other).symlink_to(mnist / other)
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as refused:
        images.load("test", tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / name} {says}")
    assert "delete it and run `dvc repro fetch`" in str(refused.value)
