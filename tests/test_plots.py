"""The pictures that `dvc plots` draws, really rendered, with the results that git holds."""

import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest
import vl_convert
from helpers import ROOT, Repository, copy_repository, rows

from stages.system import outputs

VEGA_LITE = "5.8"  # the oldest that vl-convert has; DVC's pages load 5.2
RUNS = [path.name for path in (ROOT / "plots/runs").iterdir()]
ONE, TWO = ["workspace"], ["before", "after"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository whose revisions `before` and `after` differ in every curve and count."""
    nothing = tmp_path_factory.mktemp("no_mnist")
    made = Repository(copy_repository(tmp_path_factory.mktemp("plots"), nothing))
    made.begin()
    made.do("git", "tag", "before")
    for path in (made.root / "plots/runs").glob("*/*.csv"):
        table = rows(path)
        for row in table:
            row.update({key: str(1.5 * float(row[key])) for key in row if "loss" in key})
            row.update({key: str(1 + int(row[key])) for key in row if key == "count"})
        outputs.write_csv(path, table[0], (row.values() for row in table))
    made.commit("after")
    made.do("git", "tag", "after")
    return made


@pytest.fixture(scope="module", params=[ONE, TWO], ids=["one", "two"])
def drawn(repository: Repository, request: pytest.FixtureRequest) -> tuple[list[str], dict]:
    """Return one or two revisions and, by name, what DVC draws of them, as Vega-Lite."""
    command = ["show"] if request.param == ONE else ["diff", *TWO]
    plots = json.loads(repository.do("dvc", "plots", *command, "--json"))["data"]
    assert all(plot["revisions"] == request.param for (plot,) in plots.values())
    return request.param, {name: plot["content"] for name, (plot,) in plots.items()}


def render(spec: dict) -> ElementTree.Element:
    return ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE))


def marks(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    groups = svg.iter("{http://www.w3.org/2000/svg}g")
    return [it for it in groups if f"mark-{kind} role-mark" in it.get("class", "") and len(it)]


def texts(svg: ElementTree.Element) -> list[str]:
    found = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    return [text for text in found if text]


def test_a_curve_and_a_confusion_of_every_run_show_each_revision(drawn, repository) -> None:
    revisions, plots = drawn
    files = [path.relative_to(repository.root) for path in repository.root.glob("plots/runs/*/*")]
    assert set(plots) == {"validation loss", "training loss", *map(str, files)}
    for path in files:
        svg = render(plots[str(path)])
        assert {str(path), *revisions} <= set(texts(svg))
        if path.name == "confusion.csv":
            counts = [sum(map(int, texts(facet))) for facet in marks(svg, "text")]
            cells = len(rows(repository.root / path))
            assert counts == [10_000, 10_000 + cells][-len(revisions) :]
        else:
            assert not [word for word in texts(svg) if word.startswith("1.")]  # whole epochs
            strokes = [line.get("stroke") for group in marks(svg, "line") for line in group]
            assert len(set(strokes)) == len(strokes) == len(revisions)


def test_a_single_epoch_is_a_point_to_see_between_round_numbers(drawn) -> None:
    revisions, plots = drawn
    for name in ("plots/runs/alexnet/loss.csv", "validation loss"):
        values = [row for row in plots[name]["data"]["values"] if "alexnet/" in row["filename"]]
        svg = render(plots[name] | {"data": {"values": values}})
        points = [point.get("d") for facet in marks(svg, "symbol") for point in facet]
        assert len(points) == len(revisions)
        assert float(points[0].removeprefix("M").split(",")[0]) > 3  # its radius in pixels
        labels = [word for word in texts(svg) if re.fullmatch(r"[\d.]+", word)]
        assert "1" in labels and len(labels) > 5 and max(map(len, labels)) <= 5


@pytest.mark.parametrize("name", ["validation loss", "training loss"])
def test_ten_runs_stay_apart(drawn, name: str) -> None:
    revisions, plots = drawn
    svg = render(plots[name])
    words = texts(svg)
    assert any(word.startswith(f"{name.capitalize()} of the runs") for word in words)
    assert {*RUNS, *revisions, "epoch", "cross entropy (nats, log scale)"} <= set(words)
    strokes = Counter(line.get("stroke") for facet in marks(svg, "line") for line in facet)
    assert list(strokes.values()) == [len(revisions)] * len(RUNS)  # a colour a run
    if name == "validation loss":
        assert not [word for word in words if word.startswith("1.")]  # whole epochs
    assert 400 * len(revisions) < float(svg.get("width")) < 1300
