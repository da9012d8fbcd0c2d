"""A repository in which a few stages have run, and what they left there undisturbed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from repositories import Repository, make

from benchmarks.workspace import results


@dataclass
class Trained(Repository):
    """A repository that every test leaves as it found it."""

    undisturbed: dict[str, str]

    def results(self) -> dict[str, str]:
        """Hash what lies where the pipeline's results do, by path."""
        return results(self.root, "data", "metrics", "plots")

    def assert_undisturbed(self) -> None:
        """Compare all results with the undisturbed run's, byte for byte."""
        assert self.results() == self.undisturbed
        assert not list(self.root.rglob("*.part"))
        assert self.do("git", "status", "--porcelain") == ""


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory, mnist: Path) -> Iterator[Trained]:
    """Train and test one run, and report: the other runs' figures are the committed ones."""
    repository = Trained(make(tmp_path_factory.mktemp("trained"), mnist).root, {})
    repository.set_params(train_images=2000)  # so that it can be killed while it trains
    repository.do("dvc", "repro", "evaluate@model_b")
    repository.do("dvc", "repro", "--single-item", "report")
    repository.commit("results")
    repository.undisturbed = repository.results()
    yield repository
    shutil.rmtree(repository.root)
