"""Vision transformers, a network of spectra and spiking neurons of the sixteenth round about classes."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EncoderBlock(nn.Module):
    """Attention and a small network, each beside a way around."""

    def __init__(self, latent_size: int, **options: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(latent_size)
        self.attention = nn.MultiheadAttention(latent_size, 2, dropout=0.1, **options)
        self.enc_MLP = nn.Sequential(
            nn.Linear(latent_size, latent_size * 4), nn.GELU(), nn.Dropout(0.1),
            nn.Linear(latent_size * 4, latent_size), nn.Dropout(0.1))  # fmt: skip

    def forward(self, emb_patches: Tensor) -> Tensor:
        """Return the patches after both."""
        first_norm = self.norm(emb_patches)
        first_added = self.attention(first_norm, first_norm, first_norm)[0] + emb_patches
        return self.enc_MLP(self.norm(first_added)) + first_added


class ExampleViT(nn.Module):
    """A picture cut into patches; the attention takes the first axis for the patches, or the second."""

    def __init__(self, batch_size: int, repaired: bool) -> None:
        super().__init__()
        self.LinearProjection, tokens = nn.Linear(48, 16), 1 if repaired else batch_size
        self.class_token = nn.Parameter(torch.randn(tokens, 1, 16))
        self.pos_embedding = nn.Parameter(torch.randn(tokens, 5 if repaired else 1, 16))
        self.encoders = nn.ModuleList([EncoderBlock(16, **({"batch_first": True} if repaired else {})) for _ in "ab"])
        self.MLPHead = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 10))

    def forward(self, input_data: Tensor) -> Tensor:
        """Return the scores of the class token."""
        batch_size = len(input_data)
        patches = input_data.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5)
        linear_projection = self.LinearProjection(patches.contiguous().view(batch_size, 4, -1))
        enc_output = torch.cat((self.class_token.expand(batch_size, -1, -1), linear_projection), dim=1)
        enc_output = enc_output + self.pos_embedding[:, : enc_output.shape[1], :]
        for enc_layer in self.encoders:
            enc_output = enc_layer(enc_output)
        return self.MLPHead(enc_output[:, 0])


class SelfAttention(nn.Module):
    """One head, with queries, keys and values from one matrix."""

    def __init__(self, embedding_dim: int, key_dim: int, dim: int) -> None:
        super().__init__()
        self.key_dim, self.dim = key_dim, dim
        self.W = nn.Parameter(0.2 * torch.randn(embedding_dim, 3 * key_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted values."""
        qkv = torch.matmul(x, self.W)
        q, k, v = qkv[:, :, : self.key_dim], qkv[:, :, self.key_dim : self.key_dim * 2], qkv[:, :, self.key_dim * 2 :]
        scaled_dot_products = torch.matmul(q, torch.transpose(k, -2, -1)) / math.sqrt(self.key_dim)
        attention_weights = F.softmax(scaled_dot_products, dim=self.dim)
        return torch.matmul(attention_weights, v)


class OwnViT(nn.Module):
    """Patches, a class token, places, two blocks of two heads, and a last layer."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.E, self.class_token = nn.Linear(16, 16, bias=False), nn.Parameter(torch.rand(1, 16))
        self.pos_embedding = nn.Parameter(0.2 * torch.randn(10, 16))
        self.heads = nn.ModuleList([nn.ModuleList([SelfAttention(16, 8, dim) for _ in "ab"]) for _ in "ab"])
        self.W = nn.ParameterList([nn.Parameter(0.2 * torch.randn(16, 16)) for _ in "ab"])
        self.norms = nn.ModuleList([nn.LayerNorm(16) for _ in range(4)])
        self.mlps = nn.ModuleList([nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)) for _ in "ab"])
        self.mlp_head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the class token."""
        batch_size = len(x)
        patches = x.unfold(1, 4, 4).unfold(2, 4, 4).reshape(batch_size, 9, 16)
        x = torch.cat((self.class_token.repeat(batch_size, 1, 1), self.E(patches)), 1) + self.pos_embedding
        for i in range(2):
            z = self.norms[2 * i](x)
            x = x + torch.matmul(torch.cat([head(z) for head in self.heads[i]], -1), self.W[i])
            x = x + self.mlps[i](self.norms[2 * i + 1](x))
        return self.mlp_head(x[:, 0])


