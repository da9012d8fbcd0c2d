"""The same bits, whatever the CPU, its cores and the environment."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import emulation
import pytest
from helpers import ROOT, refusal, results, run, run_stage, set_params
from killed import OUTPUTS

from stages.compute import kernels
from tools import verify

AMD, INTEL, WITHOUT_AVX2 = "EPYC-Milan", "Haswell", "Nehalem"
SAME = "the same bits as committed\n"
HOSTILE = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "SSE4_2", "MKL_DYNAMIC": "TRUE",
           "MKL_NUM_THREADS": "1", "OMP_DYNAMIC": "TRUE", "OMP_THREAD_LIMIT": "1",
           "ONEDNN_MAX_CPU_ISA": "SSE41", "ONEDNN_DEFAULT_FPMATH_MODE": "ANY"}  # fmt: skip
# vendor, KiB of each cache and cores that share the third, as of a Core i7-4770 (Haswell), a Xeon
# Platinum 8180 (Skylake) and an EPYC 7742 (Rome); with TINY ones, which no CPU has, bits change
CACHES = ["GenuineIntel 32 256 8192 4", "GenuineIntel 32 1024 39424 28",
          "AuthenticAMD 32 512 16384 4"]  # fmt: skip
TINY = "GenuineIntel 32 16 64 1"
# A training that gets a signal after its first step
STOPPED = """
import signal
from stages.system import errors
from stages.compute import kernels
errors.run(kernels.fix)
from stages import train
from stages.system.progress import Progress
Progress.step = lambda *_: signal.raise_signal(signal.SIGTERM)
errors.run(train.main)
"""


@pytest.fixture
def here(here: Path) -> Path:
    set_params(here, threads=2)
    return here


def trained(here: Path, *command: str, **environment: str) -> dict[str, str]:
    training = [*command, sys.executable, "-m", "stages.train", "model_b"]
    result = run(here, *training, PYTHONPATH=str(ROOT), **environment)
    assert (result.returncode, result.stderr) == (0, "")
    return results(here, *OUTPUTS)


def test_threads_cores_and_environment_change_no_bit(here: Path) -> None:
    expected = trained(here)
    assert len(expected) == 5
    for threads in ("1", "2", "5"):
        assert trained(here, OMP_NUM_THREADS=threads) == expected
    assert trained(here, **HOSTILE) == expected
    core = str(min(os.sched_getaffinity(0)))
    assert trained(here, "taskset", "--cpu-list", core) == expected


@emulation.pretended
def test_caches_and_other_cores_change_no_bit(here: Path, tmp_path: Path) -> None:
    """Not even with batches as large as the default: oneDNN cuts work to fit caches."""

    def computed(**environment: str) -> str:
        verify = ("tools.verify", "--images", "256")
        result = run_stage(*verify, cwd=here, PYTHONPATH=str(ROOT), **environment)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    expected, library = computed(), str(emulation.pretence(tmp_path))
    for cpu in CACHES:
        assert computed(LD_PRELOAD=library, CPUID=cpu) == expected, cpu
    assert computed(LD_PRELOAD=library, CPUID=TINY) != expected


def test_threads_are_a_param_because_they_do(here: Path) -> None:
    two = trained(here)
    set_params(here, threads=1)
    one = trained(here)
    (model,) = [path for path in two if path.endswith(".pt")]
    assert two[model] != one[model]


def test_native_kernels_are_left_to_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", HOSTILE.copy())
    kernels.use("native", 3)
    assert os.environ == {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3", "OMP_DYNAMIC": "FALSE",
                          "MKL_DYNAMIC": "FALSE"}  # fmt: skip


def test_this_machine_computes_the_committed_bits(here: Path) -> None:
    found = run_stage("tools.verify", cwd=here, PYTHONPATH=str(ROOT))
    assert (found.returncode, found.stderr) == (0, SAME)
    assert len(found.stdout.splitlines()) == len(json.loads(verify.PATH.read_text()))


@pytest.mark.parametrize(
    ("name", "right", "wrong", "part"),
    [
        ("models/layers/linear.py", "left, right,", "left, 1.01 * right,", "linear layer"),
        ("models/layers/convolution.py", "cat(places)", "cat(places) * 1.01", "convolution"),
        ("training/optimizer.py", '0.9, params["beta2"]', "0.9, 0.9801", "training resnet18"),
    ],
)  # fmt: skip
def test_it_names_the_part_that_differs(
    name: str, right: str, wrong: str, part: str, workspace: Path
) -> None:
    path = workspace / "stages" / name
    content = path.read_text()
    assert right in content
    path.write_text(content.replace(right, wrong))
    line = refusal(run_stage("tools.verify", cwd=workspace))
    assert f"first in: {part};" in line


@emulation.needed
def test_an_amd_and_an_intel_compute_the_committed_bits(here: Path) -> None:
    started = [emulation.start(cpu, "-m", "tools.verify", cwd=here) for cpu in (AMD, INTEL)]
    for process in started:
        assert emulation.end(process) == SAME


@emulation.needed
def test_a_training_goes_on_on_another_cpu(here: Path) -> None:
    undisturbed = trained(here)
    for folder in OUTPUTS:
        shutil.rmtree(folder)
    stopped = run(here, "python", "-c", STOPPED, "model_b", PYTHONPATH=str(ROOT))
    assert stopped.returncode == 128 + signal.SIGTERM
    other = emulation.start(AMD, "-m", "stages.train", "model_b", cwd=here)
    assert emulation.end(other).startswith("resuming at step 1 of ")
    assert results(here, *OUTPUTS) == undisturbed


@emulation.needed
def test_without_avx2_it_says_so_and_computes_natively(here: Path) -> None:
    code = "from stages.training import kernels; kernels.fix(); import os; print(os.environ)"
    old = emulation.start(WITHOUT_AVX2, "-c", code, cwd=here)
    printed, error = old.communicate()
    assert "warning: portable kernels need an x86-64 CPU with AVX2" in error
    assert not any(name in printed for name in kernels.PORTABLE)
    assert "'OMP_NUM_THREADS': '2'" in printed
