"""Every line of advice is followed: the finding vanishes, no other appears, and training improves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from doctor_exam.unseen_wrong import Recurrent, alignments, ctc, dice, images, mask_head, rare
from torch import nn
from torch.nn import functional as F

from lm_utils.doctor import diagnose
from lm_utils.doctor.exam.parts import Heads, N, Tagger, Then, classes, inputs, mlp, padded_tokens


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


def x_and(make: Callable):
    """Inputs, and targets that can be learned from them."""
    x = inputs()
    return x, make(x)


def by_sign(x):
    return (x[:, :1] > 0).float()


def by_size(x):
    return x[:, :5].argmax(1)


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
COMPARABLE = {
    "softmax_before_cross_entropy", "sigmoid_before_cross_entropy", "relu_before_cross_entropy", "bounded_logits",
    "sigmoid_before_bce_logits", "relu_before_bce_logits", "nll_on_probabilities", "kl_div_on_probabilities",
    "shapes_broadcast", "shapes_broadcast, own", "activation_twice", "softmax_wrong_axis", "overlap_on_logits",
    "axes_scrambled", "samples_mixed", "better_outputs_cost_more", "range_cannot_reach_targets", "labels_zero_one",
}  # fmt: skip
"""Those whose training can be compared by the corrected loss, on the outputs' own scale."""


def set_ups(code):
    torch.manual_seed(0)
    before, after, data = ADVICE[code]
    x, y = data()
    torch.manual_seed(1)
    wrong = before()
    torch.manual_seed(1)
    mended = after()
    if code == "samples_mixed":
        mended[0].rnn.batch_first = True
    return wrong, mended, x, y


@pytest.mark.parametrize("code", ADVICE)
def test_the_finding_vanishes_when_the_advice_is_followed(code):
    wrong, mended, x, y = set_ups(code)
    found = diagnose(*wrong, x, y)
    assert code.split(",")[0] in found.codes, str(found)
    after = diagnose(*mended, x, y)
    assert after.ok, str(after)


def trained(model, loss, x, y, steps=150):
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()
    return model


def read(outputs, y):
    """What a user reads off the outputs: the share of right classes, or minus the mean squared error."""
    if y.dtype == torch.long:
        return (outputs.argmax(1) == y).float().mean().item()
    if outputs.shape[1] > 1:
        return (outputs.argmax(1) == y.argmax(1)).float().mean().item()
    if bool(((y == 0) | (y == 1)).all()):
        return min(((outputs > cut).float() == y).float().mean().item() for cut in (0.0,))
    return -F.mse_loss(outputs, y.reshape(outputs.shape)).item()


@pytest.mark.parametrize("code", sorted(COMPARABLE))
def test_training_improves_when_the_advice_is_followed(code):
    wrong, mended, x, y = set_ups(code)
    with torch.enable_grad(), pytest.warns(UserWarning) if code == "shapes_broadcast" else torch.enable_grad():
        weak = trained(*wrong, x, y)
    good = trained(*mended, x, y)
    with torch.no_grad():
        assert mended[1](good(x), y) < mended[1](weak(x), y) or read(good(x), y) > read(weak(x), y)
        assert read(good(x), y) >= read(weak(x), y) - 1e-6


def test_a_reshape_is_only_advised_where_it_moves_nothing():
    maps = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1))
    last = diagnose(maps, nn.BCEWithLogitsLoss(), torch.randn(4, 3, 5, 6), torch.rand(4, 5, 6, 2))
    assert last.codes[0] == "shapes_differ" and "reshape" not in last.findings[0].fix
    assert "targets.permute(0, 3, 1, 2)" in last.findings[0].fix
    flat = diagnose(mlp(1), nn.MSELoss(), inputs(), torch.randn(N))
    assert "targets.unsqueeze(-1)" in flat.findings[0].fix
