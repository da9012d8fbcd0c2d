"""Where the work is done, and how it is kept reproducible bit for bit."""

import ctypes
import os
import sys

import torch


def choose() -> torch.device:
    """Take the accelerator if there is one, else the CPU, and ask for deterministic kernels."""
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for cuBLAS to be deterministic
    # same as use_deterministic_algorithms, which also spends seconds importing the compiler
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "warn")
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads such memory
    # Each step allocates the same activations and gradients again. glibc returns large ones to the
    # system and gets them back as zeroed pages, one fault each: half of Model A's time at 224 px.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):  # musl has none
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    return device
