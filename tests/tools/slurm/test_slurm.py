"""Stages and experiments as jobs, on a real cluster of two nodes."""

import json
import shutil
import sys
from pathlib import Path

import cluster
import pytest
from helpers import Repository, copy_repository, refusal, results

pytestmark = pytest.mark.slow
MAKE = ["make", "--silent", "--assume-old=.venv/.installed"]
OPTIONS = "--cpus-per-task=2 --mem=3G"  # one job a node
REPRO = [*MAKE, "repro", f"SLURM={OPTIONS}"]
TRAIN = ["python", "-m", "tools.slurm", f"--options={OPTIONS}", "evaluate@model_b"]
CHECKPOINT = "data/checkpoints/model_b.pt"
PIPELINE = """
stages:
  first: {cmd: echo 1 > first, outs: [first]}
  last: {cmd: cat good bad > last, deps: [good, bad], outs: [last]}
  good: {cmd: cp first good, deps: [first], outs: [good]}
  bad: {cmd: cp first bad, deps: [first], outs: [bad]}
  after: {cmd: cp good after, deps: [good], outs: [after]}
"""
WAITS = "'touch started; while [ ! -e go ]; do sleep 0.1; done; python -m stages.train nothing'"


@pytest.fixture
def small(tmp_path: Path) -> Repository:
    """A repository with make's targets and a pipeline that takes no time."""
    (tmp_path / "nothing").mkdir()
    repository = Repository(copy_repository(tmp_path / "a disk/tree", tmp_path / "nothing"))
    (repository.root / "dvc.lock").unlink()
    (repository.root / "dvc.yaml").write_text(PIPELINE)
    repository.begin()
    return repository


@pytest.fixture
def clone(pipeline, mnist: Path, tmp_path: Path) -> Repository:
    """A clone of the repository in which the pipeline has run; nothing is in its cache."""
    there = pipeline.repository.clone(tmp_path / "a disk/tree")
    shutil.copytree(mnist, there.root / "data/raw")
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
    """Run a target of make that has to be refused, and return what it says first."""
    result = repository.run(*command)
    assert result.returncode == 2
    return result.stderr.splitlines()[0]


def test_the_whole_pipeline_gives_the_same_bytes_on_two_nodes(clone, pipeline, tmp_path) -> None:
    with cluster.running(tmp_path) as nodes:
        clone.do(*REPRO)
        assert {node for _, node in nodes.finish()} >= cluster.NODES
    assert clone.do("git", "status", "--porcelain") == ""
    for folder in ("data/models", "data/predictions", "metrics", "plots"):
        assert results(clone.root, folder) == results(pipeline.repository.root, folder)


def test_a_training_survives_requeue_scancel_and_a_power_cut(slow, pipeline, tmp_path) -> None:
    log = slow.root / ".dvc/tmp/repro/train@model_b.log"
    with cluster.running(tmp_path) as nodes:
        slow.do(*TRAIN)
        nodes.wait((slow.root / CHECKPOINT).exists)
        number = nodes.ask("squeue", "--noheader", "--format=%i", "--name=train@model_b")
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


def test_experiments_come_back_though_one_is_killed_and_one_fails(slow, tmp_path) -> None:
    slow.do("git", "init", "--quiet", "--bare", "../origin")
    slow.do("git", "remote", "set-url", "origin", str(slow.root.with_name("origin")))
    slow.do("dvc", "repro", "fetch")
    folder, queue = slow.root / ".dvc/tmp/experiments", [*MAKE, "experiments", REPRO[-1]]
    grid = "GRID=-S lr=0.003,0.002 -S batch_size=32,96 train@model_b"
    names = [f"lr={lr}-batch_size={size}" for lr in ("0.003", "0.002") for size in (32, 96)]
    with cluster.running(tmp_path) as nodes:
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


def test_a_failure_cancels_what_needs_it_and_nothing_opens_dvc_meanwhile(small, tmp_path) -> None:
    (small.root / "dvc.yaml").write_text(PIPELINE.replace("cp first bad", WAITS))
    with cluster.running(tmp_path) as nodes:
        small.do(*REPRO, "SLURM_TRAIN=--comment=trains")
        nodes.wait((small.root / "started").exists)
        assert nodes.ask("squeue", "--noheader", "--format=%k", "--name=bad,last").split() == [
            "(null)", "trains"]  # fmt: skip
        for target in ("repro", "lab", "review", "pull-request", "tidy", "verify", "mend"):
            assert "error: jobs of this folder" in refused(small, *MAKE, target)
        assert "error: jobs of this folder" in refused(small, *REPRO)
        (small.root / "go").touch()
        nodes.finish()
        there = {path.name for path in small.root.iterdir()}
        assert there >= {"first", "good", "after"} and not there & {"bad", "last"}
        assert "to reproduce 'bad'" in (small.root / ".dvc/tmp/repro/bad.log").read_text()
        (small.root / "dvc.yaml").write_text(PIPELINE)
        assert "queued 2 stages;" in small.do(*REPRO)
        nodes.finish()
        assert small.do(*REPRO).endswith("Data and pipelines are up to date.\n")


def test_without_locks_that_all_nodes_see_a_setting_is_needed(small, tmp_path) -> None:
    with cluster.running(tmp_path, cluster.LOCAL_LOCKS) as nodes:
        small.do("dvc", "status")  # leaves its lock's file
        sentence = refused(small, *REPRO)
        assert "error: a node does not see the locks on files of another" in sentence
        small.do("bash", "-c", sentence.split("`")[1])
        small.do(*REPRO)
        assert {node for _, node in nodes.finish()} >= cluster.NODES
        assert small.do(*REPRO).endswith("Data and pipelines are up to date.\n")


def test_a_folder_that_a_node_does_not_see_is_told(small, tmp_path) -> None:
    with cluster.running(tmp_path, cluster.INVISIBLE):
        assert "error: a node does not see this folder" in refused(small, *REPRO)


def test_what_slurm_refuses_is_told_and_nothing_is_queued(small, tmp_path) -> None:
    with cluster.running(tmp_path) as nodes:
        for options, reason in {
            "SLURM=--partition=none": "Invalid partition name specified",
            "SLURM=--cpus-per-task=99": "Requested node configuration is not available",
            "SLURM_TRAIN=--gres=gpu:1": "Invalid generic resource (gres) specification",
            "SLURM=-n1 JOBS=2": "JOBS and SLURM exclude each other",
        }.items():
            assert reason in refused(small, *MAKE, "repro", *options.split())
            assert nodes.jobs() == {}


def test_without_slurm_or_what_experiments_need_it_is_told(small, tmp_path) -> None:
    grid = [*MAKE, "experiments", "GRID=-S lr=1"]
    assert "GRID is empty" in refused(small, *grid[:-1])
    assert "no remote named origin" in refused(small, *grid)
    small.do("git", "remote", "add", "origin", "nowhere")
    assert "correct this" in refused(small, *grid[:-1], "GRID=-S 'lr=['")
    (small.root / "note").touch()
    assert "your uncommitted changes" in refused(small, *grid)
    (tmp_path / "git").symlink_to(shutil.which("git"))
    result = small.run(sys.executable, *TRAIN[1:-1], PATH=str(tmp_path))
    assert refusal(result) == "error: Slurm is not here (no sbatch): run this where it is"
