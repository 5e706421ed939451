"""Executes one notebook through papermill, in a process of its own, and says honestly what came of it.

Papermill calls a notebook completed when its kernel has died, when a cell called `sys.exit(0)`, and when a
widget swallowed an exception. Therefore the executed notebook itself is examined before it replaces an older one.
"""

import json
import multiprocessing
import os
import re
import shutil
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
from jupyter_core.paths import jupyter_runtime_dir
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from lm_utils.errors import MACHINE_FAULTS, cannot_write
from lm_utils.files import write_whole
from lm_utils.workshop.run_all.forks import leave_the_terminal, prepare_kernel
from lm_utils.workshop.run_all.pages import WIDGET_STATE, WIDGET_VIEW, notebook_page

CELL_LIMIT = 600  # seconds; the limit of the whole notebook is kept by the process that started this one
OUTPUT_LIMIT = 60  # seconds for a cell's output to arrive after its end; nbclient gives 4, too few under load
START_LIMIT = 40  # seconds for a kernel to answer; it takes about two, and about one in two hundred never does
LOG = "log"  # in the folder of the process, for what it prints
LONGEST_FOLDER = 50  # characters; a Unix socket's path may have about 100, and the file's name takes half of them
THREAD_ERROR = re.compile(r"^Exception in thread .*\n((?s:.*))", re.M)
NOT_YET = ("Traceback (", "During handling", "The above exception")  # lines of a traceback before the error's own


def main(job: dict[str, Any], channel: Connection) -> None:
    """Execute the job's notebook; tell each cell that begins, and at last its outcome, through the channel."""
    target = Path(job["target"])
    part = target.with_name(f".{target.stem}.part.ipynb")
    try:
        crash = run_papermill(Path(job["source"]), part, job["parameters"], lambda name: channel.send({"cell": name}))
        notebook = nbformat.read(part, as_version=4)
        count = len(code_cells(notebook))
        notebook.metadata["run_all"] = {"of": job["of"], "cells": count}
        problem = crash or first_problem(notebook)
        keep(notebook, target, problem)
        channel.send({"status": "failed" if problem else "ok", "error": problem or None, "cells": count})
    except OSError as error:
        if error.errno not in MACHINE_FAULTS:
            raise
        channel.send({"status": "failed", "error": cannot_write(error.filename or target, error), "stop": True})
    finally:
        part.unlink(missing_ok=True)