class SpectralNet(nn.Module):
    """Spectra of a patch [N, 1, 5, 5, 14]: two convolutions, weighed against each other, channel by channel."""

    def __init__(self, classes: int, two: bool) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv3d(1, 6, (1, 1, 7), (1, 1, 2))
        self.conv3x3 = nn.Conv3d(1, 6, (3, 3, 7), (1, 1, 2), (1, 1, 0))
        self.batch_norm1x1 = nn.Sequential(nn.BatchNorm3d(6, eps=0.001), nn.ReLU(inplace=True))
        self.batch_norm3x3 = nn.Sequential(nn.BatchNorm3d(6, eps=0.001), nn.ReLU(inplace=True))
        self.pool, self.softmax = nn.AdaptiveAvgPool3d(1), nn.Softmax(dim=1)
        self.conv_se = nn.Sequential(nn.Conv3d(6, 7, 1), nn.ReLU(inplace=True))
        self.conv_ex = nn.Conv3d(7, 6, 1)
        if two:
            self.conv_ex2 = nn.Conv3d(7, 6, 1)
        self.conv2 = nn.Conv3d(6, 12, (1, 1, 4))
        self.batch_norm2 = nn.Sequential(nn.BatchNorm3d(12, eps=0.001), nn.ReLU(inplace=True))
        self.avg_pooling, self.full_connection = nn.AvgPool3d((5, 5, 1)), nn.Linear(12, classes)

    def forward(self, X: Tensor) -> Tensor:
        """Return the scores of the middle pixel."""
        x_1x1 = self.batch_norm1x1(self.conv1x1(X)).unsqueeze(dim=1)
        x_3x3 = self.batch_norm3x3(self.conv3x3(X)).unsqueeze(dim=1)
        x1 = torch.cat([x_3x3, x_1x1], dim=1)
        Z = self.conv_se(self.pool(torch.sum(x1, dim=1)))
        other = getattr(self, "conv_ex2", self.conv_ex)
        attention_vector = torch.cat([self.conv_ex(Z).unsqueeze(dim=1), other(Z).unsqueeze(dim=1)], dim=1)
        V = (x1 * self.softmax(attention_vector)).sum(dim=1)
        x4 = self.avg_pooling(self.batch_norm2(self.conv2(V)))
        return self.full_connection(x4.view(x4.size(0), -1))


class ActFun(torch.autograd.Function):
    """A spike above the threshold, with a slope in a window around it."""

    @staticmethod
    def forward(ctx, input: Tensor, thresh: float) -> Tensor:
        """Return one where a neuron fires."""
        ctx.save_for_backward(input)
        ctx.thresh = thresh
        return input.gt(thresh).float()

    @staticmethod
    def backward(ctx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Return the gradient inside the window."""
        (input,) = ctx.saved_tensors
        temp = abs(input - ctx.thresh) < 0.5
        return grad_output.clone() * temp.float(), None


class SCNN(nn.Module):
    """Spiking neurons: pictures become spikes by chance, and the last layer's spikes are counted."""

    def __init__(self, thresh: float) -> None:
        super().__init__()
        self.thresh, self.conv1, self.conv2 = thresh, nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(64, 32), nn.Linear(32, 10)

    def mem_update(self, ops: nn.Module, x: Tensor, mem: Tensor, spike: Tensor) -> tuple[Tensor, Tensor]:
        """Return the membranes' potentials and the spikes of the next step."""
        mem = mem * 0.2 * (1.0 - spike) + ops(x)
        return mem, ActFun.apply(mem, self.thresh)

    def forward(self, input: Tensor, time_window: int = 8) -> Tensor:
        """Return the shares of the steps at which each class fires."""
        n = len(input)
        c1_mem, c2_mem = c1_spike, c2_spike = torch.zeros(n, 16, 8, 8), torch.zeros(n, 16, 4, 4)
        h1_mem, h2_mem = h1_spike, h2_sumspike = torch.zeros(n, 32), torch.zeros(n, 10)
        h2_spike = h2_mem
        for _ in range(time_window):
            x = input > torch.rand(input.size())
            c1_mem, c1_spike = self.mem_update(self.conv1, x.float(), c1_mem, c1_spike)
            c2_mem, c2_spike = self.mem_update(self.conv2, F.avg_pool2d(c1_spike, 2), c2_mem, c2_spike)
            x = F.avg_pool2d(c2_spike, 2).view(n, -1)
            h1_mem, h1_spike = self.mem_update(self.fc1, x, h1_mem, h1_spike)
            h2_mem, h2_spike = self.mem_update(self.fc2, h1_spike, h2_mem, h2_spike)
            h2_sumspike = h2_sumspike + h2_spike
        return h2_sumspike / time_window
