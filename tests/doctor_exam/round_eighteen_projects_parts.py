"""Networks and losses of projects, of which the set-ups of the eighteenth round are built."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

N = 32  # samples of a batch


class NodeMatcher(nn.Module):
    """Two graphs [N, V, V, 2] through one embedder of nodes, and how alike their nodes are."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp1, self.mlp2 = nn.Conv2d(2, 16, 1), nn.Conv2d(2, 16, 1)
        self.last_mlp = nn.Conv2d(18, 16, 1)

    def embed(self, x: Tensor) -> Tensor:
        """A vector for each node."""
        x = x.permute(0, 3, 1, 2)
        mult = torch.matmul(F.relu(self.mlp1(x)), F.relu(self.mlp2(x))) / x.shape[-1]
        return self.last_mlp(torch.cat((x, mult), dim=1)).max(3).values.transpose(1, 2)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Logarithms of shares: each node of the first graph among those of the second."""
        raw_scores = torch.matmul(self.embed(x1), torch.transpose(self.embed(x2), 1, 2))
        return F.log_softmax(raw_scores, dim=2)


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """A loss as it is, its mean or its sum."""
    return {"none": lambda: loss, "mean": loss.mean, "sum": loss.sum}[reduction]()


def weighted_loss(loss_func: Callable) -> Callable:
    """A loss of single numbers that takes weights, a reduction and what to divide by."""

    @functools.wraps(loss_func)
    def wrapper(pred, target, weight=None, reduction="mean", avg_factor=None, **kwargs):
        loss = loss_func(pred, target, **kwargs)
        if weight is not None:
            loss = loss * weight
        if avg_factor is None:
            return reduce_loss(loss, reduction)
        return loss.sum() / avg_factor if reduction == "mean" else loss

    return wrapper


@weighted_loss
def mse_loss_of_a_mean(pred: Tensor, target: Tensor) -> Tensor:
    """Squared errors, with what torch does by default."""
    return F.mse_loss(pred, target)


@weighted_loss
def mse_loss_of_each(pred: Tensor, target: Tensor) -> Tensor:
    """Squared errors of all numbers."""
    return F.mse_loss(pred, target, reduction="none")


class WeightedMSE(nn.Module):
    """The squared error as a class with weights."""

    def __init__(self, mse_loss: Callable, reduction: str = "mean", loss_weight: float = 1.0) -> None:
        super().__init__()
        self.mse_loss, self.reduction, self.loss_weight = mse_loss, reduction, loss_weight

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None, avg_factor=None) -> Tensor:
        """The loss times its weight."""
        return self.loss_weight * self.mse_loss(pred, target, weight, reduction=self.reduction, avg_factor=avg_factor)


class Potential(nn.Module):
    """The energy of a molecule [N, A, 3] and the forces on its atoms, its negative gradient."""

    def __init__(self, create_graph: bool) -> None:
        super().__init__()
        self.create_graph = create_graph
        self.pair = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, positions: Tensor) -> dict[str, Tensor]:
        """Energies [N, 1] and forces [N * A, 3]."""
        positions = positions.detach().clone().requires_grad_(True)
        energy = self.pair(pair_distances(positions)[..., None]).sum(1)
        grad = torch.autograd.grad(energy.sum(), positions, create_graph=self.create_graph, retain_graph=True)[0]
        return {"per_molecule_energy_predict": energy, "per_atom_force_predict": (-1 * grad).reshape(-1, 3)}


def pair_distances(positions: Tensor) -> Tensor:
    """The distances of all pairs of atoms of a molecule."""
    first, second = torch.triu_indices(positions.shape[1], positions.shape[1], 1)
    return (positions[:, first] - positions[:, second]).pow(2).sum(-1).add(1e-6).sqrt()


def squared_error(prediction: Tensor, reference: Tensor) -> Tensor:
    """The squared error, summed up over the components."""
    return (prediction - reference).pow(2).sum(dim=1, keepdim=True)


def energy_and_force_loss(predicted: dict[str, Tensor], reference: tuple[Tensor, Tensor]) -> Tensor:
    """The error of the energies, and that of the forces of each molecule by its number of atoms."""
    energy, force = reference
    atoms = len(force) // len(energy)
    index, counts = torch.arange(len(energy)).repeat_interleave(atoms), torch.full((len(energy),), atoms)
    of_energy = squared_error(predicted["per_molecule_energy_predict"], energy) / counts.unsqueeze(1)
    per_atom = squared_error(predicted["per_atom_force_predict"], force)
    per_molecule = torch.zeros_like(energy).scatter_add(0, index.unsqueeze(1), per_atom)
    return of_energy.mean() + (per_molecule / (3 * counts.unsqueeze(1))).mean()


class GatedGraphAttention(nn.Module):
    """A graph transformer in which a gate of the edges weakens the scores; the quality of the whole graph."""

    def __init__(self, gate_twice: bool, heads: int = 2, width: int = 8) -> None:
        super().__init__()
        self.gate_twice, self.heads, self.width = gate_twice, heads, width
        names = ("Q", "K", "V", "proj_e", "e_gate", "n_gate")
        for name in names:
            setattr(self, name, nn.Linear(16, heads * width, bias="gate" in name))
        self.O_h, self.readout = nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        """Nodes [N, V, 16] and edges [N, V, V, 16] to a score between 0 and 1."""
        shape = (self.heads, self.width)
        q, k, v = (layer(h).unflatten(-1, shape) for layer in (self.Q, self.K, self.V))
        proj_e, n_gate = self.proj_e(e).unflatten(-1, shape), torch.sigmoid(self.n_gate(h).unflatten(-1, shape))
        e_gate = self.e_gate(e).unflatten(-1, shape)
        if self.gate_twice:
            e_gate = torch.sigmoid(e_gate)
        score = k[:, None] * q[:, :, None] / self.width**0.5 * proj_e
        score = torch.mul(score, torch.sigmoid(e_gate))
        score = torch.exp(score.sum(-1, keepdim=True).clamp(-5, 5))
        out = (score * v[:, None]).sum(2) * n_gate / (score.sum(2) + 1e-6)
        h = h + F.relu(self.O_h(out.flatten(-2)))
        return torch.sigmoid(self.readout(h.mean(1))).squeeze(-1)


class SpamRNN(nn.Module):
    """Words of a message by a plain recurrent layer, and the last state through a matrix."""

    def __init__(self, squashed: bool) -> None:
        super().__init__()
        self.squashed, self.embedding = squashed, nn.Embedding(40, 16)
        self.cell, self.dropout = nn.RNN(16, 16, batch_first=True), nn.Dropout(0.2)
        self.weight = nn.Parameter(nn.init.trunc_normal_(torch.empty(16, 2), std=0.1))
        self.bias = nn.Parameter(torch.full((2,), 0.1))

    def forward(self, words: Tensor) -> Tensor:
        """Two scores, or two shares."""
        output = self.dropout(self.cell(self.embedding(words))[0]).transpose(0, 1)
        logits_out = torch.matmul(output[-1], self.weight) + self.bias
        return F.softmax(logits_out, dim=-1) if self.squashed else logits_out


class MaskedEncoder(nn.Module):
    """Words and places by a block of attention by hand; a key whose vector is all zero is to be hidden."""

    def __init__(self, before_places: bool, words: int = 30, places: int = 10, num_heads: int = 2) -> None:
        super().__init__()
        self.before_places, self.num_heads = before_places, num_heads
        self.enc_embed, self.enc_pe = nn.Embedding(words, 16, padding_idx=0), nn.Embedding(places, 16)
        self.q, self.k, self.v = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.norm, self.logits = nn.LayerNorm(16), nn.Linear(16, words)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of words at each place."""
        words = self.enc_embed(x) * 16**0.5
        enc = words + self.enc_pe(torch.arange(x.shape[1]).tile(x.shape[0], 1))
        keys = words if self.before_places else enc
        q, k, v = (
            torch.cat(torch.chunk(F.relu(layer(enc)), self.num_heads, 2), 0) for layer in (self.q, self.k, self.v)
        )
        outputs = torch.matmul(q, k.transpose(1, 2)) / k.shape[-1] ** 0.5
        key_masks = torch.sign(torch.abs(torch.sum(keys, dim=-1))).tile(self.num_heads, 1)
        key_masks = key_masks.unsqueeze(1).tile(1, x.shape[1], 1)
        outputs = torch.where(key_masks == 0, torch.ones_like(outputs) * (-(2**32) + 1), outputs)
        outputs = torch.matmul(F.softmax(outputs, dim=-1), v)
        outputs = torch.cat(torch.chunk(outputs, self.num_heads, 0), 2)
        return self.logits(self.norm(outputs + enc))


