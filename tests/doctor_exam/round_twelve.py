"""Set-ups of a twelfth round, a systematic sample of public threads, written without knowing the doctor's checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order:

my neural network outputs the same number for all test samples pytorch answer; pytorch image classifier validation
accuracy does not improve from the first epoch answer; training loss does not go below 0.69 pytorch what is wrong with
my code; pytorch multiclass classifier loss stays near 1.09 answer; pytorch linear regression from scratch loss goes to
infinity or nan answer; pytorch loss has no grad or parameters grad is None optimizer step changes nothing answer;
pytorch multi label classification predicts everything as one answer; UNet segmentation training loss goes negative
answer; pytorch LSTM time series prediction is a constant line answer; pytorch text classification with embedding and
LSTM stays at random guessing answer; transformer decoder trained with teacher forcing generates garbage at inference
bug; variational autoencoder KL term goes to zero or reconstruction blurry is my loss right; GAN generator loss keeps
rising discriminator wins is my loss wrong; DQN cartpole does not learn pytorch is my update right; REINFORCE or PPO
policy gets worse over training sign of the loss question; knowledge distillation student accuracy lower KL divergence
implementation question; SimCLR NT-Xent loss does not decrease implementation question; object detection box regression
loss does not decrease implementation bug; CTC loss training outputs only blanks pytorch answer; physics informed
neural network pytorch loss does not converge answer; graph neural network node classification loss does not decrease
pytorch geometric; custom weighted loss function pytorch gives wrong gradients answer; why is softmax or log_softmax
missing or doubled in this model question; loss becomes nan because of sqrt log or division in custom loss pytorch.

The hits are excerpts of about two thousand characters; for four threads that named a cause without its code the
repository was read. Every thread was kept in which an answer or the code shows a cause that lies in the model, the loss
or the first batch. Left out: no cause named, or a title without a text (most); a step that was too large; data,
measuring and versions; errors that PyTorch raises at once; pages of advice without a fault in their code (three with
one were kept); a log-softmax before a cross-entropy, which changes nothing (one is among the right ones); other choices
that train; and twelve threads that stand in earlier rounds or in the lessons.

The names of the findings are those of the sentences; two that have no sentence, softmax_before_cross_entropy and
nll_on_logits, were added from earlier rounds. Where no sentence names a cause, the nearest stands, with a remark.
After the first score two names were added that say the cause: of a ReLU before logits, and of terms out of balance.
Expected before the first score: twenty of the twenty-six named (77 %), the misses among the three remarks and the
formulas by hand, and an error on no more than one of the twenty-seven right set-ups.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels, mlp
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, divergence, still, views
from doctor_exam.round_six import log_p
from doctor_exam.unseen_wrong import dice, mask_head

ROUND_TWELVE = CaseSet()
right, wrong = ROUND_TWELVE.right, ROUND_TWELVE.wrong
SOFTMAX = "bounded_logits|activation_twice|softmax_before_cross_entropy"
ENDLESS = "unbounded_loss|unnormalised_likelihood"
UNSTABLE = "unstable_formula|loss_not_finite"
OUTSIDE = "targets_outside_unit_range"
GRAPH = "procomputingproducts.co.uk/post/the-loss-in-gnn-doesnt-decrease"
FIRST_LOSS = "bigghis.github.io/AI-appunti/guide/optimizations/initialloss"


def last_state(outputs: int, *ends: nn.Module, features: int = 8) -> Part:
    """An LSTM whose last state goes through a linear layer and what follows it."""
    head = nn.Sequential(nn.Linear(16, outputs), *ends)
    lstm = nn.LSTM(features, 16, batch_first=True)
    return Part(lambda self, x: self.head(self.lstm(x)[0][:, -1]), lstm=lstm, head=head)


# ---------------------------------------------------------------- the last layer


def rows_of_a_table(*ends: nn.Module):
    """A small classifier of table rows with dropout, trained by squared error on one-hot labels."""
    hidden = (nn.Linear(8, 14), nn.ReLU(), nn.Dropout(), nn.Linear(14, 8), nn.ReLU(), nn.Dropout(0.2))
    model = nn.Sequential(*hidden, nn.Linear(8, 3), nn.Softmax(1), *ends)
    return model, nn.MSELoss(), inputs(), F.one_hot(classes(3), 3).float()


def tags_of_pictures(*ends: nn.Module):
    """The head of a SqueezeNet with several labels a picture."""
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Dropout(), nn.Conv2d(32, 6, 1), *ends, nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    return model, nn.MultiLabelSoftMarginLoss(), inputs(3, 8, 8), labels(6)


def names(spread: float):
    """The next letter of a name from three letters, with weights drawn by hand."""

    def forward(self: Part, letters: Tensor) -> Tensor:
        hidden = (self.table[letters].flatten(1) @ self.w1 + self.b1).tanh()
        return hidden @ self.w2 + self.b2

    def drawn(scale: float, *shape: int) -> nn.Parameter:
        return nn.Parameter(scale * torch.randn(*shape))

    first = {"table": drawn(1, 27, 10), "w1": drawn(0.3, 30, 200), "b1": drawn(0.01, 200)}
    model = Part(forward, **first, w2=drawn(spread, 200, 27), b2=drawn(spread, 27))
    return model, nn.CrossEntropyLoss(), classes(27, 3), classes(27)


def domains(*ends: nn.Module):
    """Digits and the domain that they come from, judged by two cross-entropies."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        return self.digit(features), self.domain(features)

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(out[0], y[0]) + F.cross_entropy(out[1], y[1])

    digit, domain = nn.Sequential(nn.Linear(16, 10), *ends), nn.Sequential(nn.Linear(16, 2), *ends)
    model = Part(forward, features=dense(8, 32, 16, ends=(nn.ReLU(),)), digit=digit, domain=domain)
    return model, loss, inputs(), (classes(10), classes(2))


