"""Models, losses and batches of projects, each with a slip and without it, of the eighteenth round."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam import round_eighteen_projects_parts as parts
from doctor_exam.round_eighteen_projects_parts import N
from doctor_exam.round_parts import Part


def net(features: int, outputs: int) -> nn.Sequential:
    """A small network of dense layers."""
    return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, outputs))


def house_numbers(once: bool):
    """Pictures of numbers: shares of four classes, a cross-entropy, and a penalty of the weights."""
    layers = nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64, 4)
    model = nn.Sequential(*layers, nn.Softmax(1))

    def loss(preds: Tensor, label: Tensor) -> Tensor:
        loss_reg = sum(0.0005 * w.square().sum() / 2 for w in model.parameters() if w.dim() > 1)
        if once:
            return -preds.clamp(1e-7, 1 - 1e-7).log().gather(1, label[:, None]).mean() + loss_reg
        label_onehot = F.one_hot(label, 4).float()
        return -(label_onehot * F.log_softmax(preds, 1)).sum(1).mean() + loss_reg

    label, x = torch.arange(N) % 4, torch.randn(N, 3, 8, 8)
    for picture, place in zip(x, label.tolist(), strict=True):
        picture[:, place // 2 * 4 :][:, :4, place % 2 * 4 :][:, :, :4] += 1
    return model, loss, x, label


def matched_nodes(all_graphs: bool):
    """Pairs of graphs of ten nodes, the second a noisy copy of the first: each node is to find itself."""
    negative = nn.NLLLoss(reduction="sum" if all_graphs else "mean")

    def loss(outputs: Tensor, _: None) -> Tensor:
        total, total_n_vertices = 0, 0
        for out in outputs:
            n_vertices = out.shape[0]
            target = torch.arange(n_vertices)
            if not all_graphs:
                return negative(out, target)
            total = total + negative(out, target)
            total_n_vertices += n_vertices
        return total / total_n_vertices

    edges = (torch.rand(N, 10, 10) < 0.4).float().triu(1)
    edges = edges + edges.transpose(1, 2)
    x = torch.stack([edges, torch.diag_embed(edges.sum(2) / 4)], 3)
    return parts.NodeMatcher(), loss, (x, x + 0.05 * torch.randn_like(x)), None


def box_offsets(of_each: bool):
    """Four numbers for each sample; those of samples without a box have no weight."""
    x = torch.randn(N, 8)
    target, weight = x @ torch.randn(8, 4) / 3, (torch.rand(N, 1) < 0.5).float().expand(N, 4)
    target = torch.where(weight > 0, target, torch.full_like(target, 3.0))
    criterion = parts.WeightedMSE(parts.mse_loss_of_each if of_each else parts.mse_loss_of_a_mean)
    return net(8, 4), lambda out, y: criterion(out, y[0], weight=y[1]), x, (target, weight)


def molecules(differentiable: bool):
    """Molecules of five atoms held by springs: their energy, and the forces on the atoms."""
    positions = torch.randn(N, 5, 3).requires_grad_(True)
    energy = (parts.pair_distances(positions) - 1).square().sum(1, keepdim=True) / 4
    force = -torch.autograd.grad(energy.sum(), positions)[0].reshape(-1, 3)
    return parts.Potential(differentiable), parts.energy_and_force_loss, positions.detach(), (energy.detach(), force)


def docking(gate_once: bool):
    """Graphs of six places of two proteins, and how well they are joined."""
    h, e = torch.randn(N, 6, 16), torch.randn(N, 6, 6, 16)
    quality = (h[..., 0] + e[..., 0].sum(2) * h[..., 1]).mean(1).sigmoid()
    return parts.GatedGraphAttention(not gate_once), nn.MSELoss(), (h, e), quality


def spam(raw: bool):
    """Messages of ten words: more words from the upper half of the list, or from the lower one."""
    y = torch.arange(N) % 2
    words = torch.where(torch.rand(N, 10) < 0.8, 20 * y[:, None], 20 - 20 * y[:, None]) + torch.randint(0, 20, (N, 10))
    return parts.SpamRNN(squashed=not raw), nn.CrossEntropyLoss(), words, y


def word_by_word(before_places: bool):
    """Sentences of different lengths word by word: each becomes the word that comes as much later as the first says."""
    x = torch.randint(1, 30, (N, 10))
    x = x.masked_fill(torch.arange(10) >= torch.randint(3, 11, (N, 1)), 0)
    y = torch.where(x > 0, 1 + (x + x[:, :1] % 3) % 29, 0)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        ce = F.cross_entropy(out.transpose(1, 2), y, reduction="none")
        nonpadding = (y != 0).float()
        return (ce * nonpadding).sum() / (nonpadding.sum() + 1e-7)

    return parts.MaskedEncoder(before_places), loss, x, y


def real_tokens(masked: bool):
    """Texts of different lengths in which some tokens were exchanged for rarer ones; padding is no token."""
    x = torch.randint(1, 30, (N, 12))
    swapped = torch.rand(N, 12) < 0.25
    x = torch.where(swapped, torch.randint(25, 40, (N, 12)), x)
    padded = torch.arange(12) >= torch.randint(4, 13, (N, 1))
    x, true_or_fake = x.masked_fill(padded, 0), (~(swapped & ~padded)).float()

    def loss(out: Tensor, y: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        if not masked:
            return nn.BCELoss()(out.view(-1), y.view(-1))
        losses, mask = nn.BCELoss(reduction="none")(out.view(-1), y[0].view(-1)), y[1].view(-1)
        return (losses * mask).sum() / mask.sum()

    return parts.TokenDiscriminator(), loss, x, (true_or_fake, (~padded).float()) if masked else true_or_fake


def one_number() -> tuple[Tensor, Tensor]:
    """Samples of eight features, and one number [N] that depends on them."""
    x = torch.randn(N, 8)
    return x, x @ torch.randn(8) / 2 + 0.1 * torch.randn(N)


def flat_outputs(flat_targets: bool):
    """A torch loss of flat outputs and of targets as a column."""
    x, y = one_number()
    return nn.Sequential(net(8, 1), nn.Flatten(0)), nn.MSELoss(), x, y if flat_targets else y[:, None]


def keras_means(alike: bool):
    """The squared error as its mean over the last axis, then over what is left."""

    def loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        return torch.mean(torch.square(y_pred - y_true), dim=-1).mean()

    x, y = one_number()
    return net(8, 1), loss, x, y[:, None] if alike else y


def equation(registered: bool):
    """A solution of an equation in which a number is unknown, given at some times."""
    constants, trainable = {"omega": 3.0}, {"mu": nn.Parameter(torch.Tensor([0.5]))} if registered else None
    if not registered:
        constants["mu"] = parts.AdjustableParameter(initial_value=0.5).value
    t = torch.rand(N, 1) * 2

    def loss(out: tuple[Tensor, Tensor], u: Tensor) -> Tensor:
        return out[1].square().mean() + F.mse_loss(out[0], u)

    return parts.Residual(constants, trainable), loss, t, (t - 0.25) ** 2 * torch.cos(3 * t)


def clicked(parameter_last: bool):
    """Categories and features of an offer, in double precision, and whether it was clicked."""
    x = torch.cat([torch.randint(0, 6, (N, 3)), torch.randn(N, 4)], 1).double()
    y = (x[:, 3:].sum(1, keepdim=True) + (x[:, :1] - 2.5) / 2 > 0).double()
    return parts.Clicks(moved_last=not parameter_last), F.binary_cross_entropy, x, y


def often_yes(power: bool, alpha: float = 0.25, gamma: int = 2):
    """A focal loss of yes and no by hand."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        y_pred = torch.sigmoid(logits)
        yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
        if power:
            each = -labels * alpha * ((1 - y_pred) ** gamma) * yes - (1 - labels) * (1 - alpha) * (y_pred**gamma) * no
        else:
            each = -labels * (1 - alpha) * ((1 - y_pred) * gamma) * yes - (1 - labels) * alpha * (y_pred**gamma) * no
        return each.mean()

    x = torch.randn(N, 8)
    return nn.Sequential(net(8, 1), nn.Flatten(0)), loss, x, (x[:, 0] + x[:, 1] + torch.randn(N) > 0).float()


