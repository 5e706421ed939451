"""Set-ups of the twentieth round (issues and pull requests about projects' training code), written without the checks.

Twenty-four searches, written down and committed before the first of them was made: focal loss implementation wrong
for multi-class segmentation; dice loss does not decrease training stuck; label smoothing loss wrong formula; model
already applies softmax before CrossEntropyLoss; double sigmoid BCEWithLogitsLoss bug; wrong dim in softmax loss
fix; class weights wrong normalization cross entropy; multi-task loss uncertainty weighting negative loss; loss
reduction mean instead of sum KL divergence VAE; sigmoid missing before BCELoss text classification; log_softmax
missing NLLLoss loss negative; padding tokens not ignored in loss translation model; ignore_index not respected in
focal loss; masked mse loss time series divides by wrong count; MSE broadcast target size different from input size
regression; ReLU on output layer predictions all zero; KLDivLoss knowledge distillation temperature log_softmax;
triplet loss stuck at margin; contrastive loss label convention reversed; pos_weight BCE multi-label all zeros
predicted; tversky loss smooth wrong axis batch; argmax in loss no gradient; labels start from 1 cross entropy
target out of bounds; binary classification one output CrossEntropyLoss loss zero.

All 24 in `issues`, in order, at most 12 hits each; five further searches and about fifteen file look-ups to read on.
Left out: the hits taken before; threads without a cause (dice that stays, triplet loss at its margin, zeros out of a
ReLU); threads in which nobody was wrong or that were disputed (Keras' masks, contrastive labels, weights not
normalised, padding kept on purpose, label smoothing that is not used or off by c / (c - 1)). The twentieth came within
the twenty-third search. Not seen in full: the loss of dm-haiku#442 (argmax in it) and the model of GaNDLF#134.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Then, inputs, mlp, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_PROJECTS = CaseSet()
right, wrong = TWENTY_PROJECTS.right, TWENTY_PROJECTS.wrong


def highest(x: Tensor, count: int) -> Tensor:
    """Which of the first numbers of a sample is the highest."""
    return x.flatten(1)[:, :count].argmax(1)


def drawn(*shape: int) -> Tensor:
    """Pictures that two hidden numbers describe."""
    return (torch.randn(N, 2) @ torch.randn(2, torch.Size(shape).numel())).view(N, *shape)


def vae(size: int, latent: int, *end: nn.Module, noise: float = 1) -> Part:
    """A variational autoencoder: the picture, the mean and the logarithm of the variance."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x.flatten(1)).chunk(2, 1)
        return self.decode(mean + noise * torch.randn_like(mean) * (log_var / 2).exp()).view_as(x), mean, log_var

    encode = nn.Sequential(nn.Linear(size, 32), nn.ReLU(), nn.Linear(32, 2 * latent))
    return Part(
        forward, encode=encode, decode=nn.Sequential(nn.Linear(latent, 32), nn.ReLU(), nn.Linear(32, size), *end)
    )


def terms(mean: Tensor, log_var: Tensor) -> Tensor:
    """The divergence from the standard normal, per latent number."""
    return -0.5 * (1 + log_var - mean**2 - log_var.exp())


class Reader(nn.Module):
    """A text to a few numbers, read by a recurrent network."""

    def __init__(self, outputs: int, *end: nn.Module) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(50, 16), nn.GRU(16, 16, batch_first=True)
        self.out = nn.Sequential(nn.Linear(16, outputs), *end)

    def forward(self, tokens: Tensor) -> Tensor:
        """The numbers after the last token."""
        return self.out(self.rnn(self.embed(tokens))[1][0])


