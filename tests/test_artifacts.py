"""A trained model leaves for another project as docs/use.md says, with the real dvc.yaml."""

import hashlib
import re
from pathlib import Path

import pictures_kit
import pytest
import torch
from helpers import ROOT, Repository, copy_repository, do, documented, run

from stages import models


@pytest.fixture
def mnist_project(tmp_path: Path, mnist: Path) -> Repository:
    """A committed and tagged copy of this repository with a fresh ResNet-18 as the trained one."""
    made = Repository(copy_repository(tmp_path / "mnist", mnist))
    path, options = made.root / "data/models/resnet18.pt", {"image_size": 32, "stem": "fresh"}
    torch.manual_seed(1)
    models.save(path, models.build("resnet18", **options), "resnet18", options, {})
    content = path.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    cached = made.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    path.rename(cached)
    entry = r"(path: data/models/resnet18\.pt\n +hash: md5\n) +md5: \w+\n +size: \d+"
    new = rf"\1      md5: {md5}\n      size: {len(content)}"
    lock, count = re.subn(entry, new, (made.root / "dvc.lock").read_text())
    assert count == 2  # where it is made, and where it is tested
    (made.root / "dvc.lock").write_text(lock)
    made.begin()
    made.do("git", "tag", "--annotate", "resnet18@v1.0.0", "--message", "first")
    return made


def test_another_project_uses_it_as_docs_say(mnist_project: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("digit.png", "photo.jpg"):
        pictures_kit.typed(7).save(elsewhere / name)
    (elsewhere / "notes.txt").write_text("notes")
    first, *commands = documented("docs/use.md")
    (predict,) = [command for command in commands if command.startswith("python")]
    for command in commands:
        if command != predict:
            do(elsewhere, "bash", "-c", command)
    for command, names in ((predict, ["digit.png"]), (first, ["digit.png", "photo.jpg"])):
        shown = run(elsewhere, "bash", "-c", command)
        for name in names:  # with random weights, it may well be in doubt
            assert f"{name}: " in shown.stdout or f"error: {name} could be " in shown.stderr
    assert "notes.txt cannot be read as an image" in shown.stderr

    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/use.md").read_text(), re.DOTALL)[-1]
    torch.manual_seed(0)
    names = {"images": torch.rand(4, 3, 32, 32) * 2 - 1}
    with torch.no_grad():
        exec(code.replace('"resnet18.pt"', repr(str(elsewhere / "resnet18.pt"))), names)
        expected = models.load(elsewhere / "data/models/resnet18.pt")(names["images"])
    torch.testing.assert_close(names["logits"], expected, atol=1e-4, rtol=1e-4)
