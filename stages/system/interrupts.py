"""Ctrl-C and SIGTERM end a stage in one sentence; training keeps a checkpoint first."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SENTENCE = "interrupted; run the same command again"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):  # noqa: N818 - not an error
    """A signal asked the process to stop; str() is the sentence to end with."""

    def __init__(self, number: int, sentence: str = SENTENCE):
        """Note the signal's number."""
        super().__init__(sentence)
        self.number = number


def leave_at_once() -> None:
    """End on SIGINT or SIGTERM with a sentence.

    Not by an exception: it would end in a traceback through whatever is being imported. Results are
    written whole or not at all, so nothing is lost by it.
    """
    for number in SIGNALS:
        signal.signal(number, _leave)


@contextmanager
def noted() -> Iterator[Callable[[], None]]:
    """Only note SIGINT and SIGTERM within the block.

    Yields:
        A function that raises Interrupted once one of them has come.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        # A checkpoint takes seconds to write: a second Ctrl-C is impatience, while a second SIGTERM
        # often comes with the first, one from the parent and one sent to the process group.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def check() -> None:
        if received:
            raise Interrupted(received[0])

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, f"error: {SENTENCE}\n".encode())
    os._exit(128 + number)
