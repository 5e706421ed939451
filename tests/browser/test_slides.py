"""Slides in a browser: all fit into 1280 by 720, letters and pictures are large enough, nothing is loaded.

The decks: every notebook without outputs (all that is text), the small one with an output of each kind, one made up of
what is too long, and, where `make run-all` was called, what it has executed.
"""

import shutil

import pytest
from made_up_site import rich
from nbformat import v4
from workshop.test_slides import FIRST, LONG, made, picture, shown_by

from lm_utils.files import PROJECT
from lm_utils.show import quiz
from lm_utils.workshop.publish import notebooks, slides
from lm_utils.workshop.publish.notebooks import is_executed, read
from lm_utils.workshop.publish.web_parts import is_fetched
from tests.browser.conftest import PATIENCE, SCREENS, SIZE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAST = {"letters": 20, "scale": 0.6}
FAULTS = """least => {
    const slide = Reveal.getCurrentSlide(), faults = [];
    const parts = [...slide.querySelectorAll(':scope > .part:not(.head)')];
    for (const box of [slide, ...slide.querySelectorAll(':scope > .part, :scope > .part *')]) {
        const wide = box.scrollWidth - box.clientWidth, tall = box.scrollHeight - box.clientHeight;
        if (box !== slide && !['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) continue;
        if (wide > 0) faults.push(`${wide} px too wide: ${box.className || box.tagName}`);
        if (tall > 0) faults.push(`${tall} px too tall: ${box.className || box.tagName}`);
    }
    if (parts.every(part => part.matches('.text, .words'))) {
        const said = parts.map(part => part.innerText).join('\\n');
        if ((said.match(/[.!?:]["')]*(?=\\s|$)/g) ?? []).length < 2) faults.push(`a single sentence: ${said}`);
    }
    for (const image of slide.querySelectorAll('img')) {
        const box = image.getBoundingClientRect(), width = image.getAttribute('width') ?? image.naturalWidth;
        const height = width * image.naturalHeight / image.naturalWidth;
        const scale = Math.min(box.width / width, box.height / height);
        if (!(scale >= least.scale)) faults.push(`an image at ${scale.toFixed(2)} of its size`);
    }
    const texts = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const holder = texts.currentNode.parentElement, size = parseFloat(getComputedStyle(holder).fontSize);
        if (texts.currentNode.textContent.trim() && !holder.closest('aside, style, math') && size < least.letters) {
            faults.push(`letters of ${size} px: ${texts.currentNode.textContent.trim().slice(0, 30)}`);
        }
    }
    return faults;
}"""
GO = "place => { const at = Reveal.getIndices(Reveal.getSlides()[place]); Reveal.slide(at.h, at.v ?? 0, 99); }"
WALK = """async least => {{
    const faults = {faults}, go = {go};
    await Promise.all([...document.images].map(image => image.decode()));
    return Reveal.getSlides().map((_, place) => {{ go(place); return faults(least); }});
}}"""


def too_long():
    """A notebook of everything that does not fit on a slide as it is, and must be parted."""
    frame = "".join(f"<tr><th>{row}</th><td>{LONG[: 9 * row]}</td><td>97.{row} %</td></tr>" for row in range(1, 30))
    head = "<thead><tr><th></th><th>what happened</th><th>how often</th></tr></thead>"
    asked = quiz.predict(LONG[:300], [LONG[:90], LONG[:40], "neither"], "neither", LONG[:400]).folded()
    return made(
        f"## A title that is so long that it takes two lines of a slide, and perhaps even three\n\n{LONG}\n\n{LONG}",
        shown_by("show()", html=picture(10, 3.8)),
        LONG,
        shown_by("show()", html=picture(10, 7.2)),
        LONG,
        shown_by("show()", html=picture(16, 4)),
        shown_by("table", html=f"<table>{head}<tbody>{frame}</tbody></table>"),
        "\n".join(f"- {LONG[: 20 * item]}" for item in range(1, 25)),
        "| a | b |\n|---|---|\n" + "\n".join(f"| {LONG[:30]} | {LONG[: 10 * row]} |" for row in range(30)),
        shown_by("quiz.predict()", html=asked),
        shown_by("print(lines)", printed="\n".join(f"{line} " + "x" * 3 * line for line in range(60))),
        shown_by("show()", html=picture()),
        LONG[:60],
        f"### Formulas\n\n{LONG[:200]}\n\n$$\\frac{{a}}{{b}} = c$$\n\nand so:\n\n$$\\sum_k e^{{z_k}} = S$$",
    )


