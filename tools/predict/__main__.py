"""Say which digits pictures show: no stage, but what a trained run is good for.

python -m tools.predict --run RUN PICTURE ...
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import sys
from pathlib import Path

from torch import nn

from stages import models
from stages.system import errors
from stages.system.errors import UserError
from tools.predict import answer, pictures


def main() -> None:
    """Print a line a picture, the digit and its probability; exit with 1 if one has none."""
    parser = argparse.ArgumentParser(prog="predict", description="Say which digits pictures show.")
    parser.add_argument("--run", required=True, help="such as resnet18 or model_b-lr0.01")
    parser.add_argument("pictures", nargs="+", type=Path, help="image files of one digit each")
    arguments = parser.parse_args()
    network = models.load(f"data/models/{arguments.run}.pt")
    failed = False
    for path in arguments.pictures:
        try:
            digit, probability = read(network, path)
        except UserError as error:
            print(escaped(f"error: {error}"), file=sys.stderr)
            failed = True
            continue
        print(escaped(f"{path}: {digit} ({100 * probability:.1f} %)"))
    sys.exit(failed)


def read(network: nn.Module, path: Path) -> tuple[int, float]:
    """Return the digit of a picture and its probability.

    Raises:
        UserError: it is no picture of a digit, or the network is not sure.
    """
    probabilities = answer.ask(network, pictures.read(path))
    try:
        digit = answer.sure(probabilities)
    except UserError as error:
        raise UserError(f"{path} {error}") from error
    return digit, probabilities[digit]


def escaped(text: str) -> str:
    """Escape what file names may have and a terminal would obey or cannot show."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return shown.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
