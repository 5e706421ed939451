"""Set-ups of the sixteenth round (one of several classes: pictures, tables, signals, short texts), written blind.

Twenty-four searches, written down and committed before the first of them was made; of each two lists of hits, of
issues and of pages, gone through in their order:

pytorch classifier loss not decreasing stuck at 2.30; cnn accuracy stuck at 10 percent cifar10 pytorch; model predicts
the same class for every image pytorch; cross entropy loss not going down softmax in the last layer; nllloss negative
loss values pytorch; loss is nan after first batch pytorch classification; mnist network from scratch pytorch not
learning; neural network on tabular data predicts only one class iris; lstm text classification accuracy does not
improve; custom cross entropy implementation gives wrong loss; focal loss multi class implementation bug loss does not
decrease; label smoothing loss implementation wrong negative loss; validation accuracy 100 percent too good one hot
labels bug; transfer learning resnet accuracy not improving frozen layers; loss constant does not change every epoch
pytorch weights not updating; 1d cnn time series signal classification loss not decreasing; mixup cutmix loss
implementation wrong; knowledge distillation loss student does not learn; class weights imbalanced cross entropy
predicts minority only; capsule network margin loss not decreasing; audio spectrogram classifier always outputs same
class; vision transformer from scratch accuracy stuck; arcface head loss not decreasing; prototypical network few shot
accuracy at chance.

They gave nine of the wrong ones, so twenty more were written down before they were made (a slip kept the list out of
the history until the first eight of them had been made): extra softmax before cross entropy should be removed
classifier; softmax over wrong dimension dim=0 classifier accuracy low; relu on the last layer output before cross
entropy loss stuck; labels start from 1 instead of 0 classification loss wrong; BCELoss used for multi class one hot
targets accuracy stuck; MSELoss for classification labels broadcasting shape warning not learning; view instead of
permute wrong reshape cnn lstm classifier random accuracy; lstm classifier batch_first wrong dimension accuracy at
chance; eeg classification pytorch accuracy at chance level; text cnn sentence classification bug in forward; attention
pooling softmax wrong dimension text classifier; layers stored in python list not registered model not learning; entropy
regularization wrong sign classifier loss negative; label smoothing KLDivLoss without log_softmax; human activity
recognition pytorch accuracy stuck; dropout after last layer classifier accuracy low; hidden state reused between
batches rnn classifier backward second time; cosine classifier no scale accuracy low; weight tensor in CrossEntropyLoss
wrong order class weights accuracy drops; log of softmax nan own cross entropy classifier.

These gave seven more, and eight further ones were written down and committed before they were made: spiking network
mnist accuracy stuck at 10 percent pytorch; graph node classification loss does not decrease mistake; evidential deep
learning classification loss wrong; symmetric or generalized cross entropy noisy labels implementation bug; binarized
network straight through estimator accuracy does not improve; auxiliary classifier head loss not learning bug; point
cloud classification accuracy low transpose bug; video gesture classification cnn lstm accuracy random.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_sixteen_classes_parts import (
    SCNN, DigitCaps, ExampleViT, FFNet, JetNet, OwnViT, RelationCapsules, SpectralNet, sigmoid_focal_loss
)  # fmt: skip

SIXTEEN_CLASSES = CaseSet()
right, wrong = SIXTEEN_CLASSES.right, SIXTEEN_CLASSES.wrong
N = 32
ENDLESS = "unnormalised_likelihood|unbounded_loss"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def kinds(count: int, *shape: int, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    """Samples that look like the pattern of their class, and the class numbers."""
    y = torch.arange(N)[torch.randperm(N)] % count
    return torch.randn(count, *shape)[y] + noise * torch.randn(N, *shape), y


def texts(count: int, length: int = 10) -> tuple[Tensor, Tensor]:
    """Texts in which words of their class are frequent, and the class numbers."""
    y, other = torch.arange(N)[torch.randperm(N)] % count, torch.randint(1, 40, (N, length))
    return torch.where(torch.rand(N, length) < 0.5, 1 + 8 * y[:, None] + torch.randint(0, 8, (N, length)), other), y


def cross_entropy(output: Tensor, target: Tensor, squeeze: bool, log_softmax: bool) -> Tensor:
    """The likelihood of classes [N, 1]."""
    if squeeze:
        target = target.squeeze(1)
    return F.nll_loss(F.log_softmax(output, dim=1) if log_softmax else output, target)


def jets(crossed: bool):
    """Pictures of a detector, of three sorts."""
    x, y = kinds(3, 20, 20, 5)
    return JetNet(dropout=0.2), nn.CrossEntropyLoss() if crossed else nn.NLLLoss(), x, y


def penguins(raw: bool):
    """Four measurements of penguins of three sorts."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = torch.relu(self.fc2(torch.relu(self.fc1(x))))
        return self.fc3(x) if raw else torch.softmax(self.fc3(x), dim=1)

    model = Part(forward, fc1=nn.Linear(4, 10), fc2=nn.Linear(10, 10), fc3=nn.Linear(10, 3))
    return model, nn.CrossEntropyLoss(), *kinds(3, 4)


