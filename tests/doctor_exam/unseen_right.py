"""Right set-ups written before the doctor was mended: many from threads where the answer was "this is no bug".

The names of unusual ones begin with "unusual:".
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.unseen_wrong import Q, alignments, bellman, ctc, dice, images, mask_head, rare, transitions

UNSEEN_RIGHT = CaseSet()
right = UNSEEN_RIGHT.right


def two(outputs: int = 5, **kinds: int) -> Heads:
    """Two or more linear heads, returned as a tuple."""
    return Heads(
        as_tuple=True, **{name: nn.Linear(8, size) for name, size in (kinds or dict(a=outputs, b=outputs)).items()}
    )


def signs(count: int = N) -> Tensor:
    """Labels of -1 and +1."""
    return (torch.arange(count) % 2 * 2 - 1).float()


# ---------------------------------------------------------------- classes


right("two networks taught by each other, log-softmax twice", "bhanML/Co-teaching#4")(
    lambda: (two(), lambda out, y: sum(F.cross_entropy(F.log_softmax(one, 1), y, reduction="none").sort()[0][:12].mean()
                                       for one in out), inputs(), classes(5))
)  # fmt: skip
right("segmentation with log-softmax before cross-entropy", "speedinghzl/Pytorch-Deeplab#2")(
    lambda: (mask_head(channels=4), lambda out, y: F.cross_entropy(F.log_softmax(out, 1), y, ignore_index=255),
             inputs(3, 6, 6), classes(4, 6, 6))
)  # fmt: skip
right("contrastive learning as classification, the positive first", "sthalles/SimCLR#13")(
    lambda: (Then(mlp(16), lambda z: torch.cat([(F.normalize(z) * F.normalize(z.roll(1, 1))).sum(1, keepdim=True),
                                                F.normalize(z) @ F.normalize(torch.ones(12, 16) + torch.eye(12, 16)).T],
                                               1) / 0.07),
             nn.CrossEntropyLoss(), inputs(), torch.zeros(N, dtype=torch.long))
)  # fmt: skip


@right("InfoNCE over a memory bank, all labels zero", "amazon-science/video-contrastive-learning#5")
def _():
    bank = F.normalize(torch.randn(32, 16))

    def loss(outputs: tuple, _: None) -> Tensor:
        query, key = (F.normalize(one) for one in outputs)
        logits = torch.cat([(query * key.detach()).sum(1, keepdim=True), query @ bank.T], 1) / 0.07
        return F.cross_entropy(logits, torch.zeros(N, dtype=torch.long))

    return two(16), loss, inputs(), None


@right("CLIP: a symmetric loss on a similarity matrix", "RElbers/info-nce-pytorch#9")
def _():
    def loss(outputs: tuple, _: None) -> Tensor:
        logits = 14.3 * F.normalize(outputs[0]) @ F.normalize(outputs[1]).T
        own = torch.arange(N)
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2

    return two(16), loss, inputs(), None


@right("forbidden classes set to minus infinity", "pytorch/pytorch#63004")
def _():
    def masked(z: Tensor) -> Tensor:
        return z.masked_fill(torch.arange(5) == 0, float("-inf"))

    return Then(mlp(5), masked), nn.CrossEntropyLoss(), inputs(), classes(4) + 1


right("void pixels, reduction none, averaged by hand", "pytorch/pytorch#15508")(
    lambda: (mask_head(channels=3),
             lambda out, y: F.cross_entropy(out, y, ignore_index=255, reduction="none").sum() / (y != 255).sum(),
             inputs(3, 6, 6), torch.where(torch.rand(N, 6, 6) < 0.2, 255, classes(3, 6, 6)))
)  # fmt: skip
right("labels padded with -100", "Shivanandroy/T5-Finetuning-PyTorch#3")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out.view(-1, 50), y.view(-1)),
             *(lambda x, y: (x, y.masked_fill(y == 0, -100)))(*padded_tokens(pad=0)))
)  # fmt: skip
right("padding is token 0 and ignored", "huggingface/transformers#11616")(
    lambda: (Tagger(50), lambda out, y: nn.CrossEntropyLoss(ignore_index=0)(out.transpose(1, 2), y),
             *padded_tokens(pad=0))
)  # fmt: skip
right("texts of one length without any padding", "FlagAI-Open/FlagAI#522, the answer")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out.view(-1, 50), y.view(-1)), torch.randint(0, 50, (N, 9)),
             classes(50, 9))
)  # fmt: skip
right("mixup: two cross-entropies")(
    lambda: (
        mlp(5),
        lambda out, y: 0.3 * F.cross_entropy(out, y) + 0.7 * F.cross_entropy(out, y.flip(0)),
        inputs(),
        classes(5),
    )
)
right("label smoothing written as a divergence")(
    lambda: (mlp(5), lambda out, y: F.kl_div(F.log_softmax(out, 1), 0.02 + 0.9 * F.one_hot(y, 5),
                                             reduction="batchmean"), inputs(), classes(5))
)  # fmt: skip
right("cross-entropy written by hand with soft targets")(
    lambda: (mlp(5), lambda out, y: -(y * F.log_softmax(out, -1)).sum(-1).mean(), inputs(), torch.rand(N, 5).softmax(1))
)
right("focal loss, reduction none", "itakurah/focal-loss-pytorch#6, mended")(
    lambda: (mlp(5), lambda out, y: (lambda each: ((1 - torch.exp(-each)) ** 2 * each).mean())(
        F.cross_entropy(out, y, reduction="none")), inputs(), classes(5))
)  # fmt: skip
right("weights of the rare class are the larger", "PRBonn/lidar-bonnetal#48")(
    lambda: (mlp(2), nn.CrossEntropyLoss(weight=torch.tensor([0.1, 0.9])), torch.randn(64, 8), rare(0.1))
)
right("angular margin with a scale")(
    lambda: (
        Then(mlp(5), lambda z: F.normalize(z)),
        lambda cosine, y: F.cross_entropy(30 * (cosine - 0.35 * F.one_hot(y, 5)), y),
        inputs(),
        classes(5),
    )
)
right("the mean of two networks' probabilities, then its logarithm")(
    lambda: (Then(two(), lambda out: (out[0].softmax(1) + out[1].softmax(1)) / 2),
             lambda p, y: F.nll_loss(torch.log(p), y), inputs(), classes(5))
)  # fmt: skip
right("an adaptive softmax that owns its weights")(
    lambda: (mlp(16), (lambda head: lambda out, y: head(out, y).loss)(nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 10])),
             inputs(), classes(20))
)  # fmt: skip
right("fresh logits of a square tagger, turned")(
    lambda: (Then(Tagger(9), lambda z: z.transpose(1, 2)), nn.CrossEntropyLoss(), torch.randint(0, 50, (N, 9)),
             classes(9, 9))
)  # fmt: skip
right("a convolution over time with as many steps as classes")(
    lambda: (nn.Conv1d(8, 6, 1), nn.CrossEntropyLoss(), inputs(8, 6), classes(6, 6))
)


@right("class queries times features, [N, C, L] with C equal to L")
def _():
    class Queries(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.queries, self.body = nn.Parameter(torch.randn(6, 8)), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("cd,nld->ncl", self.queries, self.body(x))

    return Queries(), nn.CrossEntropyLoss(), inputs(6, 8), classes(6, 6)


right("a linear layer of C times L outputs seen as [N, C, L]")(
    lambda: (Then(mlp(36), lambda z: z.view(N, 6, 6)), nn.CrossEntropyLoss(), inputs(), classes(6, 6))
)
right("deep supervision: a list of maps of several sizes")(
    lambda: (Then(mask_head(channels=3), lambda z: [z, F.avg_pool2d(z, 2)]),
             lambda out, y: F.cross_entropy(out[0], y) + 0.5 * F.cross_entropy(out[1], y[:, ::2, ::2]),
             inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
right("an LSTM that is told that the batch comes first", "facebookresearch/fairseq#2449, mended")(
    lambda: (
        nn.Sequential(Then(nn.LSTM(8, 16, batch_first=True), lambda out: out[0][:, -1]), nn.Linear(16, 5)),
        nn.CrossEntropyLoss(),
        inputs(6, 8),
        classes(5),
    )
)
right("a transformer layer, the batch first, averaged over time")(
    lambda: (nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
                           Then(nn.Linear(8, 5), lambda z: z.mean(1))), nn.CrossEntropyLoss(), inputs(6, 8),
             classes(5))
)  # fmt: skip
right("CTC on log-softmax")(
    lambda: (Then(Tagger(6), lambda z: z.log_softmax(-1)), ctc, torch.randint(0, 50, (N, 12)), alignments())
)

# ---------------------------------------------------------------- yes and no


right("a discriminator without sigmoid", "sanghyun-son/EDSR-PyTorch#55")(
    lambda: (
        mlp(1),
        lambda out, real: F.binary_cross_entropy_with_logits(out, torch.ones_like(out) * real),
        inputs(),
        labels(1),
    )
)
right("least-squares GAN without sigmoid", "eriklindernoren/PyTorch-GAN#79")(
    lambda: (mlp(1), nn.MSELoss(), inputs(), torch.ones(N, 1))
)
right("a Wasserstein critic", "martinarjovsky/WassersteinGAN#72")(
    lambda: (
        mlp(1),
        lambda out, real: out[real == 0].mean() - out[real == 1].mean(),
        inputs(),
        (torch.arange(N) % 2)[:, None],
    )
)
right("hinge GAN")(lambda: (mlp(1), lambda out, s: F.relu(1 - s * out).mean(), inputs(), signs()[:, None]))
right("dice on a sigmoid beside BCEWithLogits", "facebookresearch/sam2#376")(
    lambda: (
        mask_head(),
        lambda out, y: dice(out.sigmoid(), y) + F.binary_cross_entropy_with_logits(out, y),
        inputs(3, 6, 6),
        labels(1, 6, 6),
    )
)
right("dice of all classes on a softmax", "mberkay0/pretrained-backbones-unet#7, mended")(
    lambda: (
        mask_head(channels=3),
        lambda out, y: dice(out.softmax(1), F.one_hot(y, 3).movedim(-1, 1).float()),
        inputs(3, 6, 6),
        classes(3, 6, 6),
    )
)
right("dice on the exponential of a log-softmax", "Jiaxuan-Li/MGU-Net#3")(
    lambda: (mask_head(nn.LogSoftmax(1), channels=3),
             lambda out, y: dice(out.exp(), F.one_hot(y, 3).movedim(-1, 1).float()) + F.nll_loss(out, y),
             inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
right("a weight above one for rare positives", "ttanida/rgrg#32")(
    lambda: (
        mlp(1),
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor([6.0])),
        torch.randn(64, 8),
        rare(0.15).float()[:, None],
    )
)
right("ordered grades as cumulative yes and no")(
    lambda: (
        mlp(4),
        lambda out, y: F.binary_cross_entropy_with_logits(out, (y[:, None] > torch.arange(4)).float()),
        inputs(),
        classes(5),
    )
)
right("an asymmetric multi-label loss by hand")(
    lambda: (mlp(4), lambda out, y: -(y * torch.log(out.sigmoid().clamp(1e-8)) + (1 - y) * out.sigmoid() ** 4
                                      * torch.log((1 - out.sigmoid() + 0.05).clamp(1e-8, 1))).mean(),
             inputs(), labels(4))
)  # fmt: skip
right("probabilities mapped from a tanh, into BCELoss")(
    lambda: (Then(mlp(1), lambda z: (torch.tanh(z) + 1) / 2), nn.BCELoss(), inputs(), labels(1))
)
right("at least one of three, into BCELoss")(
    lambda: (Then(mlp(3), lambda z: 1 - (1 - z.sigmoid()).prod(1)), nn.BCELoss(), inputs(), labels(1)[:, 0])
)
right("pairs ranked by the logarithm of a sigmoid")(
    lambda: (two(1), lambda out, _: -F.logsigmoid(out[0] - out[1]).mean(), inputs(), None)
)

# ---------------------------------------------------------------- values


right("three quantiles of one target, one smooth loss", "ourownstory/neural_prophet#735")(
    lambda: (Then(mlp(3), lambda z: z[:, None]), nn.SmoothL1Loss(), inputs(), torch.randn(N, 1, 1))
)
right("the pinball loss of three quantiles")(
    lambda: (mlp(3), lambda out, y: (lambda e, q: torch.max((q - 1) * e, q * e).mean())(
        y[:, None] - out, torch.tensor([0.1, 0.5, 0.9])), inputs(), torch.randn(N))
)  # fmt: skip
right("an ensemble [M, N] against targets [N]")(
    lambda: (Then(two(1, a=1, b=1, c=1), lambda out: torch.stack(out)[..., 0]), nn.MSELoss(), inputs(), torch.randn(N))
)
right("a generator with tanh for pictures of -1 to 1", "junyanz/pytorch-CycleGAN-and-pix2pix#522")(
    lambda: (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh()), nn.L1Loss(), inputs(3, 6, 6), images(-1, 1))
)
right("landmarks that are positive, behind a ReLU", "luoyetx/deep-landmark#17")(
    lambda: (mlp(10, nn.ReLU()), nn.MSELoss(), inputs(), torch.rand(N, 10))
)
right("a variational autoencoder", "pytorch/examples#290, mended")(
    lambda: (
        two(8, again=8, mean=4, log_var=4),
        lambda out, x: (
            F.binary_cross_entropy_with_logits(out[0], x, reduction="sum")
            - 0.5 * (1 + out[2] - out[1] ** 2 - out[2].exp()).sum()
        ),
        inputs(),
        torch.rand(N, 8),
    )
)
right("a Gaussian likelihood with softplus")(
    lambda: (
        Heads(mean=nn.Linear(8, 1), var=nn.Sequential(nn.Linear(8, 1), nn.Softplus()), as_tuple=True),
        lambda out, y: F.gaussian_nll_loss(out[0], y, out[1]),
        inputs(),
        torch.randn(N, 1),
    )
)
right("a Gaussian likelihood with the logarithm of the variance", "unit8co/darts#1162, mended")(
    lambda: (
        two(1),
        lambda out, y: (0.5 * out[1] + 0.5 * (y - out[0]) ** 2 * torch.exp(-out[1])).mean(),
        inputs(),
        torch.randn(N, 1),
    )
)
right("a mixture of Gaussians", "ctallec/world-models#10, mended")(
    lambda: (
        two(3),
        lambda out, y: (
            -torch.logsumexp(
                F.log_softmax(out[1], -1) + torch.distributions.Normal(out[0], 1.0).log_prob(y[:, None]), -1
            ).mean()
        ),
        inputs(),
        torch.randn(N),
    )
)
right("counts, the rate behind a softplus, log_input=False")(
    lambda: (mlp(1, nn.Softplus()), nn.PoissonNLLLoss(log_input=False), inputs(), torch.randint(0, 9, (N, 1)).float())
)
right("a smooth absolute error by hand")(
    lambda: (mlp(2), lambda out, y: torch.sqrt((out - y) ** 2 + 1e-6).mean(), inputs(), torch.randn(N, 2))
)
right("masked autoencoder: only hidden patches count", "uncbiag/ICON#83, mended")(
    lambda: (mlp(8), lambda out, y: ((out - y) ** 2 * (y > 0)).sum() / (y > 0).sum(), inputs(), torch.randn(N, 8))
)
right("diffusion: the noise is predicted")(
    lambda: (Then(nn.Conv2d(3, 3, 3, padding=1), lambda z: z), nn.MSELoss(), inputs(3, 6, 6), torch.randn(N, 3, 6, 6))
)
right("a Cox loss", "mahmoodlab/PathomicFusion#9, mended")(
    lambda: (Then(mlp(1), lambda z: z[:, 0]), lambda risk, y: -torch.mean(
        (risk - torch.log((risk.exp() * (y[0][None] >= y[0][:, None])).sum(1))) * y[1]), inputs(),
             (torch.rand(N), labels(1)[:, 0]))
)  # fmt: skip
right("ranks of all pairs, own differences against true ones")(
    lambda: (
        Then(mlp(1), lambda z: z[:, 0]),
        lambda s, y: F.softplus(-(s[:, None] - s[None]) * torch.sign(y[:, None] - y[None])).mean(),
        inputs(),
        torch.randn(N),
    )
)
right("similarities of a batch against those of a teacher")(
    lambda: (
        mlp(6),
        lambda out, y: F.mse_loss(F.normalize(out) @ F.normalize(out).T, F.normalize(y) @ F.normalize(y).T),
        inputs(),
        torch.randn(N, 6),
    )
)

# ---------------------------------------------------------------- distillation, agents, pairs


right("distillation with a temperature", "kjaved0/incremental-learning#5")(
    lambda: (mlp(5), lambda out, y: 9 * F.kl_div(F.log_softmax(out / 3, 1), F.softmax(y[1] / 3, 1),
                                                 reduction="batchmean") + F.cross_entropy(out, y[0]),
             inputs(), (classes(5), torch.randn(N, 5)))
)  # fmt: skip
right("unusual: reverse divergence, the student as target")(
    lambda: (
        mlp(5),
        lambda out, t: F.kl_div(F.log_softmax(t, 1), F.softmax(out, 1), reduction="batchmean"),
        inputs(),
        torch.randn(N, 5),
    )
)


@right("a frozen teacher is asked first, its loss weighs the samples")
def _():
    teacher, x = mlp(5).requires_grad_(False), inputs()

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        weight = torch.exp(-F.cross_entropy(teacher(x), targets, reduction="none"))
        return (weight * F.cross_entropy(outputs, targets, reduction="none")).mean()

    return mlp(5), loss, x, classes(5)


def _agent() -> tuple:
    model = Q()
    return model, bellman(model, True), inputs(), transitions()


right("DQN with a detached goal", "quantumiracle/Popular-RL-Algorithms#16")(_agent)
right("policy ratio and advantages of one shape", "RITCHIEHuang/DeepRL_Algorithms#13, mended")(
    lambda: (mlp(4), lambda out, y: -torch.min(*(torch.exp(torch.distributions.Categorical(logits=out).log_prob(y[0])
                                                            - y[1]).clamp(*ends) * y[2]
                                                 for ends in ((0, 99), (0.8, 1.2)))).mean(), inputs(),
             (classes(4), torch.randn(N) - 1.4, torch.randn(N)))
)  # fmt: skip
right("actor and critic, the advantage detached", "PacktPublishing/Deep-Reinforcement-Learning-Hands-On#74, mended")(
    lambda: (two(1, policy=4, value=1), lambda out, y: F.mse_loss(out[1].squeeze(-1), y[1]) - (
        (y[1] - out[1].squeeze(-1).detach()) * F.log_softmax(out[0], 1)[range(N), y[0]]).mean(), inputs(),
             (classes(4), torch.randn(N)))
)  # fmt: skip
right("ranking pairs with signs", "seathiefwang/RankPose#4, mended")(
    lambda: (two(1), lambda out, y: F.margin_ranking_loss(out[0][:, 0], out[1][:, 0], y, margin=0.1), inputs(), signs())
)
right("cosine embedding with signs", "pytorch/pytorch#8316")(
    lambda: (two(5), lambda out, y: F.cosine_embedding_loss(*out, y), inputs(), signs())
)
right("triplets", "adambielski/siamese-triplet#51")(
    lambda: (two(4, a=4, p=4, n=4), lambda out, _: F.triplet_margin_loss(*out), inputs(), None)
)
right("a contrastive loss of pairs by hand")(
    lambda: (
        two(4),
        lambda out, y: (lambda d: (y * d**2 + (1 - y) * F.relu(1 - d) ** 2).mean())(F.pairwise_distance(*out)),
        inputs(),
        labels(1)[:, 0],
    )
)
right("distances to class centres")(
    lambda: (
        mlp(4),
        lambda out, y: ((out[:, None] - torch.arange(12.0).view(3, 4)) ** 2).sum(-1).gather(1, y[:, None]).mean(),
        inputs(),
        classes(3),
    )
)
right("SimSiam: the other view detached")(
    lambda: (two(8), lambda out, _: -F.cosine_similarity(out[0], out[1].detach()).mean(), inputs(), None)
)
right("Barlow twins: the cross-correlation is the identity")(
    lambda: (
        two(6),
        lambda out, _: (
            (
                ((out[0] - out[0].mean(0)) / out[0].std(0)).T @ ((out[1] - out[1].mean(0)) / out[1].std(0)) / N
                - torch.eye(6)
            )
            .pow(2)
            .sum()
        ),
        inputs(),
        None,
    )
)
right("a vector quantiser with a straight-through step")(
    lambda: (
        Then(mlp(4), lambda z: (z + (z.round() - z).detach(), z)),
        lambda out, y: F.mse_loss(out[0], y) + 0.25 * F.mse_loss(out[1], out[0].detach()),
        inputs(),
        torch.randn(N, 4),
    )
)

# ---------------------------------------------------------------- unusual models, losses and inputs


right("the loss comes out of the model", "huggingface/transformers#1706")(
    lambda: (
        Then(mlp(1), lambda z: {"loss": F.mse_loss(z[:, 0], torch.zeros(N)), "logits": z}),
        lambda out, _: out["loss"],
        inputs(),
        None,
    )
)
right("a detector that returns its losses")(
    lambda: (
        Then(mlp(5), lambda z: {"classes": F.cross_entropy(z, torch.arange(N) % 5), "boxes": z.abs().mean()}),
        lambda out, _: sum(out.values()),
        inputs(),
        None,
    )
)
right("unusual: the loss is returned in a dictionary")(
    lambda: (
        mlp(5),
        lambda out, y: {"loss": F.cross_entropy(out, y), "accuracy": (out.argmax(1) == y).float().mean()},
        inputs(),
        classes(5),
    )
)
right("unusual: a sparse embedding")(
    lambda: (
        nn.Sequential(nn.Embedding(50, 8, sparse=True), nn.Flatten(), nn.Linear(24, 5)),
        nn.CrossEntropyLoss(),
        torch.randint(0, 50, (N, 3)),
        classes(5),
    )
)
right("unusual: an embedding with a maximal norm")(
    lambda: (
        nn.Sequential(nn.Embedding(50, 8, max_norm=1.0), nn.Flatten(), nn.Linear(24, 5)),
        nn.CrossEntropyLoss(),
        torch.randint(0, 50, (N, 3)),
        classes(5),
    )
)
right("unusual: a lazy model that has seen nothing")(
    lambda: (nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(5)), nn.CrossEntropyLoss(), inputs(), classes(5))
)


class Batch(nn.Module):
    """A model that takes a whole batch as one dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(5)

    def forward(self, batch: dict) -> Tensor:
        return self.body(batch["x"] + batch["noise"])