def fraud(*ends: nn.Module):
    """Users as honest or not, by the logarithm of a softmax."""
    own = torch.arange(N)
    return mlp(2, nn.Softmax(1), *ends), lambda p, y: -p[own, y].log().mean(), inputs(), classes(2)


def digits(*ends: nn.Module):
    """A convolutional network of digits, judged by a cross-entropy with one-hot labels."""
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10), *ends)
    return model, nn.CrossEntropyLoss(), inputs(1, 8, 8), F.one_hot(classes(10), 10).float()


def origins(*ends: nn.Module):
    """Where a name comes from, read letter by letter, with a negative log-likelihood."""
    return last_state(5, *ends), nn.NLLLoss(), torch.randn(N, 6, 8), classes(5)


def plane(squeezed: bool):
    """A plane through large numbers: one linear layer, and targets [N]."""
    x = 100 * torch.randn(N, 2)
    flat = (nn.Flatten(0),) if squeezed else ()
    return nn.Sequential(nn.Linear(2, 1, bias=False), *flat), nn.MSELoss(), x, x @ torch.tensor([5.0, 3.0])


wrong("table rows: a dropout behind the softmax", "dropout_on_outputs", "keras-team/keras#5992")(
    lambda: rows_of_a_table(nn.Dropout())
)
right("table rows: no dropout behind the softmax", "keras-team/keras#5992")(rows_of_a_table)
wrong("the next letter as a number: a softmax over one", "softmax_over_one_output", "keras-team/keras#500")(
    lambda: (last_state(1, nn.Softmax(1)), nn.MSELoss(), torch.rand(N, 6, 8), torch.rand(N, 1))
)
right("the next letter as a class", "keras-team/keras#500")(
    lambda: (last_state(12), nn.CrossEntropyLoss(), torch.rand(N, 6, 8), classes(12))
)
wrong("labels of pictures: a ReLU before the loss on logits",
      "relu_before_activation|relu_before_bce_logits|bounded_logits", "pytorch/vision#2329")(
    lambda: tags_of_pictures(nn.ReLU())
)  # fmt: skip
right("labels of pictures: free logits", "pytorch/vision#2329")(tags_of_pictures)
wrong("defects: a single class, so one output", "one_column_cross_entropy", "cnulab/RealNet#101")(
    lambda: (mlp(1), nn.CrossEntropyLoss(), inputs(), torch.zeros(N, dtype=torch.long))
)
wrong("names: last weights drawn without a small factor", "outputs_too_large", FIRST_LOSS)(lambda: names(1))
right("names: last weights drawn small", FIRST_LOSS)(lambda: names(0.01))
wrong("digits and domains: both heads end in a softmax", SOFTMAX, "NaJaeMin92/pytorch-DANN#7")(
    lambda: domains(nn.Softmax(1))
)
right("digits and domains: raw scores", "NaJaeMin92/pytorch-DANN#7")(domains)
wrong("honest users: a softmax of a softmax", "activation_twice", "safe-graph/DGFraud-TF2#7")(
    lambda: fraud(nn.Softmax(1))
)
wrong("digits: a softmax, then a cross-entropy that has its own", SOFTMAX, "jaehong31/CGES#1")(
    lambda: digits(nn.Softmax(1))
)
right("digits: raw scores and one-hot labels", "jaehong31/CGES#1")(digits)
wrong("origins of names: no log-softmax", f"{ENDLESS}|nll_on_logits", "spro/practical-pytorch#69")(origins)
right("origins of names: a log-softmax", "spro/practical-pytorch#69")(lambda: origins(nn.LogSoftmax(1)))
wrong("a plane: [N, 1] and [N]", "shapes_broadcast", "discuss.pytorch.org/t/50431")(lambda: plane(squeezed=False))
right("a plane: [N] and [N]", "discuss.pytorch.org/t/50431")(lambda: plane(squeezed=True))


