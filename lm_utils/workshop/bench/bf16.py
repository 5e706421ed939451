"""What bfloat16 does to each task: the fitting pairing's runs again in bf16, beside the shipped runs in fp32."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from lm_utils.evidence.statistics import FEWEST_SEEDS, Comparison, Estimate, compare, mean_interval
from lm_utils.files import write_whole
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import pairings
from lm_utils.runs.shipped import KEY, LIMITS, SEEDS
from lm_utils.runs.store import GrowingFile, key_of
from lm_utils.runs.sweep import sweep_entries, table
from lm_utils.tasks import TASKS
from lm_utils.workshop.bench import speed
from lm_utils.workshop.templates import filled


def recommended() -> list[Pairing]:
    """One recommended pairing for each task: without an activation at the end, the first of its rows."""
    fitting = [p for p in pairings() if p.verdict == "recommended" and p.activation == "none"]
    return [next(pairing for pairing in fitting if pairing.task == task) for task in TASKS]


def train(path: Path, seeds: int = SEEDS, data: str = "mnist", limits: tuple[int, int] = LIMITS) -> None:
    """Train in bf16 what the table lacks, and write each run into it as soon as it is there."""
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []

    def write(entries: Iterable[dict]) -> None:
        written = table(entries).sort_values(list(KEY))
        write_whole(path, written.to_csv(index=False, float_format="%.6g", lineterminator="\n"))

    store = GrowingFile({key_of(row): row for row in rows}, write)
    for some in sorted({min(FEWEST_SEEDS, seeds), seeds}):
        for pairing in recommended():
            missing = sum((pairing, seed) not in store.runs for seed in range(some))
            told = f"{missing} of {some} runs to train"
            print(f"{TASKS[pairing.task].title}, {pairing.label} in bf16: {told}", flush=True)
            sweep_entries([pairing], range(some), data, *limits, "cpu", precision="bf16", store=store)


def paired(half: pd.DataFrame, full: pd.DataFrame) -> list[tuple[Pairing, Estimate, Estimate, Comparison]]:
    """For each task the mean metric in fp32 and in bf16, and the difference, seed by seed."""
    both = half.merge(full, on=[*KEY, "data"], suffixes=("_bf16", "_fp32"))
    rows = []
    for pairing in recommended():
        chosen = both[(both.task == pairing.task) & (both.loss == pairing.loss)]
        means = [mean_interval(chosen[f"test_metric_{precision}"].tolist()) for precision in ("fp32", "bf16")]
        differences = (chosen.test_metric_bf16 - chosen.test_metric_fp32).tolist()
        rows.append((pairing, *means, compare([differences], pairing.spec.metric)[0]))
    return rows


def report(rows: Sequence[tuple], measured: pd.DataFrame) -> str:
    """Write what bf16 does to each task's metric and to the time, as Markdown."""
    (time,) = (ratio for ratio in speed.ratios(measured).itertuples() if ratio.ratio == "fit in bf16 / fit, CPU time")
    return filled("bf16.md", rows=rows, time=time, conditions=speed.conditions(measured))
