"""`make run-all`: trains what is missing, executes every notebook through papermill, and reports.

Each notebook runs in a process of its own (`execution.py`), which is watched here: for its time, for a hang, and
for processes that it leaves behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
from filelock import FileLock, Timeout

from lm_utils.experiments.pages import index_page, write

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK_LIMIT = 900.0  # seconds for one notebook
IDLE_LIMIT = 90.0  # seconds without a new cell and without work: it hangs (about one run in seventy did)
IDLE_WORK = 0.05  # seconds of processor time per second; a waiting kernel needs less
NOT_ENDED = "The training of the runs had not ended when this was written."
INTERRUPTED = "The training of the runs was interrupted; what is finished is stored, and run-all goes on from there."
OWN_TASK = {"08": "regression", "09": "probability", "10": "binary", "11": "multiclass", "12": "multilabel"}
ALL_TASKS = {"15"}


@dataclass(frozen=True)
class Settings:
    """What one run-all is asked to do."""

    data: str = "auto"
    seeds: int = 3
    device: str = "auto"
    jobs: int = 2
    fresh: bool = False
    limit: float = NOTEBOOK_LIMIT
    idle_limit: float = IDLE_LIMIT


@dataclass(frozen=True)
class Trained:
    """What the training part gave: the data and device that "auto" meant, how many runs, and a digest of them."""

    data: str
    device: str
    trained: int = 0
    reused: int = 0
    runs: str = ""


@dataclass
class Outcome:
    """What came of one notebook."""

    name: str
    status: str = "skipped"
    seconds: float = 0.0
    cells: int = 0
    error: str | None = None
    stop: bool = field(default=False, repr=False)  # nothing can be written: the others need not try

    def entry(self) -> dict[str, Any]:
        """Return the report's entry."""
        names = ("name", "status", "seconds", "cells", "error")
        return {name: getattr(self, name) for name in names} | {"seconds": round(self.seconds, 1)}


def main(
    data: str = "auto",
    seeds: int = 3,
    device: str = "auto",
    jobs: int | None = None,
    only: Sequence[str] = (),
    fresh: bool = False,
) -> int:
    """Do `make run-all`; return 0 where every notebook ran through."""
    report = run_all(data, seeds, device, jobs, only, fresh)
    return 0 if report["ok"] else 1


