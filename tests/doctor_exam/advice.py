"""What each finding advises, followed: a set-up that gives the code, and the same with the advice taken.

`code: (model and loss before, model and loss after, inputs and targets[, inputs and targets after])`.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.parts import Heads, N, Tagger, Then, inputs, mlp
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part
from doctor_exam.unseen_wrong import alignments, ctc, dice

CE, BCE, LOGITS, MSE = nn.CrossEntropyLoss(), nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.MSELoss()
KL = nn.KLDivLoss(reduction="batchmean")


def x_and(make: Callable, x: Callable = inputs):
    """Inputs, and targets that can be learned from them."""
    values = x()
    return values, make(values)


def by_sign(x):
    return (x[:, :1] > 0).float()


def by_size(x):
    return x[:, :5].argmax(1)


def labelled(x):
    return (x[:, :5] > 0).float()


def shares(x):
    return (3 * x[:, :5]).softmax(1)


def signs(x):
    return 2 * by_sign(x) - 1


def one(x):
    return x[:, :1]


def in_place(out, y):
    y[y == 4] = 0
    return CE(out, y)


def dropping(meant):
    return Part(lambda self, x: self.out(F.dropout(self.first(x).relu(), 0.5, meant(self))),
                first=nn.Linear(8, 32), out=nn.Linear(32, 5))  # fmt: skip


def variational(reduction, sign=1, end=None, latent=4, over=lambda each: each.sum(1)):
    """An autoencoder of codes that are drawn."""

    def forward(self, x):
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (log_var / 2).exp()), mean, log_var

    def loss(out, x):
        distance = F.binary_cross_entropy if end else F.mse_loss
        error = distance(out[0], x, reduction=reduction) / (1 if reduction == "mean" else len(x))
        return error - sign * 0.5 * over(1 + out[2] - out[1] ** 2 - out[2].exp()).mean()

    x, ends = torch.rand(N, 64), (end,) if end else ()
    return Part(forward, encode=dense(64, 32, 2 * latent), decode=dense(latent, 32, 64, ends=ends)), loss, x, x


def scaled_by(factor):
    model = mlp(5)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(factor)
    return model


def dead():
    model = mlp(5)
    nn.init.constant_(model[0].bias, -1e3)
    return model


def astray():
    model = mlp(5)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model


def two_heads(*ends):
    return Heads(mean=nn.Linear(8, 3), log_var=nn.Sequential(nn.Linear(8, 3), *ends), as_tuple=True)


def likelihood(out, y):
    return (0.5 * out[1] + 0.5 * (y - out[0]) ** 2 * torch.exp(-out[1])).mean()


def cox(out, y):
    return -((out - out.flip(0).logcumsumexp(0).flip(0)) * y).sum()


class Between(nn.Module):
    """Something before and between two layers; a scale that may be a parameter or not."""

    def __init__(self, start=lambda x: x, middle=lambda z: z, scale=None):
        super().__init__()
        self.first, self.second, self.start, self.middle = nn.Linear(8, 8), nn.Linear(8, 5), start, middle
        if scale is not None:
            self.scale = scale

    def forward(self, x):
        hidden = self.middle(self.first(self.start(x)))
        return self.second(torch.relu(hidden)) * getattr(self, "scale", 1)


class Both(nn.Module):
    """Two inputs as two arguments."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(16, 5)

    def forward(self, a, b):
        return self.out(torch.cat([a, b], 1))


def bootstrapped(still: bool):
    slow = nn.Linear(1, 1)

    def loss(out, y):
        goal = y + 0.9 * slow(y)
        return F.mse_loss(out, goal.detach() if still else goal)

    loss.learns = slow
    return mlp(1), loss


def divergence(formula: Callable):
    return (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 3), log_var=nn.Linear(8, 3), as_tuple=True),
            lambda out, x: F.mse_loss(out[0], x) + 0.1 * formula(out[1], out[2]))  # fmt: skip


def weighed(right: bool):
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])

    def loss(out, y):
        each = F.cross_entropy(out, y, weight=None if right else weight, reduction="none")
        return ((weight[y] if right else 1) * (1 - torch.exp(-each)) ** 2 * each).mean()

    return mlp(5), loss


def spread(formula: Callable):
    return (Heads(mean=nn.Linear(8, 1), log_var=nn.Linear(8, 1), as_tuple=True),
            lambda out, y: formula(out[0], out[1], y))  # fmt: skip


def by_hand(out, y):
    p = out.sigmoid()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def lengths(x):
    return x[:, :6], (torch.arange(6) < torch.randint(2, 6, (N, 1))).float()


def masked(out, y):
    return ((out - y[0]) ** 2 * y[1]).mean()


def over_what_counts(out, y):
    each, mask = (out - y[0]) ** 2, y[1]
    return (each * mask).sum() / mask.expand_as(each).sum()