def parts_of_pictures(moved: bool):
    """Pictures with a bright bar, taken apart."""
    x = 0.2 * torch.rand(N, 3, 8, 8)
    for picture, row in zip(x, torch.randint(0, 7, (N,)).tolist(), strict=True):
        picture[:, row : row + 2] += 0.6
    return parts.Monet(moved), lambda out, _: out["loss"].mean(), x, None


def maps() -> tuple[Tensor, Tensor]:
    """Pictures, and where a fifth of the places has no label."""
    return torch.randn(N, 3, 8, 8), torch.rand(N, 8, 8) < 0.2


def pixels(outputs: int) -> nn.Sequential:
    """A network from pictures to maps."""
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, outputs, 3, padding=1))


def heights(by_mask: bool, ignore_index: int = 255):
    """A map of heights, and 255 where the height is not known."""

    def loss(out: Tensor, label: Tensor) -> Tensor:
        if by_mask:
            mask = (label != ignore_index).float()
            output = F.l1_loss(out, label, reduction="none") * mask
            return torch.mean(output) / (torch.mean(mask) + 1e-10)
        mask = label == ignore_index
        label[mask] = 0
        out[mask] = 0
        return F.l1_loss(out, label)

    x, unknown = maps()
    return pixels(1), loss, x, (1 + x.mean(1, keepdim=True)).masked_fill(unknown[:, None], ignore_index)


