"""How a stage ends: its exit code and its one sentence."""

import errno
import signal
import subprocess
import sys

import pytest
from helpers import ROOT

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


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA error: an illegal memory access was encountered"), KeyError("lr")]
)
def test_a_bug_ends_in_a_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(error)):
        end_with(error, monkeypatch)


ONCE = "errors.run(lambda: signal.raise_signal({0}))"
TWICE = """
with interrupts.noted() as check:
    signal.raise_signal({0})
    signal.raise_signal({0})
    errors.run(check)
"""


@pytest.mark.parametrize(
    ("script", "number", "code"),
    [
        (ONCE, signal.SIGTERM, 143),
        (ONCE, signal.SIGINT, 130),
        (TWICE, signal.SIGTERM, 143),
        (TWICE, signal.SIGINT, -signal.SIGINT),  # impatience
    ],
)
def test_a_signal_ends_a_stage(script: str, number: int, code: int) -> None:
    begin = "import signal\nfrom stages.system import errors, interrupts\n"
    command = [sys.executable, "-c", begin + script.format(number)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == code
    assert result.stderr == ("" if code < 0 else f"error: {INTERRUPTED}\n")