def long_batch():
    return torch.randn(64, 8)


class Pool(nn.Module):
    """The steps that a mask shows, weighed by a softmax of their scores."""

    def __init__(self, hide: Callable):
        super().__init__()
        self.score, self.out, self.hide = nn.Linear(8, 1), nn.Linear(8, 5), hide

    def forward(self, x, mask):
        return self.out((torch.softmax(self.hide(self.score(x)[..., 0], mask), 1)[..., None] * x).sum(1))


def steps_and_mask():
    """One step of each text is shown, of the first all are; the others are loud noise."""
    mask = F.one_hot(torch.arange(N) % 4, 4).float()
    x = torch.where(mask[..., None] > 0, 1, 5) * torch.randn(N, 4, 8)
    return (x, mask.index_fill(0, torch.tensor([0]), 1.0)), x[mask > 0][:, :5].argmax(1)


def alike():
    model = mlp(5)
    for weight in model.parameters():
        nn.init.constant_(weight, 0.1)
    return model


def deep(*between: nn.Module):
    return nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(8, 8), *between)], nn.Linear(8, 5))


def counted():
    """Texts that count upwards."""
    tokens = (torch.randint(0, 50, (N, 1)) + torch.arange(9)) % 50
    return tokens, tokens.clone()


class Hiding(nn.Module):
    """Guess tokens of which the model hides some from itself; hand out which."""

    def __init__(self):
        super().__init__()
        self.net = Tagger(50)

    def forward(self, x):
        """Return scores and what was hidden."""
        hidden = torch.rand(x.shape) < 0.5
        return self.net(torch.where(hidden, 0, x)), hidden


def coloured():
    """Pictures and masks of three equal channels."""
    x = torch.randn(N, 3, 6, 6)
    return x, (x[:, :1] > 0).float().repeat(1, 3, 1, 1)


def overlap(p, y):
    return 1 - 2 * (p * y).sum() / (p.sum() + y.sum())


def pieces(z, y):
    return z.flatten(0, 1).split(20), y.flatten().split(20)


def shuffled():
    """Texts whose next token nobody can know."""
    tokens = torch.randint(0, 50, (N, 9))
    return tokens, tokens.clone()


class Reader(nn.Module):
    """A tagger that reads in both directions, or in one."""

    def __init__(self, both: bool):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(50, 16), nn.GRU(16, 16, batch_first=True, bidirectional=both)
        self.out = nn.Linear(32 if both else 16, 50)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])


def words(out, y):
    return F.cross_entropy(out.reshape(-1, 50), y.reshape(-1))


