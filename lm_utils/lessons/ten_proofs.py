"""What proves the answers of the ten questions: PyTorch's own behaviour, arithmetic, and the shipped results."""

import math
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from lm_utils.evidence import statistics as st
from lm_utils.evidence.reference_lines import best_metric
from lm_utils.evidence.results import baseline, reference, tested_digits
from lm_utils.pairing import Pairing
from lm_utils.tasks import TASKS

Proof = tuple[str, dict[str, object]]  # the right option's key, and figures for the reading
FITTING = Pairing("multiclass", "cross_entropy")


def softmax_before_cross_entropy() -> Proof:
    """Train one step with softmax before nn.CrossEntropyLoss and count what PyTorch objects to."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(8, 10, generator=generator).requires_grad_()
    errors = 0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            nn.CrossEntropyLoss()(nn.Softmax(dim=1)(outputs), torch.arange(8)).backward()
        except (RuntimeError, ValueError):
            errors = 1
    trains = outputs.grad is not None and bool(outputs.grad.any())
    key = "error" if errors or not trains else "warns" if said else "silent"
    return key, {"warnings": len(said), "errors": errors}


def plateau_of_the_double_softmax() -> Proof:
    """Compare the floor of softmax applied twice with 1.47, and with what knowing nothing costs."""
    perfect = F.one_hot(torch.arange(10), 10).float()  # what softmax emits at its best
    floor = nn.CrossEntropyLoss()(perfect, torch.arange(10)).item()
    nothing = nn.CrossEntropyLoss()(torch.zeros(10, 10), torch.arange(10)).item()
    return "depends" if 1.45 < floor < 1.47 < nothing else "stuck", {"floor": floor, "nothing": nothing}


def loss_of_a_constant_answer() -> Proof:
    """Compute the losses of a network that answers the base rate to everything."""
    targets, rate = F.one_hot(torch.arange(10), 10).float(), 0.1
    same = torch.full((10, 10), rate)
    mse, bce = nn.MSELoss()(same, targets).item(), nn.BCELoss()(same, targets).item()
    return "nothing" if abs(mse - 0.09) < 1e-3 else "good", {"rate": rate, "mse": mse, "bce": bce}


def sigmoid_can_do_ten_classes() -> Proof:
    """Compare ten sigmoids whose output bias starts at the base rates with the same without."""
    collapsed = reference().mean(Pairing("multiclass", "bce", "sigmoid"))
    cured = reference().mean(Pairing("multiclass", "bce", "sigmoid", prior_bias=True))
    key = "start" if cured > 0.9 and collapsed < 0.5 else "expressive"
    return key, {"collapsed": collapsed, "cured": cured, "origin": _origin()}


def bce_with_logits_on_sigmoid() -> Proof:
    """Compute the range that is left when a sigmoid meets another one."""
    low, high = torch.sigmoid(torch.tensor([0.0, 1.0])).tolist()
    floor = nn.BCEWithLogitsLoss()(torch.zeros(1), torch.zeros(1)).item()  # the lowest output a sigmoid has
    key = "log2" if math.isclose(floor, math.log(2), abs_tol=1e-6) else "zero"
    return key, {"low": low, "high": high, "floor": floor}


def one_run_proves_little() -> Proof:
    """Compute the smallest p that one, three and ten paired seeds can reach."""
    one, three, ten = (st.sign_flip_p([0.01 * (1 + seed) for seed in range(n)]) for n in (1, 3, 10))
    return "little" if one > 0.05 and three > 0.05 else "better", {"one": one, "three": three, "ten": ten}


def squared_error_classifies() -> Proof:
    """Compare squared error on softmax with cross-entropy on logits."""
    mse, ce = reference().mean(Pairing("multiclass", "mse", "softmax")), reference().mean(FITTING)
    key = "close" if abs(mse - ce) < 0.01 else "lower" if mse > 0.5 else "chance"
    return key, {"mse": mse, "ce": ce, "origin": _origin()}


def misfit_hides_in_accuracy() -> Proof:
    """Compare softmax applied twice with cross-entropy on logits."""
    double, ce = reference().mean(Pairing("multiclass", "cross_entropy", "softmax")), reference().mean(FITTING)
    key = "not_at_all" if abs(double - ce) < 0.01 else "half" if double > 0.5 else "ten"
    return key, {"double": double, "ce": ce, "origin": _origin()}


def softmax_shares_one_probability() -> Proof:
    """Compute the ceiling of four labels that share one unit of probability."""
    ceiling = best_metric(Pairing("multilabel", "bce", "softmax"), TASKS["multilabel"].target(tested_digits("mnist")))
    least = baseline("multilabel", "mnist")
    return "ceiling" if 0.78 < ceiling < 0.82 else "full", {"ceiling": ceiling, "baseline": least}


def shapes_that_broadcast() -> Proof:
    """Descend on the loss of [N, 1] against [N] and see where the outputs end."""
    targets = torch.tensor([1.0, 2.0, 6.0])
    outputs = torch.zeros(3, 1, requires_grad=True)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(200):
            (slope,) = torch.autograd.grad(nn.MSELoss()(outputs, targets), outputs)
            outputs.data -= slope
    found, mean = outputs.detach().flatten(), targets.mean()
    key = "mean" if torch.allclose(found, mean.expand(3), atol=1e-3) else "right"
    return key, {"warnings": len({str(one.message) for one in said}), "mean": mean.item()}


def _origin() -> str:
    return reference().of_rows("multiclass").origin
