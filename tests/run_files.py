"""The files with a run's results, in the formats of the stages that write them."""

import json
from pathlib import Path

SHARED = {"seed": 0, "lr": 0.001, "schedule": "one-cycle", "beta2": 0.98, "clip_norm": 1,
          "batch_size": 128, "precision": "fp32", "train_images": 55000, "validation_images": 5000,
          "epochs": 2}  # fmt: skip
EPOCHS = "epoch,train_loss,validation_loss,validation_accuracy\n"


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_run(
    root: Path,
    run: str,
    errors: int,
    loss: float,
    *,
    validation: float = 0.98,
    parameters: int = 101_290,
    **settings: object,
) -> None:
    """Write all but predictions; a training that ends at `loss` fell the slower the higher it is.

    `settings` are those that differ from the shared ones.
    """
    test = {"accuracy": (10_000 - errors) / 10_000, "loss": loss, "errors": errors}
    train = {"loss": loss, "validation_loss": loss, "validation_accuracy": validation,
             "epochs": 2, "parameters": parameters}  # fmt: skip
    saved = {"model": run.split("-")[0], "options": {}, "params": SHARED | settings}
    put(root / f"metrics/train/{run}.json", json.dumps(train))
    put(root / f"metrics/test/{run}.json", json.dumps(test))
    put(root / f"data/settings/{run}.json", json.dumps(saved))
    rows = f"1,{0.1 + 2 * loss},0.9,0.7\n2,{loss},{loss},{validation}\n"
    put(root / f"plots/runs/{run}/loss.csv", EPOCHS + rows)
    steps = f"step,epoch,loss\n5,0.5,2.0\n20,2.0,{loss}\n"
    put(root / f"plots/runs/{run}/steps.csv", steps)
