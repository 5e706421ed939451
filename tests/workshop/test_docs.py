"""The pages: every link and anchor leads somewhere, every command exists, and what they show runs."""

import math
import re
import tomllib
from pathlib import Path

import pytest
import torch
from torch import nn

import lm_utils as lm
from lm_utils import __main__ as command_line
from lm_utils.files import PROJECT
from lm_utils.lessons import is_it_learning

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "challenge/*.md", "notebooks/*.md")
    for path in PROJECT.glob(pattern)
    if "mine" not in path.relative_to(PROJECT).parts
)
NAMES = [page.relative_to(PROJECT).as_posix() for page in PAGES]
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
MADE_LATER = ("build/",)  # made by a command, not part of a checkout
OTHER_COMMANDS = {"doctor"}  # has its own parser


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def code(text: str) -> str:
    """Everything a page sets as code, in blocks or in a line."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", without_code(text))])


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on the web."""
    heads = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).lower().strip() for head in heads]
    return {re.sub(r"[^\w\- ]", "", head).replace(" ", "-") for head in plain}


def links(name: str) -> list[str]:
    """Where a page's links and pictures lead."""
    found = LINK.findall(without_code(text_of(name)))
    return [link or picture for link, picture in found]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    lost = []
    for link in links(name):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (PROJECT / name).parent / path if path else PROJECT / name
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_the_pages_of_a_classroom_are_there():
    expected = {"docs/teachers-guide.md", "docs/debugging-ritual.md", "docs/decision-card.md", "docs/glossary.md",
                "docs/references.md", "CONTRIBUTING.md", "README.md", "challenge/README.md"}  # fmt: skip
    assert expected <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists(name):
    shown = code(text_of(name))
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    make = set(re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]+)", shown, flags=re.MULTILINE))
    module = set(re.findall(r"-m lm_utils ([a-z][a-z-]+)", shown))
    assert make <= targets
    assert module <= set(command_line.COMMANDS) | OTHER_COMMANDS


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_of_make_is_one(name):
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    used = re.findall(r"make [a-z-]+((?: [A-Z]+=\S+)+)", code(text_of(name)))
    names = {word.split("=")[0] for group in used for word in group.split()}
    assert all(f"$${{{word}" in makefile or f"$({word})" in makefile for word in names)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_named_in_code_exists(name):
    """Such as lm_utils/tasks.py or results/mnist/."""
    named = re.findall(r"`((?:lm_utils|tests|notebooks|docs|results|challenge|site)/[\w./-]*)`", text_of(name))
    made = ("notebooks/ko", "challenge/mine", "results/robustness", "results/gpu", "results/bench")
    gone = [path for path in named if "NN_" not in path and "WHAT" not in path and not path.startswith(made)
            and not (PROJECT / path).exists()]  # fmt: skip
    assert gone == []


def test_the_code_of_the_ritual_runs():
    """Its blocks, one after the other, on a healthy network."""
    torch.manual_seed(0)
    images = lm.load_data("digits").train
    inputs, targets = images.images[:32], images.digits[:32]
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.Sigmoid(), nn.Linear(64, 10))
    names = {"model": model, "loss_fn": nn.CrossEntropyLoss(), "inputs": inputs, "targets": targets, "classes": targets}
    for block in re.findall(r"```python\n(.*?)```", text_of("docs/debugging-ritual.md"), flags=re.DOTALL):
        exec(block, names)
    assert names["losses"][-1] < names["losses"][0]
    units = model[:3](inputs.to(torch.float32))
    assert 0 <= is_it_learning.stuck_units(units) <= 1


def test_the_figures_of_the_ritual_are_right():
    text = text_of("docs/debugging-ritual.md")
    lazy = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    assert f"{lazy:.4f}" in text and f"{math.log(2):.4f}" in text


def test_the_glossary_is_rich_and_has_three_columns_and_a_meaning():
    rows = [line for line in text_of("docs/glossary.md").splitlines() if re.match(r"\| [^-K]", line)]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert len(cells) >= 40 and all(len(row) == 4 for row in cells)
    korean = [row[0].strip() for row in cells]
    assert all(re.search(r"[가-힣]", word) for word in korean) and len(set(korean)) == len(korean)
    assert all(row[1].strip() and row[3].strip() for row in cells)


def test_the_citation_names_title_version_and_licence():
    lines = dict(re.findall(r"^([a-z-]+): (.+)$", text_of("CITATION.cff"), flags=re.MULTILINE))
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert lines["version"] == project["version"] and lines["license"] == project["license"]
    assert "Loss Misuse Lab" in lines["title"]
