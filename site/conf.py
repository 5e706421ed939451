"""Sphinx's settings for the web site: `make site` gathers the pages and calls Sphinx."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

project = "Loss Misuse Lab"
author = "The Loss Misuse Lab authors"
html_title = project
extensions = ["myst_nb"]
exclude_patterns = ["_static"]
suppress_warnings = ["misc.highlighting_failure"]  # a cell for Colab begins with an exclamation mark
smartquotes = False  # what the pages say is set as it is written

myst_enable_extensions = ["attrs_block", "colon_fence"]  # formulas come as MathML
myst_heading_anchors = 4
nb_execution_mode = "off"  # the notebooks come executed
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_render_markdown_format = "myst"

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css", "chart.css"]
html_js_files = [("site.js", {"defer": "defer"}), ("questions.js", {"defer": "defer"})]
LAB_FILES = ("chart.js", "labs/formulas.js", "labs/labs.js")
html_favicon = "_static/icon.svg"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_context = {"default_mode": "auto"}  # dark or light as the reader's system is, until a switch is used
html_theme_options = {
    "home_page_in_toc": True,
    "max_navbar_depth": 1,
    "navbar_persistent": [],
    "search_bar_text": "Search this site",
    "show_toc_level": 2,
    "use_download_button": False,
}


def setup(app: Sphinx) -> None:
    """Let a page have what only some need."""
    app.connect("html-page-context", complete)


def complete(app: Sphinx, name: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Set the language of a page by its folder, and give a page with labs their scripts."""
    if "/ko/" in name:
        context["language"] = "ko"
    if "data-lab=" in context.get("body", ""):
        for script in LAB_FILES:
            app.add_js_file(script, defer="defer")
