"""Set-ups of the twenty-fifth round (tutorials), ordinary right ones, written without knowing the checks."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_FIVE_TUTORIALS = CaseSet()
right = TWENTY_FIVE_TUTORIALS.right


def standardised(x: Tensor) -> Tensor:
    """Columns of mean zero and deviation one."""
    return (x - x.mean(0)) / x.std(0)


def pictures(count: int, kinds: int, channels: int, size: int) -> tuple[Tensor, Tensor]:
    """Pictures between 0 and 1, each kind a smooth pattern seen through noise, and their kinds."""
    y = torch.arange(count)[torch.randperm(count)] % kinds
    patterns = F.interpolate(torch.rand(kinds, channels, 4, 4), size, mode="bilinear")
    return (patterns[y] + 0.1 * torch.randn(count, channels, size, size)).clamp(0, 1), y


def digits() -> tuple[Tensor, Tensor]:
    """Light strokes on black, 28 by 28, ten kinds."""
    x, y = pictures(32, 10, 1, 28)
    return ((x - 0.5) * 3).clamp(0, 1), y


@right("tutorials: a line of one weight and one bias", "learnpytorch.io 01_pytorch_workflow")
def straight_line():
    """Two parameters of one's own and the mean absolute error."""
    x = torch.arange(0, 1, 1 / 32).unsqueeze(dim=1)
    weights, bias = nn.Parameter(torch.randn(1)), nn.Parameter(torch.randn(1))
    return Part(lambda self, x: self.weights * x + self.bias, weights=weights, bias=bias), nn.L1Loss(), x, 0.7 * x + 0.3


@right("tutorials: linear regression, concise", "d2l.ai linear-regression-concise")
def linear_regression():
    """Synthetic data of two features with a little noise."""
    X = torch.normal(0, 1, (32, 2))
    y = X @ torch.tensor([[2.0], [-3.4]]) + 4.2 + torch.normal(0, 0.01, (32, 1))
    return nn.Sequential(nn.Linear(2, 1)), nn.MSELoss(), X, y


@right("tutorials: the unknown thermometer", "Deep Learning with PyTorch, chapters 5 and 6")
def thermometer():
    """Degrees Celsius from a tenth of an unknown unit, with a small hidden layer."""
    t_c = 10 + 9 * torch.randn(11, 1)
    t_un = 0.1 * (1.8 * t_c + 32 + torch.randn(11, 1))
    model = nn.Sequential(nn.Linear(1, 13), nn.Tanh(), nn.Linear(13, 1))
    return model, lambda t_p, t_c: ((t_p - t_c) ** 2).mean(), t_un, t_c


@right("tutorials: two circles", "learnpytorch.io 02_pytorch_classification")
def circles():
    """Two rings of points, three layers with ReLU and one logit squeezed."""
    angle, y = 2 * math.pi * torch.rand(32), torch.arange(32) % 2
    X = torch.stack([angle.cos(), angle.sin()], 1) * (1 - 0.2 * y[:, None]) + 0.03 * torch.randn(32, 2)
    stack = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1))
    return Part(lambda self, x: self.stack(x).squeeze(), stack=stack), nn.BCEWithLogitsLoss(), X, y.float()


@right("tutorials: four blobs", "learnpytorch.io 02_pytorch_classification")
def blobs():
    """Four clouds of points and raw scores of four classes."""
    y_blob = torch.arange(32) % 4
    centers = torch.tensor([[-3.0, 9.0], [5.0, 2.0], [-7.0, -6.0], [4.0, -8.0]])
    X_blob = standardised(centers[y_blob] + 1.5 * torch.randn(32, 2))
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    return model, nn.CrossEntropyLoss(), X_blob, y_blob


