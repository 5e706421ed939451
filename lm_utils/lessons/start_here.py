"""Notebook 00: the vote, what fits what, the map of the course."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lm_utils.activations import ACTIVATIONS
from lm_utils.files import NOTEBOOKS, answers_folder, read_kept, write_whole
from lm_utils.lessons.start_here_scripts import PAIRINGS
from lm_utils.losses import LOSSES
from lm_utils.pairing import USUAL_ACTIVATIONS, recommended, usual_pairing
from lm_utils.show import quiz
from lm_utils.show.keys import Keys
from lm_utils.show.lab import lab, menu
from lm_utils.show.style import VERDICT_COLORS, VERDICT_SIGNS, new_figure
from lm_utils.show_code import table_with_code, with_code
from lm_utils.tasks import TASKS

# --- the vote -------------------------------------------------------------------------------------------------


class Vote(widgets.VBox):
    """A question whose answer comes later: the vote is kept, nothing is revealed."""

    def __init__(self, name: str, question: str, options: Sequence[str]) -> None:
        self.name, self.question = name, question
        self.choices = widgets.RadioButtons(
            options=list(options), value=recall(name) if recall(name) in options else None,
            description="Your vote:", style={"description_width": "initial"}, layout={"width": "auto"},
        )  # fmt: skip
        self.choices.add_class("lm-quiz")
        self.note = widgets.HTML(value=self.status())
        self.choices.observe(self._chosen, names="value")
        super().__init__([widgets.HTML(f"{quiz.LARGER}<b>Vote.</b> {question}"), self.choices, self.note, Keys()])

    def status(self) -> str:
        """Say what has happened to the vote."""
        if self.choices.value is None:
            return "Nothing chosen yet."
        later = "You will meet it again in notebook 15; notebook 11 takes the case apart."
        return f"Kept: <b>{html.escape(self.choices.value)}</b>. {later}"

    def _chosen(self, change: dict) -> None:
        try:
            keep(self.name, change["new"])
            self.note.value = self.status()
        except OSError as problem:
            self.note.value = f"Your vote counts, but could not be written down ({problem.strerror}); remember it."

    def _repr_mimebundle_(self, **options: object) -> dict:
        items = "".join(f"<li>{html.escape(option)}</li>" for option in self.choices.options)
        page = f"<p><b>Vote.</b> {self.question}</p><ul>{items}</ul>"
        return {**(super()._repr_mimebundle_(**options) or {}), "text/plain": self.question, "text/html": page}


def votes_file() -> Path:
    """Return where votes are kept."""
    return answers_folder() / "votes.json"


def keep(name: str, choice: str) -> None:
    """Keep a vote for later notebooks."""
    write_whole(votes_file(), json.dumps({**read_kept(votes_file()), name: choice}))


def recall(name: str) -> str | None:
    """Return what was voted; None where nobody did, or where the file cannot be read."""
    return read_kept(votes_file()).get(name)


# --- what fits what ------------------------------------------------------------------------------------------


def fitting_table() -> pd.DataFrame:
    """List task, loss, activation and the lines of PyTorch, out of the verdicts themselves."""
    rows = []
    for name, task in TASKS.items():
        for pairing in recommended(name):
            own, inside = ACTIVATIONS[pairing.activation], pairing.rule.contains
            rows.append({
                "task": task.title, "outputs": task.outputs, "loss": pairing.rule.title,
                "output activation": own.title if inside == "none" else f"{inside}, inside the loss",
                "last line of the network": own.code, "loss in PyTorch": pairing.rule.code,
            })  # fmt: skip
    return table_with_code(pd.DataFrame(rows))


def verdict_figure(task: str, loss: str, activation: str) -> Figure:
    """Draw the verdict on every loss and activation for one task, the chosen pairing framed."""
    figure, axes = new_figure(width=9.5, height=3.2, edges=(0.14, 0.14, 0.99, 0.88))
    losses = list(LOSSES)
    for row, act in enumerate(USUAL_ACTIVATIONS):
        for column, name in enumerate(losses):
            verdict = usual_pairing(task, name, act).verdict
            axes.add_patch(Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, color=VERDICT_COLORS[verdict]))
            axes.text(column, row, VERDICT_SIGNS[verdict], ha="center", va="center", color="white", fontsize=17)
    place = (losses.index(loss) - 0.48, USUAL_ACTIVATIONS.index(activation) - 0.46)
    axes.add_patch(Rectangle(place, 0.96, 0.92, fill=False, ec="black", lw=4))
    axes.set(xlim=(-0.52, len(losses) - 0.48), ylim=(len(USUAL_ACTIVATIONS) - 0.5, -0.5))
    axes.set_xticks(range(len(losses)), losses)
    axes.set_yticks(range(len(USUAL_ACTIVATIONS)), USUAL_ACTIVATIONS)
    axes.set_title(f"{TASKS[task].title}:  " + "   ".join(f"{VERDICT_SIGNS[name]} {name}" for name in VERDICT_SIGNS))
    axes.grid(False)
    chosen = usual_pairing(task, loss, activation).verdict
    figure.set_label(f"Verdicts for {task} on all losses and activations; {loss} with {activation} is {chosen}.")
    return figure


def verdict_text(task: str, loss: str, activation: str) -> str:
    """Return the verdict and its explanation as HTML; the reason that the vote asks for is withheld here."""
    pairing, script_b = usual_pairing(task, loss, activation), PAIRINGS["B"].advice.reason
    why = pairing.explanation.replace(script_b, "Why? That is what you voted on; notebook 11 takes the case apart.")
    head = f"<b style='color:{VERDICT_COLORS[pairing.verdict]}'>{VERDICT_SIGNS[pairing.verdict]} {pairing.verdict}</b>"
    lines = f"<code>{ACTIVATIONS[activation].code}</code> and <code>{pairing.rule.code}</code>"
    return f"<div role='status'>{head}: {lines}. {html.escape(why)}</div>"


def verdict_lab(task: str = "multiclass", loss: str = "cross_entropy", activation: str = "softmax") -> widgets.VBox:
    """Show the verdict on a task, a loss and an output activation, and why."""
    return lab(
        lambda **chosen: (verdict_text(**chosen), verdict_figure(**chosen)),
        task=menu("task", {TASKS[name].title: name for name in TASKS}, task),
        loss=menu("loss", {LOSSES[name].title: name for name in LOSSES}, loss),
        activation=menu("activation", {ACTIVATIONS[name].title: name for name in USUAL_ACTIVATIONS}, activation),
    )


# --- the map -------------------------------------------------------------------------------------------------


def notebooks_here() -> dict[str, dict[str, str]]:
    """Read number, file, title, minutes and coverage of each notebook of the course from the notebooks themselves.

    In the Korean folder the course is the one above it, told in Korean where a notebook exists in Korean.
    """
    here, above = Path.cwd(), ""
    if here.name == "ko":
        here, above = here.parent, "../"
    folders = (here, NOTEBOOKS)
    files = next((found for folder in folders if (found := sorted(folder.glob("[0-9][0-9]_*.ipynb")))), [])
    course = {}
    for file in files:
        korean = file.parent / "ko" / file.name
        translated = bool(above) and korean.exists()
        cells = json.loads((korean if translated else file).read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells[:4] if cell["cell_type"] == "markdown")
        course[file.name[:2]] = {"file": file.name if translated else above + file.name, **told_at_the_top(text)}
    return course


FOUND = {
    "title": r"^# \d\d (.+)",
    "minutes": r"\*\*(?:Time|시간):?\*\*:? *(\d+)",
    "time": r"\*\*Time:\*\* (.+)",
    "covers": r"\*\*(?:Covers|범위):?\*\*:? *(.+)",
}


def told_at_the_top(text: str) -> dict[str, str]:
    """Return title, minutes, time in words and coverage from the text at a notebook's top; empty where it lacks one."""
    found = {key: re.search(pattern, text, re.MULTILINE) for key, pattern in FOUND.items()}
    return {key: match[1].strip() if match else "" for key, match in found.items()}


def course_map() -> Markdown:
    """List every notebook with a link, its minutes and the sections it covers."""
    rows = [f"| [{number} {part['title']}]({part['file']}) | {part['minutes']} | {part['covers']} |"
            for number, part in notebooks_here().items()]  # fmt: skip
    return with_code("\n".join(["| notebook | minutes | covers |", "|---|---|---|", *rows]))


def course_path(name: str, numbers: Sequence[str] | Mapping[str, int]) -> Markdown:
    """Show one way through the course, with links and the sum of the minutes (the notebooks' own, or a plan's)."""
    course = notebooks_here()
    steps = [course[number] | {"number": number} for number in numbers if number in course]
    plan = numbers if isinstance(numbers, Mapping) else {}
    minutes = [plan.get(step["number"]) or int(step["minutes"] or 0) for step in steps]
    links = [
        f"[{step['number']} {step['title']}]({step['file']}) ({each})"
        for step, each in zip(steps, minutes, strict=True)
    ]
    return Markdown(f"**{name}, {sum(minutes)} minutes:** {' → '.join(links)}")
