"""Right set-ups of a second round: ordinary code that resembles a mistake, scored before the checks were read."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.unseen_wrong import images, mask_head

FRESH_RIGHT = CaseSet()
right = FRESH_RIGHT.right


right("labels 1 to 10 and a background class that occurs elsewhere")(
    lambda: (mlp(11), nn.CrossEntropyLoss(), inputs(), classes(10) + 1)
)
right("a small batch that lacks most classes")(lambda: (mlp(100), nn.CrossEntropyLoss(), inputs(), classes(100)))
right("a divergence with the logarithm of the variance", "pytorch/examples#824")(
    lambda: (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 4), log_var=nn.Linear(8, 4), as_tuple=True),
             lambda out, x: F.mse_loss(out[0], x, reduction="sum")
             - 0.5 * (1 + out[2] - out[1] ** 2 - out[2].exp()).sum(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
right("a divergence with the logarithm of the deviation", "DaehanKim/vgae_pytorch#2, mended")(
    lambda: (pair(mean=4, log_std=4), lambda out, _: -0.5 * (1 + 2 * out[1] - out[0] ** 2 - (2 * out[1]).exp())
             .sum(1).mean(), inputs(), None)
)  # fmt: skip
right("a divergence by torch.distributions")(
    lambda: (pair(mean=4, raw=4), lambda out, _: torch.distributions.kl_divergence(
        torch.distributions.Normal(out[0], F.softplus(out[1]) + 1e-4), torch.distributions.Normal(0.0, 1.0)
    ).sum(1).mean(), inputs(), None)
)  # fmt: skip
right("masked tokens divided by their number", "d2l-ai/d2l-en#2707, mended")(
    lambda: (Tagger(50), lambda out, y: (F.cross_entropy(out.transpose(1, 2), y, reduction="none") * (y != 0)).sum()
             / (y != 0).sum(), *padded_tokens(pad=0))
)  # fmt: skip
right("masked tokens summed for each text, then averaged over texts")(
    lambda: (Tagger(50), lambda out, y: (F.cross_entropy(out.transpose(1, 2), y, reduction="none") * (y != 0)).sum(1)
             .mean(), *padded_tokens(pad=0))
)  # fmt: skip
right("weights per sample, the mean of weighted losses")(
    lambda: (mlp(5), lambda out, y: (F.cross_entropy(out, y[0], reduction="none") * y[1]).mean(), inputs(),
             (classes(5), torch.rand(N) + 0.5))
)  # fmt: skip
right("noisy rewards in REINFORCE, of both signs")(
    lambda: (mlp(4), lambda out, y: -(torch.distributions.Categorical(logits=out).log_prob(y[0]) * y[1]).mean(),
             inputs(), (classes(4), torch.randn(N)))
)  # fmt: skip
right("the entropy of a policy is a bonus")(
    lambda: (mlp(4), lambda out, y: F.cross_entropy(out, y)
             - 0.01 * torch.distributions.Categorical(logits=out).entropy().mean(), inputs(), classes(4))
)  # fmt: skip
right("PPO with a clipped ratio, the old policy without gradient")(
    lambda: (mlp(4), lambda out, y: (lambda lp: -torch.min(
        (lp - lp.detach()).exp() * y[1], (lp - lp.detach()).exp().clamp(0.8, 1.2) * y[1]).mean())(
        F.log_softmax(out, 1).gather(1, y[0][:, None])[:, 0]), inputs(), (classes(4), torch.randn(N)))
)  # fmt: skip
right("preference optimisation of two answers")(
    lambda: (Tagger(50), lambda out, y: (lambda lp: -F.logsigmoid(0.1 * (lp[::2] - lp[1::2] - y[1])).mean())(
        out.log_softmax(-1).gather(-1, y[0][..., None])[..., 0].sum(1)), torch.randint(0, 50, (N, 9)),
             (torch.randint(0, 50, (N, 9)), torch.randn(N // 2)))
)  # fmt: skip
right("a sigmoid gate in front of the last layer")(
    lambda: (nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 1)), nn.BCEWithLogitsLoss(), inputs(),
             labels(1))
)  # fmt: skip
right("attention: softmax over keys inside the network")(
    lambda: (Then(nn.Linear(8, 11), lambda z: ((z[..., :4] @ z[..., 4:8].transpose(1, 2)).softmax(-1)
                                               @ z[..., 8:]).mean(1)), nn.CrossEntropyLoss(), torch.randn(N, 5, 8),
             classes(3))
)  # fmt: skip
right("mixture of experts: a gate's softmax times logits")(
    lambda: (Then(pair(gate=3, experts=15), lambda o: (o[0].softmax(1)[:, :, None] * o[1].view(N, 3, 5)).sum(1)),
             nn.CrossEntropyLoss(), inputs(), classes(5))
)  # fmt: skip
right("column targets for column outputs, weighted by a column")(
    lambda: (mlp(1), lambda out, y: (y[1] * (out - y[0]) ** 2).mean(), inputs(),
             (torch.randn(N, 1), torch.rand(N, 1) + 0.1))
)  # fmt: skip
right("one weight for each output, [D] over [N, D]")(
    lambda: (mlp(3), lambda out, y: ((out - y) ** 2 * torch.tensor([1.0, 2.0, 0.5])).mean(), inputs(),
             torch.randn(N, 3))
)  # fmt: skip
right("a mean per channel is taken off the outputs")(
    lambda: (mask_head(channels=2), lambda out, y: F.mse_loss(out - out.mean((2, 3), keepdim=True),
                                                              y - y.mean((2, 3), keepdim=True)), inputs(3, 6, 6),
             torch.randn(N, 2, 6, 6))
)  # fmt: skip
right("a scale-invariant error of depths")(
    lambda: (mask_head(nn.Softplus()), lambda out, y: (lambda d: (d**2).mean() - 0.5 * d.mean() ** 2)(
        (out + 1e-3).log() - (y + 1e-3).log()), inputs(3, 6, 6), torch.rand(N, 1, 6, 6) + 0.1)
)  # fmt: skip
right("total variation beside the pixels' error")(
    lambda: (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Sigmoid()), lambda out, y: F.l1_loss(out, y) + 0.1 * (
        out[..., 1:] - out[..., :-1]).abs().mean(), inputs(3, 6, 6), images())
)  # fmt: skip
right("BYOL: the other network has no gradient")(
    lambda: (lambda net, other, x: (net, lambda out, _: 2 - 2 * F.cosine_similarity(out, other(x)).mean(), x, None))(
        mlp(6), mlp(6).requires_grad_(False), inputs())
)  # fmt: skip
right("self-distillation: the teacher under no_grad")(
    lambda: (lambda net, x: (net, _with_own_teacher(net, x), x, None))(mlp(6), inputs())
)  # fmt: skip
right("a gradient penalty beside a critic's score")(
    lambda: (lambda net: (net, lambda out, real: out[real == 0].mean() - out[real == 1].mean()
                          + 10 * _penalty(net), inputs(), (torch.arange(N) % 2)[:, None]))(mlp(1, hidden=nn.Tanh))
)  # fmt: skip
right("an L2 penalty on the network's own weights")(
    lambda: (lambda net: (net, lambda out, y: F.cross_entropy(out, y) + 1e-3 * sum(
        p.pow(2).sum() for p in net.parameters()), inputs(), classes(5)))(mlp(5))
)  # fmt: skip
right("negative sampling: one right word, five drawn ones")(
    lambda: (Then(mlp(48), lambda z: z.view(N, 6, 8)), lambda v, c: -(
        F.logsigmoid((v[:, 0] * c).sum(1)) + F.logsigmoid(-(v[:, 1:] * c[:, None]).sum(2)).sum(1)).mean(), inputs(),
             torch.randn(N, 8))
)  # fmt: skip
right("n-pairs: multi-similarity by logsumexp")(
    lambda: (Then(mlp(8), lambda z: F.normalize(z)), lambda z, y: (lambda s, same: (torch.logsumexp(
        s.masked_fill(same, -9), 1) - torch.logsumexp(s.masked_fill(~same, -9), 1)).mean())(
            z @ z.T * 5, y[:, None] == y[None]), inputs(), classes(3))
)  # fmt: skip
right("the Huber error of log-counts")(
    lambda: (mlp(1), lambda out, y: F.huber_loss(out, torch.log1p(y)), inputs(), torch.randint(0, 99, (N, 1)).float())
)
right("survival in discrete intervals")(
    lambda: (mlp(6, nn.Sigmoid()), lambda h, y: F.binary_cross_entropy(
        h, F.one_hot(y, 6).float(), weight=(torch.arange(6) <= y[:, None]).float(), reduction="sum") / N, inputs(),
             classes(6))
)  # fmt: skip
right("an earth mover's distance of ordered classes")(
    lambda: (mlp(7), lambda out, y: ((out.softmax(1).cumsum(1) - y.cumsum(1)) ** 2).mean(1).sqrt().mean(), inputs(),
             torch.rand(N, 7).softmax(1))
)  # fmt: skip
right("angles as sine and cosine, scaled to length one")(
    lambda: (Then(mlp(2), lambda z: F.normalize(z)), lambda out, y: (1 - (out * y).sum(1)).mean(), inputs(),
             F.normalize(torch.randn(N, 2)))
)  # fmt: skip
right("flow matching: the velocity is predicted")(
    lambda: (mlp(8), lambda out, y: F.mse_loss(out, y[0] - y[1]), inputs(), (torch.randn(N, 8), torch.randn(N, 8)))
)
right("a normalising flow's layer: log of the scale")(
    lambda: (pair(shift=4, log_scale=4), lambda out, x: (0.5 * ((x - out[0]) * torch.exp(-out[1])) ** 2 + out[1])
             .sum(1).mean(), inputs(), torch.randn(N, 4))
)  # fmt: skip
right("Q-learning with quantiles: every pair of them")(
    lambda: (mlp(6), lambda q, y: (lambda d: ((torch.arange(6)[None, None] / 6 + 1 / 12 - (d < 0).float()).abs()
                                              * F.huber_loss(d, torch.zeros_like(d), reduction="none")).sum(2).mean())(
        y[:, :, None] - q[:, None, :]), inputs(), torch.randn(N, 6))
)  # fmt: skip
right("a tagger's loss per text, then the mean over texts")(
    lambda: (Tagger(5), lambda out, y: torch.stack([F.cross_entropy(o, t) for o, t in zip(out, y, strict=True)]).mean(),
             torch.randint(0, 50, (N, 9)), classes(5, 9))
)  # fmt: skip


def _with_own_teacher(net: nn.Module, x: Tensor):
    def loss(out: Tensor, _: None) -> Tensor:
        with torch.no_grad():
            goal = net(x.flip(0)).flip(0)
        return F.mse_loss(out, goal + 0.3)

    return loss


def _penalty(net: nn.Module) -> Tensor:
    x = torch.randn(N, 8, requires_grad=True)
    slope = torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
    return ((slope.norm(dim=1) - 1) ** 2).mean()
