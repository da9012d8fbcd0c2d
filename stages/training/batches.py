"""How an epoch's images fall into batches; apart from the loop for those who do without PyTorch."""

import math


def in_an_epoch(images: int, batch_size: int) -> int:
    """Say into how many batches an epoch falls.

    They are of equal size, give or take one image, and hold two at least: batch normalisation has
    no variance of one.
    """
    return max(1, min(math.ceil(images / batch_size), images // 2))
