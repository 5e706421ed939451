"""Losses, networks and data of which the set-ups of the seventeenth round are built."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part

N = 32  # samples of a batch


def kinds(count: int, *shape: int, samples: int = N, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    """Samples that look like the example of their class, and the classes."""
    y = torch.arange(samples) % count
    return torch.randn(count, *shape)[y] + noise * torch.randn(samples, *shape), y


def encoder(**options) -> nn.TransformerEncoder:
    """An encoder of width 16 with two heads."""
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, **options)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


def sentences(length: int = 10) -> tuple[Tensor, Tensor]:
    """Sentences of two kinds that prefer other words, and their kind."""
    y = torch.arange(N) % 2
    often = 1 + 10 * y[:, None] + torch.randint(0, 10, (N, length))
    return torch.where(torch.rand(N, length) < 0.6, often, torch.randint(1, 29, (N, length))), y


def shown(count: int, size: int, channels: int = 1) -> tuple[Tensor, Tensor]:
    """Pictures with a bright disc somewhere, and the discs as masks."""
    middle, axis = torch.randint(3, size - 3, (2, count, 1, 1)), torch.arange(size)
    mask = ((axis[None, :, None] - middle[0]) ** 2 + (axis[None, None] - middle[1]) ** 2 < 9).float()[:, None]
    return mask + 0.5 * torch.randn(count, channels, size, size), mask


class DistanceNetwork(nn.Module):
    """How much a picture is like each of the supporting ones."""

    def forward(self, support_set: Tensor, input_image: Tensor) -> Tensor:
        """Cosines but for the length of the input's own code [S, B]."""
        similarities = []
        for support_image in support_set:
            sum_support = torch.sum(torch.pow(support_image, 2), 1)
            support_magnitude = sum_support.clamp(1e-10, float("inf")).rsqrt()
            dot_product = input_image.unsqueeze(1).bmm(support_image.unsqueeze(2)).squeeze()
            similarities.append(dot_product * support_magnitude)
        return torch.stack(similarities)


class AT(nn.Module):
    """Attention transfer: the maps of a student shall look where those of its teacher look."""

    def forward(self, fm_s: Tensor, fm_t: Tensor) -> Tensor:
        """The squared difference of the two maps."""
        return F.mse_loss(self.attention_map(fm_s), self.attention_map(fm_t))

    def attention_map(self, fm: Tensor, eps: float = 1e-6) -> Tensor:
        """Where a layer looks, of length one."""
        am = torch.sum(torch.pow(torch.abs(fm), 2), dim=1, keepdim=True)
        return torch.div(am, torch.norm(am, dim=(2, 3), keepdim=True) + eps)


class MemoryStore:
    """Some codes of each class, and their centre."""

    def __init__(self, n_classes: int, topk: int) -> None:
        self.topk, self.embeds = topk, [[] for _ in range(n_classes)]

    def add_entries(self, embeds: Tensor, labels: Tensor) -> None:
        """Keep the first codes of each class."""
        for idx, embed in enumerate(embeds):
            if len(self.embeds[labels[idx]]) < self.topk:
                self.embeds[labels[idx]].append(embed)

    def memory_loss(self, queries: Tensor, labels: Tensor) -> Tensor:
        """The mean cosine of the queries and the centres of their classes."""
        loss = []
        for idx, query in enumerate(queries):
            center = torch.stack(self.embeds[labels[idx]]).mean(0)
            loss.append(F.cosine_similarity(query.view(1, -1), center.view(1, -1)))
        return sum(loss) / len(loss)


def dice_score(preds: Tensor, trues: Tensor, eps: float = 1e-3) -> Tensor:
    """The dice of each picture, the mean of them."""
    preds, trues = preds.contiguous().view(len(preds), -1), trues.contiguous().view(len(trues), -1)
    scores = (2.0 * (preds * trues).sum(1) + eps) / (preds.sum(1) + trues.sum(1) + eps)
    return torch.clamp(scores.sum() / len(preds), 0.0, 1.0)


def jaccard(preds: Tensor, trues: Tensor, eps: float = 1e-3) -> Tensor:
    """The Jaccard index of each picture, the mean of them."""
    preds, trues = preds.view(len(preds), -1), trues.view(len(trues), -1)
    intersection = (preds * trues).sum(1)
    scores = (intersection + eps) / ((preds + trues).sum(1) - intersection + eps)
    return torch.clamp(scores.sum() / len(preds), 0.0, 1.0)


