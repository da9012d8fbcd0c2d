"""A stage runs again if and only if something that its result depends on has changed."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from helpers import COMMITTED, Repository, refusal
from ruamel.yaml import YAML

ALEXNET = {"weights@alexnet", "transfer@alexnet", "evaluate@alexnet"}
# A file, a change to it, and the stages that DVC runs then: one value, one pin and one module.
CHANGES = {
    "params.yaml": ("resnet18: random", "resnet18: imagenet", {"weights@resnet18"}),
    "pyproject.toml": ('"matplotlib==', '"matplotlib==9', {"report"}),
    "stages/models/alexnet.py": ("MINIMUM", "\nMINIMUM", ALEXNET),
}
JUNK = [".DS_Store", "Thumbs.db", "desktop.ini", ".read.py.swp", "read.py~", "._read.py",
        "#read.py#", ".#read.py", ".idea/workspace.xml", ".vscode/settings.json",
        ".ipynb_checkpoints/read-checkpoint.py", "__pycache__/read.cpython-311.pyc"]  # fmt: skip


@pytest.fixture
def restored(pipeline) -> Iterator[Repository]:
    """The repository after its first run, put back as it was when the test is over."""
    yield pipeline.repository
    pipeline.repository.do("git", "checkout", "--quiet", ".")
    pipeline.repository.do("git", "clean", "--quiet", "-d", "--force")


@pytest.fixture
def locked(pipeline) -> dict[str, dict[str, Any]]:
    """Return what DVC compares to decide which stages run: dvc.lock, by stage."""
    return YAML(typ="safe").load(pipeline.repository.root / "dvc.lock")["stages"]


def changed(root: Path) -> set[str]:
    """Ask DVC for the stages whose own dependencies or outputs have changed."""
    with Repo(str(root)) as repo:
        return {name.rpartition(":")[2] for name in repo.status()}


def files(root: Path, entries: list[dict[str, str]]) -> set[str]:
    """List the files that entries of dvc.lock stand for."""
    paths = [root / entry["path"] for entry in entries]
    paths += [inner for path in paths for inner in path.rglob("*")]
    names = {str(path.relative_to(root)) for path in paths if path.is_file()}
    return {name for name in names if "__pycache__" not in name}


def matters(name: str) -> bool:
    """Tell whether a result can depend on a file that its stage reads."""
    if name.startswith("stages/system/"):  # messages, rules, signals, progress
        return name == "stages/system/outputs.py"
    # dvc.lock has the keys of params.yaml; only the pinned files pass, wherever they came from
    return name != "params.yaml" and not name.startswith("data/raw/")


def test_a_stage_lists_what_it_reads_and_nothing_else(pipeline, locked) -> None:
    root, code = pipeline.repository.root, set()
    for stage, entry in locked.items():
        read = set(filter(matters, pipeline.reads[entry["cmd"]]))
        listed = files(root, entry["deps"])
        assert read <= listed | files(root, entry["outs"]), stage
        assert {name for name in listed - read if name.startswith("stages/")} == set(), stage
        assert all(files(root, [dep]) & read for dep in entry["deps"]), stage
        code |= listed
    unused = set(filter(matters, files(root, [{"path": "stages"}]))) - code
    assert unused <= {"stages/models/vgg16.py"}


def used(module: str, *arguments: str) -> tuple[set[str], set[str]]:
    """Return the keys of params.yaml, and the packages, that the result of a command depends on."""
    packages = {"torch", "torchvision"}
    if module == "stages.weights":
        return {"seed", "kernels", f"weights.{arguments[0]}"}, packages
    if module == "stages.evaluate":
        return {"kernels", "threads"}, packages
    if module == "stages.train":
        model, *options = arguments
        keys = {key for key in COMMITTED if key not in ("models", "weights")}
        keys |= {f"models.{model}.{key}" for key in COMMITTED["models"][model]}
        replaced = {key for key in keys if f"--{key.split('.')[-1]}" in options}
        return keys - replaced, packages if model in COMMITTED["weights"] else {"torch"}
    return set(), {"matplotlib", "scipy"} if module == "stages.report" else set()


def leaves(values: Any, above: str = "") -> set[str]:
    """List the keys of nested values, such as `models.model_a.epochs`."""
    if not isinstance(values, dict):
        return {above[1:]}
    return set().union(*(leaves(value, f"{above}.{key}") for key, value in values.items()))


def test_a_value_or_a_pin_concerns_exactly_the_stages_that_use_it(locked) -> None:
    everything = set()
    for stage, entry in locked.items():
        keys, packages = used(*shlex.split(entry["cmd"])[2:])
        params = entry.get("params", {})
        assert leaves(params.get("params.yaml", {})) == keys, stage
        pins = {f"dependency-groups.{package}" for package in packages}
        assert set(params.get("pyproject.toml", {})) == pins, stage
        everything |= keys
    assert everything == leaves(COMMITTED)


@pytest.mark.parametrize("name", CHANGES)
def test_dvc_runs_what_lists_a_changed_file(name: str, restored) -> None:
    old, new, stages = CHANGES[name]
    before = (restored.root / name).read_text()
    (restored.root / name).write_text(before.replace(old, new, 1))
    assert changed(restored.root) == stages


def test_what_editors_and_file_managers_leave_concerns_no_stage(restored, locked) -> None:
    entries = [one for entry in locked.values() for one in (*entry["deps"], *entry["outs"])]
    folders = filter(Path.is_dir, {restored.root / entry["path"] for entry in entries})
    left = [folder / name for folder in folders for name in JUNK]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("left")
    try:
        assert changed(restored.root) == set()
    finally:
        for path in left:
            path.unlink()


def test_line_endings_concern_no_stage(pipeline, tmp_path: Path) -> None:
    there = pipeline.repository.copy(tmp_path / "windows", "--config=core.autocrlf=true")
    assert b"\r" not in (there.root / "dvc.yaml").read_bytes()
    assert changed(there.root) == set()
    there.do("make", "--assume-old=.venv/.installed", "pull-request", "BASE=main")


LENET = """\
from torch import nn

