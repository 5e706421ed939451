"""Set-ups of the eighteenth round (engineers who adapt a network to their own data), written without the checks.

Twenty-four searches, written down and committed before the first of them was made, of issues and of pages in turn:

fine tuning resnet on my own dataset, loss stays the same every epoch, my custom head; multi task learning pytorch two
heads, one task does not learn, combined loss; class imbalance weighted cross entropy, model still predicts only the
majority class, mistake in my loss; custom loss ignoring missing values nan in targets, loss becomes nan after first
step; lstm time series forecasting predicts a flat line, pytorch, what is wrong with my model; tabular neural network
regression predicts the mean for all rows; medical image segmentation dice loss not decreasing, my dice loss
implementation; recommendation matrix factorization pytorch loss not decreasing, bpr loss; learning to rank pairwise
loss implemented in pytorch does not learn; metric learning triplet loss stuck at margin, embeddings collapse;
autoencoder anomaly detection reconstruction loss does not go down, output activation; multi label classification
outputs all zeros or all the same probabilities, BCE; binary classifier always outputs 0.5, loss stays 0.693; focal
loss implementation does not work, loss goes down but accuracy stays; quantile regression pinball loss predictions
wrong quantiles; gaussian negative log likelihood uncertainty head, variance explodes or loss negative; custom weighted
mse loss, broadcasting warning, target size (batch) and input size (batch, 1), bad predictions; unet segmentation
predicts only background, loss function or softmax problem; fine tune bert with custom classification head, accuracy at
chance, wrong output used; siamese network contrastive loss goes to zero, all distances equal; ordinal regression coral
loss model predicts one class; survival analysis deep cox loss implementation bug; loss does not change, forgot
something in custom loss: argmax, detach, numpy, requires_grad; chest x-ray multi label pos_weight loss wrong weighted
bce.

Each was made in both lists of hits, first in the one and then in the other, and the hits were gone through in their
order; ten more look-ups only to read on in a thread. They gave twenty wrong ones, more than were wanted, so no further
search was made. Left out of some four hundred and fifty hits: no cause named, or a title without a text (most); pages
of advice, documents and papers; a step size, the data, versions and measuring (about thirty); errors that PyTorch
raises at once (three); choices that train either way (six, such as weights of classes in a loss of labels, or a
sigmoid of a distance); a cause that stands in a part of the thread or of the code that could not be read (nine); and
seventeen threads that stand in earlier rounds. A hit is an excerpt of about two thousand characters; for ten threads
the code or the history of the repository was read. The code of the organs' overlap breaks off in its thread, and its
sums are filled in; the features of the noise were part of an attack, and stand here as a loss that is to be small.
The names of the findings are those of the sentences, chosen before any score.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_eighteen_engineers_parts as parts
from doctor_exam.case import CaseSet
from doctor_exam.round_eighteen_engineers_parts import M, masks, net, rows
from doctor_exam.round_parts import Part

EIGHTEEN_ENGINEERS = CaseSet()
right, wrong = EIGHTEEN_ENGINEERS.right, EIGHTEEN_ENGINEERS.wrong


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def two_kinds(own: bool):
    """Two classes of each row, by two last layers or by one that is called twice."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x1 = self.dense2a(self.dense1(x).relu())
        x2 = (self.dense2b if own else self.dense2a)(self.dense1(x).relu())
        return F.log_softmax(x1, dim=1), F.log_softmax(x2, dim=1)

    layers = {"dense1": nn.Linear(8, 32), "dense2a": nn.Linear(32, 3)} | ({"dense2b": nn.Linear(32, 3)} if own else {})
    x, loss = torch.randn(M, 8), nn.NLLLoss()
    targets = x[:, :3].argmax(1), x[:, 4:7].argmax(1)
    return Part(forward, **layers), lambda out, y: loss(out[0], y[0]) + loss(out[1], y[1]), x, targets


def two_tasks(kept: bool):
    """Two numbers of each row, by two linear layers whose losses have weights that are learnt."""
    x = torch.randn(M, 5)
    model = Part(lambda self, x: (self.f1(x).squeeze(), self.f2(x).squeeze()),
                 f1=nn.Linear(5, 1, bias=False), f2=nn.Linear(5, 1, bias=False))  # fmt: skip
    return model, parts.WeightsOfTasks(kept), x, (x.sum(1), x[:, 0] - 2 * x[:, 1])


