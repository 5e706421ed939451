"""Does misuse cost more on new data? The question, the figures and the verdict of notebook 15."""

from __future__ import annotations

from collections import Counter

import numpy as np
from IPython.display import Markdown
from matplotlib.figure import Figure

from lm_utils.evidence import statistics as st
from lm_utils.evidence.claims import verdict_of
from lm_utils.evidence.claims.conditions import (
    CALLED,
    FEWER_POINTS,
    FITS,
    HOME,
    NOT_YET,
    TWICE,
    new_data_comparisons,
    new_data_gaps,
    once_and_twice,
    setting_comparisons,
    worlds,
)
from lm_utils.evidence.results import TITLES, under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.runs.conditions import LONGER, OTHER_HAND
from lm_utils.show.quiz import Prediction, predict
from lm_utils.show.result_figures import worlds_figure
from lm_utils.show.style import COLORS, Shown, new_figure, show
from lm_utils.tasks import TASKS

PLACES = {
    "images": "few training images",
    "noise": "wrong labels",
    "imbalance": "rare classes",
    "shift": "turned or noisy test images",
    "others": "digits drawn by other people",
}
FAR = 0.1  # ten points of accuracy: a run so far behind its twin is lost
NOWHERE = "nowhere: practically equal, or too close to tell"


def question(data: str = "mnist") -> Prediction | Markdown:
    """Where softmax twice falls furthest behind softmax once; no question before it was measured."""
    families = under_conditions("new-data", data)
    away = {world: kind for world, kind in worlds(families).items() if kind != (HOME, "")}
    judged = new_data_comparisons(families)
    compared = {world: c.difference for (name, world), c in judged.items() if name == TWICE and world in away}
    if not compared:
        return Markdown("*Think of your own answer: where would you look for a gap first?*")
    worst = min(compared, key=lambda world: compared[world].mean)
    lost = compared[worst]
    answer = PLACES[place(*away[worst])] if lost.high <= -FEWER_POINTS else NOWHERE
    asked = (
        "Ten classes again: on the data at hand softmax twice is practically as accurate as softmax once."
        " Where does it fall behind furthest, on average?"
    )
    second = sorted(compared.values(), key=lambda told: told.mean)[1:2]
    next_one = "".join(f" The next largest: {shown_difference(told, TASKS['multiclass'])}." for told in second)
    reading = f"{worst}: {shown_difference(lost, TASKS['multiclass'])} over {lost.n} paired seeds.{next_one}"
    reading += " Which of the two is the larger one in truth, so few seeds cannot say."
    return predict(asked, [*PLACES.values(), NOWHERE], answer, reading)


def place(condition: str, shift: str) -> str:
    """What kind of new data this is, a key of PLACES."""
    if shift:
        return "others" if shift == OTHER_HAND else "shift"
    return condition.split("-")[0]


MEASURES = {  # of new data: what it is called in a figure, and by what it is multiplied there
    "accuracy": ("accuracy (percentage points)", 100),
    "nll": ("negative log-likelihood", 1),
    "epochs": ("epochs trained", 1),
}
LOOKS = {name: number for number, name in enumerate(CALLED.values(), start=1)}  # 0 is softmax once
LINEAR = {"accuracy (percentage points)": 1.0, "negative log-likelihood": 0.1}  # beyond, a logarithmic scale


def figure(data: str = "mnist") -> Shown | Markdown:
    """Misfits beside the fitting pairing on new data; a sentence where nobody has measured it yet."""
    families = under_conditions("new-data", data)
    panels = {
        title: {(CALLED.get(name, name), world): st.mean_interval([scale * gap for gap in gaps])
                for (name, world), gaps in new_data_gaps(families, measure).items()}
        for measure, (title, scale) in MEASURES.items()
    }  # fmt: skip
    if not panels[MEASURES["accuracy"][0]]:
        return Markdown(f"**Not measured yet.** {NOT_YET} Until they are, the claim stays open.")
    return show(worlds_figure(panels, seeds_of(families), LINEAR, LOOKS))


def confirmation(data: str = "mnist", family: str = "confirmation") -> Markdown:
    """What stood out on new data, on seeds that nobody had looked at; a sentence where there are none.

    The family "patience" holds the same networks with more patience.
    """
    than = f", both with a patience of {LONGER}," if family == "patience" else ""
    lines = [
        f"- **{kind}**: {CALLED[TWICE]} less softmax once{than} {judged_words(compared)}"
        for kind, compared in once_and_twice(data, family).items()
    ]
    return Markdown("\n".join(lines) or f"**Not measured yet.** {NOT_YET}")


def judged_words(compared: st.Comparison) -> str:
    """A difference in accuracy, its seeds, p value and verdict."""
    difference = shown_difference(compared.difference, TASKS["multiclass"])
    seeds, p = compared.difference.n, compared.p_corrected
    return f"{difference} over {seeds} paired seeds, p = {p:.3g}: **{compared.verdict}**."


def patience_question(data: str = "mnist") -> Prediction | Markdown:
    """What becomes of the runs far behind when they are given more patience; no question before it was measured."""
    if not once_and_twice(data, "patience"):
        return Markdown("*Think of your own answer: are these networks blind, or were they stopped too early?*")
    before, after = (sum(map(len, far_behind(data, family).values())) for family in ("confirmation", "patience"))
    left = after / max(before, 1)
    options = ["they stay where they are", "about half of them come through", "most of them come through"]
    answer = options[(left < 0.75) + (left <= 0.25)]
    asked = f"The same networks, and training may go on for {LONGER} epochs without a new best instead of 10."
    return predict(f"{asked} What becomes of those far behind?", options, answer, patience_words(data))


