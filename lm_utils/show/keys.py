"""Keys that stay with a control: JupyterLab takes arrows and letters for its cells, whatever has the focus."""

import anywidget


class Keys(anywidget.AnyWidget):
    """An invisible part of a box. With one in the page, a control that is reached by keyboard keeps its keys."""

    _esm = """
const keep = target => target.closest?.(".jp-OutputArea")
    && target.toggleAttribute("data-lm-suppress-shortcuts", target.matches(":focus-visible"));
if (!window.lmKeys) document.addEventListener("focusin", ({ target }) => keep(target));
window.lmKeys = true;
keep(document.activeElement);
export default { render() {} };
"""
