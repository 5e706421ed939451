"""One notebook of a run-all in a process of its own, watched for its time, for a hang, and for what it leaves behind.

Also here: what tells whether a notebook that ran through once has to run again.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from lm_utils.files import PROJECT
from lm_utils.threads import capped_environment
from lm_utils.workshop.run_all import notebook
from lm_utils.workshop.run_all.forks import name_of
from lm_utils.workshop.run_all.report import Outcome, Report, Settings, Trained

IDLE_WORK = 0.05  # seconds of processor time per second; a waiting kernel needs less


class Watched:
    """One notebook in a process of its own, with everything that it starts."""

    def __init__(self, path: Path, report: Report, stop: threading.Event, context: BaseContext) -> None:
        self.path, self.stop, self.context = path, stop, context
        self.out, self.settings, self.trained = report.out, report.settings, report.trained
        self.tag = uuid.uuid4().hex
        self.told: dict[str, Any] = {}  # by the process, of its outcome
        self.cell = "the start of the kernel"

    def run(self) -> Outcome:
        """Execute the notebook; once more where it hung without doing anything, or could not be begun."""
        outcome = self.attempt()
        if re.search("^It hung|could not be started", outcome.error or "") and not self.stop.is_set():
            outcome = self.attempt()
        return outcome

    def attempt(self) -> Outcome:
        """Execute the notebook once, watch it, and leave no process behind."""
        if self.stop.is_set():
            return Outcome(self.path.stem)
        self.told, self.cell, started = {}, "the start of the kernel", time.monotonic()
        with suppress(OSError):  # where nothing can be written, the process below says so
            unfinished(self.out, self.path).parent.mkdir(exist_ok=True)
            unfinished(self.out, self.path).touch()
        try:
            told = self.executed(started)
        except (OSError, EOFError) as error:  # this notebook cannot be begun; another one may
            told = {"status": "failed", "error": f"{self.cell}: its process could not be started ({error})."}
        outcome = Outcome(self.path.stem, seconds=time.monotonic() - started, **told)
        if outcome.status == "ok":
            unfinished(self.out, self.path).unlink(missing_ok=True)
        return outcome

    def executed(self, started: float) -> dict[str, Any]:
        """Start the process and wait for it; return what belongs into the outcome."""
        scratch = Path(tempfile.mkdtemp(prefix="lm-"))
        channel, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=notebook.as_process, args=(self.job(), self.environment(scratch), theirs))
        try:
            process.start()
            theirs.close()
            if told := self.watch(process, channel, started) or self.told:
                return told
            how = how_it_ended(process.exitcode, scratch / notebook.LOG)
            return {"status": "failed", "error": f"{self.cell}: {how}"}
        finally:
            if process.pid:
                process.kill()
            end_all(self.tag)
            shutil.rmtree(scratch, ignore_errors=True)
            clear_halves(self.out, self.path.stem)

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
        """The process's environment: one thread per operation, its tag, a folder of its own, and our data."""
        folders = {name: os.environ.get(name) for name in ("LM_CACHE_DIR", "LM_DATA_DIR")}
        # from the root on, since a kernel works in another folder than this process
        named = {name: str(Path(folder).expanduser().absolute()) for name, folder in folders.items() if folder}
        return {
            **capped_environment(),
            **named,
            "LM_RUN_ALL": self.tag,
            "JUPYTER_RUNTIME_DIR": str(scratch),
            "IPYTHONDIR": str(scratch / "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",
        }

    def listen(self, channel: Connection) -> bool:
        """Note what the process has told, which cell begins and at last the outcome; say whether there was anything."""
        news = False
        with suppress(EOFError, OSError):
            while channel.poll():
                message, news = channel.recv(), True
                self.cell = message.get("cell", self.cell)
                self.told = message if "status" in message else self.told
        return news

    def watch(self, process: BaseProcess, channel: Connection, started: float) -> dict[str, Any]:
        """Wait for the process; return status and error where it had to be ended."""
        work, active = 0.0, time.monotonic()
        while True:
            process.join(0.5)
            ended, news = process.exitcode is not None, self.listen(channel)
            if ended:
                return {}
            now = time.monotonic()
            if self.stop.is_set():
                return {"status": "skipped", "error": "interrupted"}
            if now - started > self.settings.limit:
                late = f"{self.cell}: the notebook took longer than {self.settings.limit:g} s."
                return {"status": "timeout", "error": late}
            worked = work_of(process.pid)
            if news or abs(worked - work) > IDLE_WORK * 0.5:
                active = now
            work = worked
            if now - active > self.settings.idle_limit:
                hung = f"It hung at {self.cell}: nothing happened for {self.settings.idle_limit:g} s."
                return {"status": "timeout", "error": hung}


def how_it_ended(code: int, log: Path) -> str:
    """Say how a process ended that told no outcome; what it wrote last explains nothing where it was killed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    last_words = next(filter(str.strip, reversed(lines)), "")
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
        belongs = process.name() == name_of(tag) or process.environ().get("LM_RUN_ALL") == tag
        return belongs and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def fingerprint(path: Path, trained: Trained, settings: Settings) -> str:
    """Return a short text that changes with the notebook, its parameters, the runs, the package and the results."""
    told = (trained.data, trained.device, trained.runs, settings.seeds, sys.version)
    digest = hashlib.sha256(repr(told).encode())
    digest.update(path.read_bytes())
    package = [file for file in (PROJECT / "lm_utils").rglob("*.*") if file.suffix != ".pyc"]
    for file in sorted(package):
        digest.update(file.read_bytes())
    for file in sorted((PROJECT / "results").rglob("*.*")):
        if file.suffix != ".part":  # of a training that is about to replace a file
            with suppress(FileNotFoundError):
                status = file.stat()
                digest.update(f"{file.relative_to(PROJECT)} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def clear_halves(out: Path, name: str = "*") -> None:
    """Remove what a process had half written when it was ended, of one notebook or of all."""
    for left in [*out.glob(f".{name}.*part*"), *out.glob(f"failed/.{name}.*part*")]:
        with suppress(OSError):
            left.unlink(missing_ok=True)


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
