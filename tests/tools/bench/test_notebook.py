"""The notebook's loop and ours do the same work: only then is their speed worth comparing."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Subset

from stages.mnist import images
from tools.bench import notebook


@pytest.mark.parametrize("size", [20, 28, 32, 224])
def test_same_inputs_up_to_pils_rounding(here: Path, size: int) -> None:
    pixels, labels = (tensor[:8] for tensor in images.load("train"))
    items = [notebook.MNIST(size)[i] for i in range(8)]
    ours = images.prepare(pixels, size).expand(-1, 3, -1, -1)
    theirs = torch.stack([image for image, _ in items])
    # PIL rounds to whole grey levels, of 2 / 255 each, after each of its two passes
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6 if size == 28 else 2 / 255)
    assert [label for _, label in items] == labels.tolist()


def test_it_trains_on_every_image_of_every_epoch(here: Path) -> None:
    torch.manual_seed(0)
    network, seen = notebook.build("model_b", 28), []
    progress = SimpleNamespace(step=lambda images, loss: seen.append(images))
    data = Subset(notebook.MNIST(28), range(100))
    notebook.fit(network, data, 6, progress)
    assert seen == ([6] * 16 + [4]) * 10
    logits = network(torch.stack([image for image, _ in data]))
    right = logits.argmax(1) == torch.tensor([label for _, label in data])
    assert right.float().mean() > 0.9