def marks(x):
    """The first half of the samples is marked."""
    return (torch.arange(N) < N // 2).long()


def drawn(share: float):
    """A variational autoencoder whose noise is multiplied by the exponential of a share of log_var."""

    class Drawn(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode, self.decode = nn.Linear(8, 6), nn.Linear(3, 8)

        def forward(self, x):
            mean, log_var = self.encode(x).chunk(2, 1)
            return self.decode(mean + torch.randn_like(mean) * (share * log_var).exp()), mean, log_var

    def loss(out, x):
        return F.mse_loss(out[0], x) - 0.05 * (1 + out[2] - out[1] ** 2 - out[2].exp()).sum(1).mean()

    return Drawn(), loss


def half_wrong(x):
    """Labels of which half are wrong and weigh nothing."""
    weights = (torch.arange(N) % 2).float()
    return torch.where(weights > 0, by_size(x), (by_size(x) + 1) % 5), weights


def pixels_and_mask(x):
    return (x[:, :1] > 0).float(), (x[:, 1:2] > 0).float()


MORE = {
    "all_targets_ignored": (lambda: (mlp(5), CE), lambda: (mlp(5), CE),
                            lambda: x_and(lambda x: by_size(x) * 0 - 100), lambda x, y: (x, by_size(x))),
    "all_weights_frozen": (lambda: (mlp(5).requires_grad_(False), CE), lambda: (mlp(5).requires_grad_(True), CE),
                           lambda: x_and(by_size)),
    "arguments_swapped": (lambda: (mlp(1, nn.Sigmoid()), lambda out, y: F.binary_cross_entropy(y, out)),
                          lambda: (mlp(1, nn.Sigmoid()), F.binary_cross_entropy), lambda: x_and(by_sign)),
    "backward_fails": (lambda: (Then(mlp(5), lambda z: z.exp().add_(1)), MSE),
                       lambda: (Then(mlp(5), lambda z: z.exp() + 1), MSE), lambda: x_and(lambda x: 1 + x[:, :5].exp())),
    "bounded_outputs_before_bce_logits": (
        lambda: (Then(mlp(1), lambda z: torch.special.expit(z) * 0.99 + 0.005), LOGITS), lambda: (mlp(1), LOGITS),
        lambda: x_and(by_sign)),
    "bounded_outputs_before_cross_entropy": (
        lambda: (Then(mlp(5), lambda z: torch.special.expit(z) * 0.99 + 0.005), CE), lambda: (mlp(5), CE),
        lambda: x_and(by_size)),
    "clamped_logits_into_bce": (lambda: (Then(mlp(1), lambda z: z.clamp(0, 1)), BCE), lambda: (mlp(1), LOGITS),
                                lambda: x_and(by_sign)),
    "class_index_out_of_range": (lambda: (mlp(5), CE), lambda: (mlp(5), lambda out, y: CE(out, y - 1)),
                                 lambda: x_and(lambda x: by_size(x) + 1)),
    "class_index_type": (lambda: (mlp(5), CE), lambda: (mlp(5), lambda out, y: CE(out, y.long())),
                         lambda: x_and(lambda x: by_size(x).float())),
    "classes_not_second": (lambda: (nn.Linear(8, 5), CE),
                           lambda: (nn.Linear(8, 5), lambda out, y: CE(out.transpose(1, 2), y)),
                           lambda: x_and(lambda x: x[..., :5].argmax(-1), lambda: inputs(6, 8))),
    "ctc_on_probabilities": (lambda: (Then(Tagger(6), lambda z: z.softmax(-1)), ctc),
                             lambda: (Then(Tagger(6), lambda z: z.log_softmax(-1)), ctc),
                             lambda: (torch.randint(0, 50, (N, 12)), alignments())),
    "dead_layer": (lambda: (dead(), CE), lambda: (mlp(5), CE), lambda: x_and(by_size)),
    "different_devices": (lambda: (mlp(5), CE), lambda: (mlp(5), CE), lambda: x_and(lambda x: by_size(x).to("meta")),
                          lambda x, y: (x, by_size(x))),
    "gradient_into_target": (lambda: bootstrapped(False), lambda: bootstrapped(True), lambda: x_and(one)),
    "gradient_not_finite": (
        lambda: (mlp(5), lambda out, y: F.mse_loss(out, y) + (out - out).pow(2).sum().sqrt()),
        lambda: (mlp(5), lambda out, y: F.mse_loss(out, y) + torch.sqrt((out - out).pow(2).sum() + 1e-12)),
        lambda: x_and(lambda x: x[:, :5])),
    "ignored_class": (lambda: (mlp(5), nn.CrossEntropyLoss(ignore_index=0)), lambda: (mlp(5), CE),
                      lambda: x_and(by_size)),
    "integer_targets": (lambda: (mlp(1), LOGITS), lambda: (mlp(1), lambda out, y: LOGITS(out, y.float())),
                        lambda: x_and(lambda x: by_sign(x).long())),
    "kl_div_mean": (lambda: (mlp(5, nn.LogSoftmax(1)), nn.KLDivLoss()), lambda: (mlp(5, nn.LogSoftmax(1)), KL),
                    lambda: x_and(shares)),
    "kl_div_on_logits": (lambda: (mlp(5), KL), lambda: (mlp(5, nn.LogSoftmax(1)), KL), lambda: x_and(shares)),
    "kl_targets_are_logarithms": (
        lambda: (mlp(5, nn.LogSoftmax(1)), KL),
        lambda: (mlp(5, nn.LogSoftmax(1)), nn.KLDivLoss(reduction="batchmean", log_target=True)),
        lambda: x_and(lambda x: shares(x).log())),
    "kl_targets_are_probabilities": (
        lambda: (mlp(5, nn.LogSoftmax(1)), nn.KLDivLoss(reduction="batchmean", log_target=True)),
        lambda: (mlp(5, nn.LogSoftmax(1)), KL), lambda: x_and(shares)),
    "labels_not_signs": (
        lambda: (mlp(1), nn.SoftMarginLoss()),
        lambda: (mlp(1), lambda out, y: F.soft_margin_loss(out, torch.where(y > 0, 1.0, -1.0))),
        lambda: x_and(lambda x: torch.where(one(x) > 0, 3.0, -2.0))),
    "large_targets": (lambda: (mlp(1), MSE), lambda: (mlp(1), MSE), lambda: x_and(lambda x: 500 + 50 * one(x)),
                      lambda x, y: (x, (y - y.mean()) / y.std())),
    "inputs_not_scaled": (lambda: (mlp(1), MSE), lambda: (mlp(1), MSE), lambda: (90 + 20 * inputs(), torch.randn(N, 1)),
                          lambda x, y: ((x - x.mean(0)) / x.std(0), y)),
    "log_probabilities_into_bce": (lambda: (mlp(5, nn.LogSoftmax(1)), BCE), lambda: (mlp(5), LOGITS),
                                   lambda: x_and(labelled)),
    "log_sigmoid_before_bce_logits": (lambda: (mlp(1, nn.LogSigmoid()), LOGITS), lambda: (mlp(1), LOGITS),
                                      lambda: x_and(by_sign)),
    "log_softmax_before_bce_logits": (lambda: (mlp(5, nn.LogSoftmax(1)), LOGITS), lambda: (mlp(5), LOGITS),
                                      lambda: x_and(labelled)),
    "log_softmax_before_cross_entropy": (lambda: (mlp(5, nn.LogSoftmax(1)), CE),
                                         lambda: (mlp(5, nn.LogSoftmax(1)), nn.NLLLoss()), lambda: x_and(by_size)),
    "logarithm_of_raw_outputs": (
        lambda: (mlp(5), lambda out, y: -(F.one_hot(y, 5) * out.log()).sum(1).mean()),
        lambda: (mlp(5), lambda out, y: -(F.one_hot(y, 5) * F.log_softmax(out, 1)).sum(1).mean()),
        lambda: x_and(by_size)),
    "loss_fails": (lambda: (mlp(5), nn.CrossEntropyLoss(weight=torch.ones(4))),
                   lambda: (mlp(5), nn.CrossEntropyLoss(weight=torch.ones(5))), lambda: x_and(by_size)),
    "loss_not_a_tensor": (lambda: (mlp(1), lambda out, y: F.mse_loss(out, y).item()), lambda: (mlp(1), MSE),
                          lambda: x_and(one)),
    "loss_not_finite": (lambda: (Then(mlp(1), lambda z: 1e3 * z), by_hand),
                        lambda: (Then(mlp(1), lambda z: 1e3 * z), LOGITS), lambda: x_and(by_sign)),
    "loss_not_scalar": (lambda: (mlp(5), nn.CrossEntropyLoss(reduction="none")),
                        lambda: (mlp(5), lambda out, y: F.cross_entropy(out, y, reduction="none").mean()),
                        lambda: x_and(by_size)),
    "loss_without_gradient": (
        lambda: (mlp(1), lambda out, y: torch.tensor(F.mse_loss(out, y).item(), requires_grad=True)),
        lambda: (mlp(1), MSE), lambda: x_and(one)),
    "mean_over_padding": (lambda: (mlp(6), masked), lambda: (mlp(6), over_what_counts), lambda: x_and(lengths)),
    "model_fails": (lambda: (Both(), CE), lambda: (Both(), CE), lambda: x_and(lambda x: by_size(x[0]),
                                                                             lambda: [inputs(), inputs()]),
                    lambda x, y: (tuple(x), y)),
    "multi_hot_into_multilabel_margin": (
        lambda: (mlp(5), nn.MultiLabelMarginLoss()),
        lambda: (mlp(5), lambda out, y: F.multilabel_soft_margin_loss(out, y.float())),
        lambda: x_and(lambda x: labelled(x).long())),
    "no_better_than_constant": (lambda: (astray(), CE), lambda: (mlp(5), CE), lambda: x_and(by_size)),
    "negative_counts": (lambda: (mlp(1), nn.PoissonNLLLoss()), lambda: (mlp(1), MSE), lambda: x_and(one)),
    "negative_probabilities": (
        lambda: (mlp(5), CE),
        lambda: (mlp(5), lambda out, y: CE(out, F.normalize(y.clamp(min=0), p=1, dim=1))),
        lambda: x_and(lambda x: shares(x) - 0.1)),
    "nll_not_normalised": (lambda: (mlp(5, nn.LogSigmoid()), nn.NLLLoss()),
                           lambda: (mlp(5, nn.LogSoftmax(1)), nn.NLLLoss()), lambda: x_and(by_size)),
    "one_class_only": (lambda: (mlp(5), CE), lambda: (mlp(5), CE),
                       lambda: x_and(lambda x: by_size(x) * 0 + 3, long_batch), lambda x, y: (x, by_size(x))),
    "one_column_cross_entropy": (lambda: (mlp(1), CE), lambda: (mlp(1), lambda out, y: LOGITS(out, y[:, None].float())),
                                 lambda: x_and(lambda x: by_sign(x)[:, 0].long())),
    "one_hot_integers": (lambda: (mlp(5), CE), lambda: (mlp(5), lambda out, y: CE(out, y.argmax(1))),
                         lambda: x_and(lambda x: F.one_hot(by_size(x), 5))),
    "one_sample_of_many_classes": (lambda: (Then(mlp(1), lambda z: z[:, 0]), CE),
                                   lambda: (Then(mlp(1), lambda z: z[:, 0]), LOGITS),
                                   lambda: x_and(lambda x: by_sign(x)[:, 0])),
    "outputs_ignore_inputs": (lambda: (Between(start=lambda x: x * 0), CE), lambda: (Between(), CE),
                              lambda: x_and(by_size)),
    "outputs_not_a_tensor": (lambda: (Then(mlp(5), lambda z: {"out": z}), CE),
                             lambda: (Then(mlp(5), lambda z: {"out": z}), lambda out, y: CE(out["out"], y)),
                             lambda: x_and(by_size)),
    "outputs_not_finite": (lambda: (mlp(5), CE), lambda: (mlp(5), CE),
                           lambda: x_and(by_size, lambda: inputs().index_fill(1, torch.tensor([7]), torch.nan)),
                           lambda x, y: (x.nan_to_num(), y)),
    "outputs_without_gradient": (lambda: (Then(mlp(5), torch.Tensor.detach), CE), lambda: (mlp(5), CE),
                                 lambda: x_and(by_size)),
    "poisson_rate_taken_as_logarithm": (
        lambda: (Then(mlp(1), torch.exp), nn.PoissonNLLLoss()),
        lambda: (Then(mlp(1), torch.exp), nn.PoissonNLLLoss(log_input=False)),
        lambda: x_and(lambda x: (3 * one(x).abs()).round())),
    "probabilities_into_margin_loss": (lambda: (mlp(1, nn.Sigmoid()), nn.SoftMarginLoss()),
                                       lambda: (mlp(1), nn.SoftMarginLoss()), lambda: x_and(signs)),
    "relu_into_bce": (lambda: (mlp(1, nn.ReLU()), BCE), lambda: (mlp(1), LOGITS), lambda: x_and(by_sign)),
    "saturated_units": (
        lambda: (mlp(5, hidden=nn.Sigmoid), CE), lambda: (mlp(5, hidden=nn.Sigmoid), CE),
        lambda: x_and(by_size, lambda: 1e4 * (inputs().abs() + 1)), lambda x, y: ((x - x.mean(0)) / x.std(0), y)),
    "shapes_differ": (lambda: (mlp(1), LOGITS), lambda: (mlp(1), lambda out, y: LOGITS(out, y.unsqueeze(-1))),
                      lambda: x_and(lambda x: by_sign(x)[:, 0])),
    "softmax_before_bce_logits": (lambda: (mlp(5, nn.Softmax(1)), LOGITS), lambda: (mlp(5), LOGITS),
                                  lambda: x_and(lambda x: F.one_hot(by_size(x), 5).float())),
    "softmax_for_independent_labels": (lambda: (mlp(5, nn.Softmax(1)), BCE), lambda: (mlp(5), LOGITS),
                                       lambda: x_and(labelled)),
    "softmax_over_one_output": (lambda: (mlp(1, nn.Softmax(1)), BCE), lambda: (mlp(1), LOGITS),
                                lambda: x_and(by_sign)),
    "tanh_into_bce": (lambda: (mlp(1, nn.Tanh()), BCE), lambda: (mlp(1, nn.Sigmoid()), BCE), lambda: x_and(by_sign)),
    "target_dtype": (lambda: (mlp(1, nn.Sigmoid()), BCE),
                     lambda: (mlp(1, nn.Sigmoid()), lambda out, y: BCE(out, y.to(out.dtype))),
                     lambda: x_and(lambda x: by_sign(x).double())),
    "targets_do_not_sum_to_one": (
        lambda: (mlp(5), CE), lambda: (mlp(5), lambda out, y: CE(out, y / y.sum(1, keepdim=True))),
        lambda: x_and(lambda x: shares(x) * (0.2 + one(x).abs()))),
    "targets_not_finite": (
        lambda: (mlp(1), MSE),
        lambda: (mlp(1), lambda out, y: F.mse_loss(out[torch.isfinite(y)], y[torch.isfinite(y)])),
        lambda: x_and(lambda x: one(x).masked_fill(one(x) > 1, torch.nan))),
    "targets_outside_unit_range": (lambda: (mlp(1), LOGITS), lambda: (mlp(1), lambda out, y: LOGITS(out, (y + 1) / 2)),
                                   lambda: x_and(signs)),
    "targets_repeated": (
        lambda: (mlp(4), lambda out, y: (F.mse_loss(out, y, reduction="none") * torch.arange(1.0, 5)).mean()),
        lambda: (mlp(1), MSE), lambda: x_and(one)),
    "unregistered_parameter": (
        lambda: (Between(scale=torch.tensor([0.01], requires_grad=True)), CE),
        lambda: (Between(scale=nn.Parameter(torch.tensor([0.01]))), CE), lambda: x_and(by_size)),
    "unused_class": (lambda: (mlp(5), CE), lambda: (mlp(4), lambda out, y: CE(out, y - 1)),
                     lambda: x_and(lambda x: 1 + x[:, :4].argmax(1), long_batch)),
    "weights_without_gradient": (lambda: (Between(middle=torch.Tensor.detach), CE), lambda: (Between(), CE),
                                 lambda: x_and(by_size)),
    "wrong_formula": (
        lambda: divergence(lambda mean, log_var: -0.5 * (1 + log_var - mean**2 - (2 * log_var).exp()).sum(1).mean()),
        lambda: divergence(lambda mean, log_var: -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1).mean()),
        lambda: x_and(lambda x: x)),
    "wrong_formula, spread": (
        lambda: spread(lambda mean, log_var, y: ((y - mean) ** 2 * torch.exp(-log_var)).mean()),
        lambda: spread(lambda mean, log_var, y: (0.5 * log_var + 0.5 * (y - mean) ** 2 * torch.exp(-log_var)).mean()),
        lambda: x_and(one)),
    "wrong_formula, weights": (lambda: weighed(False), lambda: weighed(True), lambda: x_and(by_size)),
    "zero_gradient": (lambda: (Then(mlp(1), lambda z: torch.sigmoid(1e4 * z)), MSE), lambda: (mlp(1), LOGITS),
                      lambda: x_and(by_sign)),
    "relu_before_activation": (lambda: (mlp(1, nn.ReLU(), nn.Sigmoid()), BCE), lambda: (mlp(1, nn.Sigmoid()), BCE),
                               lambda: x_and(by_sign)),
    "blank_in_targets": (
        lambda: (Then(Tagger(6), lambda z: z.log_softmax(-1)), ctc),
        lambda: (Then(Tagger(7), lambda z: z.log_softmax(-1)), ctc),
        lambda: (torch.randint(0, 50, (N, 12)), alignments(blank_free=False)),
        lambda x, y: (x, (y[0] + 1, *y[1:]))),
    "dropout_on_outputs": (lambda: (mlp(5, nn.Dropout()), CE), lambda: (mlp(5), CE), lambda: x_and(by_size)),
    "terms_out_of_balance": (lambda: variational("mean")[:2], lambda: variational("sum")[:2],
                             lambda: x_and(lambda x: x, lambda: torch.rand(N, 64))),
    "terms_out_of_balance, code": (
        lambda: variational("sum", latent=40, over=lambda each: each.mean(1))[:2],
        lambda: variational("sum", latent=40)[:2], lambda: x_and(lambda x: x, lambda: torch.rand(N, 64))),
    "wrong_formula, places": (
        lambda: (Then(Tagger(6), lambda z: z.log_softmax(-1)), KL),
        lambda: (Then(Tagger(6), lambda z: z.log_softmax(-1)), lambda z, y: F.kl_div(z, y, reduction="sum") / (12 * N)),
        lambda: (torch.randint(0, 50, (N, 12)), torch.randn(N, 12, 6).softmax(-1))),
    "units_all_alike": (lambda: (alike(), CE), lambda: (mlp(5), CE), lambda: x_and(by_size)),
    "vanishing_gradient": (lambda: (deep(nn.Sigmoid()), CE), lambda: (deep(nn.LayerNorm(8), nn.ReLU()), CE),
                           lambda: x_and(by_size)),
    "wrong_formula, weights too late": (
        lambda: (mlp(5), lambda out, y: (F.cross_entropy(out, y[0]) * y[1]).mean()),
        lambda: (mlp(5), lambda out, y: (F.cross_entropy(out, y[0], reduction="none") * y[1]).mean()),
        lambda: x_and(half_wrong)),
    "wrong_formula, one half": (
        lambda: (mlp(1, nn.Sigmoid()), lambda p, y: -(y * (p + 1e-6).log()).mean()),
        lambda: (mlp(1, nn.Sigmoid()), lambda p, y: -(y * (p + 1e-6).log() + (1 - y) * (1 - p + 1e-6).log()).mean()),
        lambda: x_and(by_sign)),
    "wrong_formula, everybody's truth": (
        lambda: (mlp(5), lambda out, y: -out.log_softmax(1)[:, y].mean()),
        lambda: (mlp(5), lambda out, y: -out.log_softmax(1)[torch.arange(len(y)), y].mean()), lambda: x_and(by_size)),
    "unnormalised_likelihood": (lambda: (mlp(5), lambda out, y: (out.mean(1) - out.gather(1, y[:, None])[:, 0]).mean()),
                                lambda: (mlp(5), CE), lambda: x_and(by_size)),
    "unbounded_loss": (lambda: (mlp(1), lambda out, y: -((2 * y - 1) * out).mean()), lambda: (mlp(1), LOGITS),
                       lambda: x_and(by_sign)),
    "unstable_formula": (
        lambda: (mlp(1), lambda out, y: -(y * out.sigmoid().log() + (1 - y) * (1 - out.sigmoid()).log()).mean()),
        lambda: (mlp(1), LOGITS), lambda: x_and(by_sign)),
    "labels_not_shifted": (
        lambda: (Tagger(50), words), lambda: (Tagger(50), lambda out, y: words(out[:, :-1], y[:, 1:])), counted),
    "target_in_view": (
        lambda: (Reader(True), lambda out, y: words(out[:, :-1], y[:, 1:])),
        lambda: (Reader(False), lambda out, y: words(out[:, :-1], y[:, 1:])), shuffled),
    "mask_before_softmax": (lambda: (Pool(lambda s, m: s * m), CE),
                            lambda: (Pool(lambda s, m: s.masked_fill(m == 0, -torch.inf)), CE), steps_and_mask),
    "mask_before_sigmoid": (
        lambda: (nn.Conv2d(3, 1, 1), lambda out, y: dice((out * y[1]).sigmoid(), y[0] * y[1])),
        lambda: (nn.Conv2d(3, 1, 1), lambda out, y: dice(out.sigmoid() * y[1], y[0] * y[1])),
        lambda: (lambda x: (x, pixels_and_mask(x)))(inputs(3, 6, 6))),
    "wrong_formula, labels moved": (
        lambda: (mlp(1), lambda out, y: LOGITS(out, (y + 0.1) / 2)),
        lambda: (mlp(1), lambda out, y: LOGITS(out, y * 0.9 + 0.05)), lambda: x_and(by_sign)),
    "wrong_formula, marks as places": (
        lambda: (mlp(1), lambda out, y: -F.logsigmoid(out[:, 0])[y].mean()),
        lambda: (mlp(1), lambda out, y: -F.logsigmoid(out[:, 0])[y.bool()].mean()), lambda: x_and(marks)),
    "wrong_formula, pushed away": (
        lambda: (mlp(2), lambda out, y: Normal(out[:, :1], F.softplus(out[:, 1:]) + 0.01).log_prob(y).mean()),
        lambda: (mlp(2), lambda out, y: -Normal(out[:, :1], F.softplus(out[:, 1:]) + 0.01).log_prob(y).mean()),
        lambda: x_and(one)),
    "wrong_formula, last place": (
        lambda: (Tagger(5), lambda out, y: [CE(out[:, t], y[:, t]) for t in range(y.shape[1])][-1]),
        lambda: (Tagger(5), lambda out, y: sum(CE(out[:, t], y[:, t]) for t in range(y.shape[1]))),
        lambda: (lambda x: (x, x % 5))(torch.randint(1, 50, (N, 7)))),
    "wrong_formula, noise": (lambda: drawn(1.0), lambda: drawn(0.5), lambda: x_and(lambda x: x)),
    "wrong_formula, easy ones": (
        lambda: (mlp(4), lambda out, y: (lambda p: -(p**2 * p.log()).mean())(out.softmax(1).gather(1, y[:, None]))),
        lambda: (mlp(4), lambda out, y: (lambda p: -((1 - p)**2 * p.log()).mean())(out.softmax(1).gather(
            1, y[:, None]))), lambda: x_and(lambda x: x[:, :4].argmax(1))),
    "wrong_formula, without end": (
        lambda: (mlp(1), lambda out, y: (0.9 * (y - out)[y > out].sum() + 0.1 * (y - out)[y <= out].sum()) / N),
        lambda: (mlp(1), lambda out, y: torch.maximum(0.9 * (y - out), -0.1 * (y - out)).mean()), lambda: x_and(one)),
    "wrong_formula, off the targets": (
        lambda: (mlp(1), lambda out, y: (lambda d: torch.where(d < 0.2, d**2 / 2, d - 0.5).mean())((y - out).abs())),
        lambda: (mlp(1), lambda out, y: (lambda d: torch.where(d < 0.2, d**2 / 2, 0.2 * (d - 0.1)).mean())(
            (y - out).abs())), lambda: x_and(one)),
    "wrong_formula, sum and mean": (
        lambda: (two_heads(), lambda out, y: ((out[0] - y) ** 2).mean() + (out[1] ** 2).sum()),
        lambda: (two_heads(), lambda out, y: ((out[0] - y) ** 2).sum(1).mean() + (out[1] ** 2).sum(1).mean()),
        lambda: x_and(lambda x: x[:, :3])),
    "loss_is_constant": (lambda: (mlp(1), cox), lambda: (mlp(1), cox), lambda: (inputs()[:1], torch.ones(1, 1)),
                         lambda x, y: (lambda x: (x[x[:, 0].argsort(descending=True)], torch.ones(N, 1)))(inputs())),
    "range_cannot_reach_targets, a logarithm": (
        lambda: (two_heads(nn.Softplus()), likelihood), lambda: (two_heads(), likelihood),
        lambda: x_and(lambda x: x[:, :3])),
    "axes_scrambled, inside": (
        lambda: (Then(nn.Linear(6, 4), lambda z: z.view(N, 4, 5)), CE),
        lambda: (Then(nn.Linear(6, 4), lambda z: z.transpose(1, 2)), CE),
        lambda: (lambda x: (x, x[..., :4].argmax(-1)))(torch.randn(N, 5, 6))),
    "axes_scrambled, places": (
        lambda: (nn.Conv2d(3, 3, 1), lambda out, y: CE(out.transpose(1, 3).reshape(-1, 3), y.reshape(-1))),
        lambda: (nn.Conv2d(3, 3, 1), lambda out, y: CE(out.movedim(1, -1).reshape(-1, 3), y.reshape(-1))),
        lambda: (lambda x: (x, x.argmax(1)))(inputs(3, 6, 6))),
    "dead_term, numbers": (
        lambda: (mlp(5), lambda out, y: CE(out, y) + torch.tensor([o.item() for o in out.square().mean(1)]).mean()),
        lambda: (mlp(5), lambda out, y: CE(out, y) + out.square().mean()), lambda: x_and(by_size)),
    "unused_target": (
        lambda: (mlp(3), lambda q, y: F.mse_loss(q.gather(1, y[0][:, None])[:, 0], y[1] + 0.9 * y[3])),
        lambda: (mlp(3), lambda q, y: F.mse_loss(q.gather(1, y[0][:, None])[:, 0], y[1] + 0.9 * (1 - y[2]) * y[3])),
        lambda: x_and(lambda x: (x[:, :3].argmax(1), x[:, 3], (x[:, 4] > 0).float(), 3 + x[:, 5]))),
    "no_activation_between": (
        lambda: (nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 2)), CE), lambda: (mlp(2), CE),
        lambda: x_and(lambda x: (x[:, 0] * x[:, 1] > 0).long())),
    "padding_attended": (
        lambda: (Pool(lambda s, m: s), CE), lambda: (Pool(lambda s, m: s.masked_fill(~m, -torch.inf)), CE),
        lambda: (lambda x, y: ((x[0], x[1].bool()), y))(*steps_and_mask())),
    "shapes_broadcast, copies": (
        lambda: (nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid()), overlap),
        lambda: (nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid()), lambda p, y: overlap(p, y[:, :1])), coloured),
    "target_in_view, hidden": (
        lambda: (Hiding(), lambda o, y: words(o[0], y)),
        lambda: (Hiding(), lambda o, y: F.cross_entropy(o[0][o[1]], y[o[1]])), counted),
    "wrong_formula, pieces": (
        lambda: (Tagger(50), lambda z, y: sum(map(CE, *pieces(z, y)))),
        lambda: (Tagger(50), lambda z, y: sum(F.cross_entropy(*p, reduction="sum") for p in zip(
            *pieces(z, y), strict=True)) / y.numel()),
        lambda: (lambda x: (x, (x + 1) % 50))(torch.randint(0, 50, (N, 9)))),
    "labels_shifted_twice": (
        lambda: (Tagger(50), lambda out, y: words(out[:, :-1][:, :-1], y[:, 1:][:, 1:])),
        lambda: (Tagger(50), lambda out, y: words(out[:, :-1], y[:, 1:])), counted),
    "wrong_formula, soft masks": (
        lambda: (nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid()), dice),
        lambda: (nn.Sequential(nn.Conv2d(3, 1, 1), nn.Sigmoid()),
                 lambda p, y: 1 - (p + y - (p - y).abs()).sum() / (p + y).sum()),
        lambda: (lambda x: (x, x[:, :1].sigmoid()))(inputs(3, 6, 6))),
    "changed_in_place": (
        lambda: (mlp(5), in_place), lambda: (mlp(5), lambda out, y: in_place(out, y.clone())), lambda: x_and(by_size)),
    "dropout_in_evaluation": (
        lambda: (dropping(lambda model: True), CE), lambda: (dropping(lambda model: model.training), CE),
        lambda: x_and(by_size)),
    "dropout_too_strong": (
        lambda: (nn.Sequential(nn.Dropout(0.95), mlp(5)), CE), lambda: (nn.Sequential(nn.Dropout(0.05), mlp(5)), CE),
        lambda: x_and(by_size)),
    "batch_norm_momentum": (
        lambda: (nn.Sequential(nn.BatchNorm1d(8, momentum=0.9), mlp(5)), CE),
        lambda: (nn.Sequential(nn.BatchNorm1d(8, momentum=0.1), mlp(5)), CE), lambda: x_and(by_size)),
    "unused_input": (
        lambda: (Part(lambda self, a, b: self.net(a), net=mlp(5)), CE),
        lambda: (Part(lambda self, a, b: self.net(a + b), net=mlp(5)), CE),
        lambda: (lambda a, b: ((a, b), by_size(a + b)))(inputs(), inputs())),
    "unused_output": (
        lambda: (two_heads(), lambda out, y: MSE(out[0], y)),
        lambda: (two_heads(), lambda out, y: MSE(out[0], y) + MSE(out[1], y)), lambda: x_and(lambda x: x[:, :3])),
    "outputs_too_large": (
        lambda: (scaled_by(8.0), CE), lambda: (scaled_by(1.0), CE), lambda: x_and(by_size)),
}  # fmt: skip
