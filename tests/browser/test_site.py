"""The web site in a browser without a network, opened from its folder as a reader would; search also over HTTP."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from links import broken
from made_up_site import ALT, served, small_repository

from lm_utils.evidence.claims import claims, judge_claim
from lm_utils.evidence.reference_lines import ReferenceLines
from lm_utils.evidence.results import reference
from lm_utils.workshop.publish import site as builder
from lm_utils.workshop.publish import site_data, site_pages
from lm_utils.workshop.publish.web_parts import is_fetched, web_part

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = "notebooks/01_losses.html"
CLAIM = "claims/000-harm.html"
KINDS = ("index.html", NOTEBOOK, "results.html", "claims/index.html", CLAIM, "docs/glossary.html",
         "docs/ko/decision-card.html", "search.html")  # fmt: skip
OWN = ("file:", "data:", "blob:")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The site of a small repository, built as `make site` builds it, with a few of the claims; or LM_SITE, built."""
    if built := os.environ.get("LM_SITE"):
        return Path(built).resolve()
    root = builder.PROJECT
    if shutil.which("npm") is None and not is_fetched(root / "site", root / "build" / "web-parts"):
        pytest.skip("needs npm, which comes with Node.js; `apt-get install npm` on Debian and Ubuntu")
    root = tmp_path_factory.mktemp("repository")
    executed = small_repository(root)
    judged = [judge_claim(claim) for claim in claims() if claim.kind != "conditions"][:8]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "judge_all", lambda: judged)
        none = ReferenceLines(None, None, 0.5, None)  # the real ones take a minute
        patch.setattr(site_data, "stored_reference_lines", lambda *_: none)
        assert builder.build(root, executed, root / "build" / "site") == 0
    return root / "build" / "site"


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(folder):
    assert broken(folder) == []


class Reader:
    """One browser window without a network, which notes down what goes wrong."""

    def __init__(self, page, folder: Path) -> None:
        self.page, self.folder, self.faults = page, folder, []
        page.set_default_timeout(240_000)  # a busy machine is no fault of the page
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", self.note_failure)
        page.on("request", lambda request: request.url.startswith(OWN) or self.faults.append(f"asked: {request.url}"))

    def note_failure(self, request) -> None:
        """Note what could not be loaded, but not what was broken off because the page was left."""
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url}")

    def open(self, name: str) -> None:
        """Open a page from the folder, and wait until everything it loads is there."""
        self.page.goto((self.folder / name).as_uri())
        self.page.wait_for_load_state("networkidle")


@pytest.fixture
def reader(chromium, folder) -> Iterator[Callable[..., Reader]]:
    """Make readers; their options are those of a browser's window."""
    contexts = []

    def make(**options: object) -> Reader:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "offline": True, **options})
        contexts.append(context)
        return Reader(context.new_page(), folder)

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_asks_a_network_or_lacks_a_picture_a_description_or_its_language(reader, width):
    one = reader(viewport={"width": width, "height": 800})
    for name in KINDS:
        one.open(name)
        one.page.evaluate(
            "Promise.all([...document.images].map(x => (x.loading = 'eager', x.decode())))"
        )  # far ones wait
        pictures = one.page.evaluate("[...document.images].map(x => [x.alt, x.naturalWidth])")
        assert all(len(alt) > 10 and wide > 0 for alt, wide in pictures), name
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert one.page.locator("html").get_attribute("lang") == ("ko" if "/ko/" in name else "en")
    assert one.faults == []


def test_no_page_is_wider_than_a_phone(reader, folder):
    one = reader(viewport={"width": 390, "height": 800})
    wide = {}
    for path in sorted(folder.rglob("*.html")):
        one.page.goto(path.as_uri())
        if (width := one.page.evaluate("document.documentElement.scrollWidth")) > 390:
            wide[path.relative_to(folder).as_posix()] = width
    assert wide == {}


