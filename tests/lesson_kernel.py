"""One kernel for many notebooks, one after the other with a new namespace each: it imports PyTorch only once.

A lesson is executed once for all tests: the teacher's edition, whose checks also see each gap as a student has it.
Where a test opens it in JupyterLab, its cells run there, and what JupyterLab keeps is what other tests read.
Rarely a kernel falls silent. It is ended then, and what it was to do is done once more by a new one.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import nbformat
import psutil
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from made_up_runs import made_up
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store
from lm_utils.workshop.publish import notebooks
from lm_utils.workshop.run_all.notebook import CELL_LIMIT, kernel_config
from lm_utils.workshop.run_all.process import IDLE_WORK, work_of

IDLE_LIMIT = 90  # seconds; a kernel that has neither worked nor told anything for so long will not any more
FORGET = "import ipywidgets as w\nw.Widget.close_all()\nget_ipython().run_line_magic('reset', '-f')"
PARAMETERS = {"data": "digits", "seeds": 3, "device": "cpu"}
CHECK = re.compile(r"\bcheck(_\w+)?\(")
GAP = "gap"  # the tag of a check that sees an exercise as the student's edition has it
OWN = {  # a run of the reader's own for the loss table of each task's notebook
    "08_regression": Pairing("regression", "mae", normalize=True),
    "09_probability": Pairing("probability", "mse", "sigmoid"),
    "10_binary": Pairing("binary", "mse", "softmax"),
    "11_multi_class": Pairing("multiclass", "bce_logits", "softmax"),
    "12_multi_label": Pairing("multilabel", "mse", "softmax"),
}


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Say whether a cell has a tag."""
    return tag in cell.metadata.get("tags", [])


def after_check(cells: list[NotebookNode], place: int) -> int:
    """Return the place behind the cell that checks the solution at this place."""
    checks = (at for at in range(place, len(cells)) if cells[at].cell_type == "code" and CHECK.search(cells[at].source))
    return next(checks) + 1


def both_editions(name: str) -> NotebookNode:
    """Return the teacher's edition of a lesson in which every check stands before its solution, too."""
    notebook = notebooks.build(notebooks.PROJECT / "notebooks" / "src" / f"{name}.py", "teacher")
    cells = notebook.cells
    for place in reversed([at for at, cell in enumerate(cells) if has_tag(cell, "solution")]):
        checks = [cell.source for cell in cells[place + 1 : after_check(cells, place)] if cell.cell_type == "code"]
        cells[place:place] = [nbformat.v4.new_code_cell(source, metadata={"tags": [GAP]}) for source in checks]
    return notebook


class Silence:
    """Looks whether a kernel has used next to no processor time, and told nothing, for a while."""

    def __init__(self, pid: int, limit: float) -> None:
        self.pid, self.limit = pid, limit
        self.work, self.told, self.since = work_of(pid), 0, monotonic()

    def is_long(self, told: int) -> bool:
        """Look once more; `told` grows with everything that the kernel tells."""
        work = work_of(self.pid)
        if told != self.told or abs(work - self.work) > self.limit * IDLE_WORK / 2:
            self.work, self.told, self.since = work, told, monotonic()
        return monotonic() - self.since > self.limit


class Client(NotebookClient):
    """Executes a notebook; ends the kernel, so that nobody waits for it any more, where it falls silent."""

    told, silent = 0, False

    def process_message(self, *arguments: object) -> NotebookNode | None:
        """Count what the kernel tells."""
        self.told += 1
        return super().process_message(*arguments)

    def execute_watched(self, silence: Silence) -> None:
        """Execute the notebook, and look at its kernel meanwhile."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(silence.limit / 10):
                if silence.is_long(self.told):
                    self.silent = True
                    psutil.Process(silence.pid).kill()
                    return

        threading.Thread(target=watch, daemon=True).start()
        try:
            self.execute()
        finally:
            over.set()


class LessonKernel:
    """A kernel that works in `folder/notebooks`; a Jupyter server finds its connection file in `folder/kernels`."""

    idle_limit = IDLE_LIMIT

    def __init__(self, folder: Path, manager: AsyncKernelManager, options: dict) -> None:
        self.folder, self.manager, self.options = folder, manager, options
        self.executed: dict[str, NotebookNode] = {}

    def lesson(self, name: str) -> NotebookNode:
        """Return an executed lesson, and execute it where no test has."""
        if name not in self.executed:
            self.executed[name] = self.run(self.prepared(name))
        return self.executed[name]

    def prepared(self, name: str) -> NotebookNode:
        """Return a lesson, on the embedded digits, that is not yet executed."""
        path = self.folder / "notebooks" / f"{name}.ipynb"
        nbformat.write(both_editions(name), path)
        return parameterize_notebook(load_notebook_node(str(path)), PARAMETERS)

    def watched(self) -> Silence:
        """Begin to watch the process that is the kernel now."""
        return Silence(self.manager.provisioner.pid, self.idle_limit)

    def forget(self) -> None:
        """Close all widgets and empty the namespace."""
        self.run(nbformat.v4.new_notebook())

    def restart(self) -> None:
        """Let a new process take the kernel's place, under the same address."""
        run_sync(self.manager.restart_kernel)(now=True)

    def run(self, notebook: NotebookNode) -> NotebookNode:
        """Forget, then execute a notebook; its first error ends it and stands in it."""
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
        if not self.is_executed(notebook):
            self.restart()
            assert self.is_executed(notebook), "a second kernel fell silent"
        del notebook.cells[0]
        return notebook

    def is_executed(self, notebook: NotebookNode) -> bool:
        """Execute a notebook; say whether its kernel came to an end of it."""
        client = Client(notebook, km=self.manager, **self.options)
        try:
            client.execute_watched(self.watched())
        except CellExecutionError:
            pass  # the notebook holds the error, and first_problem finds it
        except (DeadKernelError, RuntimeError):
            if not client.silent:
                raise
            return False
        finally:
            client.kc and client.kc.stop_channels()
        return True


@contextmanager
def lesson_kernel(folder: Path) -> Iterator[LessonKernel]:
    """Start the kernel, which keeps runs in `folder/cache`; end it at last."""
    for name in ("notebooks", "kernels"):
        (folder / name).mkdir()
    store = Store(folder / "cache" / "runs")
    for pairing in OWN.values():
        store.put((pairing, 0), made_up(pairing, 0, 0.77, data="digits"), "digits", "cpu", LIMITS)
    with TemporaryDirectory(prefix="lm-") as short, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", short)  # a socket's path may not be long
        options = {"timeout": CELL_LIMIT, "startup_timeout": CELL_LIMIT, "config": kernel_config()}
        kernel = AsyncKernelManager(kernel_name="python3", config=options["config"])
        kernel.connection_file = str(folder / "kernels" / "kernel.json")
        environment = {**os.environ, "LM_CACHE_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        run_sync(kernel.start_kernel)(cwd=folder / "notebooks", env=environment)
        patch.undo()
        yield LessonKernel(folder, kernel, options)
        run_sync(kernel.shutdown_kernel)(now=True)