# ---------------------------------------------------------------- the first batch


def masks(low: float, high: float):
    """Masks of two values, judged by a cross-entropy and an overlap, half and half."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return 0.5 * F.binary_cross_entropy_with_logits(out, y) + 0.5 * dice(out.sigmoid(), y)

    return mask_head(), loss, inputs(3, 6, 6), low + (high - low) * labels(1, 6, 6)


def painted(value: float):
    """Masks in which an object has a value, judged by a cross-entropy."""
    return mask_head(), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), value * labels(1, 6, 6)


wrong("searching networks: every label of the batch is 0", "one_class_only", "bermanmaxim/AOWS#1")(
    lambda: (mlp(10), nn.CrossEntropyLoss(), inputs(), torch.zeros(N, dtype=torch.long))
)
right("searching networks: shuffled labels", "bermanmaxim/AOWS#1")(
    lambda: (mlp(10), nn.CrossEntropyLoss(), inputs(), classes(10))
)
wrong("masks: labels are the raw outputs of another network", OUTSIDE, "e-com-net.com/article/1645566202275258368")(
    lambda: (mask_head(), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), 3 * inputs(1, 6, 6))
)
wrong("masks: an object has the number of its colour", OUTSIDE, "e-com-net.com/article/1645567613348175872")(
    lambda: painted(38)
)
right("masks: an object is 1", "e-com-net.com/article/1645567613348175872")(lambda: painted(1))
wrong("masks: augmented with the pictures to -1 and 1", OUTSIDE, "bigmb/Unet-Segmentation-Pytorch-Nest-of-Unets#18")(
    lambda: masks(-1, 1)
)
right("masks: 0 and 1", "bigmb/Unet-Segmentation-Pytorch-Nest-of-Unets#18")(lambda: masks(0, 1))
wrong("masks in three colours, normalised like the picture", OUTSIDE, "fuweifu-vtoo/Semantic-segmentation#5")(
    lambda: (mask_head(channels=3), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), 2 * labels(3, 6, 6) - 1)
)


# ---------------------------------------------------------------- formulas


def pictures_again(pixels: float, sign: int = 1):
    """A variational autoencoder; the mean error of a pixel counts `pixels` times."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (log_var / 2).exp()).sigmoid(), mean, log_var

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return pixels * F.binary_cross_entropy(out[0], x) + sign * divergence(*out[1:])

    x = torch.rand(N, 192)
    return Part(forward, encode=dense(192, 32, 16), decode=dense(8, 32, 192)), loss, x, x


def speech(blank: int):
    """Sounds to letters 1 to 9, of which 5 is the space between words."""

    def loss(log_shares: Tensor, y: Tensor) -> Tensor:
        lengths = torch.full((N,), 20), torch.full((N,), 5)
        return F.ctc_loss(log_shares.transpose(0, 1), y, *lengths, blank=blank, zero_infinity=True)

    letters = torch.randint(1, 10, (N, 5))
    letters[:, 2] = 5
    return dense(8, 32, 11, ends=(nn.LogSoftmax(-1),)), loss, torch.randn(N, 20, 8), letters


