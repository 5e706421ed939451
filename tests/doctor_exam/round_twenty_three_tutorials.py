"""Set-ups of the twenty-third round (well-known tutorials), ordinary right ones, written without knowing the checks."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, mlp, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_THREE_TUTORIALS = CaseSet()
right = TWENTY_THREE_TUTORIALS.right
SIZES = dict(vocab_size=100, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)


def photos(size: int = 32, channels: int = 3) -> Tensor:
    """Smooth pictures with values from 0 to 1, as ToTensor() returns them."""
    return F.interpolate(torch.rand(N, channels, size // 4, size // 4), size, mode="bilinear")


def digits() -> Tensor:
    """Light strokes on black, 28 by 28, values from 0 to 1."""
    return (3 * photos(28, 1) - 1.5).clamp(0, 1)


def kinds(x: Tensor, count: int) -> Tensor:
    """Class numbers that depend on the inputs."""
    flat = x.flatten(1)
    return ((flat - flat.mean(0)) @ torch.randn(flat.shape[1], count)).argmax(1)


def imagenet(x: Tensor) -> Tensor:
    """Pictures normalised with ImageNet's mean and deviation."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def convolutions(channels: int = 3, width: int = 8) -> nn.Sequential:
    """Two convolutions with batch normalisation, averaged over the picture."""
    first = [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU()]
    return nn.Sequential(*first, *second, nn.AdaptiveAvgPool2d(1), nn.Flatten())


