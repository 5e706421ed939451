"""Set-ups of a seventh round, each from a thread that a list of searches over the fields found, to be scored once."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SIGMOID, SOFTMAX, pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part, autoencoder, divergence, still, views
from doctor_exam.round_six import actor_critic, box_head, boxes, log_p, overlap
from doctor_exam.unseen_wrong import dice, mask_head

ROUND_SEVEN = CaseSet()
right, wrong = ROUND_SEVEN.right, ROUND_SEVEN.wrong
UNUSED = "unused_target|dead_term|wrong_formula"
PADDING = "padding_attended|mean_over_padding"


def reader(mask=lambda tokens: None, hides=lambda tokens: None, pooled: bool = False, outputs: int = 50) -> Part:
    """A small transformer with rules for its two masks."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens) + self.place.weight[: tokens.size(1)]
        h = h + self.attend(h, h, h, attn_mask=mask(tokens), key_padding_mask=hides(tokens), need_weights=False)[0]
        return self.out(h.mean(1) if pooled else h)

    return Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), place=nn.Embedding(12, 16),
                attend=nn.MultiheadAttention(16, 2, batch_first=True), out=nn.Linear(16, outputs))  # fmt: skip


def own_attention(hidden) -> Part:
    """A tagger whose attention hides what a rule says of tokens and of their embeddings."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens) + self.place.weight[: tokens.size(1)]
        scores = self.q(h) @ self.k(h).transpose(1, 2) / 4
        return self.out(scores.masked_fill(hidden(tokens, h), -1e9).softmax(-1) @ h)

    return Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), place=nn.Embedding(12, 16), q=nn.Linear(16, 16),
                k=nn.Linear(16, 16), out=nn.Linear(16, 5))  # fmt: skip


def generator() -> Part:
    """Pictures made from noise, and what a critic that stays as it is says of them."""
    return Part(lambda self, x: self.judge(self.make(x)), make=mlp(6, nn.Tanh()),
                judge=nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1)).requires_grad_(False))  # fmt: skip


def preference(masked: bool):
    """The loss of chosen and rejected answers, with or without a mask of the padding."""

    def loss(z: Tensor, y: tuple) -> Tensor:
        own = log_p(z[:, :-1], y[0][:, 1:])
        own = (own * (y[0][:, 1:] > 0) if masked else own).sum(1)
        gain = (own - y[1]).view(2, -1)
        return -F.logsigmoid(0.1 * (gain[0] - gain[1])).mean()

    return loss


def answers() -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Chosen and rejected texts, padded, and what a reference gives them."""
    tokens = padded_tokens(0)[0]
    return tokens, (tokens, -3.9 * (tokens[:, 1:] > 0).sum(1) + torch.randn(N))


# ---------------------------------------------------------------- wrong


