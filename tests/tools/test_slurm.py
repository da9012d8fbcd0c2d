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

MISSING = cluster.missing()
pytestmark = pytest.mark.slow

MAKE = ["make", "--silent", "--assume-old=.venv/.installed"]
REPRO = [*MAKE, "repro", "SLURM=--mem=3G"]
BUSY = "error: jobs of this folder are queued or running (squeue): wait for them or cancel them"
# `good` and `bad` are side by side
PIPELINE = """
stages:
  first: {cmd: echo 1 > first, outs: [first]}
  last: {cmd: cat good bad > last, deps: [good, bad], outs: [last]}
  good: {cmd: 'cp first good  # trains, with stages.train', deps: [first], outs: [good]}
  bad: {cmd: BAD, deps: [first], outs: [bad]}
  after: {cmd: cp good after, deps: [good], outs: [after]}
"""

Start = Callable[..., Cluster]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a cluster, which ends with the test; it shares `a disk`."""
    if MISSING:
        pytest.skip(MISSING)
    with ExitStack() as stack:

        def start(**options: object) -> Cluster:
            running = cluster.running(tmp_path / "cluster", tmp_path / "a disk", **options)
            return stack.enter_context(running)

        yield start


@pytest.fixture
def small(tmp_path: Path) -> Repository:
    """A repository with make's targets and a pipeline that takes no time."""
    (tmp_path / "nothing").mkdir()
    repository = Repository(copy_repository(tmp_path / "a disk/tree", tmp_path / "nothing"))
    (repository.root / "dvc.lock").unlink()
    change(repository, "exit 1")
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
    text = code.read_text().replace("INTERVAL = 30.0", "INTERVAL = 0.0")
    due = "start = time.monotonic()"
    assert due in text
    code.write_text(text.replace(due, f"time.sleep(2)\n        {due}", 1))
    clone.commit("slow")
    return clone


