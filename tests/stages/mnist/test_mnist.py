import os
from pathlib import Path

import pytest
import torch
from helpers import ROOT, do

from stages.mnist import images, pins
from stages.system.errors import UserError


def test_the_canonical_files_are_loaded(mnist: Path, recwarn: pytest.WarningsRecorder) -> None:
    digits, labels = images.load("train", mnist)
    assert (digits.shape, digits.dtype) == ((60_000, 28, 28), torch.uint8)
    assert (labels.shape, labels.dtype) == ((60_000,), torch.int64)
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    digits, labels = images.load("test", mnist)
    assert (digits.shape, labels[:5].tolist()) == ((10_000, 28, 28), [7, 2, 1, 0, 4])
    assert digits[0, 8, 8:20].min() > 0  # the bar of the 7
    assert digits[0, [0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert not recwarn.list


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing or is not a file"),
        ("a pipe", "is missing or is not a file"),
        (b"short", "has 5 bytes, not the 10,008 expected"),
        (bytes(20_000), "has more than the 10,008 bytes expected"),
        (bytes(10_008), "has SHA-256 "),
    ],
)
def test_any_other_file_is_refused(content: bytes | str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / pins.TEST_LABELS
    if content == "a pipe":
        os.mkfifo(path)
    elif content:
        path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        pins.read(path)
    assert str(refused.value).startswith(f"{path} {words}")
    assert "delete it and run `dvc repro fetch`" in str(refused.value)


def test_fetching_does_not_import_torch() -> None:
    do(ROOT, "python", "-c", "import sys, stages.fetch; assert 'torch' not in sys.modules")
