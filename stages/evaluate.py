"""Stage `evaluate`: test one run on the 10,000 images that nothing else has looked at.

python -m stages.evaluate <run>
"""

from stages.system import interrupts

if __name__ == "__main__":
    interrupts.leave_at_once()

import argparse
from pathlib import Path

from torch import Tensor, nn

from stages import models
from stages.mnist import images, read
from stages.plotting import mistakes
from stages.system import errors, files
from stages.system.errors import UserError
from stages.training import devices, inference

SHOWN = 24


def main() -> None:
    """Rebuild the network from its model file alone and write its test metrics and pictures."""
    parser = argparse.ArgumentParser(description="Test one run of the pipeline.")
    parser.add_argument("run", help="such as resnet18, model_a-sigmoid or model_b-lr0.1")
    run = parser.parse_args().run
    device = devices.choose()
    network = load(run).to(device)
    pixels, labels = read.load("test")

    def prepare(batch: Tensor) -> Tensor:
        return images.prepare(batch, network.image_size)

    logits = inference.predict(network, pixels.to(device), prepare, "fp32").cpu()
    loss, accuracy = inference.score(logits, labels)
    predicted = logits.argmax(1)
    errors_made = (predicted != labels).nonzero().flatten()
    probability = logits.softmax(1).amax(1)
    worst = errors_made[probability[errors_made].argsort(descending=True, stable=True)[:SHOWN]]
    picture = mistakes.draw(
        pixels[worst].numpy(),
        labels[worst].tolist(),
        predicted[worst].tolist(),
        probability[worst].tolist(),
        f"{run}: most confident of its {len(errors_made)} mistakes",
    )
    plots = Path("plots/runs") / run
    pairs = zip(labels.tolist(), predicted.tolist(), strict=True)
    files.write_csv(plots / "confusion.csv", ["actual", "predicted"], pairs)
    files.write_bytes(plots / "mistakes.png", picture)
    files.write_json(
        Path(f"metrics/test/{run}.json"),
        {"accuracy": accuracy, "loss": loss, "errors": len(errors_made)},
    )


def load(run: str) -> nn.Module:
    """Load a run's network.

    Raises:
        UserError: no such run, a damaged model file, or one of an architecture that is not the
            run's.
    """
    path = Path(f"data/models/{run}.pt")
    if not path.is_file():
        trained = sorted(file.stem for file in path.parent.glob("*.pt"))
        raise UserError(
            f"no run {run!r} has been trained ({path} does not exist): expected one of "
            f"{', '.join(trained) or 'those that dvc.yaml trains'}, or run `dvc repro` first"
        )
    return models.load(path, run.partition("-")[0])


if __name__ == "__main__":
    errors.run(main)
