from types import SimpleNamespace

import pytest

from stages.results import seeds
from stages.results.seeds import Seeds
from stages.system.errors import UserError

HEADER = "run,seed,accuracy,loss,errors\n"


def read(text: str) -> dict[str, Seeds]:
    files = {str(seeds.PATH): text.encode()}
    return seeds.read(SimpleNamespace(name="main", read=files.get))


@pytest.mark.parametrize("loss", ["", "nan", "inf", "0.2"])
def test_the_last_result_of_a_seed_counts_and_without_spread_no_noise_is_known(loss: str) -> None:
    found = read(HEADER + f"a,0,0.97,{loss},300\na,1,0.98,0.1,200\na,1,0.99,0.2,100\n")["a"]
    assert found.values("accuracy") == [0.97, 0.99]
    assert found.values("loss") == []


def test_a_result_is_a_seeds_to_the_last_digit():
    found = read(HEADER + "a,0,0.97,0.1,300\na,1,0.98,0.2,200\n")["a"]
    assert found.has({"errors": 200, "loss": 0.2})
    assert not found.has({"errors": 200, "loss": 0.1})
    assert not found.has({})


def test_a_corrupt_file_is_named_and_none_at_all_knows_no_noise() -> None:
    for content in ("run,accuracy\na,0.9\n", HEADER + "a,0,x,0.1,300\n", HEADER + "a,0\n"):
        with pytest.raises(UserError, match=r"seeds\.csv in main is corrupt"):
            read(content)
    assert read("") == {}
