"""How a stage that computes with PyTorch begins."""

import importlib
import sys

from stages.compute import kernels
from stages.system import errors


def run(stage: str, memory: str = errors.CLOSE) -> None:
    """Fix the kernels that params.yaml asks for, import the module `stage` and call its `main`.

    For the top of that module when it is run as a program: PyTorch's libraries choose their kernels
    when they are loaded, so `kernels.fix` comes before its imports. `memory`: see `errors.run`.
    """

    def main() -> None:
        kernels.fix()
        importlib.import_module(stage).main()

    errors.run(main, memory)
    sys.exit()
