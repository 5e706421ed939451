"""Runs under changed conditions, on seeds the reference results never used, kept in results/robustness/."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from lm_utils.files import RESULTS, read_lines, write_lines
from lm_utils.model import CNN
from lm_utils.pairing import check_name
from lm_utils.runs.cluster import ON_GPU, on_cluster
from lm_utils.runs.conditions import CONDITIONS, Condition
from lm_utils.runs.outputs import quality
from lm_utils.runs.shipped import alone_in, is_current, rounded
from lm_utils.runs.store import GrowingFile, entry_of, splits_of
from lm_utils.runs.sweep import in_parallel, resolved, workers
from lm_utils.runs.watches import WATCHES
from lm_utils.training import EXPERIMENT_VERSION, Stopped, fit

SEEDS = 10
FIRST_SEED = 100  # fresh: the reference results are on 0 to 9
CONFIRMING = 200  # fresher still: for what stood out on those
ON_FRESHER = ("confirmation", "patience", "straight")
UNSEEN = 300  # for the grid that tells two explanations apart, which the seeds above suggested
ON_UNSEEN = ("lever", "tiny", "tiny-lever", "lost-at-once", "plateau", "tiny-square")


def main(
    families: Iterable[str] = tuple(CONDITIONS),
    seeds: int = SEEDS,
    data: str = "mnist",
    device: str = "auto",
    jobs: int | None = None,
    cluster: str | None = None,
) -> None:
    """Train what is missing of these families of conditions, and write each run as soon as it is there."""
    for family in families:
        check_name("family", family, CONDITIONS)
    data, device = resolved(data, device, cluster)
    for family in families:
        first = UNSEEN if family in ON_UNSEEN else CONFIRMING if family in ON_FRESHER else FIRST_SEED
        extend(CONDITIONS[family], range(first, first + seeds), data, device, jobs, cluster)


def extend(
    conditions: Sequence[Condition], seeds: range, data: str, device: str, jobs: int | None, cluster: str | None = None
) -> None:
    """Add the missing runs of one family to its file; two families may be trained side by side."""
    named = {condition.name: condition for condition in conditions}
    wanted = [(name, seed) for seed in seeds for name in named]
    path = RESULTS / "robustness" / data / f"{conditions[0].family}.jsonl"
    with alone_in(path):
        stored = sorted(read_lines(path), key=lambda entry: is_current(entry, data))  # the last one stays
        runs = {(entry["condition"], entry["seed"]): entry for entry in stored}
        good = {key for key, entry in runs.items() if is_current(entry, data)}
        if others := len(runs) - len(good):
            told = f"runs of another version than {EXPERIMENT_VERSION} or of other data than {data}"
            print(f"{path.stem}: {others} stored {told} do not count; those that are trained anew are replaced")
        missing = [key for key in wanted if key not in good]
        print(f"{path.stem}: {len(missing)} of {len(wanted)} runs to train into {path}")
        in_order = itemgetter("condition", "seed")
        finished = GrowingFile(runs, lambda entries: write_lines(path, sorted(entries, key=in_order))).put
        work = lambda key, stop=None: run_condition(named[key[0]], key[1], data, device, stop)  # noqa: E731
        if cluster:
            on_cluster(cluster, work, missing, finished, needs=ON_GPU if device == "cuda" else None)
        else:
            in_parallel(work, missing, jobs or workers(device), finished)


def run_condition(condition: Condition, seed: int, data: str, device: str, stop: object = None) -> dict:
    """Train one condition once and tell what a run tells, and what this family looks at besides."""
    splits = condition.change(splits_of(data, seed), seed)
    watch = WATCHES[condition.family](condition, splits)
    run = fit(condition.pairing, splits, seed, condition.max_epochs, condition.patience, device=device, stop=stop,
              on_epoch=watch.look, setup=watch.setup, network=condition.network)  # fmt: skip
    if run.status == "stopped" and not watch.enough:
        raise Stopped
    entry = entry_of(run, {})
    if run.test_predictions is not None and run.pairing.gives_probabilities:
        targets = run.pairing.spec.target(splits.test.digits)
        entry["outputs"] = quality(run.pairing.spec, run.test_predictions, targets)
    task = condition.pairing.spec
    chance = task.baseline(task.target(splits.train.digits), task.target(splits.test.digits))
    told = {"condition": condition.name, "family": condition.family, "title": condition.title, "chance": chance}
    told |= {"expected": condition.expected, "train_images": len(splits.train.digits)}
    if condition.network is not CNN:
        told["network"] = condition.network.__name__
    return rounded({**told, **entry, **watch.seen(run)})
