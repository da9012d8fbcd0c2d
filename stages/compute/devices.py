"""Where the work is done, and how it is kept reproducible bit for bit."""

import ctypes
import os
import sys

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # mallopt(3)


def choose() -> torch.device:
    """Take the accelerator if there is one, else the CPU, and ask for deterministic kernels."""
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS: determinism needs it
    # the same as use_deterministic_algorithms, which imports the compiler too: seconds
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "warn")
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads such memory
    keep_memory()
    return device


def keep_memory() -> None:
    """Let the allocator keep freed memory.

    Each step allocates the same activations and gradients anew. glibc returns large ones to the
    system and gets them back as zeroed pages, one fault each: half of Model A's time at 224 pixels.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt:
            mallopt(M_MMAP_MAX, 0)
            mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
