"""Finished runs on disk: one JSON file each, written whole or not at all; what cannot be read counts as missing."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from datetime import date
from pathlib import Path

import torch

from lm_utils.errors import UserError
from lm_utils.files import cache_folder, write_whole
from lm_utils.pairing import Pairing
from lm_utils.training import EXPERIMENT_VERSION, Run

COLUMNS = (
    "task", "loss", "activation", "hidden", "normalize", "prior_bias", "seed", "status", "epochs", "best_epoch",
    "valid_metric", "test_metric", "seconds", "device", "data",
)  # fmt: skip


def entry_of(run: Run, outputs: dict) -> dict:
    """A run as plain data: the table's columns, then the history and what else was measured."""
    row = {**asdict(run.pairing), **{name: getattr(run, name) for name in COLUMNS[6:]}}
    provenance = {"version": EXPERIMENT_VERSION, "torch": torch.__version__, "date": date.today().isoformat()}
    if run.precision != "fp32":
        provenance["precision"] = run.precision
    return {**row, "error": run.error, **provenance, "history": run.history, "outputs": outputs}


class Store:
    """A folder of finished runs, found again by pairing, seed, data, device and limits."""

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder else cache_folder() / "runs"

    def path(
        self, pairing: Pairing, seed: int, data: str, device: str, limits: tuple[int, int], precision: str = "fp32"
    ) -> Path:
        """The file of one run."""
        options = [pairing.hidden] + ["normalised"] * pairing.normalize + ["prior"] * pairing.prior_bias
        options += [precision] * (precision != "fp32")
        name = "-".join([pairing.loss, pairing.activation, *options, "e{}-p{}".format(*limits), f"seed{seed}"])
        return self.folder / data / device / pairing.task / f"{name}.json"

    def get(self, path: Path) -> dict | None:
        """The run in this file; None where there is none of this version that can be read whole."""
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            if entry["version"] != EXPERIMENT_VERSION:
                reason = f"it is of version {entry['version']}, and now is version {EXPERIMENT_VERSION}"
            elif all(name in entry for name in (*COLUMNS, "history")):
                return entry
            else:
                reason = "it is incomplete"
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError):
            reason = "it cannot be read"
        warnings.warn(f"The stored run {path} does not count: {reason}.", stacklevel=2)
        return None

    def put(self, path: Path, entry: dict) -> None:
        """Write a run, whole or not at all."""
        try:
            write_whole(path, json.dumps(entry))
        except OSError as problem:
            raise UserError(
                f"Runs cannot be stored in {self.folder} ({problem.strerror or problem}); make room or make"
                " it writable, or name another folder in LM_CACHE_DIR."
            ) from problem
