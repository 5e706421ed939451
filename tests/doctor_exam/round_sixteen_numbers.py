"""Set-ups of the sixteenth round (numbers, forecasts, sequences, reconstructions, embeddings), written blind.

Twenty-four searches, written down and committed before the first of them was made:

pytorch regression network predicts the same value for every input; my lstm predicts the mean of the time series,
flat line; regression loss does not go down mse stuck at the variance of the target; broadcasting warning using a target
size that is different to the input size mse loss not learning; autoencoder outputs the same image for every input;
vae reconstructions all look the same blurry mean, kl goes to zero; vae loss is negative or huge what is wrong with my
loss function; siamese network outputs the same embedding or distance for all pairs; triplet loss stuck at the margin
embeddings collapse; contrastive loss implementation not decreasing simclr nt-xent wrong; gru forecasting loss nan
after first epoch; gaussian nll loss negative or nan regression uncertainty network; mixture density network loss
becomes nan or negative; transformer time series forecasting validation loss too good suspiciously low leakage;
transformer decoder training loss goes to zero but inference gives garbage; seq2seq model loss not decreasing repeats
the same token; char rnn generates the same character loss does not decrease hidden state; lstm batch_first wrong
dimension not learning many to one; quantile regression pinball loss neural network predictions wrong; multi output
regression one of the outputs never learns; custom rmse loss nan gradient sqrt; matrix factorization recommender
predicts same rating for everything; learning to predict angles or coordinates or keypoints output constant; cosine
similarity loss goes down but the embeddings are all the same.

Two lists of hits for each, of issues and of pages, were gone through in their order. Many threads stand in earlier
rounds, so ten more searches were written down, again before they were made:

price prediction pytorch loss huge or nan predictions all equal what did I do wrong; energy or traffic forecasting
graph network predictions are constant bug fixed; fix loss function autoencoder reconstruction wrong argument order;
fix triplet or contrastive loss sign or margin bug; lstm autoencoder reconstructs the same sequence for every input;
word2vec skip gram from scratch loss not decreasing negative sampling; kl divergence formula wrong sign fix vae;
attention weights all equal sequence regression softmax dimension fix; mask of padded steps in forecasting loss fix
mean; noise prediction network or flow regression output always near zero bug.

Of these the first five and the seventh were made, of issues (the first of pages, too). The first list gave seventeen
of the wrong ones, the fourth search of the second the other two; there it was left, and two mistaken divergences of
the seventh with it. Where the excerpt ended too early, the repository's history was read; three slips of one pull
request and two of another are kept. Left out of some five hundred hits: no cause named, or a title without a text
(most); other subjects, pages of advice and papers; the learning rate, data, versions, measuring (about thirty);
twenty threads of earlier rounds; errors that PyTorch raises at once (four); negative losses that are right (about
fifteen, two of them kept as right ones); and three whose harm one small batch does not show (the root of a distance
of boxes, of an error, a penalty of 1e-6). The names of the findings are those of the sentences, chosen before any
score.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_sixteen_numbers_parts import (
    N,
    codes_or_noise,
    digits,
    faces,
    likely_pictures,
    measured,
    mixture,
    molecules,
    portraits,
    rivers,
    same_or_not,
    two_layers,
    two_views,
    windows_of_a_signal,
)

SIXTEEN_NUMBERS = CaseSet()
right, wrong = SIXTEEN_NUMBERS.right, SIXTEEN_NUMBERS.wrong
IN_VIEW = "target_in_view|labels_not_shifted"
VIEWS, LETTERS = "catalyst-team/catalyst#1278", "yandexdataschool/Practical_RL#393"
later = nn.Transformer.generate_square_subsequent_mask  # minus infinity where a place would see a later one


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def unit_cosines(features1: Tensor, features2: Tensor, tau: float = 0.25) -> Tensor:
    """NT-Xent from the distances of unit vectors: each view beside its partner, apart from all others."""
    feature_matrix = F.normalize(torch.cat([features1, features2]))
    exp_cosine_matrix = torch.exp((2 - torch.cdist(feature_matrix, feature_matrix) ** 2) / 2 / tau)
    neg_loss = torch.log(exp_cosine_matrix.sum(dim=1) - math.e ** (1 / tau))
    pos_loss = F.cosine_similarity(features1, features2) / tau
    return (-torch.cat([pos_loss, pos_loss]) + neg_loss).mean()


def contrasted(loss: Callable, second: int = 1):
    """Two views of each sample, embedded by one network; `second` is the view that is embedded second."""

    def forward(self: Part, aug1: Tensor, aug2: Tensor) -> tuple[Tensor, Tensor]:
        return self.model(aug1), self.model((aug1, aug2)[second])

    return Part(forward, model=two_layers(16, 8)), lambda out, _: loss(*out), two_views(), None


def first_draft(features1: Tensor, features2: Tensor, tau: float = 0.25) -> Tensor:
    """The first draft: the likeness of partners as it is, less that of the others."""
    bs = features1.shape[0]
    pos_loss = F.cosine_similarity(features1, features2).sum(dim=0) / tau
    list_neg_loss = [torch.exp(F.cosine_similarity(features1, torch.roll(features2, i, 1))) for i in range(1, bs)]
    neg_loss = torch.stack(list_neg_loss, dim=0).sum(dim=0).sum(dim=0)
    return pos_loss - torch.log(neg_loss / tau)


def second_draft(features1: Tensor, features2: Tensor, tau: float = 0.25) -> Tensor:
    """The second draft: the signs are turned; what is rolled is still the features, not the samples."""
    bs = features1.shape[0]
    pos_loss = F.cosine_similarity(features1, features2).sum(dim=0) / tau
    list_neg_loss = [torch.exp(F.cosine_similarity(features1, torch.roll(features2, i, 1)) / tau) for i in range(0, bs)]
    neg_loss = torch.log(torch.stack(list_neg_loss, dim=0).sum(dim=0)).sum(dim=0)
    return (-pos_loss + neg_loss) / bs


def closing_price(before: bool):
    """What a share costs at the end of a day: from the date and a price of the day before, or of that very day."""
    close = [torch.zeros(())]
    for _ in range(N):
        close.append(0.8 * close[-1] + 0.5 * torch.randn(()))
    close, date = torch.stack(close), torch.linspace(-1, 1, N)
    return nn.Linear(2, 1), nn.MSELoss(), torch.stack([date, close[:-1]], 1), close[before : N + before][:, None]


def letters(length: int = 10, count: int = 20) -> Tensor:
    """Words of letters in which each letter follows from the one before, mostly."""
    steps = torch.where(torch.rand(N, length) < 0.8, 3, torch.randint(0, count, (N, length)))
    return (torch.randint(0, count, (N, 1)) + steps.cumsum(1)) % count


def words_again(shifted: bool):
    """Words that are to be said again, each letter replaced by another, by an encoder and a decoder."""

    def forward(self: Part, src: Tensor, tgt: Tensor) -> Tensor:
        src_embed, tgt_embed = self.embed(src) + self.place[:10], self.embed(tgt) + self.place[: tgt.shape[1]]
        return self.out(self.transformer(src_embed, tgt_embed, tgt_mask=later(tgt.shape[1])))

    src = letters()
    said = (src * 7 + 3) % 20
    target = torch.cat([said, torch.full((N, 1), 21)], 1)
    read = torch.cat([torch.full((N, 1), 20), said], 1) if shifted else target
    transformer = nn.Transformer(16, 2, 1, 1, 32, dropout=0, batch_first=True)
    model = Part(forward, embed=nn.Embedding(22, 16), transformer=transformer, out=nn.Linear(16, 22))
    model.place = nn.Parameter(0.1 * torch.randn(11, 16))
    return model, lambda out, y: F.cross_entropy(out.reshape(-1, 22), y.reshape(-1)), (src, read), target


class NormOfSteps(nn.Module):
    """A normalisation over all steps and features of a sentence."""

    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon, self.gamma, self.beta = epsilon, nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """The sentence, normalised."""
        ins_mean, ins_sigma = x.mean((1, 2), keepdim=True), x.var((1, 2), keepdim=True, unbiased=False)
        return (x - ins_mean) * torch.rsqrt(ins_sigma + self.epsilon) * self.gamma + self.beta


def dates(of_features: bool):
    """Dates written anew by an encoder and a decoder, normalised over the features or over the steps, too."""

    def forward(self: Part, x: Tensor, y: Tensor) -> Tensor:
        xz, yz = self.embed(x) + self.place[: x.shape[1]], self.embed(y) + self.place[: y.shape[1]]
        o1 = self.ln[0](self.mh[0](xz, xz, xz, need_weights=False)[0] + xz)
        xz = self.ln[1](self.ffn[0](o1) + o1)
        o1 = self.ln[2](self.mh[1](yz, yz, yz, attn_mask=later(y.shape[1]), need_weights=False)[0] + yz)
        o2 = self.ln[3](self.mh[2](o1, xz, xz, need_weights=False)[0] + o1)
        return self.o(self.ln[4](self.ffn[1](o2) + o2))

    norms = nn.ModuleList(nn.LayerNorm(16) if of_features else NormOfSteps() for _ in range(5))
    heads = nn.ModuleList(nn.MultiheadAttention(16, 4, batch_first=True) for _ in range(3))
    ffn = nn.ModuleList(nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16)) for _ in range(2))
    model = Part(forward, embed=nn.Embedding(22, 16), ln=norms, mh=heads, ffn=ffn, o=nn.Linear(16, 22))
    model.place = nn.Parameter(0.1 * torch.randn(10, 16))
    x = torch.randint(0, 10, (N, 6))
    y = torch.cat([torch.full((N, 1), 20), 10 + x[:, [4, 5, 2, 3, 0, 1]] % 10, torch.full((N, 1), 21)], 1)
    loss = nn.CrossEntropyLoss()
    return model, lambda logits, y: loss(logits.transpose(1, 2), y), (x, y[:, :-1]), y[:, 1:]


def next_letter(forward: bool, model: nn.Module):
    """Names, letter by letter: the scores at a letter and the letter after it, or the one before it."""

    def loss(logp_seq: Tensor, batch_ix: Tensor) -> Tensor:
        if forward:
            return F.nll_loss(logp_seq[:, :-1].contiguous().view(-1, 20), batch_ix[:, 1:].contiguous().view(-1))
        return F.nll_loss(logp_seq[:, 1:].contiguous().view(-1, 20), batch_ix[:, :-1].contiguous().view(-1))

    batch_ix = letters()
    return model, loss, batch_ix, batch_ix


def char_rnn_loop() -> Part:
    """A recurrent layer over whole names."""

    def forward(self: Part, x: Tensor) -> Tensor:
        h_seq, _ = self.rnn(self.emb(x))
        return F.log_softmax(self.hid_to_logits(h_seq), dim=-1)

    rnn = nn.RNN(16, 32, batch_first=True)
    return Part(forward, emb=nn.Embedding(20, 16), rnn=rnn, hid_to_logits=nn.Linear(32, 20))


def char_lstm_cell() -> Part:
    """A recurrent cell, called letter by letter."""

    def forward(self: Part, batch_ix: Tensor) -> Tensor:
        hid_state, logprobs = (torch.zeros(len(batch_ix), 32), torch.zeros(len(batch_ix), 32)), []
        for x_t in batch_ix.transpose(0, 1):
            hid_state = self.lstm(self.emb(x_t), hid_state)
            logprobs.append(F.log_softmax(self.rnn_to_logits(hid_state[0]), -1))
        return torch.stack(logprobs, dim=1)

    return Part(forward, emb=nn.Embedding(20, 16), lstm=nn.LSTMCell(16, 32), rnn_to_logits=nn.Linear(32, 20))


def text_in_steps(every: bool):
    """A text of sixteen letters by a cell with a sigmoid; the loss of every step, or what is left of the last one."""

    def forward(self: Part, x: Tensor) -> Tensor:
        h, scores = torch.zeros(len(x), 32), []
        for t in range(x.shape[1]):
            h = torch.sigmoid(self.w_x(self.embed(x[:, t])) + self.w_h(h))
            scores.append(self.out(h))
        return torch.stack(scores, 1)

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        total = torch.zeros(())
        for t in range(y.shape[1]):
            step = F.cross_entropy(scores[:, t], y[:, t])
            total = total + step if every else step
        return total

    text = letters(17)
    layers = {"embed": nn.Embedding(20, 16), "w_x": nn.Linear(16, 32), "w_h": nn.Linear(32, 32)}
    return Part(forward, out=nn.Linear(32, 20), **layers), loss, text[:, :-1], text[:, 1:]


def ratings(at_random: bool):
    """How much a viewer likes a film: two numbers and the product of two rows of factors."""
    users, films, factors = 8, 8, 4

    def forward(self: Part, u: Tensor, i: Tensor) -> Tensor:
        return self.global_mean + self.bu[u] + self.bi[i] + (self.qi[i] * self.pu[u]).sum(1)

    u, i = torch.randint(0, users, (64,)), torch.randint(0, films, (64,))
    r = (3 + (torch.randn(users, 3)[u] * torch.randn(films, 3)[i]).sum(1)).clamp(1, 5)
    model = Part(forward)
    model.global_mean = r.mean()
    model.bu, model.bi = nn.Parameter(torch.zeros(users)), nn.Parameter(torch.zeros(films))
    for name, count in (("pu", users), ("qi", films)):
        start = 0.1 * torch.randn(count, factors) if at_random else torch.zeros(count, factors) + 0.1
        setattr(model, name, nn.Parameter(start))
    return model, nn.MSELoss(), (u, i), r


both("harveyslash/Facial-Similarity-with-Siamese-Networks-in-Pytorch#29", "shapes_broadcast", portraits,
     "portraits in pairs: flat distances, a column of labels", "portraits in pairs: a column of both")  # fmt: skip
both("aksub99/molecular-vae#5", "arguments_swapped|gradient_not_finite", molecules,
     "molecules again: the target stands first in BCELoss", "molecules again: the output stands first")  # fmt: skip
both("pytorch/examples#226", "terms_out_of_balance|wrong_formula", digits,
     "digits again: a mean error and a summed divergence", "digits again: both divided by all pixels")  # fmt: skip
both("stats.stackexchange.com/questions/630079", "targets_outside_unit_range|unbounded_loss", measured,
     "sensors again: yes and no of large numbers", "sensors again: yes and no of 0 to 1")  # fmt: skip
both("datascience.stackexchange.com/questions/82486",
     "relu_before_activation|range_cannot_reach_targets|better_outputs_cost_more", same_or_not,
     "alike or not: a sigmoid of a sum of distances", "alike or not: a layer before the sigmoid")  # fmt: skip
wrong("two views: the first is embedded twice", "unused_input", VIEWS)(lambda: contrasted(unit_cosines, 0))
wrong("two views: the draft without its minus", "better_outputs_cost_more", VIEWS)(lambda: contrasted(first_draft))
wrong("two views: features are rolled for samples", "wrong_formula", VIEWS)(lambda: contrasted(second_draft))
right("two views: each embedded, all others apart", VIEWS)(lambda: contrasted(unit_cosines))
wrong("a code or noise: the logarithm of a sigmoid", "unstable_formula", "DuaneNielsen/DeepInfomaxPytorch#9")(
    lambda: codes_or_noise(0.0)
)
right("a code or noise: a small number in the logarithm", "DuaneNielsen/DeepInfomaxPytorch#9")(
    lambda: codes_or_noise(1e-7)
)
both("VIDA-NYU/alpha-automl#53", "target_in_view", closing_price,
     "a share's price from itself", "a share's price from that of the day before")  # fmt: skip
both("discuss.pytorch.org/t/53175", IN_VIEW, words_again,
     "words again: the decoder reads what it shall say", "words again: a start, then what was said")  # fmt: skip
both("MorvanZhou/NLP-Tutorials#10", IN_VIEW, dates,
     "dates: normalised over the steps that come", "dates: normalised over the features")  # fmt: skip
both(LETTERS, IN_VIEW, lambda ahead: next_letter(ahead, char_rnn_loop()),
     "names by a layer: the letter before is asked for", "names by a layer: the letter after")  # fmt: skip
both(LETTERS, IN_VIEW, lambda ahead: next_letter(ahead, char_lstm_cell()),
     "names by a cell: the letter before is asked for", "names by a cell: the letter after")  # fmt: skip
both("learn.biosrag.com/ai/rnn-training-2.html", "unused_target|unused_output|wrong_formula", text_in_steps,
     "a text in steps: the last step's loss is left", "a text in steps: all losses added up")  # fmt: skip
both("mhpi/generic_deltamodel#114", "logarithm_of_raw_outputs|loss_not_finite|gradient_not_finite", rivers,
     "rivers: the root of a raw output", "rivers: the root of what is not below zero")  # fmt: skip
both("NicolasHug/Surprise#22", "units_all_alike", ratings,
     "ratings: all factors start at one number", "ratings: factors start at random")  # fmt: skip
both("liorshk/facenet_pytorch#6", "dead_term|loss_without_gradient", faces,
     "faces in threes: the hard ones by way of numpy", "faces in threes: the hard ones by an index")  # fmt: skip
both("jinnnju/PaAno#1", "dead_term|zero_gradient|loss_is_constant", windows_of_a_signal,
     "windows: the own partner is endlessly far", "windows: the own partner is never chosen")  # fmt: skip
right("pictures again: a density, at times below zero", "williamFalcon/pytorch-lightning-vae#3")(likely_pictures)
right("five bells: a density, at times below zero", "cpmpercussion/keras-mdn-layer#15")(mixture)
