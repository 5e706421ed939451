"""Keys that stay with a control: JupyterLab takes arrows and letters for its cells, whatever has the focus."""

import anywidget


class Keys(anywidget.AnyWidget):
    """An invisible part of a box; while a control near it is reached by keyboard, JupyterLab leaves its keys alone."""

    _esm = """
export default { render({ el }) {
    el.closest(".jp-OutputArea")?.addEventListener("focusin", ({ target }) =>
        target.toggleAttribute("data-lm-suppress-shortcuts", target.matches(":focus-visible")));
} };
"""
