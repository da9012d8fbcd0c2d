import itertools

import pytest
import torch
from small import STEPS, data, fit, network
from torch import nn
from torch.nn import functional

from stages.compute import inference
from stages.training import loop, run


@pytest.mark.parametrize(
    ("seed", "beta2", "clip_norm"), [(3, 0.999, 0), (4, 0.9, 0), (3, 0.999, 0.1)]
)
def test_it_is_adam_on_the_cross_entropy(seed: int, beta2: float, clip_norm: float) -> None:
    """Compared with the textbook loop with torch.optim.Adam and the same batches."""
    ours, theirs, given = network(), network(), data()
    history = fit(ours, given, seed=seed, beta2=beta2, clip_norm=clip_norm)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, betas=(0.9, beta2))
    shuffle = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(2):
        for chosen in torch.randperm(20, generator=shuffle).tensor_split(STEPS):
            optimizer.zero_grad()
            loss = functional.cross_entropy(theirs(given.inputs[chosen]), given.labels[chosen])
            loss.backward()
            if clip_norm:
                nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm)
            optimizer.step()
            losses.append(loss.item())
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    torch.testing.assert_close(history.losses, torch.tensor(losses))
    expected = inference.score(theirs(given.validation_inputs), given.validation_labels)
    assert history.epochs[-1][0] == 2
    torch.testing.assert_close(history.epochs[-1][2:], expected)


def test_one_cycle_rises_to_the_learning_rate_and_falls() -> None:
    net, seen = nn.Linear(5, 10), []
    net.register_forward_pre_hook(
        lambda module, inputs: seen.append(module.weight.detach().clone())
    )
    fit(net, data(400, 0), schedule="one-cycle", epochs=1)
    moved = [(b - a).abs().max().item() for a, b in itertools.pairwise(seen)]
    peak = moved.index(max(moved))
    assert 0.05 < peak / len(moved) < 0.3
    assert moved[0] < max(moved) / 5
    assert moved[-1] < max(moved) / 100


@pytest.mark.parametrize("epochs", [1, 2, 11])
def test_one_cycle_learns_in_however_few_steps(epochs: int) -> None:
    net = network()
    before = nn.utils.parameters_to_vector(net.parameters()).clone()
    assert len(fit(net, data(8, 0), schedule="one-cycle", epochs=epochs).losses) == epochs
    after = nn.utils.parameters_to_vector(net.parameters())
    assert (after - before).abs().max() > 0.001


def test_no_batch_holds_one_image() -> None:
    for images, batch_size in itertools.product(range(2, 40), range(2, 12)):
        parts = torch.arange(images).tensor_split(loop.steps_per_epoch(images, batch_size))
        sizes = {len(part) for part in parts}
        assert min(sizes) >= 2
        assert max(sizes) <= max(batch_size, 3)
        assert max(sizes) - min(sizes) <= 1


def test_bf16_computes_in_bfloat16_and_keeps_float32_weights() -> None:
    net, seen = network(), []
    net[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    assert fit(net, precision="bf16").losses.isfinite().all()
    assert set(seen) == {torch.bfloat16}
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


def test_extraction_trains_only_the_head_on_features_in_eval_mode() -> None:
    net, given = network(nn.BatchNorm1d(7), nn.Dropout(0.5)), data()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    head, features = run.freeze(net, "4", given, nn.Identity(), "fp32")
    torch.testing.assert_close(features.inputs, net.eval()[:4](given.inputs))
    fit(head, features)
    after = net.state_dict()
    differing = {key for key in after if not torch.equal(after[key], before[key])}
    assert differing == {"4.weight", "4.bias"}
