"""Out of disk space, permissions or memory: one sentence, and nothing is lost."""

import os
import shutil
import sys

import pytest
import torch
from helpers import assert_told, refusal

from stages.system import errors

MODEL = "data/models/model_b.pt"


def test_a_full_disk_costs_no_training(trained) -> None:
    trained.set_params(lr=0.002)
    (trained.root / MODEL).with_name(".model_b.pt.part").symlink_to("/dev/full")  # has no room
    result = trained.run("dvc", "repro", "train@model_b")
    assert result.returncode == 255
    assert_told("the disk is full", result.stderr)
    assert MODEL not in trained.results()
    trained.do("dvc", "checkout", MODEL)
    assert trained.results()[MODEL] == trained.undisturbed[MODEL]
    (trained.root / MODEL).unlink()
    trained.assert_lost_and_restored()


@pytest.mark.parametrize(
    ("fault", "path", "mode"),
    [
        ("no permission to read a file", MODEL, 0),
        ("no permission to write to a folder", "metrics/test", 0o555),
    ],
)
def test_no_permission(fault: str, path: str, mode: int, trained) -> None:
    command = [sys.executable, "-m", "stages.evaluate", "model_b"]
    if os.geteuid() == 0:  # permissions do not stop root
        if not shutil.which("setpriv"):
            pytest.skip("running a stage without root's privileges needs setpriv")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    before = (trained.root / path).stat().st_mode
    (trained.root / path).chmod(mode)
    sentence = refusal(trained.run(*command))
    (trained.root / path).chmod(before)
    assert_told(fault, sentence)
    trained.assert_undisturbed()


def test_out_of_memory_while_training(trained) -> None:
    """With 12 GiB of address space, of which little is ever used."""
    trained.set_params(train_images=10000, batch_size=10000, models__model_b__image_size=1024)
    command = f"ulimit -v {12 * 2**20}; exec {sys.executable!r} -m stages.train model_b"
    sentence = refusal(trained.run("bash", "-c", command))
    trained.do("git", "checkout", "params.yaml")
    assert_told("out of memory while training", sentence)
    trained.assert_undisturbed()


def test_out_of_memory_elsewhere(capsys) -> None:
    with pytest.raises(SystemExit):
        errors.run(lambda: torch.empty(2**60))
    assert_told("out of memory elsewhere", capsys.readouterr().err)
