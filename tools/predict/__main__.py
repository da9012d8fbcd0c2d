"""Say which digits pictures show: `python -m tools.predict --run RUN PICTURE ...`."""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import sys
from pathlib import Path

from stages import models
from tools.predict import answer, pictures


def main() -> None:
    """Print the digit and its probability for each picture; exit with 1 if one has none."""
    parser = argparse.ArgumentParser(prog="predict", description="Say which digits pictures show.")
    parser.add_argument("--run", required=True, help="such as resnet18 or model_b-lr0.01")
    parser.add_argument("pictures", nargs="+", type=Path, help="image files of one digit each")
    arguments = parser.parse_args()
    networks = {arguments.run: models.load(f"data/models/{arguments.run}.pt")}
    failed = False
    for path in arguments.pictures:
        try:
            probabilities = answer.ask(networks, pictures.read(path))[arguments.run]
            digit = answer.best(probabilities)
            print(escaped(f"{path}: {digit} ({100 * probabilities[digit]:.1f} %)"))
        except errors.UserError as error:
            print(escaped(f"error: {path} {error}"), file=sys.stderr)
            failed = True
    sys.exit(failed)


def escaped(text: str) -> str:
    """Escape what a file's name may hold and a terminal would obey or cannot show."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return shown.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