def candidates(raw: bool):
    """Questions with four candidates, named by three nodes of a graph each; a candidate's best node counts."""

    def forward(self: Part, nodes: Tensor) -> Tensor:
        answers = []
        for logits in self.fc_2(F.relu(self.fc_1(nodes))):
            masked = torch.zeros(len(candidate_indices))
            for i, idxs in enumerate(candidate_indices.values()):
                masked[i] = torch.max(logits[idxs])
            answers.append(masked if raw else torch.exp(self.log_softmax(masked)))
        return torch.stack(answers)

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(out.view(-1, len(candidate_indices)), torch.argmax(target, 1))

    candidate_indices = {name: [i, i + 4, i + 8] for i, name in enumerate("abcd")}
    y, nodes = torch.arange(N) % 4, torch.randn(N, 12, 8)
    nodes[torch.arange(N), y + 4 * torch.randint(0, 3, (N,))] += torch.linspace(-2, 2, 8)
    model = Part(forward, fc_1=nn.Linear(8, 32), fc_2=nn.Linear(32, 1), log_softmax=nn.LogSoftmax(dim=0))
    return model, loss, nodes, F.one_hot(y, 4)


def points(raw: bool):
    """Points in space, of three classes."""
    return FFNet([3, 50, 3], not raw), nn.CrossEntropyLoss(), *kinds(3, 3)


def toolkit(logarithm: bool):
    """Pictures and their classes in a column, by a loss of a toolkit."""
    x, y = kinds(5, 1, 8, 8)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 5))
    return model, partial(cross_entropy, squeeze=True, log_softmax=logarithm), x, y[:, None]


def voxels(moved: bool):
    """Pixels of three classes, by how bright they are, and a focal loss for each class."""

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        num_classes, total = logits.size(1), 0
        targets = targets.view(-1)
        logits = logits.transpose(0, 1).reshape(num_classes, -1) if moved else logits.view(-1, num_classes)
        for cls in range(num_classes):
            cls_label_target = (targets == (cls + 0)).long()
            total += sigmoid_focal_loss(logits[cls] if moved else logits[..., cls], cls_label_target)
        return total

    x = F.avg_pool2d(torch.randn(N, 1, 10, 10), 3, stride=1) * 3
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return model, loss, x, (x[:, 0] > -0.5).long() + (x[:, 0] > 0.5).long()


def relations(repaired: bool):
    """Sentences of four relations, a capsule for each, and a loss of margins."""

    def loss(out: Tensor, target: Tensor) -> Tensor:
        T_c, v_mag = F.one_hot(target, 4).float(), torch.sqrt((out**2).sum(dim=2, keepdim=True))
        max_l = torch.relu(0.9 - v_mag).view(N, -1) ** 2
        max_r = torch.relu(v_mag - 0.1).view(N, -1) ** 2
        return (T_c * max_l + 0.5 * (1.0 - T_c) * max_r).sum(dim=1).mean()

    return RelationCapsules(4, repaired), loss, *texts(4)