def rich_in_parts():
    """The small notebook of the site's tests, each of its outputs below a heading; no slide holds its long formula."""
    notebook = rich()
    cells = [part for cell in notebook.cells[2:-1] for part in (v4.new_markdown_cell(f"## {cell.source[:20]}"), cell)]
    return v4.new_notebook(cells=[v4.new_markdown_cell(FIRST), *cells], metadata=notebook.metadata)


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The folder of all decks."""
    if not is_fetched(PROJECT / "site", PROJECT / "build" / "web-parts") and not shutil.which("npm"):
        pytest.skip("npm is missing; install it, since reveal.js comes from there")
    folder = tmp_path_factory.mktemp("slides")
    all_of_them = {path.stem: notebooks.build(path) for path in notebooks.sources()}
    for name in all_of_them:
        stored = slides.EXECUTED / f"{name}.ipynb"
        if is_executed(PROJECT / "notebooks" / f"{name}.ipynb", stored):
            all_of_them[name] = read(stored)
    slides.build({**all_of_them, "41_rich": rich_in_parts(), "42_too_long": too_long()}, folder)
    return folder


@pytest.fixture
def opened(chromium, decks):
    """A function that opens a deck with the network blocked; what was asked for all the same is a fault."""
    context = chromium.new_context(viewport=SIZE)
    context.set_default_timeout(1000 * PATIENCE)
    asked = []
    context.route(lambda address: not address.startswith("file:"), lambda route: (asked.append(route), route.abort()))

    def open_deck(name: str):
        page = context.new_page()
        page.on("pageerror", lambda error: asked.append(error))
        page.on("requestfailed", lambda request: asked.append(request.url))
        page.goto(f"file://{decks}/{name}.html")
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        return page

    yield open_deck
    context.close()
    assert asked == []


def test_every_slide_fits_and_can_be_read(opened, decks):
    faults, count = {}, 0
    for deck in sorted(decks.glob("*.html")):
        if deck.stem == "index":
            continue
        page = opened(deck.stem)
        found = page.evaluate(WALK.format(faults=FAULTS, go=GO), LEAST)
        count += len(found)
        for place, wrong in enumerate(found):
            if wrong:
                faults[f"{deck.stem} {place + 1}"] = wrong
                page.evaluate(GO, place)
                SCREENS.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=SCREENS / f"slide_{deck.stem}_{place + 1}.png")
        page.close()
    assert faults == {}
    assert count > 200 and (decks / "lesson.html").exists()


def test_what_is_wrong_would_be_found(opened):
    page = opened("42_too_long")
    page.evaluate(GO, page.evaluate("Reveal.getSlides().findIndex(one => one.querySelector('.figure ~ .text'))"))
    assert page.evaluate(FAULTS, LEAST) == []
    page.add_style_tag(content=".text { font-size: 12px !important; }")
    page.add_style_tag(content=".head { padding-bottom: 700px; } .kicker { width: 1400px; } .figure { zoom: 0.3; }")
    found = " ".join(page.evaluate(FAULTS, LEAST))
    for fault in ("too tall", "too wide", "letters of 12 px", "of its size"):
        assert fault in found
    page.evaluate("document.querySelectorAll('.present .part:not(.head)').forEach(part => part.remove())")
    assert "a single sentence" in " ".join(page.evaluate(FAULTS, LEAST))


def test_keys_go_on_answers_come_last_and_s_opens_the_notes(opened):
    page = opened("42_too_long")
    answer = "section.present:not(.stack) .fragment.answer"
    while not page.locator(answer).count():
        page.keyboard.press("Space")
    assert page.locator(answer).evaluate("element => getComputedStyle(element).visibility") == "hidden"
    page.keyboard.press("Space")
    assert page.locator(answer).evaluate("element => element.classList.contains('visible')")
    page = opened("02_why_these_losses")
    page.evaluate(GO, 1)
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    popup.value.wait_for_function("document.querySelector('.speaker-controls-notes .value')?.innerText.length > 40")
    assert "What you ask" in notes.inner_text()


def test_a_deck_prints_one_page_for_each_slide(opened):
    page = opened("42_too_long")
    count = page.evaluate("Reveal.getTotalSlides()")
    page.goto(page.url.split("#")[0] + "?print-pdf")
    page.wait_for_function("count => document.querySelectorAll('.pdf-page').length === count", arg=count)