right("unusual: a dictionary that is one argument")(
    lambda: (Batch(), nn.CrossEntropyLoss(), {"x": inputs(), "noise": inputs()}, classes(5))
)
right("unusual: packed sequences")(
    lambda: (
        nn.Sequential(Then(nn.GRU(8, 16, batch_first=True), lambda out: out[1][0]), nn.Linear(16, 5)),
        nn.CrossEntropyLoss(),
        nn.utils.rnn.pack_padded_sequence(inputs(6, 8), torch.arange(N) % 6 + 1, True, False),
        classes(5),
    )
)


@dataclass
class Answer:
    """What some libraries return."""

    logits: Tensor
    hidden: Tensor


right("unusual: outputs in a dataclass")(
    lambda: (
        Then(mlp(5), lambda z: Answer(z, z * 2)),
        lambda out, y: F.cross_entropy(out.logits, y),
        inputs(),
        classes(5),
    )
)


@right("unusual: twelve hundred concatenations")
def _():
    def grow(z: Tensor) -> Tensor:
        for _ in range(1200):
            z = torch.cat([z[:, :2], z[:, 2:]], 1)
        return z

    return Then(mlp(5), grow), nn.CrossEntropyLoss(), inputs(), classes(5)


@right("unusual: forty doublings of a graph by concatenation")
def _():
    def double(z: Tensor) -> Tensor:
        for _ in range(40):
            z = torch.cat([z, z], 1)[:, :5]
        return z

    return Then(mlp(5), double), nn.CrossEntropyLoss(), inputs(), classes(5)


