"""The decision card: one page that goes from task to loss, as Markdown and as PDF, written from the verdicts."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lm_utils.activations import ACTIVATIONS
from lm_utils.files import PROJECT
from lm_utils.lessons.bce_and_logits import bce_on_softmax_floor, double_softmax_floor
from lm_utils.lessons.start_here import fitting, pairing_of
from lm_utils.pairing import Pairing
from lm_utils.show.style import VERDICT_COLORS, VERDICT_SIGNS, rc
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish.korean import korean

ROOT = PROJECT
TARGETS = {
    "value": "float [N, 1], standardised", "single": "float [N, 1], 0 or 1",
    "exclusive": "class index [N], int64", "labels": "float [N, {outputs}], 0 or 1",
}  # fmt: skip
WRONG = {  # the misfits that people meet most; verdict and reason come from the rules
    "regression": [("bce_logits", "none"), ("mse", "sigmoid"), ("mse", "relu")],
    "probability": [("bce", "softmax"), ("cross_entropy", "none"), ("bce", "none")],
    "binary": [("cross_entropy", "softmax"), ("bce", "sigmoid")],
    "multiclass": [("cross_entropy", "softmax"), ("bce", "sigmoid")],
    "multilabel": [("bce", "softmax"), ("cross_entropy", "none"), ("bce_logits", "sigmoid")],
}
CODE = re.compile(r"(torch\.sqrt\(nn\.MSELoss\(\)\(out, y\)\)|nn\.\w+(?:\([^)]*\))?)", re.ASCII)
TITLE = "Which loss and which last activation?"
WALL = "One page for the wall, also as [PDF](decision-card.pdf)."
RITUAL = "What to do when a network does not learn: [the debugging ritual](debugging-ritual.md)."
ADVICE = (
    "Look at the loss against two values, never against 0 alone: the best constant answer (has it learnt anything?) "
    "and the lowest value within reach (can it get better?).",
    "An activation that lives inside the loss must not stand at the end of the network as well.",
    "Outputs and targets have the same shape, except class indices: print both.",
)


@dataclass(frozen=True)
class Entry:
    """One row of the card."""

    task: str
    asks: str
    outputs: str
    fits: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]  # the verdict, and what happens


def entries() -> list[Entry]:
    """The five rows, out of tasks and rules."""
    return [entry(name) for name in TASKS]


def entry(name: str) -> Entry:
    """The row of one task."""
    task = TASKS[name]
    targets = TARGETS[task.kind].format(outputs=task.outputs)
    outputs = f"{task.outputs} number{'s' * (task.outputs > 1)} per image; targets: {targets}"
    wrong = [pairing_of(name, *pair) for pair in WRONG[name]]
    return Entry(task.title, task.question, outputs, fits(name), tuple((p.verdict, misfit(p)) for p in wrong))


def fits(name: str) -> tuple[str, ...]:
    """What fits a task, as code: one line per way to end the network, with all losses that go with it."""
    ways: dict[str, list[str]] = {}
    for pairing in fitting(name):
        ways.setdefault(ending(pairing), []).append(pairing.rule.code)
    return tuple(f"{end} → {', '.join(losses)}" for end, losses in ways.items())


def ending(pairing: Pairing) -> str:
    """How the network ends, in words."""
    end = ACTIVATIONS[pairing.activation].title
    inside = pairing.rule.contains
    return f"{end} ({inside} is inside the loss)" if inside != "none" and pairing.activation == "none" else end


def misfit(pairing: Pairing) -> str:
    """What a misfit is, and what follows, out of the rules."""
    return f"{ACTIVATIONS[pairing.activation].title} with {pairing.rule.code}: {pairing.advice.reason}"


def landmarks(form: str = "{value:.4f} for K = {k}") -> list[tuple[str, str]]:
    """Values that a loss is read against, for the numbers of classes that the course meets."""
    classes = (2, 4, 10)

    def told(name: str, value: object) -> tuple[str, str]:
        return name, ", ".join(form.format(value=value(k), k=k) for k in classes)

    return [
        told("Cross-entropy of a network that knows nothing, log K", math.log),
        told("Lowest cross-entropy when softmax stands before the loss", double_softmax_floor),
        told("Lowest nn.BCEWithLogitsLoss when softmax stands before it", bce_on_softmax_floor),
    ]


# --- Markdown ------------------------------------------------------------------------------------------------


def markdown(say: Callable[[str], str] = str) -> str:
    """The card as a page; `say` puts each of its texts into another language."""
    meaning = ", ".join(f"{sign} {say(name)}" for name, sign in VERDICT_SIGNS.items())
    written = "They are the course's own verdicts; `python -m lm_utils card` writes this page from them."
    heads = ("task", "outputs and targets", "what fits", "what goes wrong")
    lines = [
        f"# {say('Decision card')}", "", f"**{say(TITLE)}** {say(WALL)}", "",
        f"{say('Signs')}: {meaning}. {say(written)}",
        "", f"| {' | '.join(map(say, heads))} |", "|---|---|---|---|",
    ]  # fmt: skip
    for row in entries():
        wrong = "<br>".join(f"{VERDICT_SIGNS[verdict]} {say(text)}" for verdict, text in row.wrong)
        cells = (f"**{say(row.task)}**: {say(row.asks)}", say(row.outputs), "<br>".join(map(say, row.fits)), wrong)
        lines.append("| " + " | ".join(as_code(cell) for cell in cells) + " |")
    lines += ["", f"## {say('Values to compare a loss with')}", ""]
    lines += [as_code(f"- {say(name)}: {values}.") for name, values in landmarks(say("{value:.4f} for K = {k}"))]
    lines += ["", f"## {say('Three habits')}", "", *(f"- {say(text)}" for text in ADVICE), "", say(RITUAL), ""]
    return "\n".join(lines)


def as_code(text: str) -> str:
    """Names of PyTorch's in the type of code."""
    return CODE.sub(r"`\1`", text)


