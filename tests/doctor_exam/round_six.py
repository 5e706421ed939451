"""Set-ups of a sixth round, from threads that one list of searches found, to be scored once."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part, autoencoder, divergence, views
from doctor_exam.unseen_wrong import dice, mask_head

ROUND_SIX = CaseSet()
right, wrong = ROUND_SIX.right, ROUND_SIX.wrong
AXIS = "softmax_wrong_axis|wrong_axis|wrong_formula"


def corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The two corners of boxes."""
    return boxes[:, :2], boxes[:, 2:]


def boxes() -> Tensor:
    """Boxes as left, top, right, bottom."""
    start = torch.rand(N, 2)
    return torch.cat([start, start + 0.2 + torch.rand(N, 2)], 1)


def overlap(out: Tensor, y: Tensor, clamped: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """What two sets of boxes share, cover together and span."""
    (low, high), (y_low, y_high) = corners(out), corners(y)
    both = (torch.min(high, y_high) - torch.max(low, y_low)).clamp(min=0).prod(1)
    size = (high - low).clamp(min=0) if clamped else high - low
    span = (torch.max(high, y_high) - torch.min(low, y_low)).clamp(min=1e-6).prod(1)
    return both, size.prod(1) + (y_high - y_low).prod(1) - both + 1e-6, span


def box_head() -> Part:
    """Boxes of a middle and a positive size."""
    return Part(lambda self, x: torch.cat([(z := self.net(x))[:, :2], z[:, :2] + F.softplus(z[:, 2:])], 1), net=mlp(4))


def attention(after: bool = False, queries: bool = False, heads: int = 1) -> Part:
    """A tagger with one attention whose padding is masked by one rule."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        h = self.embed(tokens)
        scores = self.q(h) @ self.k(h).transpose(1, 2) / 4
        pad = (tokens == 0)[:, :, None] if queries else (tokens == 0)[:, None, :]
        shares = scores.softmax(-1) * ~pad if after else scores.masked_fill(pad, -1e4).softmax(-1)
        return self.out(shares @ self.v(h))

    return Part(forward, embed=nn.Embedding(50, 16), q=nn.Linear(16, 16), k=nn.Linear(16, 16), v=nn.Linear(16, 16),
                out=nn.Linear(16, 5))  # fmt: skip


def actor_critic() -> Heads:
    """A policy over three actions and a value at each of seven times."""
    return Heads(as_tuple=True, policy=nn.Linear(8, 3), value=Then(nn.Linear(8, 1), lambda v: v[..., 0]))


def log_p(logits: Tensor, actions: Tensor) -> Tensor:
    """The log-probabilities of what was done."""
    return logits.log_softmax(-1).gather(-1, actions[..., None])[..., 0]


# ---------------------------------------------------------------- wrong


wrong("pictures [N, C, H, W]: a teacher's certainty by a softmax over columns", AXIS, "leofansq/CPCL#1")(
    lambda: (mask_head(channels=3), lambda z, y: F.cross_entropy(z, y[0]) + F.softmax(y[1], -1).max()
             * F.mse_loss(z.softmax(1), y[1].softmax(1)), inputs(3, 6, 6), (classes(3, 6, 6), torch.randn(N, 3, 6, 6)))
)  # fmt: skip
wrong("a generalised dice loss whose class weights cancel", "wrong_formula|dead_term", "Project-MONAI/MONAI#369")(
    lambda: (mask_head(nn.Softmax(1), channels=3), lambda p, y: (lambda hot: (lambda w: 1 - (
        2 * (p * hot).sum((0, 2, 3)) * w / ((p + hot).sum((0, 2, 3)) * w)).mean())(1 / hot.sum((0, 2, 3)) ** 2))(
        F.one_hot(y, 3).movedim(-1, 1).float()), inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
wrong("focal loss: the negatives weighted by 1 - p", "wrong_formula", "yqyao/SSD_Pytorch#32")(
    lambda: (mlp(4), lambda z, y: (lambda p: -(0.25 * (1 - p) ** 2 * p.log() * y + 0.75 * (1 - p) ** 2
                                               * (1 - p).log() * (1 - y)).sum(1).mean())(
        z.sigmoid().clamp(1e-6, 1 - 1e-6)), inputs(), labels(4))
)  # fmt: skip


@wrong("A2C: the critic's loss is the square of an advantage that was not detached", "gradient_into_target",
       "Farama-Foundation/Gymnasium#1494")  # fmt: skip
def _():
    def loss(out: tuple, y: tuple) -> Tensor:
        (logits, value), (actions, rewards) = out, y
        gae, found = torch.zeros(N), []
        for t in reversed(range(6)):
            gae = rewards[:, t] + 0.99 * value[:, t + 1] - value[:, t] + 0.95 * 0.99 * gae
            found.insert(0, gae)
        advantage = torch.stack(found, 1)
        return advantage.pow(2).mean() - (advantage.detach() * log_p(logits[:, :6], actions)).mean()

    return actor_critic(), loss, inputs(7, 8), (classes(3, 6), torch.randn(N, 6))


wrong("Q-learning: the next state's best value is not detached", "gradient_into_target", "OpenRL-Lab/openrl#136")(
    lambda: (mlp(3), lambda q, y: F.mse_loss(q[:, 0].gather(1, y[0][:, None])[:, 0],
                                             y[1] + 0.9 * q[:, 1].max(1).values), views(),
             (classes(3), torch.randn(N)))
)  # fmt: skip
wrong("a policy's advantage takes the critic along", "gradient_through_advantage|gradient_into_target",
      "astariul/encode-attend-navigate-pytorch#3")(
    lambda: (actor_critic(), lambda o, y: ((y[1] - o[1]) * -log_p(o[0], y[0])).mean() + F.mse_loss(o[1], y[1]),
             inputs(), (classes(3), torch.randn(N)))
)  # fmt: skip
wrong("InfoNCE: the temperature is missing at the positive", "wrong_formula", "RElbers/info-nce-pytorch#17")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: F.cross_entropy(torch.cat([
        (z[:, 0] * z[:, 1]).sum(1, keepdim=True), z[:, 0] @ z[:8, 2].T / 0.1], 1), torch.zeros(N).long()), views(3),
             None)
)  # fmt: skip
wrong("a head of three dense layers without activation", "no_activation_between|linear_layers_in_a_row",
      "Nota-NetsPresso/netspresso-trainer#320")(
    lambda: (nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 4)), nn.CrossEntropyLoss(), inputs(),
             classes(4))
)  # fmt: skip
wrong("pixels by transpose(1, 3), labels by view", "axes_scrambled|axes_swapped", "hieuvmphan/REMINDER#6")(
    lambda: (mask_head(channels=5), lambda z, y: F.cross_entropy(z.transpose(1, 3).reshape(-1, 5), y.view(-1)),
             inputs(3, 6, 6), classes(5, 6, 6))
)  # fmt: skip
wrong("chunks of speech: permute(0, 2, 1, 3), then a reshape to [-1, L, C]", "axes_scrambled|samples_mixed",
      "Honee-W/CPTNN#2")(
    lambda: (Part(lambda self, x: self.out(self.rnn(x.permute(0, 2, 1, 3).reshape(-1, 6, 8))[0].reshape(
        x.size(0), -1, 8).mean(1)), rnn=nn.GRU(8, 8, batch_first=True), out=nn.Linear(8, 3)), nn.CrossEntropyLoss(),
             torch.randn(N, 8, 6, 5), classes(3))
)  # fmt: skip
wrong("a quantile loss whose indicator stands the other way round", "wrong_formula|better_outputs_cost_more",
      "ufal/npfl139#17")(
    lambda: (mlp(1), lambda q, y: ((q - y) * ((y >= q).float() - 0.9)).mean(), inputs(), torch.randn(N, 1))
)  # fmt: skip
wrong("a Huber loss that knows its border, not its slope", "wrong_formula", "tensorforce/tensorforce#139")(
    lambda: (mlp(1), lambda q, y: (lambda d: torch.where(d < 0.1, 0.5 * d**2, d - 0.5).mean())((q - y).abs()),
             inputs(), torch.randn(N, 1))
)  # fmt: skip
wrong("smoothed labels 1 - e / C that sum to more than one", "wrong_formula|targets_do_not_sum_to_one",
      "ildoonet/pytorch-randaugment#30")(
    lambda: (mlp(7), lambda z, y: -((F.one_hot(y, 7) * (1 - 0.1 / 7) + 0.1 / 7) * z.log_softmax(1)).sum(1).mean(),
             inputs(), classes(7))
)  # fmt: skip
wrong("a generator judged on a picture without gradient", "dead_term|loss_without_gradient",
      "nikhilsinghmus/image2reverb#37")(
    lambda: (Part(lambda self, x: (fake := self.make(x), self.judge(fake.detach())), make=mlp(6, nn.Tanh()),
                  judge=nn.Linear(6, 1).requires_grad_(False)),
             lambda o, y: F.mse_loss(o[1], torch.ones(N, 1)) + F.l1_loss(o[0], y), inputs(), torch.rand(N, 6) * 2 - 1)
)  # fmt: skip
wrong("voices: the masked are filled with zero and counted", "wrong_formula|mean_over_padding|wrong_count",
      "lucidrains/voicebox-pytorch#6")(
    lambda: (mlp(8), lambda out, y: (F.mse_loss(out, y[0], reduction="none").mean(-1).masked_fill(y[1], 0.0).sum(1)
                                     / y[1].sum(1).clamp(min=1e-5)).mean(), inputs(9, 8),
             (torch.randn(N, 9, 8), torch.arange(9)[None] < torch.randint(1, 4, (N, 1))))
)  # fmt: skip
wrong("registration: the loss times a mask, then the mean", "mean_over_padding", "uncbiag/ICON#83")(
    lambda: (mask_head(), lambda out, y: ((out - y[0]) ** 2 * y[1]).mean(), inputs(3, 6, 6),
             (torch.rand(N, 1, 6, 6), (torch.rand(N, 1, 6, 6) < 0.3).float()))
)  # fmt: skip
wrong("a loss per sample over a mask that is empty for one", "loss_not_finite|gradient_not_finite",
      "Zhen-Dong/Magic-Me#14")(
    lambda: (mask_head(), lambda out, y: (((out - y[0]) ** 2 * y[1]).sum((1, 2, 3)) / y[1].sum((1, 2, 3))).mean(),
             inputs(3, 6, 6), (torch.rand(N, 1, 6, 6), labels(1, 6, 6)))
)  # fmt: skip
wrong("boxes: the hull minus what both share", "wrong_formula", "Megvii-BaseDetection/YOLOX#712")(
    lambda: (box_head(), lambda o, y: (lambda both, union, hull: (1 - both / union + (hull - both) / hull).mean())(
        *overlap(o, y)), inputs(), boxes())
)  # fmt: skip
wrong("boxes: the area of an inverted box is not clamped", "wrong_formula", "roboflow/trackers#589")(
    lambda: (mlp(4), lambda o, y: (lambda both, union, hull: (1 - both / union + (hull - union) / hull).mean())(
        *overlap(o, y, clamped=False)), inputs(), boxes())
)  # fmt: skip
wrong("a language model's labels shifted twice", "labels_shifted_twice|labels_not_shifted|wrong_formula",
      "huggingface/transformers#37830")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z[:, :-1][:, :-1].reshape(-1, 50), y[:, 1:][:, 1:].reshape(-1)),
             *(lambda t: (t, t.clone()))(classes(50, 12)))
)  # fmt: skip
wrong("a language model's labels not shifted", "labels_not_shifted|targets_are_inputs", "macrocosm-os/pretraining#64")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.view(-1, 50), y.view(-1)),
             *(lambda t: (t, t.clone()))(classes(50, 12)))
)  # fmt: skip
wrong("texts [N, L] into an LSTM that expects the time first", "samples_mixed",
      "closeheat/pytorch-lstm-text-generation-tutorial#3")(
    lambda: (Part(lambda self, t: self.out(self.rnn(self.embed(t))[0]), embed=nn.Embedding(50, 16),
                  rnn=nn.LSTM(16, 16, 2), out=nn.Linear(16, 50)),
             lambda z, y: F.cross_entropy(z.transpose(1, 2), y), *(lambda t: (t[:, :-1], t[:, 1:]))(classes(50, 13)))
)  # fmt: skip
wrong("patches [N, P, D]: the cosine over the patches", AXIS, "facebookresearch/WMReward#11")(
    lambda: (mlp(8), lambda z, y: 1 - F.cosine_similarity(z, y, dim=1).mean(), inputs(5, 8), torch.randn(N, 5, 8))
)
wrong("SimCLR: all embeddings divided by one norm", f"{AXIS}|bounded_logits|samples_mixed",
      "tensorflow/similarity#237")(
    lambda: (mlp(6), lambda z, _: (lambda a, b: F.cross_entropy(a @ b.T / 0.5, torch.arange(N)))(
        z[:, 0] / z[:, 0].norm(), z[:, 1] / z[:, 1].norm()), views(), None)
)  # fmt: skip
wrong("two faces: distances [N], labels [N, 1]", "shapes_broadcast",
      "harveyslash/Facial-Similarity-with-Siamese-Networks-in-Pytorch#27")(
    lambda: (mlp(5), lambda z, y: (lambda d: ((1 - y) * d**2 + y * (2 - d).clamp(min=0) ** 2).mean())(
        F.pairwise_distance(z[:, 0], z[:, 1])), views(), labels(1))
)  # fmt: skip
wrong("hair: edges of an argmax", "dead_term", "wonbeomjang/mobile-hair-segmentation-pytorch#3")(
    lambda: (mask_head(channels=2), lambda z, y: F.cross_entropy(z, y) + 0.5 * (
        z.argmax(1).float().diff(dim=2) - y.float().diff(dim=2)).abs().mean(), inputs(3, 6, 6), classes(2, 6, 6))
)  # fmt: skip
wrong("levels of classes: a penalty on the numbers of the best", "dead_term",
      "Ugenteraan/Deep_Hierarchical_Classification#6")(
    lambda: (Heads(coarse=mlp(3), fine=mlp(6)), lambda o, y: F.cross_entropy(o["coarse"], y // 2) + F.cross_entropy(
        o["fine"], y) + torch.exp((o["coarse"].argmax(1) != o["fine"].argmax(1) // 2).float()).mean(), inputs(),
             classes(6))
)  # fmt: skip
wrong("padding masked at the queries, not at the keys", "mask_wrong_axis|padding_attended|softmax_wrong_axis",
      "hyunwoongko/transformer#40")(
    lambda: (attention(queries=True), lambda z, y: F.cross_entropy(z.transpose(1, 2), y, ignore_index=-1),
             t := padded_tokens(0)[0], classes(5, 12).masked_fill(t == 0, -1))
)  # fmt: skip
wrong("padding masked after the softmax", "mask_after_softmax|padding_attended",
      "huggingface/pytorch-image-models#2236")(
    lambda: (attention(after=True), lambda z, y: F.cross_entropy(z.transpose(1, 2), y, ignore_index=-1),
             t := padded_tokens(0)[0], classes(5, 12).masked_fill(t == 0, -1))
)  # fmt: skip
wrong("capsules: routing weights that sum to one over the senders", "softmax_wrong_axis",
      "motokimura/capsnet_pytorch#1")(
    lambda: (Part(lambda self, x: (lambda u: (lambda s: (u * (u.detach() * s[:, None]).sum(-1, keepdim=True).softmax(1))
                                              .sum(1).norm(dim=-1))(u.mean(1).detach()))(
        self.votes(x).view(-1, 6, 4, 5)), votes=mlp(120)), lambda v, y: (lambda hot: (
            hot * (0.9 - v).clamp(min=0) ** 2 + 0.5 * (1 - hot) * (v - 0.1).clamp(min=0) ** 2).sum(1).mean())(
        F.one_hot(y, 4)), inputs(), classes(4))
)  # fmt: skip
wrong("formulas: the padding, token 0, is learnt", "padding_not_ignored", "lukas-blecher/LaTeX-OCR#305")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.transpose(1, 2), y),
             (t := padded_tokens(0)[0])[:, :-1], t[:, 1:])
)  # fmt: skip


@wrong("molecules: an autoencoder of tokens that learns its padding", "padding_not_ignored",
       "DaoyuanLi2816/Molecule-Generator#20")  # fmt: skip
def _():
    def forward(self: Part, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.code(self.read(self.embed(tokens))[1][0]).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        before = self.embed(F.pad(tokens[:, :-1], (1, 0), value=49))
        return self.out(self.write(before + z[:, None])[0]), mean, log_var

    part = Part(forward, embed=nn.Embedding(50, 4), read=nn.GRU(4, 8, batch_first=True), code=nn.Linear(8, 8),
                write=nn.GRU(4, 8, batch_first=True), out=nn.Linear(8, 50))  # fmt: skip
    tokens = padded_tokens(0)[0]
    return part, lambda o, y: F.cross_entropy(o[0].flatten(0, 1), y.flatten()) + divergence(*o[1:]), tokens, tokens


# ---------------------------------------------------------------- right


def gaussian_tail(mean: Tensor, log_deviation: Tensor, y: Tensor) -> Tensor:
    """The negative log-likelihood of a normal, by its log-deviation."""
    return 0.5 * ((y - mean) / log_deviation.exp()) ** 2 + log_deviation + 0.5 * math.log(2 * math.pi)


right("skip-grams: the negatives' vectors have their minus already", "theeluwin/pytorch-sgns#12")(
    lambda: (Heads(as_tuple=True, word=nn.Linear(8, 6), other=nn.Linear(8, 6)),
             lambda o, _: -(F.logsigmoid((o[0][:, 0] * o[1][:, 0]).sum(1)) + F.logsigmoid(
                 torch.bmm(o[1][:, 1:].neg(), o[0][:, 0, :, None])[..., 0]).mean(1)).mean(), views(5), None)
)  # fmt: skip


@right("pairs: the positive stands in the denominator too", "amazon-science/sccl#27")
def _():
    def loss(z: Tensor, _: None) -> Tensor:
        both = torch.cat([z[:, 0], z[:, 1]])
        mask = ~torch.eye(N, dtype=torch.bool).repeat(2, 2)
        positive = torch.exp((z[:, 0] * z[:, 1]).sum(-1) / 0.5).repeat(2)
        negative = torch.exp(both @ both.T / 0.5).masked_select(mask).view(2 * N, -1).sum(-1)
        return -torch.log(positive / (negative + positive)).mean()

    return Then(mlp(6), lambda z: F.normalize(z, dim=-1)), loss, views(), None


right("InfoNCE with the temperature before the share as well", "drboog/Lafite#25")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: (lambda s: -(0.5 * (s / 0.5).softmax(1)
             .diag()).log().mean())(z[:, 0] @ z[:, 1].T), views(), None)
)  # fmt: skip
right("a recommender's score without a sigmoid", "guoyang9/NCF#27")(
    lambda: (Then(mlp(1), lambda z: z.view(-1)), nn.BCEWithLogitsLoss(), inputs(), labels(1)[:, 0])
)
right("depth with a learnt spread, as a Laplacian", "Xianpeng919/MonoCon#25")(
    lambda: (pair(depth=1, log_spread=1), lambda o, y: (1.4142 * (-o[1]).exp() * (o[0] - y).abs() + o[1]).mean(),
             inputs(), torch.randn(N, 1))
)  # fmt: skip
right("sizes at the centres of objects, over the mask of both", "xingyizhou/CenterNet#647")(
    lambda: (mask_head(channels=2), lambda o, y: F.l1_loss(o * y[1].expand_as(o), y[0] * y[1].expand_as(o),
                                                           reduction="sum") / (y[1].expand_as(o).sum() + 1e-4),
             inputs(3, 6, 6), (torch.rand(N, 2, 6, 6) * 4, labels(1, 6, 6)))
)  # fmt: skip
right("an autoencoder with one best deviation", "orybkin/sigma-vae-pytorch#11")(
    lambda: (autoencoder(lambda log_var: (0.5 * log_var).exp()), lambda o, x: gaussian_tail(
        o[0], ((x - o[0]) ** 2).mean().sqrt().log(), x).sum(1).mean() + divergence(*o[1:]),
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
right("two signatures: label 1 draws together", "adambielski/siamese-triplet#36")(
    lambda: (Then(mlp(4), lambda z: (z[:, 0], z[:, 1])), lambda o, y: (lambda d: 0.5 * (
        y * d + (1 - y) * F.relu(1.0 - (d + 1e-9).sqrt()) ** 2).mean())((o[1] - o[0]).pow(2).sum(1)), views(),
             labels(1)[:, 0])
)  # fmt: skip
right("triplets with a margin", "adambielski/siamese-triplet#44")(
    lambda: (mlp(4), lambda z, _: F.relu((z[:, 0] - z[:, 1]).pow(2).sum(1) - (z[:, 0] - z[:, 2]).pow(2).sum(1) + 1)
             .mean(), torch.cat([views(), torch.randn(N, 1, 8)], 1), None)
)  # fmt: skip
right("voices: both distances in one mean", "clovaai/voxceleb_trainer#9")(
    lambda: (Then(mlp(4), lambda z: F.normalize(z, dim=-1)), lambda z, _: torch.cat([
        F.pairwise_distance(z[:, 0], z[:, 1]).pow(2),
        F.relu(0.8 - F.pairwise_distance(z[:, 0], z[:, 1].roll(1, 0))).pow(2)]).mean(), views(), None)
)  # fmt: skip
right("points: the positives with a small margin, the hardest negatives", "chrischoy/FCGF#40")(
    lambda: (Then(mlp(4), lambda z: F.normalize(z, dim=-1)), lambda z, _: (lambda d: F.relu(
        d.diag() ** 2 - 0.01).mean() + F.relu(1.4 - (d + 9 * torch.eye(N)).min(1).values).pow(2).mean())(
        torch.cdist(z[:, 0], z[:, 1])), views(), None)
)  # fmt: skip
right("a queue of negatives: the true one is number 0", "YihengZhang-CV/SeCo-Sequence-Contrastive-Learning#3")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, queue: F.cross_entropy(torch.cat([
        (z[:, 0] * z[:, 1].detach()).sum(1, keepdim=True), z[:, 0] @ queue.T], 1) / 0.1, torch.zeros(N).long()),
             views(), F.normalize(torch.randn(40, 6), dim=1))
)  # fmt: skip
right("distillation: log_softmax of the pupil, softmax of the teacher", "yoshitomo-matsubara/torchdistill#233")(
    lambda: (mlp(5), lambda z, y: 0.5 * F.cross_entropy(z, y[0]) + 0.5 * 16 * F.kl_div(
        (z / 4).log_softmax(1), (y[1] / 4).softmax(1), reduction="batchmean"), inputs(),
             (classes(5), torch.randn(N, 5) * 3))
)  # fmt: skip


@right("boxes: the complete overlap, its trade-off without gradient", "ultralytics/yolov5#7709")
def _():
    def loss(o: Tensor, y: Tensor) -> Tensor:
        both, union, _ = overlap(o, y)
        (low, high), (y_low, y_high) = corners(o), corners(y)
        across = (torch.max(high, y_high) - torch.min(low, y_low)).pow(2).sum(1)
        apart = (low + high - y_low - y_high).pow(2).sum(1) / 4
        size, y_size = high - low, y_high - y_low
        v = 4 / math.pi**2 * (torch.atan(y_size[:, 0] / y_size[:, 1]) - torch.atan(size[:, 0] / size[:, 1])) ** 2
        with torch.no_grad():
            trade = v / (v - both / union + 1 + 1e-7)
        return (1 - (both / union - (apart / across + v * trade))).mean()

    return box_head(), loss, inputs(), boxes()


right("a smoothed cross-entropy", "pytorch/pytorch#148884")(
    lambda: (mlp(4), nn.CrossEntropyLoss(label_smoothing=0.1), inputs(), classes(4))
)
right("scenes: minus a log-likelihood of a small deviation", "zhixuan-lin/G-SWM#2")(
    lambda: (mlp(8, nn.Sigmoid()), lambda o, x: -Normal(o, 0.1).log_prob(x).flatten(1).sum(1).mean(),
             *(lambda x: (x, x))(torch.rand(N, 8)))
)  # fmt: skip
right("quantiles of returns: the indicator without gradient", "toshikwa/fqf-iqn-qrdqn.pytorch#14")(
    lambda: (mlp(5), lambda q, y: (lambda d: ((torch.linspace(0.1, 0.9, 5)[None, :, None] - (d.detach() < 0).float())
                                             .abs() * torch.where(d.abs() <= 1, 0.5 * d**2, d.abs() - 0.5)).sum(1)
                                   .mean(1).mean())(y[:, None, :] - q[:, :, None]), inputs(), torch.randn(N, 5))
)  # fmt: skip
right("masks: one overlap for the whole batch", "BloodAxe/pytorch-toolbelt#99")(
    lambda: (mask_head(nn.Sigmoid()), dice, inputs(3, 6, 6), labels(1, 6, 6))
)
right("focal loss from the exponential of its own entropy", "CoinCheung/pytorch-loss#27")(
    lambda: (mlp(4), lambda z, y: (lambda bce: ((1 - torch.exp(-bce)) ** 2 * bce).mean())(
        F.binary_cross_entropy_with_logits(z, y, reduction="none")), inputs(), labels(4))
)  # fmt: skip
right("masks by the size of their boxes, times the size, by the size", "dbolya/yolact#106")(
    lambda: (mask_head(nn.Sigmoid()), lambda p, y: (F.binary_cross_entropy(p, y[0], reduction="none").sum((1, 2, 3))
                                                    / y[1] * 36).sum() / 36 / N, inputs(3, 6, 6),
             (labels(1, 6, 6), 4 + 32 * torch.rand(N)))
)  # fmt: skip
right("code: padding cut out, and an ignored class that never comes", "microsoft/CodeXGLUE#122")(
    lambda: (Tagger(50), lambda z, y: (lambda real: nn.CrossEntropyLoss(ignore_index=-1)(
        z[:, :-1].reshape(-1, 50)[real], y[:, 1:].reshape(-1)[real]))(y[:, 1:].reshape(-1) != 0),
             *padded_tokens(0))
)  # fmt: skip
right("a language model that shifts inside its loss", "huggingface/transformers#35066")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z[..., :-1, :].reshape(-1, 50), y[..., 1:].reshape(-1)),
             *(lambda t: (t, t.clone()))(classes(50, 12)))
)  # fmt: skip
right("two layers and a sum of squares", "jcjohnson/pytorch-examples#30")(
    lambda: (mlp(10), nn.MSELoss(reduction="sum"), inputs(), torch.randn(N, 10))
)
right("survival: the risk set's mean in place of its sum", "czifan/DeepSurv.pytorch#5")(
    lambda: (mlp(1), lambda risk, y: (lambda at_risk: -((risk - (
        (risk.exp() * at_risk).sum(0) / at_risk.sum(0)).log().reshape(-1, 1)) * y[1]).sum() / y[1].sum())(
        (y[0] >= y[0].T).float()), inputs(), (torch.rand(N, 1), labels(1)))
)  # fmt: skip
right("NT-Xent, divided by 2 (b - 1)", "lucidrains/contrastive-learner#2")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: (lambda both: F.cross_entropy(
        (both @ both.T / 0.1).masked_fill(torch.eye(2 * N, dtype=torch.bool), -torch.inf),
        torch.arange(2 * N).roll(N), reduction="sum") / (2 * (N - 1)))(torch.cat([z[:, 0], z[:, 1]])), views(), None)
)  # fmt: skip
right("an autoencoder whose second head is a log-variance", "AntixK/PyTorch-VAE#69")(
    lambda: (autoencoder(lambda log_var: (0.5 * log_var).exp()),
             lambda o, x: F.mse_loss(o[0], x) + 0.00025 * divergence(*o[1:]), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
