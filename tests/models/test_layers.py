import pytest
import torch
from torch import nn

from stages.models import layers


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(3, 1, 1), (3, 2, 1), (5, 1, 2), (7, 2, 3), (11, 4, 5), (1, 2, 0)],
)
def test_trimmed_convolution_is_the_whole_one(
    size: int, kernel: int, stride: int, padding: int
) -> None:
    torch.manual_seed(0)
    ours = layers.Conv2d(2, 3, kernel, stride=stride, padding=padding).double()
    images = torch.randn(2, 2, size, size + 1, dtype=torch.float64, requires_grad=True)
    expected = nn.functional.conv2d(images, ours.weight, ours.bias, stride, padding)
    torch.testing.assert_close(ours(images), expected)
    wanted = torch.autograd.grad(expected.square().sum(), [images, ours.weight])
    found = torch.autograd.grad(ours(images).square().sum(), [images, ours.weight])
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("size", [2, 5, 8])
@pytest.mark.parametrize("given", [1, 2])
def test_convolution_and_pooling_in_one_are_the_two(size: int, given: int) -> None:
    torch.manual_seed(0)
    ours = layers.ConvPool2d(2, 3, 3, padding=1).double()
    images = torch.randn(2, given, size, size + 1, dtype=torch.float64, requires_grad=True)
    copies = images.expand(-1, 2, -1, -1)
    expected = nn.functional.conv2d(copies, ours.weight, ours.bias, padding=1)
    expected = nn.functional.max_pool2d(expected, 2)
    torch.testing.assert_close(ours(images), expected)
    parameters = [images, ours.weight, ours.bias]
    wanted = torch.autograd.grad(expected.square().sum(), parameters)
    torch.testing.assert_close(torch.autograd.grad(ours(images).square().sum(), parameters), wanted)


def test_several_largest_share_the_gradient() -> None:
    values = torch.tensor([[3.0, 3.0, 1.0]], requires_grad=True)
    layers.Largest.apply(values).sum().backward()
    assert values.grad.tolist() == [[0.5, 0.5, 0.0]]


def test_one_by_one_maps_use_the_centre_tap_alone() -> None:
    convolution = layers.Conv2d(1, 1, 3, padding=1)
    assert convolution._taps(0, 1) == slice(1, 2)
    assert convolution._taps(0, 2) == slice(0, 3)


def test_adopt_leaves_parameters_as_they_are() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    layers.adopt(network)
    layers.pool_first(network)
    assert type(network[0]) is layers.Conv2d
    assert [type(module) for module in network[1:]] == [nn.MaxPool2d, nn.ReLU]
    torch.testing.assert_close(dict(network.state_dict()), before)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 13])
def test_adaptive_pooling_is_torchs(size: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, size, size + 2, dtype=torch.float64, requires_grad=True)
    ours = layers.AdaptiveAvgPool2d((6, 6))(images)
    expected = nn.functional.adaptive_avg_pool2d(images, (6, 6))
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(
        torch.autograd.grad(ours.square().sum(), images),
        torch.autograd.grad(expected.square().sum(), images),
    )


class Classifier(nn.Module):
    """Convolutions of which a 2 x 2 image meets a part alone, then AlexNet's pooling."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 3, 3, stride=2, padding=1),
            nn.Conv2d(3, 4, 5, padding=2),
            nn.Conv2d(4, 4, 1),
        )
        self.avgpool, self.linear = nn.AdaptiveAvgPool2d((2, 2)), nn.Linear(16, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(self.avgpool(self.convolutions(images)).flatten(1))


def descend(network: nn.Module, lr: dict[str, float]) -> None:
    """Three steps of plain gradient descent in float64."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(3, 8, 1, 2, 2, dtype=torch.float64, generator=generator)
    optimizer = torch.optim.SGD(
        [
            {"params": [parameter], "lr": lr.get(name, 0.1)}
            for name, parameter in network.named_parameters()
        ]
    )
    for batch in images:
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(batch), torch.arange(8)).backward()
        optimizer.step()


def test_a_condensed_network_learns_what_the_whole_one_does() -> None:
    torch.manual_seed(0)
    ours, theirs = Classifier().double(), Classifier().double()
    theirs.load_state_dict(ours.state_dict())
    layers.adopt(ours)
    layers.pool_in(ours, "linear")
    ours.to(memory_format=torch.channels_last)
    parameters = dict(ours.named_parameters())
    with layers.condensed(ours, torch.zeros(1, 1, 2, 2, dtype=torch.float64)):
        shapes = {key: tuple(value.shape) for key, value in ours.named_parameters()}
        # four copies of a sum move together: as far as the sum would at four times the rate
        descend(ours, {"linear.weight": 0.1 * 4})
    descend(theirs, {})
    assert shapes["convolutions.0.weight"] == (3, 1, 2, 2)
    assert shapes["convolutions.1.weight"] == (4, 3, 1, 1)
    assert shapes["linear.weight"] == (10, 4)
    assert all(value is parameters[key] for key, value in ours.named_parameters())
    assert ours.convolutions[1].kernel_size == (5, 5)
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


def test_a_network_is_whole_again_after_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1))
    layers.adopt(network)
    before = network[0].weight.clone()
    with pytest.raises(KeyboardInterrupt), layers.condensed(network, torch.zeros(1, 1, 1, 1)):
        assert network[0].weight.shape == (2, 1, 1, 1)
        raise KeyboardInterrupt
    assert torch.equal(network[0].weight, before)
    assert network[0].padding == (1, 1)


def test_condensing_leaves_statistics_and_random_state_alone() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout(0.5))
    layers.adopt(network)
    state = torch.get_rng_state()
    with layers.condensed(network, torch.ones(1, 1, 1, 1)):
        assert network[1].num_batches_tracked == 0
        assert network[1].running_mean.tolist() == [0, 0]
    assert torch.equal(torch.get_rng_state(), state)
