"""What can only be seen on a GPU; there, the other tests use it too."""

import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers import ROOT, refusal, results, run, run_here, set_params
from killed import OUTPUTS, reports

from stages import models, train, weights
from stages.compute import devices
from stages.mnist import images
from stages.training.optimizer import configure_optimizer
from stages.training.step import CudaGraphStep, Data, make_step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")

PARAMS = {"lr": 0.001, "schedule": "one-cycle", "beta2": 0.98, "clip_norm": 1, "precision": "fp32"}
STEPS = 12


def steps(captured: bool) -> list[torch.Tensor]:
    """Train for 12 steps of 33 and 32 images in turn; return the losses and all tensors."""
    device = devices.choose()
    torch.manual_seed(0)
    network = models.build("model_b", image_size=28).to(device, memory_format=torch.channels_last)
    pixels = torch.randint(0, 256, (65, 28, 28), dtype=torch.uint8, device=device)
    labels = torch.randint(0, 10, (65,), device=device)
    data = Data(pixels, labels, pixels[:0], labels[:0])
    optimizer, schedule = configure_optimizer(network, PARAMS, STEPS, device)
    prepare = partial(images.prepare, image_size=28)
    step = make_step(network, optimizer, data, prepare, PARAMS)
    step = CudaGraphStep(step) if captured else step
    batches, losses = torch.arange(65, device=device).split(33), []
    for number in range(STEPS):
        losses.append(step(batches[number % 2]))
        if number < STEPS - 1:
            schedule.step()
    if captured:
        assert sorted(step.graphs) == [32, 33]
    return [*losses, *network.state_dict().values()]


def test_a_captured_step_is_the_eager_one_to_the_bit() -> None:
    for eager, captured in zip(steps(False), steps(True), strict=True):
        assert torch.equal(eager, captured)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        *[("resnet18", {}), ("model_a", {}), ("model_b", {})],
        *[("resnet18", {"mode": "extract"}), ("alexnet", {"dropout": 0.5})],
        ("vgg16", {"image_size": 32, "epochs": 1, "mode": "finetune"}),
    ],
)
def test_the_same_bytes_twice(model: str, settings: dict, precision: str, here: Path) -> None:
    values = {f"models__{model}__{key}": value for key, value in settings.items()}
    set_params(here, train_images=1000, precision=precision, **values)
    if model not in ("model_a", "model_b"):
        set_params(here, **{f"weights__{model}": "random"})
        run_here(weights, model)
    run_here(train, model)
    first = results(here, *OUTPUTS)
    run_here(train, model)
    assert results(here, *OUTPUTS) == first


def test_stopped_at_any_moment_it_resumes_to_the_same_bytes(here: Path) -> None:
    set_params(here, train_images=500)
    undisturbed, *stopped = reports(here, "model_b", [signal.SIGTERM, *[signal.SIGKILL] * 3])
    assert len(stopped) == 4
    for one in stopped:
        assert one["resumed"].startswith("resuming at step")
        assert one["outputs"] == undisturbed["outputs"]


def test_a_batch_that_is_too_large_ends_in_the_sentence(here: Path) -> None:
    set_params(here, train_images=10000, batch_size=10000, models__model_b__image_size=1024)
    sentence = refusal(run(here, "python", "-m", "stages.train", "model_b", PYTHONPATH=str(ROOT)))
    assert sentence.startswith("error: out of memory: lower batch_size")
