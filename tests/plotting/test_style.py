import itertools
import subprocess
import sys
from pathlib import Path

from matplotlib.colors import to_rgb

from plotting import style


def test_ten_runs_have_ten_colours_well_apart():
    colours = [to_rgb(f"C{i}") for i in range(10)]
    for one, other in itertools.combinations(colours, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.1
    assert to_rgb("C10") == colours[0]


def test_the_same_figure_gives_the_same_bytes_which_name_no_software():
    def draw() -> bytes:
        figure = style.figure("title", 2)
        figure.subplots().plot([1, 2], [3, 4])
        return style.png(figure)

    assert draw() == draw()
    assert not [word for word in (b"Software", b"matplotlib", b"tIME") if word in draw()]


def test_the_report_needs_neither_torch_nor_pyplot():
    code = "import sys, stages.report; print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert result.stdout.strip() == "set()"
