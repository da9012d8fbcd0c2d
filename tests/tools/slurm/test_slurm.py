"""Stages and experiments as jobs, on a real cluster of two nodes."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cluster
import pytest
from cluster import Cluster
from helpers import Repository, copy_repository, refusal, results

pytestmark = pytest.mark.slow
MAKE = ["make", "--silent", "--assume-old=.venv/.installed"]
SLURM = "--cpus-per-task=2 --mem=3G"  # one job a node
REPRO = [*MAKE, "repro", f"SLURM={SLURM}"]
# `good` and `bad` are side by side
PIPELINE = """
stages:
  first: {cmd: echo 1 > first, outs: [first]}
  last: {cmd: cat good bad > last, deps: [good, bad], outs: [last]}
  good: {cmd: 'cp first good  # trains, as with stages.train', deps: [first], outs: [good]}
  bad: {cmd: BAD, deps: [first], outs: [bad]}
  after: {cmd: cp good after, deps: [good], outs: [after]}
"""
TRAIN = ["python", "-m", "tools.slurm", f"--options={SLURM}", "evaluate@model_b"]
CHECKPOINT = "data/checkpoints/model_b.pt"
Start = Callable[..., Cluster]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a cluster, which ends with the test; it shares `a disk`."""
    if reason := cluster.missing():
        pytest.skip(reason)
    with ExitStack() as stack:
        yield lambda *mount: stack.enter_context(
            cluster.running(tmp_path / "cluster", tmp_path / "a disk", *mount)
        )


