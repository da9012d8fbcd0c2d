"""The same bits, whatever the CPU (`--cpus all` emulates six), its cores and the environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, do, results, run_here, set_params
from killed import OUTPUTS

from stages.compute import kernels
from stages.mnist import images
from stages.system.errors import UserError
from tools import verify

# AMD's Zen 1 to 3 and Intel's since Haswell; qemu has no AVX-512.
CPUS = ["EPYC", "EPYC-Rome", "EPYC-Milan", "Haswell", "Broadwell", "Skylake-Client"]
QEMU, CPUINFO = shutil.which("qemu-x86_64"), Path("/proc/cpuinfo")
HOSTILE = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "SSE4_2", "MKL_DYNAMIC": "TRUE",
           "MKL_NUM_THREADS": "1", "OMP_DYNAMIC": "TRUE", "OMP_NUM_THREADS": "5",
           "OMP_THREAD_LIMIT": "1", "ONEDNN_MAX_CPU_ISA": "SSE41",
           "ONEDNN_DEFAULT_FPMATH_MODE": "ANY"}  # fmt: skip
# Vendor, KiB of each cache and cores that share the third. No CPU has the TINY ones.
EPYC_7742, TINY = "AuthenticAMD 32 512 16384 4", "GenuineIntel 32 16 64 1"
# Batches as large as the default, of the networks whose products are cut to fit caches
LARGE = """
from stages.compute import kernels
kernels.use("portable", 2)
from tools import verify
verify.devices.choose()
for network in ("resnet18", "alexnet", "model_b"):
    print([verify.digest(tensors) for _, tensors in verify.network_parts(network, 256)])
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cpu" in metafunc.fixturenames:
        cpus = metafunc.config.getoption("cpus")
        metafunc.parametrize("cpu", CPUS if cpus == "all" else cpus.split(","))


def ran(here: Path, *command: str, **environment: str) -> str:
    return do(here, *command, PYTHONPATH=str(ROOT), **environment)


def test_only_the_threads_of_params_yaml_change_bits(here: Path) -> None:
    def trained(*prefix: str, **environment: str) -> dict[str, str]:
        ran(here, *prefix, sys.executable, "-m", "stages.train", "model_b", **environment)
        return results(here, *OUTPUTS)

    one = trained()
    set_params(here, threads=2)
    two = trained(**HOSTILE)
    assert two != one
    assert trained("taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))) == two


@pytest.mark.parametrize(("asked", "avx2"), [("native", True), ("portable", False)])
def test_native_kernels_are_left_to_the_libraries(asked, avx2, monkeypatch, capsys) -> None:
    monkeypatch.setattr(os, "environ", HOSTILE.copy())
    monkeypatch.setattr(kernels, "has_avx2", lambda: avx2)
    kernels.use(asked, 3)
    assert os.environ == {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3", "OMP_DYNAMIC": "FALSE",
                          "MKL_DYNAMIC": "FALSE"}  # fmt: skip
    warned = "warning: portable kernels need an x86-64 CPU with AVX2" in capsys.readouterr().err
    assert warned is (asked == "portable")


def test_this_machine_computes_the_committed_bits(here: Path) -> None:
    assert len(ran(here, sys.executable, "-m", "tools.verify").splitlines()) == 14


def test_verify_names_the_first_part_that_changed_code_changes(here: Path, monkeypatch) -> None:
    monkeypatch.setattr(verify, "PATH", here / "verified.json")
    monkeypatch.setattr(verify, "parts", lambda: verify.network_parts("model_a", 4))
    run_here(verify, "--write")
    run_here(verify)
    monkeypatch.setitem(verify.PARAMS, "beta2", 0.999)
    with pytest.raises(UserError, match="first in: training model_a;"):
        run_here(verify)
    prepare = images.prepare
    monkeypatch.setattr(images, "prepare", lambda *args, **size: 1.001 * prepare(*args, **size))
    with pytest.raises(UserError, match="first in: evaluation of model_a;"):
        run_here(verify)


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("cc") and CPUINFO.exists() and "cpuid_fault" in CPUINFO.read_text()),
    reason="no C compiler, or no cpuid_fault in /proc/cpuinfo, to pretend another CPU",
)
def test_caches_and_other_cores_change_no_bit(here: Path, tmp_path: Path) -> None:
    command, library = (sys.executable, "-c", LARGE), str(tmp_path / "cpuid.so")
    source = Path(__file__).with_name("cpuid.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    expected = ran(here, *command)
    assert ran(here, *command, LD_PRELOAD=library, CPUID=EPYC_7742) == expected
    assert ran(here, *command, LD_PRELOAD=library, CPUID=TINY) != expected


@pytest.mark.slow
@pytest.mark.skipif(not QEMU, reason="no qemu-x86_64: install qemu-user, as .ci/run does")
def test_another_cpu_computes_the_committed_bits(cpu: str, here: Path) -> None:
    # the interpreter itself, called by its name in .venv, where it finds what is installed
    python = ["-0", sys.executable, os.path.realpath(sys.executable)]
    # emulated threads that wait actively for each other get nowhere
    ran(here, QEMU, "-cpu", cpu, *python, "-m", "tools.verify", OMP_WAIT_POLICY="passive")
