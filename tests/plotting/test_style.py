import itertools

from matplotlib.colors import to_rgb

from stages.plotting import style


def test_ten_runs_have_ten_colours_well_apart():
    colours = [to_rgb(style.colour(i)) for i in range(10)]
    for one, other in itertools.combinations(colours, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.1
    assert style.colour(10) == style.colour(0)


def test_the_same_figure_gives_the_same_bytes():
    def draw() -> bytes:
        figure = style.figure(2, "title")
        figure.subplots().plot([1, 2], [3, 4])
        return style.png(figure)

    assert draw() == draw()
    assert b"matplotlib" not in draw()
