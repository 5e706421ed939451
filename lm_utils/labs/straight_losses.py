"""Notebook 15: why softmax twice is slow to begin and forgives wrong labels: it is nearly the absolute error."""

from __future__ import annotations

import torch
from IPython.display import Markdown
from matplotlib.figure import Figure

from lm_utils.experiments.claims.conditions import (
    CALLED,
    NOT_YET,
    STRAIGHT,
    TWICE,
    once_and_twice,
    straight_losses,
)
from lm_utils.experiments.results import under_conditions
from lm_utils.labs.figures import worlds_figure
from lm_utils.labs.logits import double_softmax_floor
from lm_utils.labs.new_data import LINEAR, MEASURES, judged_words, seeds_of
from lm_utils.labs.quiz import Prediction, predict
from lm_utils.labs.style import COLORS, LINES, MARKERS, Shown, new_figure, show


def figure(wrong: float = 0.4) -> Figure:
    """Four losses over the probability of the right class, for the right label and for labels partly at random."""
    right = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    others = ((1 - right) / 9)[:, None].expand(-1, 9)
    every = torch.cat([right[:, None], others], dim=1)
    losses = {  # of each label, less the least that can be reached
        "cross-entropy, softmax once": -every.log(),
        CALLED[TWICE]: every.exp().sum(1, keepdim=True).log() - every - double_softmax_floor(10),
        f"{CALLED[STRAIGHT]}, times five": 1 - every,
        "MSE + softmax, times nine": 0.9 * (every.square().sum(1, keepdim=True) - 2 * every + 1),
    }
    drawing, (alone, mixed) = new_figure(1, 2, width=11, height=4.8)
    share, lowest = f"{100 * wrong:.0f} %", []
    for place, (name, loss) in enumerate(losses.items()):
        drawn = (1 - wrong) * loss[:, 0] + wrong * loss.mean(1)
        look = {"color": COLORS[place], "linestyle": LINES[place], "linewidth": 3}
        alone.plot(right, loss[:, 0], label=name, **look)
        mixed.plot(right, drawn, **look)
        best = int(drawn.argmin())
        mixed.plot(right[best], drawn[best], MARKERS[place], color=COLORS[place], markersize=12, clip_on=False)
        lowest.append(f"{name} at {right[best]:.2f}")
    alone.set(title="of the right label", ylabel="loss above its least", ylim=(0, 3))
    mixed.set(title=f"on average, {share} of labels at random", ylim=(0, 3))
    for axis in (alone, mixed):
        axis.set(xlabel="probability of the right class", xlim=(0, 1))
    drawing.legend(loc="outside lower center", ncols=2, frameon=False)
    drawing.set_label(
        "Four losses over the probability of the right class: cross-entropy curves up steeply, the squared error a"
        " little; softmax twice and the absolute error are straight and all but the same line."
        f" With {share} of labels at random the lowest points are: {'; '.join(lowest)}."
    )
    return drawing


def question(data: str = "mnist") -> Prediction | Markdown:
    """How the absolute error fares with many wrong labels; no question before it was measured."""
    compared = {kind: c for (name, kind), c in straight_losses(data).items() if name == STRAIGHT and "labels" in kind}
    if not compared:
        return Markdown("*Think of your own answer: which of the three forgives wrong labels?*")
    kind, most = list(compared.items())[-1]
    options = ["it is more accurate", "it is practically as accurate, or too close to tell", "it is less accurate"]
    answer = options[{"better": 0, "worse": 2}.get(most.verdict, 1)]
    asked = f"{kind}: what will MAE behind softmax do, beside cross-entropy on logits?"
    return predict(asked, options, answer, judged_words(most))


def measured(data: str = "mnist") -> Shown | Markdown:
    """Both straight losses beside softmax once: where labels are wrong, and where softmax twice had stood out."""
    compared = straight_losses(data)
    if not compared:
        return Markdown(f"**Not measured yet.** {NOT_YET}")
    stood_out = {(TWICE, kind): told for kind, told in once_and_twice(data).items()}
    points = {(CALLED[name], kind): c.difference.times(100) for (name, kind), c in (compared | stood_out).items()}
    return show(worlds_figure({MEASURES["accuracy"][0]: points}, seeds_of(under_conditions("straight", data)), LINEAR))


def words(data: str = "mnist") -> Markdown:
    """The same as numbers."""
    lines = [f"- **{kind}**: {CALLED[name]} {judged_words(c)}" for (name, kind), c in straight_losses(data).items()]
    return Markdown("\n".join(lines) or f"**Not measured yet.** {NOT_YET}")