wrong("dice: ignored pixels leave the overlap, not the areas", "wrong_formula|dead_term",
      "open-mmlab/mmsegmentation#2996")(
    lambda: (mask_head(nn.Sigmoid()), lambda p, y: 1 - (2 * (p * y[0] * y[1]).sum() + 1) / (
        (p**2).sum() + (y[0] ** 2).sum() + 1), inputs(3, 6, 6),
             (labels(1, 6, 6), (torch.rand(N, 1, 6, 6) < 0.7).float()))
)  # fmt: skip
wrong("dice: pixels marked 255 are not left out", "targets_outside_unit_range|wrong_formula",
      "qubvel-org/segmentation_models.pytorch#366")(
    lambda: (mask_head(nn.Sigmoid()), dice, inputs(3, 6, 6),
             torch.where(torch.rand(N, 1, 6, 6) < 0.1, 255.0, labels(1, 6, 6)))
)  # fmt: skip
wrong("a policy of tokens whose mask is the advantages", "wrong_formula", "verl-project/verl#2506")(
    lambda: (Tagger(20), lambda z, y: (lambda r: (torch.max(-y[2] * r, -y[2] * r.clamp(0.8, 1.2)) * y[2]).sum()
                                       / y[2].sum())((log_p(z, y[0]) - y[1]).exp()), classes(20, 9),
             (classes(20, 9), torch.full((N, 9), -3.0), torch.randn(N, 9)))
)  # fmt: skip
wrong("a critic whose values are detached in its own loss", "dead_term", "jsboige/CoursIA#15256")(
    lambda: (actor_critic(), lambda o, y: -(log_p(o[0], y[0]) * (y[1] - o[1]).detach()).mean()
             + 0.5 * F.mse_loss(o[1].detach(), y[1]), inputs(), (classes(3), torch.randn(N)))
)  # fmt: skip
wrong("a series regressor's [N, 1] against [N]", "shapes_broadcast|shapes_differ", "sktime/sktime#10931")(
    lambda: (nn.Sequential(nn.Conv1d(2, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 1)),
             nn.MSELoss(), inputs(2, 20), torch.rand(N))
)  # fmt: skip
wrong("boxes by centre and size, an overlap of corners", "wrong_formula",
      "stevebottos/owl-vit-object-detection#14")(
    lambda: (mlp(4, nn.Sigmoid()), lambda o, y: F.l1_loss(o, y) + (lambda both, union, hull: (
        1 - both / union + (hull - union) / hull).mean())(*overlap(o, y, clamped=False)), inputs(),
             torch.cat([0.3 + 0.4 * torch.rand(N, 2), 0.1 + 0.5 * torch.rand(N, 2)], 1))
)  # fmt: skip
wrong("a decoder without a causal mask", "target_in_view", "huggingface/transformers#48745")(
    lambda: (reader(), lambda z, y: F.cross_entropy(z[:, :-1].reshape(-1, 50), y[:, 1:].reshape(-1)),
             *(lambda t: (t, t.clone()))(classes(50, 12)))
)  # fmt: skip
wrong("a language model whose mask hides the past", "target_in_view", "pytorch/examples#649")(
    lambda: (reader(lambda t: torch.ones(t.size(1), t.size(1)).tril(-1).bool()),
             lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten()),
             *(lambda t: (t[:, :-1], t[:, 1:]))(classes(50, 13)))
)  # fmt: skip
wrong("texts: the mean over tokens takes the padding along", PADDING, "jsboige/CoursIA#15045")(
    lambda: (reader(hides=lambda t: t == 0, pooled=True, outputs=4), nn.CrossEntropyLoss(), padded_tokens(0)[0],
             classes(4))
)  # fmt: skip
wrong("a padding mask that is True for the real tokens", PADDING, "pytorch/pytorch#27968")(
    lambda: (reader(hides=lambda t: t != 0, outputs=5), lambda z, y: F.cross_entropy(
        z.transpose(1, 2), y, ignore_index=-1), t := F.pad(padded_tokens(0, length=10)[0], (0, 2)),
             classes(5, 12).masked_fill(t == 0, -1))
)  # fmt: skip
wrong("quantiles of returns: the shares lie along the targets", "wrong_formula|shapes_broadcast|samples_mixed",
      "BY571/QR-DQN#1")(
    lambda: (mlp(5), lambda q, y: (lambda d: ((torch.linspace(0.1, 0.9, 5) - (d.detach() < 0).float()).abs()
                                              * torch.where(d.abs() <= 1, 0.5 * d**2, d.abs() - 0.5)).sum(1)
                                   .mean(1).mean())(y[:, None, :] - q[:, :, None]), inputs(), torch.randn(N, 5))
)  # fmt: skip
wrong("diffusion: the noisy sample is also the target", "targets_are_inputs|labels_not_shifted|target_in_view",
      "irom-princeton/dppo#14")(
    lambda: (Part(lambda self, x, t: self.net(torch.cat([x, t], 1)), net=nn.Sequential(
        nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 8))), nn.MSELoss(), ((x := torch.randn(N, 8)), torch.rand(N, 1)),
             x.clone())
)  # fmt: skip
wrong("events smoothed by e / (C - 2)", "wrong_formula|targets_do_not_sum_to_one", "Thijsvanede/DeepCASE#8")(
    lambda: (mlp(6, nn.LogSoftmax(1)), lambda z, y: -(torch.full_like(z, 0.1 / 4).scatter(1, y[:, None], 0.9) * z)
             .sum(1).mean(), inputs(), classes(6))
)  # fmt: skip
wrong("a Gaussian likelihood with the deviation for its logarithm",
      "nll_not_normalised|unnormalised_likelihood|wrong_formula", "piEsposito/blitz-bayesian-deep-learning#15")(
    lambda: (pair(mean=1, spread=1), lambda o, y: (lambda s: (0.5 * math.log(2 * math.pi) + s + 0.5 * (
        (y - o[0]) / s) ** 2).mean())(F.softplus(o[1]) + 1e-3), inputs(), torch.randn(N, 1))
)  # fmt: skip
wrong("survival: patients not sorted by their times", f"samples_mixed|{UNUSED}",
      "UK-Digital-Heart-Project/4Dsurvival#2")(
    lambda: (Then(mlp(1), lambda h: h[:, 0]), lambda h, y: -((h - h.logcumsumexp(0)) * y[1]).sum() / y[1].sum(),
             inputs(), (torch.rand(N), labels(1)[:, 0]))
)  # fmt: skip
wrong("a clipped policy whose entropy is pushed down", "wrong_formula", "LuEE-C/PPO-Keras#4")(
    lambda: (mlp(3, nn.Softmax(1)), lambda p, y: (lambda of: (lambda r: -(torch.min(
        r * y[1], r.clamp(0.8, 1.2) * y[1]) + 0.005 * of * (of + 1e-10).log()).mean())(of / y[2]))((p * y[0]).sum(1)),
             inputs(), (F.one_hot(classes(3), 3).float(), torch.randn(N), torch.full((N,), 0.33)))
)  # fmt: skip


