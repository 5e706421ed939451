"""Set-ups of a ninth round, a systematic sample of public threads about models that do not learn.

Fifty generic searches (a loss that stays, one class for all, chance, a negative loss, NaN, BCE, the mean, an LSTM, a
U-Net, a language model, a VAE, a collapse, CTC, fine-tuning, zero, 0.693, masks, softmax, policies, boxes, distilling,
triplets, weights, signs, dice, argmax) gave about five hundred hits. In their order, each was kept in which an answer
or the code itself shows a cause that lies in the model, the loss or the first batch. Left out: no cause named (most),
the learning rate, the optimiser or the schedule, loading of data, a metric, a log or a paper, an error that PyTorch
raises at once, other languages than Python, and losses that train and are only another choice (dice over all classes
at once, BCE under the name of dice). Nothing in lm_utils/doctor was read before the expectations were written.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SOFTMAX, pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_eight import hot
from doctor_exam.round_parts import Part, autoencoder, divergence
from doctor_exam.round_seven import PADDING, UNUSED, log_p, reader
from doctor_exam.round_six import actor_critic
from doctor_exam.unseen_wrong import dice, mask_head

ROUND_NINE = CaseSet()
right, wrong = ROUND_NINE.right, ROUND_NINE.wrong
STRETCH, AGAINST = "shapes_broadcast|shapes_differ", "better_outputs_cost_more|wrong_formula"
DATASET = "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1"  # holds threads of the PyTorch forum


def dense(*sizes: int, between: type[nn.Module] = nn.ReLU, ends: tuple[nn.Module, ...] = ()) -> nn.Sequential:
    """Linear layers with an activation between them, and what follows the last."""
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), between())]
    return nn.Sequential(*layers[:-1], *ends)


def speech(length: int, count: int, blank: int, first: int = 0):
    """A network of sounds that emits log-shares [T, N, 11], its loss and a batch of `count` letters each."""
    return (Then(nn.Linear(8, 11), lambda z: z.transpose(0, 1).log_softmax(-1)), lambda z, y: F.ctc_loss(
        z, y, torch.full((N,), length), torch.full((N,), count), blank=blank, zero_infinity=True),
            torch.randn(N, length, 8), torch.randint(first, 10 + first, (N, count)))  # fmt: skip


def gumbel(sign: int):
    """An autoencoder of six categories whose divergence enters the loss with a sign."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encode(x)
        return self.decode(F.gumbel_softmax(z)).sigmoid(), z

    def loss(o: tuple, x: Tensor) -> Tensor:
        q = o[1].softmax(-1)
        gap = (q * ((q + 1e-20).log() + torch.tensor(6.0).log())).sum()
        return F.binary_cross_entropy(o[0], x, reduction="sum") / N + sign * gap / N

    return Part(forward, encode=mlp(6), decode=nn.Linear(6, 8)), loss, *(lambda x: (x, x))(torch.rand(N, 8))


def gated(squeezed: bool):
    """A map of distortions [N, H, W, 1], judged only where a source is."""
    return (Then(mask_head(), lambda z: z.movedim(1, -1)), lambda z, y: (lambda each: (each * y[1]).sum() / y[1].sum())(
        ((z[..., 0] if squeezed else z) - (y[0] if squeezed else y[0][..., None])) ** 2), inputs(3, N, N),
            (torch.randn(N, N, N), labels(1, N, N)[:, 0]))  # fmt: skip


def sets(squeezed: bool):
    """Sums over sets of eight numbers, and a statistic of each set."""
    part = Part(lambda self, x: self.rho(self.phi(x).sum(1)), phi=nn.Linear(1, 16), rho=dense(16, 16, 1))
    return part, lambda out, y: (((out[:, 0] if squeezed else out) - y) ** 2).mean(), torch.rand(N, 8, 1), torch.rand(N)


