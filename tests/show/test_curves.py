"""Curves by name: every curve and level is drawn, each name once in the legend."""

from lm_utils.show.curves import curves_figure


def test_curves_of_several_seeds_share_a_name():
    curves = {"a": [[1, 2], [1, 2, 3]], "b": [[2, 3]]}
    figure = curves_figure(curves, "what it shows", levels={"level": 1.5}, ylabel="y", title="t")
    (axes,) = figure.axes
    assert [len(line.get_xdata()) for line in axes.lines] == [2, 3, 2, 2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "level"]
    assert (figure.get_label(), axes.get_ylabel(), axes.get_title()) == ("what it shows", "y", "t")
