"""Samples, capsules, own losses and longer set-ups of the sixteenth round about classes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part
from doctor_exam.round_sixteen_classes_networks import SCNN

N = 32  # samples of a batch


class JetNet(nn.Module):
    """A network for detector pictures [N, H, W, 5]: convolutions, a pooling to ten by ten, halving dense layers."""

    def __init__(self, conv_layers: int = 2, dense_layers: int = 2, dropout: float = 0.5, classes: int = 3) -> None:
        super().__init__()
        self.conv_layers, self.dense_layers, self.dropout = nn.Sequential(), nn.Sequential(), dropout
        for i in range(conv_layers):
            channel_in, channel_out = 5 * ((i + 1) % 5), 5 * ((i + 2) % 5)
            self.conv_layers.add_module(f"convlayer{i}", nn.Conv2d(channel_in, channel_out, (3, 3), padding=1))
            self.conv_layers.add_module(f"relu{i}", nn.ReLU(inplace=True))
        self.conv_layers.add_module("last", nn.Conv2d(channel_out, 1, (3, 3), stride=2, padding=1))
        for i in range(dense_layers):
            self.dense_layers.add_module(f"denselayer{i}", nn.Linear(100 // 2**i, 100 // 2 ** (i + 1)))
            self.dense_layers.add_module(f"relu{i}", nn.ReLU(inplace=True))
        self.adapt_pool = nn.AdaptiveMaxPool2d((10, 10))
        self.output = nn.Linear(100 // 2**dense_layers, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return raw scores."""
        x = x.permute(0, 3, 1, 2).float()
        x = F.dropout(self.conv_layers(x), p=self.dropout, training=self.training)
        x = self.adapt_pool(x)
        x = x.view(x.shape[0], -1)
        return self.output(F.dropout(self.dense_layers(x), p=self.dropout, training=self.training))


class FFNet(nn.Module):
    """A feed-forward network whose layers are named by their numbers."""

    def __init__(self, arch: list[int], softmax: bool) -> None:
        super().__init__()
        self.arch, self.softmax = arch, softmax
        for i, in_f in enumerate(arch[:-1]):
            setattr(self, f"layer{i}", nn.Linear(in_f, arch[i + 1]))
            getattr(self, f"layer{i}").weight.data.uniform_(-1, 1)
            getattr(self, f"layer{i}").bias.data.uniform_(-1, 1)

    def forward(self, x_cont: Tensor) -> Tensor:
        """Return scores, or their softmax."""
        for i in range(len(self.arch) - 1):
            x_cont = getattr(self, f"layer{i}")(x_cont)
            if i < len(self.arch) - 2:
                x_cont = F.relu(x_cont)
        return F.softmax(x_cont, dim=-1) if self.softmax else x_cont


