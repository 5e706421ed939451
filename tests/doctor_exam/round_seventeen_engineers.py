"""Set-ups of the seventeenth round (engineers who adapt a network to their own data), written blind.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order:

fine-tuned bert classifier predicts the same class for every input loss stuck at 0.69; transfer learning resnet
pretrained loss does not decrease forgot to train last layer; multi task network two heads one loss does not go down
only one task learns; imbalanced binary classification model predicts all zeros weighted loss wrong; my custom focal
loss implementation does not work gives worse results; mask missing values in loss function NaN targets training gives
nan; lstm time series forecast predicts the mean constant output; regression neural network predicts same value for all
inputs pytorch tabular; medical image segmentation dice loss stays at 1 model predicts only background; recommendation
matrix factorization pytorch loss not decreasing bug; multi label chest x-ray classifier custom loss all predictions the
same; fine-tuning language model on own data loss is zero or does not change labels; custom loss function pytorch
gradient None weights not updating argmax; quantile regression loss forecast quantiles wrong all quantiles equal;
learned uncertainty weighting several losses goes negative or diverges; lora peft fine-tuning loss does not decrease
parameters not trained; categorical embedding tabular model softmax at the end and cross entropy accuracy stuck;
survival analysis cox loss pytorch not learning wrong risk set; siamese network contrastive triplet loss stuck at margin
all embeddings same; u-net segmentation output sigmoid with BCEWithLogitsLoss training does not work; ordinal regression
or age estimation custom loss does not converge; two tower retrieval in-batch negatives loss stuck at log of batch size;
knowledge distillation loss kl div student does not improve implementation wrong; transformer for time series output
shape mismatch broadcast mse loss warning predicts flat line.

Too many of their hits stand in earlier rounds, so twenty more were written down, again before they were made, of issues
but for the second and the fourth: churn or credit default model all predictions near the base rate wrong loss; skin
lesion classifier weighted cross entropy class weights order wrong; tumor segmentation multi class dice softmax sigmoid
wrong; EEG classification network loss stuck at ln of number of classes; wind power or load forecasting transformer
decoder sees the target; gaussian negative log likelihood forecast variance negative nan; click through rate or
conversion model multi task ESMM MMoE loss bug; session based recommendation SASRec padding items loss mask; BPR loss
sign or log sigmoid wrong recommendation pytorch; named entity recognition bert loss active labels padding ignored
wrong; backbone frozen or detached by no_grad by mistake features do not train; missing labels multi label masked bce
mean over all elements; fix loss bug: add missing log or softmax dimension in fine-tuning code; fix: label smoothing
loss wrong; fix: regression head output shape squeeze broadcast in loss; zero inflated or poisson or tweedie loss demand
forecasting wrong; autoencoder anomaly detection sigmoid output standardized data loss does not go down; hidden state of
LSTM not reset or last output wrong dimension batch_first forecast; reward model or preference loss fine-tuning sign
wrong; attention pooling or mean pooling mask wrong sentence embedding fine-tuning.

With the fifteenth of these there were enough, and the last five were left. For most hits with a repository its code or
history was read. Every thread was kept, in the order of the hits, in which an answer, the history or the code shows a
cause in the model, the loss or the batch; one has two slips, one behind the other. Left out of some six hundred and
thirty hits: no cause named, or a title without a text (most); other subjects and pages of advice; settings, logging,
versions and measuring (about thirty); errors that PyTorch raises at once (six); choices that train either way (eight,
such as a smoothing that is never applied, or a loss of negatives within a pair only); collapsed embeddings without a
cause (nine); and some thirty threads that stand in earlier rounds, or show the same lines of code as one of those. The
names of the findings are those of the sentences, chosen before any score.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_seventeen_engineers_parts as parts
from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_seventeen_engineers_parts import N, chosen, labelled

SEVENTEEN_ENGINEERS = CaseSet()
right, wrong = SEVENTEEN_ENGINEERS.right, SEVENTEEN_ENGINEERS.wrong
TWICE, WEATHER = "activation_twice|bounded_logits", "INRIA/geoarches#88"
NAN_SLOPE = "gradient_not_finite|targets_not_finite"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def weather(version: int):
    """Two fields of weather six hours on, of which some places were not measured; three ways to leave those out."""
    coeffs = {"surface": torch.tensor([1, 0.5])[:, None, None], "level": torch.tensor([1, 0.2])[:, None, None, None]}

    def forward(self: Part, surface: Tensor, level: Tensor) -> dict[str, Tensor]:
        out = self.conv(torch.cat([surface, level.flatten(1, 2)], 1))
        return {"surface": out[:, :2], "level": out[:, 2:].unflatten(1, (2, 3))}

    def loss(pred: dict[str, Tensor], gt: dict[str, Tensor]) -> Tensor:
        losses = {}
        for key, coeff in coeffs.items():
            valid, error = ~torch.isnan(gt[key]), (pred[key] - gt[key]).abs().pow(2).mul(coeff)
            if version == 0:
                target_valid = torch.where(torch.isnan(gt[key]), 0.0, 1.0)
                losses[key] = ((error * target_valid) / target_valid.mean()).mean()
            elif version == 1:
                losses[key] = (torch.where(valid, error, 0.0) / valid.float().mean()).mean()
            else:
                error = (pred[key] * valid - torch.nan_to_num(gt[key], nan=0.0)).abs().pow(2).mul(coeff)
                losses[key] = error.sum() / valid.sum()
        return sum(losses.values())

    surface, level = torch.randn(N, 2, 4, 6), torch.randn(N, 2, 3, 4, 6)
    later = {"surface": surface.roll(1, -1), "level": 0.5 * level.roll(1, -1)}
    later = {key: x.masked_fill(torch.rand(x.shape) < 0.1, torch.nan) for key, x in later.items()}
    model = Part(forward, conv=nn.Sequential(nn.Conv2d(8, 32, 3, padding=1), nn.GELU(), nn.Conv2d(32, 8, 1)))
    return model, loss, (surface, level), later


def simulated(hooked: bool):
    """Two results of a simulation from four settings; some results are missing."""

    def nan_mse_loss(target: Tensor, pred: Tensor) -> Tensor:
        squared_diff = (pred - target) ** 2
        mse_loss = torch.nanmean(squared_diff)
        if hooked and pred.requires_grad:
            nan_mask = torch.isnan(squared_diff)
            pred.register_hook(lambda grad: torch.where(nan_mask, 0, grad))
        return mse_loss

    hidden = [layer for _ in range(4) for layer in (nn.Linear(20, 20), nn.ReLU())]
    model = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), *hidden, nn.Linear(20, 2))
    x = torch.randn(N, 4)
    y = torch.stack([x[:, 0] * x[:, 1], x.sum(1) / 2], 1)
    return model, lambda pred, y: nan_mse_loss(y, pred), x, y.masked_fill(chosen(2, below=0.2), torch.nan)


def through_a_choice(soft: bool):
    """A first network chooses one of five words, and a second says a class by that word."""

    def forward(self: Part, x: Tensor) -> Tensor:
        y_p = self.first_model(x)
        if soft:
            return self.second_model(y_p.softmax(1) @ self.words.weight)
        y_p = torch.max(y_p, 1)[1]
        return self.second_model(self.words(y_p))

    first = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 5))
    model, x = (
        Part(forward, first_model=first, words=nn.Embedding(5, 16), second_model=nn.Linear(16, 3)),
        torch.randn(N, 8),
    )
    return model, nn.CrossEntropyLoss(), x, labelled(x, 3)


def synthetic(raw: bool):
    """Three classes of a made-up table by a single layer, with a sigmoid behind it or nothing."""
    model = Part(lambda self, x: self.linear(x) if raw else torch.sigmoid(self.linear(x)), linear=nn.Linear(10, 3))
    ce, x = nn.CrossEntropyLoss(), torch.randn(N, 10)
    return model, lambda out, y: ce(out, y.squeeze(axis=1).long()), x, labelled(x, 3)[:, None].float()


def nuclei(raw: bool):
    """Six kinds of cells, pixel by pixel, by a decoder that was made for other outputs and ends in a sigmoid."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.out_conv(self.decoder(self.image_encoder(x)))
        return x if raw else self.final_activation(x)

    encoder = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.GELU(), nn.Conv2d(16, 24, 2, stride=2), nn.GELU())
    decoder = nn.Sequential(nn.ConvTranspose2d(24, 16, 2, stride=2), nn.ReLU())
    parts = {"image_encoder": encoder, "decoder": decoder, "out_conv": nn.Conv2d(16, 6, 1)}
    parts |= {} if raw else {"final_activation": nn.Sigmoid()}
    compute_ce_loss, image = (
        nn.CrossEntropyLoss(),
        torch.randn(N, 3, 2, 2).repeat_interleave(6, 2).repeat_interleave(6, 3),
    )
    labels = (3 * (image[:, :1] > 0) + (image[:, 1:2] > -0.4).float() + (image[:, 1:2] > 0.4)).float()
    return Part(forward, **parts), lambda out, y: compute_ce_loss(out, y.squeeze(1).long()), image, labels


