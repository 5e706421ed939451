"""Claims decided from runs under changed conditions (results/robustness/), on seeds nobody had looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import TypeVar

from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.finding import Finding
from lm_utils.evidence.results import counted, number, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.conditions import LONGER, NEW_DATA, OTHER_HAND, STOOD_OUT
from lm_utils.runs.stopping import BUDGET
from lm_utils.tasks import TASKS

HOME = "images-2000"  # the condition of the course itself: nothing is changed
FEWER, RARE = "images-500", "imbalance-10"  # the first has fewer images in all than the second, but balanced ones
TWICE = "cross_entropy-softmax"  # the contender with two softmaxes
FITS = "cross_entropy-none"  # the contender that the others are compared with, on every kind of new data
ABSOLUTE = "mae-softmax"  # a straight line in the probability of the right class, as softmax twice nearly is
CALLED = {
    TWICE: "softmax twice",
    "bce-softmax": "BCE + softmax",
    "mse-softmax": "MSE + softmax",
    ABSOLUTE: "MAE + softmax",
}
FEWER_POINTS = 0.01  # "markedly worse": a whole point of accuracy or more
RATES = {
    "learning rate 0.0003": "lr-0.0003",
    "learning rate 0.001, as everywhere else": HOME,
    "learning rate 0.003": "lr-0.003",
}
RULES = {
    "metric": "best validation accuracy, patience 10, as everywhere else",
    "loss": "least validation loss, patience 10",
    "budget": f"{BUDGET} epochs, whatever happens",
}
NOT_YET = "These runs have not been trained yet (results/robustness/)."


def learnt(runs: Sequence[dict]) -> tuple[int, int]:
    """How many of the runs learnt, and of how many; each stored its chance, the best constant of its training part."""
    return sum(not st.failed(number(run, "test_metric"), run["chance"], metric(run)) for run in runs), len(runs)


def metric(run: dict) -> str:
    """What a run is judged by; tasks that only a condition has are judged by their accuracy."""
    return TASKS[run["task"]].metric if run["task"] in TASKS else "accuracy"


def told(families: dict[str, list[dict]], names: Sequence[str]) -> str:
    """How many runs of each condition learnt."""
    lines = []
    for name in names:
        good, of = learnt(families[name])
        lines.append(f"{families[name][0]['title']}: {good} of {counted(of, 'run')} learn")
    return "; ".join(lines) + "."


def lacking(families: dict[str, list[dict]], names: Sequence[str]) -> Finding | None:
    """Not tested, where a condition has fewer than six runs."""
    if all(len(families.get(name, [])) >= st.FEWEST_SEEDS for name in names):
        return None
    there = [name for name in names if families.get(name)]
    return Finding("not tested", f"Too few seeds yet: {told(families, there)}" if there else NOT_YET)


def cause_is_refuted(data: str, keeping: Sequence[str], lacking_it: Sequence[str]) -> Finding:
    """A cause is refuted where every run that keeps it learns and every run that lacks it fails.

    It holds where all of it is the other way round; anything in between, such as one run out of line, shows neither.
    """
    families = under_conditions("collapse", data)
    if found := lacking(families, [*keeping, *lacking_it]):
        return found
    with_it, without_it = ([learnt(families[name]) for name in names] for names in (keeping, lacking_it))
    verdict = "not shown"
    if all_learn(with_it) and none_learns(without_it):
        verdict = "refuted"
    elif none_learns(with_it) and all_learn(without_it):
        verdict = "holds here"
    return Finding(verdict, told(families, [*keeping, *lacking_it]))


def all_learn(counts: Sequence[tuple[int, int]]) -> bool:
    """Whether every run of every condition learnt."""
    return all(good == of for good, of in counts)


def none_learns(counts: Sequence[tuple[int, int]]) -> bool:
    """Whether no run of any condition learnt."""
    return all(good == 0 for good, _ in counts)


def one_optimiser_is_best(data: str, ours: str, other: str) -> Finding:
    """ "Best" is refuted by one setting in which another optimiser learns more often."""
    families = under_conditions("collapse", data)
    if found := lacking(families, [ours, other]):
        return found
    mine, theirs = learnt(families[ours]), learnt(families[other])
    return Finding("refuted" if theirs[0] > mine[0] else "not shown", told(families, [ours, other]))


Score = Callable[[dict], float]
Key = TypeVar("Key")


def accuracy(run: dict) -> float:
    """The test accuracy of a run."""
    return number(run, "test_metric")


def on_shift(shift: str, measure: str = "accuracy") -> Score:
    """What is measured on a shifted test set."""
    return lambda run: run.get("shifted", {}).get(shift, {}).get(measure, nan)


def under_rule(rule: str) -> Score:
    """The test accuracy of the weights that a rule of stopping would have handed over."""
    return lambda run: run["rules"][rule]["accuracy"]


def paired(
    families: dict[str, list[dict]], condition: str, contender: str, score: Score = accuracy, other: str = FITS
) -> list[float]:
    """Differences to the fitting pairing, or another one, on the seeds both have, under one condition."""
    mine, theirs = (
        {run["seed"]: score(run) for run in families.get(f"{condition}/{name}", [])} for name in (contender, other)
    )
    return [mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())]


def compared_pairings(families: dict[str, list[dict]]) -> list[str]:
    """The pairings that were trained beside the fitting one."""
    return list(dict.fromkeys(name.split("/")[1] for name in families if not name.endswith(f"/{FITS}")))


def kinds_of_data(families: dict[str, list[dict]]) -> dict[str, tuple[str, str]]:
    """Every kind of new data by its title: the condition that was trained, and the shift of its test set if any."""
    written = [condition.name for condition in NEW_DATA]
    found = {
        families[name][0]["title"]: (name.split("/")[0], "")
        for name in sorted(families, key=lambda name: written.index(name) if name in written else len(written))
        if name.endswith(f"/{FITS}") and not name.startswith("lr-")
    }
    shifts = {shift for runs in families.values() for run in runs for shift in run.get("shifted", {})}
    return found | {
        shift if shift == OTHER_HAND else f"test images: {shift}": (HOME, shift) for shift in sorted(shifts)
    }


def new_data_gaps(families: dict[str, list[dict]], measure: str = "accuracy") -> dict[tuple[str, str], list[float]]:
    """Paired differences of every contender to the fitting pairing on every kind of new data that has enough seeds."""
    at_home = accuracy if measure == "accuracy" else lambda run: number(run, measure)
    every = {
        (name, title): paired(families, condition, name, on_shift(shift, measure) if shift else at_home)
        for name in compared_pairings(families)
        for title, (condition, shift) in kinds_of_data(families).items()
    }
    return {key: gaps for key, gaps in every.items() if st.finite(gaps).size >= st.FEWEST_SEEDS}


def new_data_comparisons(families: dict[str, list[dict]]) -> dict[tuple[str, str], st.Comparison]:
    """Every contender on every kind of new data beside the fitting pairing in accuracy, corrected together."""
    return compared_together(new_data_gaps(families))


def once_and_twice(data: str, family: str = "confirmation") -> dict[str, st.Comparison]:
    """Softmax twice less softmax once where it stood out, on seeds that nobody had looked at, by the kind of data.

    The family "patience" holds the same networks, both with five times the patience.
    """
    families = under_conditions(family, data)
    kinds = [name for name in STOOD_OUT if f"{name}/{FITS}" in families]
    gaps = {families[f"{name}/{FITS}"][0]["title"]: paired(families, name, TWICE) for name in kinds}
    return compared_together({kind: own for kind, own in gaps.items() if len(own) >= st.FEWEST_SEEDS})


def straight_comparisons(data: str) -> dict[tuple[str, str], st.Comparison]:
    """The two (nearly) straight losses less softmax once, on those seeds too, by loss and kind of data."""
    trained, families = under_conditions("straight", data), straight_families(data)
    gaps = {
        (name, title): paired(families, kind, name)
        for name in (TWICE, ABSOLUTE)
        for kind, title in straight_kinds(data).items()
        if f"{kind}/{name}" in trained
    }
    return compared_together({key: own for key, own in gaps.items() if len(own) >= st.FEWEST_SEEDS})


def absolute_less_twice(data: str) -> dict[str, st.Estimate]:
    """The absolute error less softmax twice, by kind of data; nothing was expected here, and nothing is corrected."""
    families = straight_families(data)
    gaps = {title: paired(families, kind, ABSOLUTE, other=TWICE) for kind, title in straight_kinds(data).items()}
    return {title: st.mean_interval(own) for title, own in gaps.items() if len(own) >= st.FEWEST_SEEDS}


def straight_families(data: str) -> dict[str, list[dict]]:
    """The runs of the (nearly) straight losses and those of softmax once on the same seeds."""
    return under_conditions("confirmation", data) | under_conditions("straight", data)


def straight_kinds(data: str) -> dict[str, str]:
    """The kinds of data on which the straight losses were trained, with their titles."""
    return {name.split("/")[0]: runs[0]["title"] for name, runs in under_conditions("straight", data).items()}


def setting_comparisons(
    families: dict[str, list[dict]], endings: dict[str, list[dict]]
) -> dict[tuple[str, str], st.Comparison]:
    """Every contender beside the fitting pairing at other learning rates and under other rules of stopping."""
    gaps = {}
    for name in compared_pairings(families):
        for title, condition in RATES.items():
            gaps[name, title] = paired(families, condition, name)
    for name in compared_pairings(endings):
        for rule, title in RULES.items():
            gaps[name, title] = paired(endings, "rules", name, under_rule(rule))
    enough = {key: values for key, values in gaps.items() if len(values) >= st.FEWEST_SEEDS}
    changed = any(RATES.get(title) != HOME for _, title in enough)
    return compared_together(enough if changed else {})


def compared_together(gaps: dict[Key, list[float]]) -> dict[Key, st.Comparison]:
    """Differences in accuracy judged as one family."""
    seeds = max((len(values) for values in gaps.values()), default=0)
    padded = [values + [nan] * (seeds - len(values)) for values in gaps.values()]
    return dict(zip(gaps, st.compare(padded, "accuracy"), strict=True))


def misfits_suffer_on_new_data(data: str, home: str = HOME) -> Finding:
    """A misfit that is not worse at home loses a whole point or more somewhere else: its whole interval lies beyond."""
    families = under_conditions("new-data", data)
    names = [f"{home}/{name}" for name in [FITS, *compared_pairings(families)]]
    if found := lacking(families, names):
        return found
    judged = new_data_comparisons(families)
    at_home = families[names[0]][0]["title"]
    worse = {key: c for key, c in judged.items() if c.verdict == "worse" and key[1] != at_home}
    sure = {key: c for key, c in worse.items() if c.difference.high <= -FEWER_POINTS}
    bad = [
        f"{CALLED.get(name, name)}, {title}: {shown_difference(c.difference, TASKS['multiclass'])}"
        for (name, title), c in sure.items()
        if judged[name, at_home].verdict != "worse"
    ]
    again = once_and_twice(data)
    fallen = [c for c in again.values() if c.verdict == "worse" and c.difference.high <= -FEWER_POINTS]
    confirmed = bool(fallen) and judged[TWICE, at_home].verdict != "worse"
    equal = sum(c.verdict == "practically equal" for c in judged.values())
    told = [f"Of {len(judged)} paired comparisons with the fitting pairing, {equal} are practically equal."]
    if waiting := len(kinds_of_data(families).keys() - {title for _, title in judged}):
        told.append(f"{counted(waiting, 'further kind')} of new data: too few seeds so far.")
    told.append(f"Worse by a whole point or more beyond doubt: {'; '.join(bad) or 'none'}.")
    if lesser := len(worse) - len(sure):
        told.append(f"Worse beyond chance, but by less than a point or not surely by one: {lesser}.")
    if before := len(sure) - len(bad):
        told.append(f"Worse by a point or more, but by a pairing that is worse on the data at hand, too: {before}.")
    if again:
        seeds = max(c.difference.n for c in again.values())
        lines = [f"{kind} {shown_difference(c.difference, TASKS['multiclass'])}, p = {c.p_corrected:.3g} ({c.verdict})"
                 for kind, c in again.items()]  # fmt: skip
        told.append(f"What stood out, {CALLED[TWICE]}, alone on {seeds} fresh seeds: {'; '.join(lines)}.")
        told.append(f"At home it is {judged[TWICE, at_home].verdict}.")
    if longer := once_and_twice(data, "patience"):
        lines = [f"{kind} {shown_difference(c.difference, TASKS['multiclass'])} ({c.verdict})"
                 for kind, c in longer.items()]  # fmt: skip
        told.append(f"The same, both with a patience of {LONGER} epochs instead of 10: {'; '.join(lines)}.")
    return Finding("holds here" if bad or confirmed else "not shown", " ".join(told))


def imbalance_hurts(data: str) -> Finding:
    """Cross-entropy with rare classes is worse than with as many balanced images, and than with fewer than its own."""
    families = under_conditions("new-data", data)
    rare, many, few = names = [f"{name}/{FITS}" for name in (RARE, HOME, FEWER)]
    if found := lacking(families, names):
        return found
    scores = [{run["seed"]: accuracy(run) for run in families[name]} for name in names]
    seeds = sorted(set.intersection(*(set(own) for own in scores)))
    compared = st.compare([[scores[0][seed] - other[seed] for seed in seeds] for other in scores[1:]], "accuracy")
    images = sum(number(run, "train_images") for run in families[rare]) / len(families[rare])
    told = [f"{families[rare][0]['title']} ({images:,.0f} images in all), cross-entropy on logits:"]
    told += [
        f"against {families[name][0]['title']} {shown_difference(c.difference, TASKS['multiclass'])},"
        f" p = {c.p_corrected:.3g} ({c.verdict})."
        for name, c in zip((many, few), compared, strict=True)
    ]
    verdict = imbalance_verdict(*(c.verdict for c in compared))
    if verdict == "not shown" and compared[0].verdict == "worse":
        told.append("That there are fewer images could be the reason as well.")
    return Finding(verdict, " ".join(told))


def imbalance_verdict(against_many: str, against_few: str) -> str:
    """Worse than both is due to the imbalance; worse than more images alone may be due to their number."""
    if "illustration" in (against_many, against_few):
        return "not tested"
    if against_many == "better":
        return "refuted"
    return "holds here" if against_many == against_few == "worse" else "not shown"
