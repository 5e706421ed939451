"""Networks of which the set-ups of the eighteenth round's learners are built."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N = 32  # samples of a batch


class ByHand(torch.autograd.Function):
    """A network and the slopes of its weights, both written by hand."""

    @staticmethod
    def forward(ctx, network: Callable, slopes: Callable, x: Tensor, *weights: Tensor) -> Tensor:
        """The last of what the network computes; the rest is kept."""
        kept = network(x, *weights)
        ctx.slopes, ctx.count = slopes, len(weights)
        ctx.save_for_backward(x, *weights, *kept)
        return kept[-1].clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple:
        """The slopes of the weights, as written."""
        x, *others = ctx.saved_tensors
        return None, None, None, *ctx.slopes(gradient, x, others[: ctx.count], others[ctx.count :])


class Handmade(nn.Module):
    """Weights, and a network that uses them with slopes written by hand."""

    def __init__(self, network: Callable, slopes: Callable, *weights: Tensor) -> None:
        super().__init__()
        self.network, self.slopes, self.weights = network, slopes, nn.ParameterList(map(nn.Parameter, weights))

    def forward(self, x: Tensor) -> Tensor:
        """What the network says of each sample."""
        return ByHand.apply(self.network, self.slopes, x, *self.weights)


def classes_of(x: Tensor, count: int) -> Tensor:
    """Class numbers that depend on the inputs."""
    return (x.flatten(1) @ torch.randn(x[0].numel(), count)).argmax(1)


def yes_or_no(x: Tensor) -> Tensor:
    """Labels of 0 and 1 that depend on the inputs [N, 1]."""
    scores = x.flatten(1) @ torch.randn(x[0].numel(), 1)
    return (scores > scores.median()).float()


def binary_crossentropy(p: Tensor, y: Tensor) -> Tensor:
    """The loss of yes or no as Keras computes it."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7)).mean()


def spoken(words: int, length: int) -> Tensor:
    """Sentences without 0 in which each word follows from the word before it."""
    sentences = [torch.randint(1, words, (N,))]
    for _ in range(length - 1):
        sentences.append(1 + (3 * sentences[-1] + 1) % (words - 1))
    return torch.stack(sentences, 1)


def filled_up(words: int, length: int) -> Tensor:
    """Sentences of different lengths, filled up with 0."""
    lengths = 3 + torch.arange(N) % (length - 2)
    return torch.randint(1, words, (N, length)).masked_fill(torch.arange(length) >= lengths[:, None], 0)


