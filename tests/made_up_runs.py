"""Runs that nobody trained, for tests of what is done with results."""

from dataclasses import asdict

from lm_utils.evidence.results import Results
from lm_utils.pairing import Pairing
from lm_utils.training import EXPERIMENT_VERSION


def made_up(pairing: Pairing, seed: int, score: float, data: str = "mnist", **other: object) -> dict:
    """One whole entry with this test metric, which its validation metric approaches over ten epochs."""
    start = 3.0 if pairing.spec.metric == "mse" else 0.1
    history = [
        {"epoch": e, "train_loss": 1 / e, "valid_loss": 1.1 / e, "valid_metric": score + (start - score) * 0.5**e}
        for e in range(1, 11)
    ]
    told = {"seed": seed, "status": "ok", "epochs": 10, "best_epoch": 10, "valid_metric": history[-1]["valid_metric"]}
    told |= {"test_metric": score, "seconds": 1.0, "device": "cpu", "data": data, "error": ""}
    told |= {"version": EXPERIMENT_VERSION, "torch": "2.12.1+cpu", "date": "2026-01-02"}
    return {**asdict(pairing), **told, "history": history, "outputs": {}, **other}


def seeded(pairing: Pairing, scores: list[float], **other: object) -> list[dict]:
    """One entry for each score, with seeds from 0."""
    return [made_up(pairing, seed, score, **other) for seed, score in enumerate(scores)]


def results_of(*groups: list[dict], whose: str = "reference", data: str = "mnist") -> Results:
    """Results out of groups of entries."""
    return Results(whose, data, tuple(entry for group in groups for entry in group))