class TokenDiscriminator(nn.Module):
    """Is each token of a text real? Padding, the token 0, is hidden from the others."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
        self.embeddings, self.proj_to_output = nn.Embedding(40, 16), nn.Linear(16, 1)
        self.transformer = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        """A probability for each token."""
        transformer_out = self.transformer(self.embeddings(x), src_key_padding_mask=x == 0)
        return torch.sigmoid(self.proj_to_output(transformer_out))


class AdjustableParameter:
    """An unknown number of an equation that is to be found."""

    def __init__(self, initial_value: float = 1.0) -> None:
        self.value_ = nn.Parameter(torch.Tensor([initial_value]))[0]

    @property
    def value(self) -> Tensor:
        """The number."""
        return self.value_


class Residual(nn.Module):
    """A network of the time, and what is left of an equation in which a number is unknown."""

    def __init__(self, constants: dict, trainable_parameters: dict | None = None) -> None:
        super().__init__()
        layers = nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        self.function, self.constants = nn.Sequential(*layers), constants
        self.trainable_parameters = nn.ParameterDict(trainable_parameters or {})

    def forward(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """The solution and the residual."""
        t = t.detach().clone().requires_grad_(True)
        u, names = self.function(t), {**self.constants, **self.trainable_parameters}
        omega, mu = names["omega"], names["mu"]
        slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        k1 = 2 * (t - mu) * torch.cos(omega * t)
        return u, slope - k1 + omega * (t - mu) ** 2 * torch.sin(omega * t)


class LinearPart(nn.Module):
    """The linear part of a model of clicks: numbers of three categories, then four plain features."""

    def __init__(self, kind: torch.dtype, moved_last: bool, init_std: float = 0.0001) -> None:
        super().__init__()
        names = ("user", "item", "place")
        self.embedding_dict = nn.ModuleDict({name: nn.Embedding(6, 1, dtype=kind) for name in names})
        for tensor in self.embedding_dict.values():
            nn.init.normal_(tensor.weight, mean=0, std=init_std)
        weight = torch.Tensor(4, 1)
        self.weight = nn.Parameter(weight).to(kind) if moved_last else nn.Parameter(weight.to(kind))
        torch.nn.init.normal_(self.weight, mean=0, std=init_std)

    def forward(self, x: Tensor) -> Tensor:
        """One number for each sample."""
        embedded = [layer(x[:, place : place + 1].long()) for place, layer in enumerate(self.embedding_dict.values())]
        linear_sparse_logit = torch.sum(torch.cat(embedded, dim=-1), dim=-1, keepdim=False)
        return linear_sparse_logit + x[:, 3:].matmul(self.weight)


class Clicks(nn.Module):
    """The linear part, and a bias and a sigmoid."""

    def __init__(self, moved_last: bool) -> None:
        super().__init__()
        self.linear_model = LinearPart(torch.float64, moved_last)
        self.bias = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """The probability of a click."""
        return torch.sigmoid(self.linear_model(x) + self.bias)


class Monet(nn.Module):
    """A picture taken apart by masks, each part coded and decoded along with its mask."""

    def __init__(self, moved: bool, slots: int = 3, size: int = 8) -> None:
        super().__init__()
        self.moved, self.slots, self.size = moved, slots, size
        self.attention = nn.Sequential(nn.Conv2d(4, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 1))
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(4 * size**2, 64), nn.ReLU(), nn.Linear(64, 16))
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 4 * size**2))
        self.beta, self.gamma = 0.5, 0.25

    def split(self, x: Tensor, scope: Tensor) -> tuple[Tensor, Tensor]:
        """The next part's mask, and what is left."""
        alpha = torch.sigmoid(self.attention(torch.cat((x, scope), 1)))
        return scope * alpha, scope * (1 - alpha)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The loss of each sample, and the masks."""
        scope, masks = torch.ones_like(x[:, 0:1]), []
        for _ in range(self.slots - 1):
            mask, scope = self.split(x, scope)
            masks.append(mask)
        masks.append(scope)
        loss, mask_preds = torch.zeros_like(x[:, 0, 0, 0]), []
        for i, mask in enumerate(masks):
            q_params = self.encoder(torch.cat((x, mask), 1))
            z_dist = Normal(torch.sigmoid(q_params[:, :8]) * 6 - 3, torch.sigmoid(q_params[:, 8:]) * 3)
            decoded = self.decoder(z_dist.rsample()).view(len(x), 4, self.size, self.size)
            mask_preds.append(decoded[:, 3])
            p_x = Normal(torch.sigmoid(decoded[:, :3]), 0.09 if i == 0 else 0.11).log_prob(x) * mask
            loss = loss - torch.sum(p_x, [1, 2, 3]) + self.beta * kl_divergence(z_dist, Normal(0.0, 1.0)).sum(1)
        masks = torch.cat(masks, 1)
        tr_masks = masks.permute(0, 2, 3, 1) if self.moved else torch.transpose(masks, 1, 3)
        q_masks = Categorical(probs=tr_masks)
        q_masks_recon = Categorical(logits=torch.stack(mask_preds, 3))
        kl_masks = torch.sum(kl_divergence(q_masks, q_masks_recon), [1, 2])
        return {"loss": loss + self.gamma * kl_masks, "masks": masks}
