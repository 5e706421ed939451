"""Set-ups of the twentieth round (beginners' questions in forums), written without knowing the checks.

The field: binary, multi-class and multi-label classification, and regression.

Twenty-four searches, written down and committed before the first of them was made: loss not decreasing binary
classification pytorch; model predicts same class for every image pytorch; regression network outputs the same value
for all inputs; RuntimeError expected scalar type Long but found Float cross entropy; multi-target not supported cross
entropy; BCEWithLogitsLoss target size must be the same as input size; using a target size that is different to the
input size mse_loss broadcasting; IndexError target out of bounds nll_loss; multi label classification predicts all
zeros; loss is negative nll_loss pytorch classifier; LSTM sentiment classification accuracy stuck at 50%; house price
regression neural network loss not decreasing pytorch; all elements of input should be between 0 and 1 BCELoss;
softmax with cross entropy loss stuck CNN images; LSTM time series forecasting predicts the mean; BERT text
classification loss does not decrease num_labels; CrossEntropyLoss single output neuron binary loss is zero; sigmoid
on the last layer regression output never above 1; ReLU after last layer classifier predictions zero; class weights
cross entropy weight tensor error; result type Float can't be cast to Long mse_loss; MNIST accuracy 10% loss 2.30 not
changing; one hot labels cross entropy pytorch error; titanic tabular binary classifier outputs always 0.5.

The first eight searches (in issues and pages) gave twenty fitting threads, all but one refused by PyTorch itself, as
searches four to eight are its messages; the ninth and tenth, made at the same time, gave none that was not in the
list, and the others were not needed. Some 45 look-ups with those for the right ones and the reading of code. Left
out: threads of the list, articles that retell an error without anyone who had it, threads without a told cause (many
caffe, mxnet and keras ones about a constant prediction), pull requests to PyTorch that repair a thread of the list,
and pull requests without text.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, Then, inputs, mlp, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_FORUM = CaseSet()
right, wrong = TWENTY_FORUM.right, TWENTY_FORUM.wrong


def scores(x: Tensor, count: int) -> Tensor:
    """A random linear map of the inputs, of which labels are made."""
    return x.flatten(1) @ torch.randn(x[0].numel(), count)


def kinds(x: Tensor, count: int) -> Tensor:
    """Class numbers that depend on the inputs; the highest one is there."""
    numbers = scores(x, count).argmax(1)
    numbers[0] = count - 1
    return numbers


def marks(x: Tensor, count: int) -> Tensor:
    """Yes/no labels that depend on the inputs."""
    return (scores(x, count) > 0).float()


def convnet(channels: int, outputs: int, *ends: nn.Module) -> nn.Sequential:
    """A small network for pictures."""
    features = nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU()
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(72, outputs), *ends)


def words(outputs: int) -> Part:
    """A text as the mean of its words' vectors, and scores."""
    return Part(lambda self, x: self.out(self.embed(x).mean(1)), embed=nn.Embedding(50, 16), out=nn.Linear(16, outputs))


def entities(small: bool):
    """A tagger of tokens; on Windows NumPy's integers have 32 bits."""
    tokens = torch.randint(1, 50, (N, 12))
    tags = tokens % 9
    return Tagger(9), lambda out, t: F.cross_entropy(out.view(-1, 9), t.view(-1)), tokens, tags.int() if small else tags


def apparel():
    """Pictures of clothes with labels from a table, read with NumPy on Windows."""
    x = torch.rand(N, 1, 12, 12)
    return convnet(1, 10), nn.CrossEntropyLoss(), x, kinds(x - 0.5, 10).int()


def clips():
    """Short videos of 101 actions; the labels are an array of 32-bit integers."""
    net = nn.Sequential(nn.Conv3d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 101))
    return net, nn.CrossEntropyLoss(), torch.randn(8, 3, 6, 12, 12), torch.randint(0, 101, (8,), dtype=torch.int32)


def tweets(double: bool):
    """Texts of uneven classes; the weights of the classes come from counts in a table."""
    tokens = torch.randint(0, 50, (N, 12))
    kind = tokens[:, 0] % 6
    weight = len(kind) / kind.bincount(minlength=6).clamp(min=1).double()
    return words(6), nn.CrossEntropyLoss(weight=weight if double else weight.float()), tokens, kind


