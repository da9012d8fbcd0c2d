"""Stage `evaluate`: test one run on the 10,000 images that no training sees.

python -m stages.evaluate RUN
"""

from stages.compute import kernels

if __name__ == "__main__":
    kernels.run(__spec__.name)

import argparse
import math
import os
import shutil
from functools import partial
from pathlib import Path

import torch

from stages import models
from stages.compute import devices, inference
from stages.mnist import images
from stages.system import outputs


def main() -> None:
    parser = argparse.ArgumentParser(description="Test one run of the pipeline.")
    parser.add_argument("run", help="such as resnet18, model_a-sigmoid or model_b-lr0.1")
    run = parser.parse_args().run
    device = devices.choose()
    network = models.load(f"data/models/{run}.pt").to(device)
    pixels, labels = images.load("test")
    prepare = partial(images.prepare, image_size=network.image_size)
    logits = inference.predict(network, pixels.to(device), prepare, "fp32").cpu()
    loss, accuracy = inference.score(logits, labels)
    predicted = logits.argmax(1)
    metrics = {"accuracy": accuracy, "loss": loss, "errors": (predicted != labels).sum().item()}
    outputs.write_json(Path(f"metrics/test/{run}.json"), metrics)
    pairs, counts = torch.stack([labels, predicted], 1).unique(dim=0, return_counts=True)
    confusion = torch.column_stack([pairs, counts]).tolist()
    header = ["actual", "predicted", "count"]
    outputs.write_csv(Path(f"plots/runs/{run}/confusion.csv"), header, confusion)
    probability = logits.softmax(1).amax(1).tolist()  # not finite after a diverged training
    shown = [f"{value:.6f}" if math.isfinite(value) else None for value in probability]
    rows = zip(predicted.tolist(), shown, strict=True)
    outputs.write_csv(Path(f"data/predictions/{run}.csv"), ["predicted", "probability"], rows)
    if "DVC_STAGE" in os.environ:  # DVC has recorded the training by now
        shutil.rmtree(f"data/checkpoints/{run}", ignore_errors=True)