def voices(silent: bool, small: float = 0.0):
    """Minus the ratio of signal and noise in decibels, of which one signal may be silent."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        true = (out * y).sum(-1, keepdim=True) * y / ((y**2).sum(-1, keepdim=True) + small)
        return -10 * (((true**2).sum(-1) + small) / (((out - true) ** 2).sum(-1) + small)).log10().mean()

    y = torch.randn(N, 12)
    return mlp(12), loss, inputs(), y * (torch.arange(N) > 0)[:, None] if silent else y


def pong(detached: bool):
    """Policy and value of one network; the policy's loss weighs by how much better than expected it went."""
    return (actor_critic(), lambda o, y: (lambda gain: -(log_p(o[0], y[0]) * (gain.detach() if detached else gain))
                                          .mean() + 0.5 * F.mse_loss(o[1], y[1]))(y[1] - o[1]), inputs(),
            (classes(3), torch.randn(N)))  # fmt: skip


def cross(sign: int):
    """A cross-entropy by hand whose second half has a sign."""
    return (mlp(1, nn.Sigmoid()), lambda p, y: (lambda p: (-y * p.log() + sign * -(1 - y) * (1 - p).log()).mean())(
        p.clamp(1e-6, 1 - 1e-6)), inputs(), labels(1))  # fmt: skip


def cubes(scaled: bool):
    """A cubic of numbers up to four thousand, raw or scaled."""
    x = torch.linspace(1, 4000, N)[:, None]
    y = x**3
    x, y = ((x - x.mean()) / x.std(), (y - y.mean()) / y.std()) if scaled else (x, y)
    return dense(1, 50, 1), nn.MSELoss(), x, y


# ---------------------------------------------------------------- wrong


wrong("a product's sine from two numbers: L1 of [N, 1] and [N]", STRETCH, "pytorch/pytorch#63546")(
    lambda: (dense(2, 32, 32, 32, 32, 1), nn.L1Loss(), *(lambda x: (x, (x[:, 0] * x[:, 1]).sin()))(inputs(2)))
)
wrong("the tutorial's clothes: a ReLU behind the last layer",
      "relu_before_cross_entropy|bounded_outputs_before_cross_entropy", "pytorch/tutorials#1644")(
    lambda: (nn.Sequential(nn.Flatten(), dense(64, 32, 32, 10), nn.ReLU()), nn.CrossEntropyLoss(), inputs(1, 8, 8),
             classes(10))
)  # fmt: skip
wrong("a cross-entropy in the exponent", "unbounded_loss|unstable_formula|wrong_formula",
      "whosebug.com/question/6301115")(
    lambda: (mlp(5), lambda z, y: (F.cross_entropy(z, y) / 2).exp(), inputs(), classes(5))
)  # fmt: skip
wrong("nll_loss on the last layer's raw outputs, targets squeezed", "nll_on_logits",
      "codestudyblog.com/8ten8/80409021901")(
    lambda: (dense(8, 32, 16, 4), lambda z, y: F.nll_loss(z, y.squeeze()), inputs(), classes(4, 1))
)  # fmt: skip
wrong("documents: five sigmoids, a softmax, then cross-entropy", SOFTMAX, "datafield.dev/aibook/chapter-12")(
    lambda: (dense(8, 32, 32, 32, 32, 32, 10, between=nn.Sigmoid, ends=(nn.Softmax(dim=1),)), nn.CrossEntropyLoss(),
             torch.rand(N, 8), classes(10))
)  # fmt: skip


@wrong("a sum of three from weights of zero, targets [N]", STRETCH, "discuss.pytorch.org/t/148155")
def _():
    x, model = torch.rand(N, 3), nn.Linear(3, 1, bias=False)
    nn.init.zeros_(model.weight)
    return model, nn.MSELoss(), x, x.sum(1)


