"""Claims about what training gives, decided from runs. Rows are named by their ids in documents/rows.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from math import inf, nan
from statistics import median

from lm_utils.activations import ACTIVATIONS
from lm_utils.errors import UserError
from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims.finding import Finding
from lm_utils.evidence.results import FITTING, Results, counted, estimate, speed_of, tested_digits
from lm_utils.evidence.sentences import sentence, shown, shown_difference, shown_interval
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import Row, rows

NORMAL_SKILL = 0.9  # "works normally": closes nine tenths of the way from the baseline to perfect, in every run
REPAIRED_SKILL = 0.9  # another cut repairs a row that it brings nine tenths of the way from the baseline to perfect
CLEARLY_BELOW = 0.98  # a validation loss below this share of what the average answer costs looks like learning
CLEARLY_MORE = 1.5  # a calibration measure this many times as large, beyond doubt, is a difference accuracy hides
UNITS = {
    "nll": "negative log-likelihood",
    "ece": "calibration error",
    "brier": "Brier score",
    "epochs": "epochs",
    "epochs_to_95": "epochs to 95 % of the final metric",
}
Test = Callable[..., Finding]


def row_of(name: str) -> Row:
    """The row of this id; 'fitting-TASK' is the task's fitting pairing."""
    if name.startswith("fitting-"):
        pairing = FITTING[name.removeprefix("fitting-")]
        return next(row for row in rows() if row.pairing == pairing)
    found = [row for row in rows() if row.id == name]
    if not found:
        raise UserError(f"There is no row {name!r} in documents/rows.toml; correct the claim that names it.")
    return found[0]


def lacking(results: Results, chosen: Iterable[Row]) -> str:
    """What keeps a verdict from being given: rows with too few seeds."""
    chosen = dict.fromkeys(chosen)
    short = [(row, len(results.of(row.pairing))) for row in chosen if len(results.of(row.pairing)) < st.FEWEST_SEEDS]
    if not short:
        return ""
    told = f"Too few seeds for a verdict so far: {st.FEWEST_SEEDS} are needed."
    return " ".join([told, *(sentence(row.pairing, results, row.label, whose=False) for row, runs in short if runs)])


def with_rows(test: Test) -> Test:
    """Hand the test rows instead of ids, and let nothing be decided on too few seeds."""

    @wraps(test)
    def checked(results: Results, rows: Sequence[str], **arguments: object) -> Finding:
        chosen = [row_of(name) for name in rows]
        reason = lacking(results, chosen)
        return Finding("not tested", reason) if reason else test(results, chosen, **arguments)

    return checked


def with_pairs(test: Test) -> Test:
    """Hand the test pairs of rows instead of ids, and let nothing be decided on too few seeds."""

    @wraps(test)
    def checked(results: Results, pairs: Sequence[Sequence[str]], **arguments: object) -> Finding:
        chosen = [(row_of(one), row_of(other)) for one, other in pairs]
        reason = lacking(results, [row for pair in chosen for row in pair])
        return Finding("not tested", reason) if reason else test(results, chosen, **arguments)

    return checked


def told_of(results: Results, chosen: Sequence[Row]) -> str:
    """The rows' sentences."""
    names = titles(chosen)
    return " ".join(sentence(row.pairing, results, names[row], whose=False) for row in chosen)


def titles(chosen: Iterable[Row]) -> dict[Row, str]:
    """What the rows of a claim are called: by their labels, and by their tasks where there are several."""
    several = len({row.pairing.task for row in chosen}) > 1
    return {row: f"{row.pairing.spec.title}, {row.label}" if several else row.label for row in chosen}


def losses_of(results: Results, pairing: Pairing) -> list[bool]:
    """For each run whether it is at chance."""
    chance, metric = results.baseline(pairing.task), pairing.spec.metric
    return [st.failed(score, chance, metric) for score in results.scores(pairing).values()]


# --- how a row does by itself ----------------------------------------------------------------------------------------


