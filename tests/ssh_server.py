"""OpenSSH's server on the loopback interface, for as long as a test lasts."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))

CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
StrictModes no
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, Path]]:
    """Run sshd with new keys in `folder`; yield its port, and the private key that it lets in."""
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(command, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(CONFIGURATION.format(port=port, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd needs it; booting makes it
    command = [SSHD, "-D", "-f", folder / "sshd_config", "-E", folder / "log"]
    server = subprocess.Popen(command)
    try:
        for _ in range(300):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    assert connection.recv(4) == b"SSH-"
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        yield port, folder / "client"
    finally:
        server.terminate()
        server.wait()
