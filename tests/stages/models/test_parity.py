"""The networks against plain PyTorch versions with the same state dict."""

import pytest
import torch
from torch.nn import functional

from stages import models
from tools.bench import notebook

CASES = [
    ("resnet18", {"image_size": 224, "stem": "fresh"}),
    ("resnet18", {"image_size": 32, "stem": "pretrained"}),
    ("resnet18", {"image_size": 28}),
    ("resnet18", {"image_size": 1}),
    ("alexnet", {"image_size": 224}),
    ("alexnet", {"image_size": 63}),
    ("alexnet", {"image_size": 72, "dropout": 0}),
    ("alexnet", {"image_size": 128, "dropout": 0}),
    ("alexnet", {"image_size": 224, "dropout": 0}),
    ("alexnet", {"image_size": 256, "dropout": 0}),
    ("vgg16", {"image_size": 32}),
    *[
        (name, {"image_size": size, "activation": activation})
        for name in ("model_a", "model_b")
        for size in (224, 29)
        for activation in ("relu", "sigmoid", "tanh")
    ],
    ("model_a", {"image_size": 2}),
    ("model_b", {"image_size": 4}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_state_dict_gives_the_same_logits_and_gradients(name: str, options: dict) -> None:
    torch.manual_seed(1)
    ours = models.build(name, **options).eval()
    with torch.device("meta"):  # no time for weights that are replaced
        theirs = notebook.build(name, **options).eval()
    theirs.load_state_dict(ours.state_dict(), assign=True)
    images = torch.rand(3, 1, options["image_size"], options["image_size"]) * 2 - 1
    images[1].clamp_(min=0.5)  # constant in places, as a digit's background: equal maxima
    with torch.inference_mode():
        expected = theirs(images.expand(-1, 3, -1, -1))
        for channels in (1, 3):
            logits = ours(images.expand(-1, channels, -1, -1))
            assert logits.shape == (3, 10)
            torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    # in float64, so that what is compared is the formula and not its rounding
    ours, theirs, images = ours.double(), theirs.double(), images.double()
    labels = torch.tensor([3, 1, 4])
    functional.cross_entropy(ours(images), labels).backward()
    functional.cross_entropy(theirs(images.expand(-1, 3, -1, -1)), labels).backward()
    for (key, mine), (_, other) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        torch.testing.assert_close(mine.grad, other.grad, msg=lambda m, key=key: f"{key}: {m}")


def test_state_dict_keys_are_the_notebooks() -> None:
    keys = set(models.build("model_b", image_size=28).state_dict())
    assert keys == {
        f"{layer}.{kind}"
        for layer in ("conv1", "conv2", "fc1", "fc2")
        for kind in ("weight", "bias")
    }
    assert models.build("model_a", image_size=28).state_dict()["conv1.weight"].shape == (8, 3, 3, 3)
