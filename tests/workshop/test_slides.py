"""Slides: what the rule shows and what it leaves to the notes, the guide's words, and decks that need no network."""

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from nbformat import v4

from lm_utils.show import quiz
from lm_utils.show.style import image_tag
from lm_utils.workshop.publish import notebooks, slides, teachers_guide
from lm_utils.workshop.publish.slide_rule import Slide, blocks_of, parts_of, slides_of, text_parts

FIRST = "# 42 Made up: a test\n\nAfter this notebook you can\n\n- see\n- tell\n\n**Time:** 5 minutes"
LONG = "This is a first sentence. " + " ".join(f"Here comes sentence number {number}." for number in range(40))


def picture(width: float = 10.0, height: float = 3.8) -> str:
    figure = Figure(figsize=(width, height), dpi=100)
    figure.set_label("A made-up picture")
    return image_tag(figure)


def shown_by(cell: str, *, html: str = "", markdown: str = "", plain: str = "", printed: str = "", **metadata: object):
    """A cell of code with one output."""
    kinds = {"text/html": html, "text/markdown": markdown, "text/plain": plain}
    data = {kind: text for kind, text in kinds.items() if text}
    output = v4.new_output("stream", text=printed) if printed else v4.new_output("execute_result", data)
    return v4.new_code_cell(cell, outputs=[output], metadata=metadata)


def made(*cells: object):
    """An executed notebook with these cells; a text stands for a cell of text."""
    text = v4.new_markdown_cell
    return v4.new_notebook(cells=[text(FIRST), *(text(cell) if isinstance(cell, str) else cell for cell in cells)])


def told(slide: Slide) -> str:
    return "\n".join(part.text for part in slide.shown)


def slides_for(*cells: object) -> list[Slide]:
    return slides_of(parts_of(made(*cells)))


# --- the rule ---


def test_a_figure_stands_with_the_text_that_reads_it_and_without_code():
    found = slides_for(
        "## 1. Look\n\nWhy we look.\n\nMore about why.",
        shown_by("show(secret_code())", html=picture()),
        shown_by("show(secret_code())", html=picture()),
        "Read it like this.\n\nA second paragraph.",
    )
    assert [slide.headings for slide in found] == [("1. Look",), ("1. Look",)]
    assert [[part.kind for part in slide.shown] for slide in found] == [["text", "figure"], ["figure", "text"]]
    assert found[0].shown[0].text == "Why we look." and found[0].notes == ["More about why."]
    assert found[1].shown[1].text == "Read it like this." and found[1].notes == ["A second paragraph."]
    assert "secret_code" not in told(found[0]) and "A made-up picture" in told(found[0])


def test_code_is_shown_with_what_it_printed():
    (slide,) = slides_for("## Numbers", shown_by("print(6 * 7)", printed="42\n"), "So it is.")
    assert [part.kind for part in slide.shown] == ["plain", "text"]
    assert (slide.shown[0].code, slide.shown[0].text) == ("print(6 * 7)", "42")


def test_several_questions_stay_folded_on_one_slide():
    asked = quiz.predict("Which?", ["this", "that"], "that", "So.").folded()
    page = f"<details><summary>Two questions</summary>{asked}{asked}</details>"
    (slide,) = slides_for(
        "## Ask\n\nThink first.", shown_by("after()", html=page.replace("<details>", "<details open>", 1))
    )
    assert [part.text for part in slide.shown] == ["Think first.", page]


def test_a_question_keeps_its_answer_for_the_next_key():
    asked = quiz.predict("Which?", ["this", "that"], "that", "Since $a<b$.").folded()
    (slide,) = slides_for("## Ask\n\nThink first.", shown_by("quiz.predict(...)", html=asked), "Told afterwards.")
    assert [part.kind for part in slide.shown] == ["text", "question"] and "details" not in told(slide)
    assert slide.notes == ["Told afterwards."]
    page = slides.deck("x", [slides.Card(slide, new_stack=True)])
    assert page.index("<li>this</li>") < page.index('class="fragment answer"') < page.index("Since")