@right("clothes: the quickstart", "pytorch.org/tutorials quickstart")
def quickstart():
    """A plain network of Fashion-MNIST pictures between 0 and 1."""
    x = digits()
    layers = [nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(nn.Flatten(), *layers), nn.CrossEntropyLoss(), x, kinds(x, 10)


@right("CIFAR-10: the 60 minute blitz", "pytorch.org/tutorials cifar10_tutorial")
def cifar():
    """LeNet on pictures normalised with a half and a half."""
    x = (photos() - 0.5) / 0.5
    layers = [nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    ends = [nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*layers, *ends), nn.CrossEntropyLoss(), x, kinds(x, 10)


@right("digits: the MNIST example", "github.com/pytorch/examples mnist")
def mnist():
    """Log-probabilities, dropout and the negative log-likelihood of normalised digits."""

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        return F.log_softmax(self.fc2(self.dropout2(F.relu(self.fc1(x)))), dim=1)

    convs = {"conv1": nn.Conv2d(1, 8, 3, 1), "conv2": nn.Conv2d(8, 16, 3, 1)}
    drops = {"dropout1": nn.Dropout(0.25), "dropout2": nn.Dropout(0.5)}
    model = Part(forward, **convs, **drops, fc1=nn.Linear(2304, 32), fc2=nn.Linear(32, 10))
    x = (digits() - 0.1307) / 0.3081
    return model, F.nll_loss, x, kinds(x, 10)


@right("a sine as a polynomial", "pytorch.org/tutorials pytorch_with_examples")
def polynomial():
    """A third-degree polynomial fitted with the summed squared error."""
    x = torch.linspace(-torch.pi, torch.pi, 32)
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    return model, nn.MSELoss(reduction="sum"), x[:, None] ** torch.tensor([1, 2, 3]), x.sin()


@right("ants and bees: a frozen backbone", "pytorch.org/tutorials transfer_learning_tutorial")
def ants():
    """Convolutions kept as they are, a new layer for two classes, ImageNet's normalisation."""
    model = nn.Sequential(convolutions())
    for weight in model.parameters():
        weight.requires_grad = False
    model.append(nn.Linear(16, 2))
    x = imagenet(photos())
    return model, nn.CrossEntropyLoss(), x, kinds(x, 2)


@right("names by letters", "pytorch.org/tutorials char_rnn_classification_tutorial")
def names():
    """One-hot letters, time first, to a language's log-probability."""
    letters = classes(57, 7)
    layers = {"rnn": nn.RNN(57, 128), "h2o": nn.Linear(128, 18), "softmax": nn.LogSoftmax(dim=1)}
    model = Part(lambda self, line: self.softmax(self.h2o(self.rnn(line)[1][0])), **layers)
    return model, nn.NLLLoss(), F.one_hot(letters, 57).float().transpose(0, 1), letters[:, -1] % 18


@right("speech commands: M5", "pytorch.org/tutorials speech_command_classification")
def speech():
    """Convolutions of the waveform; the log-probabilities [N, 1, C] are squeezed in the loss."""
    tones = torch.randint(0, 35, (N,))
    wave = 0.3 * torch.sin(torch.arange(2000) * (0.02 + 0.02 * tones[:, None])) + 0.02 * torch.randn(N, 2000)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool1d(F.relu(self.bn2(self.conv2(F.max_pool1d(x, 4)))), 4)
        x = F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return F.log_softmax(self.fc1(x), dim=2)

    convs = {"conv1": nn.Conv1d(1, 32, 80, stride=4), "conv2": nn.Conv1d(32, 32, 3)}
    model = Part(forward, **convs, bn1=nn.BatchNorm1d(32), bn2=nn.BatchNorm1d(32), fc1=nn.Linear(32, 35))
    return model, lambda output, target: F.nll_loss(output.squeeze(), target), wave[:, None], tones


@right("a word-level language model", "github.com/pytorch/examples word_language_model")
def words():
    """An LSTM's log-probabilities of the next word, time first and flattened."""
    text = (torch.arange(36)[:, None] * 3 + torch.randint(0, 50, (1, N))) % 50

    def forward(self, tokens):
        output, _ = self.rnn(self.drop(self.encoder(tokens)))
        return F.log_softmax(self.decoder(self.drop(output)).view(-1, 50), dim=1)

    layers = {"encoder": nn.Embedding(50, 32), "rnn": nn.LSTM(32, 32, 2, dropout=0.2), "decoder": nn.Linear(32, 50)}
    return Part(forward, **layers, drop=nn.Dropout(0.2)), nn.NLLLoss(), text[:-1], text[1:].reshape(-1)


@right("digits: the variational autoencoder", "github.com/pytorch/examples vae")
def vae():
    """Summed binary cross-entropy of the pixels and the divergence."""
    x = digits()

    def forward(self, x):
        hidden = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc21(hidden), self.fc22(hidden)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def loss_fn(outputs, x):
        recon, mu, logvar = outputs
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return F.binary_cross_entropy(recon, x.view(-1, 784), reduction="sum") + kld

    encoder = {"fc1": nn.Linear(784, 64), "fc21": nn.Linear(64, 8), "fc22": nn.Linear(64, 8)}
    return Part(forward, **encoder, fc3=nn.Linear(8, 64), fc4=nn.Linear(64, 784)), loss_fn, x, x


@right("faces: DCGAN's discriminator", "pytorch.org/tutorials dcgan_faces_tutorial")
def dcgan():
    """The discriminator's step on real and generated pictures from -1 to 1."""
    first = [nn.Conv2d(3, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    second = [nn.Conv2d(8, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*first, *second, nn.Conv2d(16, 1, 4, 1, 0, bias=False), nn.Sigmoid())
    criterion, fake = nn.BCELoss(), torch.tanh(0.5 * torch.randn(N, 3, 16, 16))

    def loss_fn(outputs, targets):
        return criterion(outputs[0], targets[0]) + criterion(outputs[1], targets[1])

    model = Part(lambda self, real, fake: (self.net(real).view(-1), self.net(fake).view(-1)), net=net)
    return model, loss_fn, ((photos(16) - 0.5) / 0.5, fake), (torch.ones(N), torch.zeros(N))


@right("AG news: a bag of embeddings", "pytorch.org/tutorials text_sentiment_ngrams_tutorial")
def news():
    """Texts joined to one row of tokens and the places where they begin."""
    lengths, label = torch.randint(4, 20, (N,)), classes(4)
    text = torch.randint(0, 50, (int(lengths.sum()),)) + 50 * label.repeat_interleave(lengths)
    offsets = F.pad(lengths, (1, 0))[:-1].cumsum(0)

    layers = {"embedding": nn.EmbeddingBag(200, 64), "fc": nn.Linear(64, 4)}
    model = Part(lambda self, text, offsets: self.fc(self.embedding(text, offsets)), **layers)
    return model, nn.CrossEntropyLoss(), (text, offsets), label


@right("a sonnet's n-grams", "pytorch.org/tutorials word_embeddings_tutorial")
def ngrams():
    """Two words of context to the log-probability of the next."""
    text = torch.randperm(40)
    context = torch.stack([text[1:-1], text[:-2]], 1)
    layers = [nn.Embedding(40, 10), nn.Flatten(), nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 40)]
    return nn.Sequential(*layers, nn.LogSoftmax(dim=1)), nn.NLLLoss(), context, text[2:]


@right("parts of speech of one sentence", "pytorch.org/tutorials sequence_models_tutorial")
def speech_parts():
    """One sentence without a batch's axis, a tag's log-probability for each word."""
    sentence = torch.randint(0, 30, (9,))

    def forward(self, sentence):
        out, _ = self.lstm(self.embed(sentence).view(len(sentence), 1, -1))
        return F.log_softmax(self.hidden2tag(out.view(len(sentence), -1)), dim=1)

    model = Part(forward, embed=nn.Embedding(30, 6), lstm=nn.LSTM(6, 6), hidden2tag=nn.Linear(6, 3))
    return model, nn.NLLLoss(), sentence, sentence % 3


@right("German to English: a transformer", "pytorch.org/tutorials translation_transformer")
def translation():
    """A transformer with a causal mask and padding masks, padding left out of the loss, batch first."""
    source, _ = padded_tokens(0, 2)
    words = torch.cat([torch.arange(3), 3 + torch.randperm(45)])
    target = torch.cat([torch.full((N, 1), 49), words[source]], 1)

    def forward(self, src, tgt):
        place = self.place[:, : tgt.shape[1]]
        later = torch.ones(tgt.shape[1], tgt.shape[1]).triu(1).bool()
        masks = {"src_key_padding_mask": src == 0, "memory_key_padding_mask": src == 0}
        src, given = self.src(src) * 32**0.5 + place[:, : src.shape[1]], self.tgt(tgt) * 32**0.5 + place
        out = self.transformer(src, given, tgt_mask=later, tgt_key_padding_mask=tgt == 0, **masks)
        return self.generator(out)

    transformer = nn.Transformer(32, 4, 1, 1, 64, dropout=0.1, batch_first=True)
    tables = {"src": nn.Embedding(50, 32, padding_idx=0), "tgt": nn.Embedding(50, 32, padding_idx=0)}
    model = Part(forward, transformer=transformer, **tables, generator=nn.Linear(32, 50))
    angle = torch.arange(16)[:, None] / 10000 ** (torch.arange(0, 32, 2) / 32)
    model.register_buffer("place", torch.stack([angle.sin(), angle.cos()], 2).view(1, 16, 32))
    loss = nn.CrossEntropyLoss(ignore_index=0)
    return model, lambda out, y: loss(out.reshape(-1, 50), y.reshape(-1)), (source, target[:, :-1]), target[:, 1:]


@right("pairs of digits: siamese", "github.com/pytorch/examples siamese_network")
def siamese():
    """Two pictures through the same network to the probability that they are of one class."""
    first, same = digits(), torch.arange(N) % 2
    second = torch.where(same[:, None, None, None] == 1, first + 0.1 * torch.rand(N, 1, 28, 28), digits())

    fc = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
    model = Part(lambda self, a, b: self.fc(torch.cat([self.net(a), self.net(b)], 1)), net=convolutions(1), fc=fc)
    loss = nn.BCELoss()
    return model, lambda p, y: loss(p.squeeze(), y), (first, second), same.float()


@right("super-resolution with shuffled pixels", "github.com/pytorch/examples super_resolution")
def super_resolution():
    """The brightness channel, three times as large, with the squared error."""
    large = photos(48, 1)
    layers = [nn.Conv2d(1, 32, 5, 1, 2), nn.ReLU(), nn.Conv2d(32, 16, 3, 1, 1), nn.ReLU(), nn.Conv2d(16, 9, 3, 1, 1)]
    return nn.Sequential(*layers, nn.PixelShuffle(3)), nn.MSELoss(), F.avg_pool2d(large, 3), large


@right("cart pole: deep Q-learning", "pytorch.org/tutorials reinforcement_q_learning")
def cart_pole():
    """The taken action's value against the reward and the target network's discounted best."""
    state, following = 0.1 * torch.randn(2, N, 4)
    policy_net = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    target_net = deepcopy(policy_net)
    with torch.no_grad():
        best = target_net(following).max(1).values * (torch.arange(N) % 5 != 0)
    batch = {"action": classes(2, 1), "expected": best * 0.99 + torch.ones(N)}

    def loss_fn(values, batch):
        return nn.SmoothL1Loss()(values.gather(1, batch["action"]), batch["expected"].unsqueeze(1))

    return policy_net, loss_fn, state, batch


@right("sine waves: the next value", "github.com/pytorch/examples time_sequence_prediction")
def waves():
    """An LSTM cell stepped along each wave, in double precision."""
    wave = torch.sin((torch.arange(40) + torch.randint(-80, 80, (N, 1))) / 5).double()

    def forward(self, x):
        h, c = torch.zeros(2, len(x), 32, dtype=torch.double)
        outputs = []
        for step in x.split(1, dim=1):
            h, c = self.cell(step, (h, c))
            outputs.append(self.linear(h))
        return torch.cat(outputs, dim=1)

    model = Part(forward, cell=nn.LSTMCell(1, 32), linear=nn.Linear(32, 1)).double()
    return model, nn.MSELoss(), wave[:, :-1], wave[:, 1:]


@right("papers that cite each other", "github.com/pytorch/examples gcn")
def papers():
    """Two graph convolutions, the loss of the training papers only."""
    label, train = torch.arange(32) % 4, torch.randperm(32)[:20]
    links = ((torch.rand(32, 32) < 0.05) | ((label[:, None] == label) & (torch.rand(32, 32) < 0.3))).float()
    links = (links + links.T + torch.eye(32)).clamp(max=1)
    scale = links.sum(1) ** -0.5
    words = (torch.rand(32, 40) < 0.1 + 0.3 * F.one_hot(label, 4).repeat(1, 10)).float()

    def forward(self, x, links):
        x = F.dropout(F.relu(links @ self.gc1(x)), 0.5, self.training)
        return F.log_softmax(links @ self.gc2(x), dim=1)

    model = Part(forward, gc1=nn.Linear(40, 16, bias=False), gc2=nn.Linear(16, 4, bias=False))
    inputs = (words / words.sum(1, keepdim=True).clamp(min=1), scale[:, None] * links * scale)
    return model, lambda out, y: F.nll_loss(out[train], y[train]), inputs, label


@right("house prices", "d2l.ai kaggle-house-price")
def houses():
    """Standardised numbers and one-hot columns to the logarithm of the price."""
    numbers, quarter = torch.randn(32, 5), F.one_hot(torch.randint(0, 4, (32,)), 4).float()
    price = 180000 * torch.exp(0.3 * numbers[:, :1] + 0.2 * quarter[:, :1])
    return nn.Linear(9, 1), nn.MSELoss(), torch.cat([numbers, quarter], 1), price.log()


@right("skip-gram with noise words", "d2l.ai word2vec-pretraining")
def skip_gram():
    """True and drawn words around a centre, with a weight of zero where the row is filled up."""
    center, words = torch.randint(1, 50, (N, 1)), torch.randint(1, 50, (N, 12))
    true = torch.randint(1, 3, (N, 1))
    mask, label = (torch.arange(12) < 6 * true).float(), (torch.arange(12) < true).float()

    def loss_fn(scores, batch):
        label, mask = batch
        scores = scores.reshape(label.shape)
        out = F.binary_cross_entropy_with_logits(scores, label, weight=mask, reduction="none").mean(dim=1)
        return (out / mask.sum(1) * mask.shape[1]).mean()

    tables = {"v": nn.Embedding(50, 32), "u": nn.Embedding(50, 32)}
    model = Part(lambda self, center, words: self.v(center) @ self.u(words).permute(0, 2, 1), **tables)
    for table in model.children():
        nn.init.xavier_uniform_(table.weight)
    return model, loss_fn, (center, (words * mask).long()), (label, mask)


@right("film ratings: dot product and bias", "fast.ai fastbook 08_collab")
def films():
    """Users and films to a rating within 0 and 5.5."""
    x = torch.stack([torch.randint(0, 20, (32,)), torch.randint(0, 30, (32,))], 1)

    def forward(self, x):
        users, films = self.user_factors(x[:, 0]), self.film_factors(x[:, 1])
        score = (users * films).sum(1, keepdim=True) + self.user_bias(x[:, 0]) + self.film_bias(x[:, 1])
        return torch.sigmoid(score) * 5.5

    tables = {"user_factors": nn.Embedding(20, 10), "film_factors": nn.Embedding(30, 10)}
    model = Part(forward, **tables, user_bias=nn.Embedding(20, 1), film_bias=nn.Embedding(30, 1))
    for table in model.children():
        nn.init.normal_(table.weight, 0, 0.01)
    return model, lambda out, y: F.mse_loss(out.view(-1), y.view(-1)), x, 1.0 + x.sum(1, keepdim=True) % 5


@right("photos of several labels", "fast.ai fastbook 06_multicat")
def several():
    """One or two of twenty labels for each ImageNet-normalised photo."""
    x = imagenet(photos())
    y = (F.one_hot(kinds(x, 20), 20) + F.one_hot(kinds(x, 20), 20)).clamp(max=1).float()
    return nn.Sequential(convolutions(), nn.Linear(16, 20)), nn.BCEWithLogitsLoss(), x, y


@right("digits: Lightning's autoencoder", "lightning.ai docs Lightning in 15 minutes")
def lightning_autoencoder():
    """Three numbers a digit, squared error of the flattened pixels."""
    x = digits()
    encoder = [nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 3)]
    decoder = [nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 784)]
    return nn.Sequential(nn.Flatten(), *encoder, *decoder), F.mse_loss, x, x.view(N, -1)


@right("film reviews: a fine-tuned BERT", "huggingface.co/docs transformers training")
def reviews():
    """Padded texts with their attention mask and labels; the model computes its loss."""
    from transformers import BertConfig, BertForSequenceClassification

    tokens, _ = padded_tokens(0, 49)
    batch = {"input_ids": tokens, "attention_mask": (tokens != 0).long(), "labels": tokens[:, 0] % 5}
    model = BertForSequenceClassification(BertConfig(**SIZES, num_labels=5))
    return model, lambda outputs, _: outputs["loss"], batch, None


@right("named entities: a fine-tuned BERT", "huggingface.co/docs tasks/token_classification")
def entities():
    """A label a word; special tokens and padding have the label -100."""
    from transformers import BertConfig, BertForTokenClassification

    tokens, _ = padded_tokens(0, 49)
    tokens[:, 0] = 48
    label = torch.where((tokens == 0) | (tokens > 47), -100, tokens % 7)
    batch = {"input_ids": tokens, "attention_mask": (tokens != 0).long(), "labels": label}
    model = BertForTokenClassification(BertConfig(**SIZES, num_labels=7))
    return model, lambda outputs, _: outputs["loss"], batch, None


@right("two circles", "learnpytorch.io 02 classification")
def circles():
    """Points of two rings; the logits are squeezed for the loss."""
    angle, y = 2 * torch.pi * torch.rand(32), (torch.arange(32) % 2).float()
    x = torch.stack([angle.cos(), angle.sin()], 1) * (1 - 0.2 * y[:, None]) + 0.03 * torch.randn(32, 2)
    model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1))
    return model, lambda logits, y: nn.BCEWithLogitsLoss()(logits.squeeze(), y), x, y


