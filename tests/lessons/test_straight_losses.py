"""Softmax twice beside the absolute error: drawn from the formulas, told from runs alone."""

import math

import pytest
import torch
from made_up_runs import made_up

from lm_utils.evidence.claims import conditions
from lm_utils.lessons import new_data, straight_losses
from lm_utils.runs.conditions import CONFIRMATION, SOFTMAX, STRAIGHT
from lm_utils.show.style import Shown


def test_softmax_twice_is_the_absolute_error_but_for_a_factor_and_a_little():
    drawn = torch.randn(500, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p, digits = torch.softmax(4 * drawn, dim=1), torch.arange(500) % 10
    twice = torch.nn.CrossEntropyLoss(reduction="none")(p, digits)
    absolute = (p - torch.nn.functional.one_hot(digits, 10)).abs().mean(1)
    difference = twice - 5 * absolute
    assert difference.max() - difference.min() < 0.06
    assert twice.max() - twice.min() > 0.9


def test_what_is_charged_is_what_pytorch_charges():
    p, digit = torch.softmax(torch.arange(10, dtype=torch.float64) / 3, dim=0), torch.tensor(3)
    target = torch.nn.functional.one_hot(digit, 10).double()
    asked = {
        "cross-entropy, softmax once": torch.nn.functional.nll_loss(p.log(), digit),
        "softmax twice": torch.nn.functional.cross_entropy(p, digit) - math.log(math.e + 9) + 1,
        "MAE + softmax": 5 * torch.nn.functional.l1_loss(p, target),
        "MSE + softmax": 9 * torch.nn.functional.mse_loss(p, target),
    }
    charged = straight_losses.charges(p)
    assert charged.keys() == asked.keys()
    assert all(charged[name][3] == pytest.approx(value.item()) for name, value in asked.items())


def test_where_a_wrong_class_has_won_the_straight_losses_pull_least():
    slopes = straight_losses.slopes()
    once, twice, absolute, squared = (slopes[name] for name in straight_losses.charges(torch.ones(10)))
    assert once[0] < -0.99 and once[1] > 0.98
    assert all(abs(right) < 0.001 for right, _ in (twice, absolute, squared))  # none of the three lifts the right class
    assert once[1] > 10 * squared[1] > 50 * twice[1] > 250 * absolute[1] > 0  # some push the winner down


def test_the_figure_finds_the_lowest_points():
    told = straight_losses.figure(0.4).get_label()
    assert "softmax once at 0.64; softmax twice at 1.00; MAE + softmax at 1.00; MSE + softmax at 0.64" in told
    assert "softmax once at 1.00" in straight_losses.figure(0.0).get_label()


def runs(family, gain):
    """Made-up runs of these two families; the straight losses are this much better than softmax once."""
    return {
        one.name: [
            {"condition": one.name, "title": one.title,
             **made_up(one.pairing, 200 + i, 0.8 + 0.001 * i + (gain + 0.0001 * i if one.pairing != SOFTMAX else 0))}
            for i in range(10)
        ]
        for one in {"straight": STRAIGHT, "confirmation": CONFIRMATION}[family]
    }  # fmt: skip


def use(monkeypatch, runs_of):
    for place in (straight_losses, new_data, conditions):
        monkeypatch.setattr(place, "under_conditions", lambda family, data: runs_of(family))


def test_nothing_is_asked_or_told_before_it_was_measured(monkeypatch):
    use(monkeypatch, lambda family: {})
    assert "your own answer" in straight_losses.question().data
    assert "Not measured yet" in straight_losses.measured().data
    assert "Not measured yet" in straight_losses.words().data
    assert "Not measured yet" in straight_losses.apart().data


@pytest.mark.parametrize(
    "gain, answer, verdict",
    [(0.02, "it is more", "better"), (0, "it is practically", None), (-0.02, "it is less", "worse")],
)
def test_the_runs_decide_the_answer(monkeypatch, gain, answer, verdict):
    use(monkeypatch, lambda family: runs(family, gain))
    assert straight_losses.question().answer.startswith(answer)
    compared = conditions.straight_comparisons("mnist")
    assert len(compared) == 6 and {name for name, _ in compared} == {conditions.TWICE, conditions.ABSOLUTE}
    assert not verdict or {c.verdict for c in compared.values()} == {verdict}
    told = straight_losses.words().data
    assert told.count("over 10 paired seeds") == 6 and "40 % of training labels at random**: MAE + softmax" in told
    assert straight_losses.apart().data.count("+0.00 points (+0.00 to +0.00)") == 4
    assert isinstance(straight_losses.measured(), Shown)


def test_the_shipped_runs_say_what_notebook_15_says_of_them():
    compared = conditions.straight_comparisons("mnist")
    assert len(compared) == 6
    for (_, kind), told in compared.items():
        assert told.verdict == ("better" if "labels at random" in kind else "worse")
        assert told.verdict == "better" or told.difference.high < -0.01  # behind by a point or more, as was expected
    at_home = conditions.new_data_comparisons(conditions.under_conditions("new-data", "mnist"))
    squared = [c.difference.mean for (name, kind), c in at_home.items() if name == "mse-softmax" and "labels" in kind]
    assert len(squared) == 2 and all(abs(mean) < 0.002 for mean in squared)  # "its marks lie near zero"
    stood_out = ("50 training images", "a tenth of the training images of 5 to 9")
    assert all(at_home["mse-softmax", kind].difference.low > -0.01 for kind in stood_out)  # no slow start
    few, rare = (conditions.absolute_less_twice("mnist")[kind] for kind in stood_out)
    assert few.high < 0 and few.mean < rare.mean < 0
