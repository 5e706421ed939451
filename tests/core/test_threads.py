"""One thread per operation, unless the user chose a number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lm_utils import threads

CHOICES = {  # what a user does: before `lm_utils.training` is imported, and after; how many threads a training then has
    "nothing": ({}, "", "", 1),
    "the variable": ({"OMP_NUM_THREADS": "2"}, "", "", 2),
    "a call before": ({}, "torch.set_num_threads(7)", "", 7),
    "a call after": ({}, "", "torch.set_num_threads(2)", 2),
}


@pytest.mark.parametrize(("given", "before", "after", "expected"), CHOICES.values(), ids=CHOICES)
def test_a_training_has_one_thread_unless_the_user_chose_a_number(given, before, after, expected):
    code = f"import torch; {before}\nimport lm_utils as lm; lm.fit\n{after}\nprint(torch.get_num_threads())"
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    shown = subprocess.run([sys.executable, "-c", code], env={**clean, **given}, capture_output=True, text=True)
    assert shown.stdout.strip() == str(expected), shown.stderr


def test_what_is_started_gets_the_cap_unless_the_user_chose_a_number(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads.capped_environment()["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.capped_environment()["OMP_NUM_THREADS"] == "4"
