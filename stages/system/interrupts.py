"""Ctrl-C and SIGTERM: a stage ends in one sentence, between pieces of work that must be whole."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SENTENCE = "interrupted; run the same command again"

_holds = 0
_waiting: int | None = None


class Interrupted(BaseException):
    """A person or the machine asked the process to stop; not an error that code may handle.

    Attributes:
        number: the signal's.
        words: the sentence to end with.
    """

    def __init__(self, number: int):
        """Note the signal; whoever keeps what was done so far says so in `words`."""
        super().__init__(number)
        self.number = number
        self.words = SENTENCE


def leave_at_once() -> None:
    """Until `listen`, end on SIGINT or SIGTERM with a sentence: PyTorch takes seconds to import."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)


def listen() -> None:
    """From now on raise Interrupted in the main thread on SIGINT or SIGTERM, once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _receive)


@contextmanager
def held() -> Iterator[None]:
    """Let an interruption wait until the block is left; blocks may lie in one another."""
    global _holds, _waiting
    _holds += 1
    try:
        yield
    finally:
        _holds -= 1
    if _waiting and not _holds:
        number, _waiting = _waiting, None
        raise Interrupted(number)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, f"error: {SENTENCE}\n".encode())
    os._exit(128 + number)  # an exception would end in a traceback through all that is imported


def _receive(number: int, frame: FrameType | None) -> None:
    global _waiting
    # what is kept takes seconds to write: a second Ctrl-C is impatience, while a second SIGTERM
    # often comes with the first, one from the parent and one sent to the whole process group
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if _holds:
        _waiting = number
    else:
        raise Interrupted(number)
