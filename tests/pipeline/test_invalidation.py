"""A stage runs again if and only if something that its result depends on has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo
from helpers import ROOT
from ruamel.yaml import YAML

VALUES = YAML(typ="safe").load((ROOT / "params.yaml").read_text())

TRANSFER = {"transfer@resnet18", "transfer@alexnet"}
TRAIN_B = {"train@model_b"}
RATES = {"learning_rate@0.1", "learning_rate@0.01"}
ACTIVATION_A = {"activation@model_a-sigmoid", "activation@model_a-tanh"}
ACTIVATION_B = {"activation@model_b-sigmoid", "activation@model_b-tanh"}
ALL_BUT_RATES = TRANSFER | {"train@model_a"} | TRAIN_B | ACTIVATION_A | ACTIVATION_B
TRAINING = ALL_BUT_RATES | RATES
WEIGHTS = {"weights@resnet18", "weights@alexnet"}
RUNS = {"resnet18", "alexnet", "model_a", "model_b", "model_a-sigmoid", "model_a-tanh",
        "model_b-sigmoid", "model_b-tanh", "model_b-lr0.1", "model_b-lr0.01"}  # fmt: skip
EVALUATE = {f"evaluate@{run}" for run in RUNS}

# Every key of params.yaml, another value for it, and the stages that read it.
READERS = {
    "seed": (1, TRAINING | WEIGHTS),
    "lr": (0.01, ALL_BUT_RATES),
    "schedule": ("constant", TRAINING),
    "beta2": (0.999, TRAINING),
    "clip_norm": (0, TRAINING),
    "batch_size": (64, TRAINING),
    "precision": ("bf16", TRAINING),
    "kernels": ("native", TRAINING | WEIGHTS | EVALUATE),
    "threads": (3, TRAINING | EVALUATE),
    "train_images": (1000, TRAINING),
    "validation_images": (100, TRAINING),
    "weights.resnet18": ("imagenet", {"weights@resnet18"}),
    "weights.alexnet": ("imagenet", {"weights@alexnet"}),
    "models.resnet18.image_size": (64, {"transfer@resnet18"}),
    "models.resnet18.epochs": (7, {"transfer@resnet18"}),
    "models.resnet18.mode": ("extract", {"transfer@resnet18"}),
    "models.resnet18.stem": ("pretrained", {"transfer@resnet18"}),
    "models.alexnet.image_size": (96, {"transfer@alexnet"}),
    "models.alexnet.epochs": (7, {"transfer@alexnet"}),
    "models.alexnet.mode": ("extract", {"transfer@alexnet"}),
    "models.alexnet.dropout": (0.5, {"transfer@alexnet"}),
    "models.model_a.image_size": (64, {"train@model_a"} | ACTIVATION_A),
    "models.model_a.epochs": (7, {"train@model_a"} | ACTIVATION_A),
    "models.model_a.activation": ("tanh", {"train@model_a"}),
    "models.model_b.image_size": (64, TRAIN_B | ACTIVATION_B | RATES),
    "models.model_b.epochs": (7, TRAIN_B | ACTIVATION_B | RATES),
    "models.model_b.activation": ("tanh", TRAIN_B | RATES),
}

# Pins in pyproject.toml. torchvision builds two networks only, but evaluate is one group of stages.
PINS = {
    "torch": TRAINING | WEIGHTS | EVALUATE,
    "torchvision": TRANSFER | WEIGHTS | EVALUATE,
    "matplotlib": {"report"},
    "pytest": set(),
    "dvc": set(),
}

# Code that stages read without a result depending on it: it tells, refuses or ends.
WITHOUT_EFFECT = {
    f"stages/system/{name}.py"
    for name in ("__init__", "errors", "interrupts", "messages", "progress", "rules")
}
IN_NO_STAGE = {"stages/models/vgg16.py", "results/snapshots.py"}
CODE = ["stages", "results", "reporting", "plotting"]

JUNK = [".DS_Store", "Thumbs.db", "desktop.ini", ".read.py.swp", "read.py~", "._read.py",
        "#read.py#", ".#read.py", ".idea/workspace.xml", ".vscode/settings.json",
        ".ipynb_checkpoints/read-checkpoint.py", "__pycache__/read.cpython-311.pyc"]  # fmt: skip


@pytest.fixture
def restored(pipeline) -> Iterator:
    """The repository after its first run, put back as it was when the test is over."""
    yield pipeline.repository
    pipeline.repository.do("git", "checkout", "--quiet", ".")
    pipeline.repository.do("git", "clean", "--quiet", "-d", "--force")


def changed(root: Path) -> set[str]:
    """Ask DVC which stages it would run because of what they read themselves."""
    with Repo(str(root)) as repo:
        return {name.rpartition(":")[2] for name in repo.status()}


def leaves(values: dict, prefix: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key}
    return found


def test_every_key_is_looked_at() -> None:
    assert set(READERS) == leaves(VALUES)


@pytest.mark.parametrize("key", READERS)
def test_a_value_concerns_exactly_the_stages_that_read_it(key: str, restored) -> None:
    value, readers = READERS[key]
    restored.set_params(**{key.replace(".", "__"): value})
    assert changed(restored.root) == readers


@pytest.mark.parametrize("package", PINS)
def test_a_pin_concerns_exactly_the_stages_that_it_computes(package: str, restored) -> None:
    path = restored.root / "pyproject.toml"
    before = path.read_text()
    path.write_text(before.replace(f'"{package}==', f'"{package}==9'))
    assert path.read_text() != before
    assert changed(restored.root) == PINS[package]


def files_of_code() -> list[str]:
    paths = [path for folder in CODE for path in (ROOT / folder).rglob("*")]
    return sorted(
        str(path.relative_to(ROOT)) for path in paths if path.suffix in (".py", ".mplstyle")
    )


@pytest.mark.parametrize("name", files_of_code())
def test_a_file_concerns_exactly_the_stages_that_read_it(name: str, pipeline, restored) -> None:
    commands = {command for command, read in pipeline.reads.items() if name in read}
    stages = YAML(typ="safe").load((restored.root / "dvc.lock").read_text())["stages"]
    readers = {stage for stage, entry in stages.items() if entry["cmd"] in commands}
    with (restored.root / name).open("a") as file:
        file.write("\n# changed\n")
    assert changed(restored.root) == (set() if name in WITHOUT_EFFECT else readers)
    assert readers or name in IN_NO_STAGE


def test_every_data_file_read_is_listed_and_every_one_listed_is_read(pipeline) -> None:
    lock = YAML(typ="safe").load((pipeline.repository.root / "dvc.lock").read_text())["stages"]
    assert len(lock) >= 24
    for stage, entry in lock.items():
        read = pipeline.reads[entry["cmd"]] - {"params.yaml"} - WITHOUT_EFFECT
        # where people put MNIST by hand: whatever is there, the result is the pinned files
        read = {path for path in read if not path.startswith("data/raw/")}
        outs = {out["path"] for out in entry["outs"]}
        listed = {dep["path"] for dep in entry["deps"]}
        for path in read:
            above = {path, *map(str, Path(path).parents)}
            assert above & (listed | outs), f"{stage} reads {path}, which it does not list"
        for path in listed:
            used = any(path in {one, *map(str, Path(one).parents)} for one in read)
            assert used, f"{stage} lists {path}, which it does not read"


def test_what_editors_and_file_managers_leave_concerns_no_stage(restored) -> None:
    folders = ["stages/mnist", "stages/training", "stages/sources", "results", "plotting",
               "reporting", "metrics", "metrics/train", "plots/runs", "plots/mistakes",
               "data/mnist", "data/predictions", "data/settings"]  # fmt: skip
    left = [restored.root / folder / name for folder in folders for name in JUNK]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("left")
    try:
        assert changed(restored.root) == set()
    finally:
        for path in left:
            path.unlink()


def test_line_endings_concern_no_stage(pipeline, tmp_path: Path) -> None:
    there = pipeline.repository.copy(tmp_path / "windows", "--config", "core.autocrlf=true")
    assert b"\r" not in (there.root / "dvc.yaml").read_bytes()
    assert changed(there.root) == set()
    assert there.run(".ci/pull-request", "main").returncode == 0


def test_nothing_changed_nothing_runs(pipeline) -> None:
    assert changed(pipeline.repository.root) == set()
    assert pipeline.repository.stages_run("dvc", "repro") == set()


def test_an_activation_retrains_what_reads_it_and_nothing_else(restored) -> None:
    change = ["-S", "models.model_b.activation=tanh"]
    ran = restored.stages_run("dvc", "exp", "run", "--name", "tanh", *change)
    runs = {"model_b", "model_b-lr0.1", "model_b-lr0.01"}
    assert ran == TRAIN_B | RATES | {f"evaluate@{run}" for run in runs} | {"report"}
    difference = restored.do("dvc", "metrics", "diff", "--json", "main", "tanh")
    for run in ("resnet18", "alexnet", "model_a", "model_b-tanh"):
        assert f"metrics/test/{run}.json" not in difference
    assert "metrics/test/model_b.json" in difference
    restored.do("git", "checkout", "--quiet", ".")
    restored.do("dvc", "checkout", "--quiet", "--force")


LENET = '''"""LeNet-5, small."""

from torch import nn

MINIMUM_IMAGE_SIZE = 28
OPTIONS = {}


def build(image_size: int) -> nn.Module:
    """One hidden layer: enough to be an architecture."""
    return nn.Sequential(nn.Flatten(), nn.Linear(image_size**2, 10))
'''


def test_an_architecture_is_one_file_and_one_entry_and_a_run_leaves_as_it_came(restored) -> None:
    root = restored.root
    (root / "stages/models/lenet.py").write_text(LENET)
    restored.set_params(models__lenet={"image_size": 28, "epochs": 1})
    before = (root / "dvc.yaml").read_text()
    (root / "dvc.yaml").write_text(
        before.replace("model_b: model_b}", "model_b: model_b, lenet: lenet}")
    )
    ran = restored.stages_run("dvc", "repro")
    assert ran == {"train@lenet", "evaluate@lenet", "report"}
    assert "`lenet`" in (root / "plots/report.md").read_text()
    assert (root / "plots/mistakes/lenet.png").exists()
    (root / "dvc.yaml").write_text(before)
    assert restored.stages_run("dvc", "repro") == {"report"}
    assert (root / "metrics/test/lenet.json").exists()  # DVC leaves what no stage makes any more
    assert "`lenet`" not in (root / "plots/report.md").read_text()
    assert not (root / "plots/mistakes/lenet.png").exists()
    for left in (root / "data").glob("*/lenet.*"):
        left.unlink()
