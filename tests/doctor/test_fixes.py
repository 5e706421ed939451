"""Every line of advice is followed: the finding vanishes, no other appears, and training improves."""

import ast
from collections.abc import Callable
from functools import partial
from math import isnan
from pathlib import Path

import pytest
import torch
from doctor_exam.advice import MORE, by_sign, by_size, one, x_and
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, mlp, padded_tokens
from doctor_exam.score import called_with
from doctor_exam.unseen_wrong import Recurrent, alignments, ctc, dice, images, mask_head, rare
from torch import nn
from torch.nn import functional as F

from lm_utils import doctor
from lm_utils.doctor import diagnose
from lm_utils.doctor.report import table


def soft():
    return torch.randn(N, 5).softmax(1)


def column():
    return inputs()[:, :1]


def tagged(tokens, _):
    return tokens, tokens % 5


def bce(out, y):
    return F.binary_cross_entropy_with_logits(out, y)


def policy(advantage: Callable):
    def loss(outputs, batch):
        (logits, value), (actions, reward) = outputs, batch
        log_prob = F.log_softmax(logits, 1).gather(1, actions[:, None])[:, 0]
        return -(log_prob * advantage(reward, value[:, 0])).mean() + F.mse_loss(value[:, 0], reward)

    return loss


def focal(reduction: str):
    def loss(outputs, targets):
        each = F.cross_entropy(outputs, targets, reduction=reduction)
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    return loss


def tails(out, y, **options):
    return F.cross_entropy(out.reshape(-1, 50), y.reshape(-1), **options)


def found_in(table, kept):
    table = table - table.amax(dim=1, keepdim=kept).detach()
    return -(table.diagonal() - table.logsumexp(1)).mean()


def nearest(a, b):
    return F.cross_entropy(10 * a @ b.T, torch.arange(N))


