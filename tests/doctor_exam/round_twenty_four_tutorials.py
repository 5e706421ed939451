"""Set-ups of the twenty-fourth round (own projects), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs
from doctor_exam.round_parts import Part

TWENTY_FOUR_TUTORIALS = CaseSet()
right = TWENTY_FOUR_TUTORIALS.right

MEAN, STD = torch.tensor([0.485, 0.456, 0.406])[:, None, None], torch.tensor([0.229, 0.224, 0.225])[:, None, None]
TEXT = "first citizen: before we proceed any further, hear me speak. all: speak, speak. first citizen: you are all "
TEXT += "resolved rather to die than to famish? all: resolved. resolved. first, you know caius marcius is chief enemy."


def patterns(kinds: Tensor, *shape: int) -> Tensor:
    """Samples in [0, 1]: a pattern for each class and some noise."""
    return (torch.rand(int(kinds.max()) + 1, *shape)[kinds] + 0.15 * torch.randn(len(kinds), *shape)).clamp(0, 1)


def letters(length: int) -> tuple[Tensor, Tensor, int]:
    """Pieces of a text as letter numbers, the same one letter later, and the number of letters."""
    alphabet = sorted(set(TEXT))
    numbers = torch.tensor([alphabet.index(letter) for letter in TEXT])
    starts = torch.randint(0, len(TEXT) - length - 1, (N,)).tolist()
    x, y = (torch.stack([numbers[s + k : s + k + length] for s in starts]) for k in (0, 1))
    return x, y, len(alphabet)


def block(before: int, after: int, pool: int = 0, stride: int = 1) -> nn.Sequential:
    """A convolution, batch norm and ReLU, perhaps a pooling layer."""
    layers = [nn.Conv2d(before, after, 3, stride, 1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(pool)] if pool else []))


@right("breast cancer: logistic regression", "github.com/patrickloeber/pytorchTutorial 08_logistic_regression")
def breast_cancer():
    """Thirty standardised numbers, one linear layer and a sigmoid, binary cross-entropy on a column."""
    x = inputs(30)
    y = (x @ torch.randn(30) > 0).float().view(-1, 1)
    return nn.Sequential(nn.Linear(30, 1), nn.Sigmoid()), nn.BCELoss(), x, y


@right("fuel: miles per gallon", "Kaggle auto-mpg regression notebooks")
def fuel():
    """Nine standardised features, two hidden layers, mean squared error on miles per gallon as they are."""
    x = inputs(9)
    y = (23 + 5 * x[:, :1] - 4 * x[:, 1:2] + torch.randn(N, 1)).clamp(9, 47)
    net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    return net, nn.MSELoss(), x, y


@right("continuous XOR", "uvadlc-notebooks.readthedocs.io tutorial 2, introduction to PyTorch")
def xor():
    """Noisy corners of a square, four tanh units, one logit squeezed in the training loop."""
    corners = torch.randint(0, 2, (N, 2))
    net, loss = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)), nn.BCEWithLogitsLoss()
    x, y = corners + 0.1 * torch.randn(N, 2), (corners.sum(1) == 1).long()
    return net, lambda out, labels: loss(out.squeeze(dim=1), labels.float()), x, y


@right("three spiral arms", "cs231n.github.io neural networks case study, in PyTorch (Canziani's course)")
def spiral():
    """Points of three spiral arms, one hidden layer, cross-entropy."""
    arm, radius = torch.arange(30) % 3, torch.rand(30)
    angle = 4 * arm + 4 * radius + 0.2 * torch.randn(30)
    x = torch.stack([radius * angle.sin(), radius * angle.cos()], 1)
    return nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 3)), nn.CrossEntropyLoss(), x, arm


@right("clothes: log-softmax and dropout", "Udacity intro-to-pytorch part 5, inference and validation")
def clothes():
    """Flattened Fashion-MNIST pictures in [-1, 1], dropout, log-softmax and NLLLoss."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = x.view(x.shape[0], -1)
        for layer in (self.fc1, self.fc2, self.fc3):
            x = self.dropout(F.relu(layer(x)))
        return F.log_softmax(self.fc4(x), dim=1)

    sizes = (784, 256, 128, 64, 10)
    layers = {f"fc{i}": nn.Linear(sizes[i - 1], sizes[i]) for i in range(1, 5)}
    y = classes(10)
    return Part(forward, dropout=nn.Dropout(0.2), **layers), nn.NLLLoss(), (patterns(y, 1, 28, 28) - 0.5) / 0.5, y