@right("tutorials: the irises", "many a first PyTorch notebook")
def iris():
    """Four scaled measures, three species."""
    y = torch.tensor([0, 1, 2] * 10)
    means = torch.tensor([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    x = standardised(means[y] + torch.randn(30, 4) * torch.tensor([0.5, 0.3, 0.4, 0.2]))
    layers = [nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 3)]
    return nn.Sequential(*layers), nn.CrossEntropyLoss(), x, y


@right("tutorials: onset of diabetes", "machinelearningmastery.com, first neural network with PyTorch")
def diabetes():
    """Eight scaled columns, a sigmoid and the binary cross-entropy."""
    layers = [nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()]
    X = torch.randn(32, 8)
    risk = X[:, 1] + 0.6 * X[:, 5] + 0.4 * X[:, 7] + 0.2 * torch.randn(32)
    y = (risk > risk.quantile(0.65)).to(torch.float32).reshape(-1, 1)
    return nn.Sequential(*layers), nn.BCELoss(), X, y


@right("tutorials: California's houses", "machinelearningmastery.com, regression models in PyTorch")
def california():
    """A pyramid of layers; the value in hundred thousands of dollars."""
    X = standardised(torch.randn(32, 8).exp())
    y = (2.1 + 0.9 * X[:, 0] - 0.3 * X[:, 5] + 0.2 * torch.randn(32)).clamp(0.15, 5.0)
    pyramid = [nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 1)]
    return nn.Sequential(*pyramid), nn.MSELoss(), X, y.reshape(-1, 1)


@right("tutorials: house prices on Kaggle", "d2l.ai kaggle-house-price")
def house_prices():
    """A linear model of scaled numbers and indicator columns; the logarithm of the price."""
    numbers, zone = torch.randn(32, 10), F.one_hot(torch.arange(32) % 5, 5).float()
    log_price = 12 + 0.3 * numbers[:, :1] + 0.1 * numbers[:, 1:2] - 0.3 * zone[:, :1] + 0.2 * zone[:, 3:4]
    return nn.Linear(15, 1), nn.MSELoss(), torch.cat([numbers, zone], 1), log_price + 0.05 * torch.randn(32, 1)