# code: (model and loss as they were, model and loss with the advice followed, inputs and targets for both)
ADVICE = {
    "softmax_before_cross_entropy": (
        lambda: (mlp(5, nn.Softmax(1)), nn.CrossEntropyLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()),
        lambda: x_and(by_size)),
    "sigmoid_before_cross_entropy": (
        lambda: (mlp(5, nn.Sigmoid()), nn.CrossEntropyLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()),
        lambda: x_and(by_size)),
    "relu_before_cross_entropy": (
        lambda: (mlp(5, nn.ReLU()), nn.CrossEntropyLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()),
        lambda: x_and(by_size)),
    "bounded_logits": (
        lambda: (mlp(5, nn.Tanh()), nn.CrossEntropyLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()),
        lambda: x_and(by_size)),
    "sigmoid_before_bce_logits": (
        lambda: (mlp(1, nn.Sigmoid()), nn.BCEWithLogitsLoss()), lambda: (mlp(1), nn.BCEWithLogitsLoss()),
        lambda: x_and(by_sign)),
    "relu_before_bce_logits": (
        lambda: (mlp(1, nn.ReLU()), nn.BCEWithLogitsLoss()), lambda: (mlp(1), nn.BCEWithLogitsLoss()),
        lambda: x_and(by_sign)),
    "logits_into_bce": (
        lambda: (mlp(1), nn.BCELoss()), lambda: (mlp(1), nn.BCEWithLogitsLoss()), lambda: x_and(by_sign)),
    "nll_on_probabilities": (
        lambda: (mlp(5, nn.Softmax(1)), nn.NLLLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()),
        lambda: x_and(by_size)),
    "nll_on_logits": (
        lambda: (mlp(5), nn.NLLLoss()), lambda: (mlp(5), nn.CrossEntropyLoss()), lambda: x_and(by_size)),
    "kl_div_on_probabilities": (
        lambda: (mlp(5, nn.Softmax(1)), nn.KLDivLoss(reduction="batchmean")),
        lambda: (mlp(5), lambda out, y: F.kl_div(F.log_softmax(out, dim=1), y, reduction="batchmean")),
        lambda: x_and(lambda x: (3 * x[:, :5]).softmax(1))),
    "shapes_broadcast": (
        lambda: (mlp(1), nn.MSELoss()), lambda: (mlp(1), lambda out, y: F.mse_loss(out, y.unsqueeze(-1))),
        lambda: x_and(lambda x: x[:, 0])),
    "shapes_broadcast, own": (
        lambda: (mlp(1), lambda out, y: ((out - y) ** 2).mean()),
        lambda: (mlp(1), lambda out, y: ((out.squeeze(-1) - y) ** 2).mean()), lambda: x_and(lambda x: x[:, 0])),
    "shapes_broadcast, all pairs": (
        lambda: (Heads(a=mlp(1), b=mlp(1), as_tuple=True), lambda o, _: F.softplus(o[0] - o[1].squeeze(-1)).mean()),
        lambda: (Heads(a=mlp(1), b=mlp(1), as_tuple=True), lambda o, _: F.softplus((o[0] - o[1]).squeeze(-1)).mean()),
        lambda: (inputs(), None)),
    "shapes_broadcast, rows to columns": (
        lambda: (Heads(a=mlp(6), b=mlp(6), as_tuple=True), lambda o, _: found_in(o[0] @ o[1].T, False)),
        lambda: (Heads(a=mlp(6), b=mlp(6), as_tuple=True), lambda o, _: found_in(o[0] @ o[1].T, True)),
        lambda: (inputs(), None)),
    "wrong_formula, one length": (
        lambda: (Heads(a=mlp(6), b=mlp(6), as_tuple=True), lambda o, _: nearest(*(t / t.norm() for t in o))),
        lambda: (Heads(a=mlp(6), b=mlp(6), as_tuple=True), lambda o, _: nearest(*(F.normalize(t, dim=1) for t in o))),
        lambda: (inputs(), None)),
    "shapes_broadcast, repeated": (lambda: (mlp(4), nn.MSELoss()), lambda: (mlp(1), nn.MSELoss()), lambda: x_and(one)),
    "activation_twice": (
        lambda: (mlp(5, nn.Softmax(-1)), lambda out, y: F.nll_loss(F.log_softmax(out, -1), y)),
        lambda: (mlp(5), lambda out, y: F.nll_loss(F.log_softmax(out, -1), y)), lambda: x_and(by_size)),
    "softmax_wrong_axis": (
        lambda: (Then(mlp(5), lambda z: F.log_softmax(z, dim=0)), nn.NLLLoss()),
        lambda: (Then(mlp(5), lambda z: F.log_softmax(z, dim=1)), nn.NLLLoss()), lambda: x_and(by_size)),
    "overlap_on_logits": (
        lambda: (mlp(1), dice), lambda: (mlp(1), lambda out, y: dice(out.sigmoid(), y)), lambda: x_and(by_sign)),
    "focal_after_mean": (
        lambda: (mlp(5), focal("mean")), lambda: (mlp(5), focal("none")), lambda: x_and(by_size)),
    "axes_scrambled": (
        lambda: (mask_head(channels=4), lambda out, y: F.cross_entropy(out.reshape(-1, 4), y.reshape(-1))),
        lambda: (mask_head(channels=4),
                 lambda out, y: F.cross_entropy(out.movedim(1, -1).reshape(-1, 4), y.reshape(-1))),
        lambda: (lambda x: (x, (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()))(inputs(3, 6, 6))),
    "samples_mixed": (
        lambda: (Recurrent(3), nn.CrossEntropyLoss()),
        lambda: (Recurrent(3).requires_grad_(), nn.CrossEntropyLoss()),
        lambda: (lambda x: (x, x[:, 0, :3].argmax(1)))(inputs(6, 8))),
    "better_outputs_cost_more": (
        lambda: (mlp(5), lambda out, y: F.log_softmax(out, 1).gather(1, y[:, None]).mean()),
        lambda: (mlp(5), lambda out, y: -F.log_softmax(out, 1).gather(1, y[:, None]).mean()), lambda: x_and(by_size)),
    "gradient_through_advantage": (
        lambda: (Heads(p=nn.Linear(8, 4), v=nn.Linear(8, 1), as_tuple=True), policy(lambda r, v: r - v)),
        lambda: (Heads(p=nn.Linear(8, 4), v=nn.Linear(8, 1), as_tuple=True), policy(lambda r, v: (r - v).detach())),
        lambda: (inputs(), (classes(4), torch.rand(N)))),
    "dead_term": (
        lambda: (mlp(5), lambda out, y: F.cross_entropy(out, y) + 0.1 * out.abs().mean().item()),
        lambda: (mlp(5), lambda out, y: F.cross_entropy(out, y) + 0.1 * out.abs().mean()), lambda: x_and(by_size)),
    "ctc_on_logits": (
        lambda: (Tagger(6), ctc), lambda: (Then(Tagger(6), lambda z: F.log_softmax(z, dim=-1)), ctc),
        lambda: (torch.randint(0, 50, (N, 12)), alignments())),
    "variance_not_positive": (
        lambda: (Heads(m=nn.Linear(8, 1), v=nn.Linear(8, 1), as_tuple=True),
                 lambda out, y: F.gaussian_nll_loss(out[0], y, out[1])),
        lambda: (Heads(m=nn.Linear(8, 1), v=nn.Linear(8, 1), as_tuple=True),
                 lambda out, y: F.gaussian_nll_loss(out[0], y, F.softplus(out[1]) + 1e-6)),
        lambda: (inputs(), torch.randn(N, 1))),
    "padding_not_ignored": (
        lambda: (Tagger(50), tails), lambda: (Tagger(50), partial(tails, ignore_index=0)),
        lambda: padded_tokens(pad=0)),
    "class_weight_reversed": (
        lambda: (mlp(2), nn.CrossEntropyLoss(weight=torch.tensor([0.9, 0.1]))),
        lambda: (mlp(2), nn.CrossEntropyLoss(weight=64 / torch.bincount(rare(0.1)))),
        lambda: (torch.randn(64, 8), rare(0.1))),
    "class_weight_reversed, negative": (
        lambda: (mlp(2), nn.CrossEntropyLoss(weight=1 - torch.bincount(rare(0.1)) / 12)),
        lambda: (mlp(2), nn.CrossEntropyLoss(weight=64 / torch.bincount(rare(0.1)))),
        lambda: (torch.randn(64, 8), rare(0.1))),
    "pos_weight_reversed": (
        lambda: (mlp(1), nn.BCEWithLogitsLoss(pos_weight=torch.tensor([0.1]))),
        lambda: (mlp(1), nn.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0]))),
        lambda: (torch.randn(64, 8), rare(0.1).float()[:, None])),
    "range_wider_than_targets": (
        lambda: (mask_head(nn.Tanh(), channels=3), nn.L1Loss()),
        lambda: (mask_head(nn.Sigmoid(), channels=3), nn.L1Loss()), lambda: (inputs(3, 6, 6), images())),
    "range_cannot_reach_targets": (
        lambda: (mlp(1, nn.Sigmoid()), nn.MSELoss()), lambda: (mlp(1), nn.MSELoss()),
        lambda: x_and(lambda x: 3 * x[:, :1])),
    "bounded_critic": (
        lambda: (mlp(1, nn.Sigmoid()), lambda out, real: out[real == 0].mean() - out[real == 1].mean()),
        lambda: (mlp(1), lambda out, real: out[real == 0].mean() - out[real == 1].mean()),
        lambda: (inputs(), (torch.arange(N) % 2)[:, None])),
    "labels_zero_one": (
        lambda: (mlp(1), nn.SoftMarginLoss()), lambda: (mlp(1), lambda out, y: F.soft_margin_loss(out, 2 * y - 1)),
        lambda: x_and(by_sign)),
}  # fmt: skip
ADVICE |= MORE
SPOKEN_OF = {"not_looked_at", "unknown_loss"}  # their advice is that nothing needs to be done
NEEDS_CUDA = {"would_kill_device"}  # tested in test_gpu_guard
SAME_MINIMUM = {  # the two set-ups are least at the same weights: the advice changes the value, how fast it falls, or
    # what it is worth to reach it
    "kl_div_mean", "log_softmax_before_cross_entropy", "mean_over_padding", "loss_not_scalar", "large_targets",
    "labels_not_signs", "targets_repeated", "targets_do_not_sum_to_one", "wrong_formula, weights",
    "unstable_formula", "mask_before_sigmoid", "target_in_view", "wrong_formula, labels moved",
    "wrong_formula, marks as places", "wrong_formula, noise", "wrong_formula, sum and mean",
    "wrong_formula, places", "changed_in_place", "batch_norm_momentum", "shapes_broadcast, all pairs",
    "wrong_formula, pieces", "target_in_view, hidden",
}  # fmt: skip
MEASURES = {  # where the mended loss is no measure of what the wrong one emits
    "gradient_through_advantage": lambda out, y: F.mse_loss(out[1][:, 0], y[1]),
    "ctc_on_probabilities": lambda out, y: ctc(out.log() if bool((out > 0).all()) else out, y),
    "kl_div_on_logits": lambda out, y: F.kl_div(F.log_softmax(out, 1), y, reduction="batchmean"),
    "nll_not_normalised": F.cross_entropy,
}


