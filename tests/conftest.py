"""The same random numbers in every run; an order from quick to slow; what a parallel run keeps together."""

import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import first_images

from lm_utils.data import Splits, load_data
from lm_utils.workshop.test import QUICK

sys.modules.setdefault("rfc3987_syntax", None)  # a grammar that jsonschema would build in seconds for no test
SHARED = ("module", "class", "package")  # the scopes of fixtures that a second process would have to make again


@pytest.fixture(autouse=True)
def the_same_random_numbers():
    """Start every test from the same random state, so that one that passes goes on passing."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def digits() -> Splits:
    """The embedded digits as seed 0 splits them."""
    return load_data("digits", seed=0)


@pytest.fixture(scope="session")
def tiny(digits) -> Splits:
    """Ninety-six images a part: three batches an epoch."""
    return first_images(digits, 96, 96, 96)


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """The kernel that executes lessons, each once, for all tests of a process; see `tests/lesson_kernel.py`."""
    from lesson_kernel import lesson_kernel  # a machine that only tests its GPU has no Jupyter

    with lesson_kernel(tmp_path_factory.mktemp("lessons")) as kernel:
        yield kernel


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file, whose imports take seconds, where its text says that it has none of the tests asked for."""
    asked = config.option.markexpr
    if not re.fullmatch(r"test_\w+\.py", collection_path.name) or asked not in ("alone", QUICK):
        return None
    text = collection_path.read_text("utf-8")
    unasked = "mark.alone" not in text if asked == "alone" else re.search(r"^pytestmark = .*mark\.browser", text, re.M)
    return True if unasked else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort from quick to slow, on several processes from slow to quick, so that none waits at the end for another.

    What shares something goes to one process.
    """
    several = hasattr(config, "workerinput")
    items.sort(key=lambda item: [bool(item.get_closest_marker(name)) for name in ("browser", "slow")], reverse=several)
    items.sort(key=lambda item: in_kernel(item) and not item.get_closest_marker("browser"))  # JupyterLab runs it first
    for item in items:
        group = group_of(item)
        if several and group:
            item.add_marker(pytest.mark.xdist_group(group))
            if hasattr(item, "_id"):  # since pytest 9.2 it stands there, where xdist 3.8 does not write it
                item._id = type(item._id).parse(f"{item.nodeid}@{group}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make sure that the process which hands out the tests is told what belongs together."""
    if hasattr(session.config, "workerinput"):
        assert all("@" in item.nodeid for item in session.items if group_of(item))


def group_of(item: pytest.Item) -> str:
    """The name of what a test shares with others; an empty one, if it can run anywhere.

    JupyterLab starts twice, the explorer's page once, and what a file's own fixtures make is made once.
    """
    if in_kernel(item):
        lesson = re.search(r"(?<!\d)\d\d(?!\d)", item.nodeid)
        return "later lessons" if lesson and lesson[0] >= "08" else "lessons"
    if "served" in getattr(item, "fixturenames", ()):
        return "explorer"
    fixtures = item._fixtureinfo.name2fixturedefs.values() if hasattr(item, "_fixtureinfo") else ()
    return item.path.name if any(fixture.scope in SHARED for found in fixtures for fixture in found) else ""


def in_kernel(item: pytest.Item) -> bool:
    """Say whether a test asks for the kernel that executes lessons."""
    return "kernel" in getattr(item, "fixturenames", ())
