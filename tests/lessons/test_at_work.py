"""Notebook 17: what the text says about the ten stored seeds is so; its cells measure one of them again."""

from lm_utils.files import NOTEBOOKS
from lm_utils.lessons import at_work as lesson
from lm_utils.show.style import png


def test_every_way_has_ten_seeds_and_every_expectation_a_verdict():
    cells = (NOTEBOOKS / "src" / "17_at_work.py").read_text("utf-8").split("\n# %%")
    (judged,) = (cell for cell in cells if "came_true = {" in cell)
    assert all(f'"{name}": ' in judged for name in lesson.expected())
    for part in ("sure", "rare", "small", "large"):
        assert set(lesson.stored(part).groupby("way").size()) == {len(lesson.SEEDS)}


def test_what_the_text_says_about_the_seeds():
    sure, small = lesson.stored("sure"), lesson.stored("small")
    before = sure["ece"].groupby("way").mean()
    assert before["smoothing"] == before[["plain", "smoothing", "focal"]].max(), "the middle group starts highest"
    assert (sure.loc["smoothing, scaled", "T"] < 1).all() and (sure.loc["plain, scaled", "T"] > 1).all()
    assert (small.loc["plain", "recall"] < small.loc["pos_weight", "recall"]).all()


def test_means_stand_in_their_intervals():
    told = lesson.intervals(lesson.stored("small"))
    assert (
        list(told.index) == ["plain", "pos_weight", "undone"]
        and told.loc["plain", "mean_p"] == "0.101 (0.099 to 0.102)"
    )


def test_the_figure_is_drawn_and_read():
    figure = lesson.scaling_figure()
    assert png(figure) and "label smoothing 0.1: 12.7 % before, 1.2 % after, lower in 10 of 10" in figure.get_label()
