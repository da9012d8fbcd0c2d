import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from helpers import ROOT, Repository, do, make, set_params

from stages.compute import kernels

# The tests' own processes compute as the stages do; nothing has imported PyTorch yet. Two of them
# run at a time, and with more threads than cores PyTorch's threads wait for each other.
kernels.use("portable", 1)


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the real four files: the checkout's, or fetched once."""
    here = ROOT / "data/mnist"
    if len(list(here.glob("*-ubyte"))) == 4:
        return here
    folder = tmp_path_factory.mktemp("fetched")
    shutil.copytree(ROOT / "stages", folder / "stages")
    do(folder, "python", "-m", "stages.fetch")
    return folder / "data/mnist"


@pytest.fixture
def here(tmp_path: Path, mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the params and data of a training of a few steps, but no code."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, train_images=64, validation_images=32, batch_size=16, threads=1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist").symlink_to(mnist)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder that the tests of a file share; it is removed after them, as it is large."""
    path = tmp_path_factory.mktemp("module")
    yield path
    shutil.rmtree(path)


@dataclass
class Pipeline:
    """A repository after its first `dvc repro`, and the files that each stage's command read."""

    repository: Repository
    reads: dict[str, set[str]]


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory, mnist: Path, worker_id: str) -> Iterator:
    """Run the pipeline on few images, once for all workers; tests copy it or leave it as it is."""
    own = tmp_path_factory.mktemp("pipeline")
    shared = (own if worker_id == "master" else own.parent.parent) / "first"
    trace, done = shared / "trace", shared / "done"
    with FileLock(shared.with_suffix(".lock")):
        if not done.exists():
            first = make(shared / "repository", mnist)
            trace.mkdir()
            tracing = {"TRACE_READS": str(trace), "PYTHONPATH": str(ROOT / "tests/trace")}
            first.do("dvc", "repro", PYTHONDONTWRITEBYTECODE="1", **tracing)
            first.commit("results")
            done.touch()
        repository = Repository(shared / "repository").copy(own / "copy")
        noted = [json.loads(path.read_text()) for path in trace.iterdir()]
    yield Pipeline(repository, {one["command"]: set(one["read"]) for one in noted})
    with FileLock(shared.with_suffix(".lock")):
        shutil.rmtree(shared, ignore_errors=True)
    shutil.rmtree(own)


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "CPUs to emulate in test_cpus.py, with commas between, or all"
    parser.addoption("--cpus", default="EPYC-Milan", help=words)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first; leave for last what has to wait for the pipeline anyway."""
    longest = ("test_cpus.py", "test_sharing.py")
    waiting = {item.path for item in items if "pipeline" in item.fixturenames}
    items.sort(key=lambda item: (item.path.name not in longest, item.path in waiting))