@right("tutorials: softmax regression of clothes", "d2l.ai softmax-regression-concise")
def softmax_regression():
    """One linear layer on flattened pictures between 0 and 1."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    return net, lambda Y_hat, Y: F.cross_entropy(Y_hat, Y, reduction="mean"), *pictures(32, 10, 1, 28)


@right("tutorials: digits with a plain network", "Udacity, intro to deep learning with PyTorch")
def plain_digits():
    """Pictures from -1 to 1, dropout, log-probabilities."""
    images, labels = digits()
    images = (images.view(images.shape[0], -1) - 0.5) / 0.5
    layers = [nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers, nn.LogSoftmax(dim=1)), nn.NLLLoss(), images, labels


@right("tutorials: digits with convolutions", "yunjey/pytorch-tutorial convolutional_neural_network")
def convolved_digits():
    """Two blocks of convolution, batch normalisation, ReLU and pooling."""
    layer1 = nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2, stride=2))
    layer2 = nn.Sequential(nn.Conv2d(16, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2, stride=2))
    model = nn.Sequential(layer1, layer2, nn.Flatten(), nn.Linear(7 * 7 * 32, 10))
    return model, nn.CrossEntropyLoss(), *digits()


@right("tutorials: birds and airplanes", "Deep Learning with PyTorch, chapter 8")
def birds():
    """Tanh and pooling, two outputs, pictures scaled with the data's mean and deviation."""
    features = [nn.Conv2d(3, 16, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2)]
    features += [nn.Conv2d(16, 8, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten()]
    imgs, labels = pictures(16, 2, 3, 32)
    imgs = (imgs - imgs.mean((0, 2, 3), keepdim=True)) / imgs.std((0, 2, 3), keepdim=True)
    model = nn.Sequential(*features, nn.Linear(8 * 8 * 8, 32), nn.Tanh(), nn.Linear(32, 2))
    return model, nn.CrossEntropyLoss(), imgs, labels


@right("tutorials: pizza, steak and sushi", "learnpytorch.io 04_pytorch_custom_datasets")
def tiny_vgg():
    """TinyVGG on 64 by 64 photographs between 0 and 1."""
    block1 = [nn.Conv2d(3, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    block2 = [nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*block1, *block2, nn.Flatten(), nn.Linear(in_features=10 * 16 * 16, out_features=3))
    return model, nn.CrossEntropyLoss(), *pictures(12, 3, 3, 64)


def convs(*widths: int) -> nn.Sequential:
    """Convolutions, each with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def small_resnet(classes: int) -> nn.Sequential:
    """Convolutions, two blocks with a way around them, and a linear layer."""
    ways = [Part(lambda self, x: self.net(x) + x, net=convs(n, n, n)) for n in (16, 32)]
    layers = [convs(3, 16), nn.MaxPool2d(2), ways[0], convs(16, 32), nn.MaxPool2d(2), ways[1]]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, classes))


@right("tutorials: CIFAR-10 with a residual network", "jovian, PyTorch zero to GANs, ResNet9")
def residual():
    """Residual blocks on pictures scaled with CIFAR-10's mean and deviation."""
    x, y = pictures(32, 10, 3, 32)
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
    return small_resnet(10), nn.CrossEntropyLoss(), (x - mean.view(3, 1, 1)) / std.view(3, 1, 1), y


@right("tutorials: ants and bees on a fixed network", "pytorch.org/tutorials transfer_learning_tutorial")
def ants_and_bees():
    """A network trained on other pictures, frozen, with a new last layer."""
    model, (photos, names) = small_resnet(8), pictures(32, 8, 3, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        F.cross_entropy(model((photos - 0.5) / 0.25), names).backward()
        optimizer.step()
    model.requires_grad_(False).zero_grad()
    model[-1] = nn.Linear(model[-1].in_features, 2)
    x, y = pictures(16, 2, 3, 32)
    return model, nn.CrossEntropyLoss(), (x - 0.5) / 0.25, y


@right("tutorials: several things in one picture", "fastai, practical deep learning, chapter 6")
def several_labels():
    """One logit per thing; each thing present adds its own pattern."""
    things, present = F.interpolate(torch.rand(6, 3, 4, 4), 32, mode="bilinear"), (torch.rand(24, 6) < 0.4).float()
    present[:6], present[6:12] = torch.eye(6), 1 - torch.eye(6)
    x = torch.einsum("nk,kchw->nchw", present, things) + 0.1 * torch.randn(24, 3, 32, 32)
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    return small_resnet(6), nn.BCEWithLogitsLoss(), x, present


@right("tutorials: autoencoder of digits", "Udacity, convolutional autoencoder")
def autoencoder():
    """Down with pooling, up with transposed convolutions, a sigmoid at the end."""
    encoder = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 4, 3, padding=1), nn.ReLU()]
    decoder = [nn.ConvTranspose2d(4, 16, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid()]
    return nn.Sequential(*encoder, nn.MaxPool2d(2, 2), *decoder), nn.MSELoss(), *[digits()[0]] * 2


@right("tutorials: variational autoencoder of digits", "github.com/pytorch/examples vae")
def variational():
    """Reconstruction and divergence, both summed over the batch."""

    def forward(self, x):
        h1 = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def loss_function(outputs, x):
        recon_x, mu, logvar = outputs
        BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction="sum")
        return BCE - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    x, _ = digits()
    heads = {"fc21": nn.Linear(100, 20), "fc22": nn.Linear(100, 20), "fc3": nn.Linear(20, 100)}
    return Part(forward, fc1=nn.Linear(784, 100), **heads, fc4=nn.Linear(100, 784)), loss_function, x, x


@right("tutorials: the language of a name", "pytorch.org/tutorials char_rnn_classification_tutorial")
def language_of_names():
    """One-hot letters, packed, and the last hidden state's log-probabilities."""

    def forward(self, letters, lengths):
        _, hidden = self.rnn(pack_padded_sequence(letters, lengths, enforce_sorted=False))
        return self.softmax(self.h2o(hidden[0]))

    names = "satoshi tanaka suzuki ito rossi bianchi ferrari conti ivanov petrov smirnov popov murphy kelly byrne walsh"
    letters = [F.one_hot(torch.tensor([ord(c) - 97 for c in name]), 26).float() for name in names.split()]
    model = Part(forward, rnn=nn.RNN(26, 64), h2o=nn.Linear(64, 4), softmax=nn.LogSoftmax(dim=1))
    inputs = pad_sequence(letters), torch.tensor([len(name) for name in letters])
    return model, nn.NLLLoss(), inputs, torch.arange(16) // 4


@right("tutorials: news in bags of words", "pytorch.org/tutorials text_sentiment_ngrams_tutorial")
def bags_of_news():
    """All texts in one row with their offsets, the mean of the embeddings, four topics."""
    label, lengths = torch.arange(16) % 4, torch.randint(6, 20, (16,))
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), lengths[:-1].cumsum(0)])
    topic = label.repeat_interleave(lengths)
    text = torch.randint(25, topic.shape) + torch.where(torch.rand(topic.shape) < 0.6, 25 * topic, 100)
    layers = {"embedding": nn.EmbeddingBag(125, 64), "fc": nn.Linear(64, 4)}
    model = Part(lambda self, text, offsets: self.fc(self.embedding(text, offsets)), **layers)
    return model, nn.CrossEntropyLoss(), (text, offsets), label


