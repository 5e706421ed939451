"""Set-ups of the twenty-first round (GitHub issues and pull requests), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: focal loss implementation wrong
alpha; dice loss stuck around 0.5 not decreasing; label smoothing loss wrong implementation; softmax before
CrossEntropyLoss bug; double softmax in model forward; sigmoid applied twice BCEWithLogitsLoss; is the loss function
right? multi class focal loss; dice loss computed over the whole batch instead of per class; softmax dim wrong axis
segmentation; loss averaged over padding tokens mask; class weights wrong order weighted cross entropy; multi-task loss
uncertainty weighting log sigma wrong; KL divergence loss reduction mean instead of batchmean; knowledge distillation
loss temperature wrong softmax log_softmax; VAE loss reconstruction mean KL sum posterior collapse; relu on the output
layer regression predicts zero; MSE loss broadcasting wrong shape predictions all same mean; triplet loss stuck at
margin; contrastive loss label 0 and 1 swapped; attention mask inverted transformer does not learn; quantile loss wrong
sign forecasting; language model loss labels not shifted; tanh output image range 0 1 autoencoder grey; GAN
discriminator loss sigmoid missing.

All twenty-four were made in order, in `issues` alone: 48 look-ups with the reading of the code, 283 hits, 16 kept.
Left out: threads used before, titles without a text, errors, measures and frameworks' insides, and claims that another
hand or the formula itself does not bear out (an alpha said to be the wrong way round where the authors name their order
of classes; a focal loss without any alpha or with an alpha that is never used; dice over the batch where maintainers
offer it as a choice; label smoothing by eps/(C-1); a softmax without an axis on four dimensions; pictures said to be of
another range; ReLU ends whose targets are not told).
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, Then, inputs, mlp
from doctor_exam.round_parts import Part

TWENTY_ONE_PROJECTS = CaseSet()
right, wrong = TWENTY_ONE_PROJECTS.right, TWENTY_ONE_PROJECTS.wrong


def kinds(x: Tensor, count: int) -> Tensor:
    """Class numbers that depend on the inputs."""
    return (x.flatten(1) @ torch.randn(x.flatten(1).shape[1], count)).argmax(1)


def unet(outputs: int, *ends: nn.Module, dims: int = 2) -> nn.Sequential:
    """A small network from pictures or volumes to maps of the same size."""
    conv = nn.Conv2d if dims == 2 else nn.Conv3d
    return nn.Sequential(conv(1, 8, 3, padding=1), nn.ReLU(), conv(8, outputs, 1), *ends)


def organs(size: int = 16, dims: int = 2) -> tuple[Tensor, Tensor]:
    """Noisy scans with one bright box each, small in some and large in others, and the box as a mask."""
    masks = torch.zeros(8, 1, *[size] * dims)
    for mask, side in zip(masks, torch.randint(2, size // 2, (8,)).tolist(), strict=True):
        mask[(0, *[slice(1, 1 + side)] * dims)] = 1
    return 2 * masks + 0.5 * torch.randn_like(masks), masks


def detector(alpha_for_both: bool):
    """Anchors of a one-stage detector: few objects, a sigmoid focal loss over the number of positives."""
    x = inputs(8)
    objects = F.one_hot(kinds(x, 12), 12).float()[..., None] * F.one_hot(kinds(x, 3), 3)[:, None]

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        p = logits.sigmoid().clamp(1e-6, 1 - 1e-6)
        positive = -0.25 * (1 - p) ** 2 * p.log() * targets
        negative = -(0.25 if alpha_for_both else 0.75) * p**2 * (1 - p).log() * (1 - targets)
        return (positive + negative).sum() / targets.sum()

    return mlp(36, nn.Unflatten(1, (12, 3))), loss, x, objects


# The focal loss multiplies positives and negatives by the same alpha, which balances nothing.
wrong("anchors: alpha for positives and negatives alike", "wrong_formula", "liuyuisanai/Focal-Loss#4")(
    lambda: detector(True)
)


def fraud():
    """Rare frauds in a table, the Keras focal loss summed over the batch with one alpha."""
    x = torch.randn(32, 8)

    def focal_loss(y_pred: Tensor, y_true: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
        pt = torch.where(y_true == 1, y_pred, 1 - y_pred).clamp(1e-7, 1 - 1e-7)
        return -(alpha * (1 - pt) ** gamma * pt.log()).sum()

    return mlp(1, nn.Sigmoid()), focal_loss, x, (x[:, :1] + x[:, 1:2] > 1.5).float()


# The focal loss multiplies both classes by the same alpha, which balances nothing.
wrong("frauds: one alpha for both classes", "wrong_formula", "mkocabas/focal-loss-keras#6")(fraud)


def lesions(balanced: bool):
    """A binary focal loss of a segmentation library on masks and shares."""
    x, masks = organs()

    def loss(pr: Tensor, gt: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
        pr = pr.clamp(1e-7, 1 - 1e-7)
        loss_1 = -gt * (alpha * (1 - pr) ** gamma * pr.log())
        loss_0 = -(1 - gt) * ((1 - alpha if balanced else alpha) * pr**gamma * (1 - pr).log())
        return (loss_0 + loss_1).mean()

    return unet(1, nn.Sigmoid()), loss, x, masks


# The focal loss multiplies foreground and background by the same alpha, which balances nothing.
wrong("lesions: the background weighs alpha too", "wrong_formula", "qubvel/segmentation_models#187")(
    lambda: lesions(False)
)
right("lesions: alpha and one minus alpha", "qubvel/segmentation_models#187")(lambda: lesions(True))


def scenes():
    """A categorical focal loss whose wrapper hands alpha and gamma over in the wrong order."""
    x = torch.rand(8, 1, 16, 16)
    classes = F.one_hot((x[:, 0] * 4).long(), 4).permute(0, 3, 1, 2).float()

    def categorical(gt: Tensor, pr: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
        pr = pr.clamp(1e-7, 1 - 1e-7)
        return (-gt * (alpha * (1 - pr) ** gamma * pr.log())).mean()

    class CategoricalFocalLoss(nn.Module):
        def __init__(self, alpha: float = 0.25, gamma: float = 2.0) -> None:
            super().__init__()
            self.alpha, self.gamma = alpha, gamma

        def forward(self, pr: Tensor, gt: Tensor) -> Tensor:
            return categorical(gt, pr, self.alpha, self.gamma)

    return unet(4, nn.Softmax(1)), CategoricalFocalLoss(), x, classes


# Alpha and gamma are handed to the focal loss in the wrong order: the exponent is 0.25 and the factor 2.
wrong("scenes: alpha and gamma change places", "wrong_formula", "qubvel/segmentation_models#258")(scenes)


def smoothed_focal():
    """A focal loss with smoothing by clamping the one-hot targets at both ends."""
    x = inputs(8)

    def loss(logit: Tensor, target: Tensor, smooth: float = 0.1, gamma: float = 2.0) -> Tensor:
        one_hot = torch.zeros_like(logit).scatter_(1, target.view(-1, 1), 1).clamp(smooth, 1 - smooth)
        pt = (one_hot * logit).sum(1) + 1e-10
        return (-((1 - pt) ** gamma) * pt.log()).mean()

    return mlp(6, nn.Softmax(1)), loss, x, kinds(x, 6)


# Clamped at smooth and one minus smooth, the smoothed targets of a sample do not sum to one.
wrong("smoothed focal loss: targets clamped", "targets_do_not_sum_to_one", "Hsuxu/Loss_ToolBox-PyTorch#4")(
    smoothed_focal
)


def smoothed_pictures():
    """Label smoothing written with the likelihood and the sum of the log-shares."""
    x = torch.randn(N, 3, 8, 8)

    def loss(outputs: Tensor, target: Tensor, smooth_eps: float = 0.1) -> Tensor:
        lsm = F.log_softmax(outputs, -1)
        eps_sum = smooth_eps / outputs.size(-1)
        eps_nll = 1.0 - eps_sum - smooth_eps
        likelihood = lsm.gather(-1, target.unsqueeze(-1)).squeeze(-1)
        return -(eps_nll * likelihood + eps_sum * lsm.sum(-1)).mean()

    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    return net, loss, x, kinds(x, 10)


# The smoothed targets do not sum to one: eps/C is taken off the true class's share once too often.
wrong("smoothed pictures: too little for the true class", "targets_do_not_sum_to_one", "eladhoffer/utils.pytorch#14")(
    smoothed_pictures
)


class LabelSmoothingLoss(nn.Module):
    """The loss of a library of graph embeddings, with and without the smoothing that it is named after."""

    def __init__(self, smoothness_ratio: float, applied: bool) -> None:
        super().__init__()
        self.smoothness_ratio, self.applied = smoothness_ratio, applied

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """The loss of scores for every entity."""
        if not self.applied:
            return nn.BCEWithLogitsLoss()(pred, target)
        off = self.smoothness_ratio / (pred.shape[1] - 1)
        target = target * (1 - self.smoothness_ratio) + (1 - target) * off
        return F.kl_div(F.log_softmax(pred, 1), target, reduction="batchmean")


def graph(applied: bool):
    """Heads and relations to scores of all entities as tails."""
    triples = torch.stack([torch.randperm(20)[:N], torch.randint(0, 4, (N,))], 1)
    tails = F.one_hot((triples[:, 0] * 3 + triples[:, 1]) % 20, 20).float()

    def forward(self: Part, x: Tensor) -> Tensor:
        return (self.entities(x[:, 0]) * self.relations(x[:, 1])) @ self.entities.weight.T

    model = Part(forward, entities=nn.Embedding(20, 16), relations=nn.Embedding(4, 16))
    return model, LabelSmoothingLoss(0.1, applied), triples, tails


# The label smoothing loss never uses its rate: it is the plain binary cross-entropy.
wrong("graph: smoothing that is not applied", "wrong_formula", "dice-group/dice-embeddings#458")(lambda: graph(False))
right("graph: smoothed targets against log-shares", "dice-group/dice-embeddings#458")(lambda: graph(True))


def movements(softmax: bool):
    """Nine channels of motion sensors to six activities."""
    x = torch.randn(N, 9, 1, 32)
    layers = [nn.Conv2d(9, 16, (1, 9)), nn.ReLU(), nn.MaxPool2d((1, 2)), nn.Flatten(), nn.Linear(192, 32), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(32, 6))
    return Then(net, partial(F.softmax, dim=1) if softmax else nn.Identity()), nn.CrossEntropyLoss(), x, kinds(x, 6)


# The model ends in a softmax and the cross-entropy takes another.
wrong(
    "movements: softmax at the end of forward()",
    "softmax_before_cross_entropy|activation_twice",
    "jindongwang/Deep-learning-activity-recognition#10",
)(lambda: movements(True))
right("movements: raw outputs", "jindongwang/Deep-learning-activity-recognition#10")(lambda: movements(False))


def consensus(softmax: bool):
    """A recurrent network over a pileup: one of five bases at every position."""
    x = torch.rand(8, 20, 10)

    def forward(self: Part, x: Tensor) -> Tensor:
        outputs = self.classifier(self.gru(x)[0])
        return F.softmax(outputs, dim=2) if softmax else outputs

    gru = nn.GRU(10, 16, 2, batch_first=True, bidirectional=True)
    ce = nn.CrossEntropyLoss()
    return (
        Part(forward, gru=gru, classifier=nn.Linear(32, 5)),
        lambda logits, labels: ce(logits.view(-1, 5), labels.view(-1)),
        x,
        x[..., :5].argmax(2),
    )


# The softmax is applied twice: in the network and in the cross-entropy.
wrong(
    "consensus: softmax in the network and in the loss",
    "softmax_before_cross_entropy|activation_twice",
    "NVIDIA/VariantWorks#134",
)(lambda: consensus(True))
right("consensus: raw outputs per position", "NVIDIA/VariantWorks#134")(lambda: consensus(False))


def species(summed: bool):
    """A multi-class focal loss with one-hot targets."""
    x = inputs(8)

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        probs, one_hot = F.softmax(outputs, 1), F.one_hot(targets, 10).float()
        ce = -one_hot * probs.log()
        weight = (1 - (probs * one_hot).sum(1)) ** 2
        matrix = weight.unsqueeze(1) * ce
        return (matrix.sum(1) if summed else matrix).mean()

    return mlp(10), loss, x, kinds(x, 10)


# The focal loss is averaged over the classes too, of which all but one are zero: it is C times too small.
wrong("species: mean over samples and classes", "wrong_formula", "itakurah/focal-loss-pytorch#6")(
    lambda: species(False)
)
right("species: sum over classes, mean over samples", "itakurah/focal-loss-pytorch#6")(lambda: species(True))


def tumours(per_sample: bool):
    """The negative Dice of flattened masks, some tiny and some large."""
    x, masks = organs()

    def loss(output: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
        iflat, tflat = output.reshape(-1), target.reshape(-1)
        if per_sample:
            iflat, tflat = output.flatten(1), target.flatten(1)
        intersection = (iflat * tflat).sum(-1)
        return -((2 * intersection + smooth) / (iflat.sum(-1) + tflat.sum(-1) + smooth)).mean()

    return unet(1, nn.Sigmoid()), loss, x, masks


# The Dice loss is computed over the flattened batch: samples with a small target hardly count.
wrong("tumours: samples flattened together", "wrong_formula", "ivadomed/ivadomed#910")(lambda: tumours(False))
right("tumours: the mean of every sample's Dice", "ivadomed/ivadomed#910")(lambda: tumours(True))


def prostates(mean: bool):
    """The squared Dice of volumes, one number a volume."""
    x, masks = organs(8, 3)

    def loss(p: Tensor, g: Tensor) -> Tensor:
        p, g = p[:, 1].flatten(1), g.flatten(1)
        dice = 2 * (p * g).sum(1) / ((p**2).sum(1) + (g**2).sum(1))
        return 1 - (dice.mean() if mean else dice.sum())

    return unet(2, nn.Softmax(1), dims=3), loss, x, masks


# The Dice of the volumes of a batch are summed and not averaged: it exceeds one and grows with the batch.
wrong("prostates: the sum of all volumes' Dice", "wrong_formula", "faustomilletari/VNet#13")(lambda: prostates(False))
right("prostates: the mean of all volumes' Dice", "faustomilletari/VNet#13")(lambda: prostates(True))


def distilled():
    """A student with a head for the labels and one for the teacher, whose term is divided by all its elements."""
    x = inputs(8)
    teacher = nn.Linear(8, 50).requires_grad_(False)
    teacher.weight.normal_(0, 2)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.body(x).relu()
        with torch.no_grad():
            taught = self.teacher(x)
        return self.head(hidden), self.head_dist(hidden), taught

    def loss(outputs: tuple[Tensor, ...], labels: Tensor, alpha: float = 0.5, tau: float = 3.0) -> Tensor:
        out, out_kd, taught = outputs
        log_kd, log_taught = F.log_softmax(out_kd / tau, 1), F.log_softmax(taught / tau, 1)
        kd = F.kl_div(log_kd, log_taught, reduction="sum", log_target=True) * tau * tau / out_kd.numel()
        return F.cross_entropy(out, labels) * (1 - alpha) + kd * alpha

    layers = {"body": nn.Linear(8, 32), "head": nn.Linear(32, 50), "head_dist": nn.Linear(32, 50)}
    return Part(forward, teacher=teacher, **layers), loss, x, teacher(x).argmax(1)


# The divergence from the teacher is divided by batch times classes instead of by the batch.
wrong("distilled: divergence over all elements", "kl_div_mean|wrong_formula", "facebookresearch/deit#61")(distilled)


def crowd():
    """Crowd counting by a density map whose last convolution has a ReLU, after an unlucky start: all zero, as told."""
    heads = (torch.rand(8, 1, 16, 16) < 0.03).float()
    blur = torch.tensor([1.0, 2, 1])
    density = F.conv2d(heads, (blur[:, None] * blur / 16).view(1, 1, 3, 3), padding=1)
    block = [nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 1), nn.ReLU()]
    x = density + 0.3 * torch.rand_like(density)
    last = nn.Conv2d(32, 1, 1)
    for weight in last.parameters():
        weight.data.abs_().neg_()
    return nn.Sequential(*block, last, nn.ReLU()), nn.MSELoss(), x, density


# The regression ends in a ReLU: where it is negative it gets no gradient, and the predictions become all zero.
wrong("crowd: a ReLU after the last convolution", "dead_layer|zero_gradient", "xiaochus/MSCNN#3")(crowd)


def least_squares(sigmoid: bool):
    """A discriminator with the least-squares loss on real and generated digits."""
    real = (torch.rand(N, 1, 8, 8) * 2).clamp(max=1) * torch.rand(N, 1, 1, 1).round() * 2 - 1
    fake = torch.randn(N, 1, 8, 8).tanh()
    d = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    if sigmoid:
        d.append(nn.Sigmoid())

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self.d(real), self.d(fake)

    def loss(outputs: tuple[Tensor, Tensor], labels: tuple[Tensor, Tensor]) -> Tensor:
        return 0.5 * (F.mse_loss(outputs[0], labels[0]) + F.mse_loss(outputs[1], labels[1]))

    return Part(forward, d=d), loss, (real, fake), (torch.ones(N, 1), torch.zeros(N, 1))


# The least-squares loss of the discriminator takes the output of a sigmoid, whose gradient vanishes.
wrong(
    "least-squares critic: shares into the squares",
    "bounded_critic",
    "hwalsuklee/tensorflow-generative-model-collections#19",
)(lambda: least_squares(True))
right("least-squares critic: raw outputs", "hwalsuklee/tensorflow-generative-model-collections#19")(
    lambda: least_squares(False)
)


@right("focal loss from the cross-entropy", "pytorch/vision#3250")
def forum_focal():
    """The focal loss of a forum's answer: shares from the cross-entropy itself."""
    x = inputs(8)

    def loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
        ce_loss = F.cross_entropy(logits, targets, reduction="none")
        return (alpha * (1 - torch.exp(-ce_loss)) ** gamma * ce_loss).mean()

    return mlp(5), loss, x, kinds(x, 5)