def digits(repaired: bool):
    """Pictures of five digits, a capsule for each, and a loss of margins."""

    def loss(v: Tensor, target: Tensor) -> Tensor:
        norm = torch.sqrt(torch.sum(v**2, dim=2))
        T_c, zeros = target.type(torch.FloatTensor), torch.zeros(norm.size())
        marginal_loss = T_c * (torch.max(zeros, 0.9 - norm) ** 2) + (1 - T_c) * 0.5 * (
            torch.max(zeros, norm - 0.1) ** 2)  # fmt: skip
        return torch.sum(marginal_loss) / len(v)

    x, y = kinds(5, 1, 12, 12)
    return DigitCaps(5, repaired), loss, x, F.one_hot(y, 5)


def example(repaired: bool):
    """Colour pictures of ten classes and a vision transformer."""
    return ExampleViT(N, repaired), nn.CrossEntropyLoss(), *kinds(10, 3, 8, 8)


def library(raw: bool):
    """A table of four classes, by a library that makes the last layer by itself; the labels become lists."""

    def loss(pred: Tensor, y: Tensor) -> Tensor:
        rows = []
        for value in range(len(y)):
            rows.append([1.0 if index == int(y[value].item()) else 0.0 for index in range(pred.size(dim=1))])
        return F.cross_entropy(pred, torch.tensor(rows))

    layers = [nn.Sequential(nn.Linear(6, 16), nn.ReLU()), nn.Sequential(nn.Linear(16, 4))]
    x, y = kinds(4, 6)
    return nn.Sequential(*layers, *([] if raw else [nn.Softmax(dim=1)])), loss, x, y.float()[:, None]


def frozen_texts(raw: bool):
    """Comments, good or bad: a pretrained network that stands still, and a layer of one's own."""

    def forward(self: Part, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        with torch.no_grad():
            hidden = encode(embed(input_ids), src_key_padding_mask=attention_mask == 0)
        out = self.fc(hidden[:, 0])
        return out if raw else out.softmax(dim=1)

    encode = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
    embed, (ids, y) = nn.Embedding(40, 16), texts(2, 16)
    for param in [*encode.parameters(), *embed.parameters()]:
        param.requires_grad_(False)
    return Part(forward, fc=nn.Linear(16, 2)), nn.CrossEntropyLoss(), (ids, torch.ones_like(ids)), y


def table(raw: bool):
    """A made table of two classes and a small network."""

    def forward(self: Part, X: Tensor) -> Tensor:
        X = self.dropout(self.nonlin(self.dense0(X)))
        X = self.nonlin(self.dense1(X))
        return self.output(X) if raw else self.softmax(self.output(X))

    parts = {"dense0": nn.Linear(20, 10), "nonlin": nn.ReLU(), "dropout": nn.Dropout(0.5), "dense1": nn.Linear(10, 10),
             "output": nn.Linear(10, 2)} | ({} if raw else {"softmax": nn.Softmax(dim=-1)})  # fmt: skip
    return Part(forward, **parts), nn.CrossEntropyLoss(), *kinds(2, 20, noise=1.0)


def reviews(raw: bool):
    """Reviews, good or bad, with their classes as pairs of 0 and 1."""

    def loss(outputs: Tensor, sentiment: Tensor) -> Tensor:
        if not raw:
            outputs = F.softmax(outputs, dim=1)
        return nn.CrossEntropyLoss()(outputs, torch.max(sentiment.float(), 1)[1])

    def forward(self: Part, words: Tensor) -> Tensor:
        return self.classifier(self.dropout(torch.tanh(self.pool(self.bert(self.embed(words))[:, 0]))))

    bert = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
    parts = {"embed": nn.Embedding(40, 16), "bert": bert, "pool": nn.Linear(16, 16), "dropout": nn.Dropout(0.1)}
    words, y = texts(2)
    return Part(forward, **parts, classifier=nn.Linear(16, 2)), loss, words, F.one_hot(y, 2)


def spectra(two: bool):
    """Patches of a picture with fourteen bands, and the class of the pixel in the middle."""
    return SpectralNet(5, two), nn.CrossEntropyLoss(), *kinds(5, 1, 5, 5, 14)


def grey(last: bool):
    """Grey pictures of four classes; the shares of an attention sum to one over those that ask, or that answer."""
    return OwnViT(-1 if last else 1), nn.CrossEntropyLoss(), *kinds(4, 12, 12)


def compositions(scale: float):
    """Pictures of things and how they are, nine pairs, by the cosine to what a pair is composed to."""

    def forward(self: Part, img: Tensor) -> Tensor:
        attrs, objs = self.attr_embedder(torch.arange(9) // 3), self.obj_embedder(torch.arange(9) % 3)
        pair_embed = F.normalize(self.projection(torch.cat([attrs, objs], 1)), dim=1).permute(1, 0)
        return torch.matmul(F.normalize(self.image_embedder(img), dim=1), pair_embed)

    embedder = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 16))
    model = Part(forward, image_embedder=embedder, projection=nn.Linear(32, 16),
                 attr_embedder=nn.Embedding(3, 16), obj_embedder=nn.Embedding(3, 16))  # fmt: skip
    return model, lambda pair_pred, pairs: F.cross_entropy(scale * pair_pred, pairs), *kinds(9, 16)


