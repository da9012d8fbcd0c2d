import os
import subprocess
import sys

import pytest
from downloads import pin

from stages.mnist import pins

CONTENT = b"ten digits"
PIN = pin(CONTENT)


def test_pinned_sizes_are_those_of_60000_and_10000_images():
    assert {name: pin.size for name, pin in pins.PINS.items()} == {
        "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
        "train-labels-idx1-ubyte": 8 + 60_000,
        "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
        "t10k-labels-idx1-ubyte": 8 + 10_000,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has 0 bytes, not the 10 expected"),
        (CONTENT[:-1], "has 9 bytes, not the 10 expected"),
        (CONTENT * 1000, "has more than the 10 bytes expected"),
        (b"ten Digits", "has SHA-256 "),
    ],
)
def test_read_says_what_is_wrong(tmp_path, content, says):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    assert pins.read(path, PIN) == (CONTENT, None)
    path.write_bytes(content)
    found, fault = pins.read(path, PIN)
    assert found == content[: PIN.size + 1]
    assert fault.startswith(says)


def test_only_a_file_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("pipe", "folder", "dangling", "nothing"):
        assert pins.read(tmp_path / name, PIN) == (b"", "is missing or is not a file")


def test_it_does_not_import_torch():
    code = "import sys, stages.mnist.files; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
