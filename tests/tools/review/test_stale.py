"""Hashes and values as DVC itself records them."""

import pytest

from tools.review import sides
from tools.review.causes import changed_stages
from tools.review.stale import stale

PIPELINE = """\
stages:
  copy:
    cmd: cp stages/one.py metrics.json
    deps: [stages]
    params:
    - lr
    - models.model_a
    - pyproject.toml: [dependency-groups.torch]
    outs:
    - metrics.json: {cache: false}
"""
LEFT_BY_EDITORS = [
    "stages/.DS_Store",
    "stages/#one.py#",
    "stages/one/.nested.py.swp",
    "stages/one/nested.py~",
    "stages/one/.ipynb_checkpoints/nested.py",
]


@pytest.fixture
def base(example):
    """A commit that a run of DVC leaves, with what editors left in it."""
    (example.root / "dvc.lock").unlink()
    example.write(".gitattributes", "* -text\n")
    example.write(".dvcignore", ".DS_Store\n  *.swp\n# a comment\n*~\n\\#*#\n.ipynb_checkpoints/\n")
    for path in ("stages/one.py", "stages/one/nested.py", *LEFT_BY_EDITORS):
        example.write(path, "1\n")
    example.write("stages/one-more/nested.py", "windows\r\n")
    example.write("dvc.yaml", PIPELINE)
    example.do("dvc", "init")
    example.do("dvc", "repro")
    return sides.revision(example.commit())


def test_stale_and_causes_agree_with_dvc(example, base):
    assert stale(base) == []
    for path in LEFT_BY_EDITORS:
        example.write(path, "2\n")
    example.write("stages/Untitled~", "new\n")
    assert stale(sides.working_tree()) == []

    example.write("stages/one/nested.py", "changed\n")
    example.write("stages/one-more/nested.py", "windows\n")
    example.write("metrics.json", "edited by hand\n")
    example.write("params.yaml", "lr: 0.001\nmodels: {model_a: {epochs: 3, dropout: 0}}\n")
    example.write("pyproject.toml", "[dependency-groups]\ntorch = ['torch==2.1']\n")
    params = [
        "models.model_a.epochs",
        "pyproject.toml:dependency-groups.torch",
        "models.model_a.dropout",
    ]
    head = sides.working_tree()
    assert sorted(stale(head)) == sorted([*params, "stages", "metrics.json"])
    assert stale(base) == []

    example.do("dvc", "repro")
    head = sides.working_tree()
    assert stale(head) == []
    (why,) = changed_stages(base, head).values()
    assert sorted(why.pop("parameter")) == sorted(params)
    assert why == {"code": ["stages/one-more/nested.py", "stages/one/nested.py"]}
