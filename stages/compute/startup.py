"""Starting up without PyTorch's compiler."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without_compiler() -> Iterator[None]:
    """Keep torchvision from importing PyTorch's compiler, half of the time until the first batch.

    It only asks whether an operator can be compiled that no network here has.
    """
    name = "torch._dynamo"
    if name in sys.modules or "torchvision" in sys.modules:
        yield
        return
    utils = ModuleType(f"{name}.utils")
    utils.is_compile_supported = lambda device: False
    sys.modules |= {name: ModuleType(name), utils.__name__: utils}
    try:
        yield
    finally:
        del sys.modules[name], sys.modules[utils.__name__]
