"""Set-ups of the twenty-first round (beginners' classification and regression), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: pytorch binary classification loss
stuck at 0.693; regression model predicts the same value for every input; multi label classifier predicts all zeros;
should I put softmax before cross entropy loss; sigmoid and BCEWithLogitsLoss together not learning; neural network
always predicts one class pytorch; regression mse loss does not decrease target shape N vs N,1; which loss for one hot
labels multi label pytorch; binary classifier accuracy stays at 50 percent lstm sentiment; NLLLoss negative loss
values; cross entropy with a single output neuron loss is zero; relu on the last layer outputs all zeros regression;
tanh output layer targets out of range not learning; price prediction lstm output is a flat line; softmax over the
wrong dimension; class weights make the model predict only the minority class; pos_weight wrong loss very high
multilabel; text classification accuracy does not improve bert softmax; cnn loss stuck at 2.30 mnist cifar; custom
loss function does not train argmax round; tabular titanic network loss does not go down; my own cross entropy formula
wrong value; labels start at 1 instead of 0 accuracy low; multi output regression loss wrong broadcasting.

They gave too few; further ones, again written down and committed first: keras model accuracy not changing categorical
crossentropy sigmoid; keras softmax one output neuron always predicts 1; binary_crossentropy for multi class problem;
mse loss for classification not learning pytorch forum; lstm classifier output same probabilities for every sample;
nn.NLLLoss without log softmax loss negative; multi label with softmax activation wrong; CrossEntropyLoss for binary
with two outputs and softmax not converging; linear regression pytorch loss constant predictions mean unsqueeze
target; network predicts values between 0 and 1 but the target is larger sigmoid regression; why is softmax applied
twice; classifier relu before softmax last layer not learning; log_softmax and cross entropy together is this a bug;
bce loss with labels 1 and 2 or -1 1 negative loss; CrossEntropyLoss weight order ignored class; sum of losses instead
of mean gradients explode batch size; accuracy stuck at 10 percent pytorch cifar10 softmax; my loss is negative and
keeps decreasing.

Forty-six look-ups in all: the first twenty-four searches, the first eight of the further ones, the rest to read on.
The hits were gone through in order until sixteen fitted. Left out: threads without code or cause (imbalance, learning
rate, stuck share prices), threads of the used list, a softmax's axis within attention, slips in written explanations,
and one-hot labels with sigmoid and binary cross-entropy (MTG/MIRCourse#2, davidsbatista#1): asked about, yet they
learn, so the second is one of the right ones.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part

TWENTY_ONE_FORUM = CaseSet()
right, wrong = TWENTY_ONE_FORUM.right, TWENTY_ONE_FORUM.wrong


def categorical(output: Tensor, target: Tensor) -> Tensor:
    """Keras' categorical_crossentropy: outputs made to add up to one, the logarithm, weighted with the target."""
    shares = (output / output.sum(-1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(target * shares.log()).sum(-1).mean()


def binary(output: Tensor, target: Tensor) -> Tensor:
    """Keras' binary_crossentropy: outputs clipped to between zero and one, any targets."""
    p = output.clamp(1e-7, 1 - 1e-7)
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


def convolutions(*ends: nn.Module, channels: int = 3) -> nn.Sequential:
    """A small network on pictures of 16 x 16 pixels."""
    layers = [nn.Conv2d(channels, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, *ends)


class Series(nn.Module):
    """An LSTM over steps (or over tokens), its last (or every) state, and the layers after it."""

    def __init__(self, size: int, *ends: nn.Module, tokens: int = 0, every: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, size) if tokens else nn.Identity()
        self.rnn, self.ends, self.every = nn.LSTM(size, 32, batch_first=True), nn.Sequential(*ends), every

    def forward(self, x: Tensor) -> Tensor:
        """The ends on the states."""
        states = self.rnn(self.embed(x))[0]
        return self.ends(states if self.every else states[:, -1])


def scene_labels(multi: bool):
    """Pictures with any of five labels, first given to a softmax classifier."""
    x = torch.randn(N, 3, 16, 16)
    y = (x.flatten(1)[:, :5] + x.mean((1, 2, 3))[:, None] > 0).float()
    if multi:
        return convolutions(nn.Linear(256, 5), nn.Softmax(1)), categorical, x, y
    return convolutions(nn.Linear(256, 5), nn.Sigmoid()), nn.BCELoss(), x, y


# Softmax over labels of which several hold at once.
wrong("scene labels: softmax over independent labels", "softmax_for_independent_labels", "keras-team/keras#741")(
    lambda: scene_labels(True)
)
right("scene labels: sigmoid and binary cross-entropy", "keras-team/keras#741")(lambda: scene_labels(False))


def flux_digits(softmax: bool):
    """The model zoo's perceptron on handwritten digits, one-hot targets, with a softmax the reader missed."""
    x = torch.rand(N, 1, 28, 28)
    y = F.one_hot(x[:, 0, 10:20, 14].argmax(1), 10).float()
    layers = [nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10), *([nn.Softmax(1)] if softmax else [])]
    return nn.Sequential(*layers), nn.CrossEntropyLoss(), x, y


# Softmax before a cross-entropy that applies one itself.
wrong("flux digits: softmax added", "softmax_before_cross_entropy|activation_twice", "FluxML/model-zoo#287")(
    lambda: flux_digits(True)
)
right("flux digits: raw outputs", "FluxML/model-zoo#287")(lambda: flux_digits(False))


def info_heads():
    """InfoGAN's discriminator reads class and code from generated pictures."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.aux(features), self.latent(features)

    def info_loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(outputs[0], targets[0]) + 0.1 * F.mse_loss(outputs[1], targets[1])

    aux = nn.Sequential(nn.Linear(256, 10), nn.Softmax(1))
    model = Part(forward, trunk=convolutions(channels=1), aux=aux, latent=nn.Linear(256, 2))
    return model, info_loss, torch.randn(N, 1, 16, 16).tanh(), (classes(10), torch.rand(N, 2) * 2 - 1)


wrong(
    "infogan: softmax on the class head",
    "softmax_before_cross_entropy|activation_twice",
    "eriklindernoren/PyTorch-GAN#84",
)(info_heads)


def auxiliary(softmax: bool):
    """ACGAN's discriminator on real and generated pictures: real or not, and the class."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.adv(features), self.aux(features)

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        return (F.binary_cross_entropy(outputs[0], targets[0]) + F.cross_entropy(outputs[1], targets[1])) / 2

    adv = nn.Sequential(nn.Linear(256, 1), nn.Sigmoid())
    aux = nn.Sequential(nn.Linear(256, 10), *([nn.Softmax(1)] if softmax else []))
    valid = torch.cat([torch.ones(N // 2, 1), torch.zeros(N // 2, 1)])
    x = torch.randn(N, 1, 16, 16).tanh() + 0.3 * valid[:, :, None, None]
    return Part(forward, trunk=convolutions(channels=1), adv=adv, aux=aux), loss, x, (valid, classes(10))


wrong(
    "acgan: softmax on the class head",
    "softmax_before_cross_entropy|activation_twice",
    "eriklindernoren/PyTorch-GAN#186",
)(lambda: auxiliary(True))
right("acgan: raw class head", "eriklindernoren/PyTorch-GAN#186")(lambda: auxiliary(False))


def one_hot_classes():
    """One-hot targets turned to class numbers by the loss, the output made to be probabilities."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.CrossEntropyLoss()(outputs, torch.max(targets, dim=1)[1])

    x = inputs()
    return mlp(3, nn.Softmax(1)), loss, x, F.one_hot(x[:, :3].argmax(1), 3)


wrong(
    "one-hot targets: probabilities out", "softmax_before_cross_entropy|activation_twice", "discuss.pytorch.org/t/60866"
)(one_hot_classes)


def newsgroups():
    """Texts of twenty newsgroups: an LSTM, one sigmoid unit, softmax, binary cross-entropy."""
    ends = [nn.Linear(32, 1), nn.Sigmoid(), nn.Linear(1, 20), nn.Softmax(1)]
    y = F.one_hot(torch.arange(32) % 20, 20).float()
    return Series(16, *ends, tokens=100), binary, torch.randint(0, 100, (32, 20)), y


# Binary cross-entropy on a softmax of exclusive classes, and one unit before the twenty outputs.
wrong("newsgroups: binary loss on a softmax", "wrong_formula", "keras-team/keras#4994")(newsgroups)


def one_output():
    """An expression with two inputs and one output, given to the cross-entropy of classes."""
    x = torch.rand(N, 2)
    return (
        nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)),
        nn.CrossEntropyLoss(),
        x,
        (x[:, :1] > 0.5).float(),
    )


# Cross-entropy of classes with a single output: always zero.
wrong("expression: cross-entropy of one output", "one_column_cross_entropy|loss_is_constant", "darioizzo/dcgp#86")(
    one_output
)


def focal_digits():
    """Digits with a tanh at the end and a focal loss that takes the outputs' logarithm."""

    def focal(p: Tensor, y: Tensor, gamma: float = 2, alpha: float = 0.25) -> Tensor:
        return -(alpha * y * (1 - p) ** gamma * p.log() + (1 - alpha) * (1 - y) * p**gamma * (1 - p).log()).mean()

    x = torch.rand(N, 784)
    y = F.one_hot(x[:, 300:310].argmax(1), 10).float()
    return nn.Sequential(nn.Linear(784, 32), nn.Sigmoid(), nn.Linear(32, 10), nn.Tanh()), focal, x, y


# Outputs of a tanh, negative ones too, into a loss that takes their logarithm as probabilities.
wrong(
    "focal digits: tanh into a logarithm",
    "logarithm_of_raw_outputs|tanh_into_bce",
    "VivianoRiccardo/Learning-Lab-C-Library#4",
)(focal_digits)


def answer_options(dim: int):
    """Visual dialogue: candidate answers are scored against the context, the right one's number is the target."""

    def forward(self: Part, context: Tensor, options: Tensor) -> Tensor:
        words = self.embed(options.flatten(0, 1))
        answers = self.rnn(words)[0][:, -1].view(*options.shape[:2], -1)
        return self.log_softmax((answers * self.encoder(context)[:, None]).sum(-1))

    layers = {"embed": nn.Embedding(50, 16), "rnn": nn.LSTM(16, 32, batch_first=True), "encoder": nn.Linear(24, 32)}
    model = Part(forward, **layers, log_softmax=nn.LogSoftmax(dim=dim))
    return model, nn.CrossEntropyLoss(), (torch.randn(N, 24), torch.randint(1, 50, (N, 10, 6))), classes(10)


# Log-softmax over the batch instead of over the answers.
source = "batra-mlp-lab/visdial-challenge-starter-pytorch#1"
wrong("answer options: softmax over the batch", "softmax_wrong_axis", source)(lambda: answer_options(0))
right("answer options: softmax over the answers", source)(lambda: answer_options(1))


def label_weights(weights: list[float]):
    """Texts with four labels of different frequency (of a hundred: 50, 25, 15, 10) and weights for the positives."""
    tokens = torch.randint(0, 100, (40, 12))
    y = torch.zeros(40, 4)
    for label, count in enumerate((20, 10, 6, 4)):
        y[torch.randperm(40)[:count], label] = 1
    model = nn.Sequential(nn.EmbeddingBag(100, 32), nn.Tanh(), nn.Linear(32, 4))
    return model, nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weights)), tokens, y


# Weights of the positives are the labels' counts: the frequent ones weigh most, all far too much.
source = "ThilinaRajapakse/simpletransformers#159"
wrong("label weights: the counts themselves", "pos_weight_reversed|class_weight_reversed", source)(
    lambda: label_weights([50.0, 25.0, 15.0, 10.0])
)
right("label weights: rarer ones weigh more", source)(lambda: label_weights([1.0, 2.0, 50 / 15, 5.0]))


def churn(end: nn.Module):
    """A table with 106 columns and a yes/no target, five layers."""
    sizes, hidden = (106, 64, 32, 12, 8), (nn.ReLU(), nn.Tanh(), nn.ReLU(), nn.Sigmoid())
    layers = [part for a, b, act in zip(sizes, sizes[1:], hidden, strict=False) for part in (nn.Linear(a, b), act)]
    model, x = nn.Sequential(*layers, nn.Linear(8, 1), end), torch.randn(32, 106)
    for weight in model.parameters():  # init="uniform", biases at zero
        nn.init.uniform_(weight, -0.05, 0.05) if weight.dim() > 1 else nn.init.zeros_(weight)
    return model, binary, x, (x[:, :1] + x[:, 1:2] > 0).float()


# ReLU at the end of a yes/no classifier whose loss wants probabilities.
wrong("churn: relu before the binary loss", "relu_into_bce|clamped_logits_into_bce", "keras-team/keras#4784")(
    lambda: churn(nn.ReLU())
)
right("churn: sigmoid before the binary loss", "keras-team/keras#4784")(lambda: churn(nn.Sigmoid()))


def tumours():
    """Thirty measurements of a tumour, benign or not: one sigmoid unit with the categorical cross-entropy."""
    x = torch.randn(32, 30)
    layers = [nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 16), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(16, 1), nn.Sigmoid()), categorical, x, (x[:, :1] > 0).float()


# Categorical cross-entropy on a single output: always zero.
wrong("tumours: categorical loss of one unit", "one_column_cross_entropy|loss_is_constant", "keras-team/keras#14729")(
    tumours
)


def six_topics():
    """Texts of six classes, numbered 0 to 5: an LSTM and one unit with a softmax."""
    tokens = torch.randint(0, 100, (N, 20))
    y = (tokens[:, -1:] % 6).float()
    return Series(16, nn.Dropout(0.5), nn.Linear(32, 1), nn.Softmax(1), tokens=100), binary, tokens, y


# Softmax over a single output: always one; six classes need six outputs.
wrong("six topics: softmax of one unit", "softmax_over_one_output|targets_outside_unit_range", "keras-team/keras#1261")(
    six_topics
)


def two_sigmoids():
    """Pictures of two exclusive classes, one-hot: two sigmoid units with the categorical cross-entropy."""
    x = torch.randn(N, 3, 16, 16)
    y = F.one_hot((x[:, 0].mean((1, 2)) > 0).long(), 2).float()
    return convolutions(nn.Linear(256, 2), nn.Sigmoid()), categorical, x, y


# Sigmoid instead of softmax before the categorical cross-entropy: the two do not add up to one.
wrong("two classes: sigmoid for softmax", "sigmoid_before_cross_entropy", "keras-team/keras#6327")(two_sigmoids)


def binary_rows(softmax: bool):
    """Rows of 128 zeros and ones read by an LSTM, of class 1 or -1."""
    x = (torch.rand(32, 128, 1) < 0.5).float()
    y = (x[:, -1] + x[:, -2] * 0.5 > 0.7).float()
    if softmax:
        return Series(1, nn.Linear(32, 1), nn.Softmax(1)), binary, x, 2 * y - 1
    return Series(1, nn.Linear(32, 1), nn.Sigmoid()), binary, x, y


# Softmax over a single output: always one (and labels of -1 and 1 for a binary cross-entropy).
source = "stackoverflow.com/questions/47241622"
wrong("binary rows: softmax of one unit", "softmax_over_one_output|targets_outside_unit_range", source)(
    lambda: binary_rows(True)
)
right("binary rows: sigmoid and labels 0 and 1", source)(lambda: binary_rows(False))


def guitar(softmax: bool):
    """A guitar effect: the next stereo sample, between -27 and 27, from the raw ones before it."""
    x = (9 * torch.randn(N, 20, 2)).clamp(-27, 27)
    y = 0.6 * x[:, -1] + 0.4 * x[:, -5]
    if softmax:
        return Series(2, nn.Linear(32, 2), nn.Softmax(1)), categorical, x, y
    return Series(2, nn.Linear(32, 2)), nn.MSELoss(), x, y


# Softmax and categorical cross-entropy for a regression with values outside of zero to one.
wrong(
    "guitar: softmax for a regression",
    "range_cannot_reach_targets|negative_probabilities",
    "discuss.tensorflow.org/t/3471",
)(lambda: guitar(True))
right("guitar: linear output and squared error", "discuss.tensorflow.org/t/3471")(lambda: guitar(False))


@right("yes or no: sigmoid and BCELoss", "datascience.stackexchange.com/questions/37128")
def yes_or_no():
    """The accepted answer's sigmoid and BCELoss, the output flattened to the target's shape."""
    x = inputs()
    return mlp(1, nn.Sigmoid(), nn.Flatten(0)), nn.BCELoss(), x, (x[:, 0] > 0).float()


@right("next value: LSTM and mean square", "tflearn/tflearn#79")
def next_value():
    """The next of a series from the thirty before it."""
    steps = torch.rand(N, 1) * 6 + torch.arange(31) * 0.3
    x = steps.sin() + 0.05 * torch.randn(N, 31)
    return Series(1, nn.Dropout(0.2), nn.Linear(32, 1)), nn.MSELoss(), x[:, :30, None], x[:, 30:]


@right("word classes: softmax and categorical cross-entropy", "keras-team/keras#848")
def word_classes():
    """A word class for every word, one-hot, with Keras' steps."""
    tokens = torch.randint(1, 60, (N, 9))
    model = Series(16, nn.Linear(32, 7), nn.Softmax(-1), tokens=60, every=True)
    return model, categorical, tokens, F.one_hot(tokens % 7, 7).float()


@right("aspects: three classes for each of fourteen", "discuss.pytorch.org/t/32203")
def aspects():
    """A review's fourteen aspects, each negative, neutral or positive: classes in the second axis."""
    tokens = torch.randint(0, 100, (N, 15))
    model = nn.Sequential(nn.EmbeddingBag(100, 32), nn.ReLU(), nn.Linear(32, 42), nn.Unflatten(1, (3, 14)))
    return model, nn.CrossEntropyLoss(), tokens, (tokens[:, :14] + tokens[:, 1:]) % 3


@right("multiple choice: scores reshaped", "huggingface/transformers#7827")
def multiple_choice():
    """Four answers a question, each scored by itself, the scores reshaped to questions by answers."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        return self.score(self.encode(tokens.flatten(0, 1))).view(-1, tokens.shape[1])

    model = Part(forward, encode=nn.EmbeddingBag(80, 32), score=nn.Sequential(nn.Tanh(), nn.Linear(32, 1)))
    return model, nn.CrossEntropyLoss(), torch.randint(0, 80, (N, 4, 10)), classes(4)


@right("text labels: MultiLabelSoftMarginLoss", "discuss.pytorch.org/t/28103")
def text_labels():
    """A text with several of eighteen labels, raw outputs into MultiLabelSoftMarginLoss."""
    tokens = torch.randint(0, 100, (N, 20))
    y = F.one_hot(tokens[:, :4] % 18, 18).amax(1).float()
    return Series(16, nn.Linear(32, 18), tokens=100), nn.MultiLabelSoftMarginLoss(), tokens, y


@right("segmentation: log-softmax twice does no harm", "haitaobiyao/MCNet#2")
def log_softmax_twice():
    """A log-softmax before the cross-entropy: the second one changes nothing (unusual, right)."""
    x = torch.randn(4, 3, 16, 16)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 5, 1), nn.LogSoftmax(1)]
    return nn.Sequential(*layers), nn.CrossEntropyLoss(), x, ((x[:, 0] + 1) * 2).long().clamp(0, 4)


@right("sentences: sigmoids with one-hot targets", "davidsbatista/ConvNets-for-Sentence-Classification#1")
def sentence_sigmoids():
    """Five grades of a sentence as five yes/no questions: sigmoid and binary cross-entropy (unusual, right)."""
    tokens = torch.randint(0, 60, (N, 12))

    def forward(self: Part, x: Tensor) -> Tensor:
        words = self.embed(x).transpose(1, 2)
        branches = [F.relu(conv(words)).amax(2) for conv in self.convs]
        return self.out(torch.cat(branches, 1)).sigmoid()

    convs = nn.ModuleList(nn.Conv1d(16, 8, size) for size in (3, 4, 5))
    model = Part(forward, embed=nn.Embedding(60, 16), convs=convs, out=nn.Linear(24, 5))
    return model, nn.BCELoss(), tokens, F.one_hot(tokens[:, 0] % 5, 5).float()
