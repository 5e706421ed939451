"""Set-ups of the twenty-sixth round (student), ordinary right ones, written without knowing the checks."""

from copy import deepcopy
from math import pi

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_SIX_STUDENT = CaseSet()
right = TWENTY_SIX_STUDENT.right


def pictures(y: Tensor, channels: int, size: int) -> Tensor:
    """Smooth pictures from 0 to 1, those of a class alike."""
    patterns = torch.rand(int(y.max()) + 1, channels, 6, 6)[y]
    return F.interpolate(0.7 * patterns + 0.3 * torch.rand_like(patterns), size, mode="bilinear")


def digits(y: Tensor) -> Tensor:
    """Light strokes on black, 28 by 28 with a dark edge, as ToTensor() gives them."""
    return F.pad((3 * pictures(y, 1, 20) - 1.4).clamp(0, 1), (4, 4, 4, 4))


def standardised(x: Tensor) -> Tensor:
    """Columns of mean zero and deviation one."""
    return (x - x.mean(0)) / x.std(0)


@right("student: iris", "the first course on neural networks, any")
def iris():
    """Three species by four standardised measurements."""
    means = torch.tensor([[5.0, 3.4, 1.5, 0.25], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    y = torch.arange(30) % 3
    x = means[y] + torch.randn(30, 4) * torch.tensor([0.4, 0.3, 0.3, 0.15])
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), nn.CrossEntropyLoss(), standardised(x), y


@right("student: a straight line", "learnpytorch.io, the first workflow")
def line():
    """A line through noisy points."""
    x = torch.linspace(0, 1, 32).unsqueeze(1)
    return nn.Linear(1, 1), nn.L1Loss(), x, 0.7 * x + 0.3 + 0.02 * torch.randn(32, 1)


@right("student: house prices", "scikit-learn's California housing, homework")
def houses():
    """The value of a district in hundred thousands by eight standardised columns."""
    x = standardised(torch.randn(32, 8).exp())
    y = (2 + x @ torch.tensor([[0.8], [0.1], [-0.2], [0.2], [0.0], [-0.1], [-0.4], [-0.4]])).clamp(0.15, 5)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    return model, nn.MSELoss(), x, y


@right("student: Titanic", "kaggle.com, the first competition")
def titanic():
    """Who survived, by class, sex, age, family, fare and port."""
    female, pclass = (torch.arange(32) % 2).float(), torch.randint(1, 4, (32,)).float()
    age, family, fare = 30 + 12 * torch.randn(32), torch.randint(0, 4, (32,)).float(), 25 * torch.randn(32).exp()
    numbers = standardised(torch.stack([pclass, age.clamp(1, 80), family, fare.log1p()], 1))
    port = F.one_hot(torch.randint(0, 3, (32,)), 3).float()
    x = torch.cat([numbers, female[:, None], port], 1)
    survived = (2.5 * female - 1.2 - 0.5 * numbers[:, 0] + 0.5 * torch.randn(32) > 0).float()
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    return net, nn.BCEWithLogitsLoss(), x, survived.unsqueeze(1)


@right("student: MNIST, plain network", "the first homework of a deep learning course")
def mnist_mlp():
    """Three linear layers on flattened digits."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(28 * 28, 128), nn.Linear(128, 64), nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(self.fc1(x.view(-1, 28 * 28)))
            return self.fc3(F.relu(self.fc2(x)))

    y = torch.randperm(32) % 10
    return Net(), nn.CrossEntropyLoss(), (digits(y) - 0.1307) / 0.3081, y


@right("student: MNIST, convolutions", "the second homework of a deep learning course")
def mnist_cnn():
    """Two convolutions, log-probabilities and their negative likelihood."""
    y = torch.randperm(32) % 10
    model = nn.Sequential(
        *[nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.ReLU()],
        *[nn.Conv2d(8, 16, 5), nn.MaxPool2d(2), nn.ReLU()],
        *[nn.Flatten(), nn.Linear(256, 50), nn.ReLU(), nn.Dropout(0.25), nn.Linear(50, 10), nn.LogSoftmax(dim=1)],
    )
    return model, nn.NLLLoss(), (digits(y) - 0.5) / 0.5, y


@right("student: CIFAR-10", "a course's second exercise")
def cifar():
    """Convolutions with batch normalisation on small colour pictures."""

    def block(c_in, c_out):
        return [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]

    y = torch.randperm(30) % 10
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
    x = (pictures(y, 3, 32) - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    head = [nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*block(3, 8), *block(8, 16), *block(16, 32), *head), nn.CrossEntropyLoss(), x, y


@right("student: cats and dogs", "kaggle.com dogs vs cats, own first project")
def cats_dogs():
    """A sigmoid at the end and the binary cross-entropy."""
    y = torch.randperm(16) % 2
    model = nn.Sequential(
        *[nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Linear(16 * 12 * 12, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()],
    )
    return model, nn.BCELoss(), (pictures(y, 3, 48) - 0.5) / 0.5, y.float().view(-1, 1)


@right("student: ants and bees", "pytorch.org/tutorials transfer learning, with AlexNet")
def transfer():
    """Frozen features and a new last part."""
    features = nn.Sequential(
        *[nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()],
    )
    for param in features.parameters():
        param.requires_grad = False
    classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 2))
    y = torch.randperm(16) % 2
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (pictures(y, 3, 64) - mean[:, None, None]) / std[:, None, None]
    return nn.Sequential(features, classifier), nn.CrossEntropyLoss(), x, y


@right("student: film reviews", "IMDB sentiment exercise")
def reviews():
    """Good or bad by an LSTM that reads packed texts."""

    def forward(self, text, lengths):
        packed = pack_padded_sequence(self.embedding(text), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        return self.fc(torch.cat([hidden[-2], hidden[-1]], dim=1)).squeeze(1)

    lstm = nn.LSTM(32, 32, batch_first=True, bidirectional=True)
    model = Part(forward, embedding=nn.Embedding(200, 32, padding_idx=0), lstm=lstm, fc=nn.Linear(64, 1))
    y, lengths = torch.arange(16) % 2, torch.randint(6, 21, (16,))
    words = []
    for good, size in zip(y.tolist(), lengths.tolist(), strict=True):
        telling = torch.randint(1, 40, (size,)) + 40 * good
        words.append(torch.where(torch.rand(size) < 0.5, telling, torch.randint(80, 200, (size,))))
    return model, nn.BCEWithLogitsLoss(), (pad_sequence(words, batch_first=True), lengths), y.float()


@right("student: news topics", "20 newsgroups with TF-IDF, homework")
def news():
    """Four topics by TF-IDF rows of length one."""
    y = torch.arange(32) % 4
    counts = torch.poisson((0.1 + 1.5 * (torch.rand(4, 100) < 0.15))[y])
    idf = ((1 + 32) / (1 + (counts > 0).sum(0))).log() + 1
    x = F.normalize(counts * idf, dim=1)
    model = nn.Sequential(nn.Linear(100, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 4))
    return model, nn.CrossEntropyLoss(), x, y


@right("student: names and languages", "pytorch.org/tutorials char_rnn_classification, in batches")
def names():
    """The language of a name by its letters, the state at the last letter."""
    known = ["Schmidt Schneider Fischer Weber Wagner Becker Schulz Koch", "Rossi Russo Ferrari Esposito Bianchi Romano"]
    known += ["Tanaka Suzuki Takahashi Watanabe Ito Yamamoto Nakamura"]
    pairs = [(name, i) for i, line in enumerate(known) for name in line.lower().split()]
    letters = [torch.tensor([ord(c) - 96 for c in name]) for name, _ in pairs]

    def forward(self, x):
        states, _ = self.rnn(self.emb(x).transpose(0, 1))
        return F.log_softmax(self.out(states[(x != 0).sum(1) - 1, torch.arange(len(x))]), dim=1)

    model = Part(forward, emb=nn.Embedding(27, 16, padding_idx=0), rnn=nn.RNN(16, 32), out=nn.Linear(32, 3))
    return model, nn.NLLLoss(), pad_sequence(letters, batch_first=True), torch.tensor([i for _, i in pairs])


@right("student: text by letters", "own, after a blog on recurrent networks")
def text():
    """The next letter at every place, and the state for writing on."""
    story = "the old man went to the river and the river was cold. he said that the fish will come when the sun is low."
    chars = sorted(set(story))
    windows = torch.tensor([chars.index(c) for c in story]).unfold(0, 25, 5)

    def forward(self, x, state=None):
        out, state = self.lstm(self.embed(x), state)
        return self.fc(out), state

    def loss_fn(output, target):
        return F.cross_entropy(output[0].reshape(-1, len(chars)), target.reshape(-1))

    vocab, lstm = len(chars), nn.LSTM(24, 64, batch_first=True)
    model = Part(forward, embed=nn.Embedding(vocab, 24), lstm=lstm, fc=nn.Linear(64, vocab))
    return model, loss_fn, windows[:, :-1], windows[:, 1:]


@right("student: sine wave", "the usual first LSTM for series")
def sine():
    """The next value of a sine by the last twenty."""

    def forward(self, x):
        return self.linear(self.lstm(x)[0][:, -1, :])

    lstm = nn.LSTM(input_size=1, hidden_size=32, num_layers=2, batch_first=True)
    windows = torch.sin(torch.linspace(0, 8 * pi, 181)).unfold(0, 21, 5)[:32]
    model = Part(forward, lstm=lstm, linear=nn.Linear(32, 1))
    return model, nn.MSELoss(), windows[:, :20].unsqueeze(-1), windows[:, 20:]


@right("student: weather", "own, daily weather of a city")
def weather():
    """The temperature of three days by two weeks of three standardised columns."""
    day = torch.arange(400.0)
    warm = 10 + 9 * torch.sin(2 * pi * day / 365) + 3 * torch.sin(2 * pi * day / 17) + torch.randn(400)
    damp = 75 - 1.2 * (warm - 10) + 4 * torch.randn(400)
    pressure = 1013 + 6 * torch.cos(2 * pi * day / 17) + 2 * torch.randn(400)
    series = standardised(torch.stack([warm, damp, pressure], 1))
    starts = torch.randperm(380)[:32].tolist()
    x, y = torch.stack([series[s : s + 14] for s in starts]), torch.stack([series[s + 14 : s + 17, 0] for s in starts])

    def forward(self, x):
        return self.head(self.gru(x)[1][-1])

    return Part(forward, gru=nn.GRU(3, 32, batch_first=True), head=nn.Linear(32, 3)), nn.L1Loss(), x, y


@right("student: autoencoder of digits", "a course's exercise on autoencoders")
def autoencoder():
    """Digits through a code of sixteen numbers and back."""
    x = digits(torch.arange(32) % 10).flatten(1)
    encoder = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 16))
    decoder = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())
    return nn.Sequential(encoder, decoder), nn.MSELoss(), x, x


@right("student: variational autoencoder", "github.com/pytorch/examples vae, as an exercise")
def vae():
    """The reconstruction's cross-entropy and the divergence, both summed."""

    def forward(self, x):
        h = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc_mu(h), self.fc_logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def loss_function(outputs, x):
        recon, mu, logvar = outputs
        bce = F.binary_cross_entropy(recon, x.view(-1, 784), reduction="sum")
        return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    x, heads = digits(torch.arange(32) % 10), dict(fc_mu=nn.Linear(100, 10), fc_logvar=nn.Linear(100, 10))
    model = Part(forward, fc1=nn.Linear(784, 100), **heads, fc3=nn.Linear(10, 100), fc4=nn.Linear(100, 784))
    return model, loss_function, x, x


@right("student: film ratings", "MovieLens, a course on recommendations")
def ratings():
    """One to five stars by factors and biases of users and films."""

    def forward(self, u, m):
        dot = (self.user(u) * self.movie(m)).sum(1)
        return mean + dot + self.user_bias(u).squeeze(1) + self.movie_bias(m).squeeze(1)

    users, movies = torch.arange(32) % 8, torch.arange(32) // 8 * 3 + torch.arange(32) % 3
    stars = (3.5 + torch.randn(8)[users] + torch.randn(12)[movies]).round().clamp(1, 5)
    mean = stars.mean().item()
    tables = {"user": nn.Embedding(8, 8), "movie": nn.Embedding(12, 8)}
    tables |= {"user_bias": nn.Embedding(8, 1), "movie_bias": nn.Embedding(12, 1)}
    for table in tables.values():
        nn.init.normal_(table.weight, std=0.1)
    return Part(forward, **tables), nn.MSELoss(), (users, movies), stars


@right("student: pets cut out", "Oxford pets with a small U-Net, own project")
def unet():
    """Pet, background and edge of every pixel."""

    def double(c_in, c_out):
        layers = [nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers, nn.Conv2d(c_out, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        x = self.up2(self.bottom(F.max_pool2d(b, 2)))
        x = self.up1(self.dec2(torch.cat([b, x], 1)))
        return self.out(self.dec1(torch.cat([a, x], 1)))

    parts = dict(down1=double(3, 8), down2=double(8, 16), bottom=double(16, 32))
    parts |= dict(dec2=double(32, 16), dec1=double(16, 8))
    ups = dict(up2=nn.ConvTranspose2d(32, 16, 2, stride=2), up1=nn.ConvTranspose2d(16, 8, 2, stride=2))
    model = Part(forward, **parts, **ups, out=nn.Conv2d(8, 3, 1))
    place, radius = torch.randint(12, 21, (8, 2, 1, 1)), torch.randint(6, 10, (8, 1, 1))
    rows, columns = torch.arange(32).view(1, 32, 1), torch.arange(32).view(1, 1, 32)
    far = ((rows - place[:, 0]) ** 2 + (columns - place[:, 1]) ** 2).float().sqrt() - radius
    mask = torch.where(far < -1, 0, torch.where(far > 1, 1, 2))
    colours = torch.tensor([[0.8, 0.5, 0.3], [0.2, 0.6, 0.3], [0.4, 0.4, 0.4]])[mask].permute(0, 3, 1, 2)
    x = (colours + 0.1 * torch.randn_like(colours)).clamp(0, 1)
    return model, nn.CrossEntropyLoss(), (x - 0.5) / 0.25, mask


@right("student: CartPole", "pytorch.org/tutorials reinforcement_q_learning, as homework")
def cartpole():
    """The Q values of a batch from the replay memory, with a target network."""
    policy = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    target_net = deepcopy(policy)
    state, action = torch.randn(32, 4) * torch.tensor([0.8, 0.6, 0.08, 0.6]), torch.randint(0, 2, (32, 1))
    state[::8, 2], state[::8, 3] = 0.205, 0.9  # about to fall
    push = (2.0 * action - 1) * torch.tensor([0, 0.195, 0, -0.29])
    next_state = state + 0.02 * torch.stack([state[:, 1], 0 * state[:, 0], state[:, 3], 0 * state[:, 0]], 1) + push
    done = ((next_state[:, 0].abs() > 2.4) | (next_state[:, 2].abs() > 0.2095)).float()

    def loss_fn(q, batch):
        action, reward, next_state, done = batch
        with torch.no_grad():
            expected = reward + 0.99 * (1 - done) * target_net(next_state).max(1).values
        return F.smooth_l1_loss(q.gather(1, action).squeeze(1), expected)

    return policy, loss_fn, state, (action, torch.ones(32), next_state, done)
