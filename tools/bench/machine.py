"""The machine that the figures were measured on, and its peak speed."""

import datetime
import os
import platform
import time
from pathlib import Path

import torch
from torch.nn import functional


def describe() -> str:
    """Return one line with the machine, the versions and today's date."""
    lines = cpuinfo().splitlines()
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        names[0] if names else platform.processor() or platform.machine(),
        f"{os.cpu_count()} cores ({torch.get_num_threads()} threads)",
        f"{memory:.0f} GiB",
        *([torch.cuda.get_device_name()] if torch.cuda.is_available() else []),
    ]
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{', '.join(parts)}; {versions}; {datetime.date.today()}"


def cpuinfo() -> str:
    """Return what Linux says of the CPUs; "" on other systems."""
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def precisions() -> list[str]:
    """List the precisions with hardware support: fp32 and perhaps bf16."""
    if torch.cuda.is_available():
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        bf16 = "_bf16" in cpuinfo()  # avx512_bf16 or amx_bf16
    return ["fp32", "bf16"] if bf16 else ["fp32"]


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def peak(device: torch.device, precision: str) -> float:
    """Measure for a second the FLOP/s of matrix products; one of n x n takes 2 n^3 FLOPs.

    On a CPU, torch.mm and the same product as a 1 x 1 convolution use different libraries; the
    faster one counts. On CUDA, fp32 may use TF32 where cuDNN's convolutions may.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    n, best = 2048 if device.type == "cpu" else 8192, 0.0
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    a, b = torch.rand(2, n, n, dtype=dtype, device=device)
    pixels = a.t().view(1, n, n // 32, 32).contiguous(memory_format=torch.channels_last)
    for product in (lambda: a @ b, lambda: functional.conv2d(pixels, b.view(n, n, 1, 1))):
        product()
        end = time.perf_counter() + 0.5
        while time.perf_counter() < end:
            synchronize(device)
            start = time.perf_counter()
            product()
            synchronize(device)
            best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best
