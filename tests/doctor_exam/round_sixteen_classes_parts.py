"""Networks and losses of which the set-ups of the sixteenth round about classes are built."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
