"""`make run-all`: trains what is missing, executes every notebook through papermill, and reports.

Each notebook runs in a process of its own (`notebook.py`), which is watched (`process.py`) for its time, for a hang,
and for processes that it leaves behind. What came of it stands in a report (`report.py`).
"""

import hashlib
import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lm_utils.errors import UserError, cannot_write
from lm_utils.files import BUILD, NOTEBOOKS, read_kept, try_to_write
from lm_utils.threads import cores
from lm_utils.workshop.run_all import forks
from lm_utils.workshop.run_all.process import Watched, clear_halves, still_good
from lm_utils.workshop.run_all.report import (
    IDLE_LIMIT,
    NOTEBOOK_LIMIT,
    Outcome,
    Report,
    Settings,
    Trained,
)

NOT_ENDED = "The training of the runs had not ended when this was written."
INTERRUPTED = "The training of the runs was interrupted; what is finished is stored, and run-all goes on from there."
OWN_TASK = {"08": "regression", "09": "probability", "10": "binary", "11": "multiclass", "12": "multilabel"}


def main(**options: Any) -> int:
    """Do `make run-all`; return 0 where every notebook ran through."""
    return 0 if run_all(**options)["ok"] else 1


def run_all(
    data: str = "auto",
    seeds: int = 1,
    device: str = "auto",
    jobs: int | None = None,
    only: Sequence[str] = (),
    fresh: bool = False,
    notebooks: Path = NOTEBOOKS,
    out: Path = BUILD / "run-all",
    train: Callable[[Settings, list[str]], Trained] | None = None,
    limit: float = NOTEBOOK_LIMIT,
    idle_limit: float = IDLE_LIMIT,
) -> dict[str, Any]:
    """Train, execute the notebooks of a folder, and return the report that is also written into `out`."""
    found, chosen = choose(notebooks, only)
    settings = Settings(data, seeds, device, jobs, fresh, limit, idle_limit)
    try:
        try_to_write(out)
    except OSError as error:
        raise UserError(cannot_write(out, error)) from error
    with alone(out), terminable(), forks.processes(len(chosen)) as context:
        before = read_kept(out / "report.json")
        report = Report(out, settings, found, chosen)
        trained = train_reported(train or train_missing, report)
        report.begin(trained)
        kept = {} if fresh or before.get("ok", True) else still_good(chosen, out, trained, settings)
        try:
            execute(chosen, kept, report, context)
        except KeyboardInterrupt:
            print("\nInterrupted: no notebook is running any more; what is finished was kept.", flush=True)
            raise
        finally:
            content = report.save()
        print(report.table(content), flush=True)
        return content


def choose(notebooks: Path, only: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Return all notebooks, and those that ONLY names by number or by name."""
    found = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise UserError(f"{notebooks} holds no notebook NN_name.ipynb; run `make notebooks` first.")
    by_name = {path.stem[:2]: path for path in found} | {path.stem: path for path in found}
    for name in only:
        if name.zfill(2) not in by_name:
            numbers = ", ".join(path.stem[:2] for path in found)
            raise UserError(f"ONLY names the notebook {name!r}, which does not exist; there are {numbers}.")
    wanted = {by_name[name.zfill(2)] for name in only} or set(found)
    return found, [path for path in found if path in wanted]


@contextmanager
def alone(out: Path):
    """Refuse to work beside another run-all in the same folder; clear away what a killed one left."""
    try:
        with FileLock(out / ".lock", timeout=0):
            clear_halves(out)
            yield
    except Timeout as busy:
        raise UserError(f"Another run-all is at work in {out}; wait until it ends, or stop it.") from busy


@contextmanager
def terminable():
    """Let a polite `kill` end the work as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def train_reported(train: Callable[[Settings, list[str]], Trained], report: Report) -> Trained:
    """Train; the report on disk says from the start that nothing is finished, and what ended the training."""
    report.wait(NOT_ENDED)
    try:
        return train(report.settings, [name[:2] for name in report.chosen])
    except BaseException as error:
        told = str(error) if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {error}"
        failed = "The training of the runs failed: " + told.partition("\n")[0]
        with suppress(ValueError):  # where nothing more can be written, the first report stays, which is true, too
            report.wait(INTERRUPTED if isinstance(error, KeyboardInterrupt) else failed)
        raise


def train_missing(settings: Settings, numbers: list[str]) -> Trained:
    """Train the rows whose own figures the chosen notebooks show, as far as they are not stored."""
    from lm_utils.data import friendly, load_data
    from lm_utils.runs import rows
    from lm_utils.runs.sweep import sweep_entries
    from lm_utils.training import pick_device
    from lm_utils.workshop.run_all.forecast import forecast

    device, splits = pick_device(settings.device), load_data(settings.data, seed=0)
    tasks = {OWN_TASK[number] for number in numbers if number in OWN_TASK}
    pairings = [p for p in rows.pairings(rows.rows(table="loss")) if p.task in tasks]
    print(forecast(settings, splits, device, pairings, len(numbers)), flush=True)
    print(f"Data: {friendly(splits.source)}", flush=True)
    if not pairings:
        return Trained(splits.name, device)
    seeds = "1 seed" if settings.seeds == 1 else f"{settings.seeds} seeds"
    print(f"Runs: {len(pairings)} pairings, {seeds}, {device}; stored runs are not repeated.", flush=True)
    options = {"data": splits.name, "device": device, "jobs": settings.jobs, "fresh": settings.fresh}
    new: list[dict[str, Any]] = []
    entries = sweep_entries(pairings, range(settings.seeds), on_run=new.append, **options)
    reused = len(entries) - len(new)
    print(f"Runs: {len(new)} trained now, {reused} taken from earlier training.", flush=True)
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()
    return Trained(splits.name, device, len(new), reused, digest)


def execute(chosen: list[Path], kept: dict[str, Outcome], report: Report, context: BaseContext) -> None:
    """Execute the chosen notebooks, several at a time and the longest first, and fill the report as they end."""
    at_once = min(4, cores() + 1)  # one more than cores: a notebook also waits, for its kernel to start and to end
    jobs = report.settings.jobs or (1 if report.trained.device == "cuda" else at_once)
    todo = sorted((path for path in chosen if path.stem not in kept), key=lambda path: path.stem[:2] not in OWN_TASK)
    for outcome in kept.values():
        report.add(outcome, "kept from the run before")
    stop = threading.Event()
    with ThreadPoolExecutor(jobs, thread_name_prefix="notebook", initializer=leave_ctrl_c) as pool:
        try:
            watched = (Watched(path, report, stop, context) for path in todo)
            for future in as_completed([pool.submit(notebook.run) for notebook in watched]):
                outcome = future.result()
                report.add(outcome)
                if outcome.stop:
                    raise UserError(outcome.error)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def leave_ctrl_c() -> None:
    """Leave Ctrl-C to the main thread; a process that this thread starts hears nothing of it until it wants to."""
    if os.name != "nt":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
