"""A network of small pictures, and overlaps of masks and boxes, right and wrong ones, for two rounds on pictures."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part
from doctor_exam.unseen_wrong import mask_head


def convolutional(outputs: int, *ends: nn.Module, channels: int = 3, norm: bool = False) -> nn.Sequential:
    """A small convolutional network of pictures of 8 by 8 pixels, and what follows its last layer."""
    first = (nn.Conv2d(channels, 8, 3), *((nn.BatchNorm2d(8),) if norm else ()), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, nn.Flatten(), nn.Linear(72, outputs), *ends)


def hot(y: Tensor, count: int) -> Tensor:
    """Class numbers of pixels as maps of zeros and ones."""
    return F.one_hot(y, count).movedim(-1, 1).float()


def half_shared(share: Tensor, y: Tensor, axes: tuple[int, ...], small: float = 1.0) -> Tensor:
    """Twice what both share over the sum of both."""
    return (2 * (share * y).sum(axes) + small) / (share.sum(axes) + y.sum(axes) + small)


def one_plane(share: Tensor, y: Tensor) -> Tensor:
    """One minus the overlap of the second plane with the numbers of the classes, for each picture."""
    plane, numbers, small = share[:, 1], y.squeeze(1), 1e-7
    both, sizes = (plane * numbers).sum((1, 2)), (plane**2).sum((1, 2)) + (numbers**2).sum((1, 2))
    return 1 - (2 * (both + small) / (sizes + small)).sum() / len(share)


def all_planes(share: Tensor, y: Tensor) -> Tensor:
    """One minus the mean overlap of all classes."""
    return 1 - half_shared(share, hot(y[:, 0].long(), 3), (0, 2, 3)).mean()


def numbers_as_mask(share: Tensor, y: Tensor) -> Tensor:
    """One minus the overlap of another sigmoid of the shares with class numbers [N, 1, H, W]."""
    share = share.sigmoid()
    return 1 - (2 * (y * share).sum() + 1e-6) / ((y + share).sum() + 1e-6)


def without_background(share: Tensor, y: Tensor) -> Tensor:
    """One minus the mean overlap of all classes but the first, picture by picture."""
    return 1 - half_shared(share[:, 1:], hot(y[:, 0].long(), 3)[:, 1:], (1, 2, 3), 1e-7).mean()


class OwnSlope(torch.autograd.Function):
    """One minus an overlap, with a slope written by hand."""

    @staticmethod
    def forward(ctx, share: Tensor, y: Tensor, sign: int) -> Tensor:
        """Return the loss and keep what its slope needs."""
        ctx.save_for_backward(y)
        ctx.sign, ctx.both, ctx.sizes = sign, (share * y).sum(), share.sum() + y.sum() + 1e-4
        return 1 - (2 * ctx.both + 1e-4) / ctx.sizes

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the slope by the shares."""
        (y,) = ctx.saved_tensors
        return ctx.sign * gradient * 2 * (y * ctx.sizes - ctx.both) / ctx.sizes**2, None, None


def hinge_of_overlap(scores: Tensor, y: Tensor) -> Tensor:
    """The Lovász hinge: errors, the largest first, each weighed by what it takes from the overlap."""
    scores, y = scores.flatten(), y.flatten()
    errors, order = (1 - scores * (2 * y - 1)).sort(descending=True)
    y = y[order]
    lost = 1 - (y.sum() - y.cumsum(0)) / (y.sum() + (1 - y).cumsum(0))
    return (errors.relu() * torch.cat([lost[:1], lost[1:] - lost[:-1]])).sum()


def hull_overlap(one: Tensor, other: Tensor) -> Tensor:
    """The overlap of boxes by their corners, less the empty share of the box around both."""

    def area(low: Tensor, high: Tensor) -> Tensor:
        return (high - low + 1).prod(1)

    low, high = torch.max(one[:, :2], other[:, :2]), torch.min(one[:, 2:], other[:, 2:])
    both = (high - low + 1).clamp(min=0).prod(1)
    union = area(one[:, :2], one[:, 2:]) + area(other[:, :2], other[:, 2:]) - both
    low, high = torch.min(one[:, :2], other[:, :2]), torch.max(one[:, 2:], other[:, 2:])
    hull = (high - low + 1).clamp(min=0).prod(1)
    return both / union - (hull - union) / (hull + 1e-7)


