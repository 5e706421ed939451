"""The same random numbers in every run; quick tests first, slow ones then, those that need a browser last."""

import random

import numpy as np
import pytest
import torch
from helpers import first_images

from lm_utils.data import Splits, load_data


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by how long a test may take; within that, the order stays."""
    items.sort(key=lambda item: (bool(item.get_closest_marker("browser")), bool(item.get_closest_marker("slow"))))