@wrong("a mesh that starts flat: the root of one minus a squared cosine", "gradient_not_finite|loss_not_finite",
       "akanazawa/cmr#11")  # fmt: skip
def _():
    flat = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])

    def loss(points: Tensor, y: Tensor) -> Tensor:
        a, b, c, d = points.unbind(1)
        cosine = F.cosine_similarity(torch.linalg.cross(b - a, c - a), torch.linalg.cross(c - d, b - d), dim=1)
        return F.mse_loss(points, y) + 0.1 * (1 - cosine**2).sqrt().mean()

    return Then(still(nn.Linear(8, 12)), lambda z: flat + z.view(-1, 4, 3)), loss, inputs(), flat + torch.rand(N, 4, 3)


wrong("a generator whose reward is cut off at zero", "wrong_formula|zero_gradient|dead_term|dead_layer",
      "zurutech/ashpy#23")(
    lambda: (generator(), lambda d, _: -F.relu(d).mean(), inputs(), None)
)  # fmt: skip
wrong("Q-learning: what says that an episode is over is not used", UNUSED, "cyoon1729/deep-Q-networks#5")(
    lambda: (mlp(3), lambda q, y: F.smooth_l1_loss(q.gather(1, y[0][:, None])[:, 0], y[1] + 0.99 * y[3]), inputs(),
             (classes(3), torch.randn(N), labels(1)[:, 0], torch.randn(N)))
)  # fmt: skip
wrong("padding is looked for after the places are added", f"{PADDING}|mask_wrong_axis", "Kyubyong/transformer#69")(
    lambda: (own_attention(lambda t, h: (h.abs().sum(-1) == 0)[:, None, :]), lambda z, y: F.cross_entropy(
        z.transpose(1, 2), y, ignore_index=-1), t := padded_tokens(0)[0], classes(5, 12).masked_fill(t == 0, -1))
)  # fmt: skip


@wrong("sets of cells: the class token attends to the padding", f"{PADDING}|mask_wrong_axis|unused_input",
       "theislab/CellFlow#226")  # fmt: skip