class ZeroBranch(nn.Module):
    """A residual block whose branch starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.gate, self.out = nn.Linear(8, 8), nn.Parameter(torch.zeros(8)), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x + self.gate * torch.relu(self.body(x)))


right("a branch that starts at zero")(lambda: (ZeroBranch(), nn.CrossEntropyLoss(), inputs(), classes(5)))


@right("unusual: a batch normalisation inside the loss")
def _():
    norm = nn.BatchNorm1d(5)
    return mlp(5), lambda out, y: F.cross_entropy(norm(out), y), inputs(), classes(5)


@right("unusual: a momentum encoder moved by the forward pass")
def _():
    class Momentum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key = mlp(8), mlp(8).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                for slow, fast in zip(self.key.parameters(), self.query.parameters(), strict=True):
                    slow.mul_(0.99).add_(fast, alpha=0.01)
            return F.normalize(self.query(x)) @ F.normalize(self.key(x)).T / 0.07

    return Momentum(), nn.CrossEntropyLoss(), inputs(), torch.arange(N)


right("unusual: a graph network, nodes see their neighbours")(
    lambda: (
        Then(nn.Linear(8, 3), lambda z: (torch.eye(N) + torch.eye(N).roll(1, 0)) / 2 @ z),
        nn.CrossEntropyLoss(),
        inputs(),
        classes(3),
    )
)
right("two tasks weighed by learnt uncertainties")(
    lambda: (
        two(1),
        (lambda s: lambda out, y: (torch.exp(-s) * torch.stack([F.mse_loss(o, y) for o in out]) + s).sum())(
            nn.Parameter(torch.zeros(2))
        ),
        inputs(),
        torch.randn(N, 1),
    )
)
right("a chain's forward algorithm by hand")(
    lambda: (Tagger(4), (lambda t: lambda out, y: (torch.logsumexp(torch.logsumexp(
        out[:, 0, :, None] + t, 1) + out[:, 1], 1) - out[range(N), 0, y[:, 0]] - t[y[:, 0], y[:, 1]]
        - out[range(N), 1, y[:, 1]]).mean())(nn.Parameter(torch.zeros(4, 4))), torch.randint(0, 50, (N, 2)),
             classes(4, 2))
)  # fmt: skip
right("an equation's residual, the derivative taken in the forward pass")(
    lambda: (Then(nn.Tanh(), lambda x: x), lambda u, _: (u.pow(2)).mean(), inputs().requires_grad_(), None)
)
right("mixed precision inside the forward pass")(
    lambda: (Then(mlp(5), lambda z: z.bfloat16()), lambda out, y: F.cross_entropy(out.float(), y), inputs(), classes(5))
)
right("a segmentation head enlarged to the size of the labels")(
    lambda: (
        Then(mask_head(channels=4), lambda z: F.interpolate(z, scale_factor=2, mode="bilinear")),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        inputs(3, 6, 6),
        classes(4, 12, 12),
    )
)