def run_all(
    data: str = "auto",
    seeds: int = 3,
    device: str = "auto",
    jobs: int | None = None,
    only: Sequence[str] = (),
    fresh: bool = False,
    notebooks: Path = ROOT / "notebooks",
    out: Path = ROOT / "build" / "run-all",
    train: Callable[[Settings, list[str]], Trained] | None = None,
    limit: float = NOTEBOOK_LIMIT,
    idle_limit: float = IDLE_LIMIT,
) -> dict[str, Any]:
    """Train, execute the notebooks of a folder, and return the report that is also written into `out`."""
    for name, value, known in (
        ("DATA", data, ("auto", "mnist", "digits")),
        ("DEVICE", device, ("auto", "cpu", "cuda")),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    for name, value in (("SEEDS", seeds), ("JOBS", jobs)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")
    found, chosen = choose(notebooks, only)
    settings = Settings(data, seeds, device, jobs or 0, fresh, limit, idle_limit)
    prepare(out)
    with alone(out), terminable():
        before = read_report(out)
        report = Report(out, settings, found, chosen)
        trained = train_reported(train or train_missing, settings, chosen, report)
        report.begin(trained)
        kept = {} if fresh or before.get("ok", True) else still_good(chosen, out, trained, settings)
        try:
            execute(chosen, out, settings, trained, kept, report)
        except KeyboardInterrupt:
            print("\nInterrupted: no notebook is running any more; what is finished was kept.", flush=True)
            raise
        finally:
            report.save()
        print(report.table(), flush=True)
        return report.content()


def choose(notebooks: Path, only: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Return all notebooks, and those that ONLY names by number or by name."""
    found = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ValueError(f"{notebooks} holds no notebook NN_name.ipynb; run `make notebooks` first.")
    by_name = {path.stem[:2]: path for path in found} | {path.stem: path for path in found}
    for name in only:
        if name not in by_name and name.zfill(2) not in by_name:
            numbers = ", ".join(path.stem[:2] for path in found)
            raise ValueError(f"ONLY names the notebook {name!r}, which does not exist; there are {numbers}.")
    wanted = {by_name.get(name) or by_name[name.zfill(2)] for name in only} or set(found)
    return found, [path for path in found if path in wanted]


def prepare(out: Path) -> None:
    """Make sure that the folder of the outputs can be written to."""
    probe = out / f".{uuid.uuid4().hex}.part"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"0" * 65536)
    except OSError as error:
        raise ValueError(cannot_write(out, error)) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


@contextmanager
def alone(out: Path):
    """Refuse to work beside another run-all in the same folder; clear away what a killed one left."""
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as busy:
        raise ValueError(f"Another run-all is at work in {out}; wait until it ends, or stop it.") from busy
    try:
        for left in [*out.glob(".*.part*"), *out.glob("failed/.*.part*")]:
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


@contextmanager
def terminable():
    """Let a polite `kill` end the work as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def train_reported(
    train: Callable[[Settings, list[str]], Trained], settings: Settings, chosen: list[Path], report: Report
) -> Trained:
    """Train; the report on disk says from the start that nothing is finished, and what ended the training."""
    report.wait(NOT_ENDED)
    try:
        return train(settings, [path.stem[:2] for path in chosen])
    except BaseException as error:
        with suppress(ValueError):  # where nothing more can be written, the first report stays, which is true, too
            report.wait(why_untrained(error))
        raise


def why_untrained(error: BaseException) -> str:
    """Return the one sentence about a training that did not end."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    told = str(error) if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {error}"
    return "The training of the runs failed: " + told.partition("\n")[0]


def train_missing(settings: Settings, numbers: list[str]) -> Trained:
    """Train the documents' rows that the chosen notebooks speak of, as far as they are not stored."""
    from lm_utils.data import load_data
    from lm_utils.experiments import documents
    from lm_utils.experiments.sweep import sweep_entries
    from lm_utils.training import pick_device

    device = pick_device(settings.device).type
    splits = load_data(settings.data, seed=0)
    tasks = {OWN_TASK[number] for number in numbers if number in OWN_TASK}
    pairings = [p for p in documents.pairings() if p.task in tasks or ALL_TASKS & set(numbers)]
    print(f"Data: {splits.source}", flush=True)
    new = 0

    def count(_entry: dict[str, Any]) -> None:
        nonlocal new
        new += 1

    if not pairings:
        return Trained(splits.name, device)
    seeds = "1 seed" if settings.seeds == 1 else f"{settings.seeds} seeds"
    print(f"Runs: {len(pairings)} pairings, {seeds}, {device}; stored runs are not repeated.", flush=True)
    options = {"data": splits.name, "device": settings.device, "jobs": settings.jobs or None, "fresh": settings.fresh}
    entries = sweep_entries(pairings, range(settings.seeds), on_run=count, **options)
    print(f"Runs: {new} trained now, {len(entries) - new} taken from earlier training.", flush=True)
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()
    return Trained(splits.name, device, new, len(entries) - new, digest)


def execute(
    chosen: list[Path], out: Path, settings: Settings, trained: Trained, kept: dict[str, Outcome], report: Report
) -> None:
    """Execute the chosen notebooks, several at a time, and fill the report as they end."""
    jobs = settings.jobs or (1 if trained.device == "cuda" else max(1, min(4, cores())))
    todo = [path for path in chosen if path.stem not in kept]
    for outcome in kept.values():
        report.add(outcome, "kept from the run before")
    stop = threading.Event()
    with ThreadPoolExecutor(jobs, thread_name_prefix="notebook") as pool:
        try:
            watched = (
                Watched(path, out, settings, trained, threads=max(1, cores() // jobs), stop=stop) for path in todo
            )
            for future in as_completed([pool.submit(notebook.run) for notebook in watched]):
                outcome = future.result()
                report.add(outcome)
                if outcome.stop:
                    raise ValueError(outcome.error)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Watched:
    """One notebook in a process of its own, with everything that it starts."""

    def __init__(
        self, path: Path, out: Path, settings: Settings, trained: Trained, threads: int, stop: threading.Event
    ) -> None:
        self.path, self.out, self.settings, self.trained = path, out, settings, trained
        self.threads, self.stop = threads, stop
        self.tag = uuid.uuid4().hex
        self.last: dict[str, Any] = {}
        self.cell = "the start of the kernel"
        self.news = 0

    def run(self) -> Outcome:
        """Execute the notebook; once more where it hung without doing anything."""
        outcome = self.attempt()
        if outcome.error and outcome.error.startswith("It hung") and not self.stop.is_set():
            outcome = self.attempt()
        return outcome

    def attempt(self) -> Outcome:
        """Execute the notebook once, watch it, and leave no process behind."""
        outcome, started = Outcome(self.path.stem), time.monotonic()
        if self.stop.is_set():
            return outcome
        self.last, self.cell = {}, "the start of the kernel"
        with suppress(OSError):  # where nothing can be written, the process below says so
            unfinished(self.out, self.path).parent.mkdir(exist_ok=True)
            unfinished(self.out, self.path).touch()
        try:
            trouble = self.executed(started)
        except OSError as error:  # this notebook cannot be begun; another one may
            trouble = "failed", f"{self.cell}: its process could not be started ({error})."
        outcome.seconds = time.monotonic() - started
        if trouble is not None:
            outcome.status, outcome.error = trouble
        else:
            outcome.stop = self.last["outcome"] == "stop"
            outcome.status = "ok" if self.last["outcome"] == "ok" else "failed"
            outcome.error, outcome.cells = self.last["error"] or None, self.last.get("cells", 0)
        if outcome.status == "ok":
            unfinished(self.out, self.path).unlink(missing_ok=True)
        return outcome

    def executed(self, started: float) -> tuple[str, str] | None:
        """Start the process and wait for it; return status and error where it did not come to tell an outcome."""
        scratch = Path(tempfile.mkdtemp(prefix="lm-"))
        try:
            process, errors = self.start(scratch)
            trouble = self.watch(process, started)
        finally:
            end_all(self.tag)
            shutil.rmtree(scratch, ignore_errors=True)
            self.clear()
        for reader in self.readers:
            reader.join(5)
        if trouble is None and "outcome" not in self.last:
            return "failed", f"{self.cell}: {how_it_ended(process.returncode, (errors or [''])[-1])}"
        return trouble

    def clear(self) -> None:
        """Remove what the process had half written when it was ended."""
        for folder in (self.out, self.out / "failed"):
            for left in folder.glob(f".{self.path.stem}.*part*"):
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    def start(self, scratch: Path) -> tuple[subprocess.Popen, deque[str]]:
        """Start the process that executes the notebook, apart from the terminal's signals."""
        process = subprocess.Popen(
            [sys.executable, "-m", "lm_utils.experiments.execution", json.dumps(self.job())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(scratch),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        errors: deque[str] = deque(maxlen=20)
        self.readers = [
            threading.Thread(target=self.listen, args=(process.stdout,), daemon=True),
            threading.Thread(target=lambda: errors.extend(filter(str.strip, process.stderr)), daemon=True),
        ]
        for reader in self.readers:
            reader.start()
        return process, errors

    def job(self) -> dict[str, Any]:
        """What the process is to execute, with which parameters, and where the result belongs."""
        return {
            "source": str(self.path),
            "target": str(self.out / self.path.name),
            "parameters": {
                "data": self.trained.data,
                "seeds": self.settings.seeds,
                "device": self.trained.device,
            },
            "of": fingerprint(self.path, self.trained, self.settings),
        }

    def environment(self, scratch: Path) -> dict[str, str]:
        """The process's environment: its share of the cores, its tag, a folder of its own, and our data."""
        threads = str(self.threads)
        return {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            **os.environ,
            **absolute_folders(),
            "LM_RUN_ALL": self.tag,
            "JUPYTER_RUNTIME_DIR": str(scratch),
            "IPYTHONDIR": str(scratch / "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",
        }

    def listen(self, channel: IO[str]) -> None:
        """Note what the process tells: which cell begins, and at last the outcome."""
        for line in channel:
            with suppress(ValueError):
                self.last = json.loads(line)
            self.cell = self.last.get("cell", self.cell)
            self.news += 1

    def watch(self, process: subprocess.Popen, started: float) -> tuple[str, str] | None:
        """Wait for the process; return status and error where it had to be ended."""
        news, work, active = self.news, 0.0, time.monotonic()
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
                return None
            now = time.monotonic()
            if self.stop.is_set():
                return "skipped", "interrupted"
            if now - started > self.settings.limit:
                return "timeout", f"{self.cell}: the notebook took longer than {self.settings.limit:g} s."
            worked = work_of(process.pid)
            if self.news != news or abs(worked - work) > IDLE_WORK * 0.5:
                active = now
            news, work = self.news, worked
            if now - active > self.settings.idle_limit:
                return "timeout", f"It hung at {self.cell}: nothing happened for {self.settings.idle_limit:g} s."


def absolute_folders() -> dict[str, str]:
    """The folders that a person named, from the root on: a kernel works in another folder than this process."""
    named = {name: os.environ.get(name) for name in ("LM_CACHE_DIR", "LM_DATA_DIR")}
    return {name: str(Path(folder).expanduser().absolute()) for name, folder in named.items() if folder}


def how_it_ended(code: int, last_words: str) -> str:
    """Say how a process ended that told no outcome; what it wrote last explains nothing where it was killed."""
    if code == -9:
        return "its process was ended from outside (SIGKILL; often memory ran out)."
    if code < 0:
        return f"its process was ended by a signal ({signal.strsignal(-code)}). {last_words}".strip()
    return f"its process ended with code {code}. {last_words}".strip()


def work_of(pid: int) -> float:
    """Return the processor time that a process and everything below it have used so far."""
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = each.cpu_times()
                total += times.user + times.system
    return total


def end_all(tag: str) -> None:
    """End every process that carries this tag in its environment, whoever its parent is now."""
    for _ in range(3):
        left = [process for process in psutil.process_iter() if has_tag(process, tag)]
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        if not left:
            return
        psutil.wait_procs(left, timeout=2)


def has_tag(process: psutil.Process, tag: str) -> bool:
    """Say whether a living process was started for the notebook with this tag."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("LM_RUN_ALL") == tag
    except (psutil.Error, OSError):
        return False


def fingerprint(path: Path, trained: Trained, settings: Settings) -> str:
    """Return a short text that changes with the notebook, its parameters, the runs, the package and the results."""
    told = (trained.data, trained.device, trained.runs, settings.seeds, sys.version)
    digest = hashlib.sha256(repr(told).encode())
    digest.update(path.read_bytes())
    package = [file for file in (ROOT / "lm_utils").rglob("*") if file.suffix in (".py", ".toml")]
    for file in sorted(package):
        digest.update(file.read_bytes())
    for file in sorted((ROOT / "results").rglob("*.*")):
        if file.suffix != ".part":  # of a training that is about to replace a file
            with suppress(FileNotFoundError):
                status = file.stat()
                digest.update(f"{file.relative_to(ROOT)} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def read_report(out: Path) -> dict[str, Any]:
    """Return the report of the run before; empty where there is none that can be read."""
    try:
        return json.loads((out / "report.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def unfinished(out: Path, path: Path) -> Path:
    """The mark that says that a notebook was begun and did not run through, whatever ended it."""
    return out / "failed" / f"{path.stem}.unfinished"


def still_good(chosen: list[Path], out: Path, trained: Trained, settings: Settings) -> dict[str, Outcome]:
    """Return the notebooks that need no second run after a run that did not end well: nothing of theirs changed."""
    kept = {}
    for path in chosen:
        with suppress(OSError, ValueError, KeyError, TypeError):
            metadata = json.loads((out / path.name).read_text("utf-8"))["metadata"]
            whole = not unfinished(out, path).exists()
            if metadata["run_all"]["of"] == fingerprint(path, trained, settings) and whole:
                cells, seconds = metadata["run_all"]["cells"], metadata["papermill"]["duration"]
                kept[path.stem] = Outcome(path.stem, "ok", seconds, cells)
    return kept


class Report:
    """The report of a run, kept up to date on disk, so that an interrupted run has one too."""

    def __init__(self, out: Path, settings: Settings, found: list[Path], chosen: list[Path]) -> None:
        self.out, self.settings, self.started = out, settings, time.monotonic()
        self.trained = Trained(settings.data, settings.device)  # as asked for, until the training tells
        self.titles = {path.stem: title_of(path) for path in found}
        self.outcomes = {path.stem: Outcome(path.stem) for path in found}
        self.chosen = [path.stem for path in chosen]

    def wait(self, reason: str) -> None:
        """Write that the chosen notebooks have not had their turn, and why."""
        self.outcomes |= {name: Outcome(name, error=reason) for name in self.chosen}
        self.save()

    def begin(self, trained: Trained) -> None:
        """Write what was trained; from now on the notebooks have their turn."""
        self.trained = trained
        self.outcomes |= {name: Outcome(name) for name in self.chosen}
        self.save()

    def content(self) -> dict[str, Any]:
        """Return what `report.json` holds."""
        return {
            "ok": all(self.outcomes[name].status == "ok" for name in self.chosen),
            "seconds": round(time.monotonic() - self.started, 1),
            "device": self.trained.device,
            "data": self.trained.data,
            "seeds": self.settings.seeds,
            "trained_runs": self.trained.trained,
            "reused_runs": self.trained.reused,
            "notebooks": [outcome.entry() for outcome in self.outcomes.values()],
        }

    def add(self, outcome: Outcome, remark: str = "") -> None:
        """Take over the outcome of a notebook, write it and tell it."""
        self.outcomes[outcome.name] = outcome
        self.save()
        if outcome.status != "skipped":
            done = sum(self.outcomes[name].status != "skipped" for name in self.chosen)
            told = remark or f"{outcome.seconds:.1f} s"
            print(f"[{done}/{len(self.chosen)}] {outcome.name}: {outcome.status}, {told}", flush=True)

    def save(self) -> None:
        """Write `report.json` and `index.html`."""
        content = self.content()
        found = [*self.out.glob("*.html"), *self.out.glob("failed/*.html")]
        pages = [page.relative_to(self.out).as_posix() for page in found]
        try:
            write(self.out / "index.html", index_page(content, self.titles, pages))
            write(self.out / "report.json", json.dumps(content, indent=1) + "\n")
        except OSError as error:
            raise ValueError(cannot_write(self.out, error)) from error

    def table(self) -> str:
        """Return the outcomes as a table, what went wrong below, and where the pages are."""
        shown = [self.outcomes[name] for name in self.chosen]
        wide = max(len(name) for name in self.chosen)
        lines = ["", f"{'notebook':{wide}}  status   seconds  cells"]
        lines += [f"{each.name:{wide}}  {each.status:7}  {each.seconds:7.1f}  {each.cells:5}" for each in shown]
        lines += [f"{each.name}: {each.error}" for each in shown if each.error]
        content = self.content()
        verdict = "Every notebook ran through" if content["ok"] else "Not every notebook ran through"
        lines += ["", f"{verdict}; {content['seconds']:.0f} s in all. To read: {self.out / 'index.html'}"]
        return "\n".join(lines)


def title_of(path: Path) -> str:
    """Return a notebook's heading; the file's name where there is none or the notebook cannot be read."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            first = "".join(cell["source"]).partition("\n")[0]
            if first.startswith("# ") and cell["cell_type"] == "markdown":
                return first.removeprefix("# ")
    return path.stem


def cannot_write(place: Path, error: OSError) -> str:
    """Return the one sentence about a place that takes no file."""
    return f"Cannot write into {place}: {error.strerror}; make room or make it writable, then run again."
