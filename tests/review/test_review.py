"""Whole reviews of real repositories."""

import json
import re

import pytest
from commands import ROOT, refusal, run_stage

from stages.system.errors import UserError


def row(text: str, name: str) -> list[str]:
    """Return the cells of the one table row that begins with `name`, which is code."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` ")]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_an_improvement_beyond_the_noise(example, review):
    example.git("switch", "--quiet", "--create", "faster")
    example.set_lr(0.01)
    example.result("model_a", 70, 0.002, validation=0.99)
    example.commit()
    text = review("main")
    assert text.splitlines()[0] == (
        "**Better:** with `lr` `0.001` → `0.01`, beyond the noise of the seed, of 1 "
        "run that changed 1 is better (most: `model_a`, 200 → 70 test errors) and none is worse."
    )
    assert row(text, "lr") == ["`lr`", "`0.001`", "`0.01`"]
    assert row(text, "model_a") == [
        "`model_a`",
        "more accurate, lower loss",
        "98.00 % → 99.30 % (**+1.30**)",
        "200 → 70 (**-130**)",
        "0.0700 → 0.0020 (**-0.0680**)",
        "98.00 % → 99.00 % (+1.00)",
        "±1.22, ±0.0609",  # 4.303 sqrt(2) times 0.20 points and 0.01
    ]
    assert row(text, "train@model_a")[1] == "parameter `lr`"
    assert row(text, "evaluate@model_a")[1] == "new results of the stages before it"
    assert "learning_rate@0.1" not in text
    assert "Unchanged: `model_b-lr0.1`." in text
    assert "- Changed: `plots/runs/model_a/mistakes.png`\n" in text
    assert "from 3 seeds a run" in text
    assert "measured with the default params" in text
    assert "WARNING" not in text
    assert "▼" not in row(text, "model_a")[2]


def test_a_regression_beyond_the_noise_is_marked(example, review):
    example.set_lr(0.01)
    example.result("model_a", 330, 0.14, validation=0.97)
    text = review("main")
    assert text.startswith("**Worse:** with `lr` `0.001` → `0.01`, beyond the noise of the seed,")
    assert row(text, "model_a")[1:6] == [
        "▼ **less accurate**, **higher loss**",
        "98.00 % → 96.70 % (**-1.30** ▼)",
        "200 → 330 (**+130** ▼)",
        "0.0700 → 0.1400 (**+0.0700** ▼)",
        "98.00 % → 97.00 % (-1.00 ▼)",
    ]


@pytest.mark.parametrize(("errors", "verdict"), [(322, "▼ **less accurate**"), (321, "within")])
def test_the_noise_of_the_seed_decides(example, review, errors, verdict):
    """4.303 sqrt(2) 20 is 121.7 errors."""
    example.result("model_a", errors, 0.07)
    text = review("main")
    assert row(text, "model_a")[1].startswith(verdict)
    assert "▼" in row(text, "model_a")[2]
    assert text.startswith("**No clear difference:** 1 run changed within") == (errors == 321)


def test_a_loss_beyond_the_noise_counts_where_accuracy_is_within(example, review):
    example.result("model_a", 210, 0.2)
    text = review("main")
    assert row(text, "model_a")[1] == "▼ **higher loss**"
    assert text.startswith("**Worse:** ")


def test_without_seeds_a_run_is_better_or_worse_by_an_unknown_noise(example, review):
    example.result("model_b-lr0.1", 100, 0.05)
    text = review("main")
    assert text.startswith("**Unclear:** 1 run changed, 1 for the better and 0 for the worse, but")
    assert row(text, "model_b-lr0.1")[1] == "noise unknown"
    assert row(text, "model_b-lr0.1")[-1] == "unknown, unknown"
    assert "`benchmarks/results/seeds.csv` does not say of these runs" in text


def test_the_best_change_comes_first_and_the_worst_last(example, review):
    example.result("model_c", 100, 0.1)
    example.commit()
    example.result("model_a", 350, 0.1)
    example.result("model_b-lr0.1", 250, 0.1)
    example.result("model_c", 20, 0.1)
    example.seeds("model_c")
    text = review("HEAD")
    table = [line.split("`")[1] for line in text.splitlines() if re.match(r"\| `model_", line)]
    assert table == ["model_c", "model_b-lr0.1", "model_a"]


def test_mixed_results_name_the_best_and_the_worst(example, review):
    example.result("model_a", 50, 0.07)
    example.result("model_b-lr0.1", 500, 0.1)
    seeds = (example.root / "benchmarks/results/seeds.csv").read_text()
    both = seeds + "".join(
        line.replace("model_a", "model_b-lr0.1") for line in seeds.splitlines(True)[1:]
    )
    example.write("benchmarks/results/seeds.csv", both)
    assert review("main").startswith(
        "**Mixed:** beyond the noise of the seed, of 2 runs that changed 1 is better (most: "
        "`model_a`, 200 → 50 test errors) and 1 is worse (most: `model_b-lr0.1`, 300 → 500 test "
        "errors)."
    )


def test_a_run_that_diverges_is_worse_whatever_the_noise(example, review):
    example.result("model_b-lr0.1", 9000, 0.1)
    path = example.root / "metrics/train/model_b-lr0.1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"loss": None, "diverged": True}))
    text = review("main")
    assert row(text, "model_b-lr0.1")[1] == "▼ **diverged**"
    assert text.startswith("**Worse:** ")


def test_runs_that_base_lacks_and_runs_that_are_gone(example, review):
    example.git("rm", "--quiet", "-r", "metrics/test/model_a.json", "metrics/train/model_a.json")
    example.result("model_a-tanh", 150, 0.05)
    text = review("main")
    assert text.startswith("**Other runs:** 1 run added; 1 run removed.")
    added = text.partition("Added, with nothing to compare")[2]
    assert added.index("`model_a-tanh` | 98.50 %") < added.index("Removed, with nothing")
    assert added.index("Removed, with nothing") < added.index("| `model_a` | 98.00 %")
    assert "- Added: `plots/runs/model_a-tanh/mistakes.png`" in text


def test_a_metric_that_base_lacks(example, review):
    example.write("metrics/test/model_a.json", '{"loss": 0.07}')
    example.git("rm", "--quiet", "metrics/train/model_a.json")
    example.commit()
    example.result("model_a", 150, 0.07)
    text = review("HEAD")
    assert row(text, "model_a")[1:6] == [
        "within the noise, no test accuracy before",
        "– → 98.50 %",  # noqa: RUF001
        "– → 150",  # noqa: RUF001
        "0.0700 → 0.0700 (+0.0000)",
        "– → 98.00 %",  # noqa: RUF001
    ]


def test_base_before_there_was_any_pipeline(example, review):
    example.git("rm", "--quiet", "-r", "params.yaml", "dvc.lock", "metrics", "plots")
    base = example.commit()
    example.git("checkout", "--quiet", "main~1", "--", ".")
    text = review(base)
    assert text.startswith("**Other runs:** 2 runs added.")
    assert f"`{base}` has no `params.yaml`: parameters cannot be compared." in text
    assert f"`{base}` has no `dvc.lock`: stages cannot be compared." in text
    assert "### Parameters" not in text
    assert "### Stages" not in text


def test_nothing_changed(example, review):
    text = review("main")
    assert text.startswith("**Nothing to judge:** no run's metrics changed.\n")
    assert text.count("None changed.") == 2
    assert "### Stages that ran again\n\nNone." in text
    assert "review-plots" not in text


def test_two_revisions_whatever_lies_in_the_working_tree(example, review):
    example.git("switch", "--quiet", "--create", "first")
    example.set_lr(0.01)
    example.result("model_a", 50, 0.07)
    example.commit()
    example.git("switch", "--quiet", "--create", "second", "main")
    example.set_lr(0.002)
    example.result("model_a", 180, 0.07)
    example.commit()
    example.write("params.yaml", "not: [what] is: compared")
    example.result("model_a", 9, 0.07)
    text = review("first", "second")
    assert row(text, "lr")[1:] == ["`0.01`", "`0.002`"]
    assert row(text, "model_a")[3] == "50 → 180 (**+130** ▼)"
    assert "`first` has 1 commit that the other side is not built on" in text
    assert "not up to date" not in text


def test_an_experiment_is_named_as_dvc_names_it(example, review):
    base = example.git("rev-parse", "HEAD")
    example.set_lr(0.01)
    example.result("model_a", 50, 0.07)
    commit = example.commit()
    example.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/tidy-heron", commit)
    example.git("reset", "--quiet", "--hard", base)
    assert row(review("main", "tidy-heron"), "model_a")[3] == "200 → 50 (**-150**)"
    example.git("update-ref", f"refs/exps/ab/{base[2:]}/tidy-heron", commit)
    with pytest.raises(UserError, match="several experiments: give one of refs/exps/"):
        review("main", "tidy-heron")


def test_results_of_other_params_than_those_beside_them(example, review):
    example.set_lr(0.01)
    example.lock(0.001)
    example.git("switch", "--quiet", "--create", "forgotten")
    example.commit()
    for sides in (["main"], ["main", "forgotten"]):
        text = review(*sides)
        assert text.startswith("**Out of date**, run `dvc repro` first; as it stands: with `lr` ")
        assert "`dvc.lock` is not up to date: `lr` changed since the results were made." in text


def test_code_that_changed_with_its_results_and_without(example, review):
    example.write("stages/train.py", "print('training better')\n")
    assert "not up to date: `stages/train.py` changed" in review("main")
    example.lock()
    text = review("main")
    assert "not up to date" not in text
    assert "| `train@model_a`, `learning_rate@0.1` | code `stages/train.py` |" in text


def test_dvc_yaml_that_changed_alone(example, review):
    example.write("dvc.yaml", "stages: {}\n")
    assert "`dvc.yaml` changed but `dvc.lock` did not" in review("main")


def test_a_value_with_markup_stays_in_its_cell(example, review):
    example.write(
        "params.yaml", "lr: 0.001\nmodels: {model_a: {epochs: 2}}\nnote: 'a | b `c`\n\n <i>'"
    )
    assert "| `note` | – | ``a \\| b `c` <i>`` |" in review("main")  # noqa: RUF001


def test_no_path_of_this_machine_is_printed(example, review):
    example.result("model_a", 50, 0.07)
    assert str(example.root) not in review("main")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("metrics/test/model_a.json", "["),
        ("metrics/test/model_a.json", "[1]"),
        ("metrics/test/model_a.json", '{"accuracy": "high"}'),
        ("metrics/train/model_a.json", '{"validation_accuracy": true}'),
        ("params.yaml", "lr: ["),
        ("params.yaml", "[1]"),
        ("dvc.lock", "<<<<<<< HEAD"),
        ("dvc.lock", "stages: {train@model_a: {deps: [stages]}}"),
        ("plots/runs/model_a/loss.csv", "["),
        ("plots/runs/model_a/loss.csv", "epoch,train_loss,validation_loss\n1,x,2\n"),
        ("plots/runs/model_a/settings.json", '{"params": {}}'),
    ],
)
def test_a_damaged_file_is_named_with_its_revision(example, review, path, content):
    example.write(path, content)
    example.commit()
    example.git("tag", "broken")
    example.git("checkout", "--quiet", "main~1", "--", path)
    example.result("model_a", 50, 0.07)
    example.write("review-plots/earlier.png", "kept")
    with pytest.raises(UserError, match=f"{re.escape(path)} in broken is (damaged|not valid)"):
        review("broken")
    assert (example.root / "review-plots/earlier.png").exists()


def test_an_unknown_base_is_one_sentence(example):
    result = run_stage("review", "nowhere", cwd=example.root, PYTHONPATH=str(ROOT))
    assert refusal(result).startswith("error: nowhere is no revision of this repository: ")
    assert result.stdout == ""


def test_outside_a_repository_it_says_so(tmp_path):
    result = run_stage("review", "main", cwd=tmp_path, PYTHONPATH=str(ROOT),
                       GIT_CEILING_DIRECTORIES=str(tmp_path.parent))  # fmt: skip
    assert "is no revision" in refusal(result) or "not a git repository" in refusal(result)
