"""Ctrl-C, SIGTERM and SIGHUP end a stage in one sentence; training keeps a checkpoint first."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SENTENCE = "interrupted; run the same command again"
SIGNALS = [signal.SIGINT, signal.SIGTERM]
if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
    SIGNALS.append(signal.SIGHUP)  # the terminal was closed


class Interrupted(Exception):  # noqa: N818 - not an error
    """A signal asked the process to stop; str() is the sentence to end with."""

    def __init__(self, number: int, sentence: str = SENTENCE):
        super().__init__(sentence)
        self.number = number


def leave_at_once() -> None:
    """Exit with a sentence on one of the SIGNALS.

    An exception would end in a traceback through whatever is being imported. Results are written
    whole or not at all, so leaving at once loses nothing.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):  # the terminal is gone
            os.write(2, f"error: {SENTENCE}\n".encode())
        os._exit(128 + number)

    for number in SIGNALS:
        signal.signal(number, leave)


@contextmanager
def noted() -> Iterator[Callable[[], None]]:
    """Only note the SIGNALS within the block; yield what raises Interrupted after one."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        # Writing a checkpoint takes seconds. A second Ctrl-C is impatience; the others often come
        # twice, one from the parent and one sent to the process group.
        for other in SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def check() -> None:
        if received:
            raise Interrupted(received[0])

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
