"""The explorer and the picker, in JupyterLab and as a page of their own: every button clicked, every state seen."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.browser.conftest import PATIENCE, SIZE, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVES = "Learning curves"
CELLS = (
    "import threading\nfrom lm_utils.explorer.explorer import explorer\nfrom lm_utils.explorer.picker import picker",
    "explorer('digits', 'cpu')",
    "picker('multiclass', 'digits', 'cpu')",
)


@contextmanager
def moving(page: Page, nth: int = 0) -> Iterator[None]:
    """Fail unless the curves are drawn anew; they go on moving, so nobody waits for an end."""
    before = page.pixels(CURVES, nth)
    yield
    page.raw.wait_for_function(
        "([alt, nth, before]) => document.querySelectorAll(`[aria-label^='${alt}']`)[nth]?.innerHTML !== before",
        arg=[CURVES, nth, before],
    )  # fmt: skip


def wait_for_status(page: Page, *texts: str, nth: int = 0) -> None:
    """Wait until the line beside the buttons holds one of these texts and the pictures are drawn."""
    page.raw.wait_for_function(
        """([texts, nth]) => texts.some(
            text => document.querySelectorAll('[role=status]')[nth].innerText.includes(text))""",
        arg=[list(texts), nth],
    )  # fmt: skip


def wait_until_ready(page: Page) -> None:
    """Wait until Train can be pressed again, as its colour says, and a double click is over."""
    page.raw.wait_for_function(
        """() => getComputedStyle([...document.querySelectorAll('button')].find(b => b.innerText === 'Train'))
            .backgroundColor === 'rgb(1, 88, 143)'"""
    )
    page.raw.wait_for_timeout(600)


def kept(page: Page) -> int:
    """How many runs the comparison holds."""
    return int(re.search(r"\((\d) of 6\)", page.raw.get_by_role("button", name="Compare your runs").inner_text())[1])


def turn_fold(page: Page, title: str, mark: str) -> None:
    """Open (▾) or close (▸) a fold, and wait until it is: what lies below it moves only then."""
    fold = page.raw.get_by_role("button", name=title)
    if not fold.inner_text().startswith(mark):
        fold.click()
    page.raw.get_by_role("button", name=f"{mark} {title}").wait_for()


def choose(page: Page, preset: str = "A pairing that fits", epochs: int = 500) -> None:
    """A preset with so much patience that it does not end before these epochs."""
    page.button(preset).or_(page.button(f"● {preset}")).click()
    turn_fold(page, "Everything else", "▾")
    for label, value in (("Patience", "100"), ("Epochs at most", f"{epochs}")):
        box = page.outputs.locator(".widget-text").filter(has_text=label).locator("input")
        box.fill(value)
        box.press("Enter")
    page.raw.wait_for_timeout(300)


# --- the page of its own ---


def test_train_and_watch(web):
    assert web.raw.evaluate("document.documentElement.scrollWidth") <= SIZE["width"]
    web.screenshot("explorer_start")
    choose(web, epochs=6)
    with moving(web):
        web.button("Train").click()
    web.screenshot("explorer_running")
    wait_for_status(web, "Done in")
    wait_until_ready(web)
    assert web.image(CURVES).locator("polyline.valid").count() == 4  # two curves, two samples in the legends
    assert web.image(CURVES).locator("text.best").count() == 2
    for picture in ("16 test images", "Three panels"):
        assert web.image(picture).evaluate("image => [image.naturalWidth, image.width]") == [2200, 1100]
    assert "doctor" in web.outputs.inner_text().lower()
    web.screenshot("explorer_done")
    web.screenshot("explorer_inside", around=web.image("Three panels"))


def test_stop_and_double_click(web):
    choose(web)
    before = kept(web)
    web.button("Train").dblclick()
    wait_for_status(web, "Epoch 3", "Epoch 4", "Epoch 5", "Epoch 6", "Epoch 7", "Epoch 8", "Epoch 9")
    web.button("Stop").click()
    wait_for_status(web, "Stopped after")
    wait_until_ready(web)
    assert kept(web) == before + 1
    web.screenshot("explorer_stopped")


def test_another_choice_while_it_trains(web):
    choose(web)
    web.button("Train").click()
    wait_for_status(web, "Epoch")
    web.button("Double softmax").click()
    wait_for_status(web, "the training was stopped")
    web.button("● Double softmax").wait_for()
    choose(web, "Double softmax", epochs=6)
    web.button("Train").click()
    wait_for_status(web, "Done")
    wait_until_ready(web)


def test_stop_by_keyboard_leaves_the_keyboard_at_train(web):
    choose(web)
    web.button("Train").press("Enter")
    wait_for_status(web, "Epoch")
    assert web.raw.evaluate("document.activeElement.innerText") == "Train"
    web.raw.keyboard.press("Tab")
    web.raw.keyboard.press("Enter")
    wait_for_status(web, "Stopped")
    wait_until_ready(web)
    assert web.raw.evaluate("document.activeElement.innerText") == "Train"


def contrast(page: Page, name: str) -> float:
    """The contrast of a button's text with its ground, as WCAG computes it."""
    read = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    light, dark = sorted((luminance(color) for color in page.button(name).evaluate(read)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """The relative luminance of a colour such as 'rgb(1, 88, 143)'."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_train_can_be_read(web):
    web.raw.mouse.move(0, 0)
    assert contrast(web, "Train") >= 4.5
    web.button("Train").hover()
    web.raw.wait_for_timeout(300)
    assert contrast(web, "Train") >= 4.5


def test_a_pairing_that_is_refused(web):
    web.dropdown("Task").select_option(label="Regression")
    web.dropdown("Loss").select_option(label="Binary cross-entropy (bce)")
    web.dropdown("Output activation").select_option(label="no activation")
    web.see("nn.BCELoss refuses outputs or targets outside")
    assert web.checkbox("output bias at the prior").is_disabled()
    web.button("Train").click()
    wait_for_status(web, "The loss refused")
    web.see("The doctor looked at network, loss and targets")
    wait_until_ready(web)
    web.screenshot("explorer_refused")
    turn_fold(web, "Everything else", "▸")


def test_compare_and_save(web, served):
    turn_fold(web, "Compare your runs", "▾")
    web.button("Save CSV and PNG").click()
    web.raw.get_by_role("link", name="explorer-runs.csv").wait_for()
    with web.raw.expect_download() as download:
        web.raw.get_by_role("link", name="explorer-runs.csv").click()
    text = download.value.path().read_text()
    assert text.startswith("run,task,loss,") and ",error," in text
    assert (served.folder / "explorer-runs.csv").read_text() == text and (served.folder / "explorer-runs.png").exists()
    web.screenshot("explorer_compared", around=web.button("Save CSV and PNG"))
    turn_fold(web, "Compare your runs", "▸")


def test_by_keyboard_with_a_prediction(web):
    web.raw.evaluate("window.scrollTo(0, 0)")
    web.button("One softmax").focus()
    web.raw.keyboard.press("Enter")
    web.button("● One softmax").wait_for()
    for _ in range(20):
        web.raw.keyboard.press("Tab")
        if web.raw.evaluate("document.activeElement.innerText") == "Train":
            break
    web.raw.keyboard.press("Tab")  # Stop is disabled
    web.raw.keyboard.press("Space")
    web.see("hidden until")
    web.screenshot("explorer_prediction")
    web.raw.keyboard.press("Tab")
    web.raw.keyboard.press("Space")
    web.raw.keyboard.press("ArrowDown")
    web.button("Train").press("Enter")
    wait_for_status(web, "Done in")
    assert web.raw.evaluate("document.activeElement.innerText") == "Train"
    web.see("As you said")
    web.screenshot("explorer_answered")
    web.checkbox("Predict first").uncheck()


def kernels(process: psutil.Process) -> int:
    """How many kernels the server has."""
    return sum(is_kernel(child) for child in process.children(recursive=True))


def is_kernel(process: psutil.Process) -> bool:
    """Whether this is a kernel that still lives."""
    try:
        return "ipykernel_launcher" in process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return False


def test_a_closed_tab_ends_its_kernel(web, served):
    choose(web)
    web.button("Train").click()
    wait_for_status(web, "Epoch")
    assert kernels(served.process) == 1
    web.raw.goto("about:blank")
    end = time.monotonic() + PATIENCE
    while kernels(served.process) and time.monotonic() < end:
        time.sleep(0.2)
    assert kernels(served.process) == 0


# --- JupyterLab ---


def test_in_jupyterlab(jupyter):
    with jupyter.open_code(*CELLS) as page:
        assert page.errors() == []
        page.screenshot("explorer_lab", around=page.image(CURVES))
        page.screenshot("picker_lab_start", around=page.image(CURVES, nth=1))
        with moving(page):
            page.button("Train").click()
        page.button("Train it here").click()
        page.see("Another training is running")
        page.raw.locator(".jp-Cell").nth(1).locator(".cm-content").click()
        page.raw.keyboard.press("Control+Enter")  # the cell is run again while it trains
        page.wait_until_idle()
        page.button("Train").wait_for()
        wait_for_status(page, "Ready")
        with moving(page):
            page.button("Train").click()
        page.button("Stop").click()
        wait_for_status(page, "Stopped", "Done")
        page.dropdown("Loss", nth=1).select_option(label="Mean squared error (mse)")
        page.see("nn.MSELoss()")
        page.screenshot("picker_lab", around=page.image(CURVES, nth=1))
        wait_until_ready(page)
        with moving(page, nth=1):
            page.button("Train it here").click()
        page.button("Stop", nth=1).click()
        wait_for_status(page, "Stopped", "Yours", nth=1)
        page.screenshot("picker_lab_stopped", around=page.image(CURVES, nth=1))
        assert page.errors() == []