class BCEDiceJaccardLoss(nn.Module):
    """A weighted sum of three losses of masks."""

    def __init__(self, weights: dict[str, float], squashed: bool) -> None:
        super().__init__()
        self.weights, self.squashed = weights, squashed
        self.mapping = {"bce": nn.BCEWithLogitsLoss(), "jacc": jaccard, "dice": dice_score}

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The sum; an overlap counts as one minus itself."""
        loss, sigmoid_input = 0, torch.sigmoid(input) if self.squashed else input
        for k, v in self.weights.items():
            if not v:
                continue
            val = self.mapping[k](input if k == "bce" else sigmoid_input, target)
            loss += self.weights[k] * val if k == "bce" else self.weights[k] * (1 - val)
        return loss


def pdist(vectors: Tensor) -> Tensor:
    """The squared distances of all pairs."""
    squares = vectors.pow(2).sum(dim=1)
    return -2 * vectors.mm(torch.t(vectors)) + squares.view(1, -1) + squares.view(-1, 1)


def hard_pairs(embeddings: Tensor, labels: Tensor, smallest: bool) -> tuple[Tensor, Tensor]:
    """All pairs of a class, and as many of two classes, those with the greatest or with the smallest distance."""
    distance_matrix, labels = pdist(embeddings), labels.numpy()
    all_pairs = torch.LongTensor(np.array(list(combinations(range(len(labels)), 2))))
    same = torch.from_numpy(labels[all_pairs[:, 0]] == labels[all_pairs[:, 1]])
    positive_pairs, negative_pairs = all_pairs[same], all_pairs[~same]
    distances = distance_matrix[negative_pairs[:, 0], negative_pairs[:, 1]].detach().numpy()
    count = len(positive_pairs)
    if smallest:
        top_negatives = np.argpartition(distances, count)[:count]
    else:
        top_negatives = np.argpartition(distances, -count)[-count:]
    return positive_pairs, negative_pairs[torch.LongTensor(top_negatives)]


class OnlineContrastiveLoss(nn.Module):
    """Pairs of one class near each other, hard pairs of two classes a margin apart."""

    def __init__(self, margin: float, pair_selector: Callable) -> None:
        super().__init__()
        self.margin, self.pair_selector = margin, pair_selector

    def forward(self, embeddings: Tensor, target: Tensor) -> Tensor:
        """The mean over both sorts of pairs."""
        positive_pairs, negative_pairs = self.pair_selector(embeddings, target)
        positive_loss = (embeddings[positive_pairs[:, 0]] - embeddings[positive_pairs[:, 1]]).pow(2).sum(1)
        apart = (embeddings[negative_pairs[:, 0]] - embeddings[negative_pairs[:, 1]]).pow(2).sum(1).sqrt()
        return torch.cat([positive_loss, F.relu(self.margin - apart).pow(2)], dim=0).mean()


class FaceModel(nn.Module):
    """Codes of faces, of length ten, and whose they are."""

    def __init__(self, embedding_size: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, embedding_size))
        self.classifier = nn.Linear(embedding_size, num_classes)

    def l2_norm(self, input: Tensor) -> Tensor:
        """Each code, of length one."""
        normp = torch.sum(torch.pow(input, 2), 1) + 1e-10
        return torch.div(input, torch.sqrt(normp).view(-1, 1).expand_as(input))

    def forward(self, *faces: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Code and scores of every face of a triplet."""
        features = [self.l2_norm(self.fc(x)) * 10 for x in faces]
        return [(x, self.classifier(x)) for x in features]


def l2_dist(x1: Tensor, x2: Tensor) -> Tensor:
    """The distance of two codes."""
    return torch.sqrt(torch.sum(torch.pow(torch.abs(x1 - x2), 2), dim=1) + 1e-4 / x1.size(1))


def max_per_row(mat: Tensor, allowed: Tensor, lowest: float | None) -> tuple[Tensor, Tensor]:
    """The place of the largest allowed number of each row, and whether the row has any."""
    if lowest is None:
        mask = torch.zeros_like(mat)
        mask[allowed] = 1
        return torch.max(mat * mask, dim=1).indices, torch.any(mask != 0, dim=1)
    masked = mat.clone()
    masked[~allowed] = lowest
    return torch.max(masked, dim=1).indices, allowed.any(dim=1)


