import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import ROOT, copy_repository, run_stage, set_params


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the real four files: the checkout's own, else fetched once."""
    here = ROOT / "data/mnist"
    if len(list(here.glob("*-ubyte"))) == 4:
        return here
    folder = tmp_path_factory.mktemp("fetched")
    shutil.copytree(ROOT / "stages", folder / "stages")
    result = run_stage("stages.fetch", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "data/mnist"


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder that the tests of a file share; removed after them, AlexNets are large."""
    path = tmp_path_factory.mktemp("module")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def workspace(tmp_path: Path, mnist: Path) -> Path:
    """Return a copy of the repository that a test may change, set to train on few images."""
    copy_repository(tmp_path, mnist)
    set_params(tmp_path, train_images=64, validation_images=32)
    return tmp_path