@right("tutorials: film reviews with an LSTM", "bentrevett/pytorch-sentiment-analysis")
def film_reviews():
    """Two directions over packed reviews; the last states of both give one logit."""

    def forward(self, text, lengths):
        embedded = self.dropout(self.embedding(text))
        hidden = self.rnn(pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False))[1][0]
        return self.fc(self.dropout(torch.cat((hidden[-2], hidden[-1]), dim=1))).squeeze(1)

    layers = {"embedding": nn.Embedding(200, 32, padding_idx=1), "dropout": nn.Dropout(0.5), "fc": nn.Linear(64, 1)}
    model = Part(forward, **layers, rnn=nn.LSTM(32, 32, bidirectional=True, batch_first=True))
    label, lengths = torch.arange(24) % 2, torch.randint(5, 25, (24,))
    text = torch.randint(2, 80, (24, 24)) + torch.where(torch.rand(24, 24) < 0.4, 60 * label[:, None], 0)
    text[torch.arange(24) >= lengths[:, None]] = 1
    return model, nn.BCEWithLogitsLoss(), (text, lengths), label.float()


@right("tutorials: airline passengers", "machinelearningmastery.com, LSTM for time series in PyTorch")
def passengers():
    """The next month from the last twelve, scaled to between 0 and 1."""
    month = torch.arange(44.0)
    series = (110 + 2.5 * month) * (1 + 0.1 * torch.sin(2 * math.pi * month / 12)) + 3 * torch.randn(44)
    windows = ((series - series.min()) / (series.max() - series.min())).unfold(0, 13, 1)
    layers = {"lstm": nn.LSTM(1, 50, batch_first=True), "linear": nn.Linear(50, 1)}
    model = Part(lambda self, x: self.linear(self.lstm(x)[0][:, -1]), **layers)
    return model, nn.MSELoss(), windows[:, :12, None], windows[:, 12:]


@right("tutorials: makemore's network", "Karpathy, zero to hero, makemore part 2")
def makemore():
    """Three letters before, embedded side by side, give the next one."""
    words = ["..." + w + "." for w in ("nora", "lena", "mira", "jonas", "emil", "clara")]
    letters = [[".abcdefghijklmnopqrstuvwxyz".index(ch) for ch in w] for w in words]
    X = torch.tensor([w[i : i + 3] for w in letters for i in range(len(w) - 3)])
    Y = torch.tensor([ix for w in letters for ix in w[3:]])
    model = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 100), nn.Tanh(), nn.Linear(100, 27))
    return model, F.cross_entropy, X, Y


