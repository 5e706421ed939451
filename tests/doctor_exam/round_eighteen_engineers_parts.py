"""Losses and layers of the set-ups of the eighteenth round, in the spelling of the threads they stand in."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part

M = 32  # samples of a batch


def rows(width: int = 8) -> tuple[Tensor, Tensor]:
    """Rows of a table, and a number that depends on the first half of each."""
    x = torch.randn(M, width)
    return x, x[:, : width // 2].sum(1)


def net(inputs: int, outputs: int, *ends: nn.Module) -> nn.Sequential:
    """A small network."""
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, outputs), *ends)


def masks(size: int = 8) -> tuple[Tensor, Tensor]:
    """Grey pictures, and a mask of what is bright in them."""
    x = F.avg_pool2d(torch.randn(M, 1, size, size), 3, 1, 1) * 3
    return x, (x > 0.8).float()


class WeightsOfTasks(nn.Module):
    """The sum of several tasks' losses, each with a weight that is learnt."""

    def __init__(self, kept: bool) -> None:
        super().__init__()
        self.loss_fn, self.eta, self.kept = [nn.MSELoss(), nn.MSELoss()], nn.Parameter(torch.tensor([2.0, 1.0])), kept

    def forward(self, outputs: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> Tensor:
        """The losses as new numbers or stacked, weighed by exp(-eta)."""
        loss = [task(o, y).sum() for task, o, y in zip(self.loss_fn, outputs, targets, strict=True)]
        loss = torch.stack(loss) if self.kept else torch.Tensor(loss)
        return (loss * torch.exp(-self.eta) + self.eta).sum()


class HardDice(torch.autograd.Function):
    """A dice coefficient of the chosen classes, with a backward pass of its own."""

    @staticmethod
    def forward(ctx, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """One less the mean coefficient of all classes."""
        n_classes, smooth = y_pred.shape[1], 1e-7
        diff = y_true[:, None].expand_as(y_pred).to(y_pred.dtype)
        chosen, dice, total = y_pred.argmax(1).flatten(), y_pred.new_zeros(n_classes), y_pred.new_zeros(n_classes)
        for i in range(n_classes):
            a, b = (y_true.flatten() == i).float(), (chosen == i).float()
            total[i] = a.sum() + b.sum() + smooth
            dice[i] = (2 * (a * b).sum() + smooth) / total[i]
        ctx.save_for_backward(diff, dice.mean(), total.sum())
        return 1 - dice.mean()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        """The slope of a single overlap, with the class numbers as the mask."""
        diff, dice, total = ctx.saved_tensors
        return gradient * (-2.0 * diff + dice) / total, None


def soft_dice(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """One less the mean coefficient of all classes, from their probabilities."""
    smooth, dice = 1e-7, 0
    y_pred, y_true = y_pred.softmax(1), F.one_hot(y_true, y_pred.shape[1]).movedim(-1, 1).float()
    for i in range(y_pred.shape[1]):
        a, b = y_true[:, i].flatten(), y_pred[:, i].flatten()
        dice = dice + (2 * (a * b).sum() + smooth) / (a.sum() + b.sum() + smooth)
    return 1 - dice / y_pred.shape[1]


class TextBoxes(nn.Module):
    """The loss of a map of text, of four distances and of an angle."""

    def __init__(self, guarded: bool) -> None:
        super().__init__()
        self.guarded, self.weight_angle = guarded, 10

    def forward(self, outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Dice of the map; overlap and angle where there is text."""
        (pred_score, pred_geo), (gt_score, gt_geo, ignored) = outputs, targets
        if self.guarded and torch.sum(gt_score) < 1:
            return torch.sum(pred_score + pred_geo) * 0
        seen = pred_score * (1 - ignored)
        classify_loss = 1 - 2 * torch.sum(gt_score * seen) / (torch.sum(gt_score) + torch.sum(seen) + 1e-5)
        d1_gt, d2_gt, d3_gt, d4_gt, angle_gt = torch.split(gt_geo, 1, 1)
        d1, d2, d3, d4, angle = torch.split(pred_geo, 1, 1)
        area_gt, area = (d1_gt + d2_gt) * (d3_gt + d4_gt), (d1 + d2) * (d3 + d4)
        inter = torch.min(d3_gt, d3) + torch.min(d4_gt, d4)
        inter = inter * (torch.min(d1_gt, d1) + torch.min(d2_gt, d2))
        iou_map = -torch.log((inter + 1.0) / (area_gt + area - inter + 1.0))
        angle_loss = torch.sum((1 - torch.cos(angle - angle_gt)) * gt_score) / torch.sum(gt_score)
        iou_loss = torch.sum(iou_map * gt_score) / torch.sum(gt_score)
        return self.weight_angle * angle_loss + iou_loss + classify_loss


def gaussian_dist_pdf(val: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    """The density of a normal distribution."""
    return torch.exp(-((val - mean) ** 2.0) / var / 2.0) / torch.sqrt(2.0 * torch.pi * var)


def weighted_binary_cross_entropy(output: Tensor, target: Tensor, weights: tuple[float, float]) -> Tensor:
    """A cross-entropy of yes and no with one weight for each."""
    output = torch.clamp(output, min=1e-8, max=1 - 1e-8)
    loss = weights[1] * (target * torch.log(output)) + weights[0] * ((1 - target) * torch.log(1 - output))
    return torch.neg(torch.mean(loss))


class FieldLoss(nn.Module):
    """A weighted squared error of fields [N, time, places, variables], some of whose values are missing."""

    def __init__(self, masked: bool) -> None:
        super().__init__()
        self.masked = masked
        self.mean, self.sum = (torch.mean, torch.sum) if masked else (torch.nanmean, torch.nansum)
        self.register_buffer("scaler", torch.linspace(0.5, 1.5, 6)[:, None] / 6)

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Set both to 0 where the target is missing, or leave out what is not a number when adding up."""
        if self.masked:
            nan_mask = torch.isnan(target + pred)
            pred, target = pred.masked_fill(nan_mask, 0.0), target.masked_fill(nan_mask, 0.0)
        out = self.mean(torch.square(pred - target) * self.scaler, dim=-1, keepdim=True)
        return self.mean(self.sum(out, dim=(1, 2), keepdim=True), dim=(0, 3)).squeeze()


class CoxLoss(nn.Module):
    """The partial likelihood of events, the latest first."""

    def __init__(self, row_by_row: bool) -> None:
        super().__init__()
        self.row_by_row = row_by_row

    def forward(self, scores: Tensor, truth: Tensor) -> Tensor:
        """The mean over all rows; truth holds event and time."""
        a = torch.stack((torch.squeeze(scores, dim=1), truth[:, 0], truth[:, 1]), dim=1)
        a = torch.stack(sorted(a, key=lambda a: -a[2]))
        scores, events = a[:, 0], a[:, 1]
        if not self.row_by_row:
            scores_ = scores - scores.max()
            return (-(scores_ - torch.log(torch.exp(scores_).cumsum(0))) * events).mean()
        loss = torch.zeros(scores.size(0)).to(device=scores.device, dtype=scores.dtype)
        for i in range(1, scores.size(0)):
            aux = scores[: i + 1] - scores[i]
            m = aux.max()
            aux_ = aux - m
            aux_.exp_()
            loss[i] = m + torch.log(aux_.sum(0))
        loss *= events
        return loss.mean()


class NLLSurvLoss(nn.Module):
    """The likelihood of a time in bins, where some rows are only known to have lasted."""

    def __init__(self, censored: str, alpha: float = 0.0, eps: float = 1e-7) -> None:
        super().__init__()
        self.censored, self.alpha, self.eps = censored, alpha, eps

    def forward(self, x: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        """The mean over all rows, those without an event weighed by alpha or by one less it."""
        y_bins, y_event = targets
        y_censor = 1 - y_event
        hazards = torch.sigmoid(x)
        s_padded = torch.cat([torch.ones_like(y_censor), torch.cumprod(1 - hazards, dim=1)], 1)
        s_prev = torch.gather(s_padded, dim=1, index=y_bins).clamp(min=self.eps)
        h_this = torch.gather(hazards, dim=1, index=y_bins).clamp(min=self.eps)
        s_this = torch.gather(s_padded, dim=1, index=y_bins + 1).clamp(min=self.eps)
        uncensored_loss = -(1 - y_censor) * (torch.log(s_prev) + torch.log(h_this))
        censored_loss = -y_censor * torch.log(s_this)
        weight = self.alpha if self.censored == "alpha" else 1 - self.alpha
        return (uncensored_loss + weight * censored_loss).mean()


class NonNegLinear(nn.Module):
    """A linear layer whose weights cannot be negative."""

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty((out_features, in_features)).normal_(1.0, 0.1))
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """The sum of what speaks for a class."""
        return F.linear(input, torch.relu(self.weight), self.bias)


class ContraLoss(nn.Module):
    """The instances of a picture, as one network sees them and as another does, told apart from each other."""

    def __init__(self, background: bool, temperature: float = 0.3) -> None:
        super().__init__()
        self.background, self.temperature = background, temperature

    def add_background(self, masks: Tensor) -> Tensor:
        """What no instance covers, as one more."""
        return torch.cat((masks, ~torch.max(masks, dim=0).values.unsqueeze(0)), dim=0)

    def of_picture(self, embedd_x: Tensor, embedd_y: Tensor, mask_x: Tensor, mask_y: Tensor) -> Tensor:
        """The loss of one picture, [channels, height, width] with [instances, 1, height, width]."""
        x_embedding, y_embedding = F.normalize(embedd_x, dim=0, p=2), F.normalize(embedd_y, dim=0, p=2)
        x_masks, y_masks = torch.sigmoid(mask_x) > 0.5, torch.sigmoid(mask_y) > 0.5
        if self.background:
            x_masks, y_masks = self.add_background(x_masks), self.add_background(y_masks)
        sum_x, sum_y = x_masks.sum(dim=[-1, -2]).clone(), y_masks.sum(dim=[-1, -2]).clone()
        sum_x[sum_x[:, 0] == 0.0] = 1.0
        sum_y[sum_y[:, 0] == 0.0] = 1.0
        flatten_x = (x_embedding * x_masks).sum(dim=[-1, -2]) / sum_x
        flatten_y = (y_embedding * y_masks).sum(dim=[-1, -2]) / sum_y
        similarity = F.cosine_similarity(flatten_x.unsqueeze(1), flatten_y.unsqueeze(0), dim=2) / self.temperature
        label_pos = torch.eye(x_masks.size(0)).bool()
        return -torch.log(similarity.masked_select(label_pos).exp().sum() / similarity.exp().sum())

    def forward(self, embeds: Tensor, targets: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The sum over the pictures of a batch."""
        loss = torch.tensor(0.0)
        for i, (anchor, mask_x, mask_y) in enumerate(zip(*targets, strict=True)):
            loss = loss + self.of_picture(embeds[i], anchor, mask_x, mask_y)
        return loss


def batch_hard(embeddings: Tensor, labels: Tensor, margin: float = 0.5) -> Tensor:
    """The farthest of one's own and the nearest of the others, with a margin."""
    dists = torch.cdist(embeddings, embeddings)
    same = labels[:, None] == labels
    hardest_positive_dists = (dists * same).max(1).values
    hardest_negative_dists = dists.masked_fill(same, torch.inf).min(1).values
    return F.relu(hardest_positive_dists - hardest_negative_dists + margin).mean()


def outliers(free: bool):
    """A variational autoencoder of standardised rows, whose decoder ends in a ReLU or in nothing."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mu, logvar = self.encoder_mu(h), self.encoder_logvar(h)
        return self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)), mu, logvar

    def vae_loss(out: tuple[Tensor, ...], x: Tensor) -> Tensor:
        x_recon, z_mu, z_logvar = out
        kl = torch.mean(-0.5 * torch.sum(1 + z_logvar - z_mu**2 - torch.exp(z_logvar), dim=1), dim=0)
        return F.mse_loss(x_recon, x) + 0.05 * torch.clamp(kl, min=0, max=50.0)

    encoder = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 32), nn.ReLU(),
                            nn.Linear(32, 12), nn.Identity() if free else nn.ReLU())  # fmt: skip
    x = torch.randn(M, 2) @ torch.randn(2, 12) + 0.2 * torch.randn(M, 12)
    model = Part(
        forward, encoder=encoder, decoder=decoder, encoder_mu=nn.Linear(16, 2), encoder_logvar=nn.Linear(16, 2)
    )
    x = (x - x.mean(0)) / x.std(0)
    return model, vae_loss, x, x


def signs(text: bool, guarded: bool):
    """Where text stands in a picture, with its four distances and its angle; a batch with some or without any."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.stem(x)
        return self.score(h), torch.cat((self.place(h) * 8, (self.angle(h) - 0.5) * torch.pi), 1)

    layers = {
        name: nn.Sequential(nn.Conv2d(8, n, 1), nn.Sigmoid()) for name, n in (("score", 1), ("place", 4), ("angle", 1))
    }
    x, score = masks()
    if not text:
        x, score = x.clamp(max=0.8), torch.zeros_like(score)
    geo = torch.cat((3 + x.clamp(-2, 2).expand(-1, 4, -1, -1), 0.2 * x), 1)
    model = Part(forward, stem=nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()), **layers)
    return model, TextBoxes(guarded), x, (score, geo, (torch.rand_like(score) < 0.1).float())


def weather(masked: bool):
    """The next state of six places, some of which nobody has measured."""
    x = torch.randn(M, 1, 6, 3)
    y = (x + 0.5 * x.roll(1, 2)).masked_fill(torch.rand(M, 1, 6, 3) < 0.15, torch.nan)
    model = Part(lambda self, x: self.net(x.flatten(1)).view(-1, 1, 6, 3), net=net(18, 18))
    return model, FieldLoss(masked), x, y


def patients(row_by_row: bool):
    """The risk of patients, some of whom were lost, by a linear score."""
    x = torch.randn(M, 10)
    time = torch.exp(-x[:, :3].sum(1) + 0.3 * torch.randn(M))
    return nn.Linear(10, 1), CoxLoss(row_by_row), x, torch.stack([(torch.rand(M) < 0.7).float(), time], 1)


def lasting(whole: bool):
    """The bin of time in which something happens, by chances at each bin; some rows have only lasted so far."""
    x, total = rows()
    bins = (2 - total).clamp(0, 3).long()[:, None]
    return net(8, 4), NLLSurvLoss("one less alpha" if whole else "alpha"), x, (bins, (torch.rand(M, 1) < 0.6).long())


def moles(background: bool):
    """A picture of one mole, as the network and as a fixed one see it, with the mole's mask from both."""
    x, y = masks()
    anchor = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 1))
    with torch.no_grad():
        anchors = anchor(x)
    mask = (8 * y - 4)[:, None]
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 1))
    return model, ContraLoss(background), x, (anchors, mask, mask + torch.randn_like(mask))