def class_by_class(own_size: bool):
    """One minus the overlap of each class, over its own size or over that of all."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share, y = out.softmax(1).movedim(1, -1).reshape(-1, 4), y.reshape(-1)
        losses = []
        for number in range(4):
            here, there = share[:, number], (y == number).float()
            size = here.sum() + there.sum() if own_size else share.sum() + y.sum()
            losses.append(1 - (2 * (here * there).sum() + 1) / (size + 1))
        return torch.stack(losses).mean()

    return mask_head(channels=4), loss, inputs(3, 6, 6), classes(4, 6, 6)


def soft_masks(of_smaller: bool):
    """The shares of another network as masks; what both share is a product, or the smaller one."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        share = out.softmax(1)
        both = ((share + y - (share - y).abs()) / 2 if of_smaller else share * y).sum((2, 3))
        return (1 - (2 * both + 1e-5) / (share.sum((2, 3)) + y.sum((2, 3)) + 1e-5)).mean()

    return mask_head(channels=5), loss, inputs(3, 6, 6), inputs(5, 6, 6).softmax(1)


def boxes(corners: bool):
    """Boxes as offsets from anchors of 30 by 30, compared as they are or by their corners."""

    def to_corners(offset: Tensor) -> Tensor:
        middle, size = 30 * 0.1 * offset[:, :2], 30 * (0.2 * offset[:, 2:]).exp()
        return torch.cat([middle - size / 2, middle + size / 2], 1)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return 1 - (hull_overlap(to_corners(out), to_corners(y)) if corners else hull_overlap(out, y)).mean()

    return mlp(4), loss, inputs(), torch.randn(N, 4)


def cells(squashed: bool):
    """Boxes of cells: where, how large, how sure and which class."""

    def forward(self: Part, x: Tensor) -> Tensor:
        raw = self.net(x).movedim(1, -1)
        sure = raw[..., 4:].sigmoid() if squashed else raw[..., 4:]
        return torch.cat([raw[..., :2].sigmoid(), raw[..., 2:4].exp(), sure], -1)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        there, cost = y[..., 4:5], F.binary_cross_entropy_with_logits(out[..., 4:], y[..., 4:], reduction="none")
        where = there * (out[..., :4] - y[..., :4]) ** 2
        return (where.sum(-1) + cost[..., 0] + (there * cost[..., 1:]).sum(-1)).mean()

    y = torch.cat([torch.rand(N, 5, 5, 4), (torch.rand(N, 5, 5, 4) < 0.3).float()], -1)
    return Part(forward, net=nn.Conv2d(3, 8, 1)), loss, inputs(3, 5, 5), y


def means_of_maps(normalised: bool):
    """A student's maps and a teacher's, each reduced to its means; `normalised` takes the mean off first."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        own, theirs = self.student(x), self.teacher(x)
        if normalised:
            own = (own - own.mean((2, 3), keepdim=True)) / (own.std((2, 3), keepdim=True) + 1e-6)
        return self.norm(self.embed(own.mean((2, 3)))), self.norm_too(theirs.mean((2, 3)))

    def loss(out: tuple[Tensor, Tensor], _: None) -> Tensor:
        return (out[0] - out[1]).abs().pow(4).sum() / N

    norms = {key: nn.BatchNorm1d(6, eps=1e-4, affine=False) for key in ("norm", "norm_too")}
    teacher = nn.Conv2d(3, 6, 3).requires_grad_(False)
    model = Part(forward, student=nn.Conv2d(3, 6, 3), teacher=teacher, embed=nn.Linear(6, 6), **norms)
    return model, loss, inputs(3, 6, 6), None
