"""One thread per operation, unless the user chose a number."""

import os
import subprocess
import sys

import pytest

from lm_utils import threads

CHOICES = (  # what a user does before `lm_utils.training` is imported, and after; how many threads a training then has
    ("", "", 1),
    ("torch.set_num_threads(7)", "", 7),
    ("", "torch.set_num_threads(2)", 2),
)
FORKED = """
import os, torch
for before, after, _ in {choices}:
    if not (child := os.fork()):  # torch is loaded once, our training in each child
        exec(before)
        import lm_utils as lm; lm.fit
        exec(after)
        print(torch.get_num_threads(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "choices"), [({}, CHOICES), ({"OMP_NUM_THREADS": "2"}, [("", "", 2)])], ids=["calls", "the variable"]
)
def test_a_training_has_one_thread_unless_the_user_chose_a_number(given, choices):
    code = FORKED.format(choices=choices)
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    shown = subprocess.run([sys.executable, "-c", code], env={**clean, **given}, capture_output=True, text=True)
    assert shown.stdout.split() == [str(expected) for *_, expected in choices], shown.stderr


def test_what_is_started_gets_the_cap_unless_the_user_chose_a_number(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads.capped_environment()["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.capped_environment()["OMP_NUM_THREADS"] == "4"
