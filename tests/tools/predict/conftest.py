from pathlib import Path

import pytest
from helpers import ROOT, run_here, set_params

from stages import train


@pytest.fixture(scope="package")
def trained(tmp_path_factory, mnist: Path) -> Path:
    """Return a folder with a Model B that was trained for a few seconds."""
    root = tmp_path_factory.mktemp("trained")
    (root / "data").mkdir()
    (root / "data/mnist").symlink_to(mnist)
    for name in ("params.yaml", "dvc.yaml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    set_params(root, train_images=4000, validation_images=0, batch_size=32, lr=0.005)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run_here(train, "model_b")
    return root
