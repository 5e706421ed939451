"""Set-ups of an eighth round, from threads as the seventh, written when the checks stood still, to be scored once."""

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part, views
from doctor_exam.round_seven import PADDING, UNUSED, log_p
from doctor_exam.unseen_wrong import mask_head

ROUND_EIGHT = CaseSet()
right, wrong = ROUND_EIGHT.right, ROUND_EIGHT.wrong


def hot(y: Tensor, count: int) -> Tensor:
    """Classes [N, H, W] as masks [N, C, H, W]."""
    return F.one_hot(y, count).movedim(-1, 1).float()


def dice_by_class(p: Tensor, y: Tensor) -> Tensor:
    """One minus the mean overlap of the classes."""
    y = hot(y, p.size(1))
    return 1 - ((2 * (p * y).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + y.sum((0, 2, 3)) + 1)).mean()


# ---------------------------------------------------------------- wrong


wrong("links: the scores of false ones are the targets of the true",
      "gradient_into_target|arguments_swapped|targets_outside_unit_range|wrong_formula", "wyx11112/GCMAE#3")(
    lambda: (pair(true=1, false=1), lambda o, _: F.binary_cross_entropy_with_logits(o[0], o[1]), inputs(), None)
)  # fmt: skip
wrong("a segmenter whose softmax takes the last axis, the columns", "softmax_wrong_axis|wrong_axis|wrong_formula",
      "MrGiovanni/ModelsGenesis#8")(
    lambda: (mask_head(nn.Softmax(-1), channels=3), dice_by_class, inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
wrong("tables: an activation behind the first layer only", "no_activation_between|linear_layers_in_a_row",
      "fastai/fastai#1875")(
    lambda: (nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 48), nn.BatchNorm1d(48),
                           nn.Linear(48, 1)), nn.MSELoss(), inputs(), torch.randn(N, 1))
)  # fmt: skip


@wrong("a mask filled in and thrown away", f"{PADDING}|mask_without_effect", "opendilab/DI-engine#333")
def _():
    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens)
        scores = h @ h.transpose(1, 2) / 4
        scores.masked_fill((tokens == 0)[:, None, :], -1e9)
        return self.out(scores.softmax(-1) @ h)

    tokens = padded_tokens(0)[0]
    part = Part(forward, embed=nn.Embedding(50, 16), out=nn.Linear(16, 5))
    return part, lambda z, y: F.cross_entropy(z.transpose(1, 2), y, ignore_index=-1), tokens, classes(
        5, 12).masked_fill(tokens == 0, -1)  # fmt: skip


wrong("a forecast judged where nothing was observed", UNUSED, "awslabs/gluonts#2893")(
    lambda: (Heads(as_tuple=True, mean=mlp(5), spread=mlp(5, nn.Softplus())),
             lambda o, y: -Normal(o[0], o[1] + 1e-3).log_prob(y[0]).mean(), inputs(),
             (torch.randn(N, 5), labels(5)))
)  # fmt: skip


@wrong("texts: labels that attend to the padding", PADDING, "InseeFrLab/torchTextClassifiers#96")
def _():
    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens)
        seen = (self.labels.weight @ h.transpose(1, 2) / 4).softmax(-1) @ h
        return (seen * self.out.weight).sum(-1)

    part = Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), labels=nn.Linear(16, 4, bias=False),
                out=nn.Linear(16, 4, bias=False))  # fmt: skip
    return part, nn.CrossEntropyLoss(), padded_tokens(0)[0], classes(4)


@wrong("people per cell: a ReLU that starts at zero everywhere", "zero_gradient|dead_layer|outputs_ignore_inputs",
       "jvargasmu/population_estimation#68")  # fmt: skip
def _():
    network = mlp(1, nn.ReLU())
    nn.init.constant_(network[2].bias, -3.0)
    return network, nn.L1Loss(), inputs(), torch.poisson(torch.full((N, 1), 4.0))


