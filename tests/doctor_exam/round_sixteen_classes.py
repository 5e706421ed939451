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
cloud classification accuracy low transpose bug; video gesture classification cnn lstm accuracy random. They gave two.

Of the twenty and the eight the lists of issues were read, of five also the pages. The hits are excerpts of about two
thousand characters; of two dozen repositories the code and its history were read. Every thread about one of several
classes was kept, in its order, in which an answer, the history or the code shows a cause that lies in the model, the
loss or the batch: seven of the eighteen are a softmax before a cross-entropy. Left out of some eight hundred hits: no
cause named, or a title without a text (most); other subjects, and code of other frameworks; pages of advice; versions,
data, measuring, step sizes (about forty); errors that PyTorch raises at once (three); choices that train either way
(about ten, such as a margin loss without its squares, a focal loss averaged over the classes, too, a ReLU before a
log-softmax, a binary cross-entropy of a softmax, labels smoothed by a slightly other share); and twenty-one threads
that stand in earlier rounds. The four last ones are right and come from threads whose code was fine. In the pupil's
repaired loss the divergence is a mean over the batch, and not a sum as in the repository. The names of the findings are
those of the sentences, chosen before any score.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_sixteen_classes_networks as networks
from doctor_exam import round_sixteen_classes_parts as parts
from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_sixteen_classes_parts import N, kinds, texts

SIXTEEN_CLASSES = CaseSet()
right, wrong = SIXTEEN_CLASSES.right, SIXTEEN_CLASSES.wrong
ENDLESS = "unnormalised_likelihood|unbounded_loss"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def jets(crossed: bool):
    """Pictures of a detector, of three sorts."""
    x, y = kinds(3, 20, 20, 5)
    return parts.JetNet(dropout=0.2), nn.CrossEntropyLoss() if crossed else nn.NLLLoss(), x, y


def penguins(raw: bool):
    """Four measurements of penguins of three sorts."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = torch.relu(self.fc2(torch.relu(self.fc1(x))))
        return self.fc3(x) if raw else torch.softmax(self.fc3(x), dim=1)

    model = Part(forward, fc1=nn.Linear(4, 10), fc2=nn.Linear(10, 10), fc3=nn.Linear(10, 3))
    return model, nn.CrossEntropyLoss(), *kinds(3, 4)


def points(raw: bool):
    """Points in space, of three classes."""
    return parts.FFNet([3, 50, 3], not raw), nn.CrossEntropyLoss(), *kinds(3, 3)


def toolkit(logarithm: bool):
    """Pictures and their classes in a column, by a loss of a toolkit."""
    x, y = kinds(5, 1, 8, 8)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 5))
    return model, partial(parts.cross_entropy, squeeze=True, log_softmax=logarithm), x, y[:, None]


def example(repaired: bool):
    """Colour pictures of ten classes and a vision transformer."""
    return networks.ExampleViT(N, repaired), nn.CrossEntropyLoss(), *kinds(10, 3, 8, 8)


def frozen_texts(raw: bool):
    """Comments, good or bad: a pretrained network that stands still, and a layer of one's own."""

    def forward(self: Part, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        with torch.no_grad():
            hidden = encode(embed(input_ids), src_key_padding_mask=attention_mask == 0)
        out = self.fc(hidden[:, 0])
        return out if raw else out.softmax(dim=1)

    encode = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
    embed, (ids, y), real = nn.Embedding(40, 16), texts(2, 16), torch.arange(16) < torch.randint(8, 17, (N, 1))
    for param in [*encode.parameters(), *embed.parameters()]:
        param.requires_grad_(False)
    return Part(forward, fc=nn.Linear(16, 2)), nn.CrossEntropyLoss(), (ids * real, real.long()), y


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
    return networks.SpectralNet(5, two), nn.CrossEntropyLoss(), *kinds(5, 1, 5, 5, 14)


def grey(last: bool):
    """Grey pictures of four classes; the shares of an attention sum to one over those that ask, or that answer."""
    return networks.OwnViT(-1 if last else 1), nn.CrossEntropyLoss(), *kinds(4, 12, 12)


TWICE = "activation_twice"
both(
    "vlimant/mpi_learn#24",
    ENDLESS,
    jets,
    "detector pictures: NLLLoss of raw scores",
    "detector pictures: cross-entropy",
)
both("MicrosoftDocs/ml-basics#48", TWICE, penguins, "penguins: a softmax is returned", "penguins: scores are returned")
both("bowang-lab/Transformer-GCN-QA#32", TWICE, parts.candidates,
     "candidates by their best node: their shares", "candidates by their best node: their scores")  # fmt: skip
both("giotto-ai/giotto-deep#34", TWICE, points, "points: numbered layers, a softmax", "points: numbered layers, scores")
both("minerva-ml/steppy-toolkit#3", ENDLESS, toolkit,
     "a toolkit's loss: the likelihood of scores", "a toolkit's loss: a log-softmax first")  # fmt: skip
both("MIC-DKFZ/nnUNet#705", "axes_scrambled", parts.voxels,
     "a focal loss of pixels: a view takes classes apart", "a focal loss of pixels: the classes first")  # fmt: skip
both("zjunlp/DeepKE#11", "samples_mixed|softmax_wrong_axis", parts.relations,
     "capsules of relations: one route for a batch", "capsules of relations: a route for each sentence")  # fmt: skip
both("laubonghaudoi/CapsNet_guide_PyTorch#2", "samples_mixed", parts.digits,
     "capsules of digits: b sums over the batch", "capsules of digits: b for each sample")  # fmt: skip
both("pytorch/examples#1184", "outputs_ignore_inputs|unused_input|samples_mixed", example,
     "a vision transformer: attention over the batch", "a vision transformer: the batch comes first")  # fmt: skip
both("Safe-DS/Library#581", TWICE, parts.library, "a library's table: a softmax", "a library's table: scores")
both("lansinuote/Huggingface_Toturials#6", TWICE, frozen_texts,
     "comments, frozen network: a softmax", "comments, frozen network: scores")  # fmt: skip
both("Yard1/ray-skorch#18", TWICE, table, "a made table: a softmax layer", "a made table: no softmax layer")
both("sugi-chan/custom_bert_pipeline#1", TWICE, reviews,
     "reviews: a softmax before the loss", "reviews: the scores go into the loss")  # fmt: skip
both("suvojit-0x55aa/A2S2K-ResNet#4", "weights_without_gradient|units_all_alike", spectra,
     "spectra: one layer weighs both sides", "spectra: two layers weigh two sides")  # fmt: skip
both("nerminnuraydogan/vision-transformer#1", "softmax_wrong_axis", grey,
     "heads by hand: a softmax over the queries", "heads by hand: a softmax over the keys")  # fmt: skip
both("ExplainableML/czsl#30", "bounded_logits", lambda scaled: parts.compositions(20 if scaled else 1),
     "things and how they are: cosines times one", "things and how they are: cosines times twenty")  # fmt: skip
both("yjwu17/STBP-for-training-SpikingNN#6",
     "zero_gradient|outputs_ignore_inputs|dead_layer|weights_without_gradient|outputs_without_gradient",
     lambda lower: parts.spiking(0.25 if lower else 0.75),
     "spiking neurons: none of the last ones fires", "spiking neurons: a lower threshold")  # fmt: skip
both("Lab41/cyphercat#50", "unused_target|dead_term", parts.learner,
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