class AB(nn.Module):
    """A student's maps and those of its teacher, brought to one width by a connector."""

    def __init__(self, of_student: bool) -> None:
        super().__init__()
        self.of_student = of_student
        self.first, self.second = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        sides = [(6, 10) if of_student else (10, 6) for _ in range(2)]
        self.maps = nn.ModuleList(nn.Sequential(nn.Conv2d(*s, 1, bias=False), nn.BatchNorm2d(s[1])) for s in sides)

    def forward(self, x: Tensor, *teacher: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Pairs of a map of the student's and one of the teacher's."""
        student = [self.first(x)]
        student.append(self.second(student[0].relu()))
        pairs = zip(self.maps, student, teacher, strict=True)
        return [(of(std), tch) if self.of_student else (std, of(tch)) for of, std, tch in pairs]


def criterion_alternative_l2(source: Tensor, target: Tensor, margin: float = 1.0) -> Tensor:
    """A unit shall be on where the teacher's is on, and off where it is off."""
    off = torch.logical_and(source > -margin, target <= 0.0).float()
    on = torch.logical_and(source <= margin, target > 0.0).float()
    loss = torch.square(source + margin) * off + torch.square(source - margin) * on
    return loss.abs().sum((1, 2, 3)).mean()


def sequence_mask(sequence_length: Tensor, max_len: int) -> Tensor:
    """Which of the steps are real [B, T]."""
    return torch.arange(max_len).unsqueeze(0) < sequence_length.unsqueeze(1)


def bce_masked(x: Tensor, target: Tensor, length: Tensor) -> Tensor:
    """When to stop: a cross-entropy over the real steps."""
    mask = sequence_mask(length, target.size(1)).float()
    x, target = x * mask, target * mask
    loss = F.binary_cross_entropy_with_logits(x, target, pos_weight=torch.tensor(10.0), reduction="sum")
    return loss / mask.sum()


def mse_masked(x: Tensor, target: Tensor, length: Tensor) -> Tensor:
    """A squared error over the real frames."""
    mask = sequence_mask(length, target.size(1)).unsqueeze(2).float().expand_as(x)
    return F.mse_loss(x * mask, target * mask, reduction="sum") / mask.sum()


class SKConv(nn.Module):
    """Several branches of which each channel chooses a mixture."""

    def __init__(self, features: int, branches: int = 2, d: int = 8) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(features, features, 3 + i * 2, padding=1 + i), nn.BatchNorm2d(features), nn.ReLU())
            for i in range(branches)
        )
        self.fc, self.fcs = nn.Linear(features, d), nn.ModuleList(nn.Linear(d, features) for _ in range(branches))
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """The mixture of the branches [B, C, H, W]."""
        feas = torch.cat([conv(x).unsqueeze(dim=1) for conv in self.convs], dim=1)
        fea_z = self.fc(torch.sum(feas, dim=1).mean(-1).mean(-1))
        attention_vectors = torch.cat([fc(fea_z).unsqueeze(dim=1) for fc in self.fcs], dim=1)
        attention_vectors = self.softmax(attention_vectors).unsqueeze(-1).unsqueeze(-1)
        return (feas * attention_vectors).sum(dim=1)


class ApproxRepSet(nn.Module):
    """Sets of vectors compared with hidden sets."""

    def __init__(self, n_hidden_sets: int, n_elements: int, d: int, n_classes: int) -> None:
        super().__init__()
        self.n_hidden_sets, self.n_elements = n_hidden_sets, n_elements
        self.wc = nn.Parameter(torch.empty(d, n_hidden_sets * n_elements).uniform_(-1, 1))
        self.fc1, self.fc2 = nn.Linear(n_hidden_sets, 32), nn.Linear(32, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """The logarithms of the classes' shares."""
        t = torch.relu(torch.matmul(x, self.wc))
        t, _ = torch.max(t.view(t.size()[0], t.size()[1], self.n_elements, self.n_hidden_sets), dim=2)
        return F.log_softmax(self.fc2(torch.relu(self.fc1(torch.sum(t, dim=1)))), dim=1)


def stable_bce(input: Tensor, target: Tensor) -> Tensor:
    """A cross-entropy of logits, number by number."""
    return torch.clamp(input, 0) - input * target + torch.log(1 + torch.exp(-torch.abs(input)))


def stages(width: int) -> Part:
    """A classifier of pictures that shows its three maps, too."""

    def forward(self: Part, img: Tensor) -> tuple[Tensor, ...]:
        first = self.one(img).relu()
        second = self.two(first).relu()
        third = self.three(second).relu()
        return first, second, third, self.out(third.mean((2, 3)))

    return Part(forward, one=nn.Conv2d(1, width, 3, padding=1), two=nn.Conv2d(width, width, 3, 2, 1),
                three=nn.Conv2d(width, width, 3, padding=1), out=nn.Linear(width, 4))  # fmt: skip
