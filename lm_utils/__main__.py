"""`python -m lm_utils COMMAND`: read the options, then import and call the function that does the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from lm_utils.errors import MACHINE_FAULTS, UserError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> None:
        """Say what is wrong, without the usage text."""
        self.exit(2, message.removeprefix("argument ").removeprefix("--") + "\n")


def number(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not {text!r}.")
    return int(text)


def one_of(*words: str) -> type:
    """Return a reader of one out of `words`."""

    def word(text: str) -> str:
        if text not in words:
            raise argparse.ArgumentTypeError(f"expected one of {', '.join(words)}, not {text!r}.")
        return text

    return word


def names(text: str) -> list[str]:
    """Read a list such as 08,11."""
    return [name.strip() for name in text.split(",") if name.strip()]


OPTIONS = {
    "data": {"type": one_of("auto", "mnist", "digits"), "help": "auto, mnist or digits"},
    "seeds": {"type": number, "help": "how many seeds each pairing is trained with"},
    "device": {"type": one_of("auto", "cpu", "cuda"), "help": "auto, cpu or cuda"},
    "jobs": {"type": number, "help": "how many things at once"},
    "cluster": {"help": "the address of a Dask scheduler, such as tcp://HOST:8786"},
    "only": {"type": names, "help": "only these notebooks, for instance 08,11"},
    "families": {"type": names, "help": "only these families, for instance collapse"},
    "fresh": {"action": "store_true", "help": "ignore stored runs and train anew"},
    "grid": {"action": "store_true", "help": "every loss with every activation instead of the documents' rows"},
    "quick": {"action": "store_true", "help": "one small round, only to see that it works"},
    "parts": {"type": names, "help": "only these parts: speed, growth, scale, bf16"},
    "check": {"action": "store_true", "help": "change nothing, only say what is out of date"},
    "translated": {
        "action": "store_true",
        "help": "the Korean cells say what their English ones say now: mark them so",
    },
    "extras": {"type": names, "help": "with what these need: test, site, cluster, bench"},
    "hint": {"type": number, "help": "tell that many hints for the challenge instead of grading"},
    "print-python": {"action": "store_true", "help": "print nothing but the Python to use"},
}
WORDS = {  # what stands after the command without a name
    "number": {"nargs": "?", "type": number, "default": None, "help": "which of the six; all without it"},
    "folder": {"type": Path, "help": "where everything goes, such as a USB stick"},
}


class Command(NamedTuple):
    """A command: what it does, by which function, with which options, fixed arguments, words and extra packages."""

    summary: str
    function: str
    options: tuple[str, ...] = ()
    always: Mapping[str, object] = MappingProxyType({})
    words: tuple[str, ...] = ()
    extra: str | None = None  # as in pyproject.toml


COMMANDS = {
    "run-all": Command(
        "train what is missing, execute every notebook, write build/run-all/index.html",
        "lm_utils.workshop.run_all.command:main",
        ("data", "seeds", "device", "jobs", "only", "fresh"),
    ),
    "test": Command(
        "everything that says whether something broke", "lm_utils.workshop.test:main", ("quick",), extra="test"
    ),
    "explore": Command("the explorer alone, as a web page", "lm_utils.explorer.server:main"),
    "lab": Command("JupyterLab at the start notebook", "lm_utils.workshop.lab:main"),
    "results": Command(
        "the reference results: every row with ten seeds, into results/; with --grid every combination with three",
        "lm_utils.runs.shipped:main",
        ("seeds", "data", "device", "jobs", "cluster", "grid"),
    ),
    "robustness": Command(
        "runs under changed conditions, on fresh seeds, into results/robustness/",
        "lm_utils.runs.robustness:main",
        ("seeds", "data", "device", "jobs", "cluster", "families"),
    ),
    "readme": Command(
        "draw the README's pictures, docs/results.md and the gallery from results/",
        "lm_utils.workshop.publish.readme:main",
    ),
    "bench": Command(
        "speed beside the plain loop and its peers",
        "lm_utils.workshop.bench.command:main",
        ("data", "device", "quick", "parts"),
    ),
    "notebooks": Command(
        "build notebooks/ from notebooks/src/", "lm_utils.workshop.publish.notebooks:main", ("check", "translated")
    ),
    "solutions": Command(
        "build the teacher's edition, with solutions",
        "lm_utils.workshop.publish.notebooks:main",
        always={"solutions": True},
    ),
    "challenge": Command(
        "grade your repairs of the six broken scripts in challenge/",
        "lm_utils.challenge.grade:main",
        ("hint",),
        words=("number",),
    ),
    "slides": Command(
        "build slides of the notebooks into build/slides/, executing the notebooks first where they were not",
        "lm_utils.workshop.publish.slides:main",
        ("data", "seeds", "device", "jobs", "only"),
    ),
    "site": Command(
        "build the web site into build/site/, executing the notebooks first where they were not",
        "lm_utils.workshop.publish.site:main",
        ("data", "seeds", "device", "jobs"),
        extra="site",
    ),
    "card": Command(
        "write the decision card from the verdicts, as page and PDF", "lm_utils.workshop.publish.card:main"
    ),
    "usb": Command(
        "put everything a classroom without a network needs into one folder",
        "lm_utils.workshop.usb:main",
        words=("folder",),
    ),
    "setup": Command("only the set-up", "lm_utils.workshop.setup:main", ("extras", "print-python")),
    "check": Command("what this machine has for the course", "lm_utils.workshop.check:main"),
    "lock": Command("write constraints.txt from this environment", "lm_utils.workshop.lock:main"),
}


def parser() -> Parser:
    """Return the parser of all commands."""
    top = Parser(prog="python -m lm_utils", description="Loss Misuse Lab. One command per line:")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        reader = commands.add_parser(name, help=command.summary, description=command.summary)
        for word in command.words:
            reader.add_argument(word, **WORDS[word])
        for option in command.options:
            reader.add_argument(f"--{option}", **OPTIONS[option], default=argparse.SUPPRESS)
    summary = "examine your own model: module:factory names a function of it"
    commands.add_parser("doctor", help=summary, add_help=False)
    return top


def run(arguments: list[str]) -> int:
    """Call the function behind a command with its options."""
    if arguments[:1] == ["doctor"]:  # it reads its own options
        return import_module("lm_utils.doctor.command").main(arguments[1:])
    options = vars(parser().parse_args(arguments))
    name = options.pop("command")
    if name is None:
        parser().print_help()
        return 0
    command = COMMANDS[name]
    if command.extra:
        import_module("lm_utils.workshop.setup").require_extra(command.extra)
    module, function = command.function.split(":")
    return getattr(import_module(module), function)(**options, **command.always)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code is 2 with one sentence for what a user can cause, 130 after Ctrl-C."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments) or 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "lm_utils").startswith("lm_utils"):
            raise
        advice = "run `python -m lm_utils setup` in the project's folder and use the Python that it names."
        print(f"{error.name} is not installed in {sys.executable}: {advice}", file=sys.stderr)
    except UserError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.errno not in MACHINE_FAULTS:
            raise
        print(error, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
