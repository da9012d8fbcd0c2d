import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from helpers import ROOT, Repository, copy_repository, make, run_stage, set_params

from stages.compute import kernels

TESTS = Path(__file__).parent

# The tests' own processes compute as the stages do; nothing has imported PyTorch yet. Two of them
# test at a time: with more threads than cores, PyTorch's spin against each other.
kernels.use("portable", 1)


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


@pytest.fixture
def here(tmp_path: Path, mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with all that a training needs but the code, set to a few steps."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, train_images=64, validation_images=32, batch_size=16, threads=1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist").symlink_to(mnist)
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    set_params(tmp_path, train_images=64, validation_images=32, threads=1)
    return tmp_path


@dataclass
class Pipeline:
    """A repository after its first `dvc repro`, and what each stage's command read meanwhile."""

    repository: Repository
    reads: dict[str, set[str]]


@pytest.fixture(scope="session")
def pipeline(
    tmp_path_factory: pytest.TempPathFactory, mnist: Path, worker_id: str
) -> Iterator[Pipeline]:
    """Run the whole pipeline on few images; tests leave it as they find it, or copy it.

    Once for all workers of pytest-xdist: each has a copy of its own.
    """
    own = tmp_path_factory.mktemp("pipeline")
    shared = (own if worker_id == "master" else own.parent.parent) / "first"
    reads = shared / "reads.json"
    with FileLock(shared.with_suffix(".lock")):
        if not reads.exists():
            first = make(shared / "repository", mnist)
            reads.write_text(json.dumps(reproduce(first, shared / "trace")))
        repository = Repository(shared / "repository").copy(own / "copy")
        noted = json.loads(reads.read_text())
    yield Pipeline(repository, {command: set(names) for command, names in noted.items()})
    with FileLock(shared.with_suffix(".lock")):
        shutil.rmtree(shared, ignore_errors=True)
    shutil.rmtree(own)


def reproduce(repository: Repository, trace: Path) -> dict[str, list[str]]:
    """Run the pipeline and commit its results; return what each stage's command read."""
    trace.mkdir()
    repository.do(
        "dvc",
        "repro",
        TRACE_READS=str(trace),
        PYTHONPATH=str(TESTS / "trace"),
        PYTHONDONTWRITEBYTECODE="1",
    )
    repository.commit("results")
    noted = [json.loads(path.read_text()) for path in trace.glob("*.json")]
    return {one["command"]: one["read"] for one in noted}


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "CPUs to emulate in test_cpus.py, with commas between, or all"
    parser.addoption("--cpus", default="EPYC-Milan", help=words)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest file first, so that no worker is left with it alone."""
    items.sort(key=lambda item: item.path.name != "test_cpus.py")
