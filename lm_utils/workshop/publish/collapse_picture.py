"""The README's animated picture: two networks that differ in their last word, trained side by side."""

import io

from matplotlib.figure import Figure
from PIL import Image

from lm_utils.errors import UserError
from lm_utils.evidence.changed_conditions import BY_NAME, Families, stored
from lm_utils.evidence.results import TITLES
from lm_utils.explorer.figures import WIDTH, title
from lm_utils.show.chart import CONSTANT
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure, png

PAIR = {name: BY_NAME[name].pairing.label for name in ("softmax", "control")}
INNERMOST = "conv1"  # the layer farthest from the loss
DPI, TONES = 90, 64
PACE, REST = 180, 4000  # milliseconds for each epoch and for the last one


def pair() -> Families:
    """Return the stored run of each of the two on the first seed that both have."""
    found = stored("collapse", PAIR)
    seeds = [{run["seed"] for run in runs} for runs in found.values()]
    if len(found) < len(PAIR) or not set.intersection(*seeds):
        raise UserError("results/robustness/ lacks the runs of the README's picture; `make robustness` trains them.")
    first = min(set.intersection(*seeds))
    return {name: [run for run in runs if run["seed"] == first] for name, runs in found.items()}


def epochs(found: Families) -> int:
    """Return how many epochs both were trained."""
    return min(len(run["history"]) for (run,) in found.values())


def collapse_figure(found: Families, until: int) -> Figure:
    """Draw accuracy, and the gradient that reaches the first layer, up to an epoch."""
    figure, (accuracy, gradient) = new_figure(1, 2, WIDTH, 3.6, (0.075, 0.155, 0.985, 0.84, 0.27))
    last = epochs(found)
    for i, (name, (run,)) in enumerate(found.items()):
        look = {"color": COLORS[(0, 3)[i]], "ls": LINES[i], "marker": MARKERS[i], "label": PAIR[name], "clip_on": False}
        shown = [100 * record["valid_metric"] for record in run["history"][:until]]
        accuracy.plot(range(1, len(shown) + 1), shown, **look)
        sizes = [seen[INNERMOST] for seen in run["trace"][: until + 1]]
        gradient.plot(range(len(sizes)), sizes, **look)
    chance = next(run["chance"] for (run,) in found.values())
    accuracy.axhline(100 * chance, label="constant answer", **CONSTANT)
    accuracy.set(xlabel="epoch", ylabel="validation accuracy (%)", ylim=(0, 100))
    gradient.set(xlabel="epoch", yscale="log", ylim=(1e-20, 1))
    title(accuracy, "What you see")
    title(gradient, "What happens: the gradient at the first layer")
    for axes in (accuracy, gradient):
        axes.set(xlim=(0, last), xticks=range(0, last + 1, 5))
    accuracy.legend(loc="center right", framealpha=1)
    words = f"Same network, same images, another loss and output activation: epoch {until}"
    figure.suptitle(words, x=0.075, ha="left", fontsize=14)
    return figure


def still() -> Figure:
    """Draw the last frame, with its alt text, which says in words what it shows."""
    found, told = pair(), []
    until = epochs(found)
    for name, (run,) in found.items():
        accuracy, inside = run["history"][until - 1]["valid_metric"], run["trace"][until]
        told.append(
            f"{PAIR[name]} ends epoch {until} at {accuracy:.1%} validation accuracy, with a mean gradient of"
            f" {inside[INNERMOST]:.0e} at the first layer and {inside['stuck']:.0%} of the hidden activations at a flat"
            " end"
        )
    figure = collapse_figure(found, until)
    figure.set_label(f"{TITLES[run['data']]}, seed {run['seed']}. {'; '.join(told)}.".replace("%", " %"))
    return figure


def animated() -> bytes:
    """Return the picture as a GIF that grows by an epoch a frame, rests at the end and begins again."""
    found = pair()
    files = [io.BytesIO(png(collapse_figure(found, until), DPI)) for until in range(epochs(found) + 1)]
    frames = [Image.open(file).convert("RGB") for file in files]  # without transparency
    palette = frames[-1].quantize(TONES, method=Image.Quantize.MAXCOVERAGE)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    buffer = io.BytesIO()
    pace = [PACE] * len(others) + [REST]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=pace, loop=0, optimize=True)
    return buffer.getvalue()