@right("sigmoid focal loss of a library", "facebookresearch/fvcore#126")
def sigmoid_focal():
    """A sigmoid for the weight only; the cross-entropy gets the raw outputs."""
    x = inputs(8)

    def loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
        p = torch.sigmoid(logits)
        ce_loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p_t = p * targets + (1 - p) * (1 - targets)
        return ((alpha * targets + (1 - alpha) * (1 - targets)) * ce_loss * (1 - p_t) ** gamma).mean()

    return mlp(6), loss, x, (x[:, :6] > 0.5).float()


@right("student and teacher with a temperature", "HobbitLong/RepDistiller#52")
def temperature():
    """The divergence of a student from a teacher's outputs, which are the targets."""
    x = inputs(8)

    def loss(y_s: Tensor, y_t: Tensor, t: float = 4.0) -> Tensor:
        p_s, p_t = F.log_softmax(y_s / t, dim=1), F.softmax(y_t / t, dim=1)
        return F.kl_div(p_s, p_t, reduction="sum") * t**2 / y_s.shape[0]

    return mlp(10), loss, x, 2 * x @ torch.randn(8, 10)


@right("depth and classes weighed by learnt uncertainties", "lukasliebel/MultiDepth#2")
def uncertainties():
    """Two tasks with one learnt logarithm of the variance each."""
    x = inputs(8)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        hidden = self.body(x).relu()
        return self.depth(hidden), self.classes(hidden), self.log_vars

    def loss(outputs: tuple[Tensor, ...], targets: tuple[Tensor, Tensor]) -> Tensor:
        depth, scores, s = outputs
        total = 0.5 * torch.exp(-s[0]) * F.mse_loss(depth, targets[0]) + 0.5 * s[0]
        return total + torch.exp(-s[1]) * F.cross_entropy(scores, targets[1]) + 0.5 * s[1]

    model = Part(forward, body=nn.Linear(8, 32), depth=nn.Linear(32, 1), classes=nn.Linear(32, 4))
    model.log_vars = nn.Parameter(torch.zeros(2))
    return model, loss, x, (x[:, :2].sum(1, keepdim=True), kinds(x, 4))


