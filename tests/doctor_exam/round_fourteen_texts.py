"""Set-ups of the fourteenth round (texts, speech, tables, embeddings, graphs), written without knowing the checks.

Twenty-four searches, written down before the first of them was made; the first, third, fifth and so on feed the
thirteenth round, the others the fourteenth. Two lists of hits for each, of issues and of pages, gone through in order:

text classifier fine-tuned BERT loss stays at 0.69 and predicts one class pytorch; named entity tagging cross entropy
with padding tokens wrong loss; LSTM sentiment classification accuracy stays at 50 percent pytorch; language model loss
shift labels wrong implementation next token; seq2seq decoder always outputs the same token or only end of sentence
pytorch; label smoothing loss implementation wrong transformer padding; multi label text classification predicts all
zeros BCE pytorch; custom classification head on Hugging Face model wrong activation before loss; CTC loss goes negative
or nan or outputs only blanks speech recognition; time series forecasting loss broadcast shape target unsqueeze mistake;
LSTM forecast predicts a constant or the mean value pytorch; quantile pinball loss implementation wrong sign; tabular
neural network regression loss huge or nan does not decrease; focal loss for imbalanced tabular binary classification
implementation bug; triplet loss stays at the margin, embeddings collapse to one point; contrastive loss label
convention reversed implementation bug; recommender matrix factorization loss does not decrease or predictions constant;
BPR loss implementation wrong sign or missing logsigmoid; sentence embeddings all similar after training contrastive
InfoNCE loss stays at log batch size; supervised contrastive loss implementation bug mask temperature; graph neural
network accuracy at chance loss not decreasing; GAE VGAE link prediction loss implementation wrong KL or pos_weight;
audio classification or speech enhancement network loss nan or negative SI-SNR; ArcFace CosFace margin loss
implementation wrong normalize scale.

The hits are excerpts of about two thousand characters; for some threads the repository was read besides. Every thread
was kept in which an answer or the code shows a cause that lies in the model, the loss or the first batch. Left out of
some two hundred and forty hits, the commonest reason first: no cause named, in a title without a text above all; pages
of advice without a fault in their code; twenty-two threads that stand in earlier rounds; choices that train either
way; a step that was too large; data, measuring and versions; errors that PyTorch raises at once.

Where no sentence names a cause, the nearest stands: a margin that falls out of the softmax and a quantile taken from
the other end are wrong_formula.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_fourteen_texts_parts import (
    alone,
    answered,
    birds,
    by_class,
    causal,
    faces,
    implicit_quantiles,
    liked,
    masked_labels,
    music,
    neighbours,
    own_words,
    smoothed,
    spread_out,
    summaries,
    translated,
    yes_or_no,
)
from doctor_exam.round_parts import Part

FOURTEEN_TEXTS = CaseSet()
right, wrong = FOURTEEN_TEXTS.right, FOURTEEN_TEXTS.wrong


# ---------------------------------------------------------------- padding


OWN_PADDING = "BrianPulfer/PapersReimplementations#17"
MASKED = "taourl.com/read-2220161"
wrong("another language: padding is written too", "padding_not_ignored", OWN_PADDING)(lambda: translated(-100))
right("another language: padding is left out", OWN_PADDING)(lambda: translated(0))
wrong("answers: the mean over questions and padding, too", "mean_over_padding|wrong_formula",
      "facebookresearch/fairseq2#1455")(lambda: answered(counted=False))  # fmt: skip
right("answers: the mean over what is not masked", "facebookresearch/fairseq2#1455")(lambda: answered(counted=True))
wrong("music: events after the end of a piece count", "padding_not_ignored", "chathasphere/pno-ai#30")(
    lambda: music(-100)
)
right("music: events after the end of a piece do not count", "chathasphere/pno-ai#30")(lambda: music(0))
wrong("the next word: the label -100 becomes a 0 in passing", "padding_not_ignored", MASKED)(
    lambda: masked_labels(kept=False)
)
right("the next word: the label -100 stays", MASKED)(lambda: masked_labels(kept=True))
wrong("summaries: smoothed shares of padding", "padding_not_ignored", "k-tahiro/bert-summarizer#41")(
    lambda: summaries(valid=False)
)
right("summaries: smoothed shares of valid places", "k-tahiro/bert-summarizer#41")(lambda: summaries(valid=True))
wrong("smoothed words: a sum over words, divided by all places", "mean_over_padding|wrong_formula",
      "huggingface/transformers#5919")(lambda: smoothed(by_count=False))  # fmt: skip
right("smoothed words: a sum over words, divided by their number", "huggingface/transformers#5919")(
    lambda: smoothed(by_count=True)
)


# ---------------------------------------------------------------- language models


wrong("words of their own: nothing is shifted", "labels_not_shifted|target_in_view", "huggingface/transformers#404")(
    lambda: own_words(0)
)
right("words of their own: the loss shifts", "huggingface/transformers#404")(lambda: own_words(1))
wrong("words of their own: shifted by hand and by the loss", "labels_shifted_twice", "huggingface/transformers#44642")(
    lambda: own_words(2)
)


# ---------------------------------------------------------------- sounds, tables and series


wrong("birds: a sigmoid before the softmax of the loss", "activation_twice|bounded_logits",
      "Mattk70/Chirpity-Electron#371")(lambda: birds(nn.Sigmoid()))  # fmt: skip
right("birds: a linear layer before the softmax of the loss", "Mattk70/Chirpity-Electron#371")(birds)
wrong("mean and deviation [N] of numbers [N, 1]", "shapes_broadcast", "OpenTabular/DeepTab#80")(
    lambda: spread_out(flat=False)
)
right("mean and deviation [N] of numbers [N]", "OpenTabular/DeepTab#80")(lambda: spread_out(flat=True))
wrong("drawn quantiles: above and below change places", "wrong_formula", "awslabs/gluonts#1784")(
    lambda: implicit_quantiles(turned=True)  # no sentence names this
)
right("drawn quantiles: each its own slope", "awslabs/gluonts#1784")(lambda: implicit_quantiles(turned=False))
wrong("yes or no: the second logarithm is forgotten", "wrong_formula", "deepjavalibrary/djl#1316")(
    lambda: yes_or_no(second=False)
)
right("yes or no: both logarithms", "deepjavalibrary/djl#1316")(lambda: yes_or_no(second=True))


# ---------------------------------------------------------------- embeddings and graphs


SUPCON = "blog.csdn.net/yuanchheneducn/article/details/52497061"
wrong("one class together: the largest likeness is taken off in one place only",
      "unbounded_loss|unnormalised_likelihood|wrong_formula", SUPCON)(lambda: by_class(largest=True))  # fmt: skip
right("one class together: units, each without itself", SUPCON)(lambda: by_class(largest=False))
wrong("one class together: a sample alone in its class", "loss_not_finite|gradient_not_finite",
      "HobbitLong/SupContrast#142")(lambda: alone(guarded=False))  # fmt: skip
right("one class together: a sample alone in its class counts 0", "HobbitLong/SupContrast#142")(
    lambda: alone(guarded=True)
)
wrong("neighbours of a graph: the sign of the likelihood", "better_outputs_cost_more|wrong_formula",
      "williamleif/GraphSAGE#151")(lambda: neighbours(1))  # fmt: skip
right("neighbours of a graph: minus the likelihood", "williamleif/GraphSAGE#151")(lambda: neighbours(-1))
wrong("faces: the margin is added to every person's cosine", "wrong_formula|dead_term",
      "Confusezius/Revisiting_Deep_Metric_Learning_PyTorch#12")(
    lambda: faces(own_only=False)  # no sentence names this
)  # fmt: skip
right("faces: the margin is added to the true person's angle",
      "Confusezius/Revisiting_Deep_Metric_Learning_PyTorch#12")(lambda: faces(own_only=True))  # fmt: skip


# ---------------------------------------------------------------- right: nothing was wrong


right("liked things: a softplus for minus a logsigmoid", "gusye1234/LightGCN-PyTorch#37")(
    lambda: liked(lambda gap: F.softplus(-gap))
)
right("liked things: one minus a sigmoid", "maciejkula/spotlight#185")(lambda: liked(lambda gap: 1 - gap.sigmoid()))


@right("a graph again: edges weigh more than gaps, and the divergence hardly weighs", "tkipf/gae#20")
def _():
    def forward(self: Part, x: Tensor, edges: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = (edges @ self.first(x)).relu()
        mean, log_std = edges @ self.mean(hidden), edges @ self.log_std(hidden)
        code = mean + torch.randn_like(mean) * log_std.exp()
        return code @ code.T, mean, log_std

    def loss(out: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
        scores, mean, log_std = out
        few = y.sum() / y.numel()
        cost = F.binary_cross_entropy_with_logits(scores, y, pos_weight=(1 - few) / few) / (2 * (1 - few))
        return cost - 0.5 / N * (1 + 2 * log_std - mean**2 - (2 * log_std).exp()).sum(1).mean()

    y = ((torch.arange(N)[:, None] // 4) == torch.arange(N) // 4).float()
    model = Part(forward, first=nn.Linear(8, 16), mean=nn.Linear(16, 4), log_std=nn.Linear(16, 4))
    return model, loss, (inputs(), y / 4), y


@right("pairs of texts: a margin less the square of a distance", "BVLC/caffe#2308")
def _():
    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        square = ((out[0] - out[1]) ** 2).sum(1)
        return (y * square + (1 - y) * F.relu(1 - square)).mean() / 2

    net = mlp(6)
    return Part(lambda self, a, b: (self.net(a), self.net(b)), net=net), loss, (inputs(), inputs()), labels(1)[:, 0]


@right("faces: a margin off the cosine, times 64", "facebookresearch/fairscale#864")
def _():
    def forward(self: Part, x: Tensor) -> Tensor:
        return F.normalize(self.net(x), dim=1) @ F.normalize(self.people, dim=1).T

    def loss(cosines: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(64 * (cosines - 0.35 * F.one_hot(y, 5)), y)

    return Part(forward, net=mlp(8), people=nn.Parameter(torch.randn(5, 8))), loss, inputs(), classes(5)


@right("smoothed shares of words, padding with none", "chenjunyi1999/Translator-Transformer#1")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        log_p, y = out.log_softmax(-1).reshape(-1, 50), y.reshape(-1)
        shares = torch.full_like(log_p, 0.1 / 48).scatter_(1, y[:, None], 0.9)
        shares[:, 0] = 0
        shares[y == 0] = 0
        return F.kl_div(log_p, shares, reduction="sum") / (y != 0).sum()

    tokens = padded_tokens(0)[0]
    return causal(12), loss, tokens[:, :-1], tokens[:, 1:]