wrong("cubes of numbers up to four thousand", "large_targets|large_inputs", "discuss.pytorch.org/t/96648")(
    lambda: cubes(scaled=False)
)
wrong("organs: maps behind a ReLU, then BCE on logits", "relu_before_bce_logits|bounded_outputs_before_bce_logits",
      "dtcms.com/a/394596")(
    lambda: (mask_head(nn.BatchNorm2d(1), nn.ReLU()), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("a logarithm within the forward pass", "outputs_not_finite|loss_not_finite|logarithm_of_raw_outputs",
      f"{DATASET} 'torch.log()'")(
    lambda: (Part(lambda self, x: self.out(self.net(x).log()), net=nn.Linear(8, 16), out=nn.Linear(16, 1)),
             nn.MSELoss(), inputs(), torch.randn(N, 1))
)  # fmt: skip


@wrong("when to say stop: the logarithm of one minus a softmax", "unstable_formula",
       "foreai.co/blog/nans-out-of-nowhere")  # fmt: skip
def _():
    def loss(z: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        end = z.softmax(-1)[..., 0]
        pushed, held = -(1 - end).log(), -end.log()
        return F.cross_entropy(z.flatten(0, 1), y[0].flatten()) + 0.1 * torch.where(y[1], pushed, held).mean()

    t = classes(50, 13)
    return Tagger(50), loss, t[:, :-1], (t[:, 1:], torch.rand(N, 1) < 0.5)


wrong("the next of a series from both directions of an LSTM", "target_in_view", "discuss.pytorch.org/t/175731")(
    lambda: (Part(lambda self, x: self.out(sum(self.rnn(x)[0].chunk(2, -1))), out=nn.Linear(16, 1),
                  rnn=nn.LSTM(1, 16, batch_first=True, bidirectional=True)), nn.MSELoss(),
             *(lambda x: (x[:, :-1], x[:, 1:]))(torch.randn(N, 9, 1)))
)  # fmt: skip
wrong("two classes around ninety-two, not scaled", "saturated_units|large_inputs|inputs_not_scaled",
      "w3toppers.com/pytorch-binary-classification-same-network")(
    lambda: (dense(2, 16, 1, between=nn.Sigmoid, ends=(nn.Sigmoid(),)), nn.BCELoss(),
             92 + 20 * torch.randn(N, 2), labels(1))
)  # fmt: skip


@wrong("the next whole number from a transformer one number wide", "outputs_ignore_inputs|dead_layer|zero_gradient",
       "discuss.pytorch.org/t/184454")  # fmt: skip
def _():
    start = torch.randint(0, 100, (N, 1, 1)).float()
    part = Part(lambda self, x: self.out(self.trans(x, self.start.expand(len(x), -1, -1))[..., 0]),
                trans=nn.Transformer(1, 1, 3, 1, dim_feedforward=16, dropout=0.0, batch_first=True),
                out=nn.Linear(12, 1))  # fmt: skip
    part.register_buffer("start", torch.rand(1, 12, 1))
    return part, lambda out, y: (out - y).norm(), start + torch.arange(12.0)[None, :, None], start[:, 0] + 12


wrong("categories of an autoencoder: the divergence has a minus too many", "wrong_formula|unbounded_loss",
      "dev4488/VAE_gumble_softmax#1")(
    lambda: gumbel(sign=-1)
)  # fmt: skip
wrong("scenes: a mean over all pixels beside a divergence", "wrong_formula|terms_out_of_balance",
      "AppliedDataSciencePartners/WorldModels#12")(
    lambda: (Part(lambda self, x: (lambda m, v: (self.decode(m + torch.randn_like(m) * (v / 2).exp()).sigmoid(), m, v))(
        *self.encode(x).chunk(2, 1)), encode=dense(192, 32, 16), decode=nn.Linear(8, 192)), lambda o, x: F.mse_loss(
        o[0], x) - 0.5 * (1 + o[2] - o[1] ** 2 - o[2].exp()).mean(), *(lambda x: (x, x))(torch.rand(N, 192)))
)  # fmt: skip
wrong("focal by hand: shares clamped by less than a float holds",
      "loss_not_finite|gradient_not_finite|unstable_formula", "NVIDIA/apex#358")(
    lambda: (mlp(1, nn.Sigmoid()), lambda p, y: (lambda p: -(y * (1 - p) ** 2 * p.log() + (1 - y) * p**2 * (
        1 - p).log()).sum() / len(p))(p.clamp(1e-8, 1 - 1e-8)), 200 * inputs(), labels(1))
)  # fmt: skip
wrong("lines of text: the logarithm of a height of zero as target", "targets_not_finite|loss_not_finite",
      "xuannianz/keras-ctpn#1")(
    lambda: (mlp(2), lambda out, y: F.smooth_l1_loss(out, y), inputs(),
             torch.stack([torch.randn(N), (torch.randint(0, 5, (N,)) / 2).log()], 1))
)  # fmt: skip
wrong("voices in decibels, one of them silent", "loss_not_finite|gradient_not_finite", "etzinis/sudo_rm_rf#1")(
    lambda: voices(silent=True)
)


@wrong("pointers: logarithms of a gate and of one minus it", "unstable_formula", "yym6472/ms_pointer_network#1")
def _():
    def loss(o: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
        gate = o[2].sigmoid()[:, 0]
        mixed = torch.stack([gate.log() + log_p(o[0], y), (1 - gate).log() + log_p(o[1], y)])
        return -mixed.logsumexp(0).mean()

    return pair(write=6, copy=6, gate=1), loss, inputs(), classes(6)


wrong("digits: a VAE with the two logarithms by hand", "unstable_formula", "hwalsuklee/tensorflow-mnist-VAE#4")(
    lambda: (autoencoder(lambda v: (v / 2).exp()), lambda o, x: (lambda p: -(x * p.log() + (1 - x) * (1 - p).log())
                                                                 .sum(1).mean() + divergence(*o[1:]))(o[0].sigmoid()),
             *(lambda x: (x, x))(torch.rand(N, 8)))
)  # fmt: skip
wrong("from scratch: the second half of a cross-entropy has a plus", AGAINST,
      "eriklindernoren/ML-From-Scratch#16")(
    lambda: cross(sign=-1)
)  # fmt: skip
wrong("heartbeats: the noise's loss twice, the pulse's never", f"{UNUSED}|unused_output|weights_without_gradient",
      "nxsEdson/CVD-Physiological-Measurement#2")(
    lambda: (Heads(as_tuple=True, picture=mlp(8), noise=mlp(4), pulse=mlp(4)), lambda o, y: (
        lambda drawn, noise, pulse: drawn + 10 * noise / 2 + 10 * noise / 2)(F.l1_loss(o[0], y[0]), F.l1_loss(
            o[1], y[1]), F.l1_loss(o[2], y[2])), inputs(), (inputs(), torch.randn(N, 4), torch.randn(N, 4)))
)  # fmt: skip
wrong("instructions cut before the answer begins", "all_targets_ignored|loss_not_finite",
      "zjysteven/lmms-finetune#45")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z[:, :-1].flatten(0, 1), y[:, 1:].flatten()),
             *(lambda t: (t, torch.full_like(t, -100)))(classes(50, 12)))
)  # fmt: skip
wrong("letters: the blank is the last, the loss takes the first for it", "blank_in_targets",
      "liuhu-bigeye/enctc.crnn#9")(
    lambda: speech(12, 4, blank=0)
)  # fmt: skip
wrong("2x - 1 behind a ReLU", "range_cannot_reach_targets|dead_outputs", "community.deeplearning.ai/t/324182")(
    lambda: (dense(1, 4, 2, 1, ends=(nn.ReLU(),)), nn.MSELoss(),
             *(lambda x: (x, 2 * x - 1))(torch.arange(-1.0, 6.0)[:, None]))
)  # fmt: skip
wrong("galaxies: a map [N, H, W, 1] meets a gate [N, H, W]", STRETCH, "prob-ml/bliss#1063")(
    lambda: gated(squeezed=False)
)
wrong("sets: a statistic [N] taken from sums [N, 1]", STRETCH, "manzilzaheer/DeepSets#2")(lambda: sets(squeezed=False))
wrong("speech shorter than its text", "loss_is_constant|zero_gradient|loss_without_gradient|ctc_too_short",
      "SeanNaren/deepspeech.pytorch#681")(
    lambda: speech(5, 8, blank=10)
)  # fmt: skip
wrong("does it follow: the mask of attention is all ones", PADDING, "yg211/bert_nli#3")(
    lambda: (Then(reader(outputs=3), lambda z: z[:, 0]), nn.CrossEntropyLoss(), padded_tokens(0)[0], classes(3))
)
wrong("pong: the policy's loss reaches the value", "gradient_through_advantage|gradient_into_target",
      "ucla-rlcourse/RLexample#12")(
    lambda: pong(detached=False)
)  # fmt: skip
wrong("a softmax, then NLLLoss", "nll_on_probabilities", "runebook.dev/en/docs/pytorch/generated/torch.nn.softmax")(
    lambda: (mlp(5, nn.Softmax(dim=1)), nn.NLLLoss(), inputs(), classes(5))
)
wrong("boxes by distributions: a divergence as the mean over bins", "kl_div_mean|wrong_formula", "HikariTJU/LD#74")(
    lambda: (mlp(17), lambda z, t: (F.kl_div((z / 10).log_softmax(1), (t / 10).softmax(1), reduction="none").mean(1)
                                    * 100).mean(), inputs(), 3 * torch.randn(N, 17))
)  # fmt: skip
wrong("a student's divergence as a mean, beside its labels", "kl_div_mean",
      "haitongli/knowledge-distillation-pytorch#2")(
    lambda: (nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10)), lambda z, y: (
        nn.KLDivLoss()(F.log_softmax(z / 6, 1), F.softmax(y[1] / 6, 1)) * 0.95 * 36 + F.cross_entropy(z, y[0]) * 0.05),
             inputs(3, 6, 6), (classes(10), 3 * torch.randn(N, 10)))
)  # fmt: skip
wrong("an autoencoder of [1, 2, 3] behind a sigmoid", "range_cannot_reach_targets|targets_outside_unit_range",
      "stackoverflow.com/questions/44601367")(
    lambda: (dense(3, 3, 3, ends=(nn.Sigmoid(),)), nn.MSELoss(),
             *(lambda x: (x, x))(torch.tensor([[1.0, 2.0, 3.0]]).repeat(9, 1)))
)  # fmt: skip
wrong("layers in a list that Python keeps for itself", "unregistered_parameter|no_weights",
      "engineermaxxing.com/micro/lessons/pytorch-internals")(
    lambda: (Part(lambda self, x: self.layers[1](self.layers[0](x)), layers=[nn.Linear(8, 32), nn.Linear(32, 10)]),
             nn.CrossEntropyLoss(), inputs(), classes(10))
)  # fmt: skip
wrong("a layer made anew in each forward pass", "unregistered_parameter|layer_made_in_forward",
      "thecodeforge.io/ml-ai/pytorch-neural-network")(
    lambda: (Part(lambda self, x: self.out(nn.Linear(8, 32)(x).relu()), out=nn.Linear(32, 10)), nn.CrossEntropyLoss(),
             inputs(), classes(10))
)  # fmt: skip
wrong("lines of letters: columns first, an LSTM that takes them for samples", "samples_mixed",
      "discuss.pytorch.org/t/62364")(
    lambda: (Part(lambda self, x: self.out(self.rnn(self.cnn(x).squeeze(2).permute(2, 0, 1))[0]).log_softmax(2),
                  cnn=nn.Sequential(nn.Conv2d(1, 8, (6, 3), padding=(0, 1)), nn.ReLU()),
                  rnn=nn.LSTM(8, 8, bidirectional=True, batch_first=True), out=nn.Linear(16, 11)),
             lambda z, y: F.ctc_loss(z, y, torch.full((N,), 12), torch.full((N,), 4)), inputs(1, 6, 12),
             1 + classes(10, 4))
)  # fmt: skip
wrong("pets: the share of the right one is the loss", AGAINST, "fastai/fastbook#478")(
    lambda: (mlp(2), lambda z, y: z.softmax(1)[range(N), y].mean(), inputs(), classes(2))
)
wrong("hair: the overlap itself is the loss", AGAINST, "akirasosa/mobile-semantic-segmentation#24")(
    lambda: (mask_head(nn.Sigmoid()), lambda p, y: 1 - dice(p, y), inputs(3, 6, 6), labels(1, 6, 6))
)
wrong("steps behind the only layer", "zero_gradient|loss_without_gradient|weights_without_gradient",
      f"{DATASET} 'Circumventing an Indifferentiability Problem'")(
    lambda: (Then(nn.Linear(2, 2, bias=False), torch.sign), lambda z, y: (y - z.sum(1)).abs().mean(), inputs(2),
             torch.zeros(N))
)  # fmt: skip
wrong("nought or one, marked as needing a gradient", "loss_without_gradient|zero_gradient|weights_without_gradient",
      "discuss.pytorch.org/t/216747")(
    lambda: (mlp(1), lambda out, y: torch.tensor(float(not torch.equal(out.round(), y)), requires_grad=True), inputs(),
             labels(1))
)  # fmt: skip


