"""What the figures were measured on, and the most it could do."""

import datetime
import os
import platform
import time
from pathlib import Path

import torch
from torch.nn import functional


def describe() -> str:
    """Say in one line what machine, what versions and what day this is."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    parts = [names[0] if names else platform.processor() or platform.machine()]
    parts.append(f"{os.cpu_count()} cores ({torch.get_num_threads()} threads)")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    parts.append(f"{memory / 2**30:.0f} GiB")
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{', '.join(parts)}; {versions}; {datetime.date.today()}"


def precisions() -> list[str]:
    """List the precisions that the hardware itself computes in: fp32 and, if so, bf16."""
    if torch.cuda.is_available():
        bf16 = torch.cuda.is_bf16_supported()
    else:
        cpuinfo = Path("/proc/cpuinfo")
        flags = cpuinfo.read_text() if cpuinfo.exists() else ""
        bf16 = "avx512_bf16" in flags or "amx_bf16" in flags
    return ["fp32", "bf16"] if bf16 else ["fp32"]


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def peak(device: torch.device, precision: str, seconds: float = 1.0) -> float:
    """Measure the FLOP/s of the fastest matrix product found: a multiplication is 2 n^3.

    On a CPU torch.mm and a 1 x 1 convolution, the same product, go to different libraries; the
    better counts. On CUDA fp32 may be TF32 wherever cuDNN's convolutions may, for fairness.
    """
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    best = 0.0
    tf32 = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    for n in (1024, 2048) if device.type == "cpu" else (4096, 8192):
        a, b = (torch.rand(n, n, dtype=dtype, device=device) for _ in range(2))
        pixels = a.t().view(1, n, n // 32, 32).contiguous(memory_format=torch.channels_last)
        kernels = b.view(n, n, 1, 1)
        for product in (lambda: a @ b, lambda: functional.conv2d(pixels, kernels)):  # noqa: B023
            product()
            end = time.perf_counter() + seconds / 4
            while time.perf_counter() < end:
                synchronize(device)
                start = time.perf_counter()
                product()
                synchronize(device)
                best = max(best, 2 * n**3 / (time.perf_counter() - start))
    torch.backends.cuda.matmul.allow_tf32 = tf32
    return best
