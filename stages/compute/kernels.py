"""Which CPU kernels compute, and with how many threads: what decides the last bits of a result.

A sum depends on its order. On a CPU four things decide it: the number of threads that share it, and
which kernels ATen (PyTorch's own), oneDNN (convolutions, linear layers) and MKL (other matrix
products) choose. `kernels: portable` limits these to what every x86-64 CPU with AVX2 has. The
libraries read the variables when they are loaded, so this module must not import PyTorch.
"""

import importlib
import os
import sys

from stages.system import errors, messages, params

PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",  # MKL does not honour AVX2 on AMD
}
# Other variables that would change sums: a limit on threads, products in bfloat16.
OTHERS = ("DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS",
          "ONEDNN_DEFAULT_FPMATH_MODE", "OMP_THREAD_LIMIT")  # fmt: skip


def run(stage: str, memory: str = errors.CLOSE) -> None:
    """Fix the kernels, only then import a stage and with it PyTorch, and `errors.run` its main."""

    def main() -> None:
        fix()
        importlib.import_module(stage).main()

    errors.run(main, memory)
    sys.exit()


def fix() -> None:
    """Set what params.yaml asks for, whatever the environment says."""
    values = params.read()
    use(values["kernels"], values["threads"])


def use(kernels: str, threads: int) -> None:
    """Set the libraries' variables for `portable` or `native` kernels and that many threads."""
    for name in (*PORTABLE, *OTHERS):
        os.environ.pop(name, None)
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    os.environ |= dict.fromkeys(("OMP_DYNAMIC", "MKL_DYNAMIC"), "FALSE")  # else fewer when busy
    if kernels == "portable" and has_avx2():
        os.environ |= PORTABLE
    elif kernels == "portable":
        messages.warn("no portable kernels")


def has_avx2() -> bool:
    """Tell whether this is an x86-64 CPU with AVX2 and FMA, part of what NumPy calls X86_V3."""
    import numpy  # not at the top: it reads the threads' variables when it is loaded

    # found: what this CPU has beyond NumPy's baseline, without which NumPy does not even load
    extensions = numpy.show_config(mode="dicts")["SIMD Extensions"]
    return "X86_V3" in (*extensions.get("baseline", ()), *extensions.get("found", ()))
