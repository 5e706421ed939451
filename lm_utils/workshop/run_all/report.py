"""What one run-all is asked to do, what came of each notebook, and the report of it that is kept on disk."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lm_utils.errors import UserError, cannot_write
from lm_utils.files import write_whole
from lm_utils.workshop.templates import filled

NOTEBOOK_LIMIT = 900.0  # seconds for one notebook
IDLE_LIMIT = 90.0  # seconds without a new cell and without work: it hangs (about one run in seventy did)


@dataclass(frozen=True)
class Settings:
    """What one run-all is asked to do."""

    data: str
    seeds: int
    device: str
    jobs: int | None  # None: as many as suit the machine
    fresh: bool
    limit: float  # seconds for one notebook
    idle_limit: float  # seconds in which a notebook may do nothing


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


class Report:
    """The report of a run, kept up to date on disk, so that an interrupted run has one too."""

    def __init__(self, out: Path, settings: Settings, found: list[Path], chosen: list[Path]) -> None:
        self.out, self.settings, self.started = out, settings, time.monotonic()
        self.begun = self.started
        self.trained = Trained(settings.data, settings.device)  # as asked for, until the training tells
        self.titles = {path.stem: title_of(path) for path in found}
        self.outcomes = {path.stem: Outcome(path.stem) for path in found}
        self.chosen = [path.stem for path in chosen]

    def wait(self, reason: str | None = None) -> None:
        """Write that the chosen notebooks have not had their turn, and what keeps them from it."""
        self.outcomes |= {name: Outcome(name, error=reason) for name in self.chosen}
        self.save()

    def begin(self, trained: Trained) -> None:
        """Write what was trained; from now on the notebooks have their turn."""
        self.trained, self.begun = trained, time.monotonic()
        self.wait()

    def add(self, outcome: Outcome, remark: str = "") -> None:
        """Take over the outcome of a notebook, write it and tell it."""
        self.outcomes[outcome.name] = outcome
        self.save()
        if outcome.status != "skipped":
            done = sum(self.outcomes[name].status != "skipped" for name in self.chosen)
            seconds = (time.monotonic() - self.begun) / done * (len(self.chosen) - done)  # for the other notebooks
            left = f"; about {seconds / 60:.0f} min left" if seconds >= 30 else ""
            told = remark or f"{outcome.seconds:.1f} s{left}"
            print(f"[{done}/{len(self.chosen)}] {outcome.name}: {outcome.status}, {told}", flush=True)

    def save(self) -> dict[str, Any]:
        """Write `report.json` and `index.html`; return what they hold."""
        content = {
            "ok": all(self.outcomes[name].status == "ok" for name in self.chosen),
            "seconds": round(time.monotonic() - self.started, 1),
            "device": self.trained.device,
            "data": self.trained.data,
            "seeds": self.settings.seeds,
            "trained_runs": self.trained.trained,
            "reused_runs": self.trained.reused,
            "notebooks": [outcome.entry() for outcome in self.outcomes.values()],
        }
        found = [*self.out.glob("*.html"), *self.out.glob("failed/*.html")]
        pages = [page.relative_to(self.out).as_posix() for page in found]
        index = filled("run_all.html", title="Loss Misuse Lab", report=content, titles=self.titles, pages=pages)
        try:
            write_whole(self.out / "index.html", index)
            write_whole(self.out / "report.json", json.dumps(content, indent=1) + "\n")
        except OSError as error:
            raise UserError(cannot_write(self.out, error)) from error
        return content

    def table(self, content: dict[str, Any]) -> str:
        """Return the outcomes as a table, what went wrong below, and where the pages are."""
        shown = [self.outcomes[name] for name in self.chosen]
        wide = max(len(name) for name in self.chosen)
        lines = ["", f"{'notebook':{wide}}  status   seconds  cells"]
        lines += [f"{each.name:{wide}}  {each.status:7}  {each.seconds:7.1f}  {each.cells:5}" for each in shown]
        lines += [f"{each.name}: {each.error}" for each in shown if each.error]
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