@pytest.mark.parametrize(
    ("sought", "link"),
    [("calibration", "docs/glossary.html"), ("시그모이드", "docs/glossary.html"), ("model from learning", CLAIM)],
)
def test_search_finds_and_leads_there(reader, sought, link):
    one = reader()
    one.open(CLAIM)
    one.page.keyboard.press("Control+k")
    one.page.locator("#pst-search-dialog input").fill(sought)
    one.page.keyboard.press("Enter")
    one.page.get_by_text("Search finished").wait_for()
    one.page.locator(f"#search-results li a[href*='{link}']").first.click()
    one.page.wait_for_load_state()
    assert sought in one.page.locator("article").inner_text().lower()
    assert one.faults == []


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    """The site, served."""
    with served(folder) as address:
        yield address


def test_search_over_http_shows_where_the_word_stands(reader, address):
    one = reader(offline=False)
    one.page.goto(f"{address}search.html?q=calibration")
    one.page.locator("#search-results p.context", has_text="calibration").first.wait_for()
    assert [fault for fault in one.faults if not fault.startswith(f"asked: {address}")] == []


def test_search_reads_a_page_when_the_reader_comes_to_it(reader, address):
    one, read = reader(offline=False, viewport={"width": 1280, "height": 400}), []
    one.page.on("request", lambda request: read.append(request.url) if request.resource_type == "fetch" else None)
    one.page.goto(f"{address}search.html?q=loss")
    one.page.get_by_text("Search finished").wait_for()
    one.page.locator("#search-results p.context").first.wait_for()
    found = one.page.locator("#search-results ul.search > li")
    assert 0 < len(read) < found.count()
    found.last.scroll_into_view_if_needed()
    found.last.locator("p.context").wait_for()


BLOCKING = """performance.getEntriesByType("resource").filter(one => one.renderBlockingStatus === "blocking")
    .map(one => one.name.split("/").at(-1))"""


def test_the_home_page_weighs_under_500_kb_until_its_explorer_is_ready(reader, address, folder):
    one, sizes = reader(offline=False), []
    one.page.on("response", lambda response: sizes.append(len(response.body())))
    one.page.goto(address)
    one.page.get_by_role("button", name="Play", exact=True).wait_for()
    one.page.wait_for_load_state("networkidle")
    assert len(sizes) > 10 and sum(sizes) < 500_000
    assert one.page.evaluate(BLOCKING) == ["style.css"]  # one sheet, and no script, is waited for
    assert next(folder.glob("_static*/style.css")).stat().st_size < 150_000
    assert one.page.evaluate("document.styleSheets[0].cssRules.length") > 500  # it was read to its end
    assert one.page.locator("link[rel=preload][href*='/runs/']").count() == 1


def test_results_are_chosen_by_task_verdict_and_text(reader):
    lines = list(site_pages.lines_of(reference()))
    one = reader()
    one.open("results.html")
    rows, status = one.page.locator(".filtered tbody tr:visible"), one.page.get_by_role("status")
    assert rows.count() == len(lines)
    one.page.get_by_label("task").select_option("Multi-class classification")
    task = [line for line in lines if line["task"] == "Multi-class classification"]
    assert rows.count() == len(task)
    verdict = task[0]["verdict"]
    one.page.get_by_label("verdict").select_option(verdict)
    both = [line for line in task if line["verdict"] == verdict]
    assert rows.count() == len(both)
    assert status.inner_text() == f"{len(both)} of {len(lines)} rows"
    one.page.get_by_label("verdict").press("Home")  # by keyboard alone: back to all, then on to the text field
    one.page.keyboard.press("Tab")
    one.page.keyboard.type("SIGMOID mse")
    words = [line for line in task if all(word in " ".join(line.values()).lower() for word in ("sigmoid", "mse"))]
    assert 0 < rows.count() == len(words) < len(task)
    assert one.faults == []


def test_without_javascript_the_results_are_a_plain_table(reader):
    one = reader(java_script_enabled=False)
    one.page.goto((one.folder / "results.html").as_uri())
    assert one.page.locator(".filtered tbody tr:visible").count() == len(list(site_pages.lines_of(reference())))


def test_the_switch_makes_it_dark_and_figures_stay_on_white(reader, address):
    one = reader(color_scheme="light", offline=False)
    one.page.goto(f"{address}{NOTEBOOK}")
    shade = "getComputedStyle(document.body).backgroundColor"
    light = one.page.evaluate(shade)
    one.page.get_by_role("button", name="Color mode").click()
    one.page.get_by_role("button", name="Dark").click()
    assert one.page.evaluate(shade) != light
    picture = one.page.get_by_alt_text(ALT)
    assert picture.evaluate("x => getComputedStyle(x).backgroundColor") == "rgb(255, 255, 255)"
    one.page.goto(f"{address}results.html")  # from a folder, the next page may not know yet
    assert one.page.locator("html").get_attribute("data-theme") == "dark"