def sigmoid_focal_loss(outputs: Tensor, targets: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Return the focal loss of yes and no, from raw scores."""
    targets = targets.type(outputs.type())
    logpt = -F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
    loss = -((1 - torch.exp(logpt)) ** gamma) * logpt
    return (loss * (alpha * targets + (1 - alpha) * (1 - targets))).mean()


class CapsuleLayer(nn.Module):
    """Capsules from a convolution, or from other capsules by routing."""

    def __init__(self, in_units: int, out_units: int, in_channels: int, unit_size: int, repaired: bool) -> None:
        super().__init__()
        self.out_units, self.in_channels, self.repaired = out_units, in_channels, repaired
        if in_units:
            self.W = nn.Parameter(torch.randn(1, in_channels, out_units, unit_size, in_units))
        else:
            self.units = nn.ModuleList([nn.Conv1d(in_channels, 8, 9, stride=2) for _ in range(out_units)])

    @staticmethod
    def squash(s: Tensor, dim: int = 2) -> Tensor:
        """Shorten vectors to less than one."""
        mag_sq = torch.sum(s**2, dim=dim, keepdim=True)
        return (mag_sq / (1.0 + mag_sq)) * (s / torch.sqrt(mag_sq))

    def forward(self, x: Tensor) -> Tensor:
        """Return the capsules' vectors."""
        batch_size = x.size(0)
        if not hasattr(self, "W"):
            u = torch.stack([unit(x) for unit in self.units], dim=1)
            return self.squash(u.view(batch_size, self.out_units, -1))
        x = torch.stack([x.transpose(1, 2)] * self.out_units, dim=2).unsqueeze(4)
        u_hat = torch.matmul(torch.cat([self.W] * batch_size, dim=0), x)
        b_ij = torch.zeros(batch_size if self.repaired else 1, self.in_channels, self.out_units, 1)
        for _ in range(3):
            c_ij = F.softmax(b_ij, dim=2 if self.repaired else 1)
            c_ij = (c_ij if self.repaired else torch.cat([c_ij] * batch_size, dim=0)).unsqueeze(4)
            s_j = (c_ij * u_hat).sum(dim=1, keepdim=True)
            v_j = self.squash(s_j, 3 if self.repaired else 2)
            v_j1 = torch.cat([v_j] * self.in_channels, dim=1)
            u_vj1 = torch.matmul(u_hat.transpose(3, 4), v_j1).squeeze(4)
            b_ij = u_vj1 if self.repaired else u_vj1.mean(dim=0, keepdim=True)
        return v_j.squeeze()


class RelationCapsules(nn.Module):
    """Words read by an LSTM, and a capsule for each relation."""

    def __init__(self, relations: int, repaired: bool) -> None:
        super().__init__()
        self.embed, self.lstm = nn.Embedding(40, 16), nn.LSTM(16, 32, batch_first=True)
        self.primary = CapsuleLayer(0, 8, 1, 0, repaired)
        self.iteration = CapsuleLayer(8, relations, 96, 16, repaired)

    def forward(self, words: Tensor) -> Tensor:
        """Return the relations' vectors [N, relations, 16]."""
        hn = self.lstm(self.embed(words))[1][0]
        return self.iteration(self.primary(hn.transpose(0, 1)))


class DigitCaps(nn.Module):
    """Capsules of a picture, and a capsule for each digit; b is one for the whole batch, or one for each sample."""

    def __init__(self, digits: int, repaired: bool) -> None:
        super().__init__()
        self.digits, self.repaired = digits, repaired
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.capsules = nn.ModuleList([nn.Conv2d(16, 8, 3, stride=2) for _ in range(4)])
        self.W = nn.Parameter(torch.randn(36, digits, 8, 8))

    def squash(self, s: Tensor) -> Tensor:
        """Shorten vectors to less than one."""
        norm = torch.sqrt(torch.sum(s**2, dim=2))
        return (norm**2 / (norm * (1 + norm**2))).unsqueeze(2) * s

    def forward(self, x: Tensor) -> Tensor:
        """Return the digits' vectors [N, digits, 8]."""
        batch_size = x.size(0)
        x = F.relu(self.conv1(x))
        u = torch.cat([capsule(x).view(batch_size, 8, -1, 1) for capsule in self.capsules], dim=3)
        u = self.squash(torch.transpose(u.view(batch_size, 8, -1), 1, 2))
        if self.repaired:
            u_hat = torch.matmul(u[:, :, None, None], self.W).squeeze(3)
            b = torch.zeros(batch_size, 36, self.digits, 1)
        else:
            u_stack = torch.stack([u.unsqueeze(3) for i in range(self.digits)], dim=2)
            W_batch = torch.stack([self.W for i in range(batch_size)], dim=0)
            u_hat = torch.matmul(W_batch, u_stack).squeeze(4)
            b = torch.zeros(36, self.digits)
        for _ in range(3):
            c = F.softmax(b, dim=2) if self.repaired else F.softmax(b, dim=1).unsqueeze(2).unsqueeze(0)
            v = self.squash(torch.sum(u_hat * c, dim=1))
            if self.repaired:
                b = b + torch.sum(u_hat * v.unsqueeze(1), dim=3, keepdim=True)
            else:
                a = torch.matmul(u_hat.transpose(1, 2), v.unsqueeze(3))
                b = b + torch.sum(a.squeeze(3).transpose(1, 2), dim=0)
        return v


def kinds(count: int, *shape: int, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    """Samples that look like the pattern of their class, and the class numbers."""
    y = torch.arange(N)[torch.randperm(N)] % count
    return torch.randn(count, *shape)[y] + noise * torch.randn(N, *shape), y


def texts(count: int, length: int = 10) -> tuple[Tensor, Tensor]:
    """Texts in which words of their class are frequent, and the class numbers."""
    y, other = torch.arange(N)[torch.randperm(N)] % count, torch.randint(1, 40, (N, length))
    return torch.where(torch.rand(N, length) < 0.5, 1 + 8 * y[:, None] + torch.randint(0, 8, (N, length)), other), y


def cross_entropy(output: Tensor, target: Tensor, squeeze: bool, log_softmax: bool) -> Tensor:
    """The likelihood of classes [N, 1]."""
    if squeeze:
        target = target.squeeze(1)
    return F.nll_loss(F.log_softmax(output, dim=1) if log_softmax else output, target)


def candidates(raw: bool):
    """Questions with four candidates, named by three nodes of a graph each; a candidate's best node counts."""

    def forward(self: Part, nodes: Tensor) -> Tensor:
        answers = []
        for logits in self.fc_2(F.relu(self.fc_1(nodes))):
            masked = torch.zeros(len(candidate_indices))
            for i, idxs in enumerate(candidate_indices.values()):
                masked[i] = torch.max(logits[idxs])
            answers.append(masked if raw else torch.exp(self.log_softmax(masked)))
        return torch.stack(answers)

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(out.view(-1, len(candidate_indices)), torch.argmax(target, 1))

    candidate_indices = {name: [i, i + 4, i + 8] for i, name in enumerate("abcd")}
    y, nodes = torch.arange(N) % 4, torch.randn(N, 12, 8)
    nodes[torch.arange(N), y + 4 * torch.randint(0, 3, (N,))] += torch.linspace(-2, 2, 8)
    model = Part(forward, fc_1=nn.Linear(8, 32), fc_2=nn.Linear(32, 1), log_softmax=nn.LogSoftmax(dim=0))
    return model, loss, nodes, F.one_hot(y, 4)


def voxels(moved: bool):
    """Pixels of three classes, by how bright they are, and a focal loss for each class."""

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        num_classes, total = logits.size(1), 0
        targets = targets.view(-1)
        logits = logits.transpose(0, 1).reshape(num_classes, -1) if moved else logits.view(-1, num_classes)
        for cls in range(num_classes):
            cls_label_target = (targets == (cls + 0)).long()
            total += sigmoid_focal_loss(logits[cls] if moved else logits[..., cls], cls_label_target)
        return total

    x = F.avg_pool2d(torch.randn(N, 1, 10, 10), 3, stride=1) * 3
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return model, loss, x, (x[:, 0] > -0.5).long() + (x[:, 0] > 0.5).long()


def relations(repaired: bool):
    """Sentences of four relations, a capsule for each, and a loss of margins."""

    def loss(out: Tensor, target: Tensor) -> Tensor:
        T_c, v_mag = F.one_hot(target, 4).float(), torch.sqrt((out**2).sum(dim=2, keepdim=True))
        max_l = torch.relu(0.9 - v_mag).view(N, -1) ** 2
        max_r = torch.relu(v_mag - 0.1).view(N, -1) ** 2
        return (T_c * max_l + 0.5 * (1.0 - T_c) * max_r).sum(dim=1).mean()

    return RelationCapsules(4, repaired), loss, *texts(4)


def digits(repaired: bool):
    """Pictures of five digits, a capsule for each, and a loss of margins."""

    def loss(v: Tensor, target: Tensor) -> Tensor:
        norm = torch.sqrt(torch.sum(v**2, dim=2))
        T_c, zeros = target.type(torch.FloatTensor), torch.zeros(norm.size())
        marginal_loss = T_c * (torch.max(zeros, 0.9 - norm) ** 2) + (1 - T_c) * 0.5 * (
            torch.max(zeros, norm - 0.1) ** 2)  # fmt: skip
        return torch.sum(marginal_loss) / len(v)

    x, y = kinds(5, 1, 12, 12)
    return DigitCaps(5, repaired), loss, x, F.one_hot(y, 5)


def library(raw: bool):
    """A table of four classes, by a library that makes the last layer by itself; the labels become lists."""

    def loss(pred: Tensor, y: Tensor) -> Tensor:
        rows = []
        for value in range(len(y)):
            rows.append([1.0 if index == int(y[value].item()) else 0.0 for index in range(pred.size(dim=1))])
        return F.cross_entropy(pred, torch.tensor(rows))

    layers = [nn.Sequential(nn.Linear(6, 16), nn.ReLU()), nn.Sequential(nn.Linear(16, 4))]
    x, y = kinds(4, 6)
    return nn.Sequential(*layers, *([] if raw else [nn.Softmax(dim=1)])), loss, x, y.float()[:, None]


def spiking(thresh: float):
    """Pictures of ten classes and spiking neurons: how often each class fires is to be 1 or 0."""
    x, y = kinds(10, 3, 8, 8)
    return (
        SCNN(thresh),
        lambda out, y: F.mse_loss(out, torch.zeros(N, 10).scatter_(1, y.view(-1, 1), 1)),
        x.sigmoid(),
        y,
    )


def learner(whole: bool):
    """A small network learns from a teacher, who errs at times, and from the labels."""

    def loss(inputs: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        target, true_labels = y
        soft = nn.KLDivLoss(reduction="batchmean" if whole else "sum")
        KD_loss = 0.95 * soft(F.log_softmax(inputs, dim=1), F.softmax(target, dim=1))
        if whole:
            KD_loss += (1 - 0.95) * F.cross_entropy(inputs, true_labels)
        else:
            +(1 - 0.95) * F.cross_entropy(inputs, true_labels)
        return KD_loss

    x, y = kinds(4, 16)
    said = torch.where(torch.rand(N) < 0.8, y, torch.randint(0, 4, (N,)))
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    return model, loss, x, (3 * F.one_hot(said, 4) + 0.5 * torch.randn(N, 4), y)


def compositions(scale: float):
    """Pictures of things and how they are, nine pairs, by the cosine to what a pair is composed to."""

    def forward(self: Part, img: Tensor) -> Tensor:
        attrs, objs = self.attr_embedder(torch.arange(9) // 3), self.obj_embedder(torch.arange(9) % 3)
        pair_embed = F.normalize(self.projection(torch.cat([attrs, objs], 1)), dim=1).permute(1, 0)
        return torch.matmul(F.normalize(self.image_embedder(img), dim=1), pair_embed)

    embedder = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 64))
    model = Part(forward, image_embedder=embedder, projection=nn.Linear(128, 64),
                 attr_embedder=nn.Embedding(3, 64), obj_embedder=nn.Embedding(3, 64))  # fmt: skip
    return model, lambda pair_pred, pairs: F.cross_entropy(scale * pair_pred, pairs), *kinds(9, 16)
