"""Each command in the console blocks of README and docs/ is run by a test or by CI."""

import re

import pytest
from commands import ROOT

ELSEWHERE = "def test_another_project_uses_it_as_docs_say("
GRID = "def test_a_grid_is_queued_and_run_by_two_workers("
MERGED = "def merge("
REVIEW = "def test_a_review_of_two_revisions_or_of_the_working_tree("
SHARED = "def test_an_experiment_is_shared_without_a_branch("
SHOWN = "def test_the_table_has_the_columns_that_matter("
TANH = "def test_an_activation_retrains_what_reads_it_and_nothing_else("

# A command, and how the line begins that runs it, on fewer images and by names of its own: in CI's
# script, or of a test or what tests share.
RUN_BY = {
    "make repro": "def test_repro_with_nothing_to_do(",
    "make test": "make test",
    "make draw": "def test_digits_drawn_in_a_browser_are_read(",
    "make lab": "def test_each_value_of_the_notebook_reaches_the_training(",
    "dvc exp run -S lr=0.01": "def test_a_difference_names_the_value_and_the_run(",
    "dvc exp run --name higher -S lr=0.003 evaluate@model_b": "def tried(",
    "git restore . && dvc checkout": "def tried(",
    "dvc exp run -S models.model_b.activation=tanh": TANH,
    "dvc exp run -S train_images=500 -S validation_images=100": "def test_a_quick_try(",
    "dvc metrics diff": "def test_an_experiment_applied_is_there_as_if_run_here(",
    "dvc exp run --queue -S 'lr=0.003,0.002' -S 'batch_size=64,128' evaluate@model_b": GRID,
    "dvc queue start --jobs 2": GRID,
    "dvc queue status": GRID,
    "dvc exp show --only-changed --drop 'data|plots|stages|metrics$|.*(loss|errors|_accuracy)'": (
        SHOWN
    ),
    "dvc exp diff main higher": "def test_a_difference_names_the_value_and_the_run(",
    "dvc exp apply higher": "def test_an_experiment_applied_is_there_as_if_run_here(",
    "dvc exp branch higher lr-0.003": "def test_an_experiment_becomes_a_branch(",
    "dvc remote add --default team ssh://server/srv/mnist": "def connect(",
    "dvc push --run-cache --all-branches": "def another(",
    "dvc pull --run-cache": "def test_what_the_first_has_trained_the_second_does_not(",
    "git merge BRANCH": MERGED,
    "dvc pull": MERGED,
    "dvc checkout && dvc repro && git add --all && git commit --no-edit": MERGED,
    "dvc exp push origin higher": SHARED,
    "dvc exp pull origin higher": SHARED,
    "make review BASE=main": REVIEW,
    "make review BASE=main HEAD=lr-0.003": REVIEW,
    "python -m predict --run resnet18 digit.png notes.txt photo.jpg sum.png": (
        "def test_it_reads_on_after_a_file_that_is_not_a_picture("
    ),
    "mkdir -p data/models": ELSEWHERE,
    "dvc get ../mnist data/models/resnet18.pt -o data/models/resnet18.pt": ELSEWHERE,
    "dvc get ../mnist stages": ELSEWHERE,
    "dvc get ../mnist predict": ELSEWHERE,
    "python -m predict --run resnet18 digit.png": ELSEWHERE,
    "dvc artifacts get ../mnist resnet18 --rev v1.0.0 -o resnet18.pt": ELSEWHERE,
}


def test_each_command_is_listed_with_what_runs_it() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    blocks = [re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL) for page in pages]
    lines = [line for page in blocks for block in page for line in block.splitlines()]
    shown = [re.sub(r"\s+#.*", "", line[2:]).strip() for line in lines if line.startswith("$ ")]
    assert sorted(set(shown)) == sorted(RUN_BY)


@pytest.mark.parametrize("line", sorted(set(RUN_BY.values())))
def test_what_runs_it_is_there(line: str) -> None:
    scripts = [ROOT / ".ci/run", *ROOT.glob("tests/**/*.py")]
    assert any(f"\n{line}" in script.read_text() for script in scripts)
