import errno
import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from stages.system import interrupts, outputs


@pytest.mark.parametrize("error", [RuntimeError(), interrupts.Interrupted(15)])
def test_a_failed_write_leaves_what_was_there(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "out"
    outputs.write_bytes(path, b"first")

    def fail(file: object) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(type(error)):
        outputs.write(path, fail)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_folder_is_flushed_where_its_file_system_can(number: int, tmp_path, monkeypatch) -> None:
    """Shares of CIFS and folders of gocryptfs refuse; no file system here does."""
    path, fsync = tmp_path / "out", os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    fails = number == errno.EIO
    with pytest.raises(OSError, match=r"out'$") if fails else nullcontext():
        outputs.write_bytes(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_json_is_strict_and_csv_has_full_precision(tmp_path: Path) -> None:
    outputs.write_json(tmp_path / "m.json", {"loss": float("nan"), "rate": float("inf"), "n": 0.5})
    expected = '{\n  "loss": null,\n  "rate": null,\n  "n": 0.5\n}\n'
    assert (tmp_path / "m.json").read_text() == expected
    outputs.write_csv(tmp_path / "t.csv", ["epoch", "loss"], [(1, 0.1 + 0.2), (2, None)])
    assert (tmp_path / "t.csv").read_text() == "epoch,loss\n1,0.30000000000000004\n2,\n"
