"""The base installation: the core and the doctor run where nothing of the extras is installed."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lm_utils.files import PROJECT
from lm_utils.workshop.lock import installed_versions

BASE = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
BLOCK = """
import sys

import pytest
from importlib.machinery import PathFinder

class BaseOnly(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {blocked} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = BaseOnly
"""
USE = """
import torch
import lm_utils as lm
data = lm.load_data("digits")
run = lm.fit(lm.Pairing("multiclass", "cross_entropy"), data, max_epochs=2, device="cpu")
print(run.status, run.epochs)
images, digits = data.train.images[:32], data.train.digits[:32]
report = lm.diagnose(torch.nn.Sequential(lm.CNN(10), torch.nn.Softmax(1)), torch.nn.CrossEntropyLoss(), images, digits)
print(report.findings[0].code)
try:
    lm.sweep
except ValueError as sentence:
    print(sentence)
"""


def modules_beyond_the_base() -> list[str]:
    """Return the installed modules that no base dependency brings, directly or not."""
    needed = {canonicalize_name(Requirement(line).name) for line in BASE} | {"lm-utils"}
    needed = needed.union(*(installed_versions(line) for line in BASE))
    homes = packages_distributions()
    return [name for name in homes if not needed & {canonicalize_name(home) for home in homes[name]}]


def test_the_base_is_torch_and_what_the_digits_need():
    assert {Requirement(line).name for line in BASE} == {"torch", "torchvision", "numpy", "scikit-learn", "filelock"}


@pytest.mark.slow
def test_core_and_doctor_run_on_the_base_alone_and_a_sweep_says_what_it_lacks():
    blocked = modules_beyond_the_base()
    assert {"pandas", "matplotlib", "IPython", "tqdm", "torchinfo"} <= set(blocked)
    code = BLOCK.format(blocked=json.dumps(blocked)) + USE
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[:2] == ["ok 2", "softmax_before_cross_entropy"]
    (sentence,) = shown.stdout.splitlines()[2:]
    assert sentence.startswith("lm_utils.sweep needs ") and sentence.endswith("pip install 'lm_utils[course]'.")