wrong("Jaccard: twice the overlap over the union", "wrong_formula", "Project-MONAI/MONAI#644")(
    lambda: (mask_head(nn.Sigmoid()), lambda p, y: (lambda both: (1 - (2 * both + 1) / (
        p.sum((1, 2, 3)) + y.sum((1, 2, 3)) - both + 1)).mean())((p * y).sum((1, 2, 3))), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip
wrong("answers: the mask is not shifted with the tokens", "wrong_formula|mask_shifted|labels_not_shifted",
      "OpenRLHF/OpenRLHF#973")(
    lambda: (Tagger(50), lambda z, y: (lambda own, mask: -(own * mask).sum() / mask.sum())(
        log_p(z[:, :-1], y[0][:, 1:]), y[1][:, :-1]), t := classes(50, 12),
             (t, (torch.arange(12)[None] >= torch.randint(2, 8, (N, 1))).float()))
)  # fmt: skip
wrong("preferences by length: an answer of which nothing counts", "loss_not_finite|gradient_not_finite",
      "allenai/open-instruct#1625")(
    lambda: (Tagger(50), lambda z, y: (lambda mask: (lambda own: -F.logsigmoid(own[:8] - own[8:]).mean())(
        (log_p(z[:, :-1], y[:, 1:].clamp(min=0)) * mask).sum(1) / mask.sum(1)))((y[:, 1:] >= 0).float()),
             t := classes(50, 12), t.masked_fill(torch.arange(N)[:, None] == 3, -100))
)  # fmt: skip
wrong("a relativistic critic that says one thing twice", "wrong_formula|dead_term", "AlexiaJM/RelativisticGAN#2")(
    lambda: (pair(real=1, fake=1), lambda o, _: (lambda d: 0.5 * (F.binary_cross_entropy_with_logits(
        d, torch.ones(N, 1)) + F.binary_cross_entropy_with_logits(-d, torch.zeros(N, 1))))(o[0] - o[1].mean()),
             inputs(), None)
)  # fmt: skip
wrong("an entropy estimated with the other sign", "wrong_formula", "DLR-RM/stable-baselines3#127")(
    lambda: (mlp(3), lambda z, y: (lambda own: -(torch.exp(own - y[1]) * y[2]).mean() + 0.01 * -own.mean())(
        log_p(z, y[0])), inputs(), (classes(3), torch.full((N,), -1.1), torch.randn(N)))
)  # fmt: skip
wrong("a forecast's deviation where its variance is expected", "wrong_formula|deviation_for_variance",
      "unit8co/darts#1162")(
    lambda: (pair(mean=1, spread=1), lambda o, y: nn.GaussianNLLLoss()(o[0], y, F.softplus(o[1])), inputs(),
             torch.randn(N, 1))
)  # fmt: skip


@wrong("faces: an angle that passes half a turn is let off", "better_outputs_cost_more|wrong_formula",
       "KevinMusgrave/pytorch-metric-learning#537")  # fmt: skip
def _():
    def loss(cosine: Tensor, y: Tensor) -> Tensor:
        mark = F.one_hot(y, 5).float()
        far = (cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos() + 1.0).cos()
        return F.cross_entropy(16 * (mark * far + (1 - mark) * cosine), y)

    part = Part(lambda self, x: F.normalize(self.net(x), dim=1) @ F.normalize(self.centres.weight, dim=1).T,
                net=mlp(6), centres=nn.Linear(6, 5, bias=False))  # fmt: skip
    return part, loss, inputs(), classes(5)


wrong("instructions: the labels of the padding are not -100", "padding_not_ignored",
      "deepspeedai/DeepSpeedExamples#819")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z[:, :-1].reshape(-1, 50), y[:, 1:].reshape(-1),
                                                      ignore_index=-100), *padded_tokens(0))
)  # fmt: skip
wrong("a dictionary's dead units: their loss is made and not returned",
      "unused_output|weights_without_gradient|dead_term", "oclivegriffin/crosscode#3")(
    lambda: (Part(lambda self, x: (self.out((h := self.read(x).relu()).where(h > 0.5, torch.zeros(()))), self.aux(h)),
                  read=nn.Linear(8, 16), out=nn.Linear(16, 8), aux=nn.Linear(16, 8)),
             lambda o, x: ((o[0] - x) ** 2).sum(1).mean(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("passages: KLDivLoss of two softmaxes", "kl_div_on_probabilities", "sebastian-hofstaetter/matchmaker#18")(
    lambda: (mlp(6), lambda z, y: nn.KLDivLoss(reduction="batchmean")(z.softmax(-1), y.softmax(-1)), inputs(),
             torch.randn(N, 6))
)  # fmt: skip
wrong("a rating between two words: shares said to be logarithms", "kl_targets_are_probabilities|wrong_formula",
      "princeton-nlp/LM-BFF#45")(
    lambda: (Then(mlp(2), lambda z: z.log_softmax(-1)), nn.KLDivLoss(log_target=True), inputs(),
             (lambda y: torch.cat([1 - y, y], 1))(torch.rand(N, 1)))
)  # fmt: skip
wrong("born again: a divergence of raw outputs", "kl_div_on_logits", "CuriousCat-7/born-again-neural-network#1")(
    lambda: (mlp(5), lambda z, y: F.cross_entropy(z, y[0]) + F.kl_div(z, y[1], reduction="batchmean"), inputs(),
             (classes(5), torch.rand(N, 5)))
)  # fmt: skip
wrong("findings: labels of -1, not known, are learnt", "targets_outside_unit_range|wrong_formula",
      "VectorInstitute/cyclops#168")(
    lambda: (mlp(6), nn.BCEWithLogitsLoss(), inputs(), torch.where(torch.rand(N, 6) < 0.2, -1.0, labels(6)))
)  # fmt: skip


# ---------------------------------------------------------------- right


right("a line: the sum of squares by the samples", "Lightning-Universe/lightning-bolts#849")(
    lambda: (nn.Linear(8, 2), lambda out, y: F.mse_loss(out, y, reduction="sum") / out.size(0), inputs(),
             torch.randn(N, 2))
)  # fmt: skip
right("an actor's loss per sample, and one number that keeps it near the data", "google-deepmind/acme#219")(
    lambda: (Part(lambda self, x: ((a := self.actor(x)), self.critic(torch.cat([x, a], 1))), actor=mlp(2, nn.Tanh()),
                  critic=nn.Linear(10, 1).requires_grad_(False)),
             lambda o, y: (-o[1] + F.mse_loss(o[0], y)).mean(), inputs(), torch.rand(N, 2) * 2 - 1)
)  # fmt: skip
right("a temperature by its logarithm", "rail-berkeley/rlkit#71")(
    lambda: (Part(lambda self, x: (self.actor(x).log_softmax(1).max(1).values, self.log_alpha.weight),
                  actor=nn.Linear(8, 3).requires_grad_(False), log_alpha=nn.Linear(1, 1, bias=False)),
             lambda o, _: -(o[1] * (o[0] + 1.0).detach()).mean(), inputs(), None)
)  # fmt: skip


@right("voices apart: twenty times the logarithm of two norms", "JusperLee/Dual-Path-RNN-Pytorch#32")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        out, y = out - out.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
        true = (out * y).sum(-1, keepdim=True) * y / (y.norm(dim=-1, keepdim=True) ** 2 + 1e-8)
        return -(20 * (1e-8 + true.norm(dim=-1) / ((out - true).norm(dim=-1) + 1e-8)).log10()).mean()

    return mlp(12), loss, inputs(), torch.randn(N, 12)


right("edges: false ones a margin below the true", "dmlc/dgl#2487")(
    lambda: (pair(true=1, false=3), lambda o, _: (o[1] - o[0] + 1).clamp(min=0).mean(), inputs(), None)
)
right("views: a map of what can be explained, drawn to one", "ClementPinard/SfmLearner-Pytorch#62")(
    lambda: (Heads(as_tuple=True, seen=mask_head(nn.Sigmoid()), trust=mask_head(nn.Sigmoid())),
             lambda o, y: ((o[0] - y) * o[1]).abs().mean() + 0.2 * F.binary_cross_entropy(o[1], torch.ones_like(o[1])),
             inputs(3, 6, 6), torch.rand(N, 1, 6, 6))
)  # fmt: skip
right("two tissues, each by its own sigmoid", "taozh2017/Text-SemiSeg#2")(
    lambda: (mask_head(nn.Sigmoid(), channels=2), dice_by_class, inputs(3, 6, 6), classes(2, 6, 6))
)
right("nerves: minus the overlap", "jocicmarko/ultrasound-nerve-segmentation#23")(
    lambda: (mask_head(nn.Sigmoid()), lambda p, y: -(2 * (p.flatten() * y.flatten()).sum() + 1) / (
        p.sum() + y.sum() + 1), inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
right("gaps in a series: only what was hidden", "thuml/Time-Series-Library#355")(
    lambda: (Part(lambda self, x: self.out(self.rnn(x)[0]), rnn=nn.GRU(3, 8, batch_first=True), out=nn.Linear(8, 3)),
             lambda z, y: F.mse_loss(z[y[1] == 0], y[0][y[1] == 0]),
             *(lambda x, m: (x * m, (x, m)))(torch.randn(N, 9, 3), (torch.rand(N, 9, 3) < 0.7).float()))
)  # fmt: skip
right("graphs: squares where something was measured", "ORNL/HydraGNN#503")(
    lambda: (mlp(3), lambda out, y: ((out - y[0]) ** 2 * y[1]).sum() / y[1].sum().clamp(min=1), inputs(),
             (torch.randn(N, 3), labels(3)))
)  # fmt: skip
right("anchors: a focal sum by the number of objects", "fizyr/keras-retinanet#709")(
    lambda: (mlp(6), lambda z, y: (lambda p: ((0.25 * y + 0.75 * (1 - y)) * (y * (1 - p) + (1 - y) * p) ** 2
                                              * F.binary_cross_entropy_with_logits(z, y, reduction="none")).sum()
                                   / y.sum().clamp(min=1))(z.sigmoid()), inputs(), (torch.rand(N, 6) < 0.2).float())
)  # fmt: skip
right("how central a place is, where an object is", "tianzhi0549/FCOS#189")(
    lambda: (mlp(4), lambda z, y: F.binary_cross_entropy_with_logits(z[y[1]], y[0][y[1]]), inputs(),
             (torch.rand(N, 4), torch.rand(N, 4) < 0.5))
)  # fmt: skip
right("twenty classes of pixels, each as yes or no", "pochih/FCN-pytorch#9")(
    lambda: (mask_head(channels=5), lambda z, y: F.binary_cross_entropy_with_logits(z, hot(y, 5)), inputs(3, 6, 6),
             classes(5, 6, 6))
)  # fmt: skip
right("ranks of depth: two log-shares for each", "dontLoveBugs/SupervisedDepthPrediction#5")(
    lambda: (Then(mlp(8), lambda z: z.view(-1, 2, 4).log_softmax(1)), lambda z, y: (-z * torch.stack(
        [(up := (y[:, None] > torch.arange(4)).float()), 1 - up], 1)).sum((1, 2)).mean(), inputs(), classes(5))
)  # fmt: skip
right("a divergence whose first argument is a log-softmax", "pytorch/pytorch#5282")(
    lambda: (Then(mlp(5), lambda z: F.log_softmax(z, 1)), nn.KLDivLoss(reduction="sum"), inputs(),
             torch.rand(N, 5).softmax(1))
)  # fmt: skip
right("pixels: one positive against all negatives", "tfzhou/ContrastiveSeg#6")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, y: (lambda s, same: -(
        (s - (s.exp() + (s.exp() * (1 - same)).sum(1, keepdim=True)).log()) * same).sum() / same.sum())(
        z[:, 0] @ z[:, 1].T / 0.2, (y[:, None] == y).float()), views(), classes(4))
)  # fmt: skip
