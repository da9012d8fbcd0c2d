import itertools
import sys

import plotting.style  # noqa: F401 gives the colours
from helpers import ROOT, do
from matplotlib.colors import to_rgb


def test_ten_runs_have_ten_colours_well_apart():
    colours = [to_rgb(f"C{i}") for i in range(10)]
    for one, other in itertools.combinations(colours, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.1
    assert to_rgb("C10") == colours[0]


def test_the_report_needs_neither_torch_nor_pyplot():
    code = "import sys, stages.report; print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    assert do(ROOT, sys.executable, "-c", code).strip() == "set()"
