"""The pictures that `dvc plots` draws, really rendered, with the results that git holds."""

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
import vl_convert
from helpers import Repository, copy_repository, rows

from stages.system import outputs

VEGA_LITE = "5.8"  # the oldest that vl-convert has; DVC's pages load 5.2
RUNS = ["resnet18", "alexnet", "model_a", "model_b", "model_a-sigmoid", "model_a-tanh",
        "model_b-sigmoid", "model_b-tanh", "model_b-lr0.1", "model_b-lr0.01"]  # fmt: skip
ONE, TWO = ["workspace"], ["before", "after"]
LOSSES = ["validation loss", "training loss"]
CURVES = [f"plots/runs/{run}/{name}.csv" for run in RUNS for name in ("loss", "steps")]
CONFUSIONS = [f"plots/runs/{run}/confusion.csv" for run in RUNS]


def alter(path: Path) -> None:
    """Make every loss half as large again, and every count one larger."""
    table = rows(path)
    for row in table:
        row.update({key: str(1.5 * float(row[key])) for key in row if "loss" in key})
        row.update({key: str(1 + int(row[key])) for key in row if key == "count"})
    outputs.write_csv(path, table[0], (row.values() for row in table))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository whose revisions `before` and `after` differ in every curve and count."""
    nothing = tmp_path_factory.mktemp("no_mnist")
    made = Repository(copy_repository(tmp_path_factory.mktemp("plots"), nothing))
    made.begin()
    made.do("git", "tag", "before")
    for path in (made.root / "plots/runs").glob("*/*.csv"):
        alter(path)
    made.commit("after")
    made.do("git", "tag", "after")
    return made


@pytest.fixture(scope="module")
def drawn(repository: Repository) -> dict[int, dict[str, dict]]:
    """Return by number of revisions, then by name, what DVC draws, as Vega-Lite."""
    drawn = {}
    for revisions, command in ((ONE, ["show"]), (TWO, ["diff", *TWO])):
        plots = json.loads(repository.do("dvc", "plots", *command, "--json"))["data"]
        assert all(plot["revisions"] == revisions for (plot,) in plots.values())
        drawn[len(revisions)] = {name: plot["content"] for name, (plot,) in plots.items()}
    return drawn


def marks(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """Return the groups of a kind of mark, one a facet, without axes and legends."""
    groups = svg.iter("{http://www.w3.org/2000/svg}g")
    wanted = [group for group in groups if f"mark-{kind} role-mark" in group.get("class", "")]
    assert wanted
    return wanted


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]


def svg_of(spec: dict) -> ElementTree.Element:
    return ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE))


@pytest.mark.parametrize("revisions", [ONE, TWO], ids=["one", "two"])
def test_every_plot_is_drawn(drawn: dict, revisions: list[str]) -> None:
    plots = drawn[len(revisions)]
    assert set(plots) == {*LOSSES, *CURVES, *CONFUSIONS}
    for name, spec in plots.items():
        picture = vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE)
        width, height = (int.from_bytes(picture[i : i + 4], "big") for i in (16, 20))
        assert picture.startswith(b"\x89PNG"), name
        least, most = (200, 500) if name in CURVES else (400 * len(revisions), 1300)
        assert least < width < most, name
        assert least / 2 < height < 600, name


@pytest.mark.parametrize("revisions", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("name", LOSSES)
def test_ten_runs_stay_apart(drawn: dict, name: str, revisions: list[str]) -> None:
    svg = svg_of(drawn[len(revisions)][name])
    words = texts(svg)
    title = f"{name.capitalize()} of the runs"
    assert [word for word in words if word and word.startswith(title)]
    assert {*RUNS, *revisions, "epoch", "cross entropy (nats, log scale)"} <= set(words)
    columns = [group for group in marks(svg, "line") if len(group)]
    lines = [path.get("stroke") for column in columns for path in column]
    assert len(lines) == len(RUNS) * len(revisions)
    assert set(Counter(lines).values()) == {len(revisions)}  # a colour a run, in every revision
    if name == "validation loss":
        assert {"1", "2", "3", "4"} <= set(words)
        assert not [word for word in words if word and word.startswith("1.")]


@pytest.mark.parametrize("path", CURVES)
def test_a_curve_has_a_line_for_each_revision(drawn: dict, path: str) -> None:
    svg = svg_of(drawn[2][path])
    lines = [path.get("stroke") for group in marks(svg, "line") for path in group]
    assert len(set(lines)) == len(lines) == 2
    assert {path, *TWO} <= set(texts(svg))


@pytest.mark.parametrize("path", CONFUSIONS)
def test_confusion_shows_its_counts(drawn: dict, repository: Repository, path: str) -> None:
    svg = svg_of(drawn[2][path])
    after = [row["count"] for row in rows(repository.root / path)]
    before = [str(int(count) - 1) for count in after]
    columns = [sorted(texts(column)) for column in marks(svg, "text")]
    assert columns == [sorted(before), sorted(after)]
    assert sum(map(int, before)) == 10000
    assert {path, *TWO, "actual", "predicted"} <= set(texts(svg))
