"""No model file can run code, or take more memory than what it stands for."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import Trap

from stages import models
from stages.system.errors import UserError

CORRUPT = "is corrupt or not a model file"


def holding(**entries: object) -> Callable[[Path], None]:
    return lambda path: torch.save(torch.load(path, weights_only=True) | entries, path)


def in_the_old_format(path: Path) -> None:
    torch.save({"params": Trap(Path("canary"))}, path, _use_new_zipfile_serialization=False)


def compressed(path: Path) -> None:
    """Compress what torch.save does not: a few kilobytes could unpack to any amount."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (holding(params={"deep": [(Trap(Path("canary")),)]}), CORRUPT),
        (in_the_old_format, CORRUPT),
        (compressed, CORRUPT),
        (holding(options={"image_size": 10**9}), "image_size is 1000000000, expected"),
        (holding(state_dict={"conv1.weight": torch.zeros(1).expand(10**12)}), "does not hold"),
    ],
)
def test_it_is_refused_in_one_sentence(
    spoil: Callable[[Path], None], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("model_b.pt")
    models.save(path, models.build("model_b", image_size=28), "model_b", {"image_size": 28}, {})
    spoil(path)
    with pytest.raises(UserError, match=rf"^[^\n]*{words}[^\n]*$"):
        models.load(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model_b.pt"]
