"""Whole reviews of real repositories."""

import re
from pathlib import Path

import pytest

from stages.system.errors import UserError

DASH = "–"  # noqa: RUF001
UNCOUNTED = "▼ **less accurate**; not counted"
NOTHING_CLEAR = "No clear difference:** 1 run changed without a clear difference"
TORCH = "pyproject.toml.dependency-groups.torch"


def row(text: str, name: str) -> list[str]:
    """Return the cells after the first of the one table row that begins with `name` as code."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` ")]
    return [cell.strip() for cell in line.strip("|").split(" | ")][1:]


def test_an_improvement_beyond_seed_noise(example, review):
    example.git("switch", "--quiet", "--create", "faster")
    example.write("stages/train.py", "print('training better')\n")
    example.ran(lr=0.01, torch="2.1")
    example.result("model_a", 20, 0.002, validation=0.99)
    example.commit()
    text = review("main")
    assert text.startswith(
        f"**Better:** with `lr` `0.001` → `0.01` and `{TORCH}` `torch==2.0` → `torch==2.1` and "
        "changed code, 1 of 1 changed run improved beyond seed noise (`model_a`: 200 → 20 test "
        "errors), none got worse.\n"
    )
    assert row(text, "model_a") == [
        "more accurate, lower loss",
        "98.00 % → 99.80 % (**+1.80**)",
        "200 → 20 (**-180**)",
        "0.0700 → 0.0020 (**-0.0680**)",
        "98.00 % → 99.00 % (+1.00)",
        "98.00 % ± 0.99",  # 4.303 sqrt(4/3) times 0.20 points
        "0.0700 ± 0.0497",  # and times 0.01
    ]
    assert row(text, "train") == [f"code `stages/train.py`; parameter `lr`, `{TORCH}`"]
    assert row(text, "evaluate") == ["new results of earlier stages"]
    for part in ("Unchanged: `model_b-lr0.1`.", "- Changed: `plots/mistakes/model_a.png`\n"):
        assert part in text
    for absent in ("estimate", "WARNING", "Missing", str(example.root)):
        assert absent not in text


@pytest.mark.parametrize(
    ("errors", "loss", "cell", "verdict"),
    [
        (299, 0.07, "within seed noise", NOTHING_CLEAR),
        (300, 0.07, UNCOUNTED, NOTHING_CLEAR),  # t at 5 %: 4.303 sqrt(4/3) 20 is 99.4
        (344, 0.07, "▼ **less accurate**", "Worse"),  # at 2.5 %, two figures: 6.205, 143.3
        (210, 0.2, "▼ **higher loss**", "Worse"),
    ],
)
def test_seed_noise_decides_by_accuracy_then_by_loss(example, review, errors, loss, cell, verdict):
    example.result("model_a", errors, loss)
    text = review("main")
    assert row(text, "model_a")[0] == cell
    assert row(text, "model_a")[1].endswith("▼)")
    assert text.startswith(f"**{verdict}")


def test_a_base_that_is_no_measured_seed_or_a_run_without_seeds(example, review):
    example.result("model_a", 205, 0.07)
    example.commit()
    example.result("model_a", 326, 0.07)  # 4.303 sqrt(2) 20 is 121.7
    example.result("model_b-lr0.1", 100, 0.05)
    text = review("HEAD")
    assert row(text, "model_a")[0] == "within seed noise"
    assert row(text, "model_a")[-2:] == ["± 1.22", "± 0.0608"]
    assert "For `model_a` it is an estimate from other results than those before." in text
    assert text.startswith("**Unclear:** 1 run changed, but the seed noise is unknown; 1 run ")
    assert row(text, "model_b-lr0.1")[0] == "seed noise unknown"
    example.result("model_a", 327, 0.07)
    assert row(review("HEAD"), "model_a")[0] == UNCOUNTED


def test_the_best_change_comes_first_and_the_sentence_names_the_best_and_the_worst(example, review):
    example.result("model_c", 200, 0.1)
    example.seeds("model_a", "model_b-lr0.1", "model_c", deviation=2)
    example.commit()
    example.result("model_a", 350, 0.1)
    example.result("model_b-lr0.1", 297, 0.1)
    example.result("model_c", 20, 0.1)
    text = review("HEAD")
    order = re.findall(r"^\| `(model_.*?)`", text, re.MULTILINE)
    assert order == ["model_c", "model_b-lr0.1", "model_a"]
    assert text.startswith("**Mixed:** 1 of 3 changed runs improved beyond seed noise (`model_c`: ")
    assert "1 got worse (`model_a`: 200 → 350 test errors); 1 run changed without a clear" in text


def test_a_run_that_diverges_is_worse_whatever_its_noise(example, review):
    example.write("metrics/train/model_b-lr0.1.json", '{"loss": null, "diverged": true}')
    text = review("main")
    assert row(text, "model_b-lr0.1")[0] == "▼ **diverged**"
    assert text.startswith("**Worse:** none of 1 changed run improved beyond seed noise, 1 got ")
    example.commit()
    text = review("HEAD", "HEAD~1")
    assert row(text, "model_b-lr0.1")[0] == "no longer diverges"
    assert text.startswith("**Better:** ")


def test_runs_and_figures_that_one_side_lacks(example, review):
    example.git("rm", "--quiet", "metrics/test/model_a.json", "metrics/train/model_a.json")
    example.write("metrics/test/model_b-lr0.1.json", '{"loss": 0.1}')
    example.result("model_z", 150, 0.05)
    text = review("main")
    assert text.startswith("**No clear difference:** 1 run changed without a clear difference; 1 ")
    added = ["added", f"{DASH} → 98.50 %", f"{DASH} → 150", f"{DASH} → 0.0500"]
    assert row(text, "model_z")[:4] == added
    assert row(text, "model_a")[:3] == ["removed", f"98.00 % → {DASH}", f"200 → {DASH}"]
    assert row(text, "model_b-lr0.1")[1:3] == [f"97.00 % → {DASH}", f"300 → {DASH}"]


def test_a_run_is_there_if_a_stage_has_it_whatever_files_are_left(example, review):
    pipeline = (example.root / "dvc.yaml").read_text()
    example.write("dvc.yaml", pipeline.replace(" metrics,", " metrics/test/model_a.json,"))
    text = review("main")
    assert text.startswith("**Out of date**, ") and "; 1 run removed.\n" in text
    assert "`metrics/test/model_b-lr0.1.json belongs to no stage`" in text
    assert row(text, "model_b-lr0.1")[:2] == ["removed", f"97.00 % → {DASH}"]
    example.commit()
    assert "model_b-lr0.1`" not in review("HEAD", "HEAD")


def test_on_github_the_pictures_are_shown_before_and_after(example, review, monkeypatch):
    base, unchanged = example.git("rev-parse", "HEAD"), review("main")
    assert unchanged.startswith("**Same results:** no run's metrics changed.\n")
    example.result("model_a", 50, 0.07)
    head = example.commit()
    assert "<details>" not in review(base, "HEAD")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/mnist")
    text = review(base, "HEAD")
    links = re.findall(r"!\[.*?\]\((.*?)\)", text)
    place = "plots/mistakes/model_a.png"
    assert links == [f"https://github.example/team/mnist/raw/{it}/{place}" for it in (base, head)]
    assert text.index("<details>") < text.index(links[0]) < text.index("</details>")


def test_revisions_and_experiments_whatever_is_in_the_working_tree(example, review):
    base = example.git("rev-parse", "HEAD")
    example.git("switch", "--quiet", "--create", "branch")
    example.ran(lr=0.01)
    example.result("model_a", 50, 0.07)
    commit = example.commit()
    for digits, name in ((base, "tidy-heron"), ("a" * 40, "calm-heron"), ("b" * 40, "calm-heron")):
        example.git("update-ref", f"refs/exps/{digits[:2]}/{digits[2:]}/{name}", commit)
    example.git("switch", "--quiet", "main")
    example.write("params.yaml", "not: [what] is: compared")
    example.result("model_a", 9, 0.07)
    for head in ("branch", "tidy-heron", commit[:9]):
        text = review("main", head)
        assert row(text, "lr") == ["`0.001`", "`0.01`"]
        assert row(text, "model_a")[2] == "200 → 50 (**-150**)"
    assert "`branch` has commits that the other side lacks (1): their" in review("branch", "main")
    with pytest.raises(UserError, match=r"\(ambiguous Git revision 'calm-heron'\): give a branch"):
        review("main", "calm-heron")
    with pytest.raises(UserError, match="nowhere is not a revision in this repository "):
        review("nowhere")


def test_results_of_other_inputs_than_those_next_to_them(example, review):
    example.write("params.yaml", "lr: 'a | b `c`\n\n  <i>'\nmodels: {model_a: {epochs: 2}}\n")
    changed = review("main")
    example.commit()
    for text in (changed, review("HEAD~1", "HEAD")):
        verdict, _, problems, *_ = text.splitlines()
        assert verdict.startswith("**Out of date**, run `make tidy` and `dvc repro` first; as it ")
        assert problems == "**Missing or out of date:** `lr modified`."
        assert "| `lr` | `0.001` | ``a \\| b `c` <i>`` |" in text
    example.write("dvc.yaml", (example.root / "dvc.yaml").read_text().replace("fetch,", "load,"))
    assert "date:** `fetch changed command`, `lr modified`." in review("main")
    (example.root / "dvc.lock").unlink()
    text = review("main")
    assert "date:** `dvc.lock missing`." in text
    assert "Params and stages need a `dvc.lock` on both sides: they are not compared." in text


@pytest.mark.parametrize("path", ["metrics/test/model_a.json", "params.yaml", "dvc.lock"])
def test_a_corrupt_file_is_named_with_its_revision(example, review, path):
    example.write(path, "[")
    example.commit()
    example.git("tag", "broken")
    example.git("checkout", "--quiet", "main~1", "--", path)
    example.result("model_a", 50, 0.07)
    example.write("review-plots/earlier.png", "kept")
    with pytest.raises(UserError, match=f"{path} in broken|in broken .*{path}"):
        review("broken")
    assert (example.root / "review-plots/earlier.png").exists()


def test_a_failure_of_git_is_one_sentence(example, review, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(UserError, match=r"could not read .*detected dubious"):
            review("main", "--check")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match="not a git repository"):
        review("main")


def test_loss_curves_before_and_after_replace_those_of_an_earlier_review(example, review):
    example.write("review-plots/earlier.png", "of another review")
    for run in ("model_a", "model_b-lr0.1", "model_c"):
        example.result(run, 50, 0.02)
    example.git("rm", "--quiet", "-r", "--force", "plots/runs/model_a")
    assert "Not in git; `make review` draws them: `review-plots/model_" in review("main")
    drawn = {path.stem: path.read_bytes() for path in Path("review-plots").iterdir()}
    assert drawn.keys() == {"model_a", "model_b-lr0.1", "model_c"}
    example.result("model_b-lr0.1", 50, 0.03)
    review("main")
    assert Path("review-plots/model_b-lr0.1.png").read_bytes() != drawn["model_b-lr0.1"]
