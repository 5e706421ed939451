"""The decision card says what the rules say, fits its page, and lies in docs as it is written."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lm_utils.lessons.start_here import fitting
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish import card


def test_the_page_in_docs_is_up_to_date():
    assert (card.ROOT / "docs" / "decision-card.md").read_text("utf-8") == card.markdown(), "run `make card`"


def test_the_pdf_is_one_small_page(tmp_path):
    card.main(tmp_path)
    for folder in (tmp_path, card.ROOT / "docs"):
        pdf = (folder / "decision-card.pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and len(pdf) < 200_000 and pdf.count(b"/Type /Page ") == 1


@pytest.mark.parametrize("task", TASKS)
def test_a_row_says_what_the_rules_say(task):
    row = card.entry(task)
    assert all(any(pairing.rule.code in fit for fit in row.fits) for pairing in fitting(task))
    assert {verdict for verdict, _ in row.wrong} <= {"workable", "handicapped", "impossible"}


def test_everything_lies_on_the_page_and_nothing_overlaps():
    page = card.figure()
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in page.texts]
    width, height = page.bbox.size
    margin = card.MARGIN * page.dpi * 0.9
    assert all(margin <= box.x0 and box.x1 <= width - margin and box.y0 > 0 and box.y1 < height for box in boxes)
    middles = [(box.x0, box.x1, (box.y0 + box.y1) / 2) for box in boxes]
    clashes = [
        (page.texts[i].get_text(), page.texts[j].get_text())
        for i, (left, right, middle) in enumerate(middles)
        for j, (other_left, other_right, other) in enumerate(middles[:i])
        if abs(middle - other) < 0.05 * page.dpi and left < other_right and other_left < right
    ]
    assert clashes == []


def test_code_is_set_as_code():
    assert card.as_code("nn.MSELoss(), torch.sqrt(nn.MSELoss()(out, y))") == (
        "`nn.MSELoss()`, `torch.sqrt(nn.MSELoss()(out, y))`"
    )