def friends(rounded: bool):
    """Two members of a graph, known or not by the product of their embeddings."""

    def forward(self: Part, first: Tensor, second: Tensor) -> Tensor:
        return (self.embed(first) * self.embed(second)).sum(1).sigmoid()

    def loss(share: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy(share.round() if rounded else share, y)

    return Part(forward, embed=nn.Embedding(40, 16)), loss, (classes(40), classes(40)), labels(1)[:, 0]


def clipped_gain(exponential: bool):
    """The clipped gain of a policy, with the ratio of new and old probability."""

    def loss(out: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        actions, old, gain = y
        new = log_p(out, actions)
        ratio = (new - old).exp() if exponential else new / old
        return -torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()

    return mlp(4), loss, inputs(), (classes(4), torch.full((N,), -1.386), torch.randn(N))


def anchored(shifted: bool):
    """A cross-entropy that weighs each wrong class by how close it comes to the true one."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        hot, share = F.one_hot(y, 5), out.sigmoid()
        own = (share.gather(1, y[:, None]) - 0.05).clamp(min=0).detach()
        off = F.logsigmoid(1 - out) if shifted else F.logsigmoid(-out)
        return -(hot * F.logsigmoid(out) + (1 - hot) * (1 + share - own) ** 0.5 * off).sum(1).mean()

    return mlp(5), loss, inputs(), classes(5)


def series_boxes(place: int):
    """Boxes in a series: is there one, where, how wide; how sure to be is taken from the overlap."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        found = y[..., 0] == 1
        middle, width = out[..., place][found].sigmoid(), out[..., place + 1][found].exp()
        true_middle, true_width = y[..., 1][found], y[..., 2][found]
        left = torch.max(middle - width / 2, true_middle - true_width / 2)
        both = (torch.min(middle + width / 2, true_middle + true_width / 2) - left).clamp(min=0)
        overlap = (both / (width + true_width - both)).detach()
        boxes = F.mse_loss(out[..., 1][found].sigmoid(), true_middle) + F.mse_loss(out[..., 2][found], true_width.log())
        sure, empty = out[..., 0][found], out[..., 0][~found]
        return (10 * boxes + F.binary_cross_entropy_with_logits(sure, overlap)
                + 10 * F.binary_cross_entropy_with_logits(empty, torch.zeros_like(empty)))  # fmt: skip

    there = (torch.rand(N, 6) < 0.3).float()
    return mlp(3), loss, torch.randn(N, 6, 8), torch.stack([there, torch.rand(N, 6), 0.2 + torch.rand(N, 6)], -1)


def heat_maps(low: float):
    """Centres of cars on a map: a focal loss of shares that are kept `low` away from 0 and 1."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.sigmoid().clamp(low, 1 - low)
        centres = (1 - share) ** 2 * share.log() * (y == 1)
        others = (1 - y) ** 4 * share**2 * (1 - share).log() * (y < 1)
        return -(centres + others).sum() / (y == 1).sum()

    heat = 0.9 * torch.rand(N, 1, 6, 6)
    heat[:, :, 3, 3] = 1
    return mask_head(), loss, inputs(3, 6, 6), heat


def places(small: float):
    """Places on a map and the mean distance to them; the network starts at the place 0, 0."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return (((out - y) ** 2).sum(1) + small).sqrt().mean()

    y = torch.randn(N, 2)
    y[0] = 0
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), still(nn.Linear(32, 2))), loss, inputs(), y


@wrong("letters of a picture: the logarithm of a class's mean share", UNSTABLE,
       "summerlvsong/Aggregation-Cross-Entropy#2")  # fmt: skip
def _():
    def loss(share: Tensor, counts: Tensor) -> Tensor:
        return -(counts / 12 * share.mean(1).log()).sum(1).mean()

    counts = F.one_hot(classes(6, 12), 6).sum(1).float()
    return mlp(6, nn.Softmax(-1)), loss, torch.randn(N, 12, 8), counts


@wrong("a graph without labels: the mean of its embeddings as a loss", ENDLESS, "taourl.com/read-2203894")
def _():
    def forward(self: Part, x: Tensor, edges: Tensor) -> Tensor:
        return self.second(edges @ self.first(edges @ x).relu())

    edges = (torch.rand(N, N) < 0.2).float() + torch.eye(N)
    model = Part(forward, first=nn.Linear(8, 32), second=nn.Linear(32, 32))
    return model, lambda out, _: out.mean(), (inputs(), edges / edges.sum(1, keepdim=True)), None


wrong("pictures: the error of a pixel beside the divergence of a code", "wrong_formula|terms_out_of_balance",
      "keras-team/keras#3383")(lambda: pictures_again(1))  # fmt: skip
