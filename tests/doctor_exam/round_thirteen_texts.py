"""Set-ups of the thirteenth round (texts, speech, tables, embeddings, graphs), written without knowing the checks.

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
some five hundred hits, the commonest reason first: no cause named, in a title without a text above all; pages of
advice without a fault in their code; data, measuring and versions; a step that was too large; choices that train
either way; errors that PyTorch raises at once; seven threads that stand in earlier rounds; a use that a library's
author never meant; a fault in hand-written gradients without an answer. Where a list gave a cause twice, one was kept.

The odd ones gave too little, so fourteen more were written down, again before they were made: word2vec skip gram
negative sampling loss negative or does not decrease pytorch; BERT classifier softmax before CrossEntropyLoss accuracy
does not improve; LSTM text classifier batch_first hidden state wrong dimension not learning; attention weights softmax
wrong dimension model does not learn; DeepAR gaussian likelihood forecasting loss nan or negative sigma; tabular
autoencoder reconstruction loss stays high sigmoid output unscaled data; DeepFM click prediction AUC stays at 0.5 loss
0.69 pytorch; siamese network gives the same distance for all pairs loss stuck; keyword spotting audio classifier
predicts one class loss stuck pytorch; TransE knowledge graph embedding margin loss does not decrease; graph attention
network loss nan softmax mask; CRF tagging loss negative or increasing pytorch mask; DPO or reward model loss stays at
0.693; transformer time series forecast is a flat line mask decoder input.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Then, inputs, mlp, padded_tokens
from doctor_exam.round_parts import Part
from doctor_exam.round_thirteen_texts_parts import (
    captions,
    city_sounds,
    clicks,
    hidden_cells,
    letters,
    molecules,
    news,
    noisy,
    orders,
    outliers,
    preferred,
    reviews,
    spoken,
    tagged,
    thinned,
    word_pairs,
    words_around,
)

THIRTEEN_TEXTS = CaseSet()
right, wrong = THIRTEEN_TEXTS.right, THIRTEEN_TEXTS.wrong
SOFTMAX = "bounded_logits|activation_twice|softmax_before_cross_entropy"


# ---------------------------------------------------------------- texts


wrong("reviews: the last state comes after the padding", "padding_attended",
      "seungminnam.github.io/DL-Projects/5_LSTM_Sentiment/summary.html")(lambda: reviews(packed=False))  # fmt: skip
right("reviews: packed, so that the last state is that of the last word",
      "seungminnam.github.io/DL-Projects/5_LSTM_Sentiment/summary.html")(lambda: reviews(packed=True))  # fmt: skip
wrong("freight: a decoder without a mask writes what it reads", "target_in_view|labels_not_shifted",
      "weblineglobal.com/blog/pytorch-transformerdecoder-fix-seq2seq-guide")(lambda: orders(shifted=False))  # fmt: skip
right("freight: a masked decoder writes the next token",
      "weblineglobal.com/blog/pytorch-transformerdecoder-fix-seq2seq-guide")(lambda: orders(shifted=True))  # fmt: skip
wrong("headlines: an encoder's own head ends in a softmax", SOFTMAX, "illiterate/BertClassifier#2")(
    lambda: news(nn.Softmax(1))
)
right("headlines: an encoder's own head gives raw scores", "illiterate/BertClassifier#2")(news)
wrong("letters: the softmax of an attention over the places that ask", "softmax_wrong_axis|target_in_view",
      "karpathy/ng-video-lecture#42")(lambda: letters(-2))  # fmt: skip
right("letters: the softmax of an attention over the places that answer", "karpathy/ng-video-lecture#42")(
    lambda: letters(-1)
)
wrong("captions: minus infinity at every place of an empty one",
      "outputs_not_finite|loss_not_finite|gradient_not_finite", "jadore801120/attention-is-all-you-need-pytorch#5")(
    lambda: captions(-torch.inf)
)  # fmt: skip
right("captions: a large negative number at every place of an empty one",
      "jadore801120/attention-is-all-you-need-pytorch#5")(lambda: captions(-1e9))  # fmt: skip
wrong("words in a random field: the log-likelihood itself as a loss",
      "better_outputs_cost_more|unbounded_loss|unnormalised_likelihood|wrong_formula", "kmkurn/pytorch-crf#81")(
    lambda: tagged(1)
)  # fmt: skip
right("words in a random field: minus the log-likelihood", "kmkurn/pytorch-crf#81")(lambda: tagged(-1))
wrong("preferred answers: beta is 0", "loss_is_constant|zero_gradient", "huggingface/trl#1627")(lambda: preferred(0.0))
right("preferred answers: beta is 0.1", "huggingface/trl#1627")(lambda: preferred(0.1))


# ---------------------------------------------------------------- sounds


PCM = "blog.youkuaiyun.com/yyangzhenjie/article/details/78912863"
wrong("letters of speech: silence around them has the blank's number", "blank_in_targets", "yl4579/AuxiliaryASR#4")(
    lambda: spoken(silence=True)
)
right("letters of speech: silence has a number of its own", "yl4579/AuxiliaryASR#4")(lambda: spoken(True, blank=10))
wrong("letters of speech: fewer steps than letters", "loss_not_finite", "espnet/espnet#863")(lambda: thinned(4))
right("letters of speech: more steps than letters", "espnet/espnet#863")(lambda: thinned(2))
wrong("noise: 16-bit samples as they are", "inputs_not_scaled|saturated_units", PCM)(lambda: noisy(1))
right("noise: 16-bit samples between -1 and 1", PCM)(lambda: noisy(32768))
wrong("sounds of a city: a softmax at the end", SOFTMAX, "musikalkemist/pytorchforaudio#9")(
    lambda: city_sounds(nn.Softmax(1))
)
right("sounds of a city: raw scores", "musikalkemist/pytorchforaudio#9")(city_sounds)


# ---------------------------------------------------------------- tables


wrong("hidden cells: a constant column is divided by its mean, below 0",
      "unbounded_loss|wrong_formula|better_outputs_cost_more", "dreamquark-ai/tabnet#515")(
    lambda: hidden_cells(mean_for_zero=True)
)  # fmt: skip
right("hidden cells: a constant column is divided by 1", "dreamquark-ai/tabnet#515")(lambda: hidden_cells(False))
wrong("outliers: standardised rows behind a sigmoid", "range_cannot_reach_targets", "yzhao062/pyod#314")(
    lambda: outliers(nn.Sigmoid())
)
right("outliers: standardised rows, no sigmoid", "yzhao062/pyod#314")(outliers)
wrong("clicks: numbers up to ten thousand", "inputs_not_scaled|outputs_too_large|saturated_units",
      "ChenglongChen/tensorflow-DeepFM#47")(lambda: clicks(1e4))  # fmt: skip
right("clicks: standardised numbers", "ChenglongChen/tensorflow-DeepFM#47")(lambda: clicks(1))


# ---------------------------------------------------------------- embeddings and graphs


wrong("words around: scores of five others summed before the logarithm", "wrong_formula",
      "DSKSD/DeepNLP-models-Pytorch#15")(lambda: words_around(each=False))  # fmt: skip
right("words around: logarithms of five others summed", "DSKSD/DeepNLP-models-Pytorch#15")(lambda: words_around(True))
wrong("word pairs: each word meets the neighbours of all", "wrong_formula|shapes_broadcast|samples_mixed",
      "github.com/Riyansh08/models")(lambda: word_pairs(own=False))  # fmt: skip
wrong("molecules: scores of other molecules are multiplied by 0", "mask_before_softmax|samples_mixed",
      "leffff/graphormer-pyg#14")(lambda: molecules(minus_infinity=False))  # fmt: skip
right("molecules: scores of other molecules are minus infinity", "leffff/graphormer-pyg#14")(lambda: molecules(True))


# ---------------------------------------------------------------- right: nothing was wrong


@right("voices: minus the ratio of signal and noise, below 0 when it is good", "kaituoxu/Conv-TasNet#42")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        out, y = out - out.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
        part = (out * y).sum(1, keepdim=True) * y / ((y**2).sum(1, keepdim=True) + 1e-8)
        return -(10 * ((part**2).sum(1) / (((out - part) ** 2).sum(1) + 1e-8) + 1e-8).log10()).mean()

    voice = torch.randn(N, 32)
    return nn.Sequential(nn.Linear(32, 48), nn.Tanh(), nn.Linear(48, 32)), loss, voice + torch.randn(N, 32), voice


@right("passages: the good one stands first, so that every label is 0", "stanford-futuredata/ColBERT#4")
def _():
    def forward(self: Part, question: Tensor, good: Tensor, bad: Tensor) -> Tensor:
        own = self.embed(question)
        return torch.stack([(own * self.embed(other)).sum(1) for other in (good, bad)], 1)

    def loss(out: Tensor, _: None) -> Tensor:
        return F.cross_entropy(out, torch.zeros(len(out), dtype=torch.long))

    return Part(forward, embed=mlp(6)), loss, (inputs(), inputs(), inputs()), None


@right("hardest triplets, divided by the mean distance", "quaterion.qdrant.tech/tutorials/triplet_loss_trick")
def _():
    def loss(out: Tensor, y: Tensor) -> Tensor:
        apart = torch.cdist(out, out)
        same = y[:, None] == y
        near, far = (apart * same).amax(1), apart.masked_fill(same, torch.inf).amin(1)
        return F.relu((near - far) / far.mean() + 0.5).mean()

    return mlp(6), loss, inputs(), torch.arange(N) % 4


right("a table between 0 and 1 again: a sigmoid and a cross-entropy", "stats.stackexchange.com/questions/441750")(
    lambda: (lambda x: (mlp(8, nn.Sigmoid()), nn.BCELoss(), x, x))(torch.rand(N, 8))
)
right("tags: padding has the number 0, which is left out", "jiesutd/NCRFpp#7")(
    lambda: (lambda x: (Then(nn.Embedding(50, 6), lambda z: z.log_softmax(-1).transpose(1, 2)),
                        nn.NLLLoss(ignore_index=0), x, (x > 0) * torch.randint(1, 6, x.shape)))(padded_tokens(0)[0])
)  # fmt: skip
