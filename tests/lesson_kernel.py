"""One kernel for many notebooks, one after the other with a new namespace each: it imports PyTorch only once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from lm_utils.workshop.run_all.notebook import CELL_LIMIT, kernel_config

FORGET = "import ipywidgets as w\nw.Widget.close_all()\nget_ipython().run_line_magic('reset', '-f')"


class LessonKernel:
    """A kernel that works in `folder/notebooks`; a Jupyter server finds its connection file in `folder/kernels`."""

    def __init__(self, folder: Path, manager: AsyncKernelManager, options: dict) -> None:
        self.folder, self.manager, self.options = folder, manager, options

    def forget(self) -> None:
        """Close all widgets and empty the namespace."""
        self.run(nbformat.v4.new_notebook())

    def run(self, notebook: NotebookNode) -> NotebookNode:
        """Forget, then execute a notebook; its first error ends it and stands in it."""
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
        client = NotebookClient(notebook, km=self.manager, **self.options)
        try:
            client.execute()
        except CellExecutionError:
            pass  # the notebook holds the error, and first_problem finds it
        finally:
            client.kc.stop_channels()
        del notebook.cells[0]
        return notebook


@contextmanager
def lesson_kernel(folder: Path) -> Iterator[LessonKernel]:
    """Start the kernel, which keeps runs in `folder/cache`; end it at last."""
    for name in ("notebooks", "kernels"):
        (folder / name).mkdir()
    with TemporaryDirectory(prefix="lm-") as short, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", short)  # a socket's path may not be long
        options = {"timeout": CELL_LIMIT, "config": kernel_config()}
        kernel = AsyncKernelManager(kernel_name="python3", config=options["config"])
        kernel.connection_file = str(folder / "kernels" / "kernel.json")
        environment = {**os.environ, "LM_CACHE_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        run_sync(kernel.start_kernel)(cwd=folder / "notebooks", env=environment)
        patch.undo()
        yield LessonKernel(folder, kernel, options)
        run_sync(kernel.shutdown_kernel)(now=True)