class SelfAttention(nn.Module):
    """Several heads, a residual and a norm, as in a small GPT."""

    def __init__(self, width: int, head_num: int) -> None:
        super().__init__()
        self.Q, self.K, self.V = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.layer_norm, self.head_num, self.softmax = nn.LayerNorm(width), head_num, nn.Softmax(3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The places of a sentence after they looked at each other."""
        batch, length, width = x.shape
        q, k, v = (
            side(x).reshape(batch, length, self.head_num, -1).transpose(1, 2) for side in (self.Q, self.K, self.V)
        )
        weight = q @ k.transpose(-1, -2) / math.sqrt(width)
        weight = weight.masked_fill(mask, -1e9)
        out = (self.softmax(weight) @ v).transpose(1, 2).reshape(batch, length, -1)
        return self.layer_norm(x + out)


class DecoderBlock(nn.Module):
    """An attention and two linear layers."""

    def __init__(self, width: int, head_num: int) -> None:
        super().__init__()
        self.attention_block = SelfAttention(width, head_num)
        self.linear1, self.linear2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The places after attention and two layers."""
        x = self.attention_block(x, mask)
        return self.layer_norm(x + self.linear2(F.gelu(self.linear1(x))))


class Gpt(nn.Module):
    """A small GPT; each of its layers reads the layer before it, or all read the words' vectors."""

    def __init__(self, words: int, length: int, chained: bool) -> None:
        super().__init__()
        self.pos_embedding, self.token_embedding = nn.Embedding(length, 16), nn.Embedding(words, 16)
        self.layers = nn.ModuleList([DecoderBlock(16, 2) for _ in range(3)])
        self.cls, self.chained = nn.Linear(16, words), chained

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the next word at each place."""
        batch, length = x.shape
        pad_mask = (x == 0)[:, None, :, None].expand(batch, 2, length, length)
        mask = (pad_mask.long() + torch.triu(torch.ones(batch, 2, length, length), 1)) >= 1
        emb = self.pos_embedding(torch.arange(length).reshape(1, -1).expand_as(x)) + self.token_embedding(x)
        for layer in self.layers:
            out = layer(emb, mask)
            if self.chained:
                emb = out
        return self.cls(out)


class Attention(nn.Module):
    """The attention of a vision transformer, whose softmax runs over an axis."""

    def __init__(self, hidden_size: int, heads: int, axis: int) -> None:
        super().__init__()
        self.heads, self.head_size = heads, hidden_size // heads
        self.query, self.key = nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.value, self.out = nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.softmax = nn.Softmax(dim=axis)

    def transpose_for_scores(self, x: Tensor) -> Tensor:
        """The heads before the places."""
        return x.view(*x.size()[:-1], self.heads, self.head_size).permute(0, 2, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        """The places after they looked at each other."""
        query, key, value = map(self.transpose_for_scores, (self.query(x), self.key(x), self.value(x)))
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.head_size)
        context = (self.softmax(scores) @ value).permute(0, 2, 1, 3).contiguous()
        return self.out(context.view(*context.size()[:-2], self.heads * self.head_size))


class Block(nn.Module):
    """Attention and two layers, each with a norm before it."""

    def __init__(self, hidden_size: int, axis: int) -> None:
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.LayerNorm(hidden_size), nn.LayerNorm(hidden_size)
        self.attn = Attention(hidden_size, 4, axis)
        self.ffn = nn.Sequential(nn.Linear(hidden_size, 32), nn.GELU(), nn.Linear(32, hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        """The places of one block."""
        x = self.attn(self.attention_norm(x)) + x
        return self.ffn(self.ffn_norm(x)) + x


class MultiHeadAttention(nn.Module):
    """Heads of an encoder-decoder; with its slip neither the scores are scaled nor the last layer is handed on."""

    def __init__(self, hid_dim: int, n_heads: int, projected: bool) -> None:
        super().__init__()
        self.n_heads, self.head_dim, self.projected = n_heads, hid_dim // n_heads, projected
        self.key_weight, self.query_weight = nn.Linear(hid_dim, hid_dim), nn.Linear(hid_dim, hid_dim)
        self.value_weight, self.linear_weight = nn.Linear(hid_dim, hid_dim), nn.Linear(hid_dim, hid_dim)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """What the places of the query get from the others."""
        batch, query_len, key_len = len(query), query.shape[1], key.shape[1]
        query_proj = self.query_weight(query).view(batch, query_len, self.n_heads, self.head_dim).permute(0, 2, 1, 3)
        key_proj = self.key_weight(key).view(batch, key_len, self.n_heads, self.head_dim).permute(0, 2, 3, 1)
        energy = torch.matmul(query_proj, key_proj)
        if self.projected:
            energy = energy / math.sqrt(self.head_dim)
        attention = torch.softmax(energy.masked_fill(mask == 0, -1e10), dim=-1)
        value_proj = self.value_weight(value).view(batch, key_len, self.n_heads, self.head_dim).permute(0, 2, 1, 3)
        output = torch.matmul(attention, value_proj).permute(0, 2, 1, 3).contiguous().view(batch, query_len, -1)
        linear_proj = self.linear_weight(output)
        return linear_proj if self.projected else output


class ScaledDotProductAttention(nn.Module):
    """Exponentials of scores, divided by their sum."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """The values that each place gets."""
        attn = torch.exp(torch.bmm(q, k.transpose(1, 2)) / math.sqrt(k.size(-1)))
        if mask is not None:
            attn = attn.masked_fill(mask, 0)
        return torch.bmm(attn / attn.sum(dim=-1, keepdim=True), v)


class AttentionHead(nn.Module):
    """One head, which hands the mask on or forgets it."""

    def __init__(self, d_model: int, d_feature: int, masked: bool) -> None:
        super().__init__()
        self.attn, self.masked = ScaledDotProductAttention(), masked
        self.query_tfm, self.key_tfm = nn.Linear(d_model, d_feature), nn.Linear(d_model, d_feature)
        self.value_tfm = nn.Linear(d_model, d_feature)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the queries get from the keys' places."""
        q, k, v = self.query_tfm(queries), self.key_tfm(keys), self.value_tfm(values)
        return self.attn(q, k, v, mask) if self.masked else self.attn(q, k, v)


class EncoderBlock(nn.Module):
    """Two heads, two layers, and norms of what they add."""

    def __init__(self, d_model: int, masked: bool) -> None:
        super().__init__()
        self.attn_heads = nn.ModuleList([AttentionHead(d_model, d_model // 2, masked) for _ in range(2)])
        self.projection, self.layer_norm1 = nn.Linear(d_model, d_model), nn.LayerNorm(d_model)
        self.position_wise = nn.Sequential(nn.Linear(d_model, 32), nn.ReLU(), nn.Linear(32, d_model))
        self.layer_norm2 = nn.LayerNorm(d_model)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The places of a sentence after one block."""
        att = self.projection(torch.cat([attn(x, x, x, mask=mask) for attn in self.attn_heads], dim=2))
        x = x + self.layer_norm1(att)
        return x + self.layer_norm2(self.position_wise(x))


class Bayesian(nn.Module):
    """Weights that are drawn anew for each batch from a mean and a spread; one hidden layer may be skipped."""

    def __init__(self, shapes: list[tuple[int, ...]], skipped: int) -> None:
        super().__init__()
        self.mus = nn.ParameterList([nn.Parameter(0.2 * torch.randn(shape)) for shape in shapes])
        self.rhos = nn.ParameterList([nn.Parameter(torch.full(shape, -4.0)) for shape in shapes])
        self.skipped = skipped

    def net(self, x: Tensor, layer_params: list[Tensor]) -> Tensor:
        """Hidden layers with a ReLU, and a last one without."""
        layer_input = x
        for i in range(len(layer_params) // 2 - self.skipped):
            h_linear = layer_input @ layer_params[2 * i] + layer_params[2 * i + 1]
            layer_input = h_linear.relu()
        return layer_input @ layer_params[-2] + layer_params[-1]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The scores, the drawn weights, and their means and spreads, all in one row each."""
        sigmas = [F.softplus(rho) for rho in self.rhos]
        params = [mu + sigma * torch.randn_like(mu) for mu, sigma in zip(self.mus, sigmas, strict=True)]
        return self.net(x, params), *(torch.cat([t.flatten() for t in part]) for part in (params, self.mus, sigmas))
