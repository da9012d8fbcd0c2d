"""A trained model leaves for another project as docs/use.md says, with the real dvc.yaml."""

import hashlib
import re
import shutil
from pathlib import Path

import pictures_kit
import pytest
import torch
from helpers import ROOT, Repository, copy_repository, do, run
from ruamel.yaml import YAML

from stages import models

MODELS = {
    "resnet18": {"image_size": 32, "stem": "fresh"},
    "model_b": {"image_size": 28, "activation": "relu"},
}


def store(root: Path, name: str, options: dict) -> None:
    """Put a fresh network into DVC's cache and into dvc.lock, in place of the trained one."""
    path = root / f"data/models/{name}.pt"
    torch.manual_seed(1)
    models.save(path, models.build(name, **options), name, options, {})
    content = path.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    cached = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    path.rename(cached)
    lock = (root / "dvc.lock").read_text()
    entry = rf"(path: data/models/{name}\.pt\n +hash: md5\n) +md5: \w+\n +size: \d+"
    replaced, count = re.subn(entry, rf"\1      md5: {md5}\n      size: {len(content)}", lock)
    assert count == 2  # where it is made, and where it is tested
    (root / "dvc.lock").write_text(replaced)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a committed and tagged copy of this repository with two models in its cache."""
    nothing = tmp_path_factory.mktemp("no_mnist")
    made = Repository(copy_repository(tmp_path_factory.mktemp("projects") / "mnist", nothing))
    for name, options in MODELS.items():
        store(made.root, name, options)
    made.begin()
    for name in MODELS:
        made.do("git", "tag", "--annotate", f"{name}@v1.0.0", "--message", "first")
    return made


def test_another_project_uses_it_as_docs_say(source: Repository) -> None:
    page = (ROOT / "docs/use.md").read_text()
    elsewhere = source.root.parent / "elsewhere"
    elsewhere.mkdir()
    for name in ("digit.png", "photo.jpg"):
        pictures_kit.typed(7).save(elsewhere / name)
    (elsewhere / "notes.txt").write_text("notes")
    first, *commands = [line[2:] for line in page.splitlines() if line.startswith("$ ")]
    assert len(commands) == 6
    for command in commands:
        if not command.startswith("python"):
            do(elsewhere, "bash", "-c", command)
    (predict,) = [command for command in commands if command.startswith("python")]
    for command, names in ((predict, ["digit.png"]), (first, ["digit.png", "photo.jpg"])):
        shown = run(elsewhere, "bash", "-c", command)
        for name in names:  # trained on a few images, it may well be in doubt
            assert f"{name}: " in shown.stdout or f"error: {name} could be " in shown.stderr
    assert shown.returncode == 1
    assert "notes.txt cannot be read as an image" in shown.stderr

    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1]
    assert len(list(filter(None, code.splitlines()))) == 5
    torch.manual_seed(0)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    names = {"images": images}
    code = code.replace('"resnet18.pt"', repr(str(elsewhere / "resnet18.pt")))
    with torch.no_grad():
        exec(code, names)
        expected = models.load(elsewhere / "data/models/resnet18.pt")(images)
    torch.testing.assert_close(names["logits"], expected, atol=1e-4, rtol=1e-4)


def test_it_comes_from_a_remote_where_there_is_no_cache(source: Repository, tmp_path: Path) -> None:
    clone = source.clone(tmp_path / "clone")
    clone.do("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    clone.commit("a remote")
    command = ["dvc", "get", str(clone.root), "data/models/model_b.pt"]
    assert run(tmp_path, *command).returncode != 0
    shutil.copytree(source.root / ".dvc/cache", clone.root / ".dvc/cache")
    clone.do("dvc", "push", "data/models/model_b.pt")
    shutil.rmtree(clone.root / ".dvc/cache")
    do(tmp_path, *command)
    assert models.load(tmp_path / "model_b.pt").image_size == 28


def test_the_artifacts_are_the_models_that_the_stages_write() -> None:
    artifacts = YAML(typ="safe").load(ROOT / "dvc.yaml")["artifacts"]
    assert set(artifacts) == {"resnet18", "alexnet", "model_a", "model_b"}
    lock = (ROOT / "dvc.lock").read_text()
    for name, artifact in artifacts.items():
        assert artifact["path"] == f"data/models/{name}.pt"
        assert f"path: {artifact['path']}\n" in lock
        assert artifact["type"] == "model" and artifact["desc"] and artifact["labels"]
