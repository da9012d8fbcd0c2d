"""Say which digits pictures show: no stage, but what a trained run is good for.

python -m predict --run RUN PICTURE ...
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import argparse
import sys
from pathlib import Path

import torch

from predict import pictures
from stages import models
from stages.mnist import images
from stages.system import errors
from stages.system.errors import UserError


def main() -> None:
    """Print a line a picture, the digit and its probability; exit with 1 if one has none."""
    parser = argparse.ArgumentParser(prog="predict", description="Say which digits pictures show.")
    parser.add_argument("--run", required=True, help="such as resnet18 or model_b-lr0.01")
    parser.add_argument("pictures", nargs="+", type=Path, help="image files of one digit each")
    arguments = parser.parse_args()
    network = models.load(f"data/models/{arguments.run}.pt")
    sys.stdout.reconfigure(errors="surrogateescape")  # names that are no valid text
    failed = False
    for path in arguments.pictures:
        try:
            image = pictures.read(path)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            failed = True
            continue
        with torch.inference_mode():
            logits = network(images.prepare(image[None], network.image_size))
        probability, digit = logits.softmax(1)[0].max(0)
        print(f"{path}: {digit} ({100 * probability:.1f} %)")
    sys.exit(failed)


if __name__ == "__main__":
    errors.run(main)
