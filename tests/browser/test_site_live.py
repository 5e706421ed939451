"""The web site's live trainer in Chromium: it trains, stops, keeps its state, and agrees with PyTorch."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_formulas import DRAW, SETTINGS, lab_faults
from live_slopes import faults, slope_cases
from made_up_site import served

from lm_utils.files import PROJECT
from lm_utils.workshop.publish.site_data import write_live

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECONDS = 240_000  # a busy machine is no fault of the page


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A folder with the page's own part, served as a site is."""
    folder: Path = tmp_path_factory.mktemp("site")
    shutil.copytree(PROJECT / "site" / "_static", folder / "_static")
    write_live(folder / "_static" / "live")
    shutil.copyfile(PROJECT / "tests" / "live_slopes.mjs", folder / "live_slopes.mjs")
    part = (PROJECT / "site" / "live.md").read_text("utf-8")
    inner = part[part.index("<div id") : part.index("## What")] + part[part.index("<script") :]
    (folder / "live.html").write_text(
        f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>x</title><main>{inner}</main>", "utf-8"
    )
    with served(folder) as address:
        yield address


@pytest.fixture
def page(chromium, address) -> Iterator:
    """A window on the page, which must raise no error and ask nobody else."""
    page = chromium.new_page()
    page.set_default_timeout(SECONDS)
    trouble = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: request.url.startswith(address) or trouble.append(request.url))
    page.goto(f"{address}live.html")
    page.get_by_role("button", name="Train").wait_for()
    yield page
    page.close()
    assert trouble == []


STOP_AFTER_TWO = """() => {
    const [status, button] = ["[role=status]", "button"].map(one => document.querySelector(`#live ${one}`));
    const eye = new MutationObserver(() => { // nobody outside the page is quick enough for an epoch
        if (status.textContent.startsWith("Epoch 2 ")) eye.disconnect(), button.click();
    });
    eye.observe(status, { childList: true });
}"""


def wait_for(page, start: str) -> str:
    """Wait until the line under the controls starts so, and return it."""
    page.wait_for_function(f"document.querySelector('#live [role=status]')?.textContent.startsWith({start!r})")
    return page.locator("#live p[role=status]").inner_text()


def test_a_misfit_trains_stops_and_the_fitting_loss_learns(page):
    first = page.locator("#live svg").last.get_attribute("aria-label")
    page.evaluate(STOP_AFTER_TWO)
    page.get_by_role("button", name="Train").press("Enter")
    assert wait_for(page, "Stopped").startswith("Stopped after 2 epochs: ")
    assert page.locator("#live svg").last.get_attribute("aria-label") != first
    page.locator("[name=loss]").select_option("cross_entropy")
    page.locator("[name=activation]").select_option("none")
    page.get_by_role("button", name="Train").click()
    told = wait_for(page, "Done")
    assert float(told.split(": ")[1].split(" %")[0]) > 90


def test_a_refused_pairing_says_so(page):
    page.locator("[name=activation]").select_option("none")
    page.get_by_role("button", name="Train").click()
    assert "nn.BCELoss" in wait_for(page, "The loss refused")


def test_an_address_brings_the_state_back_and_an_unknown_one_says_so(page, address):
    page.locator("[name=task]").select_option("multilabel")
    page.locator("[name=lr]").press("Home")
    kept = page.evaluate("location.href")
    assert "multilabel" in kept and "lr=0.001" in kept
    page.goto("about:blank")
    page.goto(kept)
    page.get_by_role("button", name="Train").wait_for()
    assert page.locator("[name=task]").input_value() == "multilabel"
    page.goto(f"{address}live.html#loss=nonsense&task=binary")
    page.reload()
    assert "nonsense" in wait_for(page, "This link names")
    assert page.locator("[name=task]").input_value() == "binary"


@pytest.mark.parametrize("name", ["Worker", "WebAssembly"])
def test_a_browser_that_cannot_train_is_led_to_the_recorded_runs(chromium, address, name):
    page = chromium.new_page()
    page.add_init_script(f"delete globalThis.{name}")
    page.goto(f"{address}live.html")
    page.get_by_text("This browser cannot train here").wait_for(timeout=SECONDS)
    assert page.locator("#live a").get_attribute("href") == "index.html"
    assert page.locator("#live").locator("button, input, select").count() == 0
    page.close()


def test_losses_and_slopes_in_chromium_are_those_of_pytorch(page, tmp_path):
    cases = slope_cases()[::7]
    found = page.evaluate(
        """async (cases) => {
            const { differences } = await import("/live_slopes.mjs");
            const [losses, network, training] = await Promise.all(
                ["losses", "network", "training"].map((name) => import(`/_static/live/${name}.js`)));
            return differences(JSON.parse(cases), { losses, network, training });
        }""",
        json.dumps(cases),
    )
    assert len(found) == len(cases) and faults(cases, found) == []


def test_the_labs_in_chromium_draw_the_curves_of_the_notebooks(page):
    page.add_script_tag(url="_static/labs/formulas.js")
    assert list(lab_faults(json.loads(page.evaluate(DRAW, SETTINGS)))) == []