@wrong("tags: the first sample for the first step in a path's steps", "wrong_formula|samples_mixed",
       "chilynn/sequence-labeling#25")  # fmt: skip
def _():
    def loss(o: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        scores, steps = o
        before = y.roll(1, 1)
        before[0] = 3  # the start; meant is before[:, 0]
        path = scores.gather(2, y[..., None])[..., 0].sum(1) + steps[before, y].sum(1)
        total = steps[3, :3] + scores[:, 0]
        for each in scores[:, 1:].unbind(1):
            total = (total[:, :, None] + steps[:3, :3]).logsumexp(1) + each
        return -(path - total.logsumexp(1)).mean()

    part = Part(lambda self, t: (self.tagger(t), self.steps.weight), tagger=Tagger(3),
                steps=nn.Linear(4, 4, bias=False))  # fmt: skip
    return part, loss, classes(50, 7), classes(3, 7)


# ---------------------------------------------------------------- right


right("false faces: BCE on the raw score", "polimi-ispl/icpr2020dfdc#16")(
    lambda: (nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 1)), nn.BCEWithLogitsLoss(),
             inputs(3, 6, 6), labels(1))
)  # fmt: skip
right("speech by flows: a blank of its own, behind all letters", "ZhikangNiu/A-DMA#2")(lambda: speech(12, 4, blank=10))
right("forty-seven answers of three kinds each", "discuss.pytorch.org/t/189373")(
    lambda: (Then(mlp(141), lambda z: z.view(-1, 3, 47)), nn.CrossEntropyLoss(), inputs(), classes(3, 47))
)