def test_without_javascript_a_lab_is_a_still_picture(reader):
    one = reader(java_script_enabled=False)
    one.page.goto((one.folder / NOTEBOOK).as_uri())
    assert one.page.get_by_text("Other labs stand here as still pictures").is_visible()
    assert one.page.locator(".still img").first.is_visible()
    assert one.page.locator(".still").locator("button, input, select, [role=slider]").count() == 0


def test_a_lab_that_is_a_formula_follows_its_controls(reader):
    one = reader()
    one.open(NOTEBOOK)
    row = one.page.get_by_role("row", name="MSE 4.000 4.000")
    row.wait_for()
    assert one.page.locator(".still img").count() == 0
    one.page.get_by_role("slider", name="error").first.press("ArrowLeft")
    one.page.get_by_role("row", name="MSE 3.610 3.800").wait_for()
    looks = "all => all.map(one => getComputedStyle(one)).map(one => one.stroke + one.strokeDasharray)"
    keys = one.page.locator(".legend svg polyline").evaluate_all(looks)
    assert len(set(keys)) == len(keys) == 4
    assert one.faults == []


def test_under_a_lab_its_code_unfolds(reader):
    one = reader()
    one.open(NOTEBOOK)
    fold = one.page.locator("details.code").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    fold.locator("pre", has_text="def error_figure(").wait_for()
    assert one.faults == []


def test_a_question_is_answered_after_a_choice(reader):
    one = reader()
    one.open(NOTEBOOK)
    assert "Because." not in one.page.locator("body").inner_text()
    one.page.get_by_role("radio", name="that").check()
    assert "You chose: that" in one.page.get_by_role("status").last.inner_text()
    assert one.page.get_by_text("Because.").is_visible()
    one.page.get_by_role("radio", name="this").check()
    assert "Right: this" in one.page.get_by_role("status").last.inner_text()
    assert one.faults == []


def test_without_javascript_the_answer_unfolds(reader):
    one = reader(java_script_enabled=False)
    one.page.goto((one.folder / NOTEBOOK).as_uri())
    one.page.get_by_text("Show the answer").click()
    assert one.page.get_by_text("Because.").is_visible()


LIMITS = {"index.html": 500_000, "search.html": 3_000_000}  # bytes of a page with all that it loads
OTHERS = 2_000_000
EAGER = """() => Promise.all([...document.querySelectorAll("img:not(details *)")].map(one =>
    (one.loading = "eager", one.decode())))"""  # those in a fold come when it opens, in a slow browser sometimes before