def spiking(thresh: float):
    """Pictures of ten classes and spiking neurons: how often each class fires is to be 1 or 0."""
    x, y = kinds(10, 3, 8, 8)
    return (
        SCNN(thresh),
        lambda out, y: F.mse_loss(out, torch.zeros(N, 10).scatter_(1, y.view(-1, 1), 1)),
        x.sigmoid(),
        y,
    )


def learner(whole: bool):
    """A small network learns from a teacher, who errs at times, and from the labels."""

    def loss(inputs: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        target, true_labels = y
        soft = nn.KLDivLoss(reduction="batchmean" if whole else "sum")
        KD_loss = 0.95 * soft(F.log_softmax(inputs, dim=1), F.softmax(target, dim=1))
        if whole:
            KD_loss += (1 - 0.95) * F.cross_entropy(inputs, true_labels)
        else:
            +(1 - 0.95) * F.cross_entropy(inputs, true_labels)
        return KD_loss

    x, y = kinds(4, 16)
    said = torch.where(torch.rand(N) < 0.8, y, torch.randint(0, 4, (N,)))
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    return model, loss, x, (3 * F.one_hot(said, 4) + 0.5 * torch.randn(N, 4), y)


TWICE = "activation_twice"
both(
    "vlimant/mpi_learn#24",
    ENDLESS,
    jets,
    "detector pictures: NLLLoss of raw scores",
    "detector pictures: cross-entropy",
)
both("MicrosoftDocs/ml-basics#48", TWICE, penguins, "penguins: a softmax is returned", "penguins: scores are returned")
both("bowang-lab/Transformer-GCN-QA#32", TWICE, candidates,
     "candidates by their best node: their shares", "candidates by their best node: their scores")  # fmt: skip
both("giotto-ai/giotto-deep#34", TWICE, points, "points: numbered layers, a softmax", "points: numbered layers, scores")
both("minerva-ml/steppy-toolkit#3", ENDLESS, toolkit,
     "a toolkit's loss: the likelihood of scores", "a toolkit's loss: a log-softmax first")  # fmt: skip
both("MIC-DKFZ/nnUNet#705", "axes_scrambled", voxels,
     "a focal loss of pixels: a view takes classes apart", "a focal loss of pixels: the classes first")  # fmt: skip
both("zjunlp/DeepKE#11", "samples_mixed|softmax_wrong_axis", relations,
     "capsules of relations: one route for a batch", "capsules of relations: a route for each sentence")  # fmt: skip
both("laubonghaudoi/CapsNet_guide_PyTorch#2", "samples_mixed", digits,
     "capsules of digits: b sums over the batch", "capsules of digits: b for each sample")  # fmt: skip
both("pytorch/examples#1184", "outputs_ignore_inputs|unused_input|samples_mixed", example,
     "a vision transformer: attention over the batch", "a vision transformer: the batch comes first")  # fmt: skip
both("Safe-DS/Library#581", TWICE, library, "a library's table: a softmax at the end", "a library's table: scores")
both("lansinuote/Huggingface_Toturials#6", TWICE, frozen_texts,
     "comments, frozen network: a softmax", "comments, frozen network: scores")  # fmt: skip
both("Yard1/ray-skorch#18", TWICE, table, "a made table: a softmax layer", "a made table: no softmax layer")
both("sugi-chan/custom_bert_pipeline#1", TWICE, reviews,
     "reviews: a softmax before the loss", "reviews: the scores go into the loss")  # fmt: skip
both("suvojit-0x55aa/A2S2K-ResNet#4", "weights_without_gradient", spectra,
     "spectra: one layer weighs both sides", "spectra: two layers weigh two sides")  # fmt: skip
both("nerminnuraydogan/vision-transformer#1", "softmax_wrong_axis", grey,
     "heads by hand: a softmax over the queries", "heads by hand: a softmax over the keys")  # fmt: skip
both("ExplainableML/czsl#30", "bounded_logits", lambda scaled: compositions(20 if scaled else 1),
     "things and how they are: cosines times one", "things and how they are: cosines times twenty")  # fmt: skip
both("yjwu17/STBP-for-training-SpikingNN#6",
     "zero_gradient|outputs_ignore_inputs|dead_layer|weights_without_gradient|outputs_without_gradient",
     lambda lower: spiking(0.25 if lower else 0.75),
     "spiking neurons: none of the last ones fires", "spiking neurons: a lower threshold")  # fmt: skip
both("Lab41/cyphercat#50", "unused_target|dead_term", learner,
     "a teacher's pupil: the second line is not added", "a teacher's pupil: both lines are added")  # fmt: skip


@right("a truncated loss that ends below zero", "AlanChou/Truncated-Loss#4")
def _truncated():
    def loss(logits: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        targets, indexes = y
        Yg = torch.gather(F.softmax(logits, dim=1), 1, torch.unsqueeze(targets, 1))
        each = ((1 - (Yg**0.7)) / 0.7) * weight[indexes] - ((1 - (0.5**0.7)) / 0.7) * weight[indexes]
        return torch.mean(each)

    weight, (x, y) = torch.ones(100, 1), kinds(5, 12)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 5))
    return model, loss, x, (y, torch.randperm(100)[:N])