class Translator(nn.Module):
    """An encoder, and a decoder that is given the right words so far."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(50, 16), nn.Linear(16, 50)
        self.encoder, self.decoder = nn.GRU(16, 16, batch_first=True), nn.GRU(16, 16, batch_first=True)

    def forward(self, source: Tensor, words: Tensor) -> Tensor:
        """Scores of the next word after each."""
        return self.out(self.decoder(self.embed(words), self.encoder(self.embed(source))[1])[0])


def shifted(words: Tensor) -> Tensor:
    """The words one place to the right, behind a start token."""
    return torch.cat([torch.zeros(N, 1, dtype=torch.long), words[:, :-1]], 1)


def concrete(softmax: bool):
    """Digits in a network with dropout, whose output goes into F.cross_entropy."""
    x = inputs(1, 8, 8)
    body = [nn.Flatten(), nn.Linear(64, 32), nn.Dropout(0.1), nn.ReLU(), nn.Linear(32, 10)]
    return nn.Sequential(*body, *([nn.Softmax(1)] if softmax else [])), F.cross_entropy, x, highest(x, 10)


wrong("concrete dropout: softmax in the model", "softmax_before_cross_entropy", "danielkelshaw/ConcreteDropout#11")(
    lambda: concrete(True)
)
right("concrete dropout: raw scores", "danielkelshaw/ConcreteDropout#12")(lambda: concrete(False))


def regions():
    """Actions in regions of a clip: the head of the other networks, whose softmax goes over a fifth axis."""
    x = inputs(16, 4, 4, 4)
    head = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(16, 6), nn.Softmax(dim=4))
    return head, nn.BCELoss(), x, F.one_hot(x.mean((2, 3, 4))[:, :6].argmax(1), 6).float()


wrong("regions: softmax over a fifth axis", "model_fails|softmax_wrong_axis", "facebookresearch/SlowFast#208")(regions)


def house_numbers():
    """Pictures of numbers, both terms of the loss averaged over everything."""
    x = drawn(3, 8, 8).tanh()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        return F.mse_loss(outputs[0], target) + terms(*outputs[1:]).mean()

    return vae(192, 20, nn.Tanh()), loss, x, x


wrong("house numbers: two means", "terms_out_of_balance", "orybkin/sigma-vae-tensorflow#2")(house_numbers)


def outliers():
    """An outlier detector: the likelihood summed over the batch, the divergence averaged over everything."""
    x = drawn(20).sigmoid()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        return -Normal(outputs[0], 0.05).log_prob(target).sum() + terms(*outputs[1:]).mean()

    return vae(20, 4, nn.Sigmoid()), loss, x, x


wrong("outliers: sum beside a mean", "wrong_formula", "SeldonIO/alibi-detect#90")(outliers)


def molecules():
    """Strings of characters through a variational autoencoder with nearly no noise."""
    x = F.one_hot(drawn(12, 8).argmax(2), 8).float()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        return (
            12 * F.binary_cross_entropy(outputs[0].flatten(), target.flatten()) + terms(*outputs[1:]).mean(-1)
        ).mean()

    model = vae(96, 30, nn.Unflatten(1, (12, 8)), nn.Softmax(2), noise=0.01)
    return model, loss, x, x


wrong("molecules: mean over the latent numbers", "wrong_formula", "maxhodak/keras-molecules#59")(molecules)


def fashion(mean: bool):
    """The tutorial's autoencoder of digits with two latent numbers."""
    x = drawn(1, 8, 8).sigmoid()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        kl = terms(*outputs[1:])
        return 64 * F.binary_cross_entropy(outputs[0], target) + (kl.mean() if mean else kl.sum(1).mean())

    return vae(64, 2, nn.Sigmoid()), loss, x, x


wrong("two latent numbers: mean over them", "wrong_formula", "keras-team/keras-io#270")(lambda: fashion(True))
right("two latent numbers: sum over them", "keras-team/keras-io#270")(lambda: fashion(False))


def faces():
    """Faces: the mean squared error and a tenth of the mean of means."""
    x = drawn(3, 8, 8).tanh()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        kl = -0.5 * torch.mean(torch.mean(1 + outputs[2] - outputs[1].pow(2) - outputs[2].exp(), 1))
        return torch.mean((outputs[0] - target) ** 2) + kl * 0.1

    return vae(192, 64, nn.Tanh()), loss, x, x


wrong("faces: mean of means", "wrong_formula", "podgorskiy/VAE#1")(faces)


def sentiment(sigmoid: bool):
    """Reviews, good or bad, in a recurrent network to whose end a sigmoid was added."""
    x = torch.randint(0, 50, (N, 10))
    model = Then(Reader(1, *([nn.Sigmoid()] if sigmoid else [])), lambda out: out.squeeze(1))
    return model, nn.BCEWithLogitsLoss(), x, (x[:, -1] < 25).float()


wrong("reviews: sigmoid twice", "sigmoid_before_bce_logits", "bentrevett/pytorch-sentiment-analysis#75")(
    lambda: sentiment(True)
)
right("reviews: sigmoid in the loss only", "bentrevett/pytorch-sentiment-analysis#75")(lambda: sentiment(False))


def pixels(log_softmax: bool):
    """The documentation's second example: classes of pixels in NLLLoss."""
    x = inputs(16, 10, 10)
    model = nn.Sequential(nn.Conv2d(16, 4, (3, 3)), *([nn.LogSoftmax(dim=1)] if log_softmax else []))
    return model, nn.NLLLoss(), x, x[:, :4, 1:-1, 1:-1].argmax(1)


