from stages.sources import mirrors
from torchvision.datasets import MNIST


def test_the_mirrors_are_torchvisions():
    assert list(mirrors.MIRRORS) == MNIST.mirrors
    assert {f"{name}.gz" for name in mirrors.GZIP_PINS} == {name for name, _ in MNIST.resources}