def liked_items(each: bool):
    """What a user liked before another thing, with users made of what they have used."""
    items, taste = nn.Embedding(40, 8), torch.randint(0, 4, (M,))
    model = Part(lambda self, used: self.mix(used @ self.items.weight / used.sum(1, keepdim=True).clamp(min=1)),
                 items=items, mix=nn.Linear(8, 8))  # fmt: skip

    def loss(u: Tensor, y: Tensor) -> Tensor:
        p, n = items(y[:, 0]), items(y[:, 1])
        if each:
            return torch.neg(F.logsigmoid(torch.sum(torch.mul(u, p - n), dim=1))).mean()
        return torch.neg(F.logsigmoid(torch.sum(torch.mul(u, p - n))))

    kinds = torch.arange(40) % 4
    used = (torch.rand(M, 40) < torch.where(kinds == taste[:, None], 0.7, 0.1)).float()
    liked = taste + 4 * torch.randint(0, 10, (M,))
    other = (taste + torch.randint(1, 4, (M,))) % 4 + 4 * torch.randint(0, 10, (M,))
    return model, loss, used, torch.stack([liked, other], 1)


def organs(soft: bool):
    """Five classes of the places of a scan, by the overlap of chosen classes or of probabilities."""
    x, model = torch.randn(M, 5, 6, 6), nn.Sequential(nn.Conv2d(5, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 5, 1))
    return model, parts.soft_dice if soft else parts.HardDice.apply, x, x.argmax(1)


def places_of_boxes(widened: bool):
    """Two numbers between 0 and 1 with a spread of their own, by a density and its logarithm."""

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        sigma = out[1] + 0.3 if widened else out[1]
        return (-torch.log(parts.gaussian_dist_pdf(out[0], y, sigma) + 1e-9) / 2.0).sum() / len(y)

    model = Part(lambda self, x: tuple(self.net(x).sigmoid().chunk(2, 1)), net=net(8, 4))
    x, _ = rows()
    return model, loss, x, torch.stack([x[:, :4].mean(1), x[:, 4:].mean(1)], 1).sigmoid()


def cars(scaled: bool):
    """A mask of 0 and 1, or as it lies in its file, of 0 and 255."""
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 1))
    x, y = masks()
    return model, nn.BCEWithLogitsLoss(), x, y if scaled else y * 255


def rare_cells(of_losses: bool):
    """A place of a picture is a rare cell or not; weights on the losses or on the scores."""

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        flat_logits, flat_labels = logits.movedim(1, -1).reshape(-1, 2), y.movedim(1, -1).reshape(-1, 2)
        class_weights = torch.tensor([1.0, 9.0])
        if not of_losses:
            return F.cross_entropy(flat_logits * class_weights, flat_labels)
        weight_map = (flat_labels * class_weights).sum(1)
        return (F.cross_entropy(flat_logits, flat_labels, reduction="none") * weight_map).mean()

    x, _ = masks()
    rare = (x + 0.7 * torch.randn_like(x) > 1.6).float()
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    return model, loss, x, torch.cat([1 - rare, rare], 1)


def few_frauds(raw: bool):
    """A rare yes, by probabilities and weights by hand or by torch's own loss on raw outputs."""
    x, total = rows()
    y = (total > 2.5).float()[:, None]
    ratio = ((y == 0).sum() / (y == 1).sum()).item()
    if raw:
        return net(8, 1), nn.BCEWithLogitsLoss(pos_weight=torch.tensor(ratio)), x, y
    return net(8, 1, nn.Sigmoid()), lambda out, y: parts.weighted_binary_cross_entropy(out, y, (1.0, ratio)), x, y


def some_labels(clamped: bool):
    """Labels that are rarely yes, by a logarithm of the sigmoid."""

    def loss(sigmoid_x: Tensor, targets: Tensor) -> Tensor:
        if clamped:
            sigmoid_x = torch.clamp(sigmoid_x, min=1e-7, max=1 - 1e-7)
        return (-3.0 * targets * sigmoid_x.log() - (1 - targets) * (1 - sigmoid_x).log()).mean()

    x = torch.randn(M, 8)
    return net(8, 4, nn.Sigmoid()), loss, x, (x[:, :4] + x[:, 4:] > 0.9).float()


