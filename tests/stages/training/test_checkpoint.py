import itertools
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import small
import torch
from helpers import Trap, cut, flip
from small import STEPS, fit
from torch import nn

from stages.system import interrupts
from stages.training import checkpoint, loop
from stages.training.checkpoint import Checkpoint

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / checkpoint.FOLDER


def network() -> nn.Sequential:
    return small.network(nn.BatchNorm1d(7), nn.Dropout(0.5))


def saved(net: nn.Module) -> Checkpoint:
    kept = Checkpoint("run", "same")
    assert kept.save({"network": net})
    return kept


@pytest.mark.parametrize(
    ("schedule", "captured"), [("one-cycle", None), ("constant", None), ("one-cycle", CPU)]
)
@pytest.mark.parametrize(
    ("training", "call"), [(True, call) for call in range(1, 2 * STEPS + 1)] + [(False, 1)]
)
def test_interrupted_anywhere_it_ends_with_the_same_bits(
    training: bool, call: int, schedule: str, captured: torch.device | None, monkeypatch, capsys
) -> None:
    """By a real signal in a step or validation; also with the learning rate in a tensor (GPU)."""
    configure = loop.configure_optimizer
    monkeypatch.setattr(loop, "configure_optimizer", lambda *a: configure(*a[:3], captured))
    undisturbed = network()
    expected = fit(undisturbed, schedule=schedule)
    calls = itertools.count(1)

    def stop(module: nn.Module, inputs: tuple) -> None:
        if module.training == training and next(calls) == call:
            signal.raise_signal(signal.SIGTERM)

    first = network()
    first.register_forward_pre_hook(stop)
    epoch = 1 if not training or call <= STEPS else 2
    with pytest.raises(interrupts.Interrupted, match=f"interrupted at epoch {epoch} of 2"):
        fit(first, checkpoint=Checkpoint("run", "same"), schedule=schedule)

    again = nn.Sequential(*network())
    torch.nn.init.zeros_(again[0].weight)  # all of it comes from the checkpoint
    torch.manual_seed(99)
    history = fit(again, checkpoint=Checkpoint("run", "same"), schedule=schedule)
    done = call if training else STEPS
    assert f"resuming at step {done} of {2 * STEPS}" in capsys.readouterr().err
    assert history.epochs == expected.epochs
    assert torch.equal(history.losses, expected.losses)
    found, wanted = dict(again.state_dict()), dict(undisturbed.state_dict())
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_a_fingerprint_covers_all_that_the_bits_depend_on(tmp_path: Path, monkeypatch) -> None:
    names = {path.relative_to(checkpoint.CODE).as_posix() for path in checkpoint.code()}
    assert {"training/loop.py", "training/checkpoint.py", "system/errors.py"} <= names
    (tmp_path / "code.py").write_text("a = 1")
    monkeypatch.setattr(checkpoint, "CODE", tmp_path)
    monkeypatch.setattr(checkpoint, "code", lambda: [tmp_path / "code.py"])
    net = network()

    def now(**settings: object) -> str:
        return checkpoint.fingerprint({"lr": 0.1} | settings, net, CPU)

    found = [now(), now(lr=0.2)]
    assert now() == found[0]
    for change in (
        lambda: net[-1].bias.data[9].add_(1),
        lambda: (tmp_path / "code.py").write_text("a = 2"),
        lambda: monkeypatch.setattr(torch, "__version__", "3.0"),
        lambda: monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "none"),
    ):
        change()
        found.append(now())
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "spoil", [cut, flip, lambda path: torch.save({"parts": Trap(Path("canary"))}, path)]
)
def test_a_corrupt_one_is_set_aside_and_runs_nothing(spoil: Callable, folder: Path, capsys) -> None:
    kept = saved(nn.Linear(100, 100))
    spoil(kept.path)
    assert not kept.resume({"network": nn.Linear(100, 100)}, CPU)
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: data/checkpoints/run.pt was corrupt")
    assert [path.name for path in folder.iterdir()] == ["run.pt.corrupt"]
    assert not Path("canary").exists()


def test_only_what_was_set_aside_outlives_its_removal(folder: Path) -> None:
    for others in [set(), {"run.pt.corrupt", "run-2.pt"}]:
        kept = saved(network())
        for name in {".run.pt.part"} | others:
            (folder / name).touch()
        kept.remove()
        assert {path.name for path in folder.glob("*")} == others


def test_outputs_are_restored_only_whole_and_to_the_same_training(folder: Path) -> None:
    finished = Checkpoint("run", "same")
    for path in finished.kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    finished.keep()
    assert all(link.exists() for link in finished.kept.values())
    assert not Checkpoint("run", "other").restore()
    list(finished.kept.values())[-1].unlink()  # as if killed before the last
    assert not finished.restore()


def test_writing_takes_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [1000], []

    def save(kept: Checkpoint, parts: dict) -> None:
        written.append(now[0])
        now[0] += 2

    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Checkpoint, "save", save)
    kept = Checkpoint("run", "same")
    while now[0] < 1500:
        now[0] += 1
        kept.save_if_due({})
    assert written == [1030, 1232, 1434]  # 30 s after the start, then 100 times the 2 s


def test_a_training_continues_if_none_can_be_written(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0)
    monkeypatch.setattr(checkpoint, "MAX_OVERHEAD", float("inf"))
    folder.parent.write_text("a file where the folder should be")
    losses = fit(network(), checkpoint=Checkpoint("run", "same")).losses
    assert torch.equal(losses, fit(network()).losses)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 * STEPS
    assert all("run.pt could not be written ([Errno 20]" in line for line in lines)