MINIMUM_IMAGE_SIZE = 28
OPTIONS = {}


def build(image_size):
    return nn.Sequential(nn.Flatten(), nn.Linear(image_size**2, 10))
"""


def test_an_architecture_is_a_file_and_an_entry_and_leaves_as_it_came(pipeline, tmp_path) -> None:
    there = pipeline.repository.copy(tmp_path / "there")
    root, make = there.root, ("make", "--assume-old=.venv/.installed")
    listed, report = root / "dvc.yaml", root / "plots/report.md"
    before = listed.read_text()
    (root / "stages/models/lenet.py").write_text(LENET)
    there.set_params(models__lenet={"image_size": 28, "epochs": 1})
    runs = before.replace("\n    model_b: model_b\n", "\n    model_b: model_b\n    lenet: lenet\n")
    listed.write_text(runs.replace("model_b: model_b}", "model_b: model_b, lenet: lenet}"))
    assert there.stages_run("dvc", "repro") == {"train@lenet", "evaluate@lenet", "report"}
    assert "`lenet`" in report.read_text() and (root / "plots/mistakes/lenet.png").exists()
    there.commit("added")

    listed.write_text(before)
    assert "`make tidy` removes them" in there.do(*make, "repro", "JOBS=2")
    there.commit("removed")
    checked = there.run("python", "-m", "tools.review", "--check", "HEAD~1")
    verdict, *_ = checked.stdout.splitlines()
    assert "; as it stands: **Other runs:** " in verdict and verdict.endswith(", 1 run removed.")
    assert "train@lenet belongs to no stage" in refusal(checked)
    assert "removed data/models/lenet.pt\n" in there.do(*make, "tidy")
    assert there.stages_run("dvc", "repro") == {"report"}
    there.commit("tidied")
    assert ", 1 run removed.\n" in there.do(*make, "pull-request", "BASE=HEAD~2")
    assert there.do("git", "diff", "HEAD~3", "--", "dvc.lock", "metrics", "plots") == ""
    assert changed(there.copy(tmp_path / "clone").root) == set()
