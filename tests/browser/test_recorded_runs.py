"""The explorer of recorded runs in Chromium without a network, from a folder: it plays, links and tells the truth."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from lm_utils.evidence import before_training
from lm_utils.evidence.reference_lines import ReferenceLines
from lm_utils.evidence.results import reference
from lm_utils.explorer.choice import PRESETS
from lm_utils.files import PROJECT
from lm_utils.pairing import Pairing
from lm_utils.workshop.publish import site_data
from lm_utils.workshop.publish.site_data import place_of, variant, write_runs
from lm_utils.workshop.publish.site_pages import landing_page
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIGMOIDS = "multiclass/bce/sigmoid/nothing changed"
CURVES = ("train_loss", "valid_loss", "valid_metric")
LINES = ReferenceLines(0.5, None, 0.5, 0.25)  # the real ones take a minute, and have tests of their own


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the explorer and all its runs, under a page that holds nothing else."""
    folder: Path = tmp_path_factory.mktemp("site")
    shutil.copytree(PROJECT / "site" / "_static", folder / "_static")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_data, "stored_reference_lines", lambda *_: LINES)
        index = write_runs(folder / "_static" / "runs")
    frame, results = ((PROJECT / name).read_text("utf-8") for name in ("site/index.md", "docs/results.md"))
    page = landing_page(frame, results, [], index)
    part = page[page.index('<div id="explorer"') : page.index("All of these are runs")]
    head = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>x</title><script>DOCUMENTATION_OPTIONS={}</script>"
    others = "".join(f"<script src=_static/{name}.js></script>" for name in ("site", "questions"))
    (folder / "index.html").write_text(
        f"{head}<link rel=stylesheet href=_static/site.css><main>{part}</main>{others}", "utf-8"
    )
    return folder


class Window:
    """A window on the explorer, which notes down what goes wrong."""

    def __init__(self, page, folder: Path) -> None:
        self.page, self.address, self.faults = page, (folder / "index.html").as_uri(), []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda one: one.url.startswith("file:") or self.faults.append(one.url))

    def open(self, state: str = "") -> None:
        """Open the page in a state, and wait until its runs are there."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{state}")
        self.page.locator("#explorer h3").first.wait_for()
        self.page.locator("#explorer svg").first.wait_for()

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def said(self) -> str:
        return self.page.get_by_role("status").first.inner_text()


@pytest.fixture
def window(chromium, folder) -> Iterator[Window]:
    """A window without a network in which nothing may go wrong."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    window = Window(context.new_page(), folder)
    yield window
    context.close()
    assert window.faults == []


def test_one_predicts_and_the_curves_play_to_the_verdict(window):
    window.open()
    first = window.page.locator("svg").first.get_attribute("aria-label")
    window.page.get_by_label("Most seeds do no better than a constant answer.").check()
    window.page.get_by_text("Right, you said so.").wait_for()
    assert "0 of 10 did better than a constant answer." in window.said
    assert window.page.locator("svg").first.get_attribute("aria-label") != first
    assert Pairing("multiclass", "bce", "sigmoid").explanation in window.page.locator("#explorer").inner_text()
    assert window.page.locator("table.confusion td").count() == 200  # before and after
    window.button("Play again").click()
    window.button("Show the end").wait_for()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_a_preset_shows_its_pairing(window, preset):
    window.open("regression/mae/none")
    window.button(preset.title).click()
    pairing = preset.choice.pairing
    state = quote("/".join((*place_of(pairing), variant(pairing))))
    window.page.wait_for_function("state => location.hash.startsWith('#' + state)", arg=state)


def test_two_pairings_play_side_by_side_and_a_condition_joins_from_the_table(window):
    window.open(f"{SIGMOIDS}&epoch=end")
    window.page.get_by_text("What switches it off and on").click()
    window.button("output bias at the base rate").click()
    window.page.wait_for_function("document.querySelectorAll('#explorer h3').length === 2")
    window.page.get_by_text("6 of 6 did better").wait_for()
    assert window.page.get_by_text("Hidden layer: share of its values").count() == 2
    window.button("Show one alone").click()
    assert window.page.locator("#explorer h3").count() == 1