def _():
    def forward(self: Part, x: Tensor, real: Tensor) -> Tensor:
        h = self.read(torch.cat([torch.zeros(len(x), 1, 8), x], 1))
        real = F.pad(real, (1, 0), value=True)
        return self.out(((h @ h.transpose(1, 2) / 4).masked_fill(~real[:, :, None], -1e9).softmax(-1) @ h)[:, 0])

    real = torch.arange(6)[None] < torch.randint(2, 6, (N, 1))
    part = Part(forward, read=nn.Linear(8, 16), out=nn.Linear(16, 3))
    return part, nn.MSELoss(), (torch.randn(N, 6, 8) * real[..., None], real), torch.randn(N, 3)


wrong("a value's target with a plus where the mask multiplies", "wrong_formula", "ikostrikov/pytorch-ddpg-naf#16")(
    lambda: (mlp(1), lambda v, y: F.mse_loss(v, y[0] + 0.99 * y[1] + y[2]), inputs(),
             (torch.randn(N, 1), labels(1), torch.randn(N, 1)))
)  # fmt: skip
wrong("several families of a protein in one softmax", "targets_do_not_sum_to_one|softmax_for_independent_labels",
      "agemagician/Ankh#29")(
    lambda: (mlp(6), F.cross_entropy, inputs(), labels(6))
)  # fmt: skip
wrong("a sigmoid added to the last convolution of a U-Net", SIGMOID, "milesial/Pytorch-UNet#176")(
    lambda: (mask_head(nn.Sigmoid()), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), labels(1, 6, 6))
)
wrong("ten classes: a ReLU, a softmax, then cross-entropy", f"{SOFTMAX}|relu_before_activation",
      "discuss.pytorch.org/t/43814")(
    lambda: (Then(mlp(10), lambda z: F.softmax(F.relu(z), dim=1)), nn.CrossEntropyLoss(), inputs(), classes(10))
)  # fmt: skip
wrong("an autoencoder of colours 0 to 255 behind a sigmoid", "targets_outside_unit_range", "Lasagne/Recipes#54")(
    lambda: (autoencoder(lambda log_var: (0.5 * log_var).exp()), lambda o, x: F.binary_cross_entropy_with_logits(
        o[0], x, reduction="sum") / N + divergence(*o[1:]), *(lambda x: (x / 255, x))(255 * torch.rand(N, 8)))
)  # fmt: skip
wrong("signatures: label 1, the same hand, is pushed apart", "wrong_formula|labels_swapped",
      "VinhLoiIT/signet-pytorch#2")(
    lambda: (mlp(4), lambda z, y: (lambda d: ((1 - y) * d**2 + y * (1 - d).clamp(min=0) ** 2).mean())(
        F.pairwise_distance(z[:, 0], z[:, 1])), torch.where((y := labels(1)[:, 0])[:, None, None] > 0, views(),
                                                            inputs(2, 8)), y)
)  # fmt: skip
wrong("a distance behind a sigmoid that cannot pass its margin", "range_cannot_reach_targets|wrong_formula",
      "keras-team/keras-io#2261")(
    lambda: (Part(lambda self, x: (lambda z: self.head(self.norm(F.pairwise_distance(z[:, 0], z[:, 1])[:, None]))
                                   .sigmoid()[:, 0])(self.net(x)), net=mlp(6), norm=nn.BatchNorm1d(1),
                  head=nn.Linear(1, 1)), lambda d, y: ((1 - y) * d**2 + y * (1 - d).clamp(min=0) ** 2).mean(),
             views(), labels(1)[:, 0])
)  # fmt: skip
wrong("phonemes: ctc_loss on logits", "ctc_on_logits", "gwx314/STARS#9")(
    lambda: (Then(nn.Linear(8, 11), lambda z: z.transpose(0, 1)), lambda z, y: F.ctc_loss(
        z, y, torch.full((N,), 12), torch.full((N,), 4), blank=10, zero_infinity=True), torch.randn(N, 12, 8),
             classes(10, 4))
)  # fmt: skip
wrong("preferences: the padding's log-probabilities are summed too", "padding_not_ignored",
      "0xallam/Direct-Preference-Optimization#4")(
    lambda: (Tagger(50), preference(masked=False), *answers())
)  # fmt: skip
wrong("dice on soft labels", "wrong_formula|better_outputs_cost_more", "qubvel-org/segmentation_models.pytorch#927")(
    lambda: (mask_head(nn.Sigmoid()), dice, inputs(3, 6, 6), torch.rand(N, 1, 6, 6))
)


