import numpy
import pytest

from stages.compute import kernels


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ({"baseline": ["X86_V2"], "found": ["X86_V3"]}, True),
        ({"baseline": ["X86_V2", "X86_V3"], "found": ["X86_V4"]}, True),  # built for newer CPUs
        ({"baseline": ["X86_V2"], "not found": ["X86_V3"]}, False),
    ],
)
def test_avx2_is_found_however_numpy_was_built(extensions, expected, monkeypatch) -> None:
    monkeypatch.setattr(numpy, "show_config", lambda mode: {"SIMD Extensions": extensions})
    assert kernels.has_avx2() is expected