def test_an_exercise_shows_its_code_and_ends_where_it_is_checked():
    stub, behind = v4.new_code_cell("mine = ..."), shown_by("show()", html=picture())
    waiting = shown_by("quiz.check(...)", html=quiz.check(..., 1)._repr_html_())
    found = slides_for("## Part\n\nText. More.\n\n**Exercise 1.** Do it.", stub, waiting, behind)
    assert [(slide.headings[-1], slide.is_exercise) for slide in found] == [("Part", 0), ("Exercise 1", 1), ("Part", 0)]
    assert found[1].shown[1].code == "mine = ..." and "Not answered yet" not in "".join(map(told, found))


def test_set_up_and_what_is_marked_are_left_out():
    skip = {"slideshow": {"slide_type": "skip"}}
    found = slides_for(
        "About the set-up.",
        shown_by("banner()", html="<div role='note'>data</div>"),
        "## One\n\nText. And more.",
        shown_by("check()", printed="this machine", **skip),
        v4.new_markdown_cell("Not for the wall.", metadata=skip),
    )
    assert [told(slide) for slide in found] == ["Text. And more."] and found[0].notes == []


def test_no_slide_has_a_single_sentence():
    found = slides_for("## One\n\nAlone.", "## Two\n\nFirst.\n\nSecond.\n\nThird.", "### Three\n\nThe end.")
    assert [(told(slide), slide.notes) for slide in found] == [("First.\nSecond.", ["Alone.", "Third.", "The end."])]


def test_what_is_set_apart_takes_its_leading_words_along():
    found = slides_for("## One", shown_by("show()", html=picture()), "It is so.\n\nAnd now see:\n\n- a\n- b")
    assert told(found[1]) == "And now see:\n- a\n- b"


def test_every_paragraph_of_the_course_is_shown_or_said():
    for source in notebooks.sources():
        notebook = notebooks.build(source)
        found = slides_of(parts_of(notebook))
        everything = "\n".join(text for slide in found for text in (told(slide), *slide.notes))
        texts = [
            part for cell in notebook.cells[1:] if cell.cell_type == "markdown" for part in text_parts(cell.source)
        ]
        first = next(place for place, part in enumerate(texts) if part.kind == "heading")
        lost = [part.text for part in texts[first:] if part.kind == "text" and part.text not in everything]
        assert lost == [], source.name


def test_blocks_keep_code_and_formulas_whole():
    text = "One.\n\n```python\na\n\nb\n```\n\n$$a\n\n+b$$\n\n- x\n- y"
    assert blocks_of(text) == ["One.", "```python\na\n\nb\n```", "$$a\n\n+b$$", "- x\n- y"]


# --- the guide ---


@cache
def headings(number: str) -> list[str]:
    source = next(path for path in notebooks.sources() if path.stem.startswith(number))
    cells = [cell for cell in notebooks.build(source).cells if cell.cell_type == "markdown"]
    return [part.text for cell in cells for part in text_parts(cell.source) if part.kind == "heading"]


def test_every_part_that_the_guide_names_exists():
    places = [place for row in teachers_guide.advice() for place in row.places if place.part]
    lost = [
        place for place in places if not any(place.holds(place.notebook, each) for each in headings(place.notebook))
    ]
    assert len(places) > 60 and lost == []


@pytest.mark.parametrize("number", [path.stem[:2] for path in notebooks.sources()])
def test_the_guide_has_words_for_every_notebook(number):
    rows = teachers_guide.advice()
    said = [heading for heading in headings(number) if teachers_guide.about(rows, number, heading)]
    assert len(said) >= 3
    assert all(re.search("ask:", teachers_guide.about(rows, number, heading), re.IGNORECASE) for heading in said)