@right("digits: Kaggle's recognizer", "kaggle.com Digit Recognizer, CNN notebooks in PyTorch")
def digits():
    """Grey pictures divided by 255, convolutions with batch norm, dropout before the scores, cross-entropy."""
    y = classes(10)
    head = nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
    net = nn.Sequential(block(1, 16, 2), block(16, 32, 2), nn.Flatten(), *head)
    return net, nn.CrossEntropyLoss(), patterns(y, 1, 28, 28), y


@right("plant diseases: ResNet-9", "kaggle.com plant-disease-classification-resnet (New Plant Diseases Dataset)")
def plants():
    """Leaves through ToTensor alone, two residual blocks, 38 classes, F.cross_entropy."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.conv2(self.conv1(x))
        x = self.conv3(self.res1(x) + x)
        return self.classifier(self.res2(x) + x)

    y = classes(38)
    res = {"res1": nn.Sequential(block(16, 16), block(16, 16)), "res2": nn.Sequential(block(32, 32), block(32, 32))}
    head = nn.Sequential(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(32, 38))
    net = Part(forward, conv1=block(3, 8), conv2=block(8, 16, 4), conv3=block(16, 32, 4), classifier=head, **res)
    return net, F.cross_entropy, patterns(y, 3, 64, 64), y


@right("what a phone's owner does", "github.com/guillaume-chevalier LSTM-Human-Activity-Recognition, in PyTorch")
def activity():
    """Nine sensors over time, two LSTM layers, the last step's state to six activities."""
    y = classes(6)
    time = torch.arange(64) / 10
    x = (time[None, :, None] * (1 + y[:, None, None])).sin() + 0.2 * torch.randn(N, 64, 9)
    lstm = nn.LSTM(9, 32, num_layers=2, batch_first=True, dropout=0.5)
    net = Part(lambda self, x: self.fc(self.lstm(x)[0][:, -1, :]), lstm=lstm, fc=nn.Linear(32, 6))
    return net, nn.CrossEntropyLoss(), x, y


@right("heartbeats: five kinds", "kaggle.com ECG Heartbeat Categorization, 1-D CNN notebooks in PyTorch")
def heartbeats():
    """Single beats of 187 values in [0, 1], zeros at the end, convolutions over time, cross-entropy."""
    y = classes(5)
    x = patterns(y, 1, 187) * (torch.arange(187) < torch.randint(90, 160, (N, 1, 1)))
    convolutions = nn.Conv1d(1, 16, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 5), nn.ReLU(), nn.MaxPool1d(2)
    head = nn.AdaptiveAvgPool1d(8), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 5)
    return nn.Sequential(*convolutions, *head), nn.CrossEntropyLoss(), x, y


@right("airline passengers: every next month", "machinelearningmastery.com LSTM for time series in PyTorch, scaled")
def passengers():
    """Windows of a scaled monthly series, the target the window one month later, squared error at every step."""
    months = torch.arange(40.0)
    series = months / 40 + 0.15 * (months * torch.pi / 6).sin() * (1 + months / 40)
    series = (series - series.min()) / (series.max() - series.min())
    x, y = (torch.stack([series[s + k : s + k + 12] for s in range(24)])[..., None] for k in (0, 1))
    layers = {"lstm": nn.LSTM(1, 50, batch_first=True), "linear": nn.Linear(50, 1)}
    net = Part(lambda self, x: self.linear(self.lstm(x)[0]), **layers)
    return net, nn.MSELoss(), x, y


