"""Notebook 16: does misuse cost more on new data, and why is softmax twice slow here and forgiving there?"""

from collections.abc import Callable

import torch
from IPython.display import Markdown
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.evidence import changed_conditions as conditions
from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import ABSOLUTE, CALLED, FITS, TWICE
from lm_utils.evidence.results import TITLES, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.conditions import LONGER
from lm_utils.runs.interventions import OTHER_HAND
from lm_utils.show.condition_figures import differences_by_condition
from lm_utils.show.quiz import Prediction, predict
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.show_code import with_code
from lm_utils.tasks import TASKS

DATA = "mnist"
PLACES = {
    "images": "few training images",
    "noise": "wrong labels",
    "imbalance": "rare classes",
    "shift": "turned or noisy test images",
    "others": "digits drawn by other people",
}
NOWHERE = "nowhere: practically equal, or too close to tell"
FAR = 0.1  # ten points of accuracy: a run so far behind its twin is lost
LOOKS = {name: number for number, name in enumerate(CALLED.values(), start=1)}  # 0 is softmax once


def points(difference: st.Estimate) -> str:
    """Return a difference in accuracy in words."""
    return shown_difference(difference, TASKS["multiclass"])


def in_words(compared: st.Comparison) -> str:
    """Return a difference in accuracy with its seeds, p value and verdict."""
    seeds, p = compared.difference.n, compared.p_corrected
    return f"{points(compared.difference)} over {seeds} paired seeds, p = {p:.3g}: **{compared.verdict}**."


def listed(lines: list[str]) -> Markdown:
    """Return the lines as a list, above the code that made them."""
    return with_code("\n".join(f"- {line}" for line in lines))


def seeds_of(families: dict[str, list[dict]]) -> str:
    """Say of what data and how many seeds these runs are."""
    runs = [run for runs in families.values() for run in runs]
    return f"changed conditions: {TITLES[runs[0]['data']]}, up to {len({run['seed'] for run in runs})} fresh seeds"


def furthest_question() -> Prediction:
    """Ask where softmax twice falls furthest behind softmax once."""
    families = under_conditions("new-data", DATA)
    judged = conditions.new_data_comparisons(families)
    kinds = conditions.kinds_of_data(families)
    away = {title for title, kind in kinds.items() if kind != (conditions.BASELINE_CONDITION, "")}
    compared = {title: c.difference for (name, title), c in judged.items() if name == TWICE and title in away}
    worst, *second = sorted(compared, key=lambda title: compared[title].mean)[:2]
    lost = compared[worst]
    reading = f"{worst}: {points(lost)} over {lost.n} paired seeds."
    reading += "".join(f" The next largest: {points(compared[title])}." for title in second)
    return predict(
        "Ten classes again: on the data at hand softmax twice is practically as accurate as softmax once."
        " Where does it fall behind furthest, on average?",
        [*PLACES.values(), NOWHERE],
        place(*kinds[worst]) if lost.high <= -conditions.FEWER_POINTS else NOWHERE,
        reading + " So few seeds cannot say which of the two is really the larger one.",
    )


def place(condition: str, shift: str) -> str:
    """Return what kind of new data this is, in the words of the question."""
    if shift:
        return PLACES["others" if shift == OTHER_HAND else "shift"]
    return PLACES[condition.split("-")[0]]


def all_differences() -> Figure:
    """Draw misfits beside the fitting pairing on every kind of new data."""
    families = under_conditions("new-data", DATA)
    in_points = {(CALLED.get(name, name), kind): st.mean_interval(own).times(100)
                 for (name, kind), own in conditions.new_data_gaps(families).items()}  # fmt: skip
    return differences_by_condition(in_points, seeds_of(families))


# --- what stood out, put again on fresh seeds ------------------------------------------------------------------------


def confirmation_sentences(family: str = "confirmation") -> Markdown:
    """Tell what became of what stood out, on fresh seeds (family "patience": the same networks with more patience)."""
    than = f", both with a patience of {LONGER}," if family == "patience" else ""
    compared = conditions.once_and_twice(DATA, family).items()
    return listed([f"**{kind}**: {CALLED[TWICE]} less softmax once{than} {in_words(c)}" for kind, c in compared])


