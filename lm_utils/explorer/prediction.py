"""The question before a training: what will happen?"""

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from lm_utils.explorer.live_run import OUTCOMES, LiveRun
from lm_utils.explorer.texts import card
from lm_utils.show.style import GOOD, WARNING


def reply(said: str, happened: str) -> str:
    """Set prediction and outcome side by side."""
    if not happened:
        return card("Stopped before it could be seen whether your prediction was right.")
    right = said == happened
    sign, color, word = ("✓", GOOD, "As you said") if right else ("✗", WARNING, "Not as you said")
    more = "" if right else f" You said: {escape(said)}"
    return card(f"<b style='color:{color}'>{sign} {word}.</b> {escape(happened)}{more}", color)


class PredictFirst(widgets.VBox):
    """A question before the training; off until it is switched on, which calls `switched`."""

    def __init__(self, switched: Callable[[], None]) -> None:
        self.switch = widgets.Checkbox(description="Predict first", indent=False,
                                       layout={"width": "auto", "flex": "0 0 auto"})  # fmt: skip
        self.options = widgets.RadioButtons(options=OUTCOMES, value=None, layout={"width": "auto"})
        self.question = widgets.VBox([widgets.HTML("<b>What will happen?</b> Choose, then press Train."), self.options])
        self.reply = widgets.HTML()
        self.answered = False
        self.switch.observe(lambda change: (self.ask_again(), switched()), names="value")
        super().__init__([self.question, self.reply])
        self.ask_again()

    @property
    def waiting(self) -> bool:
        """Say whether verdict and result are to stay hidden."""
        return self.switch.value and not self.answered

    @property
    def missing(self) -> bool:
        """Say whether a prediction is wanted and not made yet."""
        return self.waiting and self.options.value is None

    def ask_again(self) -> None:
        """Forget the last prediction."""
        self.options.value, self.reply.value, self.answered = None, "", False
        self.question.layout.display = "" if self.switch.value else "none"

    def answer(self, live: LiveRun) -> None:
        """Compare the prediction with what happened."""
        if self.switch.value and self.options.value:
            self.reply.value = reply(self.options.value, live.outcome)
            self.question.layout.display, self.answered = "none", True
