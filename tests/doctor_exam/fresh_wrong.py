"""Wrong set-ups of a second round, scored and committed before the checks were read: from threads, or `own` code."""

import torch
from torch import nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.unseen_wrong import dice, images, mask_head, rare

FRESH_WRONG = CaseSet()
wrong = FRESH_WRONG.wrong
SIGMOID = "sigmoid_before_bce_logits|activation_twice|bounded_outputs_before_bce_logits"
SOFTMAX = "softmax_before_cross_entropy|activation_twice|bounded_outputs_before_cross_entropy"


def pair(**sizes: int) -> Heads:
    """Linear heads on one input, returned as a tuple."""
    return Heads(as_tuple=True, **{name: nn.Linear(8, size) for name, size in sizes.items()})


# ---------------------------------------------------------------- an activation too many

wrong("a graph transformer that ends in a sigmoid and a squeeze", SIGMOID, "YXNTU/GeneralDyG#6")(
    lambda: (Then(mlp(1), lambda z: torch.sigmoid(z).squeeze()),
             lambda out, y: F.binary_cross_entropy_with_logits(out, y, reduction="none").mean(), inputs(),
             labels(1)[:, 0])
)  # fmt: skip
wrong("a recommender's score through a sigmoid", SIGMOID, "yudi-mars/daisyRec#15")(
    lambda: (Then(pair(user=6, item=6), lambda o: (o[0] * o[1]).sum(1).sigmoid()),
             nn.BCEWithLogitsLoss(reduction="sum"), inputs(), labels(1)[:, 0])
)  # fmt: skip
wrong("a U-Net that returns a sigmoid", SIGMOID, "avBuffer/UNet3plus_pth#23")(
    lambda: (mask_head(nn.Sigmoid()), lambda out, y: F.binary_cross_entropy_with_logits(out.flatten(), y.flatten()),
             inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("InfoNCE over similarities that are already a softmax", SOFTMAX, "perceptiveshawty/RankCSE#2")(
    lambda: (Then(pair(a=8, b=8), lambda o: F.normalize(o[0]) @ F.normalize(o[1]).T / 0.1),
             lambda sim, y: F.cross_entropy(sim.softmax(-1), y), inputs(), torch.arange(N))
)  # fmt: skip
wrong("cross-entropy by hand on a log-softmax of probabilities", SOFTMAX, "own")(
    lambda: (mlp(6, nn.Softmax(-1)), lambda p, y: -(F.one_hot(y, 6) * p.log_softmax(-1)).sum(-1).mean(), inputs(),
             classes(6))
)  # fmt: skip
wrong("soft targets against softmaxed outputs", SOFTMAX, "own")(
    lambda: (mlp(6), lambda out, y: torch.mean(torch.sum(-y * F.log_softmax(F.softmax(out, 1), 1), 1)), inputs(),
             torch.rand(N, 6).softmax(1))
)  # fmt: skip
wrong("label smoothing that takes probabilities for logits", SOFTMAX, "own")(
    lambda: (mlp(5, nn.Softmax(1)), nn.CrossEntropyLoss(label_smoothing=0.1), inputs(), classes(5))
)
wrong("a logsigmoid of a sigmoid in a pairwise ranking", "activation_twice", "own")(
    lambda: (Then(pair(a=1, b=1), lambda o: (o[0].sigmoid(), o[1].sigmoid())),
             lambda out, _: -F.logsigmoid(torch.sigmoid(out[0] - out[1])).mean(), inputs(), None)
)  # fmt: skip
wrong("a tanh before the loss on logits", "bounded_logits|bounded_outputs_before_bce_logits|tanh_into_bce",
      "own")(
    lambda: (mlp(1, nn.Tanh()), nn.BCEWithLogitsLoss(), inputs(), labels(1))
)  # fmt: skip
wrong("a softmax over one output, then BCELoss", "softmax_over_one_output|softmax_over_one",
      "own")(
    lambda: (mlp(1, nn.Softmax(dim=1)), nn.BCELoss(), inputs(), labels(1))
)  # fmt: skip
wrong("policy gradient with a softmax inside Categorical's logits", SOFTMAX + "|nll_on_probabilities",
      "own")(
    lambda: (mlp(4, nn.Softmax(-1)),
             lambda p, y: -(torch.distributions.Categorical(logits=p).log_prob(y[0]) * y[1]).mean(), inputs(),
             (classes(4), torch.rand(N)))
)  # fmt: skip

# ---------------------------------------------------------------- stretched shapes

wrong("MSELoss of [100, 1] and [100]", "shapes_broadcast", "pytorch/pytorch#19699")(
    lambda: (nn.Linear(8, 1), nn.MSELoss(), torch.randn(100, 8), torch.randn(100))
)
wrong("a relative error by hand, [N, 1] over [N]", "shapes_broadcast", "pytorch/pytorch#16045")(
    lambda: (mlp(1), lambda out, y: ((out - y).abs() / (y.abs() + 1)).mean(), inputs(), torch.randn(N))
)
wrong("log-cosh of [N] and [N, 1]", "shapes_broadcast", "pytorch/pytorch#19991")(
    lambda: (Then(mlp(1), lambda z: z[:, 0]), lambda out, y: torch.log(torch.cosh(out - y)).mean(), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
wrong("the weight of each sample [N, 1] times losses [N]", "shapes_broadcast", "pytorch/pytorch#2973")(
    lambda: (mlp(5), lambda out, y: (F.cross_entropy(out, y[0], reduction="none") * y[1]).mean(), inputs(),
             (classes(5), torch.rand(N, 1)))
)  # fmt: skip
wrong("a Gaussian likelihood by hand, mean [N, 1], target [N]", "shapes_broadcast", "own")(
    lambda: (pair(mean=1, log_var=1),
             lambda out, y: (0.5 * out[1] + 0.5 * (y - out[0]) ** 2 / out[1].exp()).mean(), inputs(), torch.randn(N))
)  # fmt: skip
wrong("hinge loss of scores [N, 1] and signs [N]", "shapes_broadcast", "own")(
    lambda: (mlp(1), lambda out, y: torch.clamp(1 - out * y, min=0).mean(), inputs(),
             (torch.arange(N) % 2 * 2 - 1).float())
)  # fmt: skip
wrong("binary cross-entropy by hand, [N, 1] and [N]", "shapes_broadcast", "pytorch/pytorch#1939")(
    lambda: (mlp(1, nn.Sigmoid()),
             lambda p, y: -(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean(), inputs(), labels(1)[:, 0])
)  # fmt: skip
wrong("masked errors: mask [N, 1, L] meets errors [N, L]", "shapes_broadcast", "own")(
    lambda: (mlp(8), lambda out, y: (((out - y[0]) ** 2) * y[1]).sum() / y[1].sum(), inputs(),
             (torch.randn(N, 8), labels(1, 8)))
)  # fmt: skip
wrong("pixels viewed as channels before the loss", "axes_scrambled", "ohtlab/headpose-fsanet-pytorch#4")(
    lambda: (mask_head(channels=5), lambda out, y: F.cross_entropy(out.view(N, 36, 5).permute(0, 2, 1),
                                                                   y.view(N, 36)), inputs(3, 6, 6), classes(5, 6, 6))
)  # fmt: skip
wrong("tagging scores viewed as [N, C, L]", "axes_scrambled", "vitrioil/Speech-Separation#4")(
    lambda: (Tagger(5), lambda out, y: F.cross_entropy(out.view(N, 5, 9), y), torch.randint(0, 50, (N, 9)),
             classes(5, 9))
)  # fmt: skip
wrong("a GRU that takes the batch for time, its last state", "samples_mixed", "own")(
    lambda: (nn.Sequential(Then(nn.GRU(8, 16), lambda out: out[0][:, -1]), nn.Linear(16, 2)), nn.CrossEntropyLoss(),
             torch.randn(N, 7, 8), classes(2))
)  # fmt: skip
wrong("an encoder layer without batch_first", "samples_mixed", "own")(
    lambda: (nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0),
                           Then(nn.Linear(8, 3), lambda z: z.mean(1))), nn.CrossEntropyLoss(),
             torch.randn(N, 5, 8), classes(3))
)  # fmt: skip

# ---------------------------------------------------------------- formulas that are wrong in themselves

wrong("a divergence with the variance for its logarithm", "wrong_formula", "graviraja/pytorch-sample-codes#2")(
    lambda: (pair(mean=4, log_var=4), lambda out, _: 0.5 * torch.sum(out[1].exp() + out[0] - 1.0 - out[1]), inputs(),
             None)
)  # fmt: skip
wrong("a divergence that forgets to square the deviation", "wrong_formula", "DaehanKim/vgae_pytorch#2")(
    lambda: (pair(mean=4, log_std=4),
             lambda out, _: -0.5 * (1 + 2 * out[1] - out[0] ** 2 - out[1].exp()).sum(1).mean(), inputs(), None)
)  # fmt: skip
wrong("a divergence with its sign turned", "wrong_formula|better_outputs_cost_more", "wiseodd/generative-models#43")(
    lambda: (Heads(again=nn.Linear(8, 8), mean=nn.Linear(8, 4), log_var=nn.Linear(8, 4), as_tuple=True),
             lambda out, x: F.mse_loss(out[0], x)
             + 0.5 * (1 + out[2] - out[1] ** 2 - out[2].exp()).sum(1).mean(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("a Gaussian likelihood without the logarithm's term", "wrong_formula", "own")(
    lambda: (pair(mean=1, log_var=1), lambda out, y: (0.5 * torch.exp(-out[1]) * (y - out[0]) ** 2).mean(), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
wrong("focal loss whose pt holds the class weight", "wrong_formula|focal_after_mean",
      "gokulprasadthekkel/pytorch-multi-class-focal-loss#1")(
    lambda: (mlp(4), lambda out, y: (lambda ce: ((1 - torch.exp(-ce)) ** 2 * ce).mean())(
        F.cross_entropy(out, y, reduction="none", weight=torch.tensor([5.0, 1.0, 1.0, 0.2]))), inputs(), classes(4))
)  # fmt: skip
wrong("focal loss that weighs the easy", "better_outputs_cost_more|wrong_formula", "own")(
    lambda: (mlp(4), lambda out, y: (lambda p: -(p**2 * torch.log(p)).mean())(
        out.softmax(1).gather(1, y[:, None])), inputs(), classes(4))
)  # fmt: skip
wrong("the ratio's objective without its minus", "better_outputs_cost_more|wrong_formula", "own")(
    lambda: (mlp(4), lambda out, y: (torch.exp(F.log_softmax(out, 1).gather(1, y[:, None])[:, 0]
                                               - F.log_softmax(out, 1).gather(1, y[:, None])[:, 0].detach())
                                     ).mean(), inputs(), classes(4))
)  # fmt: skip
wrong("cosine similarity minimised for pairs that belong together", "better_outputs_cost_more|wrong_formula",
      "BUserName/Learning_to_diversify#1")(
    lambda: (mlp(6), lambda out, y: F.cosine_similarity(out, y).mean(), inputs(), torch.randn(N, 6))
)  # fmt: skip
wrong("the negated squared error", "better_outputs_cost_more", "nothinglo/Deep-Photo-Enhancer#57")(
    lambda: (mlp(3), lambda out, y: -F.mse_loss(out, y), inputs(), torch.randn(N, 3))
)
wrong("the steps that count, divided by all steps", "mean_over_padding", "d2l-ai/d2l-en#2707")(
    lambda: (Tagger(50), lambda out, y: (F.cross_entropy(out.transpose(1, 2), y, reduction="none") * (y != 0)).mean(),
             *padded_tokens(pad=0))
)  # fmt: skip
wrong("squared errors of frames times a mask, then the mean", "mean_over_padding", "arcee-ai/DAM#16")(
    lambda: (nn.Linear(8, 4), lambda out, y: ((out - y[0]) ** 2 * y[1][..., None]).mean(), torch.randn(N, 9, 8),
             (torch.randn(N, 9, 4), (torch.arange(9) < torch.arange(1, N + 1)[:, None] % 9 + 1).float()))
)  # fmt: skip
wrong("absolute errors of masked voxels, averaged over all", "mean_over_padding", "own")(
    lambda: (mask_head(), lambda out, y: torch.mean(torch.abs(out - y) * (y > 0).float()), inputs(3, 6, 6),
             F.relu(torch.randn(N, 1, 6, 6) - 0.8))
)  # fmt: skip
wrong("dice with a softmax over the batch", "softmax_wrong_axis", "own")(
    lambda: (mask_head(channels=3), lambda out, y: dice(out.softmax(0), F.one_hot(y, 3).movedim(-1, 1).float()),
             inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip
wrong("attention normalised over the batch by hand", "softmax_wrong_axis|samples_mixed", "own")(
    lambda: (Then(nn.Linear(8, 4), lambda z: (torch.softmax(z[..., :1], 0) * z[..., 1:]).sum(1)),
             nn.CrossEntropyLoss(), torch.randn(N, 5, 8), classes(3))
)  # fmt: skip
wrong("Tversky overlap on logits", "overlap_on_logits", "own")(
    lambda: (mask_head(), lambda out, y: 1 - ((out * y).sum() + 1) / (
        (out * y).sum() + 0.3 * (out * (1 - y)).sum() + 0.7 * ((1 - out) * y).sum() + 1), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip

# ---------------------------------------------------------------- targets

wrong("labels 1 to 10, eleven outputs", "unused_class|labels_from_one", "pyg-team/pytorch_geometric#441")(
    lambda: (mlp(11), nn.CrossEntropyLoss(), torch.randn(64, 8), torch.arange(64) % 10 + 1)
)
wrong("labels 1 to 10, ten outputs", "class_index_out_of_range", "pytorch/pytorch#15666")(
    lambda: (mlp(10), nn.CrossEntropyLoss(), torch.randn(64, 8), torch.arange(64) % 10 + 1)
)
wrong("one class for all pixels: background equals the class", "one_class_only|unused_class|labels_constant",
      "liuruijin17/LSTR#50")(
    lambda: (Then(nn.Linear(8, 2), lambda z: z.transpose(1, 2)), nn.CrossEntropyLoss(), torch.randn(N, 7, 8),
             torch.ones(N, 7, dtype=torch.long))
)  # fmt: skip
wrong("named entities padded with tag 0, which is learned", "padding_not_ignored", "kaiyinzhou/BERT-NER#3")(
    lambda: (Tagger(50), lambda out, y: F.nll_loss(out.log_softmax(-1).flatten(0, 1), y.flatten()),
             *padded_tokens(pad=0, length=14))
)  # fmt: skip
wrong("the rare class has the smaller weight, written by hand", "class_weight_reversed", "own")(
    lambda: (mlp(1), lambda out, y: (torch.where(y == 1, 0.1, 0.9)
                                     * F.binary_cross_entropy_with_logits(out, y, reduction="none")).mean(),
             torch.randn(64, 8), rare(0.1).float()[:, None])
)  # fmt: skip
wrong("a sigmoid for standardised targets", "range_cannot_reach_targets", "own")(
    lambda: (mlp(1, nn.Sigmoid()), nn.L1Loss(), torch.randn(64, 8), torch.randn(64, 1))
)
wrong("a sigmoid decoder for pictures of -1 to 1", "range_cannot_reach_targets", "own")(
    lambda: (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Sigmoid()), lambda out, x: ((out - x) ** 2).sum() / N,
             inputs(3, 6, 6), images(-1, 1))
)  # fmt: skip

# ---------------------------------------------------------------- gradients

wrong("the teacher's features are not detached", "gradient_into_target", "lhoyer/DAFormer#59")(
    lambda: (lambda net, x: (net, lambda out, _: F.mse_loss(out, net(x + 0.1 * torch.randn_like(x))), x, None))(
        mlp(6), inputs())
)  # fmt: skip
wrong("TD(0) for a state's value, the goal not detached", "gradient_into_target", "own")(
    lambda: (lambda net: (net, lambda v, y: F.smooth_l1_loss(v, y[0] + 0.99 * net(y[1])), inputs(),
                          (torch.randn(N, 1), inputs())))(mlp(1))
)  # fmt: skip
wrong("the auxiliary loss of a detached head never trains it", "dead_term", "jolibrain/joliGEN#20")(
    lambda: (mlp(8), (lambda judge: lambda out, y: F.mse_loss(out, y) + F.binary_cross_entropy_with_logits(
        judge(out.detach()), torch.ones(N, 1)))(mlp(1).requires_grad_(False)), inputs(), torch.randn(N, 8))
)  # fmt: skip
wrong("accuracy as a loss", "loss_without_gradient", "own")(
    lambda: (mlp(5), lambda out, y: 1 - (out.argmax(1) == y).float().mean(), inputs(), classes(5))
)
wrong("classes by argmax, then the squared error", "loss_without_gradient", "own")(
    lambda: (mlp(5), lambda out, y: F.mse_loss(out.argmax(1).float().requires_grad_(), y.float()), inputs(), classes(5))
)
wrong("the norm of a difference that is zero", "zero_gradient|loss_without_gradient", "own")(
    lambda: (Then(mlp(4), lambda z: (z, z.clone())), lambda out, _: torch.norm(out[0] - out[1], dim=1).mean(), inputs(),
             None)
)  # fmt: skip
