"""The same random numbers in every run; an order from quick to slow; what a parallel run keeps together."""

import random

import numpy as np
import pytest
import torch
from helpers import first_images

from lm_utils.data import Splits, load_data

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort from quick to slow, on several processes from slow to quick, so that none waits at the end for another.

    The tests of one file that share a fixture go to one process.
    """
    several = hasattr(config, "workerinput")
    items.sort(key=lambda item: [bool(item.get_closest_marker(name)) for name in ("browser", "slow")], reverse=several)
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs.values() if hasattr(item, "_fixtureinfo") else ()
        if any(fixture.scope in SHARED for found in fixtures for fixture in found):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