@right("tutorials: a small GPT", "Karpathy, zero to hero, let's build GPT")
def small_gpt():
    """Letters and places embedded, two causal blocks, the next letter at every place."""

    def attend(self, x):
        q, k, v = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        return self.proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))

    def block(n=32):
        attention = Part(attend, qkv=nn.Linear(n, 3 * n, bias=False), proj=nn.Linear(n, n))
        nets = [attention], [nn.Linear(n, 4 * n), nn.ReLU(), nn.Linear(4 * n, n)]
        nets = [nn.Sequential(nn.LayerNorm(n), *net) for net in nets]
        return nn.Sequential(*[Part(lambda self, x: x + self.net(x), net=net) for net in nets])

    def forward(self, idx):
        return self.lm_head(self.blocks(self.tokens(idx) + self.places(torch.arange(idx.shape[1]))))

    text = "a learner reads the first page, then the next page, and writes the same small model again and again. " * 2
    data = torch.tensor([sorted(set(text)).index(c) for c in text])
    count, blocks = len(set(text)), nn.Sequential(block(), block(), nn.LayerNorm(32))
    ends = {"tokens": nn.Embedding(count, 32), "places": nn.Embedding(32, 32), "lm_head": nn.Linear(32, count)}
    batch = torch.stack([data[i : i + 33] for i in torch.randint(len(data) - 33, (16,))])
    model = Part(forward, **ends, blocks=blocks)
    return model, lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten()), batch[:, :-1], batch[:, 1:]


@right("tutorials: translation with attention", "pytorch.org/tutorials seq2seq_translation_tutorial, in batches")
def translation():
    """An encoder over packed sentences, a decoder fed with the truth, padding left out of attention and loss."""

    def forward(self, source, target):
        packed = pack_padded_sequence(self.source(source), (source != 0).sum(1), batch_first=True, enforce_sorted=False)
        states, hidden = self.encoder(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=source.shape[1])
        decoded, _ = self.decoder(self.target(target), hidden)
        scores = decoded @ self.key(states).transpose(1, 2)
        weights = scores.masked_fill((source == 0)[:, None], float("-inf")).softmax(dim=-1)
        return self.out(torch.cat([decoded, weights @ states], dim=-1)).transpose(1, 2)

    words = {"source": nn.Embedding(40, 32, padding_idx=0), "target": nn.Embedding(40, 32, padding_idx=0)}
    rnns = {"encoder": nn.GRU(32, 32, batch_first=True), "decoder": nn.GRU(32, 32, batch_first=True)}
    model = Part(forward, **words, **rnns, key=nn.Linear(32, 32, bias=False), out=nn.Linear(64, 40))
    sentences = [torch.randint(3, 40, (n,)) for n in torch.randint(3, 9, (16,)).tolist()]
    source = pad_sequence([F.pad(s, (0, 1), value=2) for s in sentences], batch_first=True)
    target = pad_sequence([torch.tensor([1, *(42 - s.flip(0)), 2]) for s in sentences], batch_first=True)
    return model, nn.CrossEntropyLoss(ignore_index=0), (source, target[:, :-1]), target[:, 1:]