def initial_state(flat: bool):
    """The heat at the beginning, at places and a time; the true values are a plain row of numbers."""
    norm, x = nn.MSELoss(), torch.rand(N, 3)
    model = nn.Sequential(nn.Linear(3, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
    gt_y = torch.sin(3.14 * x[:, 0]) * torch.sin(3.14 * x[:, 1])
    return model, lambda prediction, y: norm(prediction.reshape(-1) if flat else prediction, y), x, gt_y


def demand(plain: bool):
    """The next demand of each article, day by day: a mean and a spread."""

    def forward(self: Part, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        mus, sigmas, state = [], [], None
        for s in range(y.shape[1]):
            yembed = self.input_embed(y[:, s].view(-1, 1))
            _, state = self.encoder(torch.cat([x[:, s, :], yembed], dim=1).unsqueeze(1), state)
            hs = F.relu(state[0][-1, :, :])
            mus.append(self.mu_layer(hs).view(-1, 1))
            sigmas.append((torch.log(1 + torch.exp(self.sigma_layer(hs))) + 1e-6).view(-1, 1))
        return torch.cat(mus, dim=1), torch.cat(sigmas, dim=1)

    def gaussian_likelihood_loss(out: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        mu, sigma = out
        if plain:
            return (torch.log(sigma) + (z - mu) ** 2 / (2 * sigma**2) + 6).mean()
        return (torch.log(sigma + 1) + (z - mu) ** 2 / (2 * sigma**2) + 6).mean()

    x, y = torch.randn(N, 9, 2), [torch.randn(N)]
    for s in range(9):
        y.append(0.7 * y[-1] + 0.7 * x[:, s, 0] + 0.05 * torch.randn(N))
    layers = {"encoder": nn.LSTM(10, 24, batch_first=True), "mu_layer": nn.Linear(24, 1)}
    model = Part(forward, input_embed=nn.Linear(1, 8), sigma_layer=nn.Linear(24, 1), **layers)
    return model, gaussian_likelihood_loss, (x, torch.stack(y[:-1], 1)), torch.stack(y[1:], 1)


def binned_actions(shares: bool):
    """Four numbers of a movement, each put into one of sixteen bins."""

    def discrete_loss(logits: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        ground_truth_value, mask = y
        labels = torch.bucketize(ground_truth_value.clamp(-1, 1), torch.linspace(-1, 1, 17)[1:-1])
        labels_one_hot = F.one_hot(labels, logits.shape[-1]).float()
        scores = F.log_softmax(logits, dim=-1) if shares else logits
        loss = -torch.sum(scores * labels_one_hot, dim=-1)
        return torch.mean(loss * mask) / torch.clamp(torch.mean(mask), min=1e-5)

    x = torch.randn(N, 16)
    head = nn.Sequential(nn.Linear(16, 48), nn.GELU(), nn.Linear(48, 64), nn.Unflatten(1, (4, 16)))
    return head, discrete_loss, x, (torch.tanh(x[:, :4] + 0.5 * x[:, 4:8]), chosen(4, below=0.8).float())


def small_pictures(raw: bool):
    """Small pictures of ten classes; the last layer has a softmax as its activation, or none."""

    def loss(output: Tensor, y: Tensor) -> Tensor:
        return -(y * F.log_softmax(output, dim=1)).sum(1).mean()

    x = torch.randn(N, 3, 8, 8)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Dropout(0.25), nn.Flatten()]
    layers += [nn.Linear(256, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10)]
    y = F.one_hot(labelled(x.flatten(1), 10), 10).float()
    return nn.Sequential(*layers, *([] if raw else [nn.Softmax(dim=1)])), loss, x, y


@right("three tasks of a detector: learnt uncertainties", "HKUST-Aerial-Robotics/Stereo-RCNN#21")
def uncertain():
    """Each loss weighs less the larger its uncertainty, a number that is learnt and may be negative."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        return self.cls_score(base := self.base(x)), self.bbox_pred(base), self.kpts(base)

    model = Part(forward, base=nn.Sequential(nn.Linear(12, 32), nn.ReLU()), cls_score=nn.Linear(32, 2),
                 bbox_pred=nn.Linear(32, 4), kpts=nn.Linear(32, 6), uncert=nn.Parameter(torch.zeros(3)))  # fmt: skip

    def loss(out: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
        losses = F.cross_entropy(out[0], y[0]), F.smooth_l1_loss(out[1], y[1]), F.cross_entropy(out[2], y[2])
        return sum(loss * torch.exp(-model.uncert[i]) + model.uncert[i] for i, loss in enumerate(losses))

    x = torch.randn(N, 12)
    return model, loss, x, (labelled(x, 2), x[:, :4] - x[:, 4:8], labelled(x, 6))


@right("survival of patients, the longest first: a sum over those at risk", "DataX-JieHao/Cox-PASNet#1")
def at_risk():
    """A risk from genes and age; the rows are sorted, so that those at risk stand above."""

    def forward(self: Part, x_1: Tensor, x_2: Tensor) -> Tensor:
        x_1 = torch.tanh(self.sc3(torch.tanh(self.sc2(torch.tanh(self.sc1(x_1))))))
        return self.sc4(torch.cat((x_1, x_2), 1))

    def neg_par_log_likelihood(pred: Tensor, yevent: Tensor) -> Tensor:
        n_observed = yevent.sum(0)
        risk_set_sum = torch.tril(torch.ones(len(pred), len(pred))).mm(torch.exp(pred))
        diff = pred - torch.log(risk_set_sum)
        sum_diff_in_observed = torch.transpose(diff, 0, 1).mm(yevent)
        return (-(sum_diff_in_observed / n_observed)).reshape((-1,))

    genes, age = torch.randn(N, 12), torch.randn(N, 1)
    order = (genes[:, 0] + age[:, 0] + 0.2 * torch.randn(N)).argsort()
    layers = {"sc1": nn.Linear(12, 16), "sc2": nn.Linear(16, 12), "sc3": nn.Linear(12, 6, bias=False)}
    model = Part(forward, sc4=nn.Linear(7, 1, bias=False), **layers)
    return model, neg_par_log_likelihood, (genes[order], age[order]), chosen(1, below=0.7).float()


@right("several properties of a molecule: missing ones are set to 0 and masked", "chemprop/chemprop#960")
def properties():
    """Four properties, of which a third was never measured."""

    def loss(preds: Tensor, targets: Tensor) -> Tensor:
        mask = targets.isfinite()
        errors = F.mse_loss(preds, targets.nan_to_num(nan=0.0), reduction="none") * mask
        return errors.sum() / mask.sum()

    x = torch.randn(N, 10)
    network = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4))
    return network, loss, x, (x[:, :4] - x[:, 4:8]).masked_fill(chosen(4, below=0.3), torch.nan)


wrong("weather: NaN times a mask of 0", "loss_not_finite|targets_not_finite", WEATHER)(lambda: weather(0))
wrong("weather: NaN is cut out behind the error", NAN_SLOPE, WEATHER)(lambda: weather(1))
right("weather: NaN is taken out before the error", WEATHER)(lambda: weather(2))
both("BLAST-AI-ML/synapse#237", NAN_SLOPE, simulated,
     "a simulation: a mean without NaN, whose slope is NaN", "a simulation: NaN is taken out of the slope")  # fmt: skip
both("jaywonchung/BERT4Rec-VAE-Pytorch#22", "all_targets_ignored|loss_not_finite", parts.cloze,
     "items of a session: none is hidden", "items of a session: some are hidden")  # fmt: skip
both("RUCAIBox/RecBole#500", "dead_term", parts.moved,
     "the next item: the penalty is detached", "the next item: the penalty has a gradient")  # fmt: skip
both("pytorch/pytorch#1339", "weights_without_gradient", through_a_choice,
     "two networks: the largest output's place between", "two networks: a mixture between")  # fmt: skip
both("owkin/FLamby#304", TWICE, synthetic,
     "three classes of a table: a sigmoid", "three classes of a table: no sigmoid")  # fmt: skip
both("danielkelshaw/WeightUncertainty#27", TWICE, parts.drawn_weights,
     "drawn weights: a softmax, and a mean of errors", "drawn weights: no softmax, and a sum of errors")  # fmt: skip
both("computational-cell-analytics/patho-sam#55", TWICE, nuclei,
     "kinds of cells: the decoder's sigmoid is left", "kinds of cells: the decoder's sigmoid is taken off")  # fmt: skip
both("Photon-AI-Research/NeuralSolvers#20", "shapes_broadcast", initial_state,
     "heat at the beginning: a column and a row", "heat at the beginning: two rows")  # fmt: skip
both("jingw2/demand_forecast#12", "wrong_formula", demand,
     "demand: one is added to the spread in the logarithm", "demand: the logarithm of the spread")  # fmt: skip
both("yuangh-x/2022-NIPS-Tenrec#37", "wrong_formula", parts.clicked_and_liked,
     "click and like: raw outputs are multiplied", "click and like: chances are multiplied")  # fmt: skip
both("datawhalechina/torch-rechub#57", "unused_output|unused_target|weights_without_gradient", parts.tasks_told,
     "click and purchase: two tasks, and the first is skipped", "click and purchase: three tasks")  # fmt: skip
both("datawhalechina/torch-rechub#56", "target_in_view", parts.sparse_columns,
     "click and purchase: a label among the features", "click and purchase: no label among the features")  # fmt: skip
both("EleutherAI/gpt-neo#45", "padding_not_ignored", parts.hidden_words,
     "hidden words of a text: label 0 counts", "hidden words of a text: label 0 is left out")  # fmt: skip
both("xuanzebi/BERT-CH-NER#6", "padding_not_ignored", parts.summed_tags,
     "tags of characters: padding counts", "tags of characters: padding is masked")  # fmt: skip
both("shushanxingzhe/transformers_ner#2", "padding_not_ignored", parts.tags_in_a_row,
     "tags by a random field: padding counts", "tags by a random field: padding is masked")  # fmt: skip
both("octo-models/octo#79", "unbounded_loss|unnormalised_likelihood", binned_actions,
     "binned movements: raw outputs are taken for logarithms", "binned movements: a log-softmax")  # fmt: skip
both("exelban/tensorflow-cifar-10#7", TWICE, small_pictures,
     "small pictures: a softmax in the last layer", "small pictures: nothing in the last layer")  # fmt: skip
