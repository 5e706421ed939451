"""Notebook 16: does misuse cost more on new data, and why is softmax twice slow here and forgiving there?"""

from collections.abc import Callable

import torch
from IPython.display import Markdown
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.evidence import changed_conditions as conditions
from lm_utils.evidence import statistics as st
from lm_utils.evidence.changed_conditions import CALLED, FITS, TWICE
from lm_utils.evidence.results import TITLES, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.conditions import LONGER
from lm_utils.show.condition_figures import differences_by_condition
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure
from lm_utils.show_code import with_code
from lm_utils.tasks import TASKS

DATA = "mnist"
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


def differences_figure(compared: dict[tuple[str, str], st.Comparison], family: str = "new-data") -> Figure:
    """Draw pairings beside the fitting one: a panel for each, a row for each kind of data or setting."""
    gaps = {(CALLED.get(name, name), kind): c.difference.times(100) for (name, kind), c in compared.items()}
    runs = [run for own in under_conditions(family, DATA).values() for run in own]
    origin = f"changed conditions: {TITLES[DATA]}, up to {len({run['seed'] for run in runs})} fresh seeds"
    return differences_by_condition(gaps, origin)


def all_differences() -> Figure:
    """Draw misfits beside the fitting pairing on every kind of new data."""
    return differences_figure(conditions.new_data_comparisons(under_conditions("new-data", DATA)))


# --- what stood out, put again on fresh seeds ------------------------------------------------------------------------


def confirmation_sentences(family: str = "confirmation") -> Markdown:
    """Tell what became of what stood out, on fresh seeds (family "patience": the same networks with more patience)."""
    than = f", both with a patience of {LONGER}," if family == "patience" else ""
    compared = conditions.once_and_twice(DATA, family).items()
    return listed([f"**{kind}**: {CALLED[TWICE]} less softmax once{than} {in_words(c)}" for kind, c in compared])


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


def straight_sentences() -> Markdown:
    """Tell the same differences in numbers."""
    compared = conditions.linear_loss_comparisons(DATA).items()
    return listed([f"**{kind}**: {CALLED[name]} {in_words(c)}" for (name, kind), c in compared])
