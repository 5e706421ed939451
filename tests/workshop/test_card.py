"""The decision card says what the rules say, lies in docs as it is written, and is printed on one page."""

import re

import pytest
import torch
from bs4 import BeautifulSoup

from lm_utils.files import DOCS
from lm_utils.pairing import Scale, recommended
from lm_utils.tasks import TASKS
from lm_utils.workshop.browser import find_browser
from lm_utils.workshop.publish import card
from lm_utils.workshop.publish.korean import korean

EDITIONS = {"en": (str, DOCS), "ko": (korean, DOCS / "ko")}
each_edition = pytest.mark.parametrize("language", EDITIONS)


@each_edition
def test_page_and_pdf_in_docs_are_up_to_date(language):
    say, folder = EDITIONS[language]
    assert (folder / "decision-card.md").read_text("utf-8") == card.markdown(say), "run `make card`"
    pdf = (folder / "decision-card.pdf").read_bytes()
    assert pdf.endswith(card.mark_of(card.print_page(language, say))), "run `make card`"
    assert pdf.startswith(b"%PDF") and len(pdf) < 200_000 and pdf.count(b"/Type /Page\n") == 1


@each_edition
def test_the_printed_page_says_all_but_the_links(language):
    say, _ = EDITIONS[language]
    page = BeautifulSoup(card.print_page(language, say), "html.parser")
    assert page.html["lang"] == language and not page.select("a[href$='.md'], a[href$='.pdf']")
    told = page.get_text()
    habits = re.findall(r"^- (.+)", card.markdown(say), re.MULTILINE)[-4:]
    for row in map(card.entry, TASKS):
        sentences = [say(text) for text in (row.task, row.asks, row.outputs, *row.fits, row.predict)]
        sentences += [*habits, *(card.first_reason(say(text)) for _, text in row.wrong)]
        assert [text for text in sentences if text.replace("`", "") not in told] == []


def test_without_a_browser_the_pages_are_written_and_a_sentence_says_what_lacks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(card, "find_browser", lambda: None)
    assert card.main(tmp_path) == 0
    assert "Chromium" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["decision-card.md"] * 2


@pytest.mark.browser
@pytest.mark.skipif(find_browser() is None, reason="needs Chromium; `apt-get install chromium` on Debian and Ubuntu")
def test_chromium_prints_one_page_and_an_unchanged_card_is_not_printed_again(tmp_path, monkeypatch):
    pdf, page = tmp_path / "card.pdf", card.print_page("en")
    assert card.print_pdf(page, pdf)
    assert pdf.read_bytes().count(b"/Type /Page\n") == 1
    monkeypatch.setattr(card, "find_browser", lambda: pytest.fail("printed again"))
    assert card.print_pdf(page, pdf)


@pytest.mark.parametrize("task", TASKS)
def test_a_row_says_what_the_rules_say(task):
    row = card.entry(task)
    assert all(any(pairing.rule.code in fit for fit in row.fits) for pairing in recommended(task))
    assert {verdict for verdict, _ in row.wrong} <= {"workable", "handicapped", "impossible"}


@pytest.mark.parametrize("task", TASKS)
def test_to_predict_is_what_the_course_does(task):
    drawn = torch.linspace(-2, 2, 8 * TASKS[task].outputs).view(8, -1)
    written = re.findall("`([^`]+)`", card.entry(task).predict)
    for pairing in recommended(task):
        out = torch.sigmoid(drawn) if pairing.activation == "sigmoid" else drawn
        p = pairing.predict(out, Scale(3.0, 2.0))
        answers = [answer.tolist() for answer in (p, p.argmax(1), p > 0.5)]
        names = {"out": out, "torch": torch, "mean": 3.0, "std": 2.0}
        right = [code for code in written if eval(code, names).tolist() in answers]
        which = [written[pairing.activation == "none"]] if TASKS[task].kind in ("single", "labels") else written
        assert right == which, pairing.label


def test_code_is_set_as_code():
    assert card.as_code("nn.MSELoss(), torch.sqrt(nn.MSELoss()(out, y))") == (
        "`nn.MSELoss()`, `torch.sqrt(nn.MSELoss()(out, y))`"
    )