def test_every_question_of_the_guide_has_an_answer_without_a_typed_figure():
    answers = [
        row.words["a good answer"] for row in teachers_guide.advice() if {"what you ask", "ask"} & row.words.keys()
    ]
    assert len(answers) > 70 and all(answers)
    assert [answer for answer in answers if re.search(r"\d[.,]\d|\d ?%", answer)] == []


def test_places_are_read_from_a_cell():
    cell = (
        "[11 Many](../notebooks/11_multi_class.ipynb), parts 1, 2 and 5: the table; "
        '[13](../notebooks/13_is_it_learning.ipynb), "The doctor", "Your own model" and [07](../notebooks/07_x.ipynb)'
    )
    found = [(place.notebook, place.part) for place in teachers_guide.places_in(cell)]
    assert found == [
        ("11", "1."),
        ("11", "2."),
        ("11", "5."),
        ("13", "The doctor"),
        ("13", "Your own model"),
        ("07", ""),
    ]


def test_the_lesson_asks_first_and_leaves_exercises_at_home():
    steps = teachers_guide.lesson(teachers_guide.advice())
    assert len(steps) == 6
    sources = {path.stem: path for path in notebooks.sources()}
    cards = {
        name: slides.cards_of(name, notebooks.build(path), teachers_guide.advice()) for name, path in sources.items()
    }
    lesson = slides.lesson_cards(steps, cards)
    assert sum(card.slide.shown[0].kind == "ask" for card in lesson) == 6 and lesson[0].slide.shown[0].kind == "ask"
    assert "vote" in lesson[0].advice and not any(card.slide.is_exercise for card in lesson)
    places = [place for step in steps for place in step.places]
    for place in places:
        assert any(place.holds(place.notebook, heading) for card in lesson for heading in card.slide.headings)


# --- the command and the deck ---


@pytest.fixture
def command(monkeypatch, tmp_path):
    """The command with places of its own; what it executes is noted, and comes out without outputs."""
    asked: list[list[str]] = []

    def run_all(only: list[str], out: Path) -> dict[str, bool]:
        asked.append(only)
        out.mkdir(exist_ok=True)
        for name in only:
            shutil.copyfile(notebooks.PROJECT / "notebooks" / f"{name}.ipynb", out / f"{name}.ipynb")
        return {"ok": "13_is_it_learning" not in only}

    for name, value in (("EXECUTED", tmp_path / "run-all"), ("OUT", tmp_path / "slides"), ("run_all", run_all),
                        ("copy_player", lambda out: out.mkdir(parents=True, exist_ok=True))):  # fmt: skip
        monkeypatch.setattr(slides, name, value)
    return asked


def test_only_notebooks_without_an_executed_copy_are_executed(command, capsys):
    assert slides.main(only=["05", "12"]) == 0 and slides.main(only=["05", "10"]) == 0
    assert command == [["05_matching_loss_to_task", "12_multi_label"], ["10_binary"]]
    assert "index.html" in capsys.readouterr().out
    assert sorted(page.stem[:2] for page in slides.OUT.glob("[0-9]*.html")) == ["05", "10", "12"]


def test_a_notebook_that_fails_is_told(command):
    with pytest.raises(ValueError, match="Not every notebook ran through"):
        slides.main(only=["13"])
    with pytest.raises(ValueError, match="which does not exist"):
        slides.main(only=["99"])


def test_a_deck_asks_nobody_for_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(slides, "copy_player", lambda out: out.mkdir(parents=True))
    notebook = made("## One\n\nSee [notebook 05](05_matching_loss_to_task.ipynb).", shown_by("show()", html=picture()))
    index = slides.build({"42_made_up": notebook}, tmp_path / "out")
    page = (tmp_path / "out" / "42_made_up.html").read_text("utf-8")
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert not [address for address in loaded if re.match(r"https?:|//", address)]
    assert 'href="05_matching_loss_to_task.html"' in page and "<title>42 Made up: a test</title>" in page
    assert '<aside class="notes">' in page and page.count("<section") == page.count("</section")
    assert "42_made_up.html" in index.read_text("utf-8") and "lesson.html" not in index.read_text("utf-8")