class SavingAtTheEnd(NBClientEngine):
    """Papermill's engine without the two saves of the whole notebook per cell, which took longer than many a cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, *args: Any, **options: Any) -> None:
        """Execute the cells; papermill saves before the first and after the last one, also where a kernel died."""
        output, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, *args, **options)
        finally:
            nb_man.output_path = output


papermill_engines.register("saving_at_the_end", SavingAtTheEnd)


def run_papermill(source: Path, part: Path, parameters: dict[str, Any], started: Callable[[str], None]) -> str:
    """Execute `source` into `part`; return what broke it off, or an empty string where every cell had its turn."""
    label = "the start of the kernel"
    number = 0

    def cell_started(cell: NotebookNode, cell_index: int) -> None:
        nonlocal label, number
        if is_lesson_code(cell):
            number += 1
            label = name_of(cell, number)
            started(label)

    try:
        papermill.execute_notebook(
            source,
            part,
            parameters=parameters,
            engine_name="saving_at_the_end",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=source.parent,
            start_timeout=START_LIMIT,
            execution_timeout=CELL_LIMIT,
            on_cell_start=cell_started,
            config=kernel_config(),
        )
    except DeadKernelError:
        return f"{label}: the kernel died."
    except CellTimeoutError as error:
        if "IOPub" in str(error):
            return f"It hung at {label}: its output did not arrive."
        return f"{label}: the cell took longer than {CELL_LIMIT} s."
    except RuntimeError as error:
        if "respond" not in str(error):
            raise
        return "It hung at the start of the kernel: it did not answer."
    except PapermillExecutionError:
        pass  # the notebook holds the error, and first_problem finds it
    return ""


def kernel_config() -> Config:
    """Wait for outputs, and let the kernel talk through files, not ports, which notebooks side by side could claim."""
    config = Config({"NotebookClient": {"iopub_timeout": OUTPUT_LIMIT}})
    if os.name != "nt" and len(jupyter_runtime_dir()) <= LONGEST_FOLDER:
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = os.path.join(jupyter_runtime_dir(), "kernel")
    return config


def is_lesson_code(cell: NotebookNode) -> bool:
    """Say whether a cell is code of the lesson: not text, not empty, not papermill's own."""
    own = "injected-parameters" in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and bool(cell.source.strip()) and not own


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of the lesson."""
    return [cell for cell in notebook.cells if is_lesson_code(cell)]


def name_of(cell: NotebookNode, number: int) -> str:
    """Name a cell so that a person finds it: its place among the code cells, and its first telling line."""
    lines = [line.strip() for line in cell.source.splitlines() if line.strip() and line.strip()[0] != "#"]
    telling = [line for line in lines if not line.startswith(("import ", "from "))]
    first = (telling or lines or [cell.source.strip()])[0]
    return f"code cell {number} (`{first if len(first) <= 60 else first[:57] + '…'}`)"


def first_problem(notebook: NotebookNode) -> str:
    """Name the first thing that went wrong in an executed notebook; empty where nothing did."""
    cells = code_cells(notebook)
    names = [name_of(cell, number) for number, cell in enumerate(cells, 1)]
    for cell, name in zip(cells, names, strict=True):
        for output in cell.outputs:
            if output.output_type == "error":
                return f"{name}: {sentence(output)}"
        if found := thread_error(cell):
            return f"{name}: a thread ended with {found}"
        if cell.execution_count is None:
            return f"{name}: this cell did not run."
    return hidden_widget_error(notebook, cells, names)


def thread_error(cell: NotebookNode) -> str:
    """Name the error that ended a thread of this cell; empty where none did. Its traceback may come in pieces."""
    streams = (output for output in cell.outputs if output.output_type == "stream" and output.name == "stderr")
    found = THREAD_ERROR.search("".join(output.text for output in streams))
    if not found:
        return ""
    own = (line for line in found[1].splitlines() if line[:1].strip() and not line.startswith(NOT_YET))
    return next(own, "an error")[:200]


def hidden_widget_error(notebook: NotebookNode, cells: list[NotebookNode], names: list[str]) -> str:
    """Name the first error that a widget caught: it stands nowhere but in the widgets' state."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for model, widget in state.items():
        for output in widget["state"].get("outputs", ()) or ():
            if output.get("output_type") == "error":
                owners = (name for cell, name in zip(cells, names, strict=True) if shows(cell, model, state))
                return f"{next(owners, 'some cell')}: a widget hides {sentence(output)}"
    return ""


def shows(cell: NotebookNode, model: str, state: dict[str, Any]) -> bool:
    """Say whether a cell shows this widget, itself or inside another one."""
    waiting = [o.data[WIDGET_VIEW]["model_id"] for o in cell.outputs if WIDGET_VIEW in o.get("data", {})]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current == model:
            return True
        if current not in seen:
            seen.add(current)
            waiting += re.findall(r"IPY_MODEL_(\w+)", json.dumps(state.get(current, {}).get("state", {})))
    return False


def sentence(error: dict[str, Any]) -> str:
    """Return an error's name and the first line of its message."""
    return f"{error['ename']}: {(error['evalue'].splitlines() or [''])[0][:200]}"


def keep(notebook: NotebookNode, target: Path, problem: str) -> None:
    """Let a good notebook and its page replace the older ones; put a failed one aside for reading."""
    failed = target.parent / "failed" / target.name
    where = failed if problem else target
    page = notebook_page(notebook, where.stem, problem)
    write_whole(where.with_suffix(".html"), page)
    write_whole(where, nbformat.writes(notebook))
    if not problem:
        failed.unlink(missing_ok=True)
        failed.with_suffix(".html").unlink(missing_ok=True)


def as_process(job: dict[str, Any], environment: dict[str, str], channel: Connection) -> None:
    """Do the job of this process; its end is that of whatever it started."""
    leave_the_terminal(environment)
    log = os.open(Path(environment["JUPYTER_RUNTIME_DIR"], LOG), os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):  # what is printed here or by the kernel
        os.dup2(log, stream)
    if multiprocessing.get_start_method() == "forkserver":
        prepare_kernel()
    threading.Thread(target=end_with_parent, daemon=True).start()
    main(job, channel)


def end_with_parent() -> None:
    """Wait until the starting process is gone, then end the kernel and ourselves, and clear up in its place."""
    multiprocessing.parent_process().join()
    for process in psutil.Process().children(recursive=True):
        process.kill()
    shutil.rmtree(os.environ["JUPYTER_RUNTIME_DIR"], ignore_errors=True)
    os._exit(1)
