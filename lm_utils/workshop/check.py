"""`make check`: what this machine has for the course, and what to do where something is missing."""

import os
import platform
import sys
from collections.abc import Callable, Iterator

from lm_utils.errors import one_line
from lm_utils.workshop.browser import find_browser
from lm_utils.workshop.lock import installed_versions, read_lock

Line = tuple[str, str]  # "ok", "note" or "problem", and a sentence


def main() -> int:
    """Print what was found; the exit code is 1 where something stops the course from working."""
    worst = 0
    for name, look in LOOKS.items():
        try:
            lines = list(look())
        except Exception as error:  # whatever breaks here is what the user needs to read
            lines = [("problem", one_line(error))]
        for state, sentence in lines:
            print(f"{state:8}{name:9}{sentence}", flush=True)
            worst = max(worst, int(state == "problem"))
    return worst


def look_at_python() -> Iterator[Line]:
    """The interpreter."""
    good = sys.version_info >= (3, 11)
    advice = "" if good else "; 3.11 or newer is needed"
    yield ("ok" if good else "problem"), f"{platform.python_version()} at {sys.executable}{advice}"


def look_at_packages() -> Iterator[Line]:
    """The installed versions beside the locked ones."""
    lock = read_lock()
    other = [f"{name} {has}" for name, has in installed_versions("lm_utils").items() if lock.get(name) != has]
    if other:
        yield "note", f"not as locked: {', '.join(other)}; the .venv that `make setup` makes equals the lock"
    else:
        yield "ok", "every installed version is the locked one"


def look_at_torch() -> Iterator[Line]:
    """PyTorch and torchvision, really imported, since a mismatched pair fails only then."""
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    try:
        import torchvision
        from torchvision.ops import nms  # noqa: F401  # the operator that a mismatched pair lacks
    except (ImportError, RuntimeError) as error:
        yield "problem", f"torch {torch.__version__} and torchvision do not match ({error}): run `make setup`"
        return
    yield "ok", f"torch {torch.__version__} and torchvision {torchvision.__version__}, built for {build}"


def look_at_device() -> Iterator[Line]:
    """Where training runs."""
    import torch

    if torch.cuda.is_available():
        yield "ok", torch.cuda.get_device_name()
    else:
        yield "ok", f"CPU, {os.cpu_count()} cores (no CUDA device: everything works, runs take longer)"


def look_at_data() -> Iterator[Line]:
    """Which images the notebooks will use; nothing is downloaded here."""
    from lm_utils.data import describe_data

    yield "ok", describe_data("auto")


def look_at_cache() -> Iterator[Line]:
    """Whether finished runs can be stored."""
    from lm_utils.files import cache_folder, try_to_write

    folder = cache_folder()
    try:
        try_to_write(folder)
    except OSError as error:
        yield "problem", f"{folder} cannot be written ({error.strerror}); name another one in LM_CACHE_DIR"
    else:
        yield "ok", f"finished runs are kept in {folder}"


def look_at_fonts() -> Iterator[Line]:
    """Korean letters in figures."""
    from lm_utils.show.style import rc

    found = rc()["font.family"][1:]
    if found:
        yield "ok", f"{found[0]} draws Korean letters"
    else:
        yield "note", "no font draws Korean letters (Debian: apt-get install fonts-nanum)"


def look_at_browser() -> Iterator[Line]:
    """Chromium, Chrome or Edge for the browser tests."""
    path = find_browser()
    if path:
        yield "ok", f"{path}, for the browser tests"
    else:
        yield "note", "no Chromium, Chrome or Edge (only the browser tests need one; Debian: apt-get install chromium)"


LOOKS: dict[str, Callable[[], Iterator[Line]]] = {
    "Python": look_at_python,
    "packages": look_at_packages,
    "PyTorch": look_at_torch,
    "device": look_at_device,
    "data": look_at_data,
    "cache": look_at_cache,
    "fonts": look_at_fonts,
    "browser": look_at_browser,
}
