"""Whether an image looks like a digit: networks that have only seen digits take an H for a 4.

A small network tells. `python -m tools.predict.likeness` trains it in a minute or two, on 50,000 of
MNIST's digits and on a font's digits, letters and signs.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import string
from functools import cache
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from torch.nn import functional

from stages import models
from stages.mnist import images
from stages.system import outputs
from tools.predict import pictures

FILE = Path(__file__).with_suffix(".pt")
# no O, l, Z and others that look like a digit
OTHERS = "ACEFHKLMNPRUVWXYacdefhjkmnprtuvwxy#$&@?!+*<>^{}[]§€£¥±♥✓★■●"
OTHER = 10  # their class
STEPS, RATE = 2500, 0.003


def build() -> nn.Sequential:
    """Build the network: (N, 1, 28, 28), ink from 0 to 1 -> (N, 11), logits of digits and OTHER."""
    layers = []
    for before, after, size in ((1, 16, 5), (16, 32, 3), (32, 32, 3)):
        layers += [nn.Conv2d(before, after, size, stride=2, padding=size // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 4 * 4, 11))


@cache
def load() -> nn.Sequential:
    network = build()
    network.load_state_dict(models.load_tensors(FILE))
    return network


@torch.inference_mode()
def measure(image: Tensor) -> float:
    """Return the probability that (28, 28) uint8 is a digit."""
    return 1 - load()(image[None, None] / 255).softmax(1)[0, OTHER].item()


def main() -> None:
    """Train on two digits for each other character, all turned, stretched and so on."""
    torch.manual_seed(0)
    digits, labels = (part[:50_000] for part in images.load("train"))
    typed, others = (
        torch.stack([pictures.read(draw(character)) for character in characters])
        for characters in (string.digits, OTHERS)
    )
    digits = torch.cat([digits, typed.repeat(300, 1, 1)])
    labels = torch.cat([labels, torch.arange(10).repeat(300)])
    network = build()
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, STEPS)
    for _ in range(STEPS):
        some, few = torch.randint(len(digits), (128,)), torch.randint(len(others), (64,))
        batch = vary(torch.cat([digits[some], others[few]])[:, None] / 255)
        classes = functional.pad(labels[some], (0, len(few)), value=OTHER)
        optimizer.zero_grad()
        functional.cross_entropy(network(batch), classes).backward()
        optimizer.step()
        schedule.step()
    outputs.write(FILE, lambda file: torch.save(network.state_dict(), file))


def draw(character: str, font: str = "DejaVu Sans") -> BytesIO:
    """Draw a character in one of matplotlib's fonts, black on white, as a PNG file."""
    from matplotlib import font_manager  # a project that only predicts need not have it

    image, file = Image.new("L", (240, 240), 255), BytesIO()
    face = ImageFont.truetype(font_manager.findfont(font), 160)
    ImageDraw.Draw(image).text((120, 120), character, font=face, anchor="mm")
    image.save(file, "PNG")
    return file


def vary(ink: Tensor) -> Tensor:
    """Turn, shear, stretch and move each of (N, 1, 28, 28), and make its strokes bold or light."""
    change = torch.eye(2, 3) + torch.empty(len(ink), 2, 3).uniform_(-0.2, 0.2)
    grid = functional.affine_grid(change, list(ink.shape), align_corners=False)
    power = torch.empty(len(ink), 1, 1, 1).uniform_(-1, 1).exp2()
    return functional.grid_sample(ink, grid, align_corners=False) ** power
