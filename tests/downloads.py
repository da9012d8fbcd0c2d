"""What the tests of downloading share: content with its pin, and an address nobody answers at."""

import hashlib
import socket

from stages.mnist.files import Pin

CONTENT = bytes(range(256)) * 400


def pin(content):
    return Pin(len(content), hashlib.sha256(content).hexdigest())


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