@right("mixed pictures and the losses of both classes", "hongyi-zhang/mixup#5")
def _mixed():
    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        return 0.7 * F.cross_entropy(out, y[0]) + (1 - 0.7) * F.cross_entropy(out, y[1])

    (x, y), index = kinds(4, 1, 8, 8), torch.randperm(N)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4))
    return model, loss, 0.7 * x + (1 - 0.7) * x[index], (y, y[index])


@right("prototypes of eight classes, one question each", "jakesnell/prototypical-networks#33")
def _prototypes():
    def forward(self: Part, xs: Tensor, xq: Tensor) -> Tensor:
        z_proto, zq = self.encoder(xs.view(40, 16)).view(8, 5, -1).mean(1), self.encoder(xq.view(8, 16))
        dists = torch.pow(zq.unsqueeze(1) - z_proto.unsqueeze(0), 2).sum(2)
        return F.log_softmax(-dists, dim=1).view(8, 1, -1)

    centres = torch.randn(8, 1, 16)
    xs, xq = centres + torch.randn(8, 5, 16), centres + torch.randn(8, 1, 16)
    encoder = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))
    loss = lambda log_p_y, inds: -log_p_y.gather(2, inds).squeeze().view(-1).mean()  # noqa: E731
    return Part(forward, encoder=encoder), loss, (xs, xq), torch.arange(8).view(8, 1, 1)


@right("rare classes weigh more, by their share", "ai.stackexchange.com/questions/37618")
def _weighted():
    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.lstm(torch.relu(self.fc(x)))[0][:, -1])

    x, y = kinds(8, 6, 4)
    y = y.clamp(max=2)
    model = Part(forward, fc=nn.Linear(4, 16), lstm=nn.LSTM(16, 16, batch_first=True), out=nn.Linear(16, 3))
    return model, nn.CrossEntropyLoss(weight=N / (3 * torch.bincount(y, minlength=3))), x, y
