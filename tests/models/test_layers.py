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


def test_a_trimmed_kernels_gradient_is_laid_out_as_the_kernel() -> None:
    convolution = layers.Conv2d(4, 5, 3, padding=1).to(memory_format=torch.channels_last)
    convolution(torch.randn(2, 4, 1, 1)).sum().backward()
    assert convolution.weight.grad.stride() == convolution.weight.stride()


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