wrong("pixels: a convolution into NLLLoss", "nll_on_logits", "pytorch/pytorch#12703")(lambda: pixels(False))
right("pixels: log-softmax into NLLLoss", "pytorch/pytorch#12703")(lambda: pixels(True))


def translation(ignore: bool):
    """Translations filled up to the greatest length, a loss that leaves out -100."""
    source, target = padded_tokens(0)
    words = torch.where(target == 0, -100, target) if ignore else target
    return Translator(), lambda out, y: F.cross_entropy(out.view(-1, 50), y.view(-1)), (source, shifted(target)), words


wrong(
    "translation: padding kept",
    "padding_not_ignored",
    "Lightning-Universe/lightning-transformers#266",
)(lambda: translation(False))
right("translation: padding as -100", "Lightning-Universe/lightning-transformers#266")(lambda: translation(True))


def fine_tuning():
    """A translator that computes its own loss from labels filled up with its padding token."""

    def forward(self: Part, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.net(input_ids, shifted(labels))
        loss = nn.CrossEntropyLoss(ignore_index=-100)(logits.view(-1, 50), labels.view(-1))
        return {"loss": loss, "logits": logits}

    source, target = padded_tokens(0)
    given = {"input_ids": source, "labels": target}
    return Part(forward, net=Translator()), lambda outputs, _: outputs["loss"], given, target


wrong("fine-tuning: padding in the model's own loss", "padding_not_ignored", "huggingface/transformers#16455")(
    fine_tuning
)


def focal(p: Tensor, target: Tensor, mask_first: bool) -> Tensor:
    """A focal loss of shares that leaves out -100, before or after the classes are spread."""
    p, target, valid = p.flatten(0, -2), target.flatten(), target.flatten() != -100
    if mask_first:
        p, target, valid = p[valid], target[valid], valid[valid]
    p = (p * F.one_hot(target, 5)).sum(-1).clamp(1e-6, 1 - 1e-6)
    return (-((1 - p) ** 0.7) * p.log() * valid).sum() / valid.sum()


def tagging(mask_first: bool):
    """Tokens' tags, the second half filled up with -100."""
    x = inputs(20, 8)
    target = x[..., :5].argmax(-1)
    target[:, 10:] = -100
    return mlp(5, nn.Softmax(dim=-1)), lambda p, y: focal(p, y, mask_first), x, target


wrong(
    "tags: -100 into one_hot",
    "class_index_out_of_range|loss_fails|would_kill_device",
    "mathiaszinnen/focal_loss_torch#16",
)(lambda: tagging(False))
right("tags: -100 taken out first", "mathiaszinnen/focal_loss_torch#17")(lambda: tagging(True))


def dice(out: Tensor, target: Tensor, ignore: bool) -> Tensor:
    """A dice loss per picture over all classes, the target spread with scatter."""
    p, valid = out.softmax(1), (target != 255)[:, None]
    if ignore:
        target, p = torch.where(valid[:, 0], target, 0), p * valid
    hot = torch.zeros_like(p).scatter_(1, target[:, None], 1.0)
    hot = hot * valid if ignore else hot
    return (1 - 2 * (p * hot).sum((1, 2, 3)) / ((p + hot).sum((1, 2, 3)) + 1e-6)).mean()


def things(ignore: bool):
    """Things in pictures, of which the borders are marked 255."""
    x = inputs(3, 12, 12)
    target = torch.cat([x, torch.zeros(N, 1, 12, 12)], 1).argmax(1)
    target[:, :, :2] = 255
    return nn.Conv2d(3, 21, 3, padding=1), lambda out, y: dice(out, y, ignore), x, target


wrong(
    "things: borders of 255 in a dice loss",
    "class_index_out_of_range|loss_fails|would_kill_device",
    "kornia/kornia#839",
)(lambda: things(False))
right("things: borders left out of a dice loss", "kornia/kornia#839")(lambda: things(True))


def line(row: bool):
    """A linear regression whose targets get an axis in front."""
    x = inputs(3)
    y = x @ torch.tensor([1.0, -2.0, 0.5])
    return nn.Linear(3, 1), nn.MSELoss(), x, y[None] if row else y[:, None]


wrong("line: targets as a row", "shapes_broadcast", "tracel-ai/burn#2371")(lambda: line(True))
right("line: targets as a column", "tracel-ai/burn#2371")(lambda: line(False))


def scans():
    """A regression of scans with two outputs and one value each."""
    x = inputs(1, 8, 8)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    return model, nn.MSELoss(), x, x.mean((2, 3))


wrong("scans: two outputs for one value", "shapes_broadcast|targets_repeated", "mlcommons/GaNDLF#134")(scans)


def enlarged():
    """Pictures enlarged fourfold, compared with originals of another height."""
    model = nn.Sequential(nn.Conv2d(3, 48, 3, padding=1), nn.PixelShuffle(4))
    return model, nn.L1Loss(), torch.rand(8, 3, 6, 8), torch.rand(8, 3, 26, 32)


wrong("enlarged: originals of another height", "shapes_differ|loss_fails", "Lornatang/RFB_ESRGAN-PyTorch#2")(enlarged)


def self_distilled(log_softmax: bool):
    """A segmentation that a teacher of an earlier stage supervises."""
    x = inputs(3, 8, 8)

    def loss(out: Tensor, teacher: Tensor) -> Tensor:
        student, teacher = (out.log_softmax(1) if log_softmax else out.softmax(1)), teacher.softmax(1)
        mask = (teacher != 250).float()
        return (F.kl_div(student, teacher, reduction="none") * mask).sum() / mask.sum()

    return nn.Conv2d(3, 5, 3, padding=1), loss, x, 3 * nn.Conv2d(3, 5, 1)(x).detach()


wrong("teacher of pixels: shares into kl_div", "kl_div_on_probabilities", "microsoft/ProDA#43")(
    lambda: self_distilled(False)
)
right("teacher of pixels: log-shares into kl_div", "microsoft/ProDA#43")(lambda: self_distilled(True))


def decided(argmax: bool):
    """Two classes of simulated data, the decision or the scores in the loss."""
    x = inputs(12)
    net = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    loss = (lambda out, y: ((out.argmax(1).float() - y) ** 2).mean()) if argmax else nn.CrossEntropyLoss()
    return net, loss, x, (x.sum(1) > 0).long()


wrong("two classes: argmax in the loss", "loss_without_gradient", "google-deepmind/dm-haiku#442")(lambda: decided(True))
right("two classes: scores in the loss", "google-deepmind/dm-haiku#442")(lambda: decided(False))


def opinions():
    """Texts that are against, neither, or for something: -1, 0, 1."""
    x = torch.randint(0, 50, (N, 10))
    return Reader(3), nn.CrossEntropyLoss(), x, x[:, -1] % 3 - 1


wrong("opinions: labels from -1", "class_index_out_of_range", "EricFillion/happy-transformer#248")(opinions)


def aspects():
    """The polarity of aspects, three of them and two outputs."""
    x = torch.randint(0, 50, (N, 10))
    return Reader(2), nn.CrossEntropyLoss(), x, x[:, -1] % 3


wrong("aspects: two outputs, three labels", "class_index_out_of_range", "yangheng95/PyABSA#375")(aspects)


@right("seq2seq: scores into a loss that leaves out padding", "bentrevett/pytorch-seq2seq#127")
def sequences():
    """A translator taught with the words before; the first word is no target."""
    source, target = padded_tokens(0)
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    given = (source, target[:, :-1])
    return Translator(), lambda out, y: criterion(out.reshape(-1, 50), y.reshape(-1)), given, target[:, 1:]


@right("digits: a convolution, pooled", "fastai/fastai_old#9")
def pooled():
    """Three convolutions, an average and F.cross_entropy."""
    x = inputs(1, 12, 12)
    convs = [nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 10, 3, 2, 1)]
    model = nn.Sequential(*convs, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return model, F.cross_entropy, x, highest(x, 10)


@right("piano: sigmoids into binary cross-entropies", "jongwook/onsets-and-frames#35")
def piano():
    """Notes that begin and notes that sound, per frame of a recording."""
    x = inputs(20, 8)
    onset = (x[..., :4].repeat(1, 1, 3) > 1.3).float()
    frame = (x[..., :4].repeat(1, 1, 3) > 0.8).float()

    def loss(out: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
        return sum(F.binary_cross_entropy(out[name], y[name]) for name in y)

    model = Heads(onset=mlp(12, nn.Sigmoid()), frame=mlp(12, nn.Sigmoid()))
    return model, loss, x, {"onset": onset, "frame": frame}


def blobs(x: Tensor) -> Tensor:
    """A mask where the surroundings of a pixel are bright."""
    return (F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1) > 0.1).float()


@right("saliency: weighted cross-entropy and overlap", "weijun-arc/F3Net#11")
def saliency():
    """Raw scores; borders weigh more in both terms."""
    x = inputs(3, 16, 16)

    def loss(out: Tensor, mask: Tensor) -> Tensor:
        weight = 1 + 5 * (F.avg_pool2d(mask, 31, 1, 15) - mask).abs()
        bce = F.binary_cross_entropy_with_logits(out, mask, reduction="none")
        bce = (weight * bce).sum((2, 3)) / weight.sum((2, 3))
        p = out.sigmoid()
        inter, union = (p * mask * weight).sum((2, 3)), ((p + mask) * weight).sum((2, 3))
        return (bce + 1 - (inter + 1) / (union - inter + 1)).mean()

    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1)), loss, x, blobs(x)


