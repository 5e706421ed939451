"""Programs of a published study of silent bugs in PyTorch, rebuilt small before the doctor saw them.

The study (PYSIASSIST, SANER 2024) collects 365 posts of the PyTorch forum and prints the code of 144 buggy and 70
repaired ones. Taken are the printed programs whose bug lies in the model, the loss or the graph of one step (its
patterns 5, 9, 10, 11 and 12), each with the number of its forum topic. Left out is what the printed part does not
show (75514, 92725, 33601, 94593, 47588 and others), and two stand here as right: 125383 takes its softmax only to read
predictions, and 80482 is a cross-entropy written as softmax and BCELoss.
"""

import torch
from torch import nn
from torch.autograd import Variable
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SIGMOID, SOFTMAX, pair
from doctor_exam.parts import N, Tagger, Then, classes, inputs, labels, mlp

STUDY = CaseSet()
CUT = "loss_without_gradient|outputs_without_gradient|weights_without_gradient|dead_term"


def right(name: str, topic: int):
    return STUDY.right(f"study: {name}", f"PYSIASSIST {topic}")


def wrong(name: str, code: str, topic: int):
    return STUDY.wrong(f"study: {name}", code, f"PYSIASSIST {topic}")


class Reader(nn.Module):
    """An LSTM over tokens whose last hidden state, [1, N, 16], goes through layers and a function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.embed, self.lstm = nn.Embedding(50, 16), nn.LSTM(16, 16, batch_first=True)
        self.out, self.function = nn.Linear(16, 3), function

    def forward(self, tokens):
        return self.function(self.out(F.relu(self.lstm(self.embed(tokens))[1][0])))


class Scaled(nn.Module):
    """Volumes and their scales, joined before the last layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv3d(1, 2, 3, padding=1), nn.BatchNorm1d(16)
        self.first, self.last = nn.Linear(2 * 4**3 + 3, 16), nn.Linear(16, 4)

    def forward(self, x, scale):
        joined = torch.cat([F.relu(self.conv(x)).flatten(1), scale], 1)
        return self.last(self.norm(F.relu(self.first(joined)))).softmax(1)


class Stateful(nn.Module):
    """An LSTM that takes and returns its state, with or without a softmax behind its last step."""

    def __init__(self, soft: bool) -> None:
        super().__init__()
        self.lstm, self.out, self.soft = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 3), soft

    def forward(self, given):
        x, state = given
        steps, state = self.lstm(x, state)
        scores = self.out(F.relu(steps[:, -1]))
        return (scores.softmax(1) if self.soft else scores), state


def stateful(soft: bool) -> tuple:
    state = torch.zeros(1, N, 16), torch.zeros(1, N, 16)
    return (Stateful(soft), lambda out, y: F.cross_entropy(out[0], y, weight=torch.tensor([1.0, 1.1, 0.9])),
            [inputs(5, 8), state], classes(3))  # fmt: skip


class Turned(nn.Module):
    """A recurrent network that wants time first and gets it by `view`."""

    def __init__(self, layer: nn.Module, out: nn.Module, function) -> None:
        super().__init__()
        self.layer, self.rnn, self.out, self.function = layer, nn.LSTM(12, 16), out, function

    def forward(self, x):
        return self.function(self, self.layer(x))


class Grown(nn.Module):
    """A weight that is overwritten through `.data`, so that its factor never learns."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.factor = nn.Parameter(torch.randn(1, 1)), nn.Parameter(torch.rand(1))

    def forward(self, x):
        self.w.data = torch.where(self.w > 0, self.w * self.factor, self.w).data
        return x[:, :1] * self.w


class OwnNorm(nn.Module):
    """A batch normalisation of one's own, whose mean and variance carry no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 4, 3), nn.Linear(64, 5)

    def forward(self, x):
        z = self.conv(x)
        mean, var = z.mean([0, 2, 3], True).detach(), z.var([0, 2, 3], keepdim=True).detach()
        return self.out(((z - mean) / (var + 1e-5).sqrt()).relu().flatten(1))


class Cut(nn.Module):
    """Two halves with something between them."""

    def __init__(self, between) -> None:
        super().__init__()
        self.first, self.second, self.between = nn.Linear(8, 8), nn.Linear(8, 5), between

    def forward(self, x):
        return self.second(self.between(self.first(x)))


