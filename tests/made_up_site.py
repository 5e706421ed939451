"""A small repository whose notebooks are executed already, and a server, for tests of the web site."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ipywidgets as widgets
import nbformat
from ipywidgets.embed import dependency_state, embed_data
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lm_utils.files import PROJECT
from lm_utils.lessons.losses import error_lab
from lm_utils.show.quiz import predict
from lm_utils.show.style import image_tag, new_figure
from lm_utils.workshop.publish.notebooks import NOTEBOOK_METADATA
from lm_utils.workshop.run_all.pages import WIDGET_STATE, WIDGET_VIEW

LEFT_OUT = (".*", "*.egg-info", "*.jsonl", "build", "lm_utils", "mine", "node_modules", "notebooks", "__pycache__")
RICH = "01_losses"  # the notebook that has one output of every kind
ALT = "A straight line from 0 to 1."


def small_repository(root: Path) -> Path:
    """Put down the repository's pages, and tiny notebooks of all names; returns the folder of executed copies."""
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    executed = root / "build" / "run-all"
    for path in [*(PROJECT / "notebooks").glob("*.ipynb"), *(PROJECT / "notebooks" / "ko").glob("*.ipynb")]:
        made = rich() if path.stem == RICH else tiny(title_of(path))
        write(root / path.relative_to(PROJECT), without_outputs(made))
        if path.parent.name != "ko":
            write(executed / path.name, with_parameters(made))
            (executed / f"{path.stem}.html").write_text(f"<html lang='en'><title>{path.stem}</title></html>", "utf-8")
    shutil.copyfile(PROJECT / "notebooks" / "README.md", root / "notebooks" / "README.md")
    (executed / "index.html").write_text("<html lang='en'><title>Still pages</title></html>", "utf-8")
    return executed


def title_of(path: Path) -> str:
    """The first line of a notebook."""
    return nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook into a folder that may be missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def tiny(title: str) -> NotebookNode:
    """A notebook of three cells, one with links to others among its outputs."""
    printed = new_output("stream", name="stdout", text="2\n")
    links = {"text/markdown": "[00](00_start_here.ipynb), [01](01_losses.ipynb)", "text/plain": ""}
    cells = [new_markdown_cell(title), new_code_cell("print(1 + 1)", outputs=[printed]), shown("course_map()", links)]
    return new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)


def rich() -> NotebookNode:
    """A notebook with formulas, a figure, a table, links, a lab and a question with its answer hidden."""
    figure, axis = new_figure()
    axis.plot([0, 1])
    figure.set_label(ALT)
    lab, question = error_lab(), predict("Which one?", ["this", "that"], "this", "Because.")
    link = widgets.HTML("<a href='00_start_here.ipynb'>from a widget</a>")
    head = "<table class='dataframe'><thead><tr><th></th><th>loss</th></tr></thead>"  # pandas leaves one head empty
    table = f"{head}<tbody><tr><th>0</th><td>MSE</td></tr></tbody></table>"
    cells = [
        new_markdown_cell("# 01 Losses\n\nOf an error $e$: $\\frac{1}{2} e^2$; see [04](04_output_activations.ipynb)."),
        new_markdown_cell("$$" + " + ".join(f"x_{{{i}}}^2" for i in range(40)) + "$$"),
        shown("show(figure)", {"text/html": image_tag(figure), "text/plain": ALT}),
        shown("table", {"text/html": table, "text/plain": "MSE"}),
        shown("words", {"text/markdown": "**Bold** and $x^2$, and [00](00_start_here.ipynb)", "text/plain": ""}),
        shown("links", {"text/html": '<a href="15_verdicts.ipynb">from an output</a>', "text/plain": ""}),
        *(shown(name, view(each)) for name, each in (("error_lab()", lab), ("more", link), ("predict()", question))),
    ]  # fmt: skip
    cells[-1].metadata["jupyter"] = {"source_hidden": True}
    views = [lab, link, question]
    state = embed_data(views, state=dependency_state(views))["manager_state"]
    return new_notebook(cells=cells, metadata={**NOTEBOOK_METADATA, "widgets": {WIDGET_STATE: state}})


def shown(code: str, data: dict) -> NotebookNode:
    """A cell that shows something."""
    return new_code_cell(code, outputs=[new_output("display_data", data=data)])


def view(widget: widgets.Widget) -> dict:
    """How an output names a widget."""
    page = {"text/html": widget.folded()} if hasattr(widget, "folded") else {}
    return page | {
        WIDGET_VIEW: {"model_id": widget.model_id, "version_major": 2, "version_minor": 0},
        "text/plain": "widget",
    }


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """The notebook as it is committed."""
    cells = [{**cell, "outputs": []} if cell.cell_type == "code" else cell for cell in notebook.cells]
    return new_notebook(cells=[nbformat.from_dict(cell) for cell in cells], metadata=NOTEBOOK_METADATA)


def with_parameters(notebook: NotebookNode) -> NotebookNode:
    """The notebook as papermill leaves it."""
    given = {"data": "digits", "seeds": 1}
    cell = new_code_cell("data = 'digits'\nseeds = 1", metadata={"tags": ["injected-parameters"]})
    cells = [notebook.cells[0], cell, *notebook.cells[1:]]
    return new_notebook(cells=cells, metadata={**notebook.metadata, "papermill": {"parameters": given}})


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that keeps its log to itself."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder that is served meanwhile."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
