"""How seconds and peak memory of a training grow with images, epochs, image and batch size.

python -m benchmarks.scaling [--models model_b] [--vary batch_size] [--images 2000] [--rounds 3]

One value is varied at a time, the others are the default ones but for one epoch and few images,
with none held out. Seconds are medians over the rounds; those per image and pixel are beyond
start-up (a run on two images).
"""

import argparse
import sys
from statistics import median

from benchmarks import results, workspace
from stages.system import errors
from stages.training import params

COLUMNS = ["run", "varied", "value", "seconds", "beyond start-up", "microseconds per image",
           "nanoseconds per image and pixel", "peak memory, MiB"]  # fmt: skip
IMAGES = {"model_b": 15000, "resnet18": 2000}
FACTORS = (0.5, 1, 2, 4)
VALUES = {
    "train_images": (),
    "epochs": (1, 2, 4),
    "image_size": (28, 32, 64, 96),
    "batch_size": (32, 64, 128, 256),
}


def main() -> None:
    """Train with one value after another, in a copy of the repository."""
    parser = argparse.ArgumentParser(description="Measure how the cost of training grows.")
    parser.add_argument("--models", nargs="+", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--vary", nargs="+", choices=VALUES, default=list(VALUES))
    parser.add_argument("--images", type=int, help=f"unless varied; {IMAGES} if not given")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    values = params.read()
    rows = []
    with workspace.copied() as copy:
        for model in options.models:
            images = options.images or IMAGES[model]
            if model in values["weights"]:
                copy.python("-m", "stages.weights", model)
            base = {"train_images": images, "epochs": 1, "batch_size": values["batch_size"]}
            base["image_size"] = values["models"][model]["image_size"]
            start = train(copy, model, base | {"train_images": 2}, options.rounds)
            for varied in options.vary:
                choices = VALUES[varied] or [max(2, int(images * factor)) for factor in FACTORS]
                for value in choices:
                    print("measuring", model, varied, value, file=sys.stderr)
                    case = base | {varied: value}
                    used = train(copy, model, case, options.rounds)
                    beyond = used.seconds - start.seconds
                    micro = 1e6 * beyond / (case["train_images"] * case["epochs"])
                    nano = 1e3 * micro / case["image_size"] ** 2
                    rows.append([model, varied, value, used.seconds, beyond, micro, nano])
                    rows[-1].append(used.mebibytes)
    note = f"One value varied at a time; rounds: {options.rounds}."
    results.report("scaling", note, COLUMNS, rows)


def train(
    copy: workspace.Workspace, model: str, case: dict[str, int], rounds: int
) -> workspace.Usage:
    """Train one run with the given values some times; return the medians."""
    copy.set(
        validation_images=0,
        train_images=case["train_images"],
        batch_size=case["batch_size"],
        **{f"models__{model}__{key}": case[key] for key in ("epochs", "image_size")},
    )
    used = [copy.python("-m", "stages.train", model) for _ in range(rounds)]
    return workspace.Usage(*map(median, zip(*used, strict=True)))


if __name__ == "__main__":
    errors.run(main)
