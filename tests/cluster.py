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
from contextlib import contextmanager
from pathlib import Path

from helpers import ROOT, do

NODES = ("node1", "node2")
NAMESPACES = ["unshare", "--uts", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
SlurmdTimeout=10
KillWait=15
NodeName=node1 NodeHostname=node1 NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory=12000
NodeName=node2 NodeHostname=node2 NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory=12000
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
"""

# Arguments: the node, the cluster's folder, how to mount what is shared, what is shared, the tests.
HOST = """
set -e
hostname $0
echo ${0#node}0000 > /proc/sys/kernel/ns_last_pid  # as after months: no number is on both nodes
root=$1/$0/root
mount --bind "$1/hosts" /etc/hosts
mkdir -p "$root/tmp" "$root/var/tmp" "$root$1" "$root$3" "$root$4"
mount --rbind "$1" "$root$1"
mount --rbind "$4" "$root$4"
$2 "$3" "$root$3"
mount --rbind "$root/var/tmp" /var/tmp
mount --rbind "$root/tmp" /tmp
exec slurmd -D -N $0
"""
BIND = "mount --bind"
BINDFS = "bindfs -o attr_timeout=0,entry_timeout=0,negative_timeout=0"  # a lock holds on one node
NOTHING = "true"


def missing() -> str:
    """Say why no cluster can be started here, "" if one can."""
    for program in ("slurmctld", "slurmd", "sbatch", "bindfs"):
        if not shutil.which(program):
            return f"no {program}: install slurmctld, slurmd, slurm-client, bindfs, as .ci/run does"
    allowed = subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode == 0
    return "" if allowed else "namespaces and mounts of its own need root"


class Cluster:
    """Two nodes, and the daemon that keeps their queue; `shared` is what all of them see."""

    def __init__(self, folder: Path, shared: Path, mount: str, cpus: int):
        self.folder, self.shared, self.mount = folder, shared, mount
        self.processes: dict[str, subprocess.Popen] = {}
        host = socket.gethostname().split(".")[0]
        free = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [one.getsockname()[1] for one in free]
        for one in free:
            one.close()
        (folder / "state").mkdir(parents=True)
        (folder / "hosts").write_text(f"127.0.0.1 localhost {host} {' '.join(NODES)}\n")
        text = CONFIGURATION.format(host=host, ports=ports, folder=folder, cpus=cpus)
        self.configuration = folder / "slurm.conf"
        self.configuration.write_text(text)

    def start(self) -> None:
        self._spawn("slurmctld", ["slurmctld", "-D", "-c"])
        for node in NODES:
            (self.folder / node).mkdir()
            arguments = [node, self.folder, self.mount, self.shared, ROOT]
            self._spawn(node, [*NAMESPACES, "bash", "-c", HOST, *map(str, arguments)])
        self.wait(lambda: self.ask("sinfo", "--noheader", "--states=idle", "--format=%D") == "2")

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("w") as output:
            self.processes[name] = subprocess.Popen(command, stdout=output, stderr=output)

    def cut(self, node: str) -> None:
        """Cut a node's power: nothing on it gets a chance to end."""
        self.processes[node].kill()
        self.processes[node].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def ask(self, *command: str) -> str:
        return do(self.shared, *command).rstrip("\n")

    def jobs(self) -> dict[str, str]:
        """Return the node of each queued or running job by its name, "" if it has none."""
        lines = self.ask("squeue", "--noheader", "--format=%j %N").splitlines()
        return dict(line.split(" ") for line in lines)

    def number(self, job: str) -> str:
        return self.ask("squeue", "--noheader", f"--name={job}", "--format=%i")

    def finish(self) -> set[tuple[str, str]]:
        """Wait until no job is left; return the jobs that were seen running, each with its node."""
        ran: set[tuple[str, str]] = set()

        def over() -> bool:
            jobs = self.jobs()
            ran.update((name, node) for name, node in jobs.items() if node)
            return not jobs

        self.wait(over)
        return ran

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds; fail, with what the daemons wrote, if it never does."""
        deadline = time.monotonic() + 600
        while not condition():
            assert time.monotonic() < deadline, self.told()
            assert self.processes["slurmctld"].poll() is None, self.told()
            time.sleep(0.2)

    def told(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.out")))


@contextmanager
def running(folder: Path, shared: Path, mount: str = BIND, cpus: int = 1) -> Iterator[Cluster]:
    cluster = Cluster(folder, shared, mount, cpus)
    os.environ["SLURM_CONF"] = str(cluster.configuration)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        del os.environ["SLURM_CONF"]
