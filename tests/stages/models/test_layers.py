import copy

import pytest
import torch
from torch import Tensor, nn

from stages.models import layers
from stages.models.layers import linear


def random(*shape: int) -> Tensor:
    """In float64, to compare the formula and not its rounding."""
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def assert_same(ours: Tensor, expected: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(ours, expected)
    wanted = torch.autograd.grad(expected.square().sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad(ours.square().sum(), inputs), wanted)


# kernel size, stride, padding and what else torch.nn.Conv2d takes
CONVOLUTIONS = [
    *[(3, 1, 1), (3, 2, 1), (5, 1, 2), (7, 2, 3), (11, 4, 5), (1, 2, 0), (1, 7, 3)],
    *[((1, 5), 1, (0, 2)), ((5, 3), (2, 1), (2, 1)), (5, 1, "same"), (1, 1, "valid")],
    *[(3, 1, 2, 2), (5, 1, 2, 1, 2), (3, 1, 1, 1, 1, True, "circular")],
]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("given", [1, 4])
@pytest.mark.parametrize("settings", CONVOLUTIONS, ids=str)
def test_a_converted_convolution_is_pytorchs(size: int, given: int, settings: tuple) -> None:
    images = random(2, given, size, size + 1)
    network = nn.Sequential(nn.Conv2d(4, 6, *settings)).double()
    expected = network(images.expand(-1, 4, -1, -1))
    layers.convert_layers(network)
    assert type(network[0]) is layers.Conv2d
    assert_same(network(images), expected, [images, *network.parameters()])
    with layers.condensed(network, images):
        torch.testing.assert_close(network(images), expected)


SMALL = [(3, 1, 1), (3, 2, 1), (5, 1, 2), (4, 3, 1), ((1, 3), (1, 2), (0, 1))]


@pytest.mark.parametrize("settings", SMALL, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_on_small_maps_are_pytorchs(settings: tuple, bias: bool) -> None:
    images = random(3, 128, 5, 7)
    layer = nn.Conv2d(128, 2, *settings, bias=bias).double()
    expected = layer(images)
    layer.__class__ = layers.Conv2d
    ours = layer(images)
    assert ours.grad_fn.name() == "SmallMapsConv2dBackward"
    assert_same(ours, expected, [images, *layer.parameters()])
    images = images.detach()  # as a first layer's
    assert_same(layer(images), nn.Conv2d.forward(layer, images), [*layer.parameters()])


@pytest.mark.parametrize(
    ("size", "channels", "kernel"), [(15, 128, 3), (14, 127, 3), (14, 128, 1)], ids=str
)
def test_where_it_does_not_pay_off_pytorch_convolves(size: int, channels: int, kernel: int) -> None:
    images, layer = random(1, channels, size, size), layers.Conv2d(channels, 1, kernel).double()
    assert layer(images).grad_fn.name() == "ConvolutionBackward0"


def test_pytorch_refuses_an_input_smaller_than_the_kernel() -> None:
    with pytest.raises(RuntimeError, match="greater than actual input size"):
        layers.Conv2d(1, 1, 3)(torch.zeros(1, 1, 2, 2))


@pytest.mark.parametrize("size", [2, 5, 8])
@pytest.mark.parametrize("given", [1, 2])
def test_convolution_and_pooling_in_one_are_the_two(size: int, given: int) -> None:
    images = random(2, given, size, size + 1)
    ours = layers.ConvPool2d(2, 3, 3, padding=1).double()
    copies = images.expand(-1, 2, -1, -1)
    expected = nn.functional.conv2d(copies, ours.weight, ours.bias, padding=1)
    expected = nn.functional.max_pool2d(expected, 2)
    assert_same(ours(images), expected, [images, ours.weight, ours.bias])


def test_layers_are_converted_and_swapped() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1))
    layers.convert_layers(network)
    layers.pool_first(network)
    kinds = [layers.Conv2d, nn.MaxPool2d, nn.ReLU, nn.AdaptiveAvgPool2d]
    assert [type(module) for module in network] == kinds


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 13])
@pytest.mark.parametrize("wanted", [(6, 6), (2, 5), 3])
def test_adaptive_pooling_is_pytorchs(size: int, wanted: int | tuple[int, int]) -> None:
    images = random(2, 3, size, size + 2)
    expected = nn.functional.adaptive_avg_pool2d(images, wanted)
    assert_same(layers.AdaptiveAvgPool2d(wanted)(images), expected, [images])


def classifier() -> nn.Module:
    """Convolutions whose kernels a 2 x 2 image reaches only in part, then AlexNet's pooling."""
    network = nn.Sequential(nn.Conv2d(1, 3, 3, 2, 1), nn.Conv2d(3, 4, 5, 1, 2), nn.Conv2d(4, 4, 1))
    network.avgpool, network.flatten = nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten()
    network.linear = nn.Linear(16, 10)
    return network


def repeated(between: nn.Module, *, tied: bool = False) -> nn.Module:
    """One convolution called twice, or two that share a weight."""
    first = nn.Conv2d(1, 1, 5, padding=2)
    second = nn.Conv2d(1, 1, 5, padding=2) if tied else first
    second.weight = first.weight
    return nn.Sequential(first, between, second, nn.Flatten(), nn.LazyLinear(10))


