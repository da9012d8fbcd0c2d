"""How a stage ends: its exit code and its one sentence."""

import errno
import signal

import pytest
import torch
from helpers import ROOT, run

from stages.system import errors, interrupts

MEMORY = "out of memory: lower batch_size and run again"
INTERRUPTED = "interrupted; run the same command again"


def end_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise error

    monkeypatch.setattr(interrupts, "leave_at_once", lambda: None)  # signals are pytest's here
    errors.run(main, "lower batch_size")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (errors.UserError("lr is 0"), 1, "lr is 0"),
        (OSError(errno.ENOSPC, "No space left on device", "a.pt"), 1,
         "[Errno 28] No space left on device: 'a.pt': free disk space and run again"),
        (MemoryError(), 1, MEMORY),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 1, MEMORY),
        (RuntimeError("could not create a primitive"), 1, MEMORY),  # oneDNN, address space limited
        (RuntimeError("CUDA error: out of memory"), 1, MEMORY),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), 1, MEMORY),
        (interrupts.Interrupted(signal.SIGINT), 130, INTERRUPTED),
        (interrupts.Interrupted(signal.SIGTERM, "interrupted at epoch 1"), 143,
         "interrupted at epoch 1"),
    ],
)  # fmt: skip
def test_a_failure_that_a_user_can_cause_ends_in_one_sentence(
    error: Exception, code: int, sentence: str, monkeypatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        end_with(error, monkeypatch)
    assert ended.value.code == code
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_a_bug_ends_in_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError) as unsupported:  # in oneDNN's own words
        torch.ops.mkldnn._linear_pointwise(torch.ones(2, 3), torch.ones(4, 5), None, "none", [], "")
    assert "could not create a primitive descriptor" in str(unsupported.value)
    illegal = RuntimeError("CUDA error: an illegal memory access was encountered")
    for error in (unsupported.value, illegal, KeyError("lr")):
        with pytest.raises(type(error)):
            end_with(error, monkeypatch)


TWICE = """import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as without nohup
from stages.system import errors, interrupts
with interrupts.noted() as check:
    signal.raise_signal({0}), signal.raise_signal({0})
    errors.run(check)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -2)]
)
def test_a_second_signal_ends_a_training_only_if_it_is_impatience(number: int, code: int) -> None:
    result = run(ROOT, "python", "-c", TWICE.format(number))
    assert result.returncode == code
    assert result.stderr == ("" if code < 0 else f"error: {INTERRUPTED}\n")
