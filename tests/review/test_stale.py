"""Hashes as DVC itself writes them."""

import subprocess
import sys
from pathlib import Path

from review import snapshots, stale

PIPELINE = """\
stages:
  copy:
    cmd: cp stages/one.py metrics.json
    deps: [stages]
    params: [lr, models.model_a]
    outs:
    - metrics.json: {cache: false}
"""


def test_it_agrees_with_a_lock_of_dvc(example):
    example.git("rm", "--quiet", "--cached", "dvc.lock")
    Path("dvc.lock").unlink()
    example.write("stages/one.py", "1\n")
    example.write("stages/one/nested.py", "2\n")
    example.write("stages/one-more/nested.py", "3\n")
    example.write("dvc.yaml", PIPELINE)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet"], check=True)
    base = example.commit()
    assert stale.stale(snapshots.revision(base)) == []
    example.write("stages/one/nested.py", "changed\n")
    example.write("metrics.json", "edited by hand\n")
    example.write("params.yaml", "lr: 0.001\nmodels: {model_a: {epochs: 3}}\n")
    assert stale.stale(snapshots.working_tree()) == ["models.model_a", "stages", "metrics.json"]
    assert stale.stale(snapshots.revision(base)) == []