def codes_of_the_doctor() -> set[str]:
    """Every code that stands in the package: in a Finding, or in the tables of sentences."""
    found = {row["code"] for row in table("misfits.csv")} | {row["key"].split(":")[0] for row in table("sentences.csv")}
    for file in Path(doctor.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
            if named and not isinstance(node.args[0], ast.Subscript):  # else it is read from a table
                names = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
                found |= set(names) or ({"would_kill_device", "loss_fails"} if node.args[0].id == "name" else set())
    return found


def set_ups(code):
    """Return (model, loss, inputs, targets) before and after, from the same seeds."""
    before, after, data, *mend = ADVICE[code]
    found = []
    for make, change in ((before, None), (after, mend[0] if mend else None)):
        torch.manual_seed(0)
        x, y = data()
        x, y = change(x, y) if change else (x, y)
        torch.manual_seed(1)
        found.append((*make(), x, y))
    if code == "samples_mixed":
        found[1][0].rnn.batch_first = True
    if code == "no_better_than_constant":
        trained(*found[1])
    return found


def test_every_code_has_its_advice_followed():
    assert codes_of_the_doctor() - SPOKEN_OF - NEEDS_CUDA == {code.split(",")[0] for code in ADVICE}


@pytest.mark.parametrize("code", ADVICE)
def test_the_finding_vanishes_when_the_advice_is_followed(code):
    wrong, mended = set_ups(code)
    found = diagnose(*wrong)
    assert code.split(",")[0] in found.codes, str(found)
    after = diagnose(*mended)
    assert after.ok and code.split(",")[0] not in after.codes, str(after)


def trained(model, loss, x, y, steps=60):
    """Train the model, and what the loss says that it learns beside it; return the model."""
    free = [*model.parameters(), *getattr(loss, "learns", nn.Identity()).parameters()]
    optimiser = torch.optim.Adam(free, 0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(called_with(model, x), y).backward()
        optimiser.step()
    return model


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("code", [code for code in ADVICE if code not in SAME_MINIMUM])
def test_training_improves_when_the_advice_is_followed(code):
    """The mended set-up learns, and better than the wrong one; some wrong ones cannot be trained at all."""
    wrong, mended = set_ups(code)
    cost = MEASURES.get(code, mended[1])

    @torch.no_grad()
    def reads(model):
        return cost(called_with(model, mended[2]), mended[3]).item()

    fresh, good = reads(mended[0]), reads(trained(*mended))
    assert good < fresh or code == "no_better_than_constant"
    try:
        weak = reads(trained(*wrong))
    except (RuntimeError, TypeError, AttributeError, IndexError, ValueError):
        return  # an error says it, or no gradient arrives
    assert good < weak or isnan(weak)


def test_the_mean_over_what_counts_does_not_depend_on_padding():
    (_, over_all, _, _), (_, over_what_counts, _, _) = set_ups("mean_over_padding")
    out, goal, mask = torch.zeros(4, 6), torch.ones(4, 6), torch.ones(4, 6)
    longer = [F.pad(part, (0, 6)) for part in (out, goal, mask)]
    assert over_what_counts(out, (goal, mask)) == over_what_counts(longer[0], longer[1:]) == 1
    assert over_all(longer[0], longer[1:]) == 0.5


def test_a_reshape_is_only_advised_where_it_moves_nothing():
    maps = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1))
    last = diagnose(maps, nn.BCEWithLogitsLoss(), torch.randn(4, 3, 5, 6), torch.rand(4, 5, 6, 2))
    assert last.codes[0] == "shapes_differ" and "reshape" not in last.findings[0].fix
    assert "targets.permute(0, 3, 1, 2)" in last.findings[0].fix
    flat = diagnose(mlp(1), nn.MSELoss(), inputs(), torch.randn(N))
    assert "targets.unsqueeze(-1)" in flat.findings[0].fix
