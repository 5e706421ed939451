"""Set-ups of the seventeenth round (learners after a course or tutorial), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
pages and of issues, gone through in their order:

pytorch tutorial neural network loss not decreasing what am I doing wrong; my network predicts the same class for
every input pytorch; binary classification pytorch accuracy stuck at 50 percent; pytorch linear regression loss does
not go down predictions all the same; xor neural network pytorch does not learn; titanic pytorch model predicts all
zeros; mnist from scratch accuracy stays at 10 percent pytorch; pytorch lstm time series prediction flat line output;
char rnn pytorch generates same character over and over; sentiment analysis lstm pytorch not learning accuracy 50;
unet segmentation predicts all black mask pytorch; dcgan tutorial discriminator loss goes to zero generator does not
learn; variational autoencoder pytorch outputs same blurry image for every input; transformer from scratch course loss
stuck not learning; dqn cartpole tutorial pytorch not learning reward not improving; policy gradient reinforce pytorch
homework not learning; image captioning course project model repeats same word; loss goes negative pytorch why; loss
is nan after first iteration pytorch beginner; my custom loss function pytorch does not train weights not updating;
weights do not change after optimizer step grad is None pytorch; multi label classification pytorch model predicts
all zeros; autoencoder loss stuck does not reconstruct pytorch beginner; training accuracy does not improve softmax
cross entropy loss pytorch question.

They gave too few, so twenty-six more were written down, again before they were made:

regression network predicts the mean of the targets for every input my code; LSTM always predicts same values for all
inputs in the batch; rnn sequence classification not learning init_hidden my model; binary classifier outputs the same
probability for everything nn.BCELoss sigmoid forward; simple cnn cifar10 loss stuck at 2.303; cat vs dog cnn loss
stays at 0.69 my model; loss the same every epoch parameters not updating my training loop; my first neural network
does not converge layers in a python list; conv autoencoder outputs gray images my implementation; vae my
implementation kl loss goes to zero reconstructs the mean; gan my implementation generator does not improve loss
detach; actor critic my implementation does not learn cartpole; seq2seq decoder predicts only end of sentence token my
implementation; transformer encoder classifier predicts the same class my implementation; siamese network contrastive
loss distance goes to zero same embedding; triplet loss stuck at margin my network; text classifier embedding loss not
decreasing log softmax; logistic regression from scratch pytorch loss increases; cross entropy from scratch fastai loss
negative or nan; segmentation my own dice loss not decreasing; word2vec skip gram from scratch pytorch does not learn;
physics informed network beginner wrong solution; image captioning decoder my implementation loss low but captions
wrong; name entity or pos tagger lstm predicts one tag; mnist gan or diffusion from scratch outputs noise; object
localization bounding box regression course project predicts the same box.

Still too few, so sixteen more, again before they were made:

udacity nanodegree project loss does not go down my network; fastai course lesson my own model accuracy not improving;
cs231n pytorch assignment network accuracy ten percent; andrej karpathy makemore or gpt lecture my loss does not go
down; hugging face course training loop own head accuracy does not change; deep q learning lunar lander pytorch my agent
does not learn q values explode; names classification rnn tutorial own version always predicts one language; multi
class classification accuracy stays low my last layer relu or softmax or sigmoid; house price regression pytorch loss
huge negative r2 predictions constant; stock price lstm pytorch loss stuck target shape; fashion mnist beginner loss
not decreasing nll_loss; custom layer nn.Parameter not learning requires_grad; polynomial or sine fitting pytorch
network outputs flat line; batch of images network same output batchnorm or dropout or initialisation zeros; video or
audio classification pytorch student project loss does not decrease; two losses multi task student project one head
does not learn.

Issues were looked through for the first list and for half of the second, pages for all; with ten look-ups of single
threads that makes 114. The hits are excerpts of about two thousand characters; of some repositories the history was
read. Every thread was kept in which an answer, the history or the code shows a cause that lies in the model, the loss
or the first batch, also where others have the same; seventeen remained, two of them with two slips one after the
other, and two more whose code was fine. Left out of nearly a thousand hits: no cause named, or a title without a text
(most); courses, lessons and pages of advice, many of them made up by a machine; other subjects; about fifteen for the
learning rate, the optimiser or too little data; about twenty-five for versions, measuring or data; a few errors that
PyTorch raises at once; about six choices that train either way; a few gradients by hand; about seven whose cause could
only be guessed because the code is cut off; and about twenty-five that stand in earlier rounds. Some were written for
Keras or NumPy: their way of computing is kept. The names of the findings are those of the sentences, chosen before any
score; a network that is told no places has none of its own, and got the nearest.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_seventeen_learners_parts as nets
from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_seventeen_learners_parts import N, anomalies, captions, combo, voices, words_of_pictures

SEVENTEEN_LEARNERS = CaseSet()
right, wrong = SEVENTEEN_LEARNERS.right, SEVENTEEN_LEARNERS.wrong
DATASET = "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1"  # holds threads of several forums
COMBO, SPEAKER = "asgsaeid/ComboLoss#3", "philipperemy/deep-speaker#9"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def cut_outs(squashed: bool):
    """Three sizes of one spot, and is it bright? A ReLU or nothing stands between the last layer and the sigmoid."""
    model, criterion = nets.XceptionLike(squashed), nn.BCELoss()
    spot = torch.randn(N, 1, 8, 8) + torch.randn(N, 1, 1, 1)
    batch_label = (spot.mean((1, 2, 3)) > 0).float()[:, None]

    def loss(output: Tensor, y: Tensor) -> Tensor:
        return criterion(output if squashed else torch.sigmoid(output), y)

    return model, loss, (spot[..., 2:6, 2:6], spot[..., 1:7, 1:7], spot), batch_label


def numbered(scaled: bool):
    """Two bits as the number 1, 2, 3 or 4, from a network that ends in a tanh; or a tenth of everything."""
    bits = torch.randint(0, 2, (N, 2)).float()
    number = 1 + 2 * bits[:, :1] + bits[:, 1:]
    inputs, targets = (bits * 0.1, number * 0.1) if scaled else (bits, number)
    return nets.BackPropagating(2, 8, 1), lambda ao, y: (0.5 * (y - ao) ** 2).sum(), inputs, targets


def sine(plain: bool):
    """The sine of an angle, learnt as if it were a yes or no, or as a number."""

    def compute_cost(A2: Tensor, Y: Tensor) -> Tensor:
        if plain:
            return ((A2 - Y) ** 2).sum() / Y.shape[0]
        return -((1 / Y.shape[0]) * torch.sum((Y * torch.log(A2)) + ((1 - Y) * torch.log(1 - A2))))

    X = torch.randint(1, 90, (N, 1)) / 15
    return nets.Columns(1, 1, 16, squashed=not plain), compute_cost, X, torch.sin(X)


def two_ago(windows: bool):
    """A number of a row as it was two steps before, from series of one step each or of three."""
    x = torch.randint(0, 100, (N + 2,)) / 100
    xtrain = x.unfold(0, 3, 1)[..., None] if windows else x[2:].reshape(N, 1, 1)
    model = Part(lambda self, x: self.dense(self.rnn(x)[0][:, -1]),
                 rnn=nn.RNN(1, 8, batch_first=True), dense=nn.Linear(8, 1))  # fmt: skip
    return model, nn.MSELoss(), xtrain, x[:-2, None]


def faces() -> Tensor:
    """Pictures of 144 dots between 0 and 1 that depend on three numbers each."""
    return torch.sigmoid(2 * torch.randn(N, 3) @ torch.randn(3, 144))


def pictures_by_code(summed: bool):
    """A picture by way of a code: the mean of 144 errors and that of eight divergences, or the sums of a picture."""
    vae = nets.VAE(nets.Encoder(144, 32, 32), nets.Encoder(8, 32, 144, rectified=not summed))

    def latent_loss(z_mean: Tensor, z_stddev: Tensor) -> Tensor:
        mean_sq = z_mean * z_mean
        stddev_sq = z_stddev * z_stddev
        each = mean_sq + stddev_sq - torch.log(stddev_sq) - 1
        return 0.5 * (each.sum(1).mean() if summed else torch.mean(each))

    def loss(dec: Tensor, x: Tensor) -> Tensor:
        error = ((dec - x) ** 2).sum(1).mean() if summed else nn.MSELoss()(dec, x)
        return error + latent_loss(vae.z_mean, vae.z_sigma)

    return vae, loss, (x := faces()), x


def consensus(raw: bool):
    """The most frequent base of each place; a softmax stands before the cross-entropy, or not."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        logits_flatten = torch.flatten(logits, start_dim=0, end_dim=-2)
        return nn.CrossEntropyLoss()(logits_flatten, torch.flatten(labels, start_dim=0, end_dim=-1))

    def forward(self: Part, encoding: Tensor) -> Tensor:
        encoding, _ = self.gru(encoding)
        encoding = self.classifier(encoding)
        return encoding if raw else F.softmax(encoding, dim=2)

    gru, encoding = nn.GRU(5, 16, 2, batch_first=True, bidirectional=True), torch.rand(N, 12, 5)
    return Part(forward, gru=gru, classifier=nn.Linear(32, 5)), loss, encoding, encoding.argmax(2)