@right("tutorials: BERT on pairs of sentences", "Hugging Face course, chapter 3")
def bert_pairs():
    """Two sentences between special tokens, alike or not, with the attention mask of the padding."""
    from transformers import BertConfig, BertForSequenceClassification

    sizes = dict(vocab_size=200, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    model = BertForSequenceClassification(BertConfig(**sizes, max_position_embeddings=64, num_labels=2))
    labels, ids, types = torch.arange(16) % 2, [], []
    for same in labels:
        n = int(torch.randint(4, 10, ()))
        first, second = torch.randint(103, 200, (2, n))
        second = first[torch.randperm(n)] if same else second
        ids.append(torch.cat([torch.tensor([101]), first, torch.tensor([102]), second, torch.tensor([102])]))
        types.append(torch.cat([torch.zeros(n + 2), torch.ones(n + 1)]).long())
    input_ids, token_type_ids = (pad_sequence(rows, batch_first=True) for rows in (ids, types))
    batch = dict(input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=(input_ids != 0).long())
    return model, lambda outputs, labels: F.cross_entropy(outputs.logits, labels), batch, labels


@right("tutorials: cars with a U-Net", "milesial/Pytorch-UNet")
def unet():
    """One logit per pixel; the cross-entropy and one minus the Dice score."""

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(self.pool(x1))
        x = self.conv1(torch.cat([x2, self.up1(self.down2(self.pool(x2)))], dim=1))
        return self.outc(self.conv2(torch.cat([x1, self.up2(x)], dim=1)))

    def loss(masks_pred, true_masks):
        p = torch.sigmoid(masks_pred.squeeze(1))
        dice = (2 * (p * true_masks).sum((1, 2)) + 1e-6) / (p.sum((1, 2)) + true_masks.sum((1, 2)) + 1e-6)
        return F.binary_cross_entropy_with_logits(masks_pred.squeeze(1), true_masks) + 1 - dice.mean()

    downs = {"inc": convs(3, 8, 8), "down1": convs(8, 16, 16), "down2": convs(16, 32, 32), "pool": nn.MaxPool2d(2)}
    ups = {"up1": nn.ConvTranspose2d(32, 16, 2, stride=2), "up2": nn.ConvTranspose2d(16, 8, 2, stride=2)}
    model = Part(forward, **downs, **ups, conv1=convs(32, 16, 16), conv2=convs(16, 8, 8), outc=nn.Conv2d(8, 1, 1))
    place, line = torch.randint(10, 22, (8, 2, 1, 1)), torch.arange(32)
    masks = (((line[:, None] - place[:, 0]).abs() < 5) & ((line - place[:, 1]).abs() < 8)).float()
    images = 0.3 + masks[:, None] * (0.2 + 0.4 * torch.rand(8, 3, 1, 1)) + 0.05 * torch.randn(8, 3, 32, 32)
    return model, loss, images.clamp(0, 1), masks


@right("tutorials: ratings of films", "fastai, practical deep learning, chapter 8")
def ratings():
    """Factors and biases of users and films, squashed to between 0 and 5.5."""

    def forward(self, x):
        users, movies = self.user_factors(x[:, 0]), self.movie_factors(x[:, 1])
        res = (users * movies).sum(dim=1) + self.user_bias(x[:, 0])[:, 0] + self.movie_bias(x[:, 1])[:, 0]
        return torch.sigmoid(res) * 5.5

    sizes = {"user_factors": (8, 10), "user_bias": (8, 1), "movie_factors": (10, 10), "movie_bias": (10, 1)}
    tables = {name: nn.Embedding(*size, _weight=0.01 * torch.randn(size)) for name, size in sizes.items()}
    x = torch.cartesian_prod(torch.arange(8), torch.arange(10))[torch.arange(32) * 53 % 80]
    stars = 3.3 + torch.randn(8)[x[:, 0]] * 0.5 + torch.randn(10)[x[:, 1]] + 0.2 * torch.randn(32)
    return Part(forward, **tables), nn.MSELoss(), x, stars.round().clamp(1, 5)


@right("tutorials: CartPole with a Q network", "pytorch.org/tutorials reinforcement_q_learning")
def cartpole():
    """The worth of the chosen actions against the estimate, held fixed, of what follows."""
    policy_net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    state, action = torch.randn(32, 4) * torch.tensor([0.5, 0.6, 0.1, 0.8]), torch.randint(0, 2, (32, 1))
    next_state = state + (2.0 * action - 1) * torch.tensor([[0.0, 0.2, 0.0, -0.3]])
    next_state[:, [0, 2]] += 0.02 * state[:, [1, 3]]
    with torch.no_grad():
        expected = 1.0 + 0.99 * policy_net(next_state).max(1).values * (next_state[:, 2].abs() < 0.2)
    return policy_net, lambda q, y: F.smooth_l1_loss(q.gather(1, y[0]), y[1].unsqueeze(1)), state, (action, expected)
