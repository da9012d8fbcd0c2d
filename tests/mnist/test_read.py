import subprocess
import sys

import pytest
import torch

from stages.mnist import files, read
from stages.system.errors import UserError


@pytest.fixture
def folder(mnist, tmp_path):
    """A folder with the four files, of which each may be replaced."""
    for name in files.PINS:
        (tmp_path / name).symlink_to(mnist / name)
    return tmp_path


def test_train(mnist):
    images, labels = read.load("train", mnist)
    assert (images.shape, images.dtype) == ((60_000, 28, 28), torch.uint8)
    assert (labels.shape, labels.dtype) == ((60_000,), torch.int64)
    # The mean that is published with 0.1307 = 33.3184 / 255.
    assert images.double().mean().item() == pytest.approx(33.3184, abs=1e-4)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert labels.bincount().tolist() == counts
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_test(mnist):
    images, labels = read.load("test", mnist)
    assert (images.shape, images.dtype) == ((10_000, 28, 28), torch.uint8)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    # The first test image is a 7: a bar on top, nothing in the corners.
    assert images[0, 8, 8:20].min() > 0
    assert images[0, [0, 0, -1, -1], [0, -1, 0, -1]].max() == 0


def test_images_can_be_written_to(mnist):
    images, _ = read.load("test", mnist)
    images[0] = 1
    assert images[0].sum() == 28 * 28


@pytest.mark.parametrize("name", [files.TEST_IMAGES, files.TEST_LABELS])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (None, "is missing"),
        (lambda content: b"", "has 0 bytes"),
        (lambda content: content[:-1], "not the"),
        (lambda content: content + b"\0", "has more than the"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "has SHA-256"),
    ],
)
def test_damage_is_told_and_not_read(folder, name, damage, says):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(content))
    with pytest.raises(UserError) as caught:
        read.load("test", folder)
    sentence = str(caught.value)
    assert f"{path} " in sentence
    assert says in sentence
    assert "delete it and run `dvc repro fetch`" in sentence


def test_does_not_import_torchvision():
    code = "import sys, stages.mnist.read; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
