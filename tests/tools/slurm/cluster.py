"""A Slurm cluster of two nodes on the loopback interface, for as long as a test lasts.

Each node has a hostname, process numbers, /tmp and /var/tmp of its own; all that it shares with
this machine, the login node, is one folder, `a disk`.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import ROOT, do

HERE = Path(__file__).parent
NODES = {"node1", "node2"}
NAMESPACES = ["unshare", "--uts", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
# How a node mounts the disk.
SHARED, INVISIBLE = "mount --bind", "true"
LOCAL_LOCKS = "bindfs -o attr_timeout=0,entry_timeout=0,negative_timeout=0"


@dataclass
class Cluster:
    """Two nodes, and the daemon that keeps their queue."""

    folder: Path
    processes: dict[str, subprocess.Popen]

    def cut(self, node: str) -> None:
        """Cut a node's power: nothing on it gets a chance to end."""
        self.processes[node].kill()
        self.processes[node].wait()

    def ask(self, *command: str) -> str:
        return do(self.folder, *command).rstrip("\n")

    def jobs(self) -> dict[str, str]:
        """Return the node of each queued or running job by its name, "" if it has none."""
        lines = self.ask("squeue", "--noheader", "--format=%j %N").splitlines()
        return dict(line.split(" ") for line in lines)

    def finish(self) -> set[tuple[str, str]]:
        """Wait until no job is left; return the jobs that were seen running, each with its node."""
        ran: set[tuple[str, str]] = set()
        self.wait(lambda: ran.update(self.jobs().items()) or not self.jobs())
        return ran

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds; fail, with what the daemons wrote, if it never does."""
        deadline = time.monotonic() + 600
        while not condition():
            told = "".join(path.read_text() for path in self.folder.glob("*.out"))
            assert time.monotonic() < deadline, told
            time.sleep(0.2)


@contextmanager
def running(tmp_path: Path, mount: str = SHARED) -> Iterator[Cluster]:
    if not all(map(shutil.which, ("slurmctld", "slurmd", "sbatch", "bindfs"))):
        pytest.skip("no Slurm, or no bindfs: install them, as .ci/run does")
    if subprocess.run([*NAMESPACES, "true"]).returncode:
        pytest.skip("only root may start nodes in namespaces of their own")
    folder, host = tmp_path / "cluster", socket.gethostname().split(".")[0]
    (folder / "state").mkdir(parents=True)
    (folder / "hosts").write_text(f"127.0.0.1 localhost {host} {' '.join(NODES)}\n")
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        values = {"host": host, "ports": [one.getsockname()[1] for one in free], "folder": folder}
    (folder / "slurm.conf").write_text((HERE / "slurm.conf").read_text().format(**values))
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    commands = {"slurmctld": ["slurmctld", "-D", "-c"]}
    for node in NODES:
        arguments = map(str, (HERE / "node.sh", node, folder, mount, tmp_path / "a disk", ROOT))
        commands[node] = [*NAMESPACES, *arguments]
    nodes = Cluster(folder, {})
    try:
        for name, command in commands.items():
            with (folder / f"{name}.out").open("w") as output:
                nodes.processes[name] = subprocess.Popen(command, stdout=output, stderr=output)
        nodes.wait(lambda: nodes.ask("sinfo", "--noheader", "--states=idle", "--format=%D") == "2")
        yield nodes
    finally:
        for process in nodes.processes.values():
            process.kill()
            process.wait()
        del os.environ["SLURM_CONF"]