def descend(network: nn.Module, lr: dict[str, float]) -> None:
    """Three steps of plain gradient descent, at a rate of 0.1 unless `lr` has the parameter's."""
    for batch in random(3, 8, 1, 2, 2).detach():
        network.zero_grad()
        nn.functional.cross_entropy(network(batch), torch.arange(8)).backward()
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter -= lr.get(name, 0.1) * parameter.grad


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (classifier, [(3, 1, 2, 2), (3,), (4, 3, 1, 1), (4,), (4, 4, 1, 1), (4,), (10, 4), (10,)]),
        (lambda: repeated(nn.Tanh()), [(1, 1, 3, 3), (1,), (10, 4), (10,)]),
        (lambda: repeated(nn.MaxPool2d(2)), [(1, 1, 5, 5), (1,), (10, 1), (10,)]),
        (lambda: repeated(nn.Tanh(), tied=True), [(1, 1, 5, 5), (1,), (1,), (10, 4), (10,)]),
    ],
    ids=["cropped", "called twice", "called with two sizes", "shared weight"],
)
def test_a_condensed_network_learns_what_the_whole_one_does(make, shapes) -> None:
    ours, images = make().double(), random(1, 1, 2, 2).detach()
    ours(images)
    theirs = copy.deepcopy(ours)
    layers.convert_layers(ours)
    if make is classifier:
        layers.fuse_avgpool(ours, "linear")
    ours.to(memory_format=torch.channels_last)
    parameters, settings = dict(ours.named_parameters()), str(ours)
    with layers.condensed(ours, images):
        assert [tuple(parameter.shape) for parameter in ours.parameters()] == shapes
        # four copies of a sum move together: as far as the sum would at four times the rate
        descend(ours, {"linear.weight": 0.1 * 4})
    descend(theirs, {})
    assert all(value is parameters[key] for key, value in ours.named_parameters())
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))
    assert str(ours) == settings


def test_a_network_is_whole_again_after_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1))
    layers.convert_layers(network)
    before = [parameter.clone() for parameter in network.parameters()]
    with pytest.raises(KeyboardInterrupt), layers.condensed(network, torch.zeros(1, 1, 1, 1)):
        assert network[1].weight.shape == (2, 2, 1, 1)
        raise KeyboardInterrupt
    torch.testing.assert_close(list(network.parameters()), before, rtol=0, atol=0)
    assert network[0].padding == (1, 1)
    with pytest.raises(RuntimeError), layers.condensed(network, torch.zeros(1, 7, 1, 1)):
        pass
    assert not network[0]._forward_pre_hooks


def test_condensing_leaves_statistics_and_random_state_alone() -> None:
    network, state = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.5)), torch.get_rng_state()
    with layers.condensed(network, torch.ones(1, 1, 1, 1)):
        assert (network[0].num_batches_tracked, network[0].running_mean) == (0, 0)
    assert torch.equal(torch.get_rng_state(), state)


LINEAR, CONVOLUTION = layers.Linear, layers.Conv2d
PRODUCTS = [  # the layer, its settings, its input
    # linear layers of the default runs, odd batches, VGG-16's head
    *[(LINEAR, (512, 10), (128, 512)), (LINEAR, (256, 4096), (127, 256))],
    *[(LINEAR, (1568, 64), (107, 1568)), (LINEAR, (3, 1), (1, 3)), (LINEAR, (4096, 10), (3, 4096))],
    # maps whose pixels all see the whole input
    *[(CONVOLUTION, (8, 6, 3, 1, 1), (5, 8, 2, 2)), (CONVOLUTION, (8, 6, 1), (5, 8, 1, 1))],
    *[(CONVOLUTION, (8, 6, 2, 2), (5, 8, 2, 2)), (CONVOLUTION, (8, 6, 5, 1, 2), (5, 8, 3, 3))],
    (CONVOLUTION, (8, 6, 6, 2, 2), (5, 8, 4, 4)),
    # one channel
    *[(CONVOLUTION, (1, 6, 7, 2, 3), (5, 1, 32, 32)), (CONVOLUTION, (1, 6, 2), (5, 1, 5, 5))],
    (CONVOLUTION, (1, 6, 11, 4, 2), (5, 1, 72, 72)),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kind", "settings", "shape"), PRODUCTS)
def test_products_by_onednn_and_their_gradients_are_pytorchs(
    kind: type, settings: tuple, shape: tuple, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32, channels last, as they are used, against PyTorch's layers in float64."""
    torch.manual_seed(0)
    last = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    layer, given = kind(*settings, bias=bias), torch.randn(shape).to(memory_format=last)
    exact, exactly = copy.deepcopy(layer).double(), given.double().requires_grad_()
    layer.to(memory_format=last)
    asked, onednn = [], linear.product
    monkeypatch.setattr(linear, "product", lambda *sides: asked.append(1) or onednn(*sides))
    ours = layer(given.requires_grad_())
    assert ours.is_contiguous(memory_format=last)
    towards = torch.randn_like(ours)
    found = torch.autograd.grad(ours, [given, *layer.parameters()], towards)
    assert len(asked) == 3
    expected = kind.__base__.forward(exact, exactly)
    wanted = torch.autograd.grad(expected, [exactly, *exact.parameters()], towards.double())
    for one, other in zip([ours, *found], [expected, *wanted], strict=True):
        assert (one.double() - other).norm() / other.norm() < 2e-6


def test_what_onednn_does_not_take_is_left_to_pytorch() -> None:
    torch.manual_seed(0)
    layer = layers.Linear(6, 4)
    for given in (torch.randn(6), torch.randn(2, 3, 6), torch.randn(2, 6).double()):
        layer.to(given.dtype)
        expected = nn.functional.linear(given, layer.weight, layer.bias)
        assert torch.equal(layer(given), expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.float()(torch.randn(2, 6)).dtype == torch.bfloat16