def digits(ten: bool):
    """Ten digits, taken for a yes or no of one output, or for ten classes."""
    y_train = torch.arange(N) % 10
    X_train = (torch.rand(10, 49)[y_train] * 200 + torch.rand(N, 49) * 55).round()
    if ten:
        return (
            nn.Sequential(nn.Linear(49, 64), nn.ReLU(), nn.Linear(64, 10)),
            nn.CrossEntropyLoss(),
            X_train / 255,
            y_train,
        )

    def binary_crossentropy(output: Tensor, target: Tensor) -> Tensor:
        output = output.clip(1e-7, 1 - 1e-7)
        return -(target * torch.log(output) + (1 - target) * torch.log(1 - output)).mean()

    model = nn.Sequential(nn.Linear(49, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
    return model, binary_crossentropy, X_train, y_train.float()[:, None]


def wave(scaled: bool):
    """A sine over a thousand steps, from the number of the step as it is, or standardised."""
    X = torch.arange(0, 1000, 16).float()[:, None]
    Y = torch.sin(2 * torch.pi * X / 1000)
    layers = [nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 1)]
    return nn.Sequential(*layers), nn.MSELoss(), (X - X.mean()) / X.std() if scaled else X, Y


def weighed_tasks(stacked: bool):
    """Two numbers of one input; their losses are weighed by what is learnt."""
    x = torch.randn(N, 5)
    y1, y2 = (x @ torch.randn(5) + 0.5 * torch.randn(N) for _ in range(2))
    model = Part(lambda self, x: [self.f1(x).squeeze(), self.f2(x).squeeze()],
                 f1=nn.Linear(5, 1, bias=False), f2=nn.Linear(5, 1, bias=False))  # fmt: skip
    mtl = nets.MultiTaskLoss(loss_fn=[nn.MSELoss(), nn.MSELoss()], eta=[2.0, 1.0], stacked=stacked)
    return model, mtl, x, (y1, y2)


def straight_line(one: bool):
    """A line through points: a weight for each pair of points, used twice, or one weight."""
    a0 = torch.randn(N, 1)
    y, model = 7 * a0 + 3 + torch.randn(N, 1), nets.OneLayer(1 if one else N)

    def compute_loss(a1: Tensor, y: Tensor) -> Tensor:
        return torch.sum(torch.pow(y - (a1 if one else model.w * a1 + model.b), 2)) / 2 / N

    return model, compute_loss, a0, y


def first_word(places: bool):
    """The class of a sentence, which its first word says; some sentences have the same words in another order."""
    x_in = torch.cat([sentence.roll(by, 1) for sentence in [torch.randint(0, 12, (N // 4, 8))] for by in range(4)])
    return nets.Sequences(places), nn.CrossEntropyLoss(), x_in, x_in[:, 0] % 4


def polynomial(scaled: bool):
    """A polynomial of numbers up to a thousand, of which square and cube are given, too."""
    x = torch.randint(-1000, 1000, (N, 1)).float()
    inputs, labels = torch.cat([x, x**2, x**3], 1), 6 * x * x + 2 * x - 4
    if scaled:
        inputs, labels = (inputs - inputs.mean(0)) / inputs.std(0), (labels - labels.mean()) / labels.std()
    model = Part(lambda self, x: self.fc3(F.relu(self.fc2(F.relu(self.fc1(x))))),
                 fc1=nn.Linear(3, 50), fc2=nn.Linear(50, 50), fc3=nn.Linear(50, 1))  # fmt: skip
    return model, nn.MSELoss(), inputs, labels


both("discuss.pytorch.org/t/56327", "relu_before_activation|range_cannot_reach_targets", cut_outs,
     "cut-outs of three sizes: a ReLU before the sigmoid", "cut-outs of three sizes: a sigmoid")  # fmt: skip
both("ansaurus.com/question/3644795-neural-network-python", "range_cannot_reach_targets", numbered,
     "two bits as a number up to four: a tanh at the end", "two bits as a number: a tenth of everything")  # fmt: skip
both("stackoverflow.com/questions/55858141", "targets_outside_unit_range|range_cannot_reach_targets", sine,
     "a sine in columns: taken for a yes or no", "a sine in columns: a number and its square error")  # fmt: skip
both("stats.stackexchange.com/questions/329619", "weights_without_gradient", two_ago,
     "two steps ago: every step is a series of its own", "two steps ago: windows of three steps")  # fmt: skip
both("ethanluoyc/pytorch-vae#3", "terms_out_of_balance", pictures_by_code,
     "a picture by a code: means of 144 and of eight", "a picture by a code: sums of a picture")  # fmt: skip
both("NVIDIA/VariantWorks#166", "activation_twice", consensus,
     "readings above each other: a softmax in training", "readings above each other: raw scores")  # fmt: skip
both("samet-akcay/skip-ganomaly#5", "dead_term", anomalies,
     "a picture judged by its discriminator: cut off", "a picture judged by its discriminator: connected")  # fmt: skip
both("yunjey/pytorch-tutorial#172", "labels_not_shifted|target_in_view", captions,
     "captions: the words themselves are asked for", "captions: the picture stands before the words")  # fmt: skip
wrong("an overlap and a cross-entropy: both signs", "wrong_formula|better_outputs_cost_more|unbounded_loss", COMBO)(
    lambda: combo("yes", "what is missing"))  # fmt: skip
wrong("an overlap and a cross-entropy: a bracket", "wrong_formula|better_outputs_cost_more|unbounded_loss", COMBO)(
    lambda: combo("yes", "overlap"))  # fmt: skip
right("an overlap and a cross-entropy: each with its sign", COMBO)(lambda: combo("both", "overlap"))
both("lucidrains/DALLE-pytorch#92", "wrong_formula|terms_out_of_balance|shapes_broadcast", words_of_pictures,
     "words of pictures: a sum over all places of all", "words of pictures: a mean over the places")  # fmt: skip
wrong("voices: a length of the whole batch", "wrong_formula", SPEAKER)(lambda: voices("of a batch", "other less own"))
wrong("voices: own less other", "better_outputs_cost_more|wrong_formula", SPEAKER)(
    lambda: voices("of units", "own less other"))  # fmt: skip
right("voices: other less own, of length one", SPEAKER)(lambda: voices("of units", "other less own"))
both("datascience.stackexchange.com/questions/38604", "targets_outside_unit_range", digits,
     "ten digits: one output, and a yes or no", "ten digits: ten outputs")  # fmt: skip
both("stackoverflow.com/questions/46995209", "inputs_not_scaled|saturated_units", wave,
     "a wave over a thousand steps: the steps as they are", "a wave over a thousand steps: standardised")  # fmt: skip
both(f"{DATASET} 'How to learn the weights between two losses?'", "loss_without_gradient", weighed_tasks,
     "two tasks: their losses are put into a new tensor", "two tasks: their losses are stacked")  # fmt: skip
both("codewithsundeep.com/discussion/solution/52355145", "samples_mixed|shapes_broadcast|wrong_formula", straight_line,
     "a line: as many weights as pairs of points", "a line: one weight")  # fmt: skip
both("openillumi.com/?p=74183", "unused_input", first_word,
     "a sentence by its first word: no places", "a sentence by its first word: places")  # fmt: skip
both(f"{DATASET} 'Finding polynomial function questions'", "inputs_not_scaled|large_targets", polynomial,
     "a polynomial: the cube of a thousand", "a polynomial: everything standardised")  # fmt: skip


@right("sizes of what is there: zero where nothing is", f"{DATASET} 'a loss function that ignores certain samples'")
def sizes():
    """Is something there, where, and how large? The third loss leaves out samples that are marked by zero."""
    x, epsilon = torch.randn(N, 10), 1e-6
    there = (x[:, :1] + x[:, 1:2] > 0).float()
    size = there * (2 + x[:, 2:3].tanh())

    def loss(prediction: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
        third = torch.sum(torch.square(prediction[2] - y[2]) * (y[2] / (y[2] + epsilon)))
        first = F.binary_cross_entropy_with_logits(prediction[0], y[0], reduction="sum")
        return first + F.mse_loss(prediction[1], y[1], reduction="sum") + third

    heads = {name: nn.Linear(32, 1) for name in ("there", "where", "size")}
    model = Part(lambda self, x: tuple(getattr(self, name)(F.relu(self.body(x))) for name in heads),
                 body=nn.Linear(10, 32), **heads)  # fmt: skip
    return model, loss, x, (there, x[:, 3:4], size)


@right("moods in a dialogue: weighed, padding masked", "discuss.pytorch.org/t/150598")
def moods():
    """The mood of each utterance; classes have weights and what fills a dialogue up is masked."""
    weight = torch.tensor([0.5, 1.0, 2.0, 1.0, 1.5, 1.0])
    nll = nn.NLLLoss(weight=weight, reduction="sum")

    def loss(log_prob: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        pred, target, mask_ = log_prob.reshape(-1, 6), y[0].reshape(-1), y[1].reshape(-1, 1)
        return nll(pred * mask_, target) / torch.sum(weight[target] * mask_.squeeze())

    utterances, sizes = torch.randn(N, 7, 10), torch.randint(3, 8, (N, 1))
    mask = (torch.arange(7) < sizes).float()
    model = Part(lambda self, x: F.log_softmax(self.smax_fc(self.gru(x.transpose(0, 1))[0]), 2).transpose(0, 1),
                 gru=nn.GRU(10, 32), smax_fc=nn.Linear(32, 6))  # fmt: skip
    return model, loss, utterances * mask[..., None], (utterances[..., :6].argmax(2), mask)
