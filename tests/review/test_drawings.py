from pathlib import Path

from review import drawings, snapshots


def test_the_runs_that_changed_are_drawn_and_earlier_pictures_go(example, review):
    example.write("review-plots/earlier.png", "of another review")
    example.result("model_a", 50, 0.02)
    text = review("main")
    assert "not in git: `review-plots/model_a.png`." in text
    assert [path.name for path in Path("review-plots").iterdir()] == ["model_a.png"]
    assert Path("review-plots/model_a.png").read_bytes().startswith(b"\x89PNG")
    assert example.git("status", "--porcelain", "review-plots") == ""


def test_before_and_after_are_told_apart(example):
    main = snapshots.revision("main")
    same = drawings.draw(main, snapshots.working_tree(), ["model_a"])
    example.result("model_a", 50, 0.02)
    now = drawings.draw(main, snapshots.working_tree(), ["model_a"])
    assert list(now) == [Path("review-plots/model_a.png")]
    assert now != same


def test_a_run_with_curves_on_one_side_or_none(example):
    example.result("model_c", 50, 0.02)
    example.git("rm", "--quiet", "-r", "plots/runs/model_a")
    base, head = snapshots.revision("main"), snapshots.working_tree()
    drawn = drawings.draw(base, head, ["model_c", "model_a", "nothing"])
    assert [path.stem for path in drawn] == ["model_c", "model_a"]


def test_without_steps_the_epochs_make_the_curve(example):
    whole = drawings.draw(*[snapshots.revision("main")] * 2, ["model_a"])
    example.git("rm", "--quiet", "plots/runs/model_a/steps.csv", "plots/runs/model_a/settings.json")
    head = snapshots.working_tree()
    assert drawings.draw(head, head, ["model_a"]).keys() == whole.keys()
    assert drawings._curve(head, "model_a", 0).train == [(1, 1.5), (2, 0.4)]