@with_rows
def learn(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether rows learn: on average they close nine tenths of the way from the baseline to perfect, and no run fails.

    A row whose typical run comes that far and which loses some leaves the question open.
    """
    well, typically = [], []
    for row in chosen:
        scores, chance = list(results.scores(row.pairing).values()), results.baseline(row.pairing.task)
        skills = [st.skill(score, chance, row.pairing.spec.metric) for score in scores]
        well.append(not any(losses_of(results, row.pairing)) and sum(skills) / len(skills) >= NORMAL_SKILL)
        typically.append(median(skills) >= NORMAL_SKILL)
    verdict = "holds here" if all(well) else "not shown" if all(typically) else "refuted"
    return Finding(verdict, told_of(results, chosen))


@with_rows
def fail(results: Results, chosen: Sequence[Row]) -> Finding:
    """Every run of every row is at chance (or has no result); if most runs learn, the claim is refuted."""
    lost = [is_lost for row in chosen for is_lost in losses_of(results, row.pairing)]
    verdict = "holds here" if all(lost) else "refuted" if sum(lost) <= len(lost) / 2 else "not shown"
    return Finding(verdict, told_of(results, chosen))


@with_rows
def stop_with_an_error(results: Results, chosen: Sequence[Row]) -> Finding:
    """Every run of every row ends with an error."""
    every = all(entry["status"] == "error" for row in chosen for entry in results.of(row.pairing))
    return Finding("holds here" if every else "refuted", told_of(results, chosen))


@with_rows
def reproduce(results: Results, chosen: Sequence[Row]) -> Finding:
    """Every published figure is met; refuted where a recommended row misses it or a collapsed one learns."""
    met = [reproduced(results, row) for row in chosen]
    missed = [row for row, (near, _) in zip(chosen, met, strict=True) if not near]
    grave = any(row.fits or collapsed_as_published(results, row) for row in missed)
    told = [f"{len(met) - len(missed)} of {len(met)} rows agree.", *(words for _, words in met)]
    return Finding("refuted" if grave else "not shown" if missed else "holds here", " ".join(told))


def collapsed_as_published(results: Results, row: Row) -> bool:
    """Whether the document's own run of this row ended at chance or with an error."""
    return row.test is None or st.failed(row.test, results.baseline(row.pairing.task), row.pairing.spec.metric)


def reproduced(results: Results, row: Row) -> tuple[bool, str]:
    """Whether our runs meet a published figure, and the two in words.

    Near means: the mean of our runs that learnt within a point (0.03 of MSE); for a row that the document does not
    recommend, the figure may also lie where one further run of ours would.
    """
    lost, task = losses_of(results, row.pairing), row.pairing.spec
    if row.test is None:
        return all(lost), f"{row.label}: an error as published."
    if collapsed_as_published(results, row):
        told = f"published {shown(row.test, task)}, ours at chance in {sum(lost)} of {len(lost)}"
        return all(lost), f"{row.label}: {told}."
    every = results.scores(row.pairing).values()
    scores = [score for score, is_lost in zip(every, lost, strict=True) if not is_lost]
    ours, (low, high) = estimate(scores, task.metric), st.one_more(scores)
    near = abs(ours.mean - row.test) <= st.REPRODUCED[task.metric] or (not row.fits and low <= row.test <= high)
    apart = f"; {sum(lost)} of {len(lost)} learnt nothing and are left out here" if any(lost) else ""
    return near, f"{row.label}: published {shown(row.test, task)}, ours {shown_interval(ours, task)}{apart}."


@with_rows
def loss_tells_learning(results: Results, chosen: Sequence[Row]) -> Finding:
    """The validation loss falls clearly below the average answer's in the runs that learn alone.

    A row in which that tells wrongly about half of the runs or more refutes it.
    """
    right, told, names = [], [], titles(chosen)
    for row in chosen:
        average = loss_of_the_average(row.pairing, results.data)
        runs, learnt = results.of(row.pairing), [not is_lost for is_lost in losses_of(results, row.pairing)]
        low = [lowest_loss(entry) < CLEARLY_BELOW * average for entry in runs]
        right.append([fell == learns for fell, learns in zip(low, learnt, strict=True)])
        told.append(
            f"{names[row]}: the average answer costs {average:.4f}; the validation loss falls clearly below that in"
            f" {sum(low)} of {counted(len(runs), 'run')}, and {sum(learnt)} learn."
        )
    wrong = any(sum(rights) <= len(rights) / 2 for rights in right)
    verdict = "holds here" if all(map(all, right)) else "refuted" if wrong else "not shown"
    return Finding(verdict, " ".join(told))


def lowest_loss(entry: dict) -> float:
    """The lowest validation loss of a run; infinite where it ended before its first."""
    return min((record["valid_loss"] for record in entry["history"]), default=inf)


def loss_of_the_average(pairing: Pairing, data: str) -> float:
    """What a network pays that says the average, whatever the image: the mean number, or the base rate of each yes."""
    targets = pairing.spec.target(tested_digits(data))
    aims = pairing.aims(targets, pairing.scale(targets))
    number = pairing.spec.kind == "value"
    average = aims.mean(dim=0) if number else ACTIVATIONS[pairing.activation].apply(pairing.prior(targets)[None])[0]
    return pairing.loss_value(average.expand(len(targets), -1), aims).item()


@with_rows
def least_loss_is_most_accurate(results: Results, chosen: Sequence[Row]) -> Finding:
    """At the least validation loss the accuracy is practically the best epoch's; refuted where it is surely lower."""
    gaps, told, names = [], [], titles(chosen)
    for row in chosen:
        lower = [at_least_loss(entry) - entry["valid_metric"] for entry in results.of(row.pairing)]
        gap = st.mean_interval(lower)
        gaps.append((gap, st.MARGIN[row.pairing.spec.metric]))
        told.append(
            f"{names[row]}: in {sum(one != 0 for one in lower)} of {counted(len(lower), 'run')} the epoch of the least"
            " validation loss is not the most accurate one; beside that one it has"
            f" {shown_difference(gap, row.pairing.spec)}."
        )
    equal, worse = all(gap.inside(margin) for gap, margin in gaps), any(gap.outside(margin) for gap, margin in gaps)
    return Finding("holds here" if equal else "refuted" if worse else "not shown", " ".join(told))


def at_least_loss(entry: dict) -> float:
    """The validation metric of the epoch with the least validation loss."""
    return min(entry["history"], key=lambda record: record["valid_loss"])["valid_metric"]


@with_rows
def a_cut_repairs_it(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether the labels cannot be learnt: refuted where another cut surely reads them from the same networks."""
    told, repaired, broken = [], [], []
    for row in chosen:
        half = estimate(results.scores(row.pairing).values(), "accuracy")
        cut = estimate(results.scores(row.pairing, "accuracy_at_cut").values(), "accuracy")
        where = estimate(results.scores(row.pairing, "cut").values(), "accuracy")
        chance = results.baseline(row.pairing.task)
        way, least, most = (st.skill(score, chance, "accuracy") for score in (cut.mean, cut.low, cut.high))
        repaired.append(least >= REPAIRED_SKILL)
        broken.append(most < REPAIRED_SKILL)
        told.append(
            f"{row.label}: {shown_interval(half, row.pairing.spec)} with the cut at 0.5,"
            f" {shown_interval(cut, row.pairing.spec)} with the cut that suits the validation set (about"
            f" {where.mean:.2f}), on the same trained networks: {shown(way, row.pairing.spec)} of the way from the best"
            f" constant answer to perfect, {shown(least, row.pairing.spec)} at the lower end of the interval"
            f" ({shown(REPAIRED_SKILL, row.pairing.spec)} count as repaired)."
        )
    verdict = "refuted" if all(repaired) else "holds here" if all(broken) else "not shown"
    return Finding(verdict, " ".join(told))


def only_these_learn(results: Results, rows: Sequence[str], others: Sequence[str]) -> Finding:
    """These rows learn and the others fail in every run; refuted where these do not learn or the others mostly do."""
    found = [learn(results, rows), fail(results, others)]
    if open_still := [finding for finding in found if finding.verdict == "not tested"]:
        return open_still[0]
    verdicts = {finding.verdict for finding in found}
    verdict = next((name for name in ("refuted", "not shown") if name in verdicts), "holds here")
    return Finding(verdict, told_of(results, [row_of(name) for name in [*rows, *others]]))


# --- how rows do beside each other -----------------------------------------------------------------------------------


def compared(results: Results, pairs: Sequence[tuple[Row, Row]]) -> tuple[list[st.Comparison], str]:
    """Paired comparisons of a claim, corrected together, and their sentences."""
    metric = pairs[0][0].pairing.spec.metric
    found = st.compare(results.differences((one.pairing, other.pairing) for one, other in pairs), metric)
    names = titles([one for one, _ in pairs])
    told = [
        f"{names[one]} against {other.label}: {shown_difference(c.difference, one.pairing.spec)},"
        f" p = {c.p_corrected:.3g} ({c.verdict})."
        for (one, other), c in zip(pairs, found, strict=True)
    ]
    return found, " ".join(told)


@with_pairs
def equal(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """Every paired difference lies inside the declared margin; one wholly outside refutes it."""
    found, told = compared(results, pairs)
    margin = st.MARGIN[pairs[0][0].pairing.spec.metric]
    if any(c.difference.outside(margin) for c in found):
        return Finding("refuted", told)
    return Finding("holds here" if all(c.verdict == "practically equal" for c in found) else "not shown", told)


@with_pairs
def better(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """The first of each pair is better than the second; practically equal or undecided is "not shown"."""
    found, told = compared(results, pairs)
    verdicts = {c.verdict for c in found}
    if verdicts == {"better"}:
        return Finding("holds here", told)
    return Finding("refuted" if verdicts == {"worse"} else "not shown", told)


@with_pairs
def slightly_better(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """The first of each pair is better at all, however little; refuted where all are surely no better."""
    found, told = compared(results, pairs)
    sure = [c.p_corrected < 1 - st.LEVEL for c in found]
    signs = [c.difference.mean > 0 for c in found]
    gaps = [results.paired(one.pairing, other.pairing) for one, other in pairs]
    told += f" Seeds in favour: {', '.join(f'{sum(gap > 0 for gap in row)} of {len(row)}' for row in gaps)}."
    if all(sure) and all(signs):
        return Finding("holds here", told)
    return Finding("refuted" if all(sure) and not any(signs) else "not shown", told)


@with_pairs
def cures(results: Results, pairs: Sequence[tuple[Row, Row]]) -> Finding:
    """The first of each pair is better than the second and no run of it is at chance; refuted where every run is."""
    found, told = compared(results, pairs)
    lost = [is_lost for one, _ in pairs for is_lost in losses_of(results, one.pairing)]
    better = all(c.verdict == "better" for c in found)
    verdict = "refuted" if all(lost) else "holds here" if better and not any(lost) else "not shown"
    return Finding(verdict, f"{told} {told_of(results, [one for one, _ in pairs])}")


@with_pairs
def lower(results: Results, pairs: Sequence[tuple[Row, Row]], measure: str) -> Finding:
    """A measure (epochs, calibration error) is lower for the first of each pair; one surely higher refutes it."""
    scores = [tuple(measured(results, row.pairing, measure) for row in pair) for pair in pairs]
    seeds = sorted({seed for mine, theirs in scores for seed in mine.keys() & theirs.keys()})
    gaps = [[mine.get(seed, nan) - theirs.get(seed, nan) for seed in seeds] for mine, theirs in scores]
    found, told, names = [], [], titles([one for one, _ in pairs])
    for (one, other), (mine, theirs), row, p in zip(pairs, scores, gaps, st.sign_flip_max_t(gaps), strict=True):
        gap = st.mean_interval(row)
        found.append(0 if not p < 1 - st.LEVEL else -1 if gap.mean < 0 else 1)
        told.append(
            f"{names[one]} against {other.label}, {UNITS[measure]}: {average(mine):.3g} against"
            f" {average(theirs):.3g}, paired difference {signed(gap.mean)} ({signed(gap.low)} to {signed(gap.high)}),"
            f" lower in {sum(value < 0 for value in row)} of {counted(gap.n, 'seed')}, p = {p:.3g}."
        )
    verdict = "refuted" if 1 in found else "holds here" if set(found) == {-1} else "not shown"
    return Finding(verdict, " ".join(told))


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")


def measured(results: Results, pairing: Pairing, measure: str) -> dict[int, float]:
    """A measure for each seed."""
    if measure == "epochs_to_95":
        return {e["seed"]: speed_of(e, results.baseline(pairing.task)) for e in results.of(pairing)}
    return results.scores(pairing, measure)


def average(scores: dict[int, float]) -> float:
    """The mean over seeds."""
    return st.mean_interval(list(scores.values())).mean


# --- causes ----------------------------------------------------------------------------------------------------------


@with_rows
def remedies_keep_the_blamed_part(results: Results, chosen: Sequence[Row]) -> Finding:
    """A cause is refuted where it is still there and every run learns; it holds only where every run still fails."""
    lost = [is_lost for row in chosen for is_lost in losses_of(results, row.pairing)]
    told = told_of(results, chosen)
    if not any(lost):
        return Finding("refuted", "These rows keep independent sigmoids and change something else: " + told)
    return Finding("holds here" if all(lost) else "not shown", told)


@with_rows
def reads_as_class_probability(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether sigmoid outputs fail as class probabilities: compare their calibration with the fitting pairing's."""
    near, told = near_the_fitting_probabilities(results, chosen, "outputs divided by their sum")
    if not near:
        return Finding("not tested", told)
    return Finding("refuted" if all(near) else "not shown" if any(near) else "holds here", told)


@with_rows
def reads_well_whatever_the_loss(results: Results, chosen: Sequence[Row]) -> Finding:
    """Whether softmax outputs serve as class probabilities after any loss; the same yardstick, the other way round."""
    near, told = near_the_fitting_probabilities(results, chosen, "outputs as they are")
    if not near:
        return Finding("not tested", told)
    return Finding("holds here" if all(near) else "not shown" if any(near) else "refuted", told)


def near_the_fitting_probabilities(results: Results, chosen: Sequence[Row], how: str) -> tuple[list[bool], str]:
    """For each row whether likelihood and calibration come near the fitting pairing's; none where that lacks seeds."""
    fitting = row_of("fitting-multiclass")
    reason = lacking(results, [fitting])
    if reason:
        return [], reason
    told, near = [], []
    for row in chosen:
        mine, theirs = (average(results.scores(r.pairing, "nll")) for r in (row, fitting))
        ece, others = (average(results.scores(r.pairing, "ece")) for r in (row, fitting))
        near += [mine <= CLEARLY_MORE * theirs, ece <= CLEARLY_MORE * others]
        told.append(
            f"{row.label}, {how}: negative log-likelihood {mine:.3f} against {theirs:.3f}"
            f" for {fitting.label}, calibration error {ece:.4f} against {others:.4f}."
        )
    return near, " ".join(told)


@with_rows
def accuracy_tells_enough(results: Results, chosen: Sequence[Row]) -> Finding:
    """Refuted by a row that equals the fitting one in accuracy and whose probabilities are beyond doubt worse."""
    fitting, hidden = row_of("fitting-multiclass"), []
    reason = lacking(results, [fitting])
    if reason:
        return Finding("not tested", reason)
    for row in chosen:
        (found,), _ = compared(results, [(row, fitting)])
        for measure in ("nll", "ece"):
            mine, theirs = (average(results.scores(r.pairing, measure)) for r in (row, fitting))
            p = st.sign_flip_p(results.paired(row.pairing, fitting.pairing, measure))
            many = max(mine / theirs, theirs / mine)
            if found.verdict == "practically equal" and p < 1 - st.LEVEL and many >= CLEARLY_MORE:
                hidden.append(
                    f"{row.label} equals {fitting.label} in accuracy, yet its {UNITS[measure]} is {mine:.3g}"
                    f" against {theirs:.3g}."
                )
    if hidden:
        return Finding("refuted", " ".join(hidden))
    return Finding("not shown", "No row that equals the fitting one in accuracy differs clearly in its probabilities.")


@with_rows
def harm_is_possible(results: Results, chosen: Sequence[Row]) -> Finding:
    """At least one of the rows is far worse than its task's fitting pairing in every run."""
    harmed = [row for row in chosen if all(losses_of(results, row.pairing))]
    return Finding("holds here" if harmed else "not shown", told_of(results, harmed or chosen))
