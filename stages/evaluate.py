"""Stage `evaluate`: test one run on the 10,000 images that nothing else has looked at.

python -m stages.evaluate <run>
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import argparse
from pathlib import Path

from torch import Tensor

from stages import models
from stages.mnist import images, read
from stages.plotting import mistakes
from stages.system import errors, files
from stages.training import devices, inference


def main() -> None:
    """Rebuild the network from its model file alone and write its test metrics and pictures."""
    parser = argparse.ArgumentParser(description="Test one run of the pipeline.")
    parser.add_argument("run", help="such as resnet18, model_a-sigmoid or model_b-lr0.1")
    run = parser.parse_args().run
    device = devices.choose()
    network = models.of_run(run).to(device)
    pixels, labels = read.load("test")

    def prepare(batch: Tensor) -> Tensor:
        return images.prepare(batch, network.image_size)

    logits = inference.predict(network, pixels.to(device), prepare, "fp32").cpu()
    loss, accuracy = inference.score(logits, labels)
    predicted = logits.argmax(1)
    wrong = (predicted != labels).nonzero().flatten()
    picture = mistakes.draw(
        pixels[wrong].numpy(),
        labels[wrong].tolist(),
        predicted[wrong].tolist(),
        logits[wrong].softmax(1).amax(1).tolist(),
        f"{run}: most confident of its {len(wrong)} mistakes",
    )
    plots = Path("plots/runs") / run
    pairs = zip(labels.tolist(), predicted.tolist(), strict=True)
    files.write_csv(plots / "confusion.csv", ["actual", "predicted"], pairs)
    files.write_bytes(plots / "mistakes.png", picture)
    files.write_json(
        Path(f"metrics/test/{run}.json"),
        {"accuracy": accuracy, "loss": loss, "errors": len(wrong)},
    )


if __name__ == "__main__":
    errors.run(main)
