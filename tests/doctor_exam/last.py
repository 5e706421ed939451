"""Set-ups of a third round, written after the second was mended for: scored once, and nothing was mended for them."""

import torch
from torch import nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SIGMOID, SOFTMAX, pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.unseen_wrong import dice, images, mask_head

LAST = CaseSet()
right, wrong = LAST.right, LAST.wrong


wrong("a stock's movement: softmax into nll_loss", "nll_on_probabilities", "midas-research/man-sf-emnlp#2")(
    lambda: (mlp(2), lambda out, y: F.nll_loss(F.softmax(out, dim=1), y), inputs(), classes(2))
)
wrong("an auxiliary classifier: Softmax for NLLLoss", "nll_on_probabilities", "clvrai/ACGAN-PyTorch#4")(
    lambda: (Heads(real=nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()), kind=nn.Sequential(nn.Linear(8, 10),
                                                                                         nn.Softmax(-1)),
                   as_tuple=True),
             lambda out, y: F.binary_cross_entropy(out[0], y[0]) + F.nll_loss(out[1], y[1]), inputs(),
             (labels(1), classes(10)))
)  # fmt: skip
wrong("a summary's words: softmax over the vocabulary, then NLLLoss of steps", "nll_on_probabilities",
      "mjc92/GetToThePoint#8")(
    lambda: (Then(Tagger(30), lambda z: z.softmax(-1)), lambda p, y: sum(F.nll_loss(p[:, t], y[:, t])
                                                                        for t in range(6)),
             torch.randint(0, 50, (N, 6)), classes(30, 6))
)  # fmt: skip
wrong("a softmax over the samples, read as probabilities", "softmax_wrong_axis",
      "MicrosoftDocs/pytorchfundamentals#21")(
    lambda: (mlp(10, nn.Softmax(dim=0)), lambda p, y: -(F.one_hot(y, 10) * (p + 1e-8).log()).sum(1).mean(),
             inputs(), classes(10))
)  # fmt: skip
wrong("incomes: a redundant sigmoid in a Sequential", SIGMOID, "aidotse/LeakPro#229")(
    lambda: (nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1), nn.Sigmoid()),
             lambda out, y: nn.BCEWithLogitsLoss()(out, y.unsqueeze(1)), inputs(), labels(1)[:, 0])
)  # fmt: skip
wrong("a distance map made by numpy", "loss_without_gradient", "JunMa11/SegLossOdyssey#17")(
    lambda: (mask_head(nn.Sigmoid()), lambda out, y: F.mse_loss(torch.from_numpy(out.detach().numpy() ** 2), y),
             inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("the sigmoid only in the numerator of the overlap", "overlap_on_logits|wrong_formula", "samvanstroud/hepattn#44")(
    lambda: (mask_head(), lambda out, y: 1 - (2 * (out.sigmoid() * y).sum() + 1) / (out.sum() + y.sum() + 1),
             inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("a sigmoid after the mask", "wrong_formula|mask_before_sigmoid", "Project-MONAI/MONAI#8655")(
    lambda: (mask_head(), lambda out, y: dice((out * y[1]).sigmoid(), y[0] * y[1]), inputs(3, 6, 6),
             (labels(1, 6, 6), labels(1, 6, 6)))
)  # fmt: skip
wrong("a divergence with the deviation for the variance", "wrong_formula", "pytorch/examples#225")(
    lambda: (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 3), log_std=nn.Linear(8, 3), as_tuple=True),
             lambda out, x: F.mse_loss(out[0], x)
             - 0.05 * torch.sum(1 + 2 * out[2] - out[1].pow(2) - out[2].exp()), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("an image's code: the divergence is taken off", "wrong_formula|better_outputs_cost_more", "own")(
    lambda: (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 3), log_var=nn.Linear(8, 3)),
             lambda out, x: F.l1_loss(out["again"], x)
             - 0.5 * (out["mean"] ** 2 + out["log_var"].exp() - 1 - out["log_var"]).mean(),
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("a Laplace likelihood that forgets its logarithm", "wrong_formula", "own")(
    lambda: (pair(place=2, log_scale=2), lambda out, y: ((y - out[0]).abs() * torch.exp(-out[1])).sum(1).mean(),
             inputs(), torch.randn(N, 2))
)  # fmt: skip
wrong("a weighted absolute error, [N, 1] and [N]", "shapes_broadcast", "own")(
    lambda: (mlp(1), lambda out, y: (y[1] * (y[0] - out).abs()).sum() / y[1].sum(), inputs(),
             (torch.randn(N), torch.rand(N)))
)  # fmt: skip
wrong("a logarithm's error of prices, [N] and [N, 1]", "shapes_broadcast", "own")(
    lambda: (Then(mlp(1, nn.Softplus()), lambda z: z.squeeze(1)),
             lambda out, y: torch.sqrt(((torch.log1p(out) - torch.log1p(y)) ** 2).mean()), inputs(),
             10 * torch.rand(N, 1))
)  # fmt: skip
wrong("the coefficient of determination minimised", "better_outputs_cost_more", "own")(
    lambda: (mlp(1), lambda out, y: 1 - ((y - out) ** 2).sum() / ((y - y.mean()) ** 2).sum(), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
wrong("the error of frames behind the end counts as zero", "mean_over_padding", "own")(
    lambda: (nn.Linear(8, 2), lambda out, y: ((out - y[0]).abs().sum(-1) * y[1]).mean(), torch.randn(N, 9, 8),
             (torch.randn(N, 9, 2), (torch.arange(9) < torch.arange(1, N + 1)[:, None] % 9 + 1).float()))
)  # fmt: skip
wrong("a translation padded with 1, label smoothing counts it", "padding_not_ignored", "own")(
    lambda: (
        Then(Tagger(50), lambda z: z.transpose(1, 2)),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        *_padded_with(1),
    )
)
wrong("marks of 1 to 5 stars, six outputs", "unused_class|labels_from_one", "own")(
    lambda: (mlp(6), nn.CrossEntropyLoss(), torch.randn(128, 8), torch.randint(1, 6, (128,)))
)
wrong("a batch sorted by class", "one_class_only|labels_constant", "own")(
    lambda: (mlp(4), nn.CrossEntropyLoss(), torch.randn(64, 8), torch.full((64,), 2))
)
wrong("the student's own prediction as pseudo-label with gradient", "gradient_into_target", "own")(
    lambda: (lambda net: (net, lambda out, other: F.mse_loss(out.softmax(1), net(other).softmax(1)), inputs(),
                          inputs()))(mlp(5))
)  # fmt: skip
wrong("a scaled tanh for targets of 0 to 1", "range_wider_than_targets|range_cannot_reach_targets", "own")(
    lambda: (nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Tanh()), nn.SmoothL1Loss(), inputs(3, 6, 6),
             images()[:, :1])
)  # fmt: skip
wrong("ordinal grades: a softmax summed up, then the loss on logits", SIGMOID + "|softmax_before_bce_logits", "own")(
    lambda: (mlp(5), lambda out, y: F.binary_cross_entropy_with_logits(
        out.softmax(1).cumsum(1)[:, :-1], (torch.arange(4) >= y[:, None]).float()), inputs(), classes(5))
)  # fmt: skip
wrong("a bilinear score through a softmax, then cross-entropy", SOFTMAX, "own")(
    lambda: (Then(pair(a=6, b=6), lambda o: torch.softmax(o[0] @ o[1].T, dim=-1)),
             lambda p, y: (F.cross_entropy(p, y) + F.cross_entropy(p.T, y)) / 2, inputs(), torch.arange(N))
)  # fmt: skip


def _padded_with(pad: int) -> tuple:
    """Padded texts, and the same texts one word on, whose other words are never the padding token."""
    tokens, _ = padded_tokens(pad=0)
    tokens[tokens == pad] = 2
    tokens[tokens == 0] = pad
    return tokens[:, :-1], tokens[:, 1:]


right("a Laplace likelihood")(
    lambda: (pair(place=2, log_scale=2), lambda out, y: ((y - out[0]).abs() * torch.exp(-out[1]) + out[1]).sum(1)
             .mean(), inputs(), torch.randn(N, 2))
)  # fmt: skip
right("a divergence from a wider prior by torch.distributions")(
    lambda: (pair(mean=3, log_std=3), lambda out, _: torch.distributions.kl_divergence(
        torch.distributions.Normal(out[0], out[1].exp()), torch.distributions.Normal(0.0, 1.0)).mean(), inputs(), None)
)  # fmt: skip
right("a variational autoencoder that returns a dictionary")(
    lambda: (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 3), log_var=nn.Linear(8, 3)),
             lambda out, x: F.l1_loss(out["again"], x)
             + 0.05 * (out["mean"] ** 2 + out["log_var"].exp() - 1 - out["log_var"]).mean(),
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
right("a learnt prior: the divergence of two networks' normals")(
    lambda: (pair(m=3, s=3, pm=3, ps=3), lambda out, _: (out[3] - out[1] + 0.5 * (
        (2 * out[1]).exp() + (out[0] - out[2]) ** 2) * (-2 * out[3]).exp() - 0.5).mean(), inputs(), None)
)  # fmt: skip
right("pixels weighed by their class, the rare one dearer")(
    lambda: (mask_head(), lambda out, y: (torch.where(y > 0, 9.0, 1.0) * F.binary_cross_entropy_with_logits(
        out, y, reduction="none")).mean(), inputs(3, 6, 6), (torch.rand(N, 1, 6, 6) < 0.1).float())
)  # fmt: skip
right("an attention pool over the steps")(
    lambda: (Then(nn.Linear(8, 4), lambda z: (torch.softmax(z[..., :1], 1) * z[..., 1:]).sum(1)),
             nn.CrossEntropyLoss(), torch.randn(N, 5, 8), classes(3))
)  # fmt: skip
right("anchors: [N, A * C, H, W] seen as [N, A, C, H, W] and turned")(
    lambda: (mask_head(channels=6), lambda out, y: F.cross_entropy(
        out.view(N, 2, 3, 6, 6).permute(0, 1, 3, 4, 2).reshape(-1, 3), y.reshape(-1)), inputs(3, 6, 6),
             classes(3, 2, 6, 6))
)  # fmt: skip
right("a transformer layer told that the batch comes first")(
    lambda: (nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
                           Then(nn.Linear(8, 3), lambda z: z[:, 0])), nn.CrossEntropyLoss(), torch.randn(N, 5, 8),
             classes(3))
)  # fmt: skip
right("a policy with a drawn spread: minus log-probability times return")(
    lambda: (pair(mean=2, log_std=2), lambda out, y: -(torch.distributions.Normal(out[0], out[1].exp()).log_prob(y[0])
                                                       .sum(1) * y[1]).mean(), inputs(),
             (torch.randn(N, 2), torch.rand(N)))
)  # fmt: skip
right("a loss of kept samples only")(
    lambda: (mlp(3), lambda out, y: F.cross_entropy(out[y[1]], y[0][y[1]]), inputs(),
             (classes(3), torch.arange(N) % 3 > 0))
)  # fmt: skip
right("dropout masks inside the loss, the mean over all")(
    lambda: (mlp(8), lambda out, y: ((out - y) * (torch.rand(8) > 0.1)).pow(2).mean(), inputs(), torch.randn(N, 8))
)
right("contrastive pairs: everything is a positive of its own")(
    lambda: (Then(pair(a=6, b=6), lambda o: F.normalize(o[0]) @ F.normalize(o[1]).T),
             lambda s, y: F.binary_cross_entropy_with_logits(10 * s - 5, torch.eye(N)), inputs(), None)
)  # fmt: skip
