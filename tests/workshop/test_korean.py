"""The Korean first steps: every English text has its Korean partner, and the code is the same."""

import ast
import re
from functools import cache
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from lm_utils.lessons import start_here
from lm_utils.workshop.publish import card, notebooks
from lm_utils.workshop.publish.korean import changed_since_translated, phrases
from lm_utils.workshop.publish.korean import korean as in_korean

FIRST_STEPS = {"00_start_here", "11_multi_class"}
TRANSLATED = [path for path in notebooks.sources() if notebooks.has_korean(path)]
each = pytest.mark.parametrize("source", TRANSLATED, ids=lambda path: path.stem)
HANGUL = re.compile(r"[가-힣]")
SAME = {  # what a translation must have in common with its text, in this order
    "headings": r"(?m)^#+(?= )",
    "bullets": r"(?m)^[-*](?= )",
    "code": r"`[^`\n]+`",
    "links": r"\]\((?:\.\./)?([^)]+)\)",
}


@cache
def editions(source):
    """The cells of the English and the Korean notebook, pair by pair."""
    return list(zip(notebooks.build(source).cells, notebooks.build(source, "korean").cells, strict=True))


def body(text):
    """A text without its asides (quoted lines), which only the Korean edition needs."""
    return re.sub(r"(?m)^>.*\n?", "", text).strip()


def numbers(text):
    """The numbers of a text, in any order."""
    return set(re.findall(r"\d+(?:\.\d+)?", re.sub(SAME["links"], "", text)))


def test_the_first_steps_exist_in_korean():
    assert {path.stem for path in TRANSLATED} >= FIRST_STEPS


@each
def test_no_english_cell_has_changed_since_its_korean_was_written(source):
    assert not (sentences := changed_since_translated(source)), "\n".join(sentences)


@each
def test_code_is_the_same_and_every_text_is_translated(source):
    for english, korean in editions(source):
        if english.cell_type == "code":
            assert korean == english
        else:
            assert korean.cell_type == "markdown" and not HANGUL.search(english.source.replace("추정", ""))
            assert HANGUL.search(korean.source), f"not translated: {english.source[:80]!r}"


@each
@pytest.mark.parametrize("part", SAME)
def test_a_translation_keeps_the_shape_of_its_text(source, part):
    for english, korean in editions(source):
        if english.cell_type == "markdown":
            ours, theirs = (re.findall(SAME[part], body(cell.source)) for cell in (korean, english))
            assert sorted(ours) == sorted(theirs), f"translate again: {english.source[:80]!r}"


@each
def test_a_translation_keeps_paragraphs_and_numbers(source):
    for english, korean in editions(source):
        if english.cell_type == "markdown":
            ours, theirs = body(korean.source), body(english.source)
            assert len(re.split(r"\n{2,}", ours)) == len(re.split(r"\n{2,}", theirs)), f"translate again: {theirs!r}"
            assert numbers(theirs) <= numbers(ours), f"translate again: {theirs!r}"


@each
def test_a_question_stands_in_korean_above_its_cell(source):
    cells = [korean for _, korean in editions(source)]
    for above, cell in pairwise(cells):
        if cell.cell_type == "code" and re.search(r"\b(predict|vote)\(", cell.source):
            lists = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.List)]
            assert len(re.findall(r"(?m)^> - ", above.source)) == len(lists[0].elts), cell.source


@each
def test_emphasis_is_drawn_as_emphasis(source):
    for _, korean in editions(source):  # a closing ** between a sign and a letter stays a pair of stars
        if korean.cell_type == "markdown":
            words = re.sub(r"<code>.*?</code>|<[^>]+>", "", MarkdownIt().render(korean.source))
            assert "*" not in words, words


def test_the_map_of_the_korean_folder_is_the_whole_course(monkeypatch):
    folder = notebooks.PROJECT / "notebooks" / "ko"
    monkeypatch.chdir(folder.parent)
    english = start_here.notebooks_here()
    monkeypatch.chdir(folder)
    korean = start_here.notebooks_here()
    assert list(korean) == list(english)
    for number, part in korean.items():
        assert (folder / part["file"]).resolve().exists()
        assert part["minutes"] == english[number]["minutes"] and part["covers"]
        assert bool(HANGUL.search(part["title"])) == (english[number]["file"] == part["file"])


def test_the_card_says_the_same_in_both_languages():
    pages = card.markdown(), card.markdown(in_korean)
    code, values = ([sorted(re.findall(pattern, page)) for page in pages] for pattern in (SAME["code"], r"\d\.\d{4}"))
    assert code[0] == code[1] and values[0] == values[1]
    assert [line.count("|") for line in pages[0].splitlines()] == [line.count("|") for line in pages[1].splitlines()]


def test_every_phrase_is_used_once_and_a_missing_one_is_named():
    asked = set()
    card.markdown(lambda text: asked.add(text) or text)
    assert asked == set(phrases())
    with pytest.raises(ValueError, match="No Korean for 'Tomorrow'"):
        in_korean("Tomorrow")
