"""The clock is no input of the pipeline."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

STAGES = {"train@model_b": "data/models/model_b.pt", "report": "plots/accuracy.png"}


def test_another_day_gives_the_same_bytes(trained) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("no libfaketime: install Debian's package libfaketime, as .ci/run does")
    other = {"LD_PRELOAD": str(library), "FAKETIME": "@1999-12-31 23:59:58"}
    assert trained.do("date", "+%Y", **other).strip() in ("1999", "2000")
    lock = YAML(typ="safe").load(trained.root / "dvc.lock")
    for stage, output in STAGES.items():
        (trained.root / output).unlink()
        trained.do("sh", "-c", lock["stages"][stage]["cmd"], **other)
    trained.assert_undisturbed()