def far_behind(data: str, family: str) -> dict[str, list[int]]:
    """By the kind of data, the seeds on which softmax twice ends far behind softmax once, both of this family."""
    runs = under_conditions(family, data)
    found = {}
    for name in (name for name in runs if name.endswith(TWICE)):
        once = {run["seed"]: run["test_metric"] for run in runs[name.replace(TWICE, FITS)]}
        behind = [run["seed"] for run in runs[name] if once.get(run["seed"], 0) - run["test_metric"] > FAR]
        found[runs[name][0]["title"]] = behind
    return found


def patience_words(data: str = "mnist") -> str:
    """How many runs are far behind with the usual patience and with more."""
    before, after = far_behind(data, "confirmation"), far_behind(data, "patience")
    compared = once_and_twice(data, "patience")
    told = [
        f"{kind}: {len(before[kind])} of {compared[kind].difference.n} runs end more than {100 * FAR:.0f} points behind"
        f" softmax once with a patience of 10, {len(after[kind])} where both have {LONGER}"
        for kind in before
        if kind in compared
    ]
    return "; ".join(told) + "."


def confirmation_figure(data: str = "mnist", patience: bool = False) -> Figure:
    """Softmax once and twice, every run a mark: on the data at hand, and where the second one stood out.

    With `patience`, both also as they end when training waits longer for a new best.
    """
    home = {name: runs for name, runs in under_conditions("new-data", data).items() if name.startswith(f"{HOME}/")}
    usual = home | under_conditions("confirmation", data)
    groups = {"softmax once": (usual, FITS), CALLED[TWICE]: (usual, TWICE)}
    if patience:
        longer = under_conditions("patience", data)
        groups |= {f"{called}, patience {LONGER}": (longer, contender) for called, (_, contender) in groups.items()}
    kinds = list(dict.fromkeys(runs[0]["title"] for runs in usual.values()))
    drawing, axis = new_figure(width=11, height=1.6 + 0.3 * (len(groups) + 1) * len(kinds))
    words = []
    for look, (called, (found, contender)) in enumerate(groups.items()):
        for row, kind in enumerate(kinds):
            scores = scores_of(found, kind, contender)
            if not scores:
                continue
            middle = row + 0.8 * (look - (len(groups) - 1) / 2) / len(groups)
            heights = middle + np.linspace(-0.07, 0.07, len(scores))
            axis.scatter(scores, heights, s=70, marker="oXsD"[look], color=COLORS[look], edgecolor="black", alpha=0.8,
                         label=called if called not in axis.get_legend_handles_labels()[1] else None)  # fmt: skip
            words.append(f"{called}, {kind}: {min(scores):.0f} to {max(scores):.0f} % in {len(scores)} runs")
    axis.set_yticks(range(len(kinds)), kinds)
    axis.invert_yaxis()
    axis.set(xlabel="test accuracy (%), a mark for each run", xlim=(0, 100))
    counts = [len(runs) for runs in usual.values()]
    axis.set_title(f"{TITLES[data]}, {min(counts)} to {max(counts)} fresh seeds a row")
    drawing.legend(loc="outside lower center", ncols=2, frameon=False)
    drawing.set_label(f"Accuracy of softmax once and twice under changed conditions. {'; '.join(words)}.")
    return drawing


def scores_of(families: dict[str, list[dict]], kind: str, contender: str) -> list[float]:
    """The accuracies of a contender's runs on one kind of data, in per cent, from the least to the largest."""
    runs = [run for name, own in families.items() if name.endswith(f"/{contender}") for run in own]
    return sorted(100 * run["test_metric"] for run in runs if run["title"] == kind)


def seeds_of(families: dict[str, list[dict]]) -> str:
    """Of what data and how many seeds these runs are."""
    runs = [run for runs in families.values() for run in runs]
    return f"changed conditions: {TITLES[runs[0]['data']]}, up to {len({run['seed'] for run in runs})} fresh seeds"


def settings(data: str = "mnist") -> Shown | Markdown:
    """The same rows at other learning rates and under other rules of stopping."""
    families = under_conditions("new-data", data)
    compared = setting_comparisons(families, under_conditions("stopping", data))
    if not compared:
        return Markdown(f"**Not measured yet.** {NOT_YET}")
    points = {(CALLED.get(name, name), setting): c.difference.times(100) for (name, setting), c in compared.items()}
    return show(worlds_figure({MEASURES["accuracy"][0]: points}, seeds_of(families), looks=LOOKS))


def settings_sentence(data: str = "mnist") -> Markdown:
    """How many of those comparisons came out how."""
    compared = setting_comparisons(under_conditions("new-data", data), under_conditions("stopping", data))
    counts = Counter(c.verdict for c in compared.values())
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return Markdown(f"Of {len(compared)} comparisons, judged together: **{told or 'none was measured yet'}**.")


def verdict() -> Markdown:
    """The verdict on the claim about new data."""
    judged = verdict_of("000-new-data")
    return Markdown(f"**{judged.signed}.** {judged.evidence}")
