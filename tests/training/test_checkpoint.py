import itertools
import resource
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from harm import Trap
from torch import nn

from stages.system import interrupts
from stages.system.errors import UserError
from stages.training import checkpoint, loop
from stages.training.checkpoint import Checkpoint, Randomness
from stages.training.progress import Progress

CPU = torch.device("cpu")
PARAMS = {"epochs": 2, "batch_size": 8, "lr": 0.01, "schedule": "one-cycle", "precision": "fp32",
          "seed": 3}  # fmt: skip
STEPS = 3  # of an epoch


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / checkpoint.FOLDER


@pytest.fixture
def listening() -> Iterator[None]:
    """Signals are obeyed as in a stage; afterwards as pytest obeys them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interrupts.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def data() -> loop.Data:
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(26, 5, generator=generator), torch.arange(26) % 10
    return loop.Data(inputs[:20], labels[:20], inputs[20:], labels[20:])


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(0.5), nn.Linear(7, 10)
    )


def fit(net: nn.Module, kept: Checkpoint | None = None, **changes: object) -> loop.History:
    progress = Progress("test", 40)
    return loop.fit(net, data(), nn.Identity(), PARAMS | changes, progress, None, kept)


def parts(net: nn.Module) -> dict[str, checkpoint.Part]:
    return {"network": net}


def saved(net: nn.Module) -> Checkpoint:
    kept = Checkpoint("run", "same")
    assert kept.save(parts(net))
    return kept


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
@pytest.mark.parametrize(
    ("training", "call"), [(True, call) for call in range(1, 2 * STEPS + 1)] + [(False, 1)]
)
def test_interrupted_anywhere_it_ends_with_the_same_bits(
    training: bool, call: int, schedule: str, listening: None, capsys: pytest.CaptureFixture
) -> None:
    """A real signal arrives in the middle of a step, or while the network is validated."""
    undisturbed = network()
    expected = fit(undisturbed, schedule=schedule)

    calls = itertools.count(1)

    def stop(module: nn.Module, inputs: tuple) -> None:
        if module.training == training and next(calls) == call:
            signal.raise_signal(signal.SIGTERM)

    first = network()
    first.register_forward_pre_hook(stop)
    with pytest.raises(interrupts.Interrupted) as caught:
        fit(first, Checkpoint("run", "same"), schedule=schedule)
    epoch = 1 if not training or call <= STEPS else 2
    assert f"interrupted at epoch {epoch} of 2" in caught.value.words

    again = nn.Sequential(*network())
    torch.nn.init.zeros_(again[0].weight)  # all of it comes from the checkpoint
    torch.manual_seed(99)
    history = fit(again, Checkpoint("run", "same"), schedule=schedule)
    done = call if training else STEPS
    assert f"resuming at step {done} of {2 * STEPS}" in capsys.readouterr().err
    assert history.epochs == expected.epochs
    assert torch.equal(history.losses, expected.losses)
    for key, value in undisturbed.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_writing_it_all_the_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0)
    monkeypatch.setattr(checkpoint, "SHARE", 0)
    plain = network()
    expected = fit(plain).losses
    assert torch.equal(fit(network(), Checkpoint("run", "same")).losses, expected)
    content = torch.load("data/checkpoints/run.pt", weights_only=True)
    assert content["parts"]["history"]["done"] == 2 * STEPS
    for key, value in plain.state_dict().items():
        assert torch.equal(content["parts"]["network"][key], value)


def test_a_learning_rate_that_is_a_tensor_stays_the_schedules_own() -> None:
    """As on a GPU, where a recorded step reads it from there."""

    def make(net: nn.Module) -> dict[str, checkpoint.Part]:
        optimizer = torch.optim.Adam(net.parameters(), lr=torch.tensor(0.1), fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10, cycle_momentum=False)
        return {"network": net, "optimizer": optimizer, "schedule": schedule}

    def step(made: dict) -> None:
        made["optimizer"].zero_grad()
        made["network"](torch.ones(2, 5)).sum().backward()
        made["optimizer"].step()
        made["schedule"].step()

    first, second = make(network().eval()), make(network().eval())
    for _ in range(4):
        step(first)
    Checkpoint("run", "same").save(first)
    assert Checkpoint("run", "same").resume(second, CPU)
    for _ in range(3):
        step(first)
        step(second)
    (one,), (other,) = first["optimizer"].param_groups, second["optimizer"].param_groups
    assert torch.equal(one["lr"], other["lr"])
    for a, b in zip(one["params"], other["params"], strict=True):
        assert torch.equal(a, b)


def test_random_states_come_back() -> None:
    torch.manual_seed(5)
    state = Randomness(CPU).state_dict()
    expected = torch.rand(3)
    torch.manual_seed(6)
    Randomness(CPU).load_state_dict(state)
    assert torch.equal(torch.rand(3), expected)


def test_anothers_is_neither_used_nor_lost(folder: Path) -> None:
    saved(network())
    net = network()
    before = net[0].weight.clone().zero_()
    net[0].weight.data.zero_()
    assert not Checkpoint("run", "other").resume(parts(net), CPU)
    assert torch.equal(net[0].weight, before)
    assert Checkpoint("run", "same").resume(parts(net), CPU)
    assert net[0].weight.any()


def test_a_fingerprint_is_of_all_that_the_bits_depend_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code.py").write_text("a = 1")
    monkeypatch.setattr(checkpoint, "CODE", tmp_path)
    monkeypatch.setattr(checkpoint, "code", lambda: [tmp_path / "code.py"])
    net = network()
    images = torch.zeros(4, 28, 28, dtype=torch.uint8)

    def now(**settings: object) -> str:
        return checkpoint.fingerprint({"lr": 0.1} | settings, (images, torch.arange(4)), net, CPU)

    found = [now(), now(lr=0.2)]
    assert now() == found[0]
    images[3, 27, 27] = 1
    found.append(now())
    net[4].bias.data[9] += 1
    found.append(now())
    (tmp_path / "code.py").write_text("a = 2")
    found.append(now())
    monkeypatch.setattr(torch, "__version__", "3.0")
    found.append(now())
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    found.append(now())
    assert len(set(found)) == len(found)


def test_the_code_is_all_that_is_imported_of_the_project() -> None:
    names = [path.relative_to(checkpoint.CODE).as_posix() for path in checkpoint.code()]
    assert {"training/loop.py", "training/checkpoint.py", "system/errors.py"} <= set(names)
    assert all(name.endswith(".py") for name in names)


def cut(path: Path, canary: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path, canary: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path, canary: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entry = max(archive.infolist(), key=lambda info: info.file_size)
    content = bytearray(path.read_bytes())
    content[content.index(b"FB", entry.header_offset + 30 + len(entry.filename)) + 100] ^= 1
    path.write_bytes(content)


def plant(path: Path, canary: Path) -> None:
    torch.save({"fingerprint": "same", "parts": Trap(canary)}, path)


def other(path: Path, canary: Path) -> None:
    torch.save({"state_dict": {}}, path)


@pytest.mark.parametrize("spoil", [cut, empty, flip, plant, other])
def test_a_damaged_one_is_set_aside_and_runs_nothing(
    spoil: object, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    kept = saved(nn.Linear(100, 100))
    spoil(kept.path, tmp_path / "canary")
    assert not kept.resume(parts(nn.Linear(100, 100)), CPU)
    (warning,) = capsys.readouterr().err.splitlines()
    assert "data/checkpoints/run.pt was damaged" in warning
    assert "starts over" in warning
    assert [path.name for path in folder.iterdir()] == ["run.pt.damaged"]
    assert not (tmp_path / "canary").exists()


def test_one_with_another_networks_state_ends_the_run(folder: Path) -> None:
    saved(nn.Linear(3, 3))
    with pytest.raises(UserError, match="run the same command again to start over"):
        Checkpoint("run", "same").resume(parts(network()), CPU)
    assert [path.name for path in folder.iterdir()] == ["run.pt.damaged"]


def test_removed_it_leaves_nothing_but_what_was_set_aside(folder: Path) -> None:
    kept = saved(network())
    (folder / ".run.pt.part").write_bytes(b"half")
    kept.remove()
    assert not folder.exists()
    kept = saved(network())
    (folder / "run.pt.damaged").write_bytes(b"damaged")
    (folder / "run-2.pt").write_bytes(b"another run's")
    kept.remove()
    assert {path.name for path in folder.iterdir()} == {"run.pt.damaged", "run-2.pt"}


def test_it_is_written_by_a_clock_that_takes_the_writing_into_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoint.time, "time", lambda: 0.0)

    class Slow(nn.Linear):
        def state_dict(self) -> dict:
            now[0] += 2
            return super().state_dict()

    kept, net = Checkpoint("run", "same"), Slow(1, 1)
    written = []
    for second in range(1000, 1500):
        now[0] = max(now[0], float(second))
        kept.save_if_due(parts(net))
        if kept.path.exists():
            written.append(second)
            kept.path.unlink()
    assert written == [1030, 1232, 1434]  # 30 s after the start, then 100 times the 2 s


@pytest.mark.parametrize("full", [True, False])
def test_a_training_does_without_one_that_cannot_be_written(
    full: bool, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0)
    monkeypatch.setattr(checkpoint, "SHARE", 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # no file may grow beyond
    else:
        folder.parent.mkdir()
        folder.write_bytes(b"a file where the folder should be")
    try:
        losses = fit(network(), Checkpoint("run", "same")).losses
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert torch.equal(losses, fit(network()).losses)
    reason = "File too large" if full else "File exists"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 * STEPS
    assert all("could not be written" in line and reason in line for line in lines)
    assert not full or not any(folder.iterdir())