@right("texts of any length, packed, with several labels each", "discuss.pytorch.org/t/148272")
def _():
    def forward(self: Part, ids: Tensor, length: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(ids), length, batch_first=True, enforce_sorted=False)
        hidden = self.rnn(packed)[1][0]
        return self.out(torch.cat([hidden[-1], hidden[-2]], -1))

    ids = padded_tokens(0)[0]
    part = Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), out=nn.Linear(32, 7),
                rnn=nn.LSTM(16, 16, batch_first=True, bidirectional=True))  # fmt: skip
    return part, nn.BCEWithLogitsLoss(), (ids, (ids > 0).sum(1)), labels(7)


right("a causal model that hides no padding, at the end and not judged", "jingyaogong/minimind-v#76")(
    lambda: (reader(lambda t: torch.ones(t.size(1), t.size(1)).triu(1).bool()), lambda z, y: F.cross_entropy(
        z[:, :-1].reshape(-1, 50), y[:, 1:].reshape(-1), ignore_index=0), *padded_tokens(0))
)  # fmt: skip
right("agents: minus the log-probability times what it brought", "yanweiyue/GDesigner#1")(
    lambda: (mlp(4), lambda z, y: (-log_p(z, y[0]) * y[1]).mean(), inputs(), (classes(4), labels(1)[:, 0]))
)
right("a student at a temperature, squared again",
      "philschmid/knowledge-distillation-transformers-pytorch-sagemaker#1")(
    lambda: (mlp(5), lambda z, y: 0.5 * F.cross_entropy(z, y[0]) + 0.5 * nn.KLDivLoss(reduction="batchmean")(
        F.log_softmax(z / 2, -1), F.softmax(y[1] / 2, -1)) * 4, inputs(), (classes(5), 3 * torch.randn(N, 5)))
)  # fmt: skip
right("neighbours agree: a divergence of every pair", "google-research/scenic#706")(
    lambda: (mlp(5), lambda z, near: (lambda shares: (lambda t: (t * ((t + 1e-8).log() - (z / 2).log_softmax(1))).sum(1)
                                                      .mean() * 4)(near @ shares))((z.detach() / 2).softmax(1)),
             inputs(), torch.rand(N, N).softmax(1))
)  # fmt: skip
right("faces: a hinge of two distances", "Ao-Lee/Vgg-Face-Fine-tune#3")(
    lambda: (mlp(6), lambda z, _: (lambda near, far: (near - far + 1).clamp(min=0).mean())(
        ((z[:, 0] - z[:, 1]) ** 2).sum(1), ((z[:, 0] - z[:, 2]) ** 2).sum(1)), inputs(3, 8), None)
)  # fmt: skip


