"""The decision card: one page that goes from task to loss, as Markdown and as PDF, written from the verdicts."""

import hashlib
import math
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nbconvert.filters import markdown2html

from lm_utils.activations import ACTIVATIONS
from lm_utils.errors import UserError
from lm_utils.evidence.reference_lines import bce_on_softmax_floor, double_softmax_floor
from lm_utils.files import DOCS, write_whole
from lm_utils.pairing import recommended, usual_pairing
from lm_utils.show.style import VERDICT_COLORS, VERDICT_SIGNS
from lm_utils.tasks import TASKS
from lm_utils.workshop.browser import find_browser
from lm_utils.workshop.publish.korean import korean
from lm_utils.workshop.templates import TEMPLATES, filled

TOLD = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))  # what no rule says
CODE = re.compile(r"(torch\.sqrt\(nn\.MSELoss\(\)\(out, y\)\)|nn\.\w+(?:\([^)]*\))?)", re.ASCII)
TITLE = "Which loss and which last activation?"
VALUES = {  # that a loss is read against, by the number of classes
    "Cross-entropy of a network that knows nothing, log K": math.log,
    "Lowest cross-entropy when softmax stands before the loss": double_softmax_floor,
    "Lowest nn.BCEWithLogitsLoss when softmax stands before it": bce_on_softmax_floor,
}


class Entry(NamedTuple):
    """One row of the card."""

    task: str
    asks: str
    outputs: str
    fits: tuple[str, ...]
    predict: str
    wrong: tuple[tuple[str, str], ...]  # the verdict, and what happens


def entry(name: str) -> Entry:
    """Return the row of one task."""
    task = TASKS[name]
    targets = TOLD["targets"][task.kind].format(outputs=task.outputs)
    outputs = f"{task.outputs} number{'s' * (task.outputs > 1)} per image; targets: {targets}"
    wrong = [usual_pairing(name, *pair) for pair in TOLD["wrong"][name]]
    told = tuple((p.verdict, f"{ACTIVATIONS[p.activation].title} with {p.rule.code}: {p.advice.reason}") for p in wrong)
    return Entry(task.title, task.question, outputs, fits(name), TOLD["predict"][task.kind], told)


def fits(name: str) -> tuple[str, ...]:
    """Return what fits a task, as code: one line per way to end the network, with all losses that go with it."""
    ways: dict[str, list[str]] = {}
    for pairing in recommended(name):
        end, inside = ACTIVATIONS[pairing.activation].title, pairing.rule.contains
        if inside != "none" and pairing.activation == "none":
            end = f"{end} ({inside} is inside the loss)"
        ways.setdefault(end, []).append(pairing.rule.code)
    return tuple(f"{end} → {', '.join(losses)}" for end, losses in ways.items())


def first_reason(text: str) -> str:
    """Return what is wrong with a pairing, up to the first stop in its reason."""
    pairing, colon, reason = text.partition(": ")
    return f"{pairing}{colon}{re.split('[.;:] ', reason)[0].removesuffix('.')}."


def as_code(text: str) -> str:
    """Set the names of PyTorch's functions as code."""
    return CODE.sub(r"`\1`", text)


TEMPLATES.filters |= {"code": as_code, "first_reason": first_reason}


def markdown(say: Callable[[str], str] = str, short: bool = False) -> str:
    """Return the card as a page; `say` puts each of its texts into another language, `short` is for paper.

    The short card gives one reason each, and has no links.
    """
    entries = [entry(name) for name in TASKS]
    return filled("card.md", say=say, short=short, title=TITLE, signs=VERDICT_SIGNS, entries=entries, values=VALUES)


# --- PDF -----------------------------------------------------------------------------------------------------


def print_page(language: str, say: Callable[[str], str] = str) -> str:
    """Return the card as one page of HTML for the printer."""
    text = markdown(say, short=True)
    for verdict, sign in VERDICT_SIGNS.items():
        text = text.replace(f"{sign} ", f'<b style="color:{VERDICT_COLORS[verdict]}">{sign}</b> ')
    card, end, foot = markdown2html(text).partition("</table>")
    return filled("card.html", language=language, title=say(TITLE), card=card + end, foot=foot)


def mark_of(page: str) -> bytes:
    """Return the last line of a PDF that was printed from this page, so that an unchanged card is not printed again."""
    return b"% page " + hashlib.sha256(page.encode()).hexdigest().encode() + b"\n"


def print_pdf(page: str, pdf: Path) -> bool:
    """Let Chromium print the page, unless the PDF shows it already; say whether the PDF is up to date."""
    if pdf.exists() and pdf.read_bytes().endswith(mark_of(page)):
        return True
    browser = find_browser()
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source, printed = Path(folder, "card.html"), Path(folder, "card.pdf")
        source.write_text(page, encoding="utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}"]
        command = [browser, *flags, f"--print-to-pdf={printed}", source.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if not printed.exists():
            raise UserError(f"{browser} printed no PDF: {done.stderr.strip()[-300:]}")
        pdf.write_bytes(printed.read_bytes().rstrip() + b"\n" + mark_of(page))
    return True


def main(folder: Path = DOCS) -> int:
    """Write decision-card.md and decision-card.pdf, and both in Korean."""
    late = []
    for language, say, target in (("en", str, folder), ("ko", korean, folder / "ko")):
        write_whole(target / "decision-card.md", markdown(say))
        if not print_pdf(print_page(language, say), target / "decision-card.pdf"):
            late.append(str(target / "decision-card.pdf"))
    lacking = f"{' and '.join(late)} need Chromium to be printed; install it, then call this again."
    printed = lacking if late else "Their PDFs are up to date."
    print(f"{folder / 'decision-card.md'} and the page in Korean are written. {printed}")
    return 0
