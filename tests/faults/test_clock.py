"""The clock is no input of the pipeline."""

from pathlib import Path

import pytest


def test_another_day_gives_the_same_bytes(trained) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("no libfaketime: install Debian's package libfaketime, as .ci/run does")
    other = {"LD_PRELOAD": str(library), "FAKETIME": "@1999-12-31 23:59:58"}
    assert trained.do("date", "+%Y", **other).strip() in ("1999", "2000")
    stages = ["train@model_b", "evaluate@model_b", "report"]
    again = trained.stages_run("dvc", "repro", "--force", "--single-item", *stages, **other)
    assert again == set(stages)
    trained.assert_undisturbed()
    assert trained.stages_run("dvc", "repro", "evaluate@model_b") == set()
