import gzip

import pytest
from downloads import CONTENT, closed_port, pin, serving

from stages.mnist import files
from stages.sources import SourceError, decompress, mirrors


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as server:
        yield server


def test_download(mirror):
    mirror.answers["x.gz"] = CONTENT
    assert mirrors.download(f"{mirror.host}x.gz", pin(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (404, "answered 404 Not Found"),
        (500, "answered 500 Internal Server Error"),
        ("drop", "did not answer"),
        (b"", "has 0 bytes, not the 102,400 expected"),
        (("cut", CONTENT), "has 51,200 bytes, not the 102,400 expected"),
        (("stall", CONTENT), "stopped after 51,200 of 102,400 bytes"),
        (CONTENT + b"!", "has more than the 102,400 bytes expected"),
        (("endless", CONTENT), "has more than the 102,400 bytes expected"),
        (CONTENT[:-1] + b"!", "has SHA-256"),
    ],
)
def test_faulty_download(mirror, monkeypatch, answer, says):
    monkeypatch.setattr(mirrors, "SECONDS_PER_READ", 0.5)
    mirror.answers["x.gz"] = answer
    with pytest.raises(SourceError) as caught:
        mirrors.download(f"{mirror.host}x.gz", pin(CONTENT))
    assert says in str(caught.value)
    assert f"{mirror.host}x.gz" in str(caught.value)


def test_no_server():
    with pytest.raises(mirrors.NoAnswerError, match=r"did not answer .*refused"):
        mirrors.download(f"http://127.0.0.1:{closed_port()}/x.gz", pin(CONTENT))


@pytest.fixture
def labels(mnist, mirror, monkeypatch):
    """Both label files on the mirror; gzip's own bytes differ from one zlib to the next."""
    contents = {}
    for name in (files.TRAIN_LABELS, files.TEST_LABELS):
        contents[name] = (mnist / name).read_bytes()
        packed = gzip.compress(contents[name], mtime=0)
        mirror.answers[f"{name}.gz"] = packed
        monkeypatch.setitem(mirrors.GZIP_PINS, name, pin(packed))
    return contents


def test_mirror(mirror, labels):
    assert mirrors.mirrors(labels, [mirror.host]) == labels


def test_next_mirror_fills_in(mirror, labels):
    # A host may be a folder too: this one has nothing.
    hosts = [f"{mirror.host}empty/", mirror.host]
    assert mirrors.mirrors(labels, hosts) == labels
    assert sum(count for name, count in mirror.asked.items() if name.startswith("empty/")) == 2


def test_mirror_without_answer_is_asked_once(mirror, labels):
    for name in labels:
        mirror.answers[f"dead/{name}.gz"] = "drop"
    assert mirrors.mirrors(labels, [f"{mirror.host}dead/", mirror.host]) == labels
    assert sum(count for name, count in mirror.asked.items() if name.startswith("dead/")) == 1


def test_every_mirror_fails(mirror, labels):
    dead = f"http://127.0.0.1:{closed_port()}/"
    with pytest.raises(SourceError) as caught:
        mirrors.mirrors(labels, [dead, f"{mirror.host}empty/"])
    assert f"{dead}{files.TRAIN_LABELS}.gz did not answer" in str(caught.value)
    assert f"{mirror.host}empty/{files.TRAIN_LABELS}.gz answered 404" in str(caught.value)


def test_mirror_with_other_content_is_refused(mirror, monkeypatch):
    packed = gzip.compress(bytes(10_008))
    mirror.answers[f"{files.TEST_LABELS}.gz"] = packed
    monkeypatch.setitem(mirrors.GZIP_PINS, files.TEST_LABELS, pin(packed))
    with pytest.raises(SourceError, match="t10k-labels-idx1-ubyte made from it has SHA-256"):
        mirrors.mirrors([files.TEST_LABELS], [mirror.host])


def test_torchvision_names_mirrors():
    from torchvision.datasets import MNIST

    hosts = mirrors.torchvision_mirrors()
    assert hosts
    assert all(host.startswith("http") and host.endswith("/") for host in hosts)
    assert {name for name, _ in MNIST.resources} == {f"{name}.gz" for name in mirrors.GZIP_PINS}


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (gzip.compress(CONTENT)[:-20], "cannot be decompressed"),
        (b"plain text", "cannot be decompressed"),
        (gzip.compress(CONTENT + b"!"), "more than the 102,400 bytes expected"),
        (gzip.compress(bytes(50_000_000)), "more than the 102,400 bytes expected"),
    ],
)
def test_faulty_gzip(packed, says):
    assert decompress(gzip.compress(CONTENT), len(CONTENT)) == CONTENT
    with pytest.raises(SourceError, match=says):
        decompress(packed, len(CONTENT))
