"""Accessibility: axe-core finds nothing serious in the explorer and the labs, and all of the explorer works by keys."""

import shutil

import pytest

from lm_utils.files import PROJECT
from lm_utils.workshop.publish.web_parts import is_fetched, web_part
from tests.browser.conftest import Page
from tests.browser.test_explorer import kept, turn_fold, wait_for_status, wait_until_ready

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LABS = (
    "from lm_utils.lessons import losses, losses_outlier, matching_loss_to_task, start_here, ten_questions\n"
    "from lm_utils.show import banner, quiz\n"
    "from lm_utils.explorer.explorer import explorer\n"
    "from lm_utils.explorer.picker import picker\n"
    "banner.banner('digits', 'cpu')",
    "start_here.verdict_lab()",
    "start_here.Vote('scripts', 'Why?', ['this', 'that'])",
    "quiz.predict('Which?', ['this', 'that'], 'that', 'Because.')",
    "quiz.check(2, 1)",
    "ten_questions.before()",
    "losses.error_lab()",
    "losses_outlier.outlier_lab()",
    "matching_loss_to_task.penalty_lab()",
    "picker('multiclass', 'digits', 'cpu')",
)
EPOCHS = [f"Epoch {number}" for number in range(1, 10)]
RUN = """async where => {
    const found = await axe.run(where, {resultTypes: ['violations']});
    return found.violations.flatMap(rule => rule.nodes.map(node => [rule.impact, rule.id, node.html.slice(0, 200)]));
}"""
FOCUSED = """() => {
    const element = document.activeElement;
    return element.closest('.widget-inline-hbox')?.querySelector('.widget-label')?.innerText || element.innerText;
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    if not is_fetched(PROJECT / "site", PROJECT / "build" / "web-parts") and not shutil.which("npm"):
        pytest.skip("npm is missing; install it, since axe-core comes from there")
    return (web_part("axe-core") / "axe.min.js").read_text("utf-8")


def violations(page: Page, axe: str, where: str = "body") -> list[list[str]]:
    """What axe-core calls serious or critical in a part of the page."""
    page.raw.wait_for_timeout(300)
    page.raw.evaluate(axe)
    found = page.raw.evaluate(RUN, {"include": [where]})
    return [fault for fault in found if fault[0] in ("serious", "critical")]


def test_axe_sees_what_is_wrong(web, axe):
    web.raw.evaluate("document.body.insertAdjacentHTML('beforeend', '<img id=wrong src=x>')")
    assert [fault[1] for fault in violations(web, axe)] == ["image-alt"]
    web.raw.evaluate("document.querySelector('#wrong').remove()")


def test_the_explorer_before_and_while_and_after_it_trains(web, axe):
    assert violations(web, axe) == []
    turn_fold(web, "Everything else", "▾")
    assert violations(web, axe) == []
    turn_fold(web, "Everything else", "▸")
    web.button("Train").click()
    wait_for_status(web, *EPOCHS)
    assert violations(web, axe) == []
    web.button("Stop").click()
    wait_for_status(web, "Stopped ")
    wait_until_ready(web)
    web.image("Three panels").wait_for()
    turn_fold(web, "Compare your runs", "▾")
    assert violations(web, axe) == []
    turn_fold(web, "Compare your runs", "▸")


def test_the_labs_in_jupyterlab(jupyter, axe):
    with jupyter.open_code(*LABS) as page:
        assert page.errors() == []
        page.raw.locator("[role=slider]").nth(4).wait_for()
        assert violations(page, axe, ".jp-OutputArea") == []


def tab_to(page: Page, name: str, most: int = 30) -> None:
    """Press Tab until the control with this label or text has the focus; the focus shows."""
    for _ in range(most):
        page.raw.keyboard.press("Tab")
        if page.raw.evaluate(FOCUSED).strip().startswith(name):
            assert page.raw.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"{name!r} is not reached with {most} tabs")


def test_the_explorer_with_keys_alone(web):
    turn_fold(web, "Everything else", "▸")
    web.raw.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    before = kept(web)
    tab_to(web, "▸ Everything else")
    web.raw.keyboard.press("Space")
    web.raw.get_by_label("Loss", exact=True).wait_for()
    tab_to(web, "Loss")
    web.raw.keyboard.type("Mean squared")
    web.see("nn.MSELoss()")
    for label, value in (("Patience", "100"), ("Epochs at most", "500")):
        tab_to(web, label)
        web.raw.keyboard.press("Control+a")
        web.raw.keyboard.type(value)
    tab_to(web, "Train")
    web.raw.keyboard.press("Enter")
    wait_for_status(web, *EPOCHS)
    tab_to(web, "Stop")
    web.raw.keyboard.press("Space")
    wait_for_status(web, "Stopped ")
    wait_until_ready(web)
    assert kept(web) == min(6, before + 1)
