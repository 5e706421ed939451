"""Executed notebooks made ready for the web site: a note on top, still widgets, links that stay in the site."""

import copy
import re
from collections.abc import Collection

import nbformat
from nbformat import NotebookNode

from lm_utils.errors import UserError
from lm_utils.workshop.publish.notebooks import lead_out, lesson
from lm_utils.workshop.run_all.pages import NOTEBOOK_LINK, WIDGET_STATE, WIDGET_VIEW, still_copy
from lm_utils.workshop.templates import filled

LAB = re.compile(r"\b(\w+_lab)\(")
BUTTONS = ("ButtonModel", "CheckboxModel", "ToggleButtonModel")  # mean nothing in a still picture


def in_korean(executed: NotebookNode, korean: NotebookNode, editions: Collection[str] = ()) -> NotebookNode:
    """Return the Korean edition with the outputs of the English one, whose code is the same.

    The outputs' links lead out of the Korean folder, unless the notebook is one of the editions that exist there.
    """
    made = copy.deepcopy(executed)
    code = [cell for cell in lesson(made) if cell.cell_type == "code"]
    if [cell.source for cell in code] != [cell.source for cell in korean.cells if cell.cell_type == "code"]:
        raise UserError("The code of a Korean notebook differs from the English one; run `make notebooks`.")
    for cell in code:
        for data in (output.get("data", {}) for output in cell.outputs):
            for kind in {"text/html", "text/markdown"} & data.keys():
                data[kind] = lead_out("".join(data[kind]), editions)
    outputs = iter(code)
    made.cells = [next(outputs) if cell.cell_type == "code" else cell for cell in korean.cells]
    return made


def site_notebook(executed: NotebookNode, name: str, language: str = "en") -> NotebookNode:
    """Return an executed notebook as the site shows it: still, each lab with its name, links that stay in the site."""
    made = still_copy(executed, BUTTONS)
    for cell, was in zip(made.cells, executed.cells, strict=True):
        called = LAB.search(cell.source)
        for output, before in zip(cell.get("outputs", []), was.get("outputs", []), strict=True):
            if "text/html" in output.get("data", {}):
                page = NOTEBOOK_LINK.sub(r"\1.html", output.data["text/html"])
                lab = WIDGET_VIEW in before.data and "text/html" not in before.data
                named = f' data-lab="{called[1]}"' if called else ""
                output.data["text/html"] = f'<div class="still"{named}>{page}</div>' if lab else page
    parameters = made.metadata.get("papermill", {}).get("parameters", {})
    values = ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
    widgets = bool(executed.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state"))
    made.cells = lesson(made)
    note = filled(f"site_note.{language}.md", name=name, values=values, widgets=widgets)
    made.cells.insert(1, nbformat.v4.new_markdown_cell(note.strip()))
    return made
