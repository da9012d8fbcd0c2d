"""A team shares data and models: what one clone has trained, no other trains again."""

import shutil
from pathlib import Path

import pytest
import ssh_server
from helpers import Repository, documented

BRANCHES = {"tanh": "models__model_a__activation", "sigmoid": "models__model_b__activation"}


def connect(repository: Repository, url: str, **access: str) -> None:
    """Configure a remote, and how this machine gets in, in the file that git does not track."""
    repository.do("dvc", "remote", "add", "--default", "--local", "team", url)
    for option, value in access.items():
        repository.do("dvc", "remote", "modify", "--local", "team", option, value)


@pytest.fixture(scope="module")
def trained(pipeline, module_path: Path) -> Repository:
    """The first machine, which has trained main and two branches, and pushed them to a folder."""
    first = pipeline.repository.copy(module_path / "first")
    for value, name in BRANCHES.items():
        first.do("git", "switch", "--quiet", "--create", value, "main")
        first.set_params(**{name: value})
        first.do("dvc", "repro")
        first.commit(f"{value}, and what came of it")
    first.do("git", "switch", "--quiet", "main")
    connect(first, str(module_path / "remote"))
    first.do("dvc", "push", "--all-branches", "--run-cache")
    return first


def clone(trained: Repository, name: str) -> Repository:
    there = trained.clone(trained.root.with_name(name))
    connect(there, str(trained.root.with_name("remote")))
    assert not (there.root / ".dvc/cache").exists()
    return there


def test_what_one_has_trained_another_does_not(trained: Repository) -> None:
    second = clone(trained, "second")
    for branch in ("main", *BRANCHES, "main"):
        second.do("git", "switch", "--quiet", branch)
        second.do("dvc", "pull", "--run-cache")
        assert second.stages_run("dvc", "repro") == set()
        assert second.do("git", "status", "--porcelain") == ""
    push, pull = [line for line in documented("docs/experiments.md", "Share") if " exp " in line]
    experiment = ["--name", "higher", "-S", "models.model_a.activation=tanh", "evaluate@model_a"]
    second.do("dvc", "exp", "run", *experiment)
    second.do(*push.split())
    shutil.rmtree(second.root)
    another = clone(trained, "another")
    another.do(*pull.split())
    another.do("dvc", "exp", "apply", "higher")
    assert "tanh" in another.do("git", "diff", "HEAD", "params.yaml")
    assert another.stages_run("dvc", "repro", "evaluate@model_a") == set()
    shutil.rmtree(another.root)


def test_two_branches_are_merged_as_documented_without_training(trained: Repository) -> None:
    """Settings and runs merge by themselves; only the report conflicts."""
    third = clone(trained, "third")
    merge, pull, finish = documented("docs/experiments.md", "Merge")
    third.do("git", "switch", "--quiet", "tanh")
    third.do("dvc", "pull")
    third.do("make", "merge-driver")
    assert third.run(*merge.replace("BRANCH", "origin/sigmoid").split()).returncode == 1
    unmerged = third.do("git", "diff", "--name-only", "--diff-filter=U").splitlines()
    assert "plots/report.md" in unmerged
    assert not [path for path in unmerged if path.startswith(("metrics/", "plots/runs/"))]
    third.do(*pull.split())
    assert third.stages_run("bash", "-c", finish) == {"report"}
    assert third.do("git", "status", "--porcelain") == ""
    params = (third.root / "params.yaml").read_text()
    assert all(f"activation: {value}" in params for value in BRANCHES)
    assert third.do("git", "rev-list", "--count", "--merges", "HEAD").strip() == "1"


@pytest.mark.slow
@pytest.mark.skipif(not ssh_server.SSHD, reason="no sshd: install openssh-server, as .ci/run does")
def test_a_run_is_shared_over_ssh(pipeline, tmp_path: Path) -> None:
    pytest.importorskip("dvc_ssh", reason="no dvc-ssh: run `make ssh`, as .ci/run does")
    run = ["--with-deps", "evaluate@model_a"]
    first, second = pipeline.repository, pipeline.repository.clone(tmp_path / "second")
    (tmp_path / "sshd").mkdir()
    with ssh_server.running(tmp_path / "sshd") as (port, key):
        url = f"ssh://127.0.0.1:{port}{tmp_path / 'remote'}"
        connect(first, url, keyfile=str(key))
        connect(second, url, keyfile=str(key))
        first.do("dvc", "push", *run)
        second.do("dvc", "pull", *run)
    first.do("dvc", "remote", "remove", "--local", "team")
    assert second.stages_run("dvc", "repro", "evaluate@model_a") == set()
    assert second.do("git", "status", "--porcelain") == ""
