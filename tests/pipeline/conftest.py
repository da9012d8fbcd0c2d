"""The whole pipeline, run once on few images in a repository of its own."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from repositories import Repository, make

TESTS = Path(__file__).parents[1]


@dataclass
class Pipeline:
    """A repository after its first `dvc repro`, and what each stage's command read meanwhile."""

    repository: Repository
    reads: dict[str, set[str]]


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory, mnist: Path) -> Iterator[Pipeline]:
    """Run the whole pipeline once; tests leave it as they find it."""
    repository = make(tmp_path_factory.mktemp("pipeline"), mnist)
    trace = tmp_path_factory.mktemp("trace")
    repository.do(
        "dvc",
        "repro",
        TRACE_READS=str(trace),
        PYTHONPATH=str(TESTS / "trace"),
        PYTHONDONTWRITEBYTECODE="1",
    )
    repository.commit("results")
    noted = [json.loads(path.read_text()) for path in trace.glob("*.json")]
    yield Pipeline(repository, {one["command"]: set(one["read"]) for one in noted})
    shutil.rmtree(repository.root)
