from pathlib import Path

from tools.review import changes, drawings, sides


def draw(base: str = "main") -> dict[Path, bytes]:
    base, head = sides.revision(base), sides.working_tree()
    return drawings.draw("before", "after", changes.compare(base, head))


def test_the_runs_that_changed_are_drawn_and_earlier_pictures_go(example, review):
    example.write("review-plots/earlier.png", "of another review")
    example.result("model_a", 50, 0.02)
    assert "Not in git; `make review` draws them: `review-plots/model_a.png`." in review("main")
    assert [path.name for path in Path("review-plots").iterdir()] == ["model_a.png"]
    assert Path("review-plots/model_a.png").read_bytes().startswith(b"\x89PNG")


def test_before_and_after_are_told_apart(example):
    example.result("model_a", 50, 0.02)
    one = draw()
    example.result("model_a", 50, 0.03)
    assert draw().keys() == one.keys() == {Path("review-plots/model_a.png")}
    assert draw() != one


def test_a_run_with_curves_on_one_side_or_none(example):
    example.result("model_a", 50, 0.02)
    example.result("model_b-lr0.1", 50, 0.02)
    example.result("model_c", 50, 0.02)
    example.git("rm", "--quiet", "-r", "--force", "plots/runs/model_a")
    assert sorted(path.stem for path in draw()) == ["model_a", "model_b-lr0.1", "model_c"]
    base = example.commit()
    example.result("model_a", 60, 0.02)
    example.git("clean", "--quiet", "-d", "--force", "plots/runs/model_a")
    assert draw(base) == {}


def test_of_a_revision_whose_steps_have_no_epochs_the_epochs_are_drawn(example):
    example.write("plots/runs/model_a/steps.csv", "step,loss\n5,2.0\n20,0.5\n")
    example.commit()
    example.result("model_a", 50, 0.02)
    old, with_epochs = draw("HEAD"), draw("HEAD~1")
    assert old.keys() == with_epochs.keys()
    assert old != with_epochs
