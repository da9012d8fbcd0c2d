"""Adam and its learning rate schedule."""

import inspect
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

# The part of a one-cycle schedule that warms up: AlexNet leaves its first plateau, a loss of 2.3,
# sooner with a long one.
WARM_UP = 0.2


class Adam(torch.optim.Adam):
    """torch.optim.Adam without PyTorch's compiler.

    These methods are wrapped to keep the compiler out of them, and import it for that: a third of
    the time until the first batch.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    load_state_dict = torch.no_grad()(inspect.unwrap(torch.optim.Adam.load_state_dict))
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)


def configure_optimizer(
    network: nn.Module, params: dict[str, Any], steps: int, captured: torch.device | None
) -> tuple[Adam, OneCycleLR | None]:
    """Make the optimizer of the parameters that require a gradient, and its schedule, if any.

    Args:
        network: on the device that it is trained on.
        params: lr, schedule, beta2.
        steps: of the whole training.
        captured: the device, if steps will be recorded there: the learning rate has to be there.
    """
    optimizer = Adam(
        [parameter for parameter in network.parameters() if parameter.requires_grad],
        lr=torch.tensor(float(params["lr"]), device=captured) if captured else params["lr"],
        betas=(0.9, params["beta2"]),
        fused=True,
        capturable=captured is not None,
    )
    if params["schedule"] == "constant" or steps == 1:
        return optimizer, None
    warm_up = max(WARM_UP, 2 / steps)  # two steps at least: OneCycleLR divides by their span
    schedule = OneCycleLR(optimizer, params["lr"], steps, pct_start=warm_up, cycle_momentum=False)
    return optimizer, schedule