@pytest.fixture
def small(tmp_path: Path) -> Repository:
    """A repository with make's targets and a pipeline that takes no time."""
    (tmp_path / "nothing").mkdir()
    repository = Repository(copy_repository(tmp_path / "a disk/tree", tmp_path / "nothing"))
    (repository.root / "dvc.lock").unlink()
    (repository.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", "exit 1"))
    repository.begin()
    return repository


@pytest.fixture
def clone(pipeline, tmp_path: Path) -> Repository:
    """A clone of the repository in which the pipeline has run; nothing is in its cache."""
    there = pipeline.repository.clone(tmp_path / "a disk/tree")
    shutil.copytree(pipeline.repository.root / "data/raw", there.root / "data/raw")
    return there


@pytest.fixture
def slow(clone: Repository) -> Repository:
    """The same, where each step of a training takes two seconds and is in a checkpoint."""
    code = clone.root / "stages/training/checkpoint.py"
    text, due = code.read_text().replace("INTERVAL = 30.0", "INTERVAL = 0.0"), "start = time."
    assert due in text
    code.write_text(text.replace(due, f"time.sleep(2)\n        {due}", 1))
    clone.commit("slow")
    return clone


def refused(repository: Repository, *command: str) -> str:
    """Run a target of make that has to be refused, and return the sentence."""
    result = repository.run(*command)
    assert result.returncode == 2  # make's, for a command that failed
    sentence, *rest = result.stderr.splitlines()
    assert all(line.startswith("make: ***") for line in rest), result.stderr
    return sentence


def test_the_whole_pipeline_gives_the_same_bytes_on_two_nodes(
    clone: Repository, pipeline, start: Start
) -> None:
    nodes = start()
    clone.do(*REPRO)
    assert {node for _, node in nodes.finish()} >= cluster.NODES
    assert clone.do("git", "status", "--porcelain") == ""
    folders = "data", "metrics", "plots"
    assert results(clone.root, *folders) == results(pipeline.repository.root, *folders)


def test_a_training_survives_requeue_scancel_and_a_power_cut(
    slow: Repository, pipeline, start: Start
) -> None:
    nodes, log = start(), slow.root / ".dvc/tmp/repro/train@model_b.log"
    slow.do(*TRAIN)
    nodes.wait((slow.root / CHECKPOINT).exists)
    (number,) = nodes.ask("squeue", "--noheader", "--format=%i", "--name=train@model_b").split()
    nodes.ask("scontrol", "requeue", number)
    nodes.wait(lambda: "resuming at step" in log.read_text())
    assert "error: interrupted at epoch" in log.read_text()
    nodes.ask("scancel", number)
    nodes.finish()
    assert (slow.root / CHECKPOINT).exists()
    assert not json.loads((slow.root / ".dvc/tmp/rwlock").read_text()).get("write")
    slow.do(*TRAIN)
    nodes.wait(lambda: log.exists() and "resuming at step" in log.read_text())
    dead = nodes.jobs()["train@model_b"]
    nodes.cut(dead)
    (other,) = cluster.NODES - {dead}
    assert ("train@model_b", other) in nodes.finish()
    assert log.read_text().count("resuming at step") == 2
    assert slow.do("git", "status", "--porcelain") == " M dvc.lock\n"  # the code is another
    model = "data/models/model_b.pt"
    assert (slow.root / model).read_bytes() == (pipeline.repository.root / model).read_bytes()


def test_experiments_come_back_though_a_node_dies_and_a_failure_blocks_no_other(
    slow: Repository, start: Start
) -> None:
    origin = slow.root.with_name("origin")
    slow.do("git", "init", "--quiet", "--bare", str(origin))
    slow.do("git", "remote", "set-url", "origin", str(origin))
    slow.do("dvc", "repro", "fetch")
    nodes, folder = start(), slow.root / ".dvc/tmp/experiments"
    queue = [*MAKE, "experiments", f"SLURM={SLURM}"]
    grid = "GRID=-S lr=0.003,0.002 -S batch_size=32,64 train@model_b"
    names = [f"lr={lr}-batch_size={size}" for lr in ("0.003", "0.002") for size in (32, 64)]
    assert slow.do(*queue, grid).endswith("".join(f"queued {name}\n" for name in names))
    assert f"error: {names[0]} is queued or running" in refused(slow, *queue, grid)
    nodes.wait((folder / names[0] / CHECKPOINT).exists)
    nodes.cut(nodes.jobs()[names[0]])
    for _ in range(2):
        assert slow.do(*queue, "GRID=-S lr=no train@model_b") == "queued lr=no\n"
        nodes.finish()
        assert "error: params.yaml: lr is no" in (folder / "lr=no.log").read_text()
    assert "resuming at step" in (folder / f"{names[0]}.log").read_text()
    slow.do("dvc", "exp", "pull", "--no-cache", "origin", *names)
    shown = slow.do("dvc", "exp", "show", "--csv")
    assert all(name in shown for name in names)
    assert slow.do("git", "status", "--porcelain") == ""


def test_a_failure_cancels_only_what_needs_it_and_nothing_else_opens_dvc_meanwhile(
    small: Repository, start: Start
) -> None:
    waits = "'touch started; while [ ! -e go ]; do sleep 0.1; done; exit 1'"
    (small.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", waits))
    nodes = start()
    small.do(*REPRO)
    nodes.wait((small.root / "started").exists)
    for target in ("repro", "repro SLURM=-n1", "lab", "review", "pull-request", "verify", "mend"):
        assert "error: jobs of this folder are queued" in refused(small, *MAKE, *target.split())
    (small.root / "go").touch()
    nodes.finish()
    there = {path.name for path in small.root.iterdir()}
    assert there >= {"first", "good", "after"} and not there & {"bad", "last"}
    assert "failed to reproduce 'bad'" in (small.root / ".dvc/tmp/repro/bad.log").read_text()
    (small.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", "cp first bad"))
    assert "queued 2 stages;" in small.do(*REPRO)
    nodes.finish()
    assert small.do(*REPRO) == "Data and pipelines are up to date.\n"


def test_without_locks_that_all_nodes_see_the_results_need_a_setting(
    small: Repository, start: Start
) -> None:
    stages = "".join(f"  {name}: {{cmd: touch {name}, outs: [{name}]}}\n" for name in "abcdef")
    (small.root / "dvc.yaml").write_text(f"stages:\n{stages}")
    nodes = start(cluster.LOCAL_LOCKS)
    small.do("dvc", "status")  # leaves its lock's file
    sentence = refused(small, *REPRO)
    assert "error: a node does not see the locks on files of another" in sentence
    small.do("bash", "-c", sentence.split("`")[1])
    small.do(*REPRO)
    assert {node for _, node in nodes.finish()} >= cluster.NODES
    assert small.do(*REPRO) == "Data and pipelines are up to date.\n"


def test_what_slurm_refuses_is_told_and_nothing_is_queued(small: Repository, start: Start) -> None:
    nodes = start()
    for options, reason in {
        "SLURM=--partition=none": "Invalid partition name specified",
        "SLURM=--cpus-per-task=99": "Requested node configuration is not available",
        "SLURM_TRAIN=--gres=gpu:1": "Invalid generic resource (gres) specification",
        "SLURM=-n1 JOBS=2": "JOBS and SLURM exclude each other",
    }.items():
        assert reason in refused(small, *MAKE, "repro", *options.split())
        assert nodes.jobs() == {}


def test_without_slurm_or_what_experiments_need_it_is_told(small: Repository, tmp_path) -> None:
    grid = [*MAKE, "experiments", "GRID=-S lr=1"]
    assert "GRID is empty" in refused(small, *grid[:-1])
    assert "no remote named origin" in refused(small, *grid)
    small.do("git", "remote", "add", "origin", "nowhere")
    assert "correct GRID" in refused(small, *grid[:-1], "GRID=-S 'lr=['")
    (small.root / "note").touch()
    assert "your uncommitted changes" in refused(small, *grid)
    (tmp_path / "git").symlink_to(shutil.which("git"))
    result = small.run(sys.executable, *TRAIN[1:-1], PATH=str(tmp_path))
    assert refusal(result) == "error: Slurm is not here (no sbatch): run this where it is"


def test_a_folder_that_a_node_does_not_see_is_told(small: Repository, start: Start) -> None:
    start(cluster.INVISIBLE)
    assert "error: a node does not see this folder" in refused(small, *REPRO)
