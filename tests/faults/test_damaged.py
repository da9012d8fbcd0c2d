"""Files that somebody or a disk has changed: named in one sentence, and made again after it."""

import hashlib
from pathlib import Path

import pytest
from commands import refusal, run_stage, set_params
from fault_table import assert_told

from stages.mnist.files import TEST_LABELS, TRAIN_LABELS


def flip(path: Path) -> None:
    """Change one byte in the middle, as a failing disk does, of a file or a link of DVC's."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    rights = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(rights)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def trained(repository):
    """A repository with one run trained and tested."""
    repository.do("dvc", "repro", "evaluate@model_b")
    repository.commit("results")
    return repository


def cached(repository, name: str) -> Path:
    digest = hashlib.md5((repository.root / name).read_bytes()).hexdigest()
    return repository.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


MODEL = "data/models/model_b.pt"


def test_a_damaged_object_in_dvcs_cache(trained) -> None:
    model, stored = trained.root / MODEL, cached(trained, MODEL)
    right = model.read_bytes()
    flip(stored)
    model.unlink()
    trained.do("dvc", "checkout", MODEL)  # it says nothing
    assert model.read_bytes() != right
    sentence = refusal(run_stage("stages.evaluate", "model_b", cwd=trained.root))
    assert_told("a damaged object in DVC's cache: a model", sentence)
    model.unlink()
    said = trained.do("python", "-m", "tools.mend_cache")
    assert said.splitlines()[0] == f"removed {stored}: damaged"
    assert said.splitlines()[1].endswith("objects in DVC's cache, 1 of them damaged")
    assert not stored.exists()
    trained.do("dvc", "repro", "evaluate@model_b")
    assert model.read_bytes() == stored.read_bytes() == right
    assert trained.do("git", "status", "--porcelain") == ""
    assert trained.do("python", "-m", "tools.mend_cache").endswith(" 0 of them damaged\n")


def test_a_damaged_object_of_mnist_in_dvcs_cache(trained) -> None:
    name = f"data/mnist/{TEST_LABELS}"
    right = (trained.root / name).read_bytes()
    flip(cached(trained, name))
    (trained.root / name).unlink()
    trained.do("dvc", "checkout", "data/mnist")
    sentence = refusal(run_stage("stages.evaluate", "model_b", cwd=trained.root))
    assert_told("a damaged object in DVC's cache: MNIST", sentence)
    trained.do("python", "-m", "tools.mend_cache")
    (trained.root / name).write_bytes(right)  # by hand, as the sentence says it can be
    trained.do("dvc", "repro", "--force", "evaluate@model_b")
    assert trained.do("git", "status", "--porcelain") == ""
    assert cached(trained, name).read_bytes() == right


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
@pytest.mark.parametrize(
    "name", [MODEL, "metrics/test/model_b.json", "plots/runs/model_b/loss.csv"]
)
def test_dvc_makes_a_damaged_result_again(name: str, harm: object, trained) -> None:
    harm(trained.root / name)
    trained.do("dvc", "repro", "evaluate@model_b")
    assert trained.do("git", "status", "--porcelain") == ""
    assert "up to date" in trained.do("dvc", "status", "evaluate@model_b")
    assert run_stage("stages.evaluate", "model_b", cwd=trained.root).returncode == 0


@pytest.mark.parametrize(
    ("fault", "name", "harm", "command"),
    [
        ("a damaged metrics file", "metrics/test/model_b.json", cut, ["report"]),
        ("a damaged curve", "plots/runs/model_b/loss.csv", cut, ["report"]),
        ("damaged starting weights", "data/weights/resnet18.pt", flip, ["train", "resnet18"]),
        ("a damaged MNIST file", f"data/mnist/{TRAIN_LABELS}", flip, ["train", "model_b"]),
        ("a damaged params.yaml", "params.yaml", cut, ["train", "model_b"]),
        ("damaged figures of the notebook", "data/notebook.yaml", cut, ["report"]),
    ],
)
def test_a_stage_names_the_damaged_file_it_reads(fault, name, harm, command, workspace) -> None:
    path = workspace / name
    stage = [f"stages.{command[0]}", *command[1:]]
    set_params(workspace, models__resnet18__image_size=28, models__resnet18__epochs=1)
    if name.startswith("data/weights"):
        assert run_stage("stages.weights", "resnet18", cwd=workspace).returncode == 0
    right = path.read_bytes()
    harm(path)
    before = {one: one.read_bytes() for one in workspace.rglob("*/*/*") if one.is_file()}
    sentence = refusal(run_stage(*stage, cwd=workspace))
    assert_told(fault, sentence)
    kept = {one for one in before if "__pycache__" not in str(one)}
    assert all(one.read_bytes() == before[one] for one in kept)
    path.write_bytes(right)
    assert run_stage(*stage, cwd=workspace).returncode == 0
