"""A team shares data and models: what one clone has trained, no other trains again."""

import importlib.util
import shutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import ssh_server


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
def second(pipeline, remote: Remote, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A second machine's clone, after the first has trained on two branches and pushed."""
    machines = tmp_path_factory.mktemp("machines")
    first = pipeline.repository.copy(machines / "first")
    first.do("dvc", "remote", "add", "--default", "team", remote.url)
    first.commit("where the team keeps data and models")
    allow(first, remote)
    first.do("git", "checkout", "--quiet", "-b", "tanh")
    first.set_params(models__model_a__activation="tanh")
    ran = first.stages_run("dvc", "repro")
    assert ran == {"train@model_a", "evaluate@model_a", "report"}
    first.commit("tanh, and what came of it")
    first.do("git", "checkout", "--quiet", "main")
    first.do("dvc", "push", "--all-branches", "--all-tags")
    second = first.clone(machines / "second")
    allow(second, remote)
    assert not (second.root / ".dvc/cache").exists()
    yield second
    shutil.rmtree(machines)


def allow(repository, remote: Remote) -> None:
    """Configure what is this machine's own, which git does not track."""
    for option, value in remote.access.items():
        repository.do("dvc", "remote", "modify", "--local", "team", option, value)


@pytest.mark.parametrize("branch", ["main", "tanh", "main"])
def test_what_the_first_has_trained_the_second_does_not(branch: str, second) -> None:
    second.do("git", "checkout", "--quiet", branch)
    second.do("dvc", "pull")
    assert second.stages_run("dvc", "repro") == set()
    assert second.do("git", "status", "--porcelain") == ""
    assert "up to date" in second.do("dvc", "status")