@right("Shakespeare: a GPT in a lecture", "github.com/karpathy/ng-video-lecture gpt.py")
def lecture_gpt():
    """Token and position embeddings, causal attention, the model itself flattens and returns scores and loss."""

    def forward(self: Part, idx: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        x = self.token(idx) + self.position(torch.arange(idx.shape[1]))
        q, k, v = (layer(self.ln1(x)).unflatten(2, (4, 8)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        weights = q @ k.transpose(-2, -1) * 8**-0.5
        past = torch.tril(torch.ones(idx.shape[1], idx.shape[1]))
        weights = weights.masked_fill(past == 0, float("-inf")).softmax(-1)
        x = x + self.proj((weights @ v).transpose(1, 2).flatten(2))
        logits = self.head(self.ln(x + self.feed(self.ln2(x)))).flatten(0, 1)
        return logits, F.cross_entropy(logits, targets.flatten())

    x, y, count = letters(8)
    layers = {name: nn.Linear(32, 32, bias=False) for name in "qkv"} | {f"ln{i}": nn.LayerNorm(32) for i in ("", 1, 2)}
    layers |= {"token": nn.Embedding(count, 32), "position": nn.Embedding(8, 32), "proj": nn.Linear(32, 32)}
    layers |= {"feed": nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 32)), "head": nn.Linear(32, count)}
    return Part(forward, **layers), lambda outputs, _: outputs[1], (x, y), None


@right("Anna Karenina by letters", "Udacity deep-learning-v2-pytorch recurrent-neural-networks/char-rnn")
def anna():
    """One-hot letters, a two-layer LSTM, steps flattened into the batch for the scores and the targets alike."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, hidden = self.lstm(x)
        return self.fc(self.dropout(out).contiguous().view(-1, 64)), hidden

    x, y, count = letters(20)
    lstm = nn.LSTM(count, 64, 2, dropout=0.5, batch_first=True)
    net, loss = Part(forward, lstm=lstm, dropout=nn.Dropout(0.5), fc=nn.Linear(64, count)), nn.CrossEntropyLoss()
    return net, lambda out, y: loss(out[0], y.view(-1)), F.one_hot(x, count).float(), y


@right("reviews: zeros on the left", "Udacity deep-learning-v2-pytorch sentiment-rnn")
def left_padded():
    """Reviews filled up with zeros on the left, an LSTM, a sigmoid at every step, the last one counts; BCELoss."""

    def forward(self: Part, x: Tensor) -> Tensor:
        out = self.dropout(self.lstm(self.embedding(x))[0].contiguous().view(-1, 32))
        return self.sig(self.fc(out)).view(x.size(0), -1)[:, -1]

    y = torch.arange(N) % 2
    x = torch.where(torch.rand(N, 20) < 0.3, 1 + y[:, None], torch.randint(3, 101, (N, 20)))
    x = x * (torch.arange(20) >= torch.randint(0, 12, (N, 1)))
    layers = {"embedding": nn.Embedding(101, 24), "lstm": nn.LSTM(24, 32, 2, dropout=0.5, batch_first=True)}
    net, loss = Part(forward, **layers, dropout=nn.Dropout(0.3), fc=nn.Linear(32, 1), sig=nn.Sigmoid()), nn.BCELoss()
    return net, lambda out, y: loss(out.squeeze(), y.float()), x, y


@right("chatbot: intents", "github.com/patrickloeber/pytorch-chatbot")
def chatbot():
    """A bag of words of zeros and ones, eight hidden units twice, the tag by cross-entropy."""
    y = torch.arange(26) % 7
    x = torch.zeros(26, 54)
    for row, tag in enumerate(y.tolist()):
        x[row, 7 * tag + torch.randperm(7)[:3]] = 1
    net = nn.Sequential(nn.Linear(54, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 7))
    return net, nn.CrossEntropyLoss(), x, y


@right("captchas: CTC", "github.com/abhishekkrthakur/captcha-recognition-pytorch")
def captchas():
    """Columns of a convolved picture as steps, a two-way GRU, CTC with blank 0 and five symbols from 1 on."""

    def forward(self: Part, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        bs = images.size(0)
        x = self.conv(images).permute(0, 3, 1, 2)
        x = F.relu(self.linear(x.reshape(bs, x.size(1), -1)))
        x = self.output(self.gru(x)[0]).permute(1, 0, 2)
        lengths, sizes = (torch.full((bs,), n, dtype=torch.int32) for n in (x.size(0), targets.size(1)))
        return x, nn.CTCLoss(blank=0)(F.log_softmax(x, 2), targets, lengths, sizes)

    targets = torch.randint(0, 19, (8, 5)) + 1
    glyphs = torch.rand(20, 3, 24, 16)
    x = torch.cat([glyphs[targets[:, i]] for i in range(5)], 3)
    first = nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    conv = nn.Sequential(*first, nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    gru = nn.GRU(32, 16, bidirectional=True, num_layers=2, dropout=0.25, batch_first=True)
    net = Part(forward, conv=conv, linear=nn.Linear(48, 32), gru=gru, output=nn.Linear(32, 20))
    return net, lambda outputs, _: outputs[1], ((x - MEAN) / STD, targets), None


@right("one box and its class", "pyimagesearch.com training an object detector from scratch in PyTorch")
def one_box():
    """A frozen backbone, corners in [0, 1] through a sigmoid by squared error, the class by cross-entropy."""
    y, start = classes(3), torch.randint(0, 16, (N, 2))
    end = start + torch.randint(8, 17, (N, 2))
    x = 0.2 * torch.rand(N, 3, 32, 32)
    for i in range(N):
        x[i, y[i], start[i, 1] : end[i, 1], start[i, 0] : end[i, 0]] += 0.7
    base = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU(), nn.Flatten())
    regressor = nn.Sequential(nn.Linear(1024, 32), nn.ReLU(), nn.Linear(32, 4), nn.Sigmoid())
    classifier = nn.Sequential(nn.Linear(1024, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 3))

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.base(x)
        return self.regressor(features), self.classifier(features)

    net = Part(forward, base=base.requires_grad_(False), regressor=regressor, classifier=classifier)
    boxes = torch.cat([start, end], 1) / 32
    return net, lambda p, t: F.mse_loss(p[0], t[0]) + F.cross_entropy(p[1], t[1]), (x - MEAN) / STD, (boxes, y)


@right("colours for grey photos", "github.com/lukemelas/Automatic-Image-Colorization")
def colours():
    """Brightness in, the two colour channels scaled into [0, 1] out, upsampled again, mean squared error."""
    x = F.interpolate(torch.rand(8, 1, 8, 8), 32, mode="bilinear")
    ab = torch.cat([0.5 + 0.2 * (x - 0.5), 0.5 - 0.3 * (x - 0.5)], 1) + 0.02 * torch.randn(8, 2, 32, 32)
    up = nn.Upsample(scale_factor=2), block(32, 16), nn.Conv2d(16, 2, 3, padding=1), nn.Upsample(scale_factor=2)
    net = nn.Sequential(block(1, 16, stride=2), block(16, 32, stride=2), *up)
    return net, nn.MSELoss(), x, ab.clamp(0, 1)


@right("eye disease: the grade as a number", "kaggle.com APTOS 2019, regression with one output and rounded thresholds")
def grades():
    """Five ordered grades as a number in a column, one output without an end, mean squared error."""
    y = classes(5)
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1)
    net = nn.Sequential(block(3, 16, stride=2), block(16, 32, stride=2), *head)
    return net, nn.MSELoss(), (patterns(y, 3, 32, 32) - MEAN) / STD, y.float().view(-1, 1)