# --- PDF -----------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN, LINE = 11.69, 8.27, 0.4, 0.152  # A4 across, in inches
COLUMNS = ((0.0, 29), (2.0, 22), (3.5, 33), (5.75, 80))  # left, and characters per line
HEADS = ("Task", "Outputs, targets", "What fits", "What goes wrong")


def figure() -> Figure:
    """The card as a page of A4 across."""
    with mpl.rc_context({**rc(), "pdf.fonttype": 42}):
        page = Figure(figsize=(WIDTH, HEIGHT))
        top = put(page, MARGIN, HEIGHT - 0.55, [TITLE], size=19, weight="bold") - 0.08
        signs = "   ".join(f"{sign} {name}" for name, sign in VERDICT_SIGNS.items())
        put(page, MARGIN + 6.85, HEIGHT - 0.55, [signs], size=9.2)
        for (left, _), head in zip(COLUMNS, HEADS, strict=True):
            put(page, MARGIN + left, top, [head], size=10.5, weight="bold")
        rule(page, top - 0.09)
        top -= 0.26
        for row in entries():
            top = draw_row(page, row, top)
        draw_foot(page, top - 0.1)
    page.set_label(f"Decision card. {TITLE} The same text stands in docs/decision-card.md.")
    return page


def draw_row(page: Figure, row: Entry, top: float) -> float:
    """One task; the height at which the next one begins."""
    left = [MARGIN + column[0] for column in COLUMNS]
    wide = [column[1] for column in COLUMNS]
    put(page, left[0], top, [row.task], size=9.2, weight="bold")
    ends = [
        put(page, left[0], top - LINE, textwrap.wrap(row.asks, wide[0])),
        put(page, left[1], top, textwrap.wrap(row.outputs, wide[1])),
        put(page, left[2], top, [part for fit in row.fits for part in textwrap.wrap(fit, wide[2])]),
    ]  # fmt: skip
    low = top
    for verdict, text in row.wrong:
        put(page, left[3], low, [VERDICT_SIGNS[verdict]], color=VERDICT_COLORS[verdict], weight="bold")
        low = put(page, left[3] + 0.18, low, textwrap.wrap(text, wide[3]))
    bottom = min(low, *ends)
    rule(page, bottom + 0.06, color="0.7")
    return bottom - 0.11


def draw_foot(page: Figure, top: float) -> None:
    """Landmarks and habits, side by side."""
    half = MARGIN + 5.6
    put(page, MARGIN, top, ["Values to compare a loss with"], size=10.5, weight="bold")
    low = top - 0.19
    for name, values in landmarks():
        low = put(page, MARGIN, low, [f"{name}:", f"    {values}"])
    put(page, half, top, ["Three habits"], size=10.5, weight="bold")
    low = top - 0.19
    for text in ADVICE:
        low = put(page, half, low, textwrap.wrap(text, 84, initial_indent="• ", subsequent_indent="   "))
    put(page, MARGIN, 0.22, ["Loss Misuse Lab"], color="0.3")


def put(page: Figure, left: float, top: float, lines: list[str], size: float = 8.2, **looks: object) -> float:
    """Write lines below each other, in inches from the lower left corner; the height below the last one."""
    for line in lines:
        page.text(left / WIDTH, top / HEIGHT, line, size=size, va="baseline", parse_math=False, **looks)
        top -= LINE * size / 8.2
    return top


def rule(page: Figure, height: float, color: str = "0.1") -> None:
    """A line across the page."""
    page.add_artist(Rectangle((MARGIN / WIDTH, height / HEIGHT), 1 - 2 * MARGIN / WIDTH, 0.0011, color=color, lw=0))


def main(folder: Path = ROOT / "docs") -> int:
    """Write decision-card.md and decision-card.pdf, and the page in Korean."""
    (folder / "ko").mkdir(parents=True, exist_ok=True)
    (folder / "decision-card.md").write_text(markdown(), encoding="utf-8")
    (folder / "ko" / "decision-card.md").write_text(markdown(korean), encoding="utf-8")
    with mpl.rc_context({**rc(), "pdf.fonttype": 42}):
        metadata = {"Title": f"Decision card: {TITLE}", "Author": "Loss Misuse Lab", "CreationDate": None}
        figure().savefig(folder / "decision-card.pdf", metadata=metadata)
    print(f"{folder / 'decision-card.md'}, {folder / 'decision-card.pdf'} and the page in Korean beside them written.")
    return 0
