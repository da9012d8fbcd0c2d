"""make sets .venv up, and again when it has to; git and DVC do in a clone what they always do."""

import re
import shutil
import sysconfig
from pathlib import Path

import pytest
from helpers import ROOT, Repository, copy_repository, run

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
LIBRARY = ".venv" / SITE_PACKAGES.relative_to(sysconfig.get_path("data"))
SETUP = [shutil.which("make"), "--silent", ".venv/.installed"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, mnist: Path) -> Path:
    """A clone whose .venv borrows the packages of this test's own: none has to be downloaded."""
    root = tmp_path_factory.mktemp("installed")
    copy_repository(root, tmp_path_factory.mktemp("nothing"))
    (root / "data/raw").symlink_to(mnist)
    (root / "requirements.txt").write_text("pip\n")
    Repository(root).begin()
    result = run(root, *SETUP)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "up to 6 GB" in result.stderr
    (root / LIBRARY / "packages.pth").write_text(f"{SITE_PACKAGES}\n")
    return root


@pytest.fixture
def clone(installed: Path, tmp_path: Path) -> Repository:
    """The same at another place, as if it had been moved."""
    shutil.copytree(installed, tmp_path / "a clone", symlinks=True)
    return Repository(tmp_path / "a clone")


def activated(clone: Repository, command: str, **environment: str) -> str:
    return clone.do("bash", "-c", f"source .venv/bin/activate && {command}", **environment)


def test_a_clone_that_was_moved_works_at_once_and_downloads_nothing(clone) -> None:
    dvc, python, _ = activated(clone, "command -v dvc python && dvc --version").splitlines()
    assert (dvc, python) == (f"{clone.root}/.venv/bin/dvc", f"{clone.root}/.venv/bin/python")
    clone.do(*SETUP, PIP_NO_INDEX="1")
    assert str(clone.root) in (clone.root / ".venv/bin/activate").read_text()
    assert clone.run(*SETUP).stderr == ""  # nothing left to do


def test_a_python_that_is_gone_is_replaced_on_the_disk_that_a_link_leads_to(clone) -> None:
    disk = (clone.root / ".venv").rename(clone.root.parent / "disk")
    (clone.root / ".venv").symlink_to(disk)
    for link in disk.glob("bin/python*"):
        link.unlink()
        link.symlink_to("/gone/python3")
    shown = clone.do("script", "-qec", " ".join(SETUP), "/dev/null")
    assert "Requirement already satisfied" in shown  # on a terminal pip says what it does
    assert (clone.root / ".venv").is_symlink()
    assert clone.do("git", "status", "--short") == ""


def test_no_python_and_one_that_is_too_old_are_told_apart(clone, tmp_path) -> None:
    shutil.rmtree(clone.root / ".venv")
    for name in ("git", "rm", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name))
    assert "missing or does not start" in clone.run(*SETUP, PATH=str(tmp_path)).stderr
    (tmp_path / "python3").write_text('#!/bin/sh\n[ "$2" = "" ]\n')  # runs '', but nothing else
    (tmp_path / "python3").chmod(0o755)
    assert "older than 3.11" in clone.run(*SETUP, PATH=str(tmp_path)).stderr


def test_variables_that_python_reads_do_no_harm(clone, tmp_path) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    variables = {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1", "PYTHONOPTIMIZE": "2"}
    activated(clone, "dvc repro -s fetch && python -m tools.review main", **variables)


def test_dvc_adds_a_stage_and_changes_no_other_line(clone) -> None:
    clone.do("dvc", "stage", "add", "--name", "more", "--deps", "params.yaml", "echo more")
    assert clone.do("git", "diff", "--numstat", "dvc.yaml") == "4\t0\tdvc.yaml\n"


def test_dvc_adds_and_imports_data_that_stays_out_of_git(clone) -> None:
    for folder in ("data/one", "data/two"):
        shutil.copytree(clone.root / "docs", clone.root / folder)
    clone.do("dvc", "add", "data/one", "data/two/use.md")
    clone.do("dvc", "import-url", str(clone.root / "README.md"), "data/four.md")
    new = clone.do("git", "ls-files", "--others", "--exclude-standard", "data").split()
    assert new == ["data/.gitignore", "data/four.md.dvc", "data/one.dvc", "data/two/use.md.dvc"]


def test_the_way_back_in_readme_undoes_an_experiment_that_failed(clone) -> None:
    (clone.root / "stages/fetch.py").write_text("raise SystemExit(1)\n")
    clone.commit("no fetch")
    assert clone.run("dvc", "exp", "run", "--set-param", "lr=0.003", "fetch").returncode
    way_back = re.search(r"\$ (.*git restore \.) && dvc", (ROOT / "README.md").read_text())[1]
    clone.do("bash", "-c", way_back)
    assert "lr: 0.001\n" in (clone.root / "params.yaml").read_text()