@wrong("a forecast whose inputs hold the scaled future", "target_in_view|targets_are_inputs",
       "sktime/pytorch-forecasting#182")  # fmt: skip
def _():
    series = torch.randn(N, 10, 3)
    part = Part(lambda self, x: self.out(self.rnn(x)[0])[:, 7:, 0], rnn=nn.GRU(3, 8, batch_first=True),
                out=nn.Linear(8, 1))  # fmt: skip
    return part, nn.MSELoss(), series, 3 * series[:, 7:, 0] + 1


# ---------------------------------------------------------------- right


@right("ranks: each step among those who reached it", "Raschka-research-group/corn-ordinal-neuralnet#18")
def _():
    def loss(z: Tensor, y: Tensor) -> Tensor:
        total, count = 0.0, 0
        for step in range(4):
            here, z_here = y > step - 1, F.logsigmoid(z[y > step - 1, step])
            up = (y[here] > step).float()
            total = total - (z_here * up + (z_here - z[here, step]) * (1 - up)).sum()
            count += len(up)
        return total / count

    return mlp(4), loss, inputs(), classes(5)


right("drawing: a divergence short of a constant", "ericjang/draw#6")(
    lambda: (autoencoder(lambda log_var: (0.5 * log_var).exp()), lambda o, x: ((o[0] - x) ** 2).sum(1).mean() + (
        0.5 * (o[1] ** 2 + o[2].exp() - o[2]).sum(1) - 0.5).mean(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
right("molecules: the divergence as a mean over the code", "mkusner/grammarVAE#2")(
    lambda: (autoencoder(lambda log_var: (0.5 * log_var).exp()), lambda o, x: 8 * F.mse_loss(o[0], x)
             - 0.5 * (1 + o[2] - o[1] ** 2 - o[2].exp()).mean(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
right("labels: summed over classes, divided by the samples", "pytorch/pytorch#9301")(
    lambda: (mlp(5, nn.Sigmoid()), lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()).sum() / p.size(0), inputs(),
             labels(5))
)  # fmt: skip


@right("labels: an asymmetric focus", "Alibaba-MIIL/ASL#22")
def _():
    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid()
        no = (1 - p + 0.05).clamp(max=1)
        log = y * p.clamp(min=1e-8).log() + (1 - y) * no.clamp(min=1e-8).log()
        with torch.no_grad():
            focus = (1 - p * y - no * (1 - y)) ** (y + 4 * (1 - y))
        return -(log * focus).sum()

    return mlp(6), loss, inputs(), labels(6)


right("places: triplets with the root of a margin", "Nanne/pytorch-NetVlad#57")(
    lambda: (Then(mlp(4), lambda z: F.normalize(z, dim=-1)), lambda z, _: F.triplet_margin_loss(
        z[:, 0], z[:, 1], z[:, 2], margin=0.1**0.5, reduction="sum"), torch.cat([views(), torch.randn(N, 1, 8)], 1),
             None)
)  # fmt: skip
right("boxes: one minus the overlap", "DetectionTeamUCAS/FPN_Tensorflow#133")(
    lambda: (box_head(), lambda o, y: (lambda both, union, _: (1 - both / union).mean())(*overlap(o, y)), inputs(),
             boxes())
)  # fmt: skip


@right("likenesses of one class: the mask of logits only in the denominator", "HobbitLong/SupContrast#131")
def _():
    def loss(z: Tensor, y: Tensor) -> Tensor:
        logits = z @ z.T / 0.1
        logits = logits - logits.max(1, keepdim=True).values.detach()
        others = 1 - torch.eye(N)
        same = (y[:, None] == y).float() * others
        log = logits - (logits.exp() * others).sum(1, keepdim=True).log()
        return -((same * log).sum(1) / same.sum(1).clamp(min=1)).mean()

    return Then(mlp(6), lambda z: F.normalize(z, dim=-1)), loss, inputs(), classes(4)


@right("smoothed words: nothing for the padding", "harvardnlp/annotated-transformer#18")
def _():
    def loss(log: Tensor, y: Tensor) -> Tensor:
        log, y = log.flatten(0, 1), y.flatten()
        true = torch.full_like(log, 0.1 / 48).scatter(1, y[:, None], 0.9)
        true[:, 0] = 0
        return F.kl_div(log, true.masked_fill((y == 0)[:, None], 0), reduction="sum") / (y != 0).sum()

    tokens = padded_tokens(0)[0]
    return Then(Tagger(50), lambda z: z.log_softmax(-1)), loss, tokens[:, :-1], tokens[:, 1:]


right("a forecast's likelihood by its variance, and a constant", "arrigonialberto86/deepar#6")(
    lambda: (pair(mean=1, spread=1), lambda o, y: (lambda v: (0.5 * v.log() + 0.5 * (y - o[0]) ** 2 / v).mean()
                                                   + 1e-6 + 6)(F.softplus(o[1]) + 1e-6), inputs(), torch.randn(N, 1))
)  # fmt: skip
right("boxes with a spread: a density that may pass one", "motokimura/PyTorch_Gaussian_YOLOv3#35")(
    lambda: (Then(mlp(4), torch.sigmoid), lambda o, y: -(Normal(o[:, :2], o[:, 2:]).log_prob(y).exp() + 1e-9).log()
             .sum(), inputs(), torch.rand(N, 2))
)  # fmt: skip
right("a forecast's likelihood where something was sold", "husnejahan/DeepAR-pytorch#4")(
    lambda: (Heads(as_tuple=True, mean=mlp(5), spread=mlp(5, nn.Softplus())), lambda o, y: -Normal(
        o[0][y != 0], o[1][y != 0] + 1e-4).log_prob(y[y != 0]).mean(), inputs(),
             torch.randn(N, 5).clamp(min=-0.5) + 0.5)
)  # fmt: skip
right("survival: a running sum over patients sorted by time", "jaredleekatzman/DeepSurv#71")(
    lambda: (Then(mlp(1), lambda h: h[:, 0]), lambda h, y: -((h - h.exp().cumsum(0).log()) * y[1]).sum() / y[1].sum(),
             inputs(), (torch.rand(N).sort(descending=True).values, labels(1)[:, 0]))
)  # fmt: skip
right("a clipped policy, its negative entropy from what was drawn", "zhangchuheng123/Reinforcement-Implementation#2")(
    lambda: (pair(policy=3, value=1), lambda o, y: (lambda new: (lambda r: -torch.min(
        r * y[2], r.clamp(0.8, 1.2) * y[2]).mean() + 0.5 * (o[1][:, 0] - y[3]).pow(2).mean()
        + 0.01 * (new.exp() * new).mean())((new - y[1]).exp()))(log_p(o[0], y[0])), inputs(),
             (classes(3), torch.full((N,), -1.1), torch.randn(N), torch.randn(N)))
)  # fmt: skip
right("the root of a mean square and a small number", "pytorch/pytorch#45112")(
    lambda: (mlp(1), lambda out, y: (F.mse_loss(out, y) + 1e-6).sqrt(), inputs(), torch.randn(N, 1))
)


@right("faces: an angle added to the true class alone", "Confusezius/Revisiting_Deep_Metric_Learning_PyTorch#13")
def _():
    def forward(self: Part, x: Tensor) -> Tensor:
        return F.normalize(self.net(x), dim=1) @ F.normalize(self.centres.weight, dim=1).T

    def loss(cosine: Tensor, y: Tensor) -> Tensor:
        hot = F.one_hot(y, 5).float()
        far = (cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos() + 0.5).cos()
        return F.cross_entropy(16 * (hot * far + (1 - hot) * cosine), y)

    return Part(forward, net=mlp(6), centres=nn.Linear(6, 5, bias=False)), loss, inputs(), classes(5)


right("a critic's hinge: real ones turned round first", "knazeri/edge-connect#60")(
    lambda: (mlp(1), lambda d, _: (F.relu(1 + -d[: N // 2]).mean() + F.relu(1 + d[N // 2 :]).mean()) / 2, inputs(),
             None)
)  # fmt: skip
right("sounds: minus what the critic says, without a hinge", "lucidrains/audiolm-pytorch#190")(
    lambda: (generator(), lambda d, _: -d.mean(), inputs(), None)
)
right("a critic's hinge whose real side is the low one", "lucidrains/stylegan2-pytorch#69")(
    lambda: (mlp(1), lambda d, _: (F.relu(1 + d[: N // 2]) + F.relu(1 - d[N // 2 :])).mean(), inputs(), None)
)
right("depth: the variance of logarithms and a share of their mean", "shariqfarooq123/AdaBins#51")(
    lambda: (mask_head(nn.Softplus()), lambda d, y: (lambda g: 10 * (g.var() + 0.15 * g.mean() ** 2).sqrt())(
        (d + 0.1).log() - y.log()), inputs(3, 6, 6), 0.5 + 3 * torch.rand(N, 1, 6, 6))
)  # fmt: skip
right("depth where it is known: a scale-invariant root", "cleinc/bts#13")(
    lambda: (mask_head(nn.Sigmoid()), lambda d, y: (lambda g: 10 * ((g**2).mean() - 0.85 * g.mean() ** 2).sqrt())(
        (8 * d[y > 0.1] + 1e-3).log() - y[y > 0.1].log()), inputs(3, 6, 6), 6 * torch.rand(N, 1, 6, 6))
)  # fmt: skip
right("proteins: padding attends to padding only", "Biohub/esm#299")(
    lambda: (own_attention(lambda t, h: (t != 0)[:, :, None] != (t != 0)[:, None, :]), lambda z, y: F.cross_entropy(
        z.transpose(1, 2), y, ignore_index=-1), t := padded_tokens(0)[0], classes(5, 12).masked_fill(t == 0, -1))
)  # fmt: skip


@right("flows: noise minus the sample", "XLabs-AI/x-flux#32")
def _():
    sample, noise, time = torch.randn(N, 8), torch.randn(N, 8), torch.rand(N, 1)
    part = Part(lambda self, x, t: self.net(torch.cat([x, t], 1)),
                net=nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 8)))  # fmt: skip
    return part, nn.MSELoss(), ((1 - time) * sample + time * noise, time), noise - sample


right("quantiles of a forecast by the greater of two", "mattsherar/Temporal_Fusion_Transform#2")(
    lambda: (mlp(3), lambda q, y: torch.cat([torch.max((p - 1) * (y - q[:, i]), p * (y - q[:, i]))[:, None]
                                             for i, p in enumerate((0.1, 0.5, 0.9))], 1).sum(1).mean(), inputs(),
             torch.randn(N))
)  # fmt: skip
right("preferences: the padding is masked", "OpenRLHF/OpenRLHF#465")(
    lambda: (Tagger(50), preference(masked=True), *answers())
)
right("pairs: label 1 draws together, distances as they are", "Kadenze/siamese_net#7")(
    lambda: (mlp(4), lambda z, y: (lambda d: (y * d + (1 - y) * (1.5 - d).clamp(min=0)).mean())(
        (z[:, 0] - z[:, 1]).abs().sum(1)), torch.where((y := labels(1)[:, 0])[:, None, None] > 0, views(),
                                                       inputs(2, 8)), y)
)  # fmt: skip
