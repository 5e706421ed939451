"""Set-ups of a tenth round, drawn as the ninth from twenty other searches, written with it, run once after all mending.

The searches: NaN in an output, several classes, a paper that says otherwise, Gaussian likelihoods, shifted labels,
detaching, padding, cosines, one value for all, layers not used, critics, masked means, noise to predict, InfoNCE, BCE,
Huber, log-softmax, graphs, states of padding. Left out for the same reasons; also weights and constants that differ
from a paper.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import Heads, N, Tagger, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_nine import AGAINST, dense
from doctor_exam.round_parts import Part, critic, views
from doctor_exam.round_seven import PADDING, UNUSED, generator, log_p, reader
from doctor_exam.unseen_wrong import mask_head

ROUND_TEN = CaseSet()
right, wrong = ROUND_TEN.right, ROUND_TEN.wrong


def flow(first: bool):
    """What carries noise to data, learnt for all samples or, by a slip, for the first one."""

    def forward(self: Part, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        at = t * x + (1 - t) * noise
        return self.net(torch.cat([at, t], 1)[:1] if first else torch.cat([at, t], 1))

    x, noise, t = torch.randn(N, 8), torch.randn(N, 8), torch.rand(N, 1)
    return (Part(forward, net=dense(9, 32, 8)), lambda v, y: ((v - (y[:1] if first else y)) ** 2).mean(), (x, noise, t),
            x - noise)  # fmt: skip


def goals(forward, **layers: nn.Module):
    """Goals on a map, each scored from what surrounds it."""
    return Part(forward, **layers), nn.CrossEntropyLoss(), torch.randn(N, 6, 8), classes(6)


# ---------------------------------------------------------------- wrong


wrong("pooling by a cubic mean of numbers below zero", "outputs_not_finite|loss_not_finite",
      "blog.csdn.net/qq_38507163/111181447")(
    lambda: (Part(lambda self, x: self.out(((self.net(x) ** 3.0).mean(1) + 1e-12) ** (1 / 3.0)), net=nn.Linear(8, 16),
                  out=nn.Linear(16, 4)), nn.CrossEntropyLoss(), torch.randn(N, 5, 8), classes(4))
)  # fmt: skip
wrong("a linear model from scratch: the logarithm of a softmax by hand", "unstable_formula",
      "discuss.pytorch.org/t/189229")(
    lambda: (nn.Linear(64, 10), lambda z, y: -(z.exp() / z.exp().sum(1, keepdim=True)).log()[range(N), y].mean(),
             torch.rand(N, 64), classes(10))
)  # fmt: skip
wrong("programs: the loss of right or wrong is written over", f"{UNUSED}|unused_output|weights_without_gradient",
      "lucy66666/OKT#1")(
    lambda: (Heads(as_tuple=True, tokens=mlp(20), solved=mlp(1)), lambda o, y: (
        F.cross_entropy(o[0], y[0]) + torch.zeros(1).mean()), inputs(), (classes(20), labels(1)))
)  # fmt: skip
wrong("captions: labels shifted before the decoder and in its loss", "labels_shifted_twice|wrong_formula",
      "huggingface/transformers#46898")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z[:, :-1].reshape(-1, 50), y[:, 1:].reshape(-1)),
             *(lambda t: (t[:, :-1], t[:, 1:]))(classes(50, 13)))
)  # fmt: skip
wrong("goals: two layers whose result is detached", "weights_without_gradient", "Tsinghua-MARS-Lab/DenseTNT#11")(
    lambda: goals(lambda self, x: self.score(self.embed(x).detach() + self.around(x))[..., 0], score=nn.Linear(16, 1),
                  embed=dense(8, 16, 16), around=nn.Linear(8, 16))
)  # fmt: skip
wrong("graphs: an adjacency that is learnt, and detached", "weights_without_gradient", "queenie88/A-GCN#4")(
    lambda: goals(lambda self, x: self.out((self.phi(x) @ self.theta(x).mT).softmax(-1).detach() @ x)[..., 0],
                  phi=nn.Linear(8, 4), theta=nn.Linear(8, 4), out=nn.Linear(8, 1))
)  # fmt: skip
wrong("pictures of words: which index to ignore is stored and not used", "padding_not_ignored",
      "lucidrains/DALLE-pytorch#57")(
    lambda: (reader(lambda t: torch.ones(t.size(1), t.size(1)).triu(1).bool()), lambda z, y: F.cross_entropy(
        z[:, :-1].transpose(1, 2), y[:, 1:]), *padded_tokens(0))
)  # fmt: skip
wrong("music: padding is part of the loss", "padding_not_ignored", "EleutherAI/aria#40")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.transpose(1, 2), y), *(lambda t: (t[:, :-1], t[:, 1:]))(
        padded_tokens(49)[0]))
)  # fmt: skip
wrong("two views of a picture: their likeness without its minus", AGAINST, "Kim-Minseon/RoCL#3")(
    lambda: (mlp(6), lambda z, _: F.cosine_similarity(z[:, 0], z[:, 1]).mean(), views(), None)
)


@wrong("a critic's slope, taken behind its sigmoid", "activation_in_critic|bounded_critic|activation_twice",
       "hwalsuklee/tensorflow-generative-model-collections#14")  # fmt: skip
def _():
    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_(True)
        score = self.net(x)
        return score, torch.autograd.grad(score.sigmoid().sum(), x, create_graph=True)[0]

    part = Part(forward, net=nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 1)))
    return (part, lambda o, _: o[0][8:].mean() - o[0][:8].mean() + 10 * ((o[1].flatten(1).norm(dim=1) - 1) ** 2).mean(),
            inputs(3, 6, 6), None)  # fmt: skip


wrong("a generator that lowers what the critic says", AGAINST, "Zeleni9/pytorch-wgan#53")(
    lambda: (generator(), lambda d, _: d.mean(), inputs(), None)
)
wrong("a critic's slope, its norm over the only channel", "wrong_axis|wrong_formula", "Zeleni9/pytorch-wgan#40")(
    lambda: (critic(), lambda o, _: o[0][8:].mean() - o[0][:8].mean() + 10 * ((o[1].norm(2, dim=1) - 1) ** 2).mean(),
             inputs(3, 6, 6), None)
)  # fmt: skip
wrong("episodes of any length: a mean over masked steps", "mean_over_padding|mean_over_mask", "DeepX-inc/machina#198")(
    lambda: (Part(lambda self, x: self.out(self.rnn(x)[0])[..., 0], rnn=nn.GRU(8, 16, batch_first=True),
                  out=nn.Linear(16, 1)), lambda v, y: (((v - y[0]) ** 2) * y[1]).mean(), torch.randn(N, 12, 8),
             (torch.randn(N, 12), (torch.arange(12)[None] < torch.randint(3, 12, (N, 1))).float()))
)  # fmt: skip
wrong("a loss that keeps logits small, divided by the mask", "loss_not_finite", "allenai/OLMo#523")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.mT, y, ignore_index=0) + 1e-4 * (
        z.logsumexp(-1) ** 2 / (y > 0).float()).mean(), *padded_tokens(0))
)  # fmt: skip
wrong("a flow that learns from one sample of the batch", f"{UNUSED}|unused_input|samples_unused",
      "atong01/conditional-flow-matching#24")(
    lambda: flow(first=True)
)  # fmt: skip
wrong("ages: weights of samples arrive as the width of Huber's square", "wrong_formula|arguments_swapped",
      "YyzHarry/imbalanced-regression#21")(
    lambda: (mlp(1), lambda out, y: (lambda d, beta: torch.where(d < beta, 0.5 * d**2 / beta, d - 0.5 * beta).mean())(
        (out - y[0]).abs(), y[1]), inputs(), (torch.randn(N, 1), 0.2 + 3 * torch.rand(N, 1)))
)  # fmt: skip
wrong("teams: likeness of embeddings behind a ReLU, as logits",
      "bounded_outputs_before_bce_logits|relu_before_bce_logits", "fani-lab/OpeNTF#349")(
    lambda: (Part(lambda self, x: self.team(x).relu() @ self.experts.weight.relu().T, team=dense(8, 16, 16),
                  experts=nn.Embedding(6, 16)), nn.BCEWithLogitsLoss(), inputs(), labels(6))
)  # fmt: skip
wrong("texts: the LSTM's last state, of padding", PADDING, "ray-project/ray#21392")(
    lambda: (Part(lambda self, t: self.out(self.rnn(self.embed(t))[1][0][-1]), out=nn.Linear(16, 4),
                  embed=nn.Embedding(50, 16, padding_idx=0), rnn=nn.LSTM(16, 16, batch_first=True)),
             nn.CrossEntropyLoss(), padded_tokens(0)[0], classes(4))
)  # fmt: skip


# ---------------------------------------------------------------- right


right("games: shares of a search and who won", "suragnair/alpha-zero-general#329")(
    lambda: (Heads(as_tuple=True, policy=mlp(5, nn.LogSoftmax(1)), value=mlp(1, nn.Tanh())), lambda o, y: (
        -(y[0] * o[0]).sum() / N + ((y[1] - o[1].view(-1)) ** 2).sum() / N), inputs(),
             (torch.rand(N, 5).softmax(1), torch.randint(0, 2, (N,)) * 2.0 - 1))
)  # fmt: skip
right("preferred pictures: errors of the model against a reference", "huggingface/diffusers#6702")(
    lambda: (mlp(8), lambda out, y: (lambda own: -F.logsigmoid(-0.5 * ((own[:8] - own[8:]) - (y[1][:8] - y[1][8:])))
                                     .mean())(((out - y[0]) ** 2).mean(1)), inputs(),
             (torch.randn(N, 8), torch.rand(N) + 0.5))
)  # fmt: skip
right("depth and how sure: a logarithm that may be below zero", "mattpoggi/mono-uncertainty#16")(
    lambda: (pair(depth=1, log_var=1), lambda o, y: ((o[0] - y).abs() * (-o[1]).exp() + o[1]).mean(), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
right("tables: a critic of real rows and made ones", "sdv-dev/CTGAN#82")(
    lambda: (dense(8, 32, 1), lambda d, _: -(d[:8].mean() - d[8:].mean()), inputs(), None)
)
right("captions: losses of tokens picked by hand", "buxiangzhiren/DDCap#19")(
    lambda: (Tagger(50), lambda z, y: -log_p(z, y.clamp(min=0))[y != -1].mean(), *(
        lambda t: (t[:, :-1], t[:, 1:].masked_fill(t[:, 1:] == 0, -1)))(padded_tokens(0)[0]))
)  # fmt: skip
right("few labels: what the model is sure of, as a mean over all", "microsoft/Semi-supervised-learning#96")(
    lambda: (mlp(5), lambda z, y: F.cross_entropy(z[:8], y[:8]) + (lambda p: (F.cross_entropy(
        z[8:], p.argmax(1), reduction="none") * (p.max(1).values > 0.25)).mean())((z[8:].detach() * 3).softmax(1)),
             inputs(), classes(5))
)  # fmt: skip
right("blind spots: targets that are zero outside their mask", "juglab/n2v#101")(
    lambda: (mask_head(), lambda out, y: ((y[0] - out * y[1]) ** 2).sum() / y[1].sum(), inputs(3, 6, 6),
             (lambda m: (torch.randn(N, 1, 6, 6) * m, m))((torch.rand(N, 1, 6, 6) < 0.2).float()))
)  # fmt: skip
right("a flow from noise to data", "lucidrains/transfusion-pytorch#8")(lambda: flow(first=False))


@right("views: one positive among all others, itself left out", "leftthomas/SimCLR#27")
def _():
    def loss(z: Tensor, _: None) -> Tensor:
        both = F.normalize(torch.cat([z[:, 0], z[:, 1]]), dim=1)
        near = (both @ both.T / 0.5).exp()
        others = near.masked_select(~torch.eye(2 * N, dtype=torch.bool)).view(2 * N, -1)
        own = ((F.normalize(z[:, 0], dim=1) * F.normalize(z[:, 1], dim=1)).sum(1) / 0.5).exp()
        return -(torch.cat([own, own]) / others.sum(1)).log().mean()

    return mlp(6), loss, views(), None


right("clients: a divergence of a softmax and a log-softmax", "jinkyu032/FedMLB#3")(
    lambda: (mlp(5), lambda z, y: F.cross_entropy(z, y[0]) + nn.KLDivLoss(reduction="batchmean")(
        z.log_softmax(1), y[1].softmax(1)), inputs(), (classes(5), torch.randn(N, 5)))
)  # fmt: skip
right("a small language model: an index to ignore that never comes", "karpathy/nanoGPT#297")(
    lambda: (reader(lambda t: torch.ones(t.size(1), t.size(1)).triu(1).bool()), lambda z, y: F.cross_entropy(
        z.view(-1, 50), y.reshape(-1), ignore_index=-1), *(lambda t: (t[:, :-1], t[:, 1:]))(classes(50, 13)))
)  # fmt: skip
