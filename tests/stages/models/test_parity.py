"""The networks against plain PyTorch versions with the same state dict."""

import pytest
import torch
from torch.nn import functional

from stages import models
from tools.bench import notebook

CASES = [
    ("resnet18", {"image_size": 224, "stem": "fresh"}),
    ("resnet18", {"image_size": 32, "stem": "pretrained"}),
    ("resnet18", {"image_size": 1}),
    ("alexnet", {"image_size": 63}),
    ("alexnet", {"image_size": 72, "dropout": 0}),
    ("alexnet", {"image_size": 224, "dropout": 0}),
    ("alexnet", {"image_size": 256, "dropout": 0}),
    pytest.param("vgg16", {"image_size": 32}, marks=pytest.mark.slow),
    *[("model_a", {"image_size": size, "activation": "relu"}) for size in (2, 29, 224)],
    ("model_b", {"image_size": 4, "activation": "relu"}),
    ("model_b", {"image_size": 29, "activation": "sigmoid"}),
    ("model_b", {"image_size": 224, "activation": "tanh"}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_state_dict_gives_the_same_logits_and_gradients(name: str, options: dict) -> None:
    torch.manual_seed(1)
    ours = models.build(name, **options).eval()
    with torch.device("meta"):  # no time for weights that are replaced
        theirs = notebook.build(name, **options).eval()
    theirs.load_state_dict(ours.state_dict(), assign=True)
    images = torch.rand(3, 1, options["image_size"], options["image_size"]) * 2 - 1
    images[1].clamp_(min=0.5)  # constant in places, like a digit's background: equal maxima
    with torch.inference_mode():
        expected = theirs(images.expand(-1, 3, -1, -1))
        for channels in (1, 3):
            logits = ours(images.expand(-1, channels, -1, -1))
            assert logits.shape == (3, 10)
            torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    # in float64, to compare the formula and not its rounding
    ours, theirs, images = ours.double(), theirs.double(), images.double()
    labels = torch.tensor([3, 1, 4])
    functional.cross_entropy(ours(images), labels).backward()
    functional.cross_entropy(theirs(images.expand(-1, 3, -1, -1)), labels).backward()
    for (key, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, msg=lambda m, key=key: f"{key}: {m}")