def ratings():
    """Characters of comments and their ratings of 0 to 10, read from a table as floating-point numbers."""
    x = F.one_hot(torch.randint(0, 30, (N, 40)), 30).float().transpose(1, 2)
    net = nn.Sequential(nn.Conv1d(30, 16, 7), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 11))
    return net, nn.CrossEntropyLoss(), x, kinds(x, 11).double()


def dice(shares: Tensor, mask: Tensor) -> Tensor:
    """One minus the overlap of shares and mask."""
    return 1 - (2 * (shares * mask).sum() + 1) / (shares.sum() + mask.sum() + 1)


def cars(entropy: bool):
    """Masks of one class; the network ends with one channel and a sigmoid."""
    x = torch.randn(8, 3, 16, 16)
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1), nn.Sigmoid()
    return nn.Sequential(*layers), nn.CrossEntropyLoss() if entropy else dice, x, (x.mean(1, True) > 0.2).float()


def feelings(entropy: bool):
    """Six emotions, several at a time, of text, sound and face."""
    x = inputs(), inputs(), inputs()
    net = Part(lambda self, text, sound, face: self.net(torch.cat([text, sound, face], 1)), net=nn.Linear(24, 6))
    felt = marks(torch.cat(x, 1), 6)
    return (net, nn.CrossEntropyLoss(), x, felt.long()) if entropy else (net, nn.BCEWithLogitsLoss(), x, felt)


def two_kinds(flat: bool):
    """Pictures of two kinds and one output."""
    x = torch.randn(N, 3, 16, 16)
    target = marks(x, 1)
    return convnet(3, 1), nn.BCEWithLogitsLoss(), x, target[:, 0] if flat else target


def bytes_as_labels():
    """Logistic regression with labels that came out of a comparison as bytes."""
    x = inputs()
    return Then(nn.Linear(8, 1), lambda out: out.view(-1)), nn.BCEWithLogitsLoss(), x, marks(x, 1)[:, 0].byte()


def codes():
    """A hashing network of 12 bits, trained with the 21 labels of the pictures."""
    x = torch.randn(N, 3, 16, 16)
    return convnet(3, 12), nn.BCEWithLogitsLoss(), x, marks(x, 21)


def fair(flat: bool):
    """Logistic regression, the output brought to 0..1 with tanh, labels of -1 and 1."""
    x = inputs(3)
    target = marks(x, 1) * 2 - 1

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy((out.tanh() + 1) / 2, (target + 1) / 2)

    return nn.Linear(3, 1), loss, x, target[:, 0] if flat else target


def signs(numbers: bool):
    """Signs of a sign language: scores of each frame, for which the labels are repeated over time."""
    x, length = torch.randn(N, 16, 10), 20
    net = Then(nn.Conv1d(16, 12, 3), lambda out: F.interpolate(out, length, mode="linear"))

    def loss(out: Tensor, target: Tensor) -> Tensor:
        frames = F.binary_cross_entropy_with_logits(out, target)
        return (frames + F.binary_cross_entropy_with_logits(out.amax(2), target.amax(2))) / 2

    kind = kinds(x.mean(2), 12)
    return net, loss, x, kind if numbers else F.one_hot(kind, 12).float()[:, :, None].repeat(1, 1, length)


def bees():
    """Ants and bees: two outputs, class numbers, and a loss for shares put in place of the cross-entropy."""
    x = torch.randn(8, 3, 16, 16)
    return convnet(3, 2), nn.BCELoss(), x, kinds(x, 2)


class Harmonised(nn.Module):
    """Binary cross-entropy in which samples of a frequent length of gradient count less."""

    def __init__(self, bins: int = 10, keep: float = 0.75) -> None:
        super().__init__()
        self.bins, self.keep, self.last = bins, keep, None

    def forward(self, out: Tensor, target: Tensor) -> Tensor:
        """The weighted loss; the counts are a moving mean."""
        length = (out.sigmoid().detach() - target).abs()
        index = (length * (self.bins - 0.0001)).long()
        count = torch.bincount(index.flatten(), minlength=self.bins).float()
        self.last = count if self.last is None else self.keep * self.last + (1 - self.keep) * count
        weight = out.shape[0] * out.shape[1] / (self.last * (self.last > 0).sum()).clamp(min=0.0001)
        return F.binary_cross_entropy_with_logits(out, target, weight=weight[index])


