"""Notebook 15: the browser of claims, the vote, the refutations as figures."""

import pytest
import torch
from made_up_runs import results_of, seeded

from lm_utils.evidence import claims
from lm_utils.evidence import statistics as st
from lm_utils.files import NOTEBOOKS
from lm_utils.lessons import verdicts as lesson
from lm_utils.pairing import Pairing
from lm_utils.show.style import png

COMPUTED = [claims.judge_claim(claim) for claim in claims.claims()
            if claim.document == "004" and claim.kind in ("formula", "library")]  # fmt: skip


def test_the_browser_begins_with_the_refuted_claims_and_follows_its_menus():
    box = lesson.browser(COMPUTED)
    document, verdict, page = *box.controls.values(), box.children[1]
    refuted = len(lesson.chosen(COMPUTED, verdict="refuted"))
    assert page.value.count("<article") == refuted > 0
    verdict.value = "all"
    assert page.value.count("<article") == len(COMPUTED)
    document.value = "004"
    verdict.value = "not tested"
    assert "No claim" in page.value


def test_a_verdict_is_told():
    assert "refuted" in lesson.verdict_on("004-z").data


def test_every_option_of_the_vote_is_answered():
    source = (NOTEBOOKS / "src" / "00_start_here.py").read_text(encoding="utf-8")
    assert all(f'"{option}"' in source for option in lesson.VOTES)


@pytest.mark.parametrize("runs", [True, False])
def test_the_vote_is_told_with_and_without_runs(runs, monkeypatch):
    entries = [seeded(lesson.PRIOR, [0.97] * 3), seeded(lesson.SIGMOIDS, [0.1135] * 3)] if runs else []
    monkeypatch.setattr(lesson, "recall", lambda name: next(iter(lesson.VOTES)))
    told = lesson.vote_answer(results_of(*entries)).data.partition("<details")[0]  # without its folded code
    assert "Your vote was" in told and told.count("- **") == len(lesson.VOTES)
    assert ("97.00 %" in told) == runs


def test_the_published_error_is_above_anything_that_outputs_up_to_one_allow():
    row = Pairing("regression", "bce_logits", normalize=True)
    runs = seeded(row, [18.0] * 3, outputs={"mean_by_digit": [-1.2] * 10})
    outputs = torch.tensor([-1.0, 0.0, 0.5, 1.0])
    cost = torch.tensor([9.0, 1.8, 2.2, 3.57])
    for results in (results_of(), results_of(runs)):
        figure = lesson.bound_figure(outputs, cost, results)
        assert "15.69" in figure.get_label() and "3.57" in figure.get_label() and png(figure)
    assert "between -3.0 and -3.0" in figure.get_label()


def test_both_cuts_are_drawn_for_each_network():
    runs = seeded(Pairing("multilabel", "mse", "softmax"), [0.76] * 10, outputs={"accuracy_at_cut": 0.98, "cut": 0.2})
    figure = lesson.cut_figure(results_of(runs))
    assert "cut at 0.5: 76.0 %" in figure.get_label() and "98.0 %" in figure.get_label() and png(figure)
    assert "Not trained yet" in lesson.cut_figure(results_of()).get_label()


def test_few_seeds_are_said_to_be_few():
    assert st.FEWEST_SEEDS == 6 and st.sign_flip_p([1.0] * 5) > 0.05
