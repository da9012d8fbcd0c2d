"""What changed since the results were made, in a pipeline that DVC itself has run."""

import re
import shutil

import pytest

from stages.system.errors import UserError
from tools.review import locks, sides

PIPELINE = """\
stages:
  copy:
    cmd: cp stages/one.py metrics.json && cp stages/one.py data.txt
    deps: [stages]
    params: [lr, models.model_a, pyproject.toml: [dependency-groups.torch]]
    outs: [metrics.json: {cache: false}, data.txt]
  report: {cmd: cp data.txt report.txt, deps: [data.txt], outs: [report.txt: {cache: false}]}
"""
LEFT_BY_EDITORS = ["stages/.DS_Store", "stages/#one.py#", "stages/one/.ipynb_checkpoints/nested.py"]


@pytest.fixture
def base(example):
    """A commit that a run of DVC leaves, with what editors left in it, without DVC's data."""
    (example.root / "dvc.lock").unlink()
    for folder in ("metrics", "plots", "data"):
        shutil.rmtree(folder)
    example.write(".gitattributes", "* -text\n")
    example.write(".gitignore", "/data.txt\n/.dvc/tmp\n/.dvc/cache\n/review-plots\n")
    example.write(".dvcignore", ".DS_Store\n# a comment\n*~\n\\#*#\n.ipynb_checkpoints/\n")
    for path in ("stages/one.py", "stages/one/nested.py", *LEFT_BY_EDITORS):
        example.write(path, "1\n")
    example.write("dvc.yaml", PIPELINE)
    example.do("dvc", "repro")
    base = sides.revision(example.commit())
    example.git("clean", "--quiet", "-d", "--force", "-x")
    return base


def test_what_is_out_of_date_and_why_stages_ran_agree_with_dvc(example, base):
    for path in [*LEFT_BY_EDITORS, "stages/Untitled~"]:
        example.write(path, "2\n")
    assert locks.outdated(base, False) == locks.outdated(sides.working_tree(), False) == []

    example.write("stages/one/nested.py", "changed\n")
    example.write("metrics.json", "edited by hand\n")
    example.write("params.yaml", "lr: 0.001\nmodels: {model_a: {epochs: 3, dropout: 0}}\n")
    example.write("pyproject.toml", "[dependency-groups]\ntorch = ['torch==2.1']\n")
    torch = "pyproject.toml.dependency-groups.torch"
    expected = ["stages", "models.model_a", torch, "metrics.json"]
    assert locks.outdated(sides.working_tree(), False) == [f"{name} modified" for name in expected]
    assert locks.outdated(base, False) == []

    example.do("dvc", "repro")
    head = sides.working_tree()
    assert locks.outdated(head, False) == []
    files = ["other.py", "stages/one/nested.py"]
    why = locks.causes(locks.read(base)[0], locks.read(head)[0], files)
    params = ["models.model_a.epochs", "models.model_a.dropout", torch]
    assert sorted(why["copy"].pop("parameter")) == sorted(params)
    assert why == {"copy": {"code": ["stages/one/nested.py"]}}


def test_a_pull_request_needs_its_results_up_to_date_and_in_git(example, base, review):
    assert review("HEAD", "--check") == review("HEAD")

    def check(problem: str) -> None:
        with pytest.raises(UserError, match=re.escape(f"({problem}): run `make tidy`")):
            review("HEAD", "--check")
        example.git("reset", "--quiet", "--hard", base.commit)

    example.git("rm", "--quiet", "--cached", "metrics.json")
    example.write(".git/info/exclude", "metrics.json\n")
    example.git("commit", "--quiet", "--message", "forgotten")
    check("metrics.json not committed")
    (example.root / "metrics.json").unlink()
    example.commit()
    check("metrics.json deleted")
    made, report = (example.root / "dvc.lock").read_text().split("report:")
    example.write("dvc.lock", f"{made}report:{report.replace('md5: ', 'md5: f', 1)}")
    example.commit()
    check("report not run with the latest data.txt")


def test_what_dvc_add_made_is_data_of_the_stages_that_read_it(example, base, review):
    example.write("data/photos/one.txt", "1\n")
    example.do("dvc", "add", "data/photos")
    example.write("dvc.yaml", PIPELINE.replace("[data.txt]", "[data.txt, data/photos]", 1))
    example.do("dvc", "repro")
    example.commit()
    example.write("data/photos/one.txt", "2\n")
    example.do("dvc", "add", "data/photos")
    shutil.rmtree("data/photos")
    assert "date:** `report not run with the latest data/photos`.\n" in review("HEAD")
    example.do("dvc", "checkout")
    example.do("dvc", "repro")
    example.commit()
    assert "| `report` | data `data/photos` |" in review("HEAD~1", "HEAD")