class Pooled(nn.Module):
    """A pooling exponent that is a Variable, not a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.p = Variable(torch.tensor([3.0]), requires_grad=True)
        self.out = nn.Linear(4, 5)

    def forward(self, x):
        pooled = (x.abs().flatten(2) ** self.p).mean(2) ** (1 / self.p)
        return self.out(pooled)


# ---------------------------------------------------------------- pattern 10: loss function and activation function

wrong("why my loss doesn't go down: sigmoid, then BCEWithLogitsLoss", SIGMOID, 27298)(
    lambda: (nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.PReLU(1),
                           nn.Linear(16, 1), nn.Sigmoid()), nn.BCEWithLogitsLoss(), inputs(), labels(1))
)  # fmt: skip
wrong("a network that only gives 0: log_softmax(dim=0) of one output", "softmax_wrong_axis|one_column_cross_entropy",
      77250)(
    lambda: (Then(mlp(1), lambda z: F.log_softmax(z, dim=0)), nn.NLLLoss(), inputs(), classes(2))
)  # fmt: skip
wrong("model not being trained: exp of log-softmax into NLLLoss", "nll_on_probabilities", 55904)(
    lambda: (Then(mlp(10), lambda z: F.log_softmax(z, dim=1)), lambda out, y: F.nll_loss(torch.exp(out), y), inputs(),
             classes(10))
)  # fmt: skip
wrong("predictions full of zeros: softmax, then CrossEntropyLoss", SOFTMAX, 155381)(
    lambda: (nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.15), nn.Linear(32, 4), nn.Softmax(1)),
             lambda out, y: F.cross_entropy(out, y.float().long()), inputs(), classes(4))
)  # fmt: skip
wrong("a supervised variational autoencoder's classifier with a softmax", SOFTMAX, 97794)(
    lambda: (Then(pair(kind=4, mean=3, log_var=3), lambda o: (F.softmax(o[0], dim=-1), o[1], o[2])),
             lambda out, y: F.cross_entropy(out[0], y) - 0.05 * (
                 1 + out[2] - out[1] ** 2 - out[2].exp()).sum(1).mean(), inputs(), classes(4))
)  # fmt: skip
wrong("loss stuck: sigmoid on two outputs, then CrossEntropyLoss", "sigmoid_before_cross_entropy", 50048)(
    lambda: (mlp(2, nn.Sigmoid()), nn.CrossEntropyLoss(), inputs(), classes(2))
)
wrong("KL divergence of logarithms of random numbers", "logarithm_of_raw_outputs|kl_div_on_logits", 65393)(
    lambda: (mlp(10), lambda p, q: nn.KLDivLoss(reduction="sum")(p.log().log(), q), inputs(), torch.randn(N, 10))
)
wrong("one probability, then CrossEntropyLoss", "one_column_cross_entropy", 79456)(
    lambda: (nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()), lambda out, y: F.cross_entropy(out, y.float()), inputs(),
             labels(1))
)  # fmt: skip
wrong("BCEWithLogitsLoss that turns negative: targets first", "arguments_swapped", 57409)(
    lambda: (mlp(5, nn.Sigmoid()), lambda out, y: nn.BCEWithLogitsLoss()(y, out), inputs(), labels(5))
)
wrong("a softmax layer called as the loss", "loss_fails", 78256)(
    lambda: (mlp(2), lambda out, y: nn.Softmax()(out, y), inputs(), classes(2))
)
wrong("every term divided by its own value", "wrong_formula|loss_is_constant", 126995)(
    lambda: (pair(again=8, steps=3), lambda out, y: sum(w * one / one.item() for one, w in (
        (F.mse_loss(out[0], y), 0.99), (F.relu(-out[1].diff(dim=1)).mean(), 0.01))), inputs(), inputs())
)  # fmt: skip
wrong("one-hot targets first, softmax over the last axis second", "arguments_swapped", 117545)(
    lambda: (Then(nn.Linear(8, 5), lambda z: F.softmax(z, dim=2)), lambda out, y: nn.CrossEntropyLoss()(y, out),
             inputs(3, 8), F.one_hot(classes(5, 3), 5).float())
)  # fmt: skip
wrong("an LSTM's hidden state [1, N, C] through a softmax without an axis",
      f"{SOFTMAX}|softmax_over_one_output|softmax_wrong_axis", 81063)(
    lambda: (Reader(F.softmax), lambda out, y: F.cross_entropy(out.squeeze(0), y), torch.randint(0, 50, (N, 7)),
             classes(3))
)  # fmt: skip
wrong("does well in scikit-learn: softmax, then CrossEntropyLoss, one sample at a time", SOFTMAX, 21511)(
    lambda: (Then(nn.Sequential(nn.Linear(8, 100), nn.ReLU(), nn.Linear(100, 2)), lambda z: F.softmax(z, dim=1)),
             nn.CrossEntropyLoss(), inputs()[:1], classes(2)[:1])
)  # fmt: skip
wrong("does not reach zero: softmax of three rows, then BCEWithLogitsLoss", "softmax_before_bce_logits", 60203)(
    lambda: (Then(nn.Linear(30, 9), lambda z: F.leaky_relu(z).reshape(3, 3).softmax(1)), nn.BCEWithLogitsLoss(),
             torch.randn(1, 30), torch.eye(3))
)  # fmt: skip
wrong("segments and scales: softmax, then CrossEntropyLoss", SOFTMAX, 76679)(
    lambda: (Scaled(), nn.CrossEntropyLoss(), (inputs(1, 4, 4, 4), torch.rand(N, 3)), classes(4))
)
wrong("the total loss stays the same: Softmax in a Sequential", SOFTMAX, 100611)(
    lambda: (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 100),
                           nn.Softmax(dim=1)), nn.CrossEntropyLoss(), inputs(3, 6, 6), classes(100))
)  # fmt: skip
wrong("an LSTM that hands on its state: softmax, then weighted CrossEntropyLoss", SOFTMAX, 82512)(
    lambda: stateful(True)
)

# ---------------------------------------------------------------- pattern 11: view()

wrong("a convolution's output seen as [L, N, C] for an LSTM", "axes_scrambled|samples_mixed", 77192)(
    lambda: (Turned(nn.Conv1d(4, 12, 3), nn.Linear(16, 1), lambda m, z: m.out(
        m.rnn(z.view(z.shape[2], z.shape[0], z.shape[1]))[1][0][0]).sigmoid()), nn.BCELoss(), inputs(4, 11), labels(1))
)  # fmt: skip
wrong("CTC: [N, C, L] seen as [L, N, C]", "axes_scrambled|samples_mixed", 126687)(
    lambda: (nn.Conv1d(8, 6, 1), lambda out, y: F.ctc_loss(
        out.view(out.shape[2], out.shape[0], out.shape[1]).log_softmax(-1), y, torch.full((N,), 12),
        torch.full((N,), 3)), inputs(8, 12), torch.randint(1, 6, (N, 3)))
)  # fmt: skip
wrong("embedded words seen as [L, N, E]", "axes_scrambled|samples_mixed", 91826)(
    lambda: (Turned(nn.Embedding(50, 12), nn.Linear(16, 2), lambda m, z: m.out(
        m.rnn(z.view(z.shape[1], z.shape[0], -1))[0][-1])), nn.BCEWithLogitsLoss(), torch.randint(0, 50, (N, 7)),
             labels(2))
)  # fmt: skip

# ---------------------------------------------------------------- patterns 5, 9 and 12: detach, Variable, .data

wrong("a generator's loss on a detached picture", CUT, 84637)(
    lambda: (mlp(8), lambda fake, judge: F.binary_cross_entropy_with_logits(judge(fake.detach()), torch.ones(N, 1)),
             inputs(), nn.Linear(8, 1))
)  # fmt: skip
wrong("a batch normalisation whose statistics are detached", f"{CUT}|detached_statistics", 161614)(
    lambda: (OwnNorm(), nn.CrossEntropyLoss(), inputs(3, 6, 6), classes(5))
)
wrong("a weight assigned through .data", CUT, 72570)(lambda: (Grown(), nn.MSELoss(), inputs(), torch.randn(N, 1)))
wrong("activations that a hook detached", CUT, 142903)(
    lambda: (mlp(5), lambda out, y: F.l1_loss(out.detach(), y), inputs(), torch.randn(N, 5))
)
wrong("a trained and an untrained half with a detach between them", CUT, 93962)(
    lambda: (Cut(lambda z: z.detach()), nn.CrossEntropyLoss(), inputs(), classes(5))
)
wrong("a loss beside the main one that is wrapped anew", CUT, 108533)(
    lambda: (pair(a=6, b=6, tags=4), lambda out, y: F.cross_entropy(out[0] @ out[1].T / 0.025, torch.arange(N))
             + Variable(F.binary_cross_entropy_with_logits(out[2].detach(), y), requires_grad=True), inputs(),
             labels(4))
)  # fmt: skip
wrong("an optimiser that updates nothing: Variable(outputs.data)", CUT, 79190)(
    lambda: (mlp(4), lambda out, y: (Variable(out[1:].data, requires_grad=True)
                                     - Variable(y[1:].data, requires_grad=True)).abs().sum(), inputs(),
             torch.randn(N, 4))
)  # fmt: skip
wrong("embeddings wrapped in a Variable before the head", CUT, 162715)(
    lambda: (Cut(lambda z: Variable(z.detach(), requires_grad=True)), nn.CrossEntropyLoss(), inputs(), classes(5))
)
wrong("the point losses of an image added up by item()", f"{CUT}|loss_not_a_tensor", 85346)(
    lambda: (mlp(3), lambda out, y: Variable(torch.tensor(sum(((a - b) ** 2).mean().item() for a, b in zip(
        out, y, strict=True))), requires_grad=True), inputs(), torch.randn(N, 3))
)  # fmt: skip
wrong("a discriminator's loss wrapped in a Variable", CUT, 120279)(
    lambda: (mlp(1, nn.Sigmoid()), lambda out, y: Variable(F.binary_cross_entropy(out, y).detach(), requires_grad=True),
             inputs(), labels(1))
)  # fmt: skip
wrong("the exponent of a pooling as a Variable", "unregistered_parameter", 36422)(
    lambda: (Pooled(), nn.CrossEntropyLoss(), inputs(4, 3, 3), classes(5))
)
wrong("a penalty on weight.data", CUT, 102137)(
    lambda: (lambda net: (net, lambda out, y: F.mse_loss(out, y) + 0.1 * (
        net[0].weight.data[1:] - net[0].weight.data[:-1]).pow(2).sum(), *(lambda x: (x, x))(inputs())))(mlp(8))
)  # fmt: skip
wrong("features detached before the last layer", CUT, 63877)(
    lambda: (Cut(lambda z: torch.relu(z).detach()), lambda out, y: F.mse_loss(F.relu(out), y), inputs(),
             10 * torch.ones(N, 5))
)  # fmt: skip

# ---------------------------------------------------------------- the repaired ones that the study prints

right("one logit into binary_cross_entropy_with_logits", 27298)(
    lambda: (nn.Sequential(nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1)), F.binary_cross_entropy_with_logits,
             torch.randn(1, 10), torch.randint(0, 2, (1, 1)).float())
)  # fmt: skip
right("segmentation of one picture", 27668)(
    lambda: (nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1), nn.ReLU(), nn.Conv2d(6, 5, 3, 1, 1)), nn.CrossEntropyLoss(),
             torch.randn(1, 3, 10, 10), torch.randint(0, 5, (1, 10, 10)))
)  # fmt: skip
right("two layers and BCEWithLogitsLoss", 50048)(lambda: (mlp(1), nn.BCEWithLogitsLoss(), inputs(), labels(1)))
right("KL divergence of logarithms of a softmax", 65393)(
    lambda: (Then(mlp(10), lambda z: F.softmax(z, dim=1)), lambda p, q: nn.KLDivLoss(reduction="sum")(p.log(), q),
             inputs(), torch.randn(N, 10).softmax(1))
)  # fmt: skip
right("one linear layer and BCEWithLogitsLoss", 79456)(
    lambda: (nn.Linear(8, 1), nn.BCEWithLogitsLoss(), inputs(), labels(1))
)
right("two logits and BCEWithLogitsLoss on one-hot targets", 80482)(
    lambda: (mlp(2), nn.BCEWithLogitsLoss(), inputs(), F.one_hot(classes(2), 2).float())
)
right("two shares of a softmax into BCELoss", 80482)(
    lambda: (mlp(2, nn.Softmax(dim=1)), nn.BCELoss(), inputs(), F.one_hot(classes(2), 2).float())
)
right("three rows from one, into BCEWithLogitsLoss", 60203)(
    lambda: (Then(nn.Linear(30, 9), lambda z: F.leaky_relu(z).reshape(3, 3)), nn.BCEWithLogitsLoss(),
             torch.randn(1, 30), torch.eye(3))
)  # fmt: skip
right("pictures of a hundred classes without the softmax", 100611)(
    lambda: (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2), nn.Flatten(),
                           nn.Linear(36, 100)), nn.CrossEntropyLoss(), inputs(3, 6, 6), classes(100))
)  # fmt: skip
right("an LSTM that hands on its state, without the softmax", 82512)(lambda: stateful(False))
right("a sigmoid into BCELoss", 33586)(
    lambda: (Then(nn.Linear(8, 1), lambda z: torch.sigmoid(z[:, 0])), nn.BCELoss(), inputs(), labels(1)[:, 0])
)
right("a softmax taken only to read predictions", 125383)(
    lambda: (mlp(4), lambda out, y: (F.softmax(out, 1).max(1), F.cross_entropy(out, y))[1], inputs(), classes(4))
)
right("a token's score for each of its words", 47588)(
    lambda: (Then(Tagger(9), lambda z: z.contiguous().view(-1, 9)), lambda out, y: F.cross_entropy(out, y.view(-1)),
             torch.randint(0, 50, (N, 6)), classes(9, 6))
)  # fmt: skip
