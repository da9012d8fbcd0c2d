"""Each command in the console blocks of README and docs/ is run by a test or by CI."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXPERIMENTS = "tests/pipeline/test_experiments.py"
SHARING = "tests/pipeline/test_sharing.py"
MAKE = "tests/pipeline/test_make.py"
ELSEWHERE = "tests/test_artifacts.py::test_another_project_uses_it_as_docs_say"

# A command without its comment, and what runs it, on fewer images and by names of its own: a test
# as file::function, or a script and the line in it.
RUN_BY = {
    "make repro": "tests/pipeline/test_make.py::test_repro_with_nothing_to_do",
    "make test": ".ci/run::make test",
    "make lab": "tests/pipeline/test_lab.py::test_each_value_of_the_notebook_reaches_the_training",
    "dvc exp run -S lr=0.01": f"{EXPERIMENTS}::test_a_difference_names_the_value_and_the_run",
    "dvc exp run --name higher -S lr=0.003 evaluate@model_b": f"{EXPERIMENTS}::tried",
    "git restore . && dvc checkout": f"{EXPERIMENTS}::tried",
    "dvc exp run -S models.model_b.activation=tanh": (
        "tests/pipeline/test_invalidation.py"
        "::test_an_activation_retrains_what_reads_it_and_nothing_else"
    ),
    "dvc exp run -S train_images=500 -S validation_images=100": f"{EXPERIMENTS}::test_a_quick_try",
    "dvc metrics diff": f"{EXPERIMENTS}::test_an_experiment_applied_is_there_as_if_run_here",
    "dvc exp run --queue -S 'lr=0.003,0.002' -S 'batch_size=64,128' evaluate@model_b": (
        f"{EXPERIMENTS}::test_a_grid_is_queued_and_run_by_two_workers"
    ),
    "dvc queue start --jobs 2": f"{EXPERIMENTS}::test_a_grid_is_queued_and_run_by_two_workers",
    "dvc queue status": f"{EXPERIMENTS}::test_a_grid_is_queued_and_run_by_two_workers",
    "dvc exp show --only-changed --drop 'data|plots|stages|metrics$|.*(loss|errors|_accuracy)'": (
        f"{EXPERIMENTS}::test_the_table_has_the_columns_that_matter"
    ),
    "dvc exp diff main higher": f"{EXPERIMENTS}::test_a_difference_names_the_value_and_the_run",
    "dvc exp apply higher": f"{EXPERIMENTS}::test_an_experiment_applied_is_there_as_if_run_here",
    "dvc exp branch higher lr-0.003": f"{EXPERIMENTS}::test_an_experiment_becomes_a_branch",
    "dvc remote add --default team ssh://server/srv/mnist": f"{SHARING}::second",
    "dvc push --run-cache --all-branches": f"{SHARING}::second",
    "dvc pull --run-cache": f"{SHARING}::test_what_the_first_has_trained_the_second_does_not",
    "git merge BRANCH": f"{SHARING}::test_two_branches_merge_without_training_again",
    "dvc repro && git add --all && git commit --no-edit": (
        f"{SHARING}::test_two_branches_merge_without_training_again"
    ),
    "dvc exp push origin higher": f"{EXPERIMENTS}::test_an_experiment_is_shared_without_a_branch",
    "dvc exp pull origin higher": f"{EXPERIMENTS}::test_an_experiment_is_shared_without_a_branch",
    "make review BASE=main": f"{MAKE}::test_a_review_of_two_revisions_or_of_the_working_tree",
    "make review BASE=main HEAD=lr-0.003": (
        f"{MAKE}::test_a_review_of_two_revisions_or_of_the_working_tree"
    ),
    "python -m predict --run resnet18 digit.png notes.txt photo.jpg": (
        "tests/test_predict.py::test_it_reads_on_after_a_file_that_is_not_a_picture"
    ),
    "mkdir -p data/models": ELSEWHERE,
    "dvc get ../mnist data/models/resnet18.pt -o data/models/resnet18.pt": ELSEWHERE,
    "dvc get ../mnist stages": ELSEWHERE,
    "dvc get ../mnist predict": ELSEWHERE,
    "python -m predict --run resnet18 digit.png": ELSEWHERE,
    "dvc artifacts get ../mnist resnet18 --rev v1.0.0 -o resnet18.pt": ELSEWHERE,
}


def commands() -> list[str]:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [re.sub(r"\s+#.*", "", line.removeprefix("$ ")).strip() for line in lines]


def test_each_command_is_listed_with_what_runs_it() -> None:
    assert commands()
    assert sorted(set(commands())) == sorted(RUN_BY)


@pytest.mark.parametrize("command", RUN_BY)
def test_what_runs_it_is_there(command: str) -> None:
    name, _, part = RUN_BY[command].partition("::")
    lines = (ROOT / name).read_text().splitlines()
    wanted = f"def {part}(" if name.endswith(".py") else part
    assert any(line.strip().startswith(wanted) for line in lines), f"no {part} in {name}"
