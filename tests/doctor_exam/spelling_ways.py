"""Other ways to write what torch has as one function: losses by hand, activations, sums, products and views."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from doctor_exam.spelling_parts import reduced, spelling

MOST_SAMPLES = 64  # that are gone through one by one


def by_class(name: str) -> Callable:
    """Register a cross-entropy of class numbers by hand: of scores [M, C] and labels [M]; None: it does not fit."""

    def register(each_of: Callable) -> Callable:
        @spelling(name, (F, "cross_entropy"))
        def written(
            input, target, weight=None, _1=None, ignore_index=-100, _2=None, reduction="mean", label_smoothing=0
        ):
            kept = target != ignore_index
            plain = (
                target.dtype == torch.int64 and target.shape == input.shape[:1] + input.shape[2:] and input.dim() > 1
            )
            if not plain or label_smoothing or (reduction == "none" and not bool(kept.all())):
                return None
            whole = input.dim() == 2 and bool(kept.all())
            scores, labels = (input, target) if whole else (input.movedim(1, -1)[kept], target[kept])
            each = each_of(scores, labels)
            if each is not None and weight is not None:
                each = weight[labels] * each
                return each.sum() / weight[labels].sum() if reduction == "mean" else reduced(each, reduction)
            return (
                None if each is None else reduced(each.view(target.shape) if reduction == "none" else each, reduction)
            )

        return each_of

    return register


by_class("cross-entropy: gather")(
    lambda scores, labels: -scores.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
)
by_class("cross-entropy: one-hot")(
    lambda scores, labels: -(F.one_hot(labels, scores.shape[1]).float() * torch.log_softmax(scores, dim=-1)).sum(dim=-1)
)
by_class("cross-entropy: logsumexp")(
    lambda scores, labels: torch.logsumexp(scores, 1) - scores[torch.arange(len(scores)), labels]
)
by_class("cross-entropy: nll_loss")(
    lambda scores, labels: F.nll_loss(F.log_softmax(scores, 1), labels, reduction="none")
)


@by_class("cross-entropy: scatter and einsum")
def _(scores, labels):
    hot = torch.zeros_like(scores).scatter_(1, labels[:, None], 1.0)
    return -torch.einsum("nc,nc->n", hot, scores.log_softmax(-1))


@by_class("cross-entropy: where")
def _(scores, labels):
    true = torch.arange(scores.shape[1]) == labels[:, None]
    return -torch.where(true, F.log_softmax(scores, dim=1), torch.zeros(())).sum(1)


@by_class("cross-entropy: a loop over samples")
def _(scores, labels):
    if len(scores) > MOST_SAMPLES:
        return None
    return torch.stack([torch.logsumexp(row, 0) - row[label] for row, label in zip(scores, labels, strict=True)])


@by_class("cross-entropy: a loop over classes")
def _(scores, labels):
    log_p, each = scores - scores.logsumexp(1, keepdim=True), 0
    for label in range(scores.shape[1]):
        each = each - (labels == label).float() * log_p[:, label]
    return each


@spelling("cross-entropy: shares", (F, "cross_entropy"))
def _(input, target, weight=None, _1=None, ignore_index=-100, _2=None, reduction="mean", label_smoothing=0.0):
    if target.shape == input.shape and target.is_floating_point() and weight is None and not label_smoothing:
        return reduced(-(target * F.log_softmax(input, 1)).sum(1), reduction)
    return None


@spelling("cross-entropy: smoothed", (F, "cross_entropy"))
def _(input, target, weight=None, _1=None, ignore_index=-100, _2=None, reduction="mean", label_smoothing=0.0):
    if target.is_floating_point() or weight is not None or not label_smoothing or bool((target == ignore_index).any()):
        return None
    log_p = F.log_softmax(input, 1)
    each = (1 - label_smoothing) * F.nll_loss(log_p, target, reduction="none") - label_smoothing * log_p.mean(1)
    return reduced(each, reduction)


@spelling("nll_loss: picked", (F, "nll_loss"))
def _(input, target, weight=None, _1=None, ignore_index=-100, _2=None, reduction="mean"):
    if weight is not None or input.dim() != 2 or bool((target == ignore_index).any()):
        return None
    return reduced(-input[range(len(input)), target], reduction)


def of_pairs(name: str, function: str) -> Callable:
    """Register a loss of two tensors of one shape by hand; `reduction` is "mean", "sum" or "none"."""

    def register(each_of: Callable) -> Callable:
        @spelling(name, (F, function))
        def written(input, target, weight=None, *_, reduction="mean", **options):
            if weight is not None or (input.shape != target.shape and function.startswith("binary")):
                return None
            found = each_of(input, target, **options)
            return reduced(found, reduction) if isinstance(found, Tensor) else found(reduction)

        return each_of

    return register


@of_pairs("binary cross-entropy: logarithms", "binary_cross_entropy")
def _(input, target):
    input = input.clamp(1e-7, 1 - 1e-7)
    return -(target * torch.log(input) + (1 - target) * torch.log(1 - input))


@of_pairs("binary cross-entropy: where", "binary_cross_entropy")
def _(input, target):
    if bool(((target != 0) & (target != 1)).any()):
        raise TypeError
    return -torch.where(target == 1, input, 1 - input).clamp(min=1e-7).log()


of_pairs("binary cross-entropy of logits: sigmoid", "binary_cross_entropy_with_logits")(
    lambda input, target: F.binary_cross_entropy(torch.sigmoid(input), target, reduction="none")
)
of_pairs("binary cross-entropy of logits: softplus", "binary_cross_entropy_with_logits")(
    lambda input, target, pos_weight=1: pos_weight * target * F.softplus(-input) + (1 - target) * F.softplus(input)
)
of_pairs("binary cross-entropy of logits: logsigmoid", "binary_cross_entropy_with_logits")(
    lambda input, target, pos_weight=1: -pos_weight * target * F.logsigmoid(input) - (1 - target) * F.logsigmoid(-input)
)


@of_pairs("binary cross-entropy of logits: logarithms", "binary_cross_entropy_with_logits")
def _(input, target, pos_weight=1):
    p = torch.sigmoid(input).clamp(1e-7, 1 - 1e-7)
    return -(pos_weight * target * p.log() + (1 - target) * (1 - p).log())


of_pairs("binary cross-entropy of logits: log1p", "binary_cross_entropy_with_logits")(
    lambda input, target: input.clamp(min=0) - input * target + torch.log1p(torch.exp(-input.abs()))
)


@of_pairs("binary cross-entropy of logits: two classes", "binary_cross_entropy_with_logits")
def _(input, target):
    log_p = F.log_softmax(torch.stack([torch.zeros_like(input), input], -1), -1)
    return -(log_p * torch.stack([1 - target, target], -1)).sum(-1)


of_pairs("squared error: ** 2", "mse_loss")(lambda input, target: (input - target) ** 2)


@of_pairs("squared error: a product", "mse_loss")
def _(input, target):
    difference = torch.sub(target, input)
    return difference * difference


of_pairs("squared error: written out", "mse_loss")(
    lambda input, target: input.square() - 2 * input * target + target.square()
)


@of_pairs("squared error: in place", "mse_loss")
def _(input, target):
    difference = input.clone()
    difference -= target
    return difference.pow_(2)


@of_pairs("squared error: norm", "mse_loss")
def _(input, target):
    each = input - target
    return lambda how: each.norm() ** 2 / each.numel() if how == "mean" else reduced(each**2, how)


@of_pairs("squared error: dot", "mse_loss")
def _(input, target):
    each = (input - target).reshape(-1)
    return lambda how: torch.dot(each, each) / len(each) if how == "mean" else reduced((input - target) ** 2, how)


@of_pairs("squared error: a loop over samples", "mse_loss")
def _(input, target):
    both = zip(*torch.broadcast_tensors(input, target), strict=True)
    return torch.stack([(one - other).pow(2) for one, other in both])


of_pairs("absolute error: where", "l1_loss")(
    lambda input, target: torch.where(input > target, input - target, target - input)
)


@of_pairs("absolute error: norm", "l1_loss")
def _(input, target):
    each = input - target
    return lambda how: each.norm(1) / each.numel() if how == "mean" else reduced(each.abs(), how)


def _huber(input, target, beta=1.0, scale=1.0):
    each = (input - target).abs()
    return scale * torch.where(each < beta, 0.5 * each**2 / beta, each - 0.5 * beta)


of_pairs("smooth error: where", "smooth_l1_loss")(_huber)
of_pairs("smooth error: where", "huber_loss")(lambda i, t, delta=1.0: _huber(i, t, delta, delta))


@of_pairs("divergence: logarithms", "kl_div")
def _(input, target, log_target=False):
    if log_target:
        raise TypeError
    each = target * (target.clamp(min=1e-8).log() - input)
    return lambda how: each.sum() / len(each) if how == "batchmean" else reduced(each, how)


def everywhere(name: str, *functions: str, owners: tuple = (torch, Tensor, F)) -> Callable:
    """Register another way to write functions that stand in torch, in its tensors and among its layers."""
    return spelling(name, *((o, f) for f in functions for o in owners if hasattr(o, f)))


@everywhere("softmax: exponentials", "softmax")
def _(input, dim=None, **_):
    raised = torch.exp(input - input.amax(dim, keepdim=True).detach())
    return raised / raised.sum(dim, keepdim=True)


everywhere("softmax: of log_softmax", "softmax")(lambda input, dim=None, **_: input.log_softmax(dim).exp())
everywhere("log_softmax: logsumexp", "log_softmax")(
    lambda input, dim=None, **_: input - input.logsumexp(dim, keepdim=True)
)
everywhere("sigmoid: exponential", "sigmoid")(lambda input: 1 / (1 + torch.exp(-input)))
everywhere("sigmoid: tanh", "sigmoid")(lambda input: (torch.tanh(input / 2) + 1) / 2)
everywhere("logsigmoid: softplus", "logsigmoid")(lambda input: -F.softplus(-input))
everywhere("relu: clamp", "relu")(lambda input, inplace=False: input.clamp(min=0))
everywhere("relu: maximum", "relu")(lambda input, inplace=False: torch.maximum(input, torch.zeros_like(input)))
everywhere("tanh: sigmoid", "tanh")(lambda input: 2 * torch.sigmoid(2 * input) - 1)
everywhere("mean: sum", "mean")(lambda input: input.sum() / input.numel())
everywhere("squeeze: select", "squeeze")(lambda input, dim: input.select(dim, 0) if input.shape[dim] == 1 else None)
everywhere("unsqueeze: None", "unsqueeze")(
    lambda input, dim: input[(slice(None),) * (dim % (input.dim() + 1)) + (None,)]
)
everywhere("transpose: swapaxes", "transpose")(lambda input, one, other: input.swapaxes(one, other))
everywhere("reshape: view", "reshape", owners=(Tensor,))(lambda input, *shape: input.contiguous().view(*shape))
everywhere("gather: take_along_dim", "gather")(lambda input, dim, index: torch.take_along_dim(input, index, dim))
everywhere("cosine_similarity: product", "cosine_similarity")(
    lambda one, other, dim=1, eps=1e-8: (F.normalize(one, dim=dim) * F.normalize(other, dim=dim)).sum(dim)
)
everywhere("normalize: norm", "normalize")(
    lambda input, p=2.0, dim=1, eps=1e-12: input / input.norm(p, dim, keepdim=True).clamp(min=eps)
)
everywhere("square: pow", "square")(lambda input: input.pow(2))
everywhere("subtraction: sub", "__sub__")(lambda one, other: torch.sub(one, other))
everywhere("1 - p: -p + 1", "__rsub__")(lambda one, other: other + (-one))
everywhere("product: mul", "__mul__", "__rmul__")(lambda one, other: one.mul(other))
everywhere("quotient: div", "__truediv__")(lambda one, other: one.div(other))


@spelling("product: where", (Tensor, "__mul__"))
def _(one, other):
    mask = isinstance(other, Tensor) and other.dtype == torch.bool
    return torch.where(other, one, torch.zeros((), dtype=one.dtype)) if mask else None


@spelling("linear: matmul", (F, "linear"))
def _(input, weight, bias=None):
    return input @ weight.t() if bias is None else input @ weight.t() + bias


@spelling("linear: einsum", (F, "linear"))
def _(input, weight, bias=None):
    out = torch.einsum("...i,oi->...o", input, weight)
    return out if bias is None else out + bias