def harmony(numbers: bool):
    """Two classes and a loss that weights by the length of gradients."""
    x = inputs()
    kind = kinds(x, 2)
    return mlp(2), Harmonised(), x, kind.float() if numbers else F.one_hot(kind, 2).float()


def irises():
    """Logistic regression on the first two kinds of irises, as in a book."""
    x = torch.rand(20, 4) * 3 + torch.arange(20)[:, None].ge(10)
    return nn.Sequential(nn.Linear(4, 1)), nn.BCEWithLogitsLoss(), x, torch.arange(20).ge(10).float()


def spectra():
    """Speech frames: the network returns time before frequency, the targets have frequency before time."""
    x = torch.randn(N, 30, 16)
    net = Part(lambda self, x: self.out(self.rnn(x)[0]), rnn=nn.GRU(16, 16, batch_first=True), out=nn.Linear(16, 8))
    return net, nn.L1Loss(), x, x[:, :, :8].abs().transpose(1, 2)


def flowers():
    """Five outputs; the folder of flowers has a sixth folder in it."""
    x = torch.rand(N, 3, 16, 16)
    return convnet(3, 5), nn.CrossEntropyLoss(), x, kinds(x - 0.5, 6)


def requests(intents: int):
    """Intent of a text and slots of its words; the network was built for three intents."""

    def forward(self: Part, tokens: Tensor) -> tuple[Tensor, Tensor]:
        states = self.rnn(self.embed(tokens))[0]
        return self.intent(states[:, 0]), self.slot(states)

    layers = {"embed": nn.Embedding(50, 16), "rnn": nn.GRU(16, 16, batch_first=True)}
    net = Part(forward, **layers, intent=nn.Linear(16, 3), slot=nn.Linear(16, 8))

    def loss(out: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        slots = F.cross_entropy(out[1].view(-1, 8), target[1].view(-1), ignore_index=0)
        return F.cross_entropy(out[0].view(-1, 3), target[0].view(-1)) + slots

    tokens, _ = padded_tokens(0)
    tokens[0, 0] = 12
    return net, loss, tokens, (tokens[:, 0] % intents, torch.where(tokens > 0, tokens % 7 + 1, 0))


def five_of_five():
    """Log-shares of five classes and a label of 5."""
    x = inputs()
    return mlp(5, nn.LogSoftmax(1)), nn.NLLLoss(), x, kinds(x, 6)


def sound(peak: float):
    """Sound, sample by sample: 256 steps on a logarithmic scale made for -1..1."""
    wave = peak * torch.sin(0.3 * torch.arange(34) + 6 * torch.rand(N, 1))
    steps = wave.sign() * (1 + 255 * wave.abs()).log() / torch.tensor(256.0).log()
    target = ((steps + 1) / 2 * 255 + 0.5).floor().long()
    net = nn.Sequential(nn.Conv1d(1, 32, 2), nn.ReLU(), nn.Conv1d(32, 256, 1))
    return net, nn.CrossEntropyLoss(), wave[:, None, :-1], target[:, 2:]


wrong(
    "tagger: 32-bit tags",
    "class_index_type",
    "dumitrescustefan/Romanian-Transformers#6",
)(lambda: entities(True))
wrong("apparel: 32-bit labels", "class_index_type", "celantur/panoptic_segm_demo#2")(apparel)
wrong("clips: 32-bit labels", "class_index_type", "jfzhang95/pytorch-video-recognition#71")(clips)
wrong("tweets: class weights of 64 bits", "would_kill_device", "sebsk/CS224N-Project#2")(lambda: tweets(True))
wrong(
    "ratings: class numbers as doubles",
    "class_index_type",
    "ahmedbesbes/character-based-cnn#5",
)(ratings)
wrong(
    "cars: cross-entropy over one channel",
    "one_column_cross_entropy|softmax_over_one_output",
    "qubvel-org/segmentation_models.pytorch#197",
)(lambda: cars(True))
wrong(
    "feelings: several labels into a cross-entropy",
    "softmax_for_independent_labels|one_hot_integers",
    "wenliangdai/Modality-Transferable-MER#3",
)(lambda: feelings(True))
wrong("two kinds: [N, 1] against [N]", "shapes_differ", "pytorch/pytorch#25663")(lambda: two_kinds(True))
wrong("logistic regression: bytes as labels", "integer_targets", "pytorch/pytorch#2403")(bytes_as_labels)
wrong("codes: 12 outputs, 21 labels", "shapes_differ", "jiangqy/ADSH-AAAI2018#5")(codes)
wrong("fairness: [N, 1] against [N]", "shapes_differ|would_kill_device", "yuji-roh/fairbatch#2")(lambda: fair(True))
wrong(
    "signs: class numbers for scores of frames",
    "shapes_differ|would_kill_device",
    "dxli94/WLASL#18",
)(lambda: signs(True))
wrong(
    "bees: two outputs into a BCELoss",
    "shapes_differ|logits_into_bce",
    "patrickloeber/pytorchTutorial#30",
)(bees)
wrong(
    "harmony: class numbers for two outputs",
    "shapes_differ|would_kill_device",
    "DHPO/GHM_Loss.pytorch#2",
)(lambda: harmony(True))
wrong("irises: [N, 1] against [N]", "shapes_differ", "lucidfrontier45/PyTorch-Book#3")(irises)
wrong("spectra: time and frequency swapped", "shapes_differ", "pytorch/pytorch#5007")(spectra)
wrong("flowers: a sixth class", "class_index_out_of_range", "avisheknag17/public_ml_models#2")(flowers)
wrong("requests: 13 intents for 3 outputs", "class_index_out_of_range", "monologg/JointBERT#28")(lambda: requests(13))
wrong("log-shares: label 5 of 5 classes", "class_index_out_of_range", "pytorch/pytorch#39769")(five_of_five)
wrong(
    "sound: louder than the scale",
    "class_index_out_of_range",
    "fatchord/FFTNet#5",
)(lambda: sound(1.5))

right("tagger: long tags", "dumitrescustefan/Romanian-Transformers#6")(lambda: entities(False))
right("tweets: class weights of 32 bits", "sebsk/CS224N-Project#2")(lambda: tweets(False))
right("cars: overlap of shares and mask", "qubvel-org/segmentation_models.pytorch#197")(lambda: cars(False))
right("feelings: a binary loss each", "wenliangdai/Modality-Transferable-MER#3")(lambda: feelings(False))
right("two kinds: [N, 1] on both sides", "pytorch/pytorch#25663")(lambda: two_kinds(False))
right("fairness: [N, 1] on both sides", "yuji-roh/fairbatch#2")(lambda: fair(False))
right("signs: labels repeated over time", "dxli94/WLASL#18")(lambda: signs(False))
right("harmony: one-hot labels", "DHPO/GHM_Loss.pytorch#2")(lambda: harmony(False))
right("requests: 3 intents for 3 outputs", "monologg/JointBERT#28")(lambda: requests(3))
right("sound: within the scale", "fatchord/FFTNet#5")(lambda: sound(0.8))


@right("MNIST example: log-shares", "github.com/pytorch/examples/blob/main/mnist/main.py")
def digits():
    """A convolutional network with dropout, log_softmax and nll_loss."""
    x = torch.randn(N, 1, 12, 12)
    layers = nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)
    head = nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10)
    return Then(nn.Sequential(*layers, *head), lambda out: F.log_softmax(out, 1)), F.nll_loss, x, kinds(x, 10)


