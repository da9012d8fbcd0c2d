from pathlib import Path

import pytest
from helpers import run_here

from tools.bench import page, pictures


def test_pictures_are_counted_by_style(trained: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(trained)
    styles = ["clean", "empty", "two_digits"]
    run_here(pictures, "--run", "model_b", "--of-each", "1", "--styles", *styles)
    printed = capsys.readouterr().out
    assert (trained / "docs/measured/pictures.md").read_text() == printed
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines()]
    found = {row[0]: list(map(int, row[1:])) for row in rows if row[0] in styles}
    assert sum(found["clean"][1:]) == found["clean"][0] == 10
    assert found["clean"][1] >= 6  # it was trained for seconds
    assert found["clean"][4] <= 1
    assert found["empty"] == found["two_digits"] == [10, 0, 0, 10, 0]
    assert (trained / "docs/measured/pictures.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not page.CHROMIUM, reason="chromium is not installed")
def test_the_page_is_photographed(trained: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(trained)
    run_here(page)
    assert "from the end of the last stroke" in capsys.readouterr().out
    assert (trained / "docs/measured/page.png").read_bytes().startswith(b"\x89PNG")
