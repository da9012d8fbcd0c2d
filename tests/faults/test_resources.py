"""Out of disk space, permissions or memory: one sentence, and nothing is lost."""

import os
import re
import shutil

import pytest
import torch
from helpers import assert_told, refusal, results
from killed import OUTPUTS

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


def train(trained, *options: str) -> tuple[int, str]:
    """Run a training of 4 epochs of 96 images; return how many its bar counts, and what is said."""
    dvc = " ".join(["dvc repro --single-item train@model_b", *options])
    on_a_terminal = ["script", "--quiet", "--return", "/dev/null", "--command"]
    said = trained.do(*on_a_terminal, f"stty rows 24 cols 80; {dvc}")
    return max(map(int, re.findall(r"(\d+)/384 ", said)), default=0), said


def test_a_disk_that_is_full_when_dvc_caches_costs_no_training(trained) -> None:
    """A small disk is mounted where DVC caches, for one command."""
    mount = "mount -t tmpfs -o size=150k tmpfs .dvc/cache"  # a model has 212 kB
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or trained.run(*alone, mount).returncode:
        pytest.skip("a small disk cannot be mounted here")
    trained.set_params(lr=0.002)
    result = trained.run(*alone, f"{mount}; dvc repro --single-item train@model_b")
    assert result.returncode == 255
    assert_told("the disk is full when DVC caches a model", result.stderr)
    found = results(trained.root, *OUTPUTS)
    count, said = train(trained)
    assert count == 0
    assert_told("the next `dvc repro` then", said)
    assert results(trained.root, *OUTPUTS) == found
    assert train(trained, "--force")[0] == 384
    assert results(trained.root, *OUTPUTS) == found
    trained.do("dvc", "repro", "evaluate@model_b")  # DVC has it all
    assert not list((trained.root / "data/checkpoints").iterdir())
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
    command = ["python", "-m", "stages.evaluate", "model_b"]
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
    command = f"ulimit -v {12 * 2**20}; exec python -m stages.train model_b"
    sentence = refusal(trained.run("bash", "-c", command))
    trained.do("git", "checkout", "params.yaml")
    assert_told("out of memory while training", sentence)
    trained.assert_undisturbed()


def test_out_of_memory_elsewhere(capsys) -> None:
    with pytest.raises(SystemExit):
        errors.run(lambda: torch.empty(2**60))
    assert_told("out of memory elsewhere", capsys.readouterr().err)