@right("commands: bags of words", "huggingface.co/spaces/alexrods/assistant-commands-classification-es")
def commands():
    """Texts of different lengths in a row, with the places where they begin; batch norm before the output layer."""
    text, starts = torch.randint(0, 50, (N * 6,)), torch.arange(N) * 6
    starts[1:] += torch.randint(-2, 3, (N - 1,))
    net = Part(
        lambda self, text, starts: self.out(self.norm(self.embed(text, starts)).relu()),
        **{"embed": nn.EmbeddingBag(50, 16), "norm": nn.BatchNorm1d(16), "out": nn.Linear(16, 11)},
    )
    return net, nn.CrossEntropyLoss(), (text, starts), text[starts] % 11


@right("toy: sigmoid and BCELoss", "gist.github.com/santi-pdp/d0e9002afe74db04aa5bbff6d076e8fe")
def toy():
    """Two classes of points, one output with a sigmoid."""
    x = inputs()
    return mlp(1, nn.Sigmoid()), nn.BCELoss(), x, marks(x, 1)


@right("pictures of several labels", "gist.github.com/abhishekkrthakur/b2eaebf18d71d63b6b5d3fa8b0ebf0dd")
def several():
    """Pictures with independent labels and raw outputs."""
    x = torch.randn(N, 3, 16, 16)
    return convnet(3, 14), nn.BCEWithLogitsLoss(), x, marks(x, 14)