@right("captions of photos, packed", "github.com/yunjey/pytorch-tutorial image_captioning")
def captions():
    """A photo's features before the caption's words; only real words are scored."""
    lengths = torch.randint(5, 13, (N,)).sort(descending=True).values
    tokens = torch.randint(4, 50, (N, 12)) * (torch.arange(12) < lengths[:, None])
    tokens[:, 0], tokens[torch.arange(N), lengths - 1] = 1, 2

    def forward(self, images, captions, lengths):
        features = self.bn(self.linear(self.cnn(images)))
        words = torch.cat([features.unsqueeze(1), self.embed(captions)], 1)
        return self.out(self.lstm(pack_padded_sequence(words, lengths, batch_first=True))[0][0])

    photo = {"cnn": convolutions().requires_grad_(False), "linear": nn.Linear(16, 32), "bn": nn.BatchNorm1d(32)}
    words = {"lstm": nn.LSTM(32, 32, batch_first=True), "embed": nn.Embedding(50, 32), "out": nn.Linear(32, 50)}
    model = Part(forward, **photo, **words)
    targets = pack_padded_sequence(tokens, lengths, batch_first=True)[0]
    return model, nn.CrossEntropyLoss(), (imagenet(photos()), tokens, lengths), targets


@right("Titanic: who survived", "kaggle.com Titanic starters in PyTorch")
def titanic():
    """Scaled columns to a probability, survivors as a column."""
    sex, first = torch.rand(2, 32, 1).round()
    x = torch.cat([torch.randn(32, 2), sex, first, torch.randint(0, 4, (32, 1)).float(), torch.rand(32, 3)], 1)
    return mlp(1, nn.Sigmoid()), nn.BCELoss(), x, ((sex + first + torch.rand(32, 1)) > 1.3).float()


