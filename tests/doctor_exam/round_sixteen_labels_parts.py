"""Networks, made-up data and long losses of the sixteenth round on labels and masks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part

N = 48  # samples of a batch; half as many pictures


def yes_or_no(share: float = 0.5) -> tuple[Tensor, Tensor]:
    """Samples [N, 8] and a yes for those whose first numbers are large."""
    x = torch.randn(N, 8)
    score = x[:, 0] + 0.7 * x[:, 1]
    return x, (score > score.quantile(1 - share)).float()


def kinds(*shares: int) -> tuple[Tensor, Tensor]:
    """Samples [N, 8] of several classes, of which there are so many."""
    y = torch.cat([torch.full((share,), number) for number, share in enumerate(shares)])
    y = y[torch.randperm(len(y))]
    return torch.randn(len(y), 8) + 1.5 * F.one_hot(y, 8), y


def squares(size: int = 16) -> tuple[Tensor, Tensor]:
    """Pictures [N / 2, 1, size, size] with a bright rectangle each, and where it is."""
    mask = torch.zeros(N // 2, 1, size, size)
    for one in mask:
        top, left, high, wide = (*torch.randint(0, 7, (2,)).tolist(), *torch.randint(6, 10, (2,)).tolist())
        one[:, top : top + high, left : left + wide] = 1
    return 1.5 * mask + 0.5 * torch.randn_like(mask), mask


def conv(ins: int, outs: int) -> nn.Sequential:
    """Two convolutions, each with a normalisation and a ReLU."""
    first = nn.Conv2d(ins, outs, 3, padding=1), nn.BatchNorm2d(outs), nn.ReLU(inplace=True)
    return nn.Sequential(*first, nn.Conv2d(outs, outs, 3, padding=1), nn.BatchNorm2d(outs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    """A U-Net of one step down and one up, whose last convolution is followed by a function."""

    def __init__(self, n_classes: int, end=torch.sigmoid) -> None:
        super().__init__()
        self.inc, self.down, self.conv = conv(1, 8), nn.Sequential(nn.MaxPool2d(2), conv(8, 16)), conv(24, 8)
        self.up, self.outc = nn.Upsample(scale_factor=2), nn.Conv2d(8, n_classes, 1)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        """The function of a map of scores."""
        x1 = self.inc(x)
        x = self.conv(torch.cat([x1, self.up(self.down(x1))], dim=1))
        return self.end(self.outc(x))


def net(outputs: int, end=lambda x: x) -> Part:
    """A small network with one hidden layer, followed by a function."""
    layers = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, outputs))
    return Part(lambda self, x: end(self.layers(x)), layers=layers)


class CaffeFocal(torch.autograd.Function):
    """A focal loss as a layer that has its own forward and backward; at first both had a slip."""

    @staticmethod
    def forward(ctx, x: Tensor, label: Tensor, fixed: bool) -> Tensor:
        """The mean loss of all samples."""
        prob = x.softmax(1)
        eps = torch.finfo(torch.float32).tiny
        log_prob = prob.clamp(min=eps).log()
        power_prob = (1 - prob) ** 2
        ctx.save_for_backward(prob, log_prob, power_prob, label)
        ctx.fixed = fixed
        loss = x.new_zeros(())
        for i, label_value in enumerate(label.tolist()):
            if fixed:
                loss = loss - power_prob[i, label_value] * log_prob[i, label_value]
            else:
                loss = loss - (power_prob[i, label_value] * log_prob[i, label_value]).clamp(min=eps).log()
        return loss / len(x)

    @staticmethod
    def backward(ctx, top_diff: Tensor) -> tuple[Tensor, None, None]:
        """The slope with respect to the scores, class by class."""
        prob, log_prob, power_prob, label = ctx.saved_tensors
        bottom_diff = torch.empty_like(prob)
        for i, label_value in enumerate(label.tolist()):
            p, log_p, power = prob[i, label_value], log_prob[i, label_value], power_prob[i, label_value]
            if ctx.fixed:
                grad = -2 * (power / (1 - p).clamp(min=1e-12)) * log_p * p + power
            else:
                grad = (2 * (power / (1 - p)) * log_p + power / p) * p
            bottom_diff[i] = grad * prob[i]
            bottom_diff[i, label_value] = grad * (p - 1)
        return bottom_diff * top_diff / len(prob), None, None


class ToolBoxFocal(nn.Module):
    """A focal loss that picks what the model gave for the true class; no softmax is taken here."""

    def __init__(self, num_class: int, alpha: float, gamma: float, balance_index: int) -> None:
        super().__init__()
        self.num_class, self.gamma = num_class, gamma
        self.alpha = torch.ones(num_class, 1) * (1 - alpha)
        self.alpha[balance_index] = alpha

    def forward(self, logit: Tensor, target: Tensor) -> Tensor:
        """The mean loss of all pixels."""
        logit = logit.view(logit.size(0), logit.size(1), -1).permute(0, 2, 1).contiguous()
        logit = logit.view(-1, logit.size(-1))
        idx = target.view(-1, 1)
        one_hot_key = torch.zeros(idx.size(0), self.num_class).scatter_(1, idx, 1)
        pt = (one_hot_key * logit).sum(1) + 1e-10
        loss = -1 * self.alpha[idx[:, 0], 0] * torch.pow((1 - pt), self.gamma) * pt.log()
        return loss.mean()


def anchors() -> tuple[Tensor, Tensor]:
    """Features [16, 8, 4, 4], and for each of 48 boxes whether it holds a face, none, or does not count (-1)."""
    code = (torch.rand(16, 4, 4, 3) < 0.3).float()
    feature = 0.4 * torch.randn(16, 8, 4, 4)
    feature[:, :3] += 2 * code.permute(0, 3, 1, 2)
    return feature, code.masked_fill(torch.rand(code.shape) < 0.15, -1).view(16, -1)


def class_head(output_act: nn.Module) -> Part:
    """Two numbers for each of three boxes at each place [N, 48, 2]: a face, and none."""

    def forward(self: Part, x: Tensor) -> Tensor:
        out = self.conv1x1(x).permute(0, 2, 3, 1)
        b, h, w, _ = out.shape
        out = self.output_act(out.view(b, h, w, 3, 2))
        return out.contiguous().view(out.shape[0], -1, 2)

    return Part(forward, conv1x1=nn.Conv2d(8, 6, kernel_size=(1, 1)), output_act=output_act)


def box_losses(classifications: Tensor, codes: Tensor, focal_loss: bool) -> Tensor:
    """The loss of the boxes of all pictures, by a focal loss or by the hardest of those that hold no face."""
    classification_losses = []
    for j in range(classifications.shape[0]):
        classification, positive, negative = classifications[j], codes[j] == 1, codes[j] == 0
        num_positive_anchors = positive.sum()
        targets = torch.ones(classification.shape) * -1
        targets[negative, :] = 0
        targets[negative, 1] = 1
        targets[positive, :] = 0
        targets[positive, 0] = 1
        if focal_loss:
            alpha_factor = torch.ones(targets.shape) * 0.25
            alpha_factor = torch.where(torch.eq(targets, 1.0), alpha_factor, 1.0 - alpha_factor)
            focal_weight = torch.where(torch.eq(targets, 1.0), 1.0 - classification, classification)
            focal_weight = alpha_factor * torch.pow(focal_weight, 2.0)
            bce = -(targets * torch.log(classification) + (1.0 - targets) * torch.log(1.0 - classification))
            cls_loss = focal_weight * bce
            cls_loss = torch.where(torch.ne(targets, -1.0), cls_loss, torch.zeros(cls_loss.shape))
            classification_losses.append(cls_loss.sum() / torch.clamp(num_positive_anchors.float(), min=1.0))
        else:
            negative_losses = classification[negative, 1] * -1
            sorted_losses, _ = torch.sort(negative_losses, descending=True)
            if sorted_losses.numel() > num_positive_anchors * 3:
                sorted_losses = sorted_losses[: num_positive_anchors * 3]
            positive_losses = classification[positive, 0] * -1
            classification_losses.append(positive_losses.mean() + sorted_losses.mean())
    return torch.stack(classification_losses).mean()


def inside(rect: Tensor, grid: Tensor) -> Tensor:
    """A map of 1 where a point of the grid lies inside a rectangle of four corners, a fresh tensor of its own."""
    a, b, d = rect[:, None, 0], rect[:, None, 1], rect[:, None, 3]
    along, across = ((grid - a) * (b - a)).sum(-1), ((grid - a) * (d - a)).sum(-1)
    within = (along >= 0) & (along <= ((b - a) ** 2).sum(-1)) & (across >= 0) & (across <= ((d - a) ** 2).sum(-1))
    return within.float().requires_grad_()


def tracked(weight_outside: bool):
    """Where a small picture lies in a larger one: a map of scores by correlation, and +1 or -1 for each place."""

    def forward(self: Part, z: Tensor, x: Tensor) -> Tensor:
        z, x = self.embed(z), self.embed(x)
        return F.conv2d(x.view(1, -1, 8, 8), z, groups=len(z))[0] * 0.1 + self.bias

    def loss(score: Tensor, label: Tensor) -> Tensor:
        pos, neg = (label == 1).float(), (label == -1).float()
        weight = pos * 0.5 / pos.sum((1, 2), keepdim=True) + neg * 0.5 / neg.sum((1, 2), keepdim=True)
        if weight_outside:
            return (weight * F.softplus(-label * score)).sum((1, 2)).mean()
        label = weight * label
        return ((1 + torch.exp(-label * score)).log().sum((1, 2)) / 25).mean()

    z, x, places = torch.randn(N, 1, 4, 4), 0.5 * torch.randn(N, 1, 8, 8), torch.randint(0, 5, (N, 2))
    label, (rows, columns) = -torch.ones(N, 5, 5), torch.meshgrid(torch.arange(5), torch.arange(5), indexing="ij")
    for i, (r, c) in enumerate(places.tolist()):
        x[i, :, r : r + 4, c : c + 4] += z[i]
        label[i][(rows - r).abs() + (columns - c).abs() <= 1] = 1
    model = Part(forward, embed=nn.Conv2d(1, 4, 3, padding=1), bias=nn.Parameter(torch.zeros(())))
    return model, loss, (z, x), label


def focal_v2(input: Tensor, target: Tensor, each: bool, gamma: float = 2, eps: float = 1e-7) -> Tensor:
    """A focal loss from a cross-entropy, of each place or of all."""
    input = input.clamp(eps, 1.0 - eps)
    if each:
        logpt = target * torch.log(input) + (1 - target) * torch.log(1 - input)
    else:
        logpt = -F.binary_cross_entropy(input, target)
    loss = -((1 - torch.exp(logpt)) ** gamma) * logpt
    return loss.mean() if each else loss.sum()


def focal_of(probabilities: bool):
    """A focal loss for logits, or for probabilities, of a network that ends in a sigmoid."""

    def loss(input: Tensor, target: Tensor, gamma: float = 2) -> Tensor:
        if probabilities:
            return focal_v2(input, target, each=True)
        max_val = (-input).clamp(min=0)
        loss = input - input * target + max_val + ((-max_val).exp() + (-input - max_val).exp()).log()
        invprobs = F.logsigmoid(-input * (target * 2 - 1))
        return ((invprobs * gamma).exp() * loss).mean()

    return UNet(1), loss, *squares()


def rectangles(of_corners: bool):
    """Four corners of a rectangle; the overlap of two maps of points, or of the corners themselves."""
    axes = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    grid = torch.stack(axes, -1).view(-1, 2)

    def loss(rect: Tensor, true: Tensor) -> Tensor:
        if of_corners:
            low, high, start, end = rect.amin(1), rect.amax(1), true.amin(1), true.amax(1)
            inter = (torch.min(high, end) - torch.max(low, start)).clamp(min=0).prod(1)
            union = (high - low).prod(1) + (end - start).prod(1) - inter
        else:
            mine, yours = inside(rect, grid), inside(true, grid)
            inter = (mine * yours).sum(1)
            union = (mine + yours).sum(1) - inter
        return 1 - (inter / union.clamp(min=1)).mean()

    base = torch.tensor([[4.0, 4.0], [4.0, 11.0], [11.0, 11.0], [11.0, 4.0]])
    x, shape = torch.randn(N, 8), base.sub(7.5).sign()
    true = base + x[:, None, :2].clamp(-2, 2) + shape * x[:, None, 2:4].clamp(-2, 2)
    model = Part(lambda self, x: base + self.layers(x).view(-1, 4, 2), layers=nn.Sequential(nn.Linear(8, 8)))
    return model, loss, x, true


def peaks(soft: bool):
    """Where the peaks of a signal are, by an overlap of what lies above a half or of probabilities."""

    def iou(inputs: Tensor, targets: Tensor, thresh: float = 0.5, smooth: float = 0.0) -> Tensor:
        batch_size = targets.shape[0]
        if soft:
            intersect = (inputs * targets).view(batch_size, -1).sum(-1)
            union = (inputs + targets - inputs * targets).view(batch_size, -1).sum(-1)
            return 1 - (intersect / union).mean()
        inputs = torch.where(inputs < thresh, 0, 1)
        intersect = torch.logical_and(inputs, targets).view(batch_size, -1).sum(-1)
        union = torch.logical_and(inputs, targets).view(batch_size, -1).sum(-1)
        return ((intersect + smooth) / (union + smooth)).mean()

    true = (torch.rand(N, 32) < 0.3).float()
    true[:, 0] = 1
    linear = nn.Linear(32, 32)
    model = nn.Sequential(linear, nn.Sigmoid()) if soft else linear
    return model, iou, 6 * true + 0.5 * torch.randn(N, 32), true
