import hashlib
import os
import subprocess
import sys

import pytest

from stages.mnist import files

CONTENT = b"ten digits"
PIN = files.Pin(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_pinned_sizes_are_those_of_60000_and_10000_images():
    sizes = {name: pin.size for name, pin in files.PINS.items()}
    assert sizes == {
        "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
        "train-labels-idx1-ubyte": 8 + 60_000,
        "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
        "t10k-labels-idx1-ubyte": 8 + 10_000,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (CONTENT, None),
        (b"", "has 0 bytes, not the 10 expected"),
        (CONTENT[:-1], "has 9 bytes, not the 10 expected"),
        (CONTENT + b"!", "has more than the 10 bytes expected"),
        (b"ten Digits", "has SHA-256 "),
    ],
)
def test_fault(tmp_path, content, says):
    path = tmp_path / "file"
    path.write_bytes(content)
    for found in (files.fault(content, PIN), files.read(path, PIN)[1]):
        assert found == says if says is None else found.startswith(says)


def test_read_stops_a_byte_after_the_pinned_size(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT * 1000)
    assert len(files.read(path, PIN)[0]) == PIN.size + 1


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("pipe", "folder", "dangling", "nothing"):
        assert files.read(tmp_path / name, PIN) == (b"", "is missing or is not a file")


def test_needs_the_standard_library_alone():
    code = (
        "import sys, stages.mnist.files; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