right("pictures: the error of all pixels", "keras-team/keras#3383")(lambda: pictures_again(192))
wrong("pictures: the divergence is taken off", f"{ENDLESS}|wrong_formula", "keras-team/keras#6500")(
    lambda: pictures_again(192, sign=-1)
)
wrong("speech: the space is the blank", "blank_in_targets", "yl4579/AuxiliaryASR#10")(lambda: speech(blank=5))
right("speech: a blank of its own", "yl4579/AuxiliaryASR#10")(lambda: speech(blank=10))
wrong("friends: the share is rounded", "zero_gradient", GRAPH)(lambda: friends(rounded=True))
right("friends: the share as it is", GRAPH)(lambda: friends(rounded=False))
wrong("PPO: the ratio of logarithms", "better_outputs_cost_more", "taourl.com/read-2420804")(
    lambda: clipped_gain(exponential=False)
)
right("PPO: the exponential of a difference", "seungeunrho/minimalRL#42")(lambda: clipped_gain(exponential=True))
wrong("anchors: logsigmoid(1 - z) for log(1 - sigmoid(z))", "wrong_formula", "slryou41/AnchorLoss#2")(
    lambda: anchored(shifted=True)  # no code names this
)
right("anchors: logsigmoid(-z)", "slryou41/AnchorLoss#2")(lambda: anchored(shifted=False))
wrong("boxes in a series: the overlap is read one column too early", "wrong_formula", "ljbkusters/YOLOv3-1D#42")(
    lambda: series_boxes(0)  # no code names this
)
right("boxes in a series: the overlap of the boxes", "ljbkusters/YOLOv3-1D#42")(lambda: series_boxes(1))
wrong("centres of cars: logarithms of unclamped shares", UNSTABLE, "maudzung/RTM3D#13")(lambda: heat_maps(0))
right("centres of cars: clamped shares", "maudzung/RTM3D#13")(lambda: heat_maps(1e-4))
wrong("places: the root of a distance of 0", "gradient_not_finite", "ddrv.cn/?p=758668")(lambda: places(0))
right("places: a small number under the root", "ddrv.cn/?p=758668")(lambda: places(1e-10))


# ---------------------------------------------------------------- right: the cause lay elsewhere


@right("masks that must differ: the logarithm of summed likeness, below 0", "JXYin24/MCM#2")
def _():
    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        masks = self.masks(x).sigmoid().view(N, 4, 8)
        return self.repair(x[:, None] * masks), masks

    def loss(out: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        units = F.normalize(out[1], dim=-1)
        likeness = (units @ units.mT / 0.1).exp() * (1 - torch.eye(4))
        return (out[0] - x[:, None]).norm(dim=2).mean() + likeness.sum(-1).log().sum(1).mean()

    x = inputs()
    return Part(forward, masks=mlp(32), repair=mlp(8)), loss, x, x


@right("organs: a cross-entropy less an overlap, down to -1", "MIC-DKFZ/nnUNet#666")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out, y) + dice(out.softmax(1)[:, 1:], F.one_hot(y, 3).movedim(-1, 1)[:, 1:]) - 1

    return mask_head(channels=3), loss, inputs(3, 6, 6), classes(3, 6, 6)


@right("views of a picture: each finds its partner among all others", "Spijkervet/SimCLR#5")
def _():
    def loss(out: Tensor, _: None) -> Tensor:
        units = F.normalize(torch.cat([out[:, 0], out[:, 1]]), dim=1)
        likeness = (units @ units.T / 0.5).masked_fill(torch.eye(2 * N).bool(), -torch.inf)
        return F.cross_entropy(likeness, torch.arange(2 * N).roll(N))

    return mlp(6), loss, views(), None


right("digits: a log-softmax, then a cross-entropy, which changes nothing", "rasbt/machine-learning-book#37")(
    lambda: (last_state(10, nn.LogSoftmax(1)), nn.CrossEntropyLoss(), torch.randn(N, 6, 8), classes(10))
)
right("REINFORCE: minus the log-probability times the return", "kengz/SLM-Lab#437")(
    lambda: (mlp(2), lambda out, y: -(log_p(out, y[0]) * y[1]).mean(), inputs(), (classes(2), 1 + 9 * torch.rand(N)))
)
right("two classes, the rarer one weighs more", "pytorch/pytorch#15259")(
    lambda: (mlp(2), nn.CrossEntropyLoss(torch.tensor([3.0, 2.0])), inputs(), (torch.arange(N) % 3 > 0).long())
)
right("the next second of a series", "datascience.stackexchange.com/questions/54551")(
    lambda: (last_state(1, nn.Flatten(0), features=1), nn.MSELoss(), torch.rand(N, 24, 1), torch.rand(N))
)


@right("a line, by a mean of squares", "chenyuntc/pytorch-book#138")
def _():
    x = 20 * torch.rand(N, 1)
    return nn.Linear(1, 1), nn.MSELoss(), x, 2 * x + 3 * (1 + torch.rand(N, 1))
