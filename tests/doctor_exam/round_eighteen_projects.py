"""Set-ups of the eighteenth round (bugs reported or mended in projects), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; a list of hits of issues for each,
gone through in their order:

fix loss computed incorrectly; loss function bug wrong reduction sum instead of mean; missing detach target gradient
flows bug fix; double sigmoid applied BCEWithLogitsLoss bug; softmax applied twice CrossEntropyLoss fix; padding mask
not applied in loss calculation; broadcasting shape mismatch in loss unsqueeze wrong MSE silently; loss is always zero;
weights not updated during training parameters not registered; dice loss implementation incorrect; focal loss alpha
applied wrong; triplet loss bug wrong distance or sign; kl divergence loss arguments swapped wrong; contrastive loss
wrong positive mask bug; loss goes negative bug in loss function; class weights applied in the wrong order; ignore
index pixels counted in loss; regression model squeeze missing loss broadcasting warning; label smoothing
implementation wrong; VAE loss kl term wrong sign or reduction; gradient penalty implementation incorrect; loss becomes
nan division by zero when no positive samples; wrong axis dim softmax in model forward bug; loss only uses last batch
element or last task return inside the loop.

With the eighteenth list eighteen wrong ones were together, so the last six lists were left unread. The hits hold
about two thousand characters; for some thirty the repository or its history was read, also where a title had no text.
Every hit was kept in which an answer, the history or the code shows a cause that lies in the model, the loss or the
batch, also where several have the same. Where the history shows that the code was fine after all, it stands among the
right ones (a softmax written twice over the same numbers, a log-softmax before a cross-entropy, a divergence whose two
sides stand as they should). Code of other libraries was written anew with torch in the same steps; the focal loss
takes its logarithms by logsigmoid in both forms, so that the repaired one is sound, and the weight of the clicks is
moved to another precision instead of another device.

Left out of two hundred and fourteen hits: no cause named, or a title without a text whose history shows none, other
subjects, and faults of frameworks or of their versions (about a hundred and twenty-five); threads that stand in earlier
rounds (thirty-five); choices that train either way (about a dozen, such as one factor for both halves of a focal loss,
a sum for a mean, or a divergence the other way round); numbers that are only shown (four); questions whose answer is
that all is well (about ten, of which some were rebuilt as right ones); lists of an optimiser (three); errors that
PyTorch raises at once (two); a rewrite of a whole loss, a queue over many batches, a choice of boxes that needs a whole
detector, and a second thread with the very text of one that was kept (one each). The names of the findings are those
of the sentences, chosen before any score.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_eighteen_projects_builds as builds
from doctor_exam.case import CaseSet
from doctor_exam.round_eighteen_projects_builds import net
from doctor_exam.round_eighteen_projects_parts import N
from doctor_exam.round_parts import Part

EIGHTEEN_PROJECTS = CaseSet()
right, wrong = EIGHTEEN_PROJECTS.right, EIGHTEEN_PROJECTS.wrong
SOFTMAX = "activation_twice|bounded_logits|softmax_before_cross_entropy"
STRETCHED = "shapes_broadcast|shapes_differ"
ALIEN = "unregistered_parameter|weights_without_gradient"
DIVIDED = "mean_over_padding|wrong_formula"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


@right("a mixed cell: the softmax of its shares is written twice", "MenghaoGuo/AutoDeeplab#18")
def _():
    def forward(self: Part, x: Tensor) -> Tensor:
        weight_cells = F.softmax(self.alphas_cell, dim=-1)
        weight_cells = F.softmax(self.alphas_cell, dim=-1)
        x = self.stem(x)
        states = [self.first(x), self.second(x), x]
        return self.out(sum(w * s for w, s in zip(weight_cells, states, strict=True)).relu().mean((2, 3)))

    layers = {"stem": nn.Conv2d(3, 8, 3, padding=1), "out": nn.Linear(8, 3)}
    cells = {"first": nn.Conv2d(8, 8, 3, padding=1), "second": nn.Conv2d(8, 8, 5, padding=2)}
    x = torch.randn(N, 3, 8, 8)
    alphas = nn.Parameter(1e-3 * torch.randn(3))
    return Part(forward, alphas_cell=alphas, **layers, **cells), nn.CrossEntropyLoss(), x, x.mean((2, 3)).argmax(1)


@right("a game of four in a row: the divergence of the targets' shares from the model's", "advait/c4a0#35")
def _():
    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        policy_logprob_targets = torch.log(y[0] + 1e-8)
        policy_loss = (policy_logprob_targets.exp() * (policy_logprob_targets - out[0])).sum(-1).mean()
        return 6 * policy_loss + F.mse_loss(out[1], y[1])

    def forward(self: Part, board: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.conv(board[:, None])).flatten(1)
        return F.log_softmax(self.policy(x), dim=1), torch.tanh(self.value(x)).squeeze(1)

    board = torch.randint(-1, 2, (N, 6, 7)).float()
    layers = {"conv": nn.Conv2d(1, 8, 4), "policy": nn.Linear(96, 7), "value": nn.Linear(96, 1)}
    return Part(forward, **layers), loss, board, (F.softmax(board.sum(1), 1), torch.tanh(board.mean((1, 2)) * 3))


@right("pictures made over: a logarithm of shares goes to a cross-entropy", "jolibrain/joliGEN#225")
def _():
    def forward(self: Part, real: Tensor) -> Tensor:
        fake = torch.tanh(self.netG(real))
        return F.log_softmax(self.netf_s(fake), dim=1)

    layers = {"netG": nn.Conv2d(3, 3, 3, padding=1), "netf_s": builds.pixels(2)}
    x = torch.randn(N, 3, 8, 8)
    return Part(forward, **layers), nn.CrossEntropyLoss(), x, (x.mean(1) > 0).long()


@right("each number against those of three raters", "pytorch/pytorch#26551")
def _():
    x = torch.randn(N, 8)
    y = (x[:, :4] + x[:, 4:])[:, :, None] + 0.3 * torch.randn(N, 4, 3)
    return nn.Sequential(net(8, 4), nn.Unflatten(1, (4, 1))), lambda out, y: ((out - y) ** 2).mean(), x, y


both("megvii-research/tf-tutorials#78", SOFTMAX, builds.house_numbers,
     "house numbers: shares go to a loss of scores", "house numbers: shares go to a loss of shares")  # fmt: skip
both("mlelarge/graph_neural_net#14", "wrong_formula", builds.matched_nodes,
     "pairs of graphs: it returns at the first one", "pairs of graphs: it returns after the last one")  # fmt: skip
both("open-mmlab/mmdetection#2297", "wrong_formula|shapes_broadcast|padding_not_ignored", builds.box_offsets,
     "offsets of boxes: weights meet a mean", "offsets of boxes: weights meet each error")  # fmt: skip
both("choderalab/modelforge#240", "dead_term", builds.molecules,
     "forces on atoms: no graph of the gradient", "forces on atoms: a graph of the gradient")  # fmt: skip
both("jianlin-cheng/DProQA#3", "activation_twice", builds.docking,
     "a gate of edges: a sigmoid here and there", "a gate of edges: one sigmoid")  # fmt: skip
both("nfmcclure/tensorflow_cookbook#86", SOFTMAX, builds.spam,
     "spam: a softmax, then a loss of scores", "spam: scores, then a loss of scores")  # fmt: skip
both("Kyubyong/transformer#63", "padding_attended", builds.word_by_word,
     "word by word: a mask of vectors that hold places", "word by word: a mask of vectors without places")  # fmt: skip
both("mead-ml/mead-baseline#873", "padding_not_ignored", builds.real_tokens,
     "real and exchanged tokens: padding counts as real", "real and exchanged tokens: padding is left out")  # fmt: skip
both("pytorch/pytorch#16413", STRETCHED, builds.flat_outputs,
     "a flat list against a column", "a flat list against a flat list")  # fmt: skip
both("tensorflow/tensorflow#37770", STRETCHED, builds.keras_means,
     "a mean over the last axis: a column against a list", "a mean over the last axis: two columns")  # fmt: skip
both("IBM/simulai#118", ALIEN, builds.equation,
     "an unknown number of an equation among the constants", "an unknown number that is a parameter")  # fmt: skip
both("shenweichen/DeepCTR-Torch#61", ALIEN, builds.clicked,
     "clicks: a weight is moved after it became a parameter", "clicks: a weight is moved before")  # fmt: skip
both("fudannlp16/focal-loss#6", "wrong_formula", builds.often_yes,
     "yes and no: one half times two, the other squared", "yes and no: both halves squared")  # fmt: skip
both("stelzner/monet#1", "axes_scrambled|wrong_formula", builds.parts_of_pictures,
     "masks of parts: rows change places with columns", "masks of parts: only the slots are moved")  # fmt: skip
both("PaddlePaddle/PaddleSeg#2360", f"{DIVIDED}|changed_in_place", builds.heights,
     "heights: unknown ones are set to zero and counted", "heights: unknown ones are not counted")  # fmt: skip
both("PaddlePaddle/PaddleSeg#1899", f"{DIVIDED}|padding_not_ignored", builds.focal_pixels,
     "pixels without a label become class 0, undecided", "pixels without a label are left out")  # fmt: skip
both("matroid/dlwithtf#17", STRETCHED, builds.straight_line,
     "a line through points: a column off a list", "a line through points: squeezed first")  # fmt: skip
both("jax-ml/jax#2697", STRETCHED, builds.two_spirals,
     "two spirals: a column off a list", "two spirals: a column off a column")  # fmt: skip