def focal_pixels(by_mask: bool, ignore_index: int = 255, gamma: float = 2.0):
    """A focal loss of two classes of pixels, and 255 where the class is not known."""

    def loss(logit: Tensor, label: Tensor) -> Tensor:
        mask = (label != ignore_index).view(-1).float()
        logit = torch.where(label.unsqueeze(1) == ignore_index, torch.zeros_like(logit), logit)
        label = torch.where(label == ignore_index, torch.zeros_like(label), label)
        logit = logit.reshape(logit.shape[0], logit.shape[1], -1).transpose(1, 2)
        logit = logit.reshape(-1, logit.shape[2])
        logpt = F.log_softmax(logit, dim=-1).gather(1, label.reshape(-1, 1)).squeeze(1)
        pt = torch.exp(logpt.detach())
        each = -1 * (1 - pt) ** gamma * logpt
        return (each * mask).sum() / (mask.sum() + 1e-10) if by_mask else torch.mean(each)

    x, unknown = maps()
    return pixels(2), loss, x, (x.mean(1) > 0).long().masked_fill(unknown, ignore_index)


def straight_line(squeezed: bool):
    """A line through points: a product with a matrix, and the sum of the squared errors."""
    model = Part(lambda self, x: torch.matmul(x, self.W) + self.b,
                 W=nn.Parameter(torch.randn(1, 1)), b=nn.Parameter(torch.randn(1)))  # fmt: skip
    x = torch.rand(N, 1)
    y = (5 * x + 2 + 0.1 * torch.randn(N, 1)).reshape(-1)
    return model, lambda out, y: ((y - (out.squeeze() if squeezed else out)) ** 2).sum(), x, y


def two_spirals(column: bool):
    """Which of two spirals a point lies on, by a squared error."""
    angle, side = torch.rand(N).sqrt() * 4, torch.arange(N) % 2
    x = torch.stack([-torch.cos(angle) * angle, torch.sin(angle) * angle], 1) * (1 - 2 * side[:, None]) / 2
    layers = [nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1)]
    targets = side.float()
    return nn.Sequential(*layers), lambda p, y: ((p - y) ** 2).mean(), x, targets[:, None] if column else targets