def patience_question() -> Prediction:
    """Ask what becomes of the runs far behind with more patience."""
    before, after = (sum(map(len, far_behind(family).values())) for family in ("confirmation", "patience"))
    left = after / max(before, 1)
    options = ["they stay where they are", "about half of them come through", "most of them come through"]
    asked = f"The same networks, and training may go on for {LONGER} epochs without a new best instead of 10."
    answer = options[(left < 0.75) + (left <= 0.25)]
    return predict(f"{asked} What becomes of those far behind?", options, answer, patience_sentence())


def far_behind(family: str) -> dict[str, list[int]]:
    """Return, by the kind of data, the seeds on which softmax twice ends far behind softmax once."""
    runs = under_conditions(family, DATA)
    behind = {}
    for name in (name for name in runs if name.endswith(TWICE)):
        once, twice = (
            {run["seed"]: run["test_metric"] for run in runs[key]} for key in (name.replace(TWICE, FITS), name)
        )
        behind[runs[name][0]["title"]] = [seed for seed, score in twice.items() if once.get(seed, 0) - score > FAR]
    return behind


def patience_sentence() -> str:
    """Tell how many runs are far behind with the usual patience and with more."""
    before, after = far_behind("confirmation"), far_behind("patience")
    counts = [
        f"{kind}: {len(before[kind])} of {c.difference.n} runs end more than {100 * FAR:.0f} points behind softmax once"
        f" with a patience of 10, {len(after[kind])} where both have {LONGER}"
        for kind, c in conditions.once_and_twice(DATA, "patience").items()
    ]
    return "; ".join(counts) + "."


def confirmation_figure(patience: bool = False) -> Figure:
    """Draw every run of softmax once and twice at home and where twice stood out; on request with more patience."""
    home = {
        name: runs
        for name, runs in under_conditions("new-data", DATA).items()
        if name.startswith(f"{conditions.BASELINE_CONDITION}/")
    }
    usual = home | under_conditions("confirmation", DATA)
    groups = {"softmax once": (usual, FITS), CALLED[TWICE]: (usual, TWICE)}
    if patience:
        longer = under_conditions("patience", DATA)
        groups |= {f"{called}, patience {LONGER}": (longer, pairing) for called, (_, pairing) in groups.items()}
    kinds = list(dict.fromkeys(runs[0]["title"] for runs in usual.values()))
    scores = {kind: {called: own for called, (found, pairing) in groups.items()
                     if (own := accuracies(found, pairing, kind))} for kind in kinds}  # fmt: skip
    rows = [len(own) for own in scores.values()]
    options = {"squeeze": False, "sharex": True, "height_ratios": rows}
    figure, axes = new_figure(len(kinds), 1, 11, 1.3 + 0.5 * sum(rows), **options)
    for axis, (kind, own) in zip(axes[:, 0], scores.items(), strict=True):
        axis.set_title(kind, loc="left")
        axis.set_yticks(range(len(own)), list(own))
        axis.set_ylim(len(own) - 0.4, -0.6)
        for row, values in enumerate(own.values()):
            heights = [row + 0.11 * step for step in side_by_side(values, 1.2)]
            axis.scatter(values, heights, s=50, marker="oXsD"[row], color=COLORS[row], edgecolor="black", alpha=0.8)
    counts = [len(runs) for runs in usual.values()]
    axes[-1, 0].set(xlabel="test accuracy (%), a mark for each run", xlim=(0, 100))
    figure.suptitle(f"{TITLES[DATA]}, {min(counts)} to {max(counts)} fresh seeds a row", fontsize=12)
    ranges = [f"{called}, {kind}: {min(values):.0f} to {max(values):.0f} % in {len(values)} runs"
              for kind, own in scores.items() for called, values in own.items()]  # fmt: skip
    figure.set_label(f"Accuracy of softmax once and twice under changed conditions. {'; '.join(ranges)}.")
    return figure


def accuracies(found: dict[str, list[dict]], pairing: str, kind: str) -> list[float]:
    """Return the test accuracy of a pairing's runs on one kind of data, in percent."""
    runs = [run for name, own in found.items() if name.endswith(f"/{pairing}") for run in own]
    return [100 * run["test_metric"] for run in runs if run["title"] == kind]


