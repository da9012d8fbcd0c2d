"""A team shares data and models: what one clone has trained, no other trains again."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import ssh_server
from helpers import ROOT, Repository

BRANCHES = {
    "tanh": {"models__model_a__activation": "tanh"},
    "short": {"models__model_b__epochs": 1},
}


class Remote(NamedTuple):
    """Where a remote is, and what a machine has to know of its own to get in."""

    url: str
    access: dict[str, str]


@pytest.fixture(scope="module", params=["folder", "ssh"])
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """An empty remote: a folder, as on a network disk, or a real SSH server."""
    folder = tmp_path_factory.mktemp("remote")
    if request.param == "folder":
        yield Remote(str(folder), {})
    elif not ssh_server.SSHD:
        pytest.skip("no sshd: install openssh-server, as .ci/run does")
    elif not importlib.util.find_spec("dvc_ssh"):
        pytest.skip("no dvc-ssh: install requirements-ssh.txt, as .ci/run does")
    else:
        with ssh_server.running(tmp_path_factory.mktemp("sshd")) as server:
            yield Remote(f"ssh://127.0.0.1:{server.port}{folder}", {"keyfile": str(server.key)})
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def trained(pipeline, module_path: Path) -> Repository:
    """The first machine, which has trained on main and on two branches, each of its own change."""
    first = pipeline.repository.copy(module_path / "first")
    for branch, values in BRANCHES.items():
        first.do("git", "switch", "--quiet", "--create", branch, "main")
        first.set_params(**values)
        first.do("dvc", "repro")
        first.commit(f"{branch}, and what came of it")
    first.do("git", "switch", "--quiet", "main")
    return first


@pytest.fixture(scope="module")
def another(
    trained: Repository, remote: Remote, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Repository]]:
    """Return a function that clones as on another machine, after the first has pushed."""
    machines = tmp_path_factory.mktemp("machines")
    connect(trained, remote)
    trained.do("dvc", "push", "--all-branches", "--run-cache")

    def clone(name: str) -> Repository:
        there = trained.clone(machines / name)
        connect(there, remote)
        assert not (there.root / ".dvc/cache").exists()
        return there

    yield clone
    shutil.rmtree(machines)


@pytest.fixture(scope="module")
def second(another: Callable[[str], Repository]) -> Repository:
    return another("second")


def connect(repository: Repository, remote: Remote) -> None:
    """Configure the remote in the file that git does not track, and how this machine gets in."""
    repository.do("dvc", "remote", "add", "--force", "--default", "--local", "team", remote.url)
    for option, value in remote.access.items():
        repository.do("dvc", "remote", "modify", "--local", "team", option, value)


@pytest.mark.parametrize("branch", ["main", *BRANCHES, "main"])
def test_what_the_first_has_trained_the_second_does_not(branch: str, second: Repository) -> None:
    second.do("git", "switch", "--quiet", branch)
    second.do("dvc", "pull", "--run-cache")
    assert second.stages_run("dvc", "repro") == set()
    assert second.do("git", "status", "--porcelain") == ""
    assert "up to date" in second.do("dvc", "status")


def test_a_clone_that_has_one_branch_merges_another_without_training(
    another: Callable[[str], Repository],
) -> None:
    third = another("third")
    third.do("git", "switch", "--quiet", "tanh")
    third.do("dvc", "pull")
    merge(third, "origin/short", pull=True)


def test_two_branches_merge_without_training_again(trained: Repository) -> None:
    trained.do("git", "switch", "--quiet", "--create", "merged", "tanh")
    merge(trained, "short", pull=False)


def merge(repository: Repository, branch: str, pull: bool) -> None:
    """Merge as README says; params.yaml and the runs merge by themselves, the report conflicts."""
    first, pulling, last = way_out()
    repository.do("make", "merge-driver")
    conflict = repository.run(*first.replace("BRANCH", branch).split())
    assert conflict.returncode == 1
    unmerged = repository.do("git", "diff", "--name-only", "--diff-filter=U").splitlines()
    assert "plots/report.md" in unmerged
    assert not [path for path in unmerged if path.startswith(("metrics/", "plots/runs/"))]
    if pull:
        repository.do(*pulling.split())
    assert repository.stages_run("bash", "-c", last) == {"report"}
    assert repository.do("git", "status", "--porcelain") == ""
    assert "up to date" in repository.do("dvc", "status")
    params = (repository.root / "params.yaml").read_text()
    for values in BRANCHES.values():
        for name, value in values.items():
            assert f"{name.rpartition('__')[2]}: {value}" in params
    assert repository.do("git", "rev-list", "--count", "--merges", "HEAD").strip() == "1"


def way_out() -> list[str]:
    """README's three lines for a merge."""
    section = (ROOT / "README.md").read_text().split("## Merge")[1].split("\n## ")[0]
    return re.findall(r"^\$ (.*?)(?:\s+#.*)?$", section, re.MULTILINE)
