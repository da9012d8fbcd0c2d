"""What `make tidy` removes, and what it leaves alone."""

from pathlib import Path

import pytest
from dvc.lock import LockError
from dvc.repo import Repo
from helpers import Repository, put, run_here

from tools import tidy

PIPELINE = """\
stages:
  train:
    foreach: [model_a, {run}]
    do:
      cmd: mkdir -p data/models metrics/test plots/runs/${{item}} &&
        tee data/models/${{item}}.pt metrics/test/${{item}}.json plots/runs/${{item}}/loss.csv
      outs:
      - data/models/${{item}}.pt
      - metrics/test/${{item}}.json: {{cache: false}}
      - plots/runs/${{item}}/loss.csv: {{cache: false}}
"""
OWN = ["README.md", "data/checkpoints/lenet.pt", "data/lenet.csv", "data/raw/lenet", "plots/b.png",
       "data/models/.gitignore", "data/models/own.pt", "data/models/own.pt.dvc"]  # fmt: skip


@pytest.fixture
def renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return a repository, the working directory, in which the run lenet became lenet5."""
    there = Repository(tmp_path)
    for path in OWN[:-3]:
        put(tmp_path / path, "own")
    there.begin()
    there.do("dvc", "init", "--quiet")
    put(tmp_path / "data/models/own.pt", "own")
    there.do("dvc", "add", "--quiet", "data/models/own.pt")
    for run in ("lenet", "lenet5"):
        put(tmp_path / "dvc.yaml", PIPELINE.format(run=run))
        there.do("dvc", "repro")
    monkeypatch.chdir(tmp_path)
    return there


def test_the_old_name_of_a_run_goes_and_nothing_else(renamed, capsys) -> None:
    # nothing goes while it is unknown what the stages are
    with Repo().lock, pytest.raises(LockError, match="another DVC process is running"):
        run_here(tidy)
    listed = Path("dvc.yaml").rename("aside")
    run_here(tidy)
    assert capsys.readouterr().out == "nothing to remove\n"
    listed.rename("dvc.yaml")

    lock = Path("dvc.lock").read_text()
    entry = lock[lock.index("  train@lenet:\n") : lock.index("  train@lenet5:\n")]
    run_here(tidy)
    gone = ["data/models/lenet.pt", "metrics/test/lenet.json", "plots/runs/lenet/loss.csv"]
    removed = [f"removed {one}\n" for one in ("train@lenet from dvc.lock", *gone)]
    assert capsys.readouterr().out == "".join(removed)
    assert Path("dvc.lock").read_text() == lock.replace(entry, "")
    assert [path for path in gone if Path(path).exists()] == []
    assert not Path("plots/runs/lenet").exists()
    assert [path for path in OWN if not Path(path).is_file()] == []
    assert renamed.do("dvc", "status") == "Data and pipelines are up to date.\n"
    run_here(tidy)
    assert capsys.readouterr().out == "nothing to remove\n"