def side_by_side(values: list[float], width: float) -> list[int]:
    """Return a step up or down for each value, so that marks of this width do not hide each other: 0, 1, -1, 2, ..."""
    steps: list[int] = []
    for i, value in enumerate(values):
        taken = {step for step, other in zip(steps, values[:i], strict=True) if abs(other - value) < width}
        steps.append(next(step for step in sorted(range(-len(values), len(values)), key=abs) if step not in taken))
    return steps


def settings_compared() -> dict[tuple[str, str], st.Comparison]:
    """Return the comparisons at other learning rates and under other rules of stopping, judged together."""
    return conditions.setting_comparisons(under_conditions("new-data", DATA), under_conditions("stopping", DATA))


def setting_differences() -> Figure:
    """Draw the same comparisons at other learning rates and under other rules of stopping."""
    compared = settings_compared()
    gaps = {(CALLED.get(name, name), setting): c.difference.times(100) for (name, setting), c in compared.items()}
    return differences_by_condition(gaps, seeds_of(under_conditions("new-data", DATA)))


# --- one explanation: softmax twice is nearly the absolute error -----------------------------------------------------


def charges_figure(loss_values: Callable[[Tensor], dict[str, Tensor]], wrong: float = 0.4) -> Figure:
    """Draw losses over the probability of the right class, for right labels and for labels partly at random.

    `loss_values` takes the probabilities of ten classes and returns, by name, what each loss gives for each label.
    """
    right = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    others = ((1 - right) / 9)[:, None].expand(-1, 9)
    share, lowest = f"{100 * wrong:.0f} %", []
    figure, (alone, mixed) = new_figure(1, 2, width=11, height=4.8)
    for line, (name, charged) in zip(
        LINES, loss_values(torch.cat([right[:, None], others], dim=1)).items(), strict=False
    ):
        look = LOOKS.get(name, 0)
        style = {"color": COLORS[look], "linestyle": line, "linewidth": 3}
        drawn = (1 - wrong) * charged[:, 0] + wrong * charged.mean(1)
        best = int(drawn.argmin())
        alone.plot(right, charged[:, 0], label=name, **style)
        mixed.plot(right, drawn, **style)
        mixed.plot(right[best], drawn[best], MARKERS[look], color=COLORS[look], markersize=14, markeredgewidth=3,
                   fillstyle="none", clip_on=False)  # fmt: skip
        lowest.append(f"{name} at {right[best]:.2f}")
    alone.set(title="every label right", ylabel="loss above its least")
    mixed.set(title=f"{share} of labels at random: the average, and its lowest point")
    for axis in (alone, mixed):
        axis.set(xlabel="probability of the right class", xlim=(0, 1), ylim=(0, 3))
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.set_label(
        "Four losses over the probability of the right class: cross-entropy curves up steeply, the squared error a"
        " little; softmax twice and the absolute error are straight and all but the same line."
        f" With {share} of labels at random the lowest points are: {'; '.join(lowest)}."
    )
    return figure


def wrong_labels_question() -> Prediction:
    """Ask how the absolute error fares with many wrong labels."""
    found = conditions.linear_loss_comparisons(DATA).items()
    compared = {kind: c for (name, kind), c in found if name == ABSOLUTE and "labels" in kind}
    kind, most = list(compared.items())[-1]
    options = ["it is more accurate", "it is practically as accurate, or too close to tell", "it is less accurate"]
    answer = options[{"better": 0, "worse": 2}.get(most.verdict, 1)]
    asked = f"{kind}: what will MAE behind softmax do, beside cross-entropy on logits?"
    return predict(asked, options, answer, in_words(most))


def straight_differences() -> Figure:
    """Draw both straight losses beside softmax once: where labels are wrong, and where softmax twice stood out."""
    compared = conditions.linear_loss_comparisons(DATA)
    stood_out = {(TWICE, kind): c for kind, c in conditions.once_and_twice(DATA).items()}
    gaps = {(CALLED[name], kind): c.difference.times(100) for (name, kind), c in (compared | stood_out).items()}
    return differences_by_condition(gaps, seeds_of(under_conditions("straight", DATA)))


def straight_sentences() -> Markdown:
    """Tell the same differences in numbers."""
    compared = conditions.linear_loss_comparisons(DATA).items()
    return listed([f"**{kind}**: {CALLED[name]} {in_words(c)}" for (name, kind), c in compared])
