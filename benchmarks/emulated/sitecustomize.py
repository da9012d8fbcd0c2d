"""Keeps torchvision from importing PyTorch's compiler, which takes an emulated CPU a minute.

It asks the compiler one question, whether a GPU's code can be compiled; no CPU's result depends on
the answer. Python imports this file if its folder is on PYTHONPATH.
"""

import sys
from types import ModuleType

compiler, utils = ModuleType("torch._dynamo"), ModuleType("torch._dynamo.utils")
compiler.utils, utils.is_compile_supported = utils, lambda device: False
sys.modules |= {"torch._dynamo": compiler, "torch._dynamo.utils": utils}
