import math

import pytest

from stages.results import seeds
from stages.results.seeds import Seeds
from stages.results.statistics import another_seed, two_seeds
from stages.system.errors import UserError

HEADER = "run,seed,accuracy,loss,errors\n"
THREE = HEADER + "a,0,0.97,0.1,300\na,1,0.98,0.2,200\na,2,0.99,0.3,100\nb,0,0.5,1,9\n"


def read(text: str) -> dict[str, Seeds]:
    return seeds.read(lambda path: text.encode() if path == str(seeds.PATH) else None)


def test_each_run_is_judged_by_its_own_seeds() -> None:
    found = read(THREE)
    a, b = found["a"], found["b"]
    assert a.bound("accuracy", known=False) == pytest.approx(4.303 * math.sqrt(2) * 0.01, rel=1e-3)
    assert a.bound("loss", known=True) == pytest.approx(4.303 * math.sqrt(4 / 3) * 0.1, rel=1e-3)
    assert b.judge("loss", 1, 2, known=True) is b.bound("loss", known=True) is None


def test_a_base_that_is_a_seed_is_compared_with_all_of_them() -> None:
    a = read(THREE)["a"]
    assert a.has({"errors": 200, "loss": 0.2})
    assert not a.has({"errors": 200, "loss": 0.3})
    assert not a.has({})
    values = a.values("accuracy")
    assert a.judge("accuracy", 0.97, 1.0, known=True) == another_seed(values, 1.0)
    assert a.judge("accuracy", 0.97, 1.0, known=False) == two_seeds(values, 1.0 - 0.97)
    assert a.judge("accuracy", 0.97, 0.975, known=True) == 1  # better, but below the mean still


@pytest.mark.parametrize("loss", ["", "nan", "inf", "0.2"])
def test_the_last_result_of_a_seed_counts_and_without_spread_no_noise_is_known(loss: str) -> None:
    found = read(HEADER + f"a,0,0.97,{loss},300\na,1,0.98,0.1,200\na,1,0.99,0.2,100\n")["a"]
    assert found.values("accuracy") == [0.97, 0.99]
    assert found.values("loss") == []


def test_a_corrupt_file_is_named_and_none_at_all_knows_no_noise() -> None:
    for content in ("run,accuracy\na,0.9\n", HEADER + "a,0,x,0.1,300\n", HEADER + "a,0\n"):
        with pytest.raises(UserError, match=r"seeds\.csv in the working tree is corrupt"):
            read(content)
    assert seeds.read(lambda path: None) == {}
