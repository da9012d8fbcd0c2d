"""A Slurm cluster of two nodes on the loopback interface, for as long as a test lasts.

Each node has a hostname, process numbers, /tmp and /var/tmp of its own; all that it shares with
this machine, the login node, is one folder.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from helpers import ROOT, do

HERE = Path(__file__).parent
NODES = {"node1", "node2"}
NAMESPACES = ["unshare", "--uts", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
SHARED = "mount --bind"
LOCAL_LOCKS = "bindfs -o attr_timeout=0,entry_timeout=0,negative_timeout=0"
INVISIBLE = "true"


def missing() -> str:
    """Say why no cluster can be started here, "" if one can."""
    if not (shutil.which("slurmctld") and shutil.which("slurmd") and shutil.which("bindfs")):
        return "no Slurm: install slurmctld, slurmd, slurm-client and bindfs, as .ci/run does"
    allowed = subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode == 0
    return "" if allowed else "only root may make namespaces here"


class Cluster:
    """Two nodes, and the daemon that keeps their queue."""

    def __init__(self, folder: Path, processes: dict[str, subprocess.Popen]):
        self.folder, self.processes = folder, processes

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
def running(folder: Path, shared: Path, mount: str = SHARED) -> Iterator[Cluster]:
    """Run a cluster that has its files in `folder`; its nodes get `shared` by a command."""
    host = socket.gethostname().split(".")[0]
    (folder / "state").mkdir(parents=True)
    (folder / "hosts").write_text(f"127.0.0.1 localhost {host} {' '.join(NODES)}\n")
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [one.getsockname()[1] for one in free]
    text = (HERE / "slurm.conf").read_text()
    (folder / "slurm.conf").write_text(text.format(host=host, ports=ports, folder=folder))
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    commands: dict[str, list] = {"slurmctld": ["slurmctld", "-D", "-c"]}
    for node in NODES:
        (folder / node).mkdir()
        commands[node] = [*NAMESPACES, HERE / "node.sh", node, folder, mount, shared, ROOT]
    processes = {}
    try:
        for name, command in commands.items():
            with (folder / f"{name}.out").open("w") as output:
                processes[name] = subprocess.Popen(command, stdout=output, stderr=output)
        nodes = Cluster(folder, processes)
        nodes.wait(lambda: nodes.ask("sinfo", "--noheader", "--states=idle", "--format=%D") == "2")
        yield nodes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
        del os.environ["SLURM_CONF"]
