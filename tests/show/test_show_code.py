"""Below every figure, table and lab of ours a line unfolds the code of the function that made it."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from IPython.core.formatters import DisplayFormatter

from lm_utils.explorer.explorer import explorer
from lm_utils.explorer.picker import picker
from lm_utils.lessons import losses as lesson
from lm_utils.lessons import new_data, output_activations, start_here
from lm_utils.show import output_figures, result_figures
from lm_utils.show.style import new_figure, show
from lm_utils.show_code import drawn_by, folded
from lm_utils.workshop.publish.slide_rule import output_part


def code_in(page):
    ((head, source),) = re.findall(
        r'<details class="code"><summary[^>]*>(.*?)</summary><pre[^>]*>(.*?)</pre>', page, re.S
    )
    return re.sub("<[^>]+>", "", head), unescape(source)


@pytest.fixture(scope="module")
def cell():
    ours = (lesson, new_data, start_here, output_figures, result_figures)
    names = {"__name__": "__main__", "show": show, "new_figure": new_figure, "lesson": lesson,
             **{module.__name__.rpartition(".")[2]: module for module in ours}}  # fmt: skip
    exec("from lm_utils.evidence import tables\nimport lm_utils as lm", names)
    return lambda code: eval(code, names)


def test_a_figure_shows_the_function_that_the_cell_called_and_its_file(cell):
    bundle = cell("show(result_figures.dots_and_intervals(tables.summary('binary', 'loss')))")._repr_mimebundle_()
    head, source = code_in(bundle["text/html"])
    assert head.startswith("Show the code: dots_and_intervals in lm_utils/show/result_figures.py:")
    assert source.startswith("def dots_and_intervals(") and "details" not in bundle["text/plain"]


def test_a_figure_that_a_cell_draws_itself_shows_nothing(cell):
    drawn = cell("show(new_figure()[0])")
    drawn.figure.set_label("an empty figure")
    assert "details" not in drawn._repr_mimebundle_()["text/html"]


def test_a_table_shows_where_its_figures_come_from(cell):
    table = cell("tables.readable(tables.summary('binary', 'loss'))")
    head, source = code_in(table._repr_html_())
    assert head.startswith("Show the code: summary in lm_utils/evidence/tables.py:") and "st.compare(" in source
    assert "Show the code" not in repr(table)


@pytest.mark.parametrize("code", ["new_data.confirmation_sentences()", "start_here.course_map()"])
def test_markdown_of_ours_shows_its_code_as_one_line_without_formulas(cell, code):
    text, _, fold = cell(code).data.rpartition("\n\n")
    head, source = code_in(fold)
    assert code.partition(".")[2][:-2] in head and source.startswith("def ") and "\n" in source
    assert "\n" not in fold and "$" not in fold and "details" not in text


def test_a_lab_shows_what_draws_its_picture(cell):
    head, source = code_in(cell("lesson.walk_lab()").children[-1].value)
    assert "walk_figure in lm_utils/lessons/losses.py" in head and "def walk_figure(" in source
    through_a_lambda, _ = code_in(output_activations.coupling_lab().children[-1].value)
    assert "coupling_figure in" in through_a_lambda


def test_picker_and_explorer_show_what_draws_their_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    for box in (picker("binary", "digits", "cpu"), explorer("digits", "cpu", tmp_path)):
        head, source = code_in(box.children[-1].value)
        assert "curves_" in head and " in lm_utils/explorer/" in head and "def curves_" in source


def test_a_function_of_the_reader_is_not_ours():
    assert drawn_by(lambda x: x) == [] and folded(None) == ""


def test_a_slide_leaves_the_code_out(cell):
    table = cell("tables.readable(tables.summary('binary', 'loss'))")
    part = output_part({"text/html": table._repr_html_()}, "")
    assert part.kind == "table" and "<td" in part.text and "Show the code" not in part.text
    part = output_part({"text/markdown": cell("start_here.course_map()").data}, "")
    assert part.kind == "table" and "Show the code" not in part.text


def test_a_plain_table_of_ours_keeps_its_maker_through_rounding(cell, monkeypatch):
    notebook = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr("lm_utils.show_code.get_ipython", lambda: notebook)
    data, _ = notebook.display_formatter.format(cell("start_here.fitting_table()[['task']].round(2)"))
    head, source = code_in(data["text/html"])
    assert head.startswith("Show the code: fitting_table in") and "recommended(name)" in source
    assert "<td" in data["text/html"]