@right("tracking: learned weights of two losses", "ifzhang/FairMOT#249")
def tracking():
    """A detection and an identity loss, weighed by learned uncertainties; the sum may be negative."""

    def forward(self: Part, x: Tensor, heat: Tensor, who: Tensor) -> dict[str, Tensor]:
        x = self.body(x)
        det, ident = F.binary_cross_entropy_with_logits(self.heat(x), heat), F.cross_entropy(self.who(x), who)
        s_det, s_id = self.s_det, self.s_id
        return {"loss": 0.5 * ((-s_det).exp() * det + (-s_id).exp() * ident + s_det + s_id).sum()}

    weights = {"s_det": nn.Parameter(-1.85 * torch.ones(1)), "s_id": nn.Parameter(-1.05 * torch.ones(1))}
    body = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
    x = inputs()
    who = highest(x, 6)
    model = Part(forward, body=body, heat=nn.Linear(32, 4), who=nn.Linear(32, 6), **weights)
    return model, lambda outputs, _: outputs["loss"], (x, (x[:, :4] > 0).float(), who), who


@right("autoencoder: sums per picture, mean over pictures", "wiseodd/generative-models#40")
def digits_again():
    """The usual two terms, both summed over a picture's numbers."""
    x = drawn(64).sigmoid()

    def loss(outputs: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        error = F.binary_cross_entropy(outputs[0], target, reduction="sum") / N
        return error + torch.mean(terms(*outputs[1:]).sum(1))

    return vae(64, 4, nn.Sigmoid()), loss, x, x


@right("student with a distillation token", "lucidrains/vit-pytorch#289")
def student():
    """One head learns the classes, another the teacher's shares at a temperature."""
    x = inputs()

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        soft = F.kl_div((out[1] / 3).log_softmax(-1), (y[1] / 3).softmax(-1), reduction="batchmean")
        return 0.5 * F.cross_entropy(out[0], y[0]) + 0.5 * soft * 3**2

    model = Heads(as_tuple=True, classes=mlp(5), distilled=mlp(5))
    return model, loss, x, (highest(x, 5), 3 * x[:, :5])


@right("refinement: each stage's raw scores", "zijundeng/R3Net#3")
def stages():
    """A mask and two refinements, each compared with the truth."""
    x, names = inputs(3, 12, 12), ("first", "second", "third")
    criterion = nn.BCEWithLogitsLoss()
    model = Heads(as_tuple=True, **{name: nn.Conv2d(3, 1, 3, padding=1) for name in names})
    return model, lambda out, y: criterion(out[0], y) + criterion(out[1], y) + criterion(out[2], y), x, blobs(x)


@right("smoothed labels by hand", "ZhugeKongan/torch-template-for-deep-learning#2")
def smoothed():
    """The uniform part is the mean over the classes."""
    x = inputs()

    def loss(out: Tensor, target: Tensor) -> Tensor:
        log_p = F.log_softmax(out, dim=-1)
        return -log_p.sum(-1).mean() * 0.1 / out.shape[-1] + 0.9 * F.nll_loss(log_p, target)

    return mlp(8), loss, x, highest(x, 8)


@right("lesions: one Tversky index of the whole batch", "nabsabraham/focal-tversky-unet#30")
def lesions():
    """Sums over batch and pixels together, then the focal power."""
    x = inputs(3, 12, 12)

    def loss(p: Tensor, y: Tensor) -> Tensor:
        hit, missed, false = (y * p).sum(), (y * (1 - p)).sum(), ((1 - y) * p).sum()
        return (1 - (hit + 1) / (hit + 0.7 * missed + 0.3 * false + 1)) ** 0.75

    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1), nn.Sigmoid()), loss, x, blobs(x)