def pairs_of_sentences(logits: bool):
    """A class of a pair of sentences, from the first place of an encoder."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        return self._logit_layer(self.pooler(self.encoder(self.embed(tokens) + self.place)[:, 0]))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out if logits else torch.clamp(out, 1e-7, 1 - 1e-7).log(), y)

    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
    model = Part(forward, embed=nn.Embedding(30, 16), encoder=nn.TransformerEncoder(layer, 1),
                 pooler=nn.Sequential(nn.Linear(16, 16), nn.Tanh()), _logit_layer=nn.Linear(16, 3))  # fmt: skip
    model.place = nn.Parameter(0.1 * torch.randn(8, 16))
    tokens = torch.randint(0, 30, (M, 8))
    return model, loss, tokens, tokens[:, 0] % 3


def moods(masked: bool):
    """The mood of a text of up to ten words, from the mean of its vectors."""

    def reduce_mean(x: Tensor, m: Tensor) -> Tensor:
        return (x * m[..., None]).sum(1) / (m.sum(1, keepdim=True) + 1e-10) if masked else x.mean(1)

    def forward(self: Part, tokens: Tensor) -> Tensor:
        mask = (tokens != 0).float()
        x = self.embed(tokens) + self.place
        scores = self.query(x) @ self.key(x).transpose(1, 2) / 4 - (1 - mask[:, None]) * 1e9
        return self.dnn(reduce_mean(x + scores.softmax(-1) @ self.value(x), mask))

    sides = {name: nn.Linear(16, 16) for name in ("query", "key", "value")}
    model = Part(forward, embed=nn.Embedding(30, 16), dnn=net(16, 3), **sides)
    model.place = nn.Parameter(0.1 * torch.randn(10, 16))
    tokens = torch.randint(1, 30, (M, 10)).masked_fill(torch.arange(10) >= torch.randint(2, 11, (M, 1)), 0)
    return model, nn.CrossEntropyLoss(), tokens, tokens[:, 1] % 3


def same_meaning(shuffled: bool):
    """Do two sentences mean the same? A batch of a file that begins with all that do not, or of a shuffled one."""
    a, b = torch.randint(0, 30, (4 * M, 6)), torch.randint(0, 30, (4 * M, 6))
    y = (a[:, 0] % 2 == b[:, 0] % 2).long()
    order = torch.randperm(4 * M)[:M] if shuffled else y.argsort(stable=True)[:M]
    model = Part(lambda self, a, b: self.out(torch.cat([self.embed(a).flatten(1), self.embed(b).flatten(1)], 1)),
                 embed=nn.Embedding(30, 8), out=net(96, 2))  # fmt: skip
    return model, nn.CrossEntropyLoss(), (a[order], b[order]), y[order]


def noise_and_features(kept: bool):
    """The noise in a picture, and features that are to be those of the picture without it."""

    def forward(self: Part, noisy: Tensor) -> tuple[Tensor, Tensor]:
        features = self.up(self.down(noisy))
        return self.out(features), features

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        target_loss = F.mse_loss(out[1].float(), y[1].float(), reduction="mean")
        loss = F.mse_loss(out[0].float(), y[0].float(), reduction="mean")
        return loss + (target_loss if kept else target_loss.detach().item())

    down, up = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
    (x, _), noise = masks(), torch.randn(M, 1, 8, 8)
    model = Part(forward, down=nn.Sequential(down, nn.SiLU()), up=nn.Sequential(up, nn.SiLU()), out=nn.Conv2d(8, 1, 1))
    clean = F.silu(F.conv2d(x, torch.randn(8, 1, 3, 3) / 3, padding=1))
    return model, loss, x + noise, (noise, clean)


def prototypes(bias: bool):
    """What a picture shows, several things or none, from prototypes that can only speak for a class."""

    def forward(self: Part, xs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        proto_features = self.features(xs).softmax(1)
        pooled = F.adaptive_max_pool2d(proto_features, 1).flatten(1)
        return proto_features, pooled, self.classification(pooled)

    x = torch.randn(M, 3, 6, 6) + 2 * torch.randn(M, 3, 1, 1)
    features = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 12, 1))
    model = Part(forward, features=features, classification=parts.NonNegLinear(12, 3, bias))
    return model, lambda out, y: F.binary_cross_entropy_with_logits(out[2], y), x, (x.mean((2, 3)) > 0.3).float()


def faces():
    """Pictures of people, each person several times, by the hardest of a batch."""
    y = torch.arange(M) % 8
    return net(8, 6), parts.batch_hard, torch.randn(8, 8)[y] + 0.3 * torch.randn(M, 8), y


def ratings():
    """What users gave to things, as far as they gave anything, by a product of vectors."""
    users, gave = torch.randn(M, 4), torch.rand(M, 12) < 0.7
    rating = (3 + users @ torch.randn(4, 12)).clamp(1, 5) * gave
    layers = {"p": nn.Embedding(M, 4), "q": nn.Embedding(12, 4), "bu": nn.Embedding(M, 1), "bi": nn.Embedding(12, 1)}
    model = Part(lambda self, user: self.p(user) @ self.q.weight.T + self.bu(user) + self.bi.weight.T, **layers)

    def loss(r_predict: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        rating_matrix, mask_matrix = y
        return torch.sum((r_predict * mask_matrix - rating_matrix * mask_matrix).pow(2)) / mask_matrix.sum()

    return model, loss, torch.arange(M), (rating, gave.int())


def first_of_two():
    """Which of two things was bought, by their scores."""
    x, model = torch.randn(M, 2, 8), Part(lambda self, x: self.net(x).squeeze(-1), net=net(8, 1))

    def loss(scores: Tensor, bought: Tensor) -> Tensor:
        positive_score, negative_score = scores.gather(1, bought), scores.gather(1, 1 - bought)
        return -torch.log(1e-10 + torch.sigmoid(positive_score - negative_score)).mean()

    return model, loss, x, x[:, :, :4].sum(2).argmax(1)[:, None]


DISCUSS = "discuss.pytorch.org/t"
both(f"{DISCUSS}/49447", "units_all_alike", two_kinds,
     "two kinds of each row: one last layer for both", "two kinds of each row: a last layer for each")  # fmt: skip
both(f"{DISCUSS}/39681", "loss_without_gradient", two_tasks,
     "weights of tasks: their losses become new numbers", "weights of tasks: their losses are stacked")  # fmt: skip
both(f"{DISCUSS}/111510", "wrong_formula", liked_items,
     "liked things: all users in one sigmoid", "liked things: a sigmoid for each user")  # fmt: skip
both("yzhao062/pyod#651", "range_cannot_reach_targets", parts.outliers,
     "outliers: the decoder ends in a ReLU", "outliers: nothing behind the decoder")  # fmt: skip
both("Lasagne/Recipes#99", "wrong_formula", organs,
     "organs: an overlap with a backward pass of its own", "organs: an overlap of probabilities")  # fmt: skip
wrong("signs: a batch without text", "loss_not_finite", "SakuraRiven/EAST#2")(lambda: parts.signs(False, False))
right("signs: a batch with text, and a guard", "SakuraRiven/EAST#2")(lambda: parts.signs(True, True))
both("motokimura/PyTorch_Gaussian_YOLOv3#23", "unstable_formula|gradient_not_finite", places_of_boxes,
     "places of boxes: the spread may become nothing", "places of boxes: the spread is widened")  # fmt: skip
both("milesial/Pytorch-UNet#172", "targets_outside_unit_range", cars,
     "cars: a mask of 0 and 255", "cars: a mask of 0 and 1")  # fmt: skip
both("jakeret/tf_unet#18", "wrong_formula", rare_cells,
     "rare cells: the weights multiply the scores", "rare cells: the weights multiply the losses")  # fmt: skip
both(f"{DISCUSS}: Loss function with small amount of positives", "unstable_formula", few_frauds,
     "few frauds: a clamp that float32 does not see", "few frauds: raw outputs and a weight of yes")  # fmt: skip
both("pytorch/pytorch#5660", "unstable_formula", some_labels,
     "rare labels: the logarithm of a sigmoid", "rare labels: the logarithm of a clamped sigmoid")  # fmt: skip
both("ecmwf/anemoi-core#1045", "gradient_not_finite|targets_not_finite", parts.weather,
     "weather: missing values are left out when added up", "weather: missing values are set to 0 in both")  # fmt: skip
both("owkin/FLamby#242", "unstable_formula|loss_not_finite", parts.patients,
     "patients: the largest score is subtracted from all", "patients: the largest of each row's risk set")  # fmt: skip
both("mahmoodlab/Patho-Bench#16", "wrong_formula|dead_term", parts.lasting,
     "lasting: those without an event weigh nothing", "lasting: those without an event count")  # fmt: skip
both("keras-team/keras-hub#176", "logarithm_of_raw_outputs", pairs_of_sentences,
     "pairs of sentences: scores taken for probabilities", "pairs of sentences: scores taken for scores")  # fmt: skip
both("jina-ai/clip-as-service#76", "padding_attended|mean_over_padding", moods,
     "moods: the mean of all places", "moods: the mean of real places")  # fmt: skip
both("google-research/bert#154", "one_class_only", same_meaning,
     "same meaning: a file in the order of its labels", "same meaning: a shuffled file")  # fmt: skip
both("somuchtome/SimAC#3", "dead_term", noise_and_features,
     "noise and features: the second is a bare number", "noise and features: both have a slope")  # fmt: skip
both("M-Nauta/PIPNet#7", "relu_before_activation|bounded_logits", prototypes,
     "prototypes: a class can only be spoken for", "prototypes: a bias can speak against it")  # fmt: skip
both("zhang-haojie/wesam#7", "loss_is_constant|zero_gradient", parts.moles,
     "moles: one of a picture, compared with nothing", "moles: one of a picture, and its background")  # fmt: skip
right("faces: the hardest of a batch", "quaterion.qdrant.tech/tutorials/triplet_loss_trick")(faces)
right("ratings: only those that were given", "tedMei/Pytorch_From_Scratch")(ratings)
right("first of two: the logarithm of a sigmoid of a difference", "catalyst-team/catalyst#1253")(first_of_two)