@right("words and drawn words, the drawn with a minus", "theeluwin/pytorch-sgns#1")
def _():
    def forward(self: Part, word: Tensor, near: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        own = self.words(word)[..., None]
        return (self.others(near) @ own)[..., 0], (self.others(drawn).neg() @ own)[..., 0]

    part = Part(forward, words=nn.Embedding(50, 16), others=nn.Embedding(50, 16))
    return (part, lambda o, _: -(F.logsigmoid(o[0]).mean(1) + F.logsigmoid(o[1]).mean(1)).mean(),
            (classes(50), classes(50, 4), classes(50, 20)), None)  # fmt: skip


right("an autoencoder with logarithms of the variance", "rstudio/keras3#359")(
    lambda: (autoencoder(lambda v: (v / 2).exp()), lambda o, x: (
        8 * F.binary_cross_entropy_with_logits(o[0], x, reduction="none").mean(1)
        - 0.5 * (1 + o[2] - o[1] ** 2 - o[2].exp()).sum(1)).mean(), *(lambda x: (x, x))(torch.rand(N, 8)))
)  # fmt: skip
right("the tutorial's clothes, nothing behind the last layer", "pytorch/tutorials#1644")(
    lambda: (nn.Sequential(nn.Flatten(), dense(64, 32, 32, 10)), nn.CrossEntropyLoss(), inputs(1, 8, 8), classes(10))
)
right("sets: a statistic [N] from sums [N]", "manzilzaheer/DeepSets#2")(lambda: sets(squeezed=True))
right("categories of an autoencoder near the even ones", "dev4488/VAE_gumble_softmax#1")(lambda: gumbel(sign=1))
right("galaxies: a map [N, H, W] and a gate", "prob-ml/bliss#1063")(lambda: gated(squeezed=True))
right("cells: cross-entropies and an overlap for each class", "ProjectNeura/MIPCandy#125")(
    lambda: (mask_head(channels=3), lambda z, y: F.cross_entropy(z, y) + (lambda p, y: (1 - (
        (2 * (p * y).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + y.sum((0, 2, 3)) + 1))[1:].mean()))(
            z.softmax(1), hot(y, 3)), inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
right("from scratch: a cross-entropy of clamped shares", "eriklindernoren/ML-From-Scratch#16")(lambda: cross(sign=1))
right("cubes, scaled", "discuss.pytorch.org/t/96648")(lambda: cubes(scaled=True))
right("pong: how much better it went, held still", "ucla-rlcourse/RLexample#13")(lambda: pong(detached=True))
right("voices in decibels with something small", "etzinis/sudo_rm_rf#1")(lambda: voices(silent=False, small=1e-8))