NEXT = """([tried, withFrame]) => {
    const kinds = ":is(button, select, input, summary, [role=button], [role=slider])";
    const all = [...document.querySelectorAll(`main ${kinds}`)]
        .filter(one => withFrame || !one.closest(".bd-header-article"));
    const words = one => one.type === "radio" ? one.value : one.tagName === "SELECT" ? "" : one.textContent;
    all.forEach((one, place) => {
        // what stands there when the page opens is tried one by one, but for the theme's three shades
        if (!tried.length) one.dataset.key = one.matches(".theme-change-button") ? "shade" : place;
        one.dataset.key ??= [one.tagName, one.type, one.name, words(one)]; // of what comes later, one of each kind
    });
    return all.find(one => !one.disabled && one.checkVisibility() && !tried.includes(one.dataset.key));
}"""
WATCH = """() => {
    const state = () => JSON.stringify([scrollY, document.fullscreenElement !== null,
        ...[...document.querySelectorAll("input, select, details, dialog")].map(({ checked, value, open }) =>
            [checked, value, open])]);
    const before = state(), byPointer = ["aria-describedby", "title", "data-bs-original-title"]; // a tip is no answer
    let moved = false;
    globalThis.hasChanged = () => moved || state() !== before;
    new MutationObserver(changes => (moved ||= changes.some(({ attributeName, target }) =>
        target !== document.body && !byPointer.includes(attributeName) && !target.closest?.(".tooltip"))))
        .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def use(control) -> None:
    """Use a control as its kind is used."""
    kind = control.evaluate("one => one.type || one.tagName")
    if kind == "select-one":
        control.press("End" if control.evaluate("one => one.selectedIndex") == 0 else "Home")
    elif kind in ("search", "text"):
        control.fill("mse")
    elif kind == "range":
        control.press("ArrowLeft" if control.evaluate("one => one.value === one.max") else "ArrowRight")
    else:
        control.click()


def test_every_page_is_light_and_each_of_its_controls_changes_something(reader, address, folder):
    playwright = pytest.importorskip("playwright.sync_api")
    one, loaded = reader(offline=False, reduced_motion="reduce"), set()  # so nothing moves by itself
    framed = set()  # the folders that had a page whose frame was tried, too: it is the same all over a folder
    one.page.on("request", lambda request: loaded.add(request.url.partition("?")[0].partition("#")[0]))
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        loaded.clear()
        one.page.goto(f"{address}{name}{'?q=loss' if name == 'search.html' else ''}")
        one.page.evaluate(EAGER)
        one.page.wait_for_load_state("networkidle")
        folded = set(one.page.evaluate("[...document.querySelectorAll('details img')].map(one => one.src)"))
        files = [folder / url.removeprefix(address) for url in loaded - folded if url.startswith(address)]
        weight = sum(file.stat().st_size for file in files)
        assert path in files and weight < LIMITS.get(name, OTHERS), (name, weight)
        tried, frame = [], path.parent not in framed
        framed.add(path.parent)
        while (control := one.page.evaluate_handle(NEXT, [tried, frame]).as_element()) is not None:
            tried.append(control.evaluate("one => one.dataset.key"))
            print(
                f"{name}, {weight} bytes: {control.evaluate('one => one.outerHTML')[:200]}"
            )  # what a failure is about
            one.page.evaluate(WATCH)
            try:
                use(control)
            except playwright.Error:
                if control.evaluate("one => one.isConnected"):
                    raise
                continue  # runs arrived and the question was asked anew: the new one is tried
            one.page.wait_for_function("hasChanged()")
            one.page.keyboard.press("Escape")
        assert tried or not frame or path.parent.name == "still", name
    assert [fault for fault in one.faults if not fault.startswith(f"asked: {address}")] == []


def test_formulas_are_set_as_mathml_which_is_read_aloud(reader):
    one = reader()
    one.open(NOTEBOOK)
    assert one.page.locator("math").count() == 4
    wide = one.page.locator("math[display=block]")
    assert wide.bounding_box()["width"] <= 1280 and wide.get_attribute("tabindex") == "0"


def test_links_between_notebooks_stay_in_the_site(reader):
    one = reader()
    for words, name in (("04", "04_"), ("00", "00_"), ("from an output", "15_"), ("from a widget", "00_")):
        one.open(NOTEBOOK)
        one.page.locator("article").get_by_role("link", name=words, exact=True).click()
        one.page.wait_for_url(f"**/notebooks/{name}*.html")
        assert one.page.locator("article h1").inner_text().startswith(name[:2])


def test_no_fault_of_accessibility_in_light_and_in_dark(reader):
    axe = (web_part("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    one, found = reader(color_scheme="light", reduced_motion="reduce"), []
    for name in (*KINDS, "docs/teachers-guide.html", "live.html"):
        one.page.emulate_media(color_scheme="light")
        one.open(name)
        if name == "index.html":  # two pairings side by side, with all that is said about them
            one.page.get_by_role("button", name="Put another beside it").click()
            one.page.get_by_role("button", name="Play", exact=True).click()
            one.page.get_by_text("did better than").last.wait_for()
        one.page.evaluate(axe)
        for shade in ("light", "dark"):
            one.page.emulate_media(color_scheme=shade)
            one.page.locator(f"html[data-theme={shade}]").wait_for(state="attached")
            one.page.wait_for_function("document.getAnimations().every(one => one.playState !== 'running')")
            for fault in one.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
                found.append((name, shade, fault["id"], [node["html"][:200] for node in fault["nodes"]][:3]))
    assert found == [], json.dumps(found, indent=1)
