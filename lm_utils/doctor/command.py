"""`python -m lm_utils doctor module:factory`: examine the model of somebody's own code."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module

from lm_utils.doctor.diagnosis import diagnose
from lm_utils.doctor.report import DoctorError, first_sentence, kind_of, known_codes

WANTED = "module:factory, such as train:make, where make() returns (model, loss_fn, inputs, targets)"


def load_factory(spec: str) -> Callable[[], tuple]:
    """Import the module and take the factory out of it."""
    module_name, colon, name = spec.partition(":")
    if not (colon and module_name and name):
        raise DoctorError(f"{spec!r} does not name a factory; expected {WANTED}.")
    if module_name.startswith(".") or "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise DoctorError(f"{module_name!r} is no name of a module; write {dotted}:{name}.")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise DoctorError(f"There is no module {module_name!r} here; run the command in its folder.") from error
        raise DoctorError(f"The module {module_name!r} needs {error.name!r}, which is not installed.") from error
    except (Exception, SystemExit) as error:
        raise DoctorError(f"Importing {module_name!r} failed: {_told(error)}") from error
    factory = getattr(module, name, None)
    if not callable(factory):
        raise DoctorError(f"The module {module_name!r} has no function {name!r}; expected {WANTED}.")
    return factory


def call_factory(factory: Callable[[], tuple], spec: str) -> tuple:
    """The four things that the factory promises."""
    try:
        parts = factory()
    except (Exception, SystemExit) as error:
        raise DoctorError(f"{spec} raised {_told(error)}") from error
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        raise DoctorError(f"{spec} returned {kind_of(parts)}; expected (model, loss_fn, inputs, targets).")
    if not callable(parts[0]) or not callable(parts[1]):
        raise DoctorError(f"{spec} must return a model and a loss that can be called, then inputs and targets.")
    return tuple(parts)


def _told(error: BaseException) -> str:
    """An error's kind and first sentence."""
    return f"{type(error).__name__}: " + first_sentence(error).removeprefix(f"{type(error).__name__}: ")


@contextmanager
def _as_a_program(quiet: bool) -> Iterator[None]:
    """Look in the current folder, hide our options from the user's module, and keep what it prints out of the JSON."""
    path, arguments = sys.path[:], sys.argv[:]
    sys.path.insert(0, "")  # a command started elsewhere still looks in the current folder
    sys.argv[1:] = []
    try:
        with redirect_stdout(sys.stderr if quiet else sys.stdout):
            yield
    finally:
        sys.path[:], sys.argv[:] = path, arguments


def main(argv: list[str] | None = None) -> int:
    """Print the report; 0 without an error, 1 with one (or a warning under --strict), 2 for a bad target."""
    parser = argparse.ArgumentParser(prog="python -m lm_utils doctor", description="Examine your own model and loss.")
    parser.add_argument("target", help=WANTED)
    parser.add_argument("--strict", action="store_true", help="exit code 1 for a warning too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--ignore", action="append", default=[], metavar="CODE", help="leave out findings of this code")
    options = parser.parse_args(argv)
    try:
        ignored = known_codes([code for given in options.ignore for code in given.split(",") if code])
        with _as_a_program(quiet=options.json):
            report = diagnose(*call_factory(load_factory(options.target), options.target)).without(ignored)
    except DoctorError as error:
        print(error, file=sys.stderr)
        return 2
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no such letter
    print(report.as_json() if options.json else report)
    return 1 if report.count("error") or (options.strict and report.count("warning")) else 0
