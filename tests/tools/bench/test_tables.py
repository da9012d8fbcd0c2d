"""The tables of `speed` and `pipeline`: measured once for real, then with invented numbers."""

import re
from itertools import cycle
from pathlib import Path

import pytest
from helpers import ROOT, Repository, run_here

from tools.bench import pipeline, speed, workspace
from tools.bench.workspace import run


@pytest.fixture(autouse=True)
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (here / "data/notebook.yaml").write_bytes((ROOT / "data/notebook.yaml").read_bytes())
    Repository(here).begin()


def test_speed_compares_with_the_loop_of_the_same_round(monkeypatch) -> None:
    assert all(speed.measure("model_b", "default", way, 0.01) > 0 for way in speed.WAYS)
    rates = cycle([10, 20, 40, 20, 60, 10])  # two rounds of the loop, portable and bf16
    monkeypatch.setattr(speed, "measure", lambda *_: next(rates))
    run_here(speed, "--models", "model_b", "--rounds", "2", "--ways", "portable", "bf16")
    head, _, _, _, *rows = Path("docs/measured/speed.md").read_text().splitlines()
    assert re.search(r" cores.*; 20..-..-..; commit [0-9a-f]{7}\. Medians of 2 rounds", head)
    assert rows[0] == "| notebook | model_b | portable | 15.0 | 40.0 | 2.50 |"
    assert rows[3] == "| default | model_b | bf16 | 15.0 | 25.0 | 2.25 |"


def test_pipeline_measures_in_clones(monkeypatch) -> None:
    def timed(root: Path, *command: str) -> tuple[str, float]:
        return ("fetch done in 7 s\n", 60.4) if command[0] == "python" else run(root, *command)

    monkeypatch.setattr(workspace, "run", timed)
    run_here(pipeline, "--jobs", "3")
    head, _, _, _, *rows = Path("docs/measured/pipeline.md").read_text().splitlines()
    assert head.endswith("JOBS=3. By stage, portable: fetch 7 s.")
    assert rows == [f"| {kernels} | 60 | 60.4 |" for kernels in ("native", "portable")]