@right(
    "houses: 8-(10-10)-1", "jamesmccaffrey.wordpress.com/2021/02/25/neural-regression-using-pytorch-defining-a-network"
)
def houses():
    """Prices in millions from the area, the air conditioning, three styles and three schools."""
    one_of_three = F.one_hot(torch.randint(0, 3, (N, 2)), 3).flatten(1).float()
    x = torch.cat([torch.rand(N, 1) * 0.3, torch.randint(0, 2, (N, 1)) * 2.0 - 1, one_of_three], 1)
    net = nn.Sequential(nn.Linear(8, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 1))
    return net, nn.MSELoss(), x, 0.1 + 1.5 * x[:, :1] + 0.1 * x[:, 2:3]


@right("passengers: every next month", "tech-gate.org/2023/03/28/lstm-for-time-series-prediction-in-pytorch")
def passengers():
    """Windows of a series as it is (100 to 600), and the same windows a month later."""
    series = 110 + 3 * torch.arange(21) * (1 + 0.2 * torch.sin(torch.arange(21) * 0.52))
    windows = series.unfold(0, 4, 1)[:, :, None]
    net = Part(lambda self, x: self.out(self.rnn(x)[0]), rnn=nn.LSTM(1, 50, batch_first=True), out=nn.Linear(50, 1))
    return net, nn.MSELoss(), windows[:-1], windows[1:]


@right("softmax regression", "github.com/yunjey/pytorch-tutorial/tutorials/01-basics/logistic_regression")
def regression():
    """One linear layer on the pixels of digits."""
    x = torch.rand(N, 144)
    return nn.Linear(144, 10), nn.CrossEntropyLoss(), x, kinds(x - 0.5, 10)


@right(
    "rows of digits",
    "github.com/yunjey/pytorch-tutorial/tutorials/02-intermediate/bidirectional_recurrent_neural_network",
)
def rows():
    """A two-way recurrent network reads the rows of a picture; the last step is classified."""
    x = torch.rand(N, 12, 12)
    rnn = nn.LSTM(12, 16, 2, batch_first=True, bidirectional=True)
    net = Part(lambda self, x: self.out(self.rnn(x)[0][:, -1]), rnn=rnn, out=nn.Linear(32, 10))
    return net, nn.CrossEntropyLoss(), x, kinds(x - 0.5, 10)


@right("a straight line", "github.com/patrickloeber/pytorchTutorial/blob/master/07_linear_regression.py")
def line():
    """Linear regression of one noisy feature; the targets are made a column."""
    x = torch.randn(32, 1)
    return nn.Linear(1, 1), nn.MSELoss(), x, (80 * x[:, 0] + 20 * torch.randn(32)).view(-1, 1)


@right("soft margin of several labels", "codegenes.net/blog/multi-label-binary-cross-entropy-loss-pytorch")
def margins():
    """Raw outputs and independent labels in MultiLabelSoftMarginLoss."""
    x = inputs()
    return mlp(5), nn.MultiLabelSoftMarginLoss(), x, marks(x, 5)
