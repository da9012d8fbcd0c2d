"""A repository in which the pipeline has run, and a way to run a stage there in this process."""

import importlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from helpers import Repository, results, run_here

from stages.system import errors, interrupts

MODEL = "data/models/model_b.pt"


@dataclass
class Trained(Repository):
    """The repository, and the SHA-256 of its results after an undisturbed run."""

    undisturbed: dict[str, str]

    def results(self) -> dict[str, str]:
        return results(self.root, "data", "metrics", "plots")

    def assert_undisturbed(self) -> None:
        assert self.results() == self.undisturbed
        assert not list(self.root.rglob("*.part"))
        assert self.do("git", "status", "--porcelain") == ""

    def assert_lost_and_restored(self) -> None:
        """DVC has deleted the model; with the old params.yaml, all comes from its cache."""
        assert MODEL not in self.results()
        self.do("git", "checkout", "params.yaml")
        said = self.do("dvc", "repro", "evaluate@model_b")
        assert "Stage 'train@model_b' is cached - skipping run" in said
        assert "Running stage" not in said
        self.assert_undisturbed()


@pytest.fixture(scope="package")
def trained(pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Lend the repository to one test after another; each leaves it as it was."""
    root = tmp_path_factory.mktemp("trained") / "repository"
    repository = Trained(pipeline.repository.copy(root).root, {})
    for path in root.glob("data/*/alexnet.pt"):
        path.unlink()  # no test here reads it, and all of them would hash its 230 MB
    repository.undisturbed = repository.results()
    yield repository
    shutil.rmtree(root)


@pytest.fixture
def stage(trained: Trained, monkeypatch, capfd) -> Callable[..., str]:
    """Return a function that runs a stage in the repository, and returns what it says."""
    monkeypatch.chdir(trained.root)
    monkeypatch.setattr(interrupts, "leave_at_once", lambda: None)  # signals are pytest's here

    def run(name: str, *arguments: str, code: int = 1) -> str:
        module, ended = importlib.import_module(f"stages.{name}"), 0
        try:
            errors.run(lambda: run_here(module, *arguments))
        except SystemExit as error:
            ended = error.code
        said = capfd.readouterr().err
        assert ended == code, said
        return said

    return run
