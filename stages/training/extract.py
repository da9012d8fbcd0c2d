"""Feature extraction: the backbone frozen, its features computed once, the head trained on them."""

from collections.abc import Callable

from torch import Tensor, nn

from stages.compute.inference import predict
from stages.training.loop import Data


def freeze(
    network: nn.Module, head: str, data: Data, prepare: Callable[[Tensor], Tensor], precision: str
) -> tuple[nn.Module, Data]:
    """Split a network into its head, still to be trained, and the features that the head reads.

    Args:
        network: on the data's device; left in eval mode, all but the head without gradients.
        head: the name of its last layer, such as `classifier.6`.
        data: images, which `prepare` turns into the network's input.
        prepare: see `loop.fit`.
        precision: fp32 or bf16, for the features.

    Returns:
        The head, a module of `network`, and the data with (N, features) float32 inputs.
    """
    network.requires_grad_(False)
    layer = network.get_submodule(head)
    network.set_submodule(head, nn.Identity())
    features = [
        predict(network, images, prepare, precision) if len(images) else images
        for images in (data.inputs, data.validation_inputs)
    ]
    network.set_submodule(head, layer)
    layer.requires_grad_(True)
    return layer, Data(features[0], data.labels, features[1], data.validation_labels)