@right("cars cut out: a U-Net", "github.com/milesial/Pytorch-UNet")
def cars():
    """One logit a pixel: binary cross-entropy and a soft Dice loss."""
    x = photos()
    mask = (x.mean(1) > 0.5).long()

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.up(self.down(x1))
        return self.outc(self.conv(torch.cat([x1, x2], dim=1)))

    def double(before, after):
        first, second = (nn.Conv2d(width, after, 3, padding=1, bias=False) for width in (before, after))
        return first, nn.BatchNorm2d(after), nn.ReLU(True), second, nn.BatchNorm2d(after), nn.ReLU(True)

    def loss_fn(masks_pred, true_masks):
        p, y = torch.sigmoid(masks_pred.squeeze(1)), true_masks.float()
        dice = (2 * (p * y).sum((1, 2)) + 1e-6) / (p.sum((1, 2)) + y.sum((1, 2)) + 1e-6)
        return nn.BCEWithLogitsLoss()(masks_pred.squeeze(1), y) + 1 - dice.mean()

    steps = {"down": nn.Sequential(nn.MaxPool2d(2), *double(8, 16)), "up": nn.ConvTranspose2d(16, 8, 2, stride=2)}
    ends = {"conv": nn.Sequential(*double(16, 8)), "outc": nn.Conv2d(8, 1, 1)}
    return Part(forward, inc=nn.Sequential(*double(3, 8)), **steps, **ends), loss_fn, x, mask