def change(repository: Repository, bad: str) -> None:
    """Set the command of the stage `bad`."""
    (repository.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", bad))


def refused(repository: Repository, *command: str) -> str:
    """Run a target of make that has to be refused, and return the sentence."""
    result = repository.run(*command)
    assert result.returncode == 2  # make's, for a command that failed
    first, *rest = result.stderr.splitlines()
    assert all(line.startswith("make: ***") for line in rest), result.stderr
    return first


def test_a_failure_cancels_only_what_needs_it_and_nothing_else_opens_dvc_meanwhile(
    small: Repository, start: Start
) -> None:
    change(small, "'touch started; while [ ! -e go ]; do sleep 0.1; done; exit 1'")
    nodes = start()
    said = small.do(*REPRO)
    print(said)
    nodes.wait(lambda: (small.root / "started").exists())
    assert set(nodes.jobs()) >= {"bad", "last"}
    for target in ("repro", "repro SLURM=-n1", "lab", "review", "pull-request", "verify", "mend"):
        assert refused(small, *MAKE, *target.split()).startswith(BUSY)
    (small.root / "go").touch()
    nodes.finish()
    there = {path.name for path in small.root.iterdir()}
    assert {"first", "good", "after"} <= there
    assert not {"bad", "last"} & there
    assert "ERROR: failed to reproduce 'bad'" in (small.root / ".dvc/tmp/repro/bad.log").read_text()
    change(small, "cp first bad")
    said = small.do(*REPRO)
    assert said.startswith("queued 2 stages;")
    nodes.finish()
    assert small.do(*REPRO) == "Data and pipelines are up to date.\n"


def test_the_whole_pipeline_gives_the_same_bytes_on_two_nodes(
    clone: Repository, pipeline, start: Start
) -> None:
    nodes = start()
    clone.do(*REPRO)
    ran = nodes.finish()
    assert {node for _, node in ran} == set(cluster.NODES)
    assert clone.do("git", "status", "--porcelain") == ""
    folders = "data", "metrics", "plots"
    assert results(clone.root, *folders) == results(pipeline.repository.root, *folders)


TRAIN = ["python", "-m", "tools.slurm", "--options=--mem=3G", "evaluate@model_b"]
CHECKPOINT = "data/checkpoints/model_b.pt"


def log(repository: Repository, stage: str) -> str:
    return (repository.root / f".dvc/tmp/repro/{stage}.log").read_text()


def of_model_b(repository: Repository) -> dict[str, str]:
    """Hash what the stages train@model_b and evaluate@model_b write."""
    hashes = results(repository.root, "data", "metrics", "plots/runs")
    return {path: sha for path, sha in hashes.items() if "/model_b" in path and "-" not in path}


def test_a_training_resumes_on_the_other_node_after_a_power_cut(
    slow: Repository, pipeline, start: Start
) -> None:
    nodes = start()
    slow.do(*TRAIN)
    nodes.wait((slow.root / CHECKPOINT).exists)
    dead = nodes.jobs()["train@model_b"]
    nodes.cut(dead)
    (other,) = {*cluster.NODES} - {dead}
    assert ("train@model_b", other) in nodes.finish()
    assert "resuming at step" in log(slow, "train@model_b")
    assert of_model_b(slow) == of_model_b(pipeline.repository)


def test_a_training_that_is_requeued_or_cancelled_keeps_a_checkpoint_and_no_lock(
    slow: Repository, pipeline, start: Start
) -> None:
    nodes = start()
    slow.do(*TRAIN)
    nodes.wait((slow.root / CHECKPOINT).exists)
    nodes.ask("scontrol", "requeue", nodes.number("train@model_b"))
    nodes.wait(lambda: "resuming at step" in log(slow, "train@model_b"))
    assert "error: interrupted at epoch" in log(slow, "train@model_b")
    nodes.ask("scancel", nodes.number("train@model_b"))
    nodes.finish()
    assert (slow.root / CHECKPOINT).exists()
    assert not json.loads((slow.root / ".dvc/tmp/rwlock").read_text()).get("write")
    slow.do(*TRAIN)
    nodes.finish()
    assert "resuming at step" in log(slow, "train@model_b")
    assert of_model_b(slow) == of_model_b(pipeline.repository)


def test_experiments_come_back_from_two_nodes_though_one_is_killed(
    slow: Repository, start: Start
) -> None:
    origin = slow.root.with_name("origin")
    slow.do("git", "init", "--quiet", "--bare", str(origin))
    slow.do("git", "remote", "set-url", "origin", str(origin))
    slow.do("dvc", "repro", "fetch")
    nodes = start()
    grid = "GRID=-S lr=0.003,0.002 -S batch_size=32,64 train@model_b"
    names = [f"lr={lr}-batch_size={size}" for lr in ("0.003", "0.002") for size in (32, 64)]
    said = slow.do(*MAKE, "experiments", grid)
    assert said == "".join(f"queued {name}\n" for name in names)
    assert f"error: {names[0]} is queued or running" in refused(slow, *MAKE, "experiments", grid)
    folder = slow.root / ".dvc/tmp/experiments"
    nodes.wait((folder / names[0] / CHECKPOINT).exists)
    nodes.cut(nodes.jobs()[names[0]])
    nodes.finish()
    assert "resuming at step" in (folder / f"{names[0]}.log").read_text()
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.log" for name in names)
    slow.do("dvc", "exp", "pull", "--no-cache", "origin", *names)
    shown = slow.do("dvc", "exp", "show", "--csv")
    assert all(name in shown for name in names)
    assert slow.do("git", "status", "--porcelain") == ""


def test_without_locks_that_all_nodes_see_the_results_need_a_setting(
    small: Repository, start: Start
) -> None:
    many = "stages:\n" + "".join(
        f"  {name}: {{cmd: hostname > {name}, outs: [{name}]}}\n" for name in "abcdefgh"
    )
    (small.root / "dvc.yaml").write_text(many)
    nodes = start(mount=cluster.BINDFS)
    small.do("dvc", "status")  # leaves its lock's file
    sentence = refused(small, *REPRO)
    assert "a node does not see the locks on files of another" in sentence
    small.do("bash", "-c", sentence.split("`")[1])
    small.do(*REPRO)
    assert {node for _, node in nodes.finish()} == set(cluster.NODES)
    assert small.do(*REPRO) == "Data and pipelines are up to date.\n"


def test_what_slurm_refuses_is_told_and_nothing_stays_queued(
    small: Repository, start: Start
) -> None:
    nodes = start()
    for options, reason in (
        (["SLURM=--partition=none"], "Invalid partition name specified"),
        (["SLURM=--cpus-per-task=99"], "Requested node configuration is not available"),
        (
            ["SLURM=-n1", "SLURM_TRAIN=--gres=gpu:1"],
            "Invalid generic resource (gres) specification",
        ),
        (["SLURM=--nonsense"], 'Try "sbatch --help" for more information'),
        (["SLURM=-n1", "JOBS=2"], "JOBS and SLURM exclude each other"),
    ):
        assert reason in refused(small, *MAKE, "repro", *options)
        nodes.finish()


def test_a_folder_that_a_node_does_not_see_is_told(small: Repository, start: Start) -> None:
    small.do("git", "remote", "add", "origin", "nowhere")
    start(mount=cluster.NOTHING)
    assert "a node does not see this folder" in refused(small, *REPRO)
    experiments = [*MAKE, "experiments", "GRID=-S lr=1"]
    assert "a node does not see this folder" in refused(small, *experiments)


def test_without_slurm_or_what_experiments_need_it_is_told(small: Repository, tmp_path) -> None:
    queue = [*MAKE, "experiments"]
    assert "GRID has no values" in refused(small, *queue)
    assert "no remote named origin" in refused(small, *queue, "GRID=-S lr=1")
    small.do("git", "remote", "add", "origin", "nowhere")
    (small.root / "note").touch()
    assert "your uncommitted changes" in refused(small, *queue, "GRID=-S lr=1")
    (tmp_path / "git").symlink_to(shutil.which("git"))
    result = small.run(sys.executable, *TRAIN[1:-1], PATH=str(tmp_path))
    assert refusal(result) == "error: Slurm is not here (no sbatch): run this where it is"
