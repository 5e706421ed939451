"""What the explorer trains: a pairing with its training settings, what may be chosen, and six starting points."""

from dataclasses import asdict, dataclass, replace

from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.runs.shipped import activations_for
from lm_utils.tasks import TASKS
from lm_utils.training import LEARNING_RATE

LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1)
PATIENCE = 10


@dataclass(frozen=True)
class Choice:
    """A pairing and how it is trained."""

    pairing: Pairing
    lr: float = LEARNING_RATE
    patience: int = PATIENCE
    epochs: int = 40
    seed: int = 0

    @property
    def label(self) -> str:
        """Return a short name for a legend or a table."""
        rate = "" if self.lr == LEARNING_RATE else f", lr {self.lr:g}"
        return f"{self.pairing.label}{rate}, seed {self.seed}"


def can_normalise(task: str) -> bool:
    """Say whether targets can be standardised: only numbers can. All others have base rates for the output bias."""
    return TASKS[task].kind == "value"


def changed(choice: Choice, **changes: object) -> Choice:
    """Return the choice with some fields changed, of the pairing or of the training, and without senseless options."""
    options = asdict(choice.pairing)
    own = {name: value for name, value in changes.items() if name not in options}
    options |= {name: value for name, value in changes.items() if name in options}
    if options["activation"] not in activations_for(options["task"]):
        options["activation"] = "sigmoid"
    options["normalize"] &= can_normalise(options["task"])
    options["prior_bias"] &= not can_normalise(options["task"])
    return replace(choice, pairing=Pairing(**options), **own)


@dataclass(frozen=True)
class Preset:
    """A starting point of one click: a row of a table."""

    title: str
    told: str  # what to look for
    row: str  # its id among the documents' rows and ours

    @property
    def choice(self) -> Choice:
        """Return the row's pairing, trained as in the documents."""
        return Choice(next(row.pairing for row in rows() if row.id == self.row))


PRESETS = (
    Preset("A pairing that fits", "Ten digits: raw outputs into nn.CrossEntropyLoss.", "twin-multiclass-ce"),
    Preset("The sigmoid that never learns", "Ten digits as ten yes/no questions.", "000-3-4-bce-sigmoid"),
    Preset("Double softmax", "Softmax, then a loss that applies softmax itself.", "000-3-4-ce-softmax"),
    Preset("One softmax", "A single output, through softmax.", "001-3-2-softmax-bce"),
    Preset("Softmax over labels", "Four independent labels share one unit of probability.", "001-3-5-softmax-bce"),
    Preset("The runaway", "Numbers as targets of nn.BCEWithLogitsLoss.", "000-3-1-bce-logits"),
)