def test_an_address_brings_back_the_state_and_what_it_names_wrongly_is_told(window):
    window.open(f"{SIGMOIDS}&multilabel/bce/softmax/nothing changed&speed=20")
    window.page.get_by_label("epoch", exact=True).fill("7")
    kept = window.page.evaluate("location.href")
    assert "epoch=7" in kept and "speed=20" in kept
    window.open(kept.partition("#")[2])
    assert window.page.get_by_label("epoch", exact=True).input_value() == "7"
    assert window.page.locator("#explorer h3").count() == 2
    assert "7 of" in window.page.locator("span.epoch").inner_text()
    window.open("multiclass/bce/sigmod/%&epoch=many")
    assert "“sigmod”" in window.page.locator(".link-note").inner_text()
    assert window.page.locator("[name=activation]").input_value() == "sigmoid"


def test_it_works_by_keys_and_without_motion_on_a_phone(chromium, folder):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    window = Window(context.new_page(), folder)
    window.open(SIGMOIDS)
    window.button("Play").focus()
    window.page.keyboard.press("Enter")
    assert "0 of 10" in window.said
    window.page.get_by_label("epoch", exact=True).press("ArrowLeft")
    assert window.said == "The curves so far."
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert window.faults == []


def test_without_javascript_a_still_and_a_table_are_there(chromium, folder):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    assert "docs/figures/collapse.png" in page.locator("noscript").inner_text()
    context.close()


def stored(run: dict) -> list:
    """What the page must show of a run: its seed, figures, outputs and curves, as they are shipped."""
    outputs = {name: value for name, value in run["outputs"].items() if name != "reliability"}
    curves = [[record[name] for record in run["history"]] for name in CURVES]
    return [run["seed"], run["status"], run["best_epoch"], run["test_metric"], outputs, run["before"], *curves]


def test_every_pairing_has_the_shipped_figures_to_the_digit(window):
    window.open(SIGMOIDS)
    found = window.page.evaluate(
        """async (curves) => {
            const all = [], down = (inner, names) => typeof inner === "string" ? all.push([names, inner])
                : Object.entries(inner).forEach(([name, one]) => down(one, [...names, name]));
            down(runsIndex.files, []);
            const told = (run) => [run.seed, run.status, run.best_epoch, run.test_metric, run.outputs, run.before ?? {},
                ...curves.map((name) => run[name])];
            return JSON.stringify(await Promise.all(all.map(async ([names, file]) =>
                [names, (await runsOf(file)).runs.map(told)])));
        }""",
        list(CURVES),
    )
    shown = {tuple(names): runs for names, runs in json.loads(found)}
    by_pairing = reference().by_pairing
    before = before_training.stored(PROJECT / "results" / "mnist")
    assert len(by_pairing) > 200 and len(shown) > len(by_pairing)
    for pairing, runs in by_pairing.items():
        runs = [run | {"before": before.get((pairing, run["seed"]), {})} for run in runs]
        wanted = json.loads(json.dumps([stored(run) for run in runs]).replace("NaN", "null"))
        assert shown[*place_of(pairing), variant(pairing)] == wanted, pairing.label


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_the_table_of_seeds_has_the_shipped_test_figures(window, preset):
    pairing = preset.choice.pairing
    window.open(quote("/".join((*place_of(pairing), variant(pairing)))) + "&epoch=end")
    window.page.get_by_text("Every seed in figures").click()
    cells = window.page.locator("table.seeds td:first-of-type").all_inner_texts()
    assert [float(cell) for cell in cells] == [run["test_metric"] for run in reference().of(pairing)]


def test_data_are_small(folder):
    sizes = [file.stat().st_size for file in (folder / "_static" / "runs").iterdir()]
    page = (folder / "index.html").stat().st_size
    assert len(sizes) > 250 and page + max(sizes) < 300_000
