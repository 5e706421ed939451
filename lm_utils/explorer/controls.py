"""Drop-downs and boxes for a choice; they grey out what makes no sense for its task."""

from collections.abc import Callable, Iterable
from dataclasses import fields

import ipywidgets as widgets

from lm_utils.activations import ACTIVATIONS, HIDDEN
from lm_utils.explorer.choice import LEARNING_RATES, Choice, can_normalise, changed
from lm_utils.losses import LOSSES
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import activations_for
from lm_utils.show.lab import menu
from lm_utils.tasks import TASKS

PAIRING_FIELDS = tuple(field.name for field in fields(Pairing))
TRAINING_FIELDS = ("lr", "patience", "epochs", "seed")
WIDE = {"description_width": "9.5em"}


def activation_options(task: str) -> list[tuple[str, str]]:
    """Return the output activations of a task as they are shown."""
    return [(ACTIVATIONS[name].title, name) for name in activations_for(task)]


def make_control(field: str, choice: Choice) -> widgets.DOMWidget:
    """Make the control of one field."""
    drop_downs = {
        "task": ("Task", [(task.title, task.name) for task in TASKS.values()]),
        "loss": ("Loss", [(f"{loss.title} ({loss.name})", loss.name) for loss in LOSSES.values()]),
        "activation": ("Output activation", activation_options(choice.pairing.task)),
        "hidden": ("Hidden activation", list(HIDDEN)),
        "lr": ("Learning rate", [(f"{rate:g}", rate) for rate in LEARNING_RATES]),
    }
    numbers = {"patience": ("Patience", 1, 100), "epochs": ("Epochs at most", 1, 500), "seed": ("Seed", 0, 9999)}
    boxes = {"normalize": "normalised targets", "prior_bias": "output bias at the prior"}
    value = value_of(choice, field)
    if field in drop_downs:
        label, options = drop_downs[field]
        return menu(label, options, value, style=WIDE, layout={"width": "auto"})
    if field in boxes:
        return widgets.Checkbox(description=boxes[field], value=value, indent=False, layout={"width": "auto"})
    label, low, high = numbers[field]
    limits = {"min": low, "max": high}
    return widgets.BoundedIntText(description=label, value=value, **limits, style=WIDE, layout={"width": "auto"})


def value_of(choice: Choice, field: str) -> object:
    """Return a field of the choice or of its pairing."""
    return getattr(choice.pairing if field in PAIRING_FIELDS else choice, field)


class ChoiceControls(widgets.GridBox):
    """Controls for some fields of a choice; `changed_by_hand` is called with every choice that a person makes."""

    def __init__(self, choice: Choice, fields: Iterable[str], changed_by_hand: Callable[[Choice], None]) -> None:
        self.choice, self.changed_by_hand, self.filling = choice, changed_by_hand, False
        self.fields = {field: make_control(field, choice) for field in fields}
        for field, control in self.fields.items():
            control.observe(lambda event, field=field: self._changed(field, event["new"]), names="value")
        columns = {"grid_template_columns": "repeat(auto-fit, minmax(26em, 1fr))", "grid_gap": "4px 18px"}
        super().__init__(list(self.fields.values()), layout={**columns, "width": "100%"})
        self.show(choice)

    def show(self, choice: Choice) -> None:
        """Show this choice without calling `changed_by_hand`."""
        self.choice, self.filling = choice, True
        try:
            if "activation" in self.fields:
                self.fields["activation"].options = activation_options(choice.pairing.task)
            for field, control in self.fields.items():
                control.value = value_of(choice, field)
            numbers = can_normalise(choice.pairing.task)
            for field, disabled in (("normalize", not numbers), ("prior_bias", numbers)):
                if field in self.fields:
                    self.fields[field].disabled = disabled
        finally:
            self.filling = False

    def _changed(self, field: str, value: object) -> None:
        if self.filling:
            return
        self.show(changed(self.choice, **{field: value}))
        self.changed_by_hand(self.choice)