@right("demand: three quantiles", "KalleBylin/temporal-fusion-transformers#1")
def quantiles():
    """A recurrent forecast of three quantiles at each of six steps."""
    x = torch.randn(N, 24, 1).cumsum(1) / 5

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0][:, -1]).view(-1, 6, 3)

    def loss(preds: Tensor, target: Tensor) -> Tensor:
        errors = [target - preds[..., i] for i in range(3)]
        losses = [torch.max((q - 1) * e, q * e) for q, e in zip((0.1, 0.5, 0.9), errors, strict=True)]
        return torch.stack(losses, -1).sum(-1).mean()

    model = Part(forward, rnn=nn.LSTM(1, 16, batch_first=True), out=nn.Linear(16, 18))
    return model, loss, x, x[:, -1] + 0.2 * torch.randn(N, 6)


@right("language model: shifted in the loss", "tatsu-lab/stanford_alpaca#45")
def shifted():
    """Labels equal to the inputs; the loss shifts them by one."""
    tokens = (torch.randint(0, 50, (N, 1)) + 3 * torch.arange(12)) % 50

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits[..., :-1, :].reshape(-1, 50), labels[..., 1:].reshape(-1))

    return Tagger(50), loss, tokens, tokens.clone()


@right("molecules: the positive is always class 0", "yuyangw/MolCLR#4")
def molecules():
    """Two views of each molecule; the similarity to the other view stands first among those to all the rest."""
    x = inputs(8)
    views = x + 0.1 * torch.randn(N, 8), x + 0.1 * torch.randn(N, 8)

    def forward(self: Part, first: Tensor, second: Tensor) -> Tensor:
        z = F.normalize(torch.cat([self.net(first), self.net(second)]), dim=1)
        similar, own = z @ z.T, torch.arange(2 * N)
        other = (own + N) % (2 * N)
        negative = torch.ones(2 * N, 2 * N, dtype=torch.bool)
        negative[own, own] = negative[own, other] = False
        return torch.cat([similar[own, other][:, None], similar[negative].view(2 * N, -1)], 1) / 0.1

    return Part(forward, net=mlp(16)), nn.CrossEntropyLoss(), views, torch.zeros(2 * N, dtype=torch.long)


@right("photos: a tanh stretched to a little more than 0 to 1", "aiff22/DPED#13")
def photos():
    """Enhanced photos between 0 and 1 from a tanh times 0.58 plus 0.5."""
    dull = torch.rand(8, 3, 16, 16)
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return Then(net, lambda y: torch.tanh(y) * 0.58 + 0.5), nn.MSELoss(), dull, (1.3 * dull - 0.15).clamp(0, 1)
