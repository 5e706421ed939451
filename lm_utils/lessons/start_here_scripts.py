"""Notebook 00: two scripts one word apart, trained side by side at a click."""

import html
from threading import Lock, Thread

import ipywidgets as widgets

from lm_utils.data import Splits
from lm_utils.model import TinyCNN
from lm_utils.pairing import Pairing
from lm_utils.show.chart import Chart, LiveChart, line, panel, series
from lm_utils.show.style import INFO
from lm_utils.show_code import folded
from lm_utils.training import Run, fit

NETWORK = """class Net(TinyCNN):
    def forward(self, images):
        x = self.features(images)
        h = self.fc(x).sigmoid()
        return self.out(h)
"""
SCRIPT = """model = Net(outputs=10)
optimizer = AdamW(
    model.parameters(), lr=0.01)
loss_fn = nn.BCELoss()

for images, targets in batches:
    optimizer.zero_grad()
    logits = model(images)
    p = logits.{activation}
    loss = loss_fn(p, targets)
    loss.backward()
    optimizer.step()
"""
SCRIPTS = {"A": "softmax(dim=1)", "B": "sigmoid()"}
PAIRINGS = {"A": Pairing("multiclass", "bce", "softmax"), "B": Pairing("multiclass", "bce", "sigmoid")}
EPOCHS = 15


def script(name: str) -> str:
    """Return the text of script A or B."""
    return SCRIPT.format(activation=SCRIPTS[name])


def code_box(title: str, code: str, marked: str = "") -> str:
    """Return a piece of code with its title as HTML, the line that holds `marked` in another colour."""
    lines = [html.escape(line) or " " for line in code.splitlines()]
    shown = [f"<mark style='color:black'><b>{line}</b></mark>" if marked and marked in line else line for line in lines]
    return (
        f"<figure style='flex:1 1 17em;margin:0 .7em 0 0'><figcaption>{title}</figcaption><pre style='margin:0;"
        "padding:.4em .6em;border:1px solid #999;font-size:12px;line-height:1.35;overflow-x:auto'>"
        + "\n".join(shown)
        + "</pre></figure>"
    )


def two_scripts() -> str:
    """Return the network and both scripts side by side as HTML, the one line that differs marked."""
    layers = "features: two convolutions, 144 numbers<br>fc: 144 → 32 hidden units<br>out: 32 → 10 numbers"
    boxes = code_box("<b>The network of both</b>", NETWORK)
    boxes = boxes.replace("</figure>", f"<small style='line-height:1.35'>{layers}</small></figure>")
    boxes += "".join(code_box(f"<b>Script {name}</b>", script(name), SCRIPTS[name]) for name in SCRIPTS)
    return f"<div style='display:flex;flex-wrap:wrap;line-height:1.3'>{boxes}</div>"


class ColdOpen(widgets.VBox):
    """The scripts, a button that trains both, their curves, and the vote."""

    def __init__(self, data: Splits, guess: float, ballot: widgets.Widget, device: str) -> None:
        self.data, self.guess, self.device = data, guess, device
        self.finished: dict[str, Run] = {}
        self.at_work = Lock()
        self.histories: dict[str, list[float]] = {name: [] for name in PAIRINGS}
        self.button = widgets.Button(
            description="Train", style={"button_color": INFO, "text_color": "white"}, layout={"width": "7em"}
        )
        self.status, self.picture = widgets.HTML(layout={"flex": "1 1 auto"}), LiveChart()
        self.say("Both scripts train here, in a few seconds.")
        self.button.on_click(lambda _: Thread(target=self.train, daemon=True, name="cold open").start())
        self.draw(moving=False)
        bar = widgets.HBox([self.button, self.status], layout={"align_items": "center"})
        code = widgets.HTML(folded(ColdOpen.fit.__code__, cold_open_chart.__code__))
        left = widgets.VBox([bar, self.picture, code], layout={"flex": "1 1 30em"})
        ballot.layout.flex = "1 1 24em"
        below = widgets.HBox([left, ballot], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        super().__init__([widgets.HTML(two_scripts()), below])

    def say(self, text: str) -> None:
        """Show a line; screen readers read it out."""
        self.status.value = f"<div role='status' style='line-height:1.3'>{html.escape(text)}</div>"

    def draw(self, moving: bool) -> None:
        """Draw the curves as far as they have grown."""
        self.picture.draw(cold_open_chart(self.histories, self.guess, self.data.name), moving)

    def train(self) -> None:
        """Train both scripts and draw their curves as they grow; a second click meanwhile does nothing."""
        if not self.at_work.acquire(blocking=False):
            return
        try:
            self.train_both()
        finally:
            self.at_work.release()

    def train_both(self) -> None:
        """Train both, one after the other, and say what came of it."""
        try:
            self.finished = {}
            self.histories = {name: [] for name in PAIRINGS}
            for name in PAIRINGS:
                self.say(f"Script {name} trains …")
                self.finished[name] = self.fit(name)
            self.say(" ".join(f"{name}: {run.test_metric:.0%} of the test images right." for name, run in
                              self.finished.items()))  # fmt: skip
        except Exception as problem:  # shown, not lost: nothing reads a thread's traceback in a notebook
            self.say(f"{type(problem).__name__}: {problem}")
            raise

    def fit(self, name: str) -> Run:
        """Train one script."""

        def grown(record: dict[str, float]) -> None:
            self.histories[name].append(record["valid_metric"])
            self.draw(moving=record["epoch"] < EPOCHS)

        return fit(PAIRINGS[name], self.data, max_epochs=EPOCHS, patience=EPOCHS, device=self.device, on_epoch=grown,
                   network=TinyCNN)  # fmt: skip

    @property
    def runs(self) -> dict[str, Run]:
        """Both runs: those of the button, else those that are trained now."""
        with self.at_work:
            if len(self.finished) < len(PAIRINGS):
                self.train_both()
        return self.finished


def cold_open_chart(histories: dict[str, list[float]], guess: float, data: str) -> Chart:
    """Return the accuracy of both scripts on the validation images, as far as they are trained."""
    told = {name: f"{name} {100 * history[-1]:.0f} %" for name, history in histories.items() if history}
    curves = [series(kind, [100 * value for value in history], f"script {told.get(name, name)}")
              for kind, (name, history) in zip(("train", "valid"), histories.items(), strict=True)]  # fmt: skip
    title = f"Right answers on validation images ({data})"
    guessed = line(100 * guess, "always the same digit")
    alt = f"Accuracy over epochs of two scripts: {', '.join(told.values()) or 'not trained yet'}."
    return {"alt": alt, "panels": [panel(title, "right answers (%)", curves, [guessed], EPOCHS + 0.5, 0, 104)]}
