"""Adam and its learning rate schedule."""

import inspect
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR


class Adam(torch.optim.Adam):
    """torch.optim.Adam whose methods lack the wrappers that keep PyTorch's compiler out.

    The wrappers import the compiler for that: a third of the time until the first batch.
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

    `steps` is the length of the training; `captured` is the device if they become CUDA graphs.
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
    # With a long warm-up AlexNet leaves its first plateau, a loss of 2.3, sooner. It takes at least
    # two steps, as OneCycleLR divides by their span.
    warm_up = max(0.2, 2 / steps)
    schedule = OneCycleLR(optimizer, params["lr"], steps, pct_start=warm_up, cycle_momentum=False)
    return optimizer, schedule
