"""Notebook 15: why softmax twice may be slow to begin and forgive wrong labels: it is nearly the absolute error."""

from __future__ import annotations

import torch
from IPython.display import Markdown
from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.evidence.claims.conditions import (
    ABSOLUTE,
    CALLED,
    NOT_YET,
    TWICE,
    absolute_less_twice,
    once_and_twice,
    straight_comparisons,
)
from lm_utils.evidence.results import under_conditions
from lm_utils.evidence.sentences import shown_difference
from lm_utils.lessons.bce_and_logits import double_softmax_floor
from lm_utils.lessons.new_data import LINEAR, LOOKS, MEASURES, judged_words, seeds_of
from lm_utils.show.quiz import Prediction, predict
from lm_utils.show.result_figures import worlds_figure
from lm_utils.show.style import COLORS, LINES, MARKERS, Shown, new_figure, show
from lm_utils.tasks import TASKS

ONCE, SQUARED = "cross-entropy, softmax once", CALLED["mse-softmax"]


def charges(probabilities: Tensor) -> dict[str, Tensor]:
    """What four losses charge for each label, given the probabilities of ten classes [..., 10].

    Each is what lies above the least it can reach, scaled so that the bounded ones charge about 1 at most.
    """
    p = probabilities
    return {
        ONCE: -p.log(),
        CALLED[TWICE]: p.logsumexp(-1, keepdim=True) - p - double_softmax_floor(10),
        CALLED[ABSOLUTE]: 1 - p,  # five times the mean over ten outputs
        SQUARED: 0.9 * (p.square().sum(-1, keepdim=True) - 2 * p + 1),  # nine times the mean
    }


def figure(wrong: float = 0.4) -> Figure:
    """Four losses over the probability of the right class, for right labels and for labels partly at random."""
    right = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    others = ((1 - right) / 9)[:, None].expand(-1, 9)
    share, lowest = f"{100 * wrong:.0f} %", []
    drawing, (alone, mixed) = new_figure(1, 2, width=11, height=4.8)
    for line, (name, charged) in zip(LINES, charges(torch.cat([right[:, None], others], dim=1)).items(), strict=False):
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
    drawing.legend(loc="outside lower center", ncols=2, frameon=False)
    drawing.set_label(
        "Four losses over the probability of the right class: cross-entropy curves up steeply, the squared error a"
        " little; softmax twice and the absolute error are straight and all but the same line."
        f" With {share} of labels at random the lowest points are: {'; '.join(lowest)}."
    )
    return drawing


def slopes(right: float = 0.0001, winner: float = 0.99) -> dict[str, tuple[float, float]]:
    """How each loss pulls at the logits of the right class and of a wrong class that has won."""
    rest = (1 - right - winner) / 8
    logits = torch.tensor([right, winner, *[rest] * 8], dtype=torch.float64).log().requires_grad_()
    found = {}
    for name, charged in charges(torch.softmax(logits, dim=0)).items():
        (slope,) = torch.autograd.grad(charged[0], logits, retain_graph=True)
        found[name] = (slope[0].item(), slope[1].item())
    return found


def slopes_table() -> Markdown:
    """The same as a table."""
    lines = [f"| {name} | {right:+.4f} | {winner:+.4f} |" for name, (right, winner) in slopes().items()]
    head = ["| loss | slope by the logit of the right class | by that of the wrong winner |", "|---|---|---|"]
    return Markdown("\n".join([*head, *lines]))


def question(data: str = "mnist") -> Prediction | Markdown:
    """How the absolute error fares with many wrong labels; no question before it was measured."""
    found = straight_comparisons(data).items()
    compared = {kind: c for (name, kind), c in found if name == ABSOLUTE and "labels" in kind}
    if not compared:
        return Markdown("*Think of your own answer: which of the three forgives wrong labels?*")
    kind, most = list(compared.items())[-1]
    options = ["it is more accurate", "it is practically as accurate, or too close to tell", "it is less accurate"]
    answer = options[{"better": 0, "worse": 2}.get(most.verdict, 1)]
    asked = f"{kind}: what will MAE behind softmax do, beside cross-entropy on logits?"
    return predict(asked, options, answer, judged_words(most))


def measured(data: str = "mnist") -> Shown | Markdown:
    """Both straight losses beside softmax once: where labels are wrong, and where softmax twice had stood out."""
    compared = straight_comparisons(data)
    if not compared:
        return Markdown(f"**Not measured yet.** {NOT_YET}")
    stood_out = {(TWICE, kind): told for kind, told in once_and_twice(data).items()}
    points = {(CALLED[name], kind): c.difference.times(100) for (name, kind), c in (compared | stood_out).items()}
    seeds = seeds_of(under_conditions("straight", data))
    return show(worlds_figure({MEASURES["accuracy"][0]: points}, seeds, LINEAR, LOOKS))


def words(data: str = "mnist") -> Markdown:
    """The same as numbers."""
    found = straight_comparisons(data).items()
    lines = [f"- **{kind}**: {CALLED[name]} {judged_words(c)}" for (name, kind), c in found]
    return Markdown("\n".join(lines) or f"**Not measured yet.** {NOT_YET}")


def apart(data: str = "mnist") -> Markdown:
    """How far the absolute error and softmax twice lie apart."""
    task = TASKS["multiclass"]
    lines = [f"- **{kind}**: {shown_difference(told, task)}" for kind, told in absolute_less_twice(data).items()]
    return Markdown("\n".join(lines) or f"**Not measured yet.** {NOT_YET}")
