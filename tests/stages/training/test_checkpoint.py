import itertools
import resource
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


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    torch.testing.assert_close(dict(found), dict(expected), rtol=0, atol=0)


def same() -> Checkpoint:
    return Checkpoint("run", "same")


def saved(net: nn.Module) -> Checkpoint:
    kept = same()
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
    """A real signal arrives in the middle of a step, or while the network is validated.

    Also with the learning rate in a tensor, as on a GPU, where a recorded step reads it from there.
    """
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
    with pytest.raises(interrupts.Interrupted) as caught:
        fit(first, checkpoint=same(), schedule=schedule)
    epoch = 1 if not training or call <= STEPS else 2
    assert f"interrupted at epoch {epoch} of 2" in str(caught.value)

    again = nn.Sequential(*network())
    torch.nn.init.zeros_(again[0].weight)  # all of it comes from the checkpoint
    torch.manual_seed(99)
    history = fit(again, checkpoint=same(), schedule=schedule)
    done = call if training else STEPS
    assert f"resuming at step {done} of {2 * STEPS}" in capsys.readouterr().err
    assert history.epochs == expected.epochs
    assert torch.equal(history.losses, expected.losses)
    assert_equal(again.state_dict(), undisturbed.state_dict())


def test_a_fingerprint_is_of_all_that_the_bits_depend_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code.py").write_text("a = 1")
    monkeypatch.setattr(checkpoint, "CODE", tmp_path)
    monkeypatch.setattr(checkpoint, "code", lambda: [tmp_path / "code.py"])
    net = network()

    def now(**settings: object) -> str:
        return checkpoint.fingerprint({"lr": 0.1} | settings, net, CPU)

    def next_weight() -> None:
        net[-1].bias.data[9] += 1

    found = [now(), now(lr=0.2)]
    assert now() == found[0]
    for change in (
        next_weight,
        lambda: (tmp_path / "code.py").write_text("a = 2"),
        lambda: monkeypatch.setattr(torch, "__version__", "3.0"),
        lambda: monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "none"),
    ):
        change()
        found.append(now())
    assert len(set(found)) == len(found)


def test_the_code_is_all_that_is_imported_of_the_project() -> None:
    names = {path.relative_to(checkpoint.CODE).as_posix() for path in checkpoint.code()}
    assert {"training/loop.py", "training/checkpoint.py", "system/errors.py"} <= names
    assert all(name.endswith(".py") for name in names)


def plant(path: Path) -> None:
    torch.save({"fingerprint": "same", "parts": Trap(Path("canary"))}, path)


@pytest.mark.parametrize("spoil", [cut, flip, plant, lambda path: path.write_bytes(b"")])
def test_a_corrupt_one_is_set_aside_and_runs_nothing(
    spoil: Callable, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    kept = saved(nn.Linear(100, 100))
    spoil(kept.path)
    assert not kept.resume({"network": nn.Linear(100, 100)}, CPU)
    (warning,) = capsys.readouterr().err.splitlines()
    assert "data/checkpoints/run.pt was corrupt" in warning
    assert "starts over" in warning
    assert [path.name for path in folder.iterdir()] == ["run.pt.corrupt"]
    assert not Path("canary").exists()


def test_removed_it_leaves_nothing_but_what_was_set_aside(folder: Path) -> None:
    kept = saved(network())
    (folder / ".run.pt.part").write_bytes(b"half")
    kept.remove()
    assert not folder.exists()
    kept = saved(network())
    (folder / "run.pt.corrupt").write_bytes(b"corrupt")
    (folder / "run-2.pt").write_bytes(b"another run's")
    kept.remove()
    assert {path.name for path in folder.iterdir()} == {"run.pt.corrupt", "run-2.pt"}


def test_it_is_written_by_a_clock_that_takes_the_writing_into_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoint.time, "time", lambda: 0.0)

    class Slow(nn.Linear):
        def state_dict(self) -> dict:
            now[0] += 2
            return super().state_dict()

    kept, net = same(), Slow(1, 1)
    written = []
    for second in range(1000, 1500):
        now[0] = max(now[0], float(second))
        kept.save_if_due({"network": net})
        if kept.path.exists():
            written.append(second)
            kept.path.unlink()
    assert written == [1030, 1232, 1434]  # 30 s after the start, then 100 times the 2 s


def test_a_training_does_without_one_that_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0)
    monkeypatch.setattr(checkpoint, "MAX_OVERHEAD", float("inf"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # no file may grow beyond, as if full
    try:
        losses = fit(network(), checkpoint=same()).losses
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert torch.equal(losses, fit(network()).losses)
    assert not any(folder.iterdir())
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 * STEPS
    assert all("could not be written ([Errno 27] File too large" in line for line in lines)
