"""How a stage that computes with PyTorch begins."""

import importlib

from stages.compute import kernels
from stages.system import errors


def run(stage: str, memory: str = errors.CLOSE) -> None:
    """Fix the kernels that params.yaml asks for, then import a stage's module and call its `main`.

    For the top of that module, when it is run as a program: PyTorch's libraries read which kernels
    to use when they are loaded, so `kernels.fix` comes before the module's own imports.

    Args:
        stage: the module, such as `stages.train`.
        memory: see `errors.run`.
    """

    def main() -> None:
        kernels.fix()
        importlib.import_module(stage).main()

    errors.run(main, memory)
    raise SystemExit
