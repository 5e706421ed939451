"""Networks of which the set-ups of the seventeenth round (learners) are built, in their threads' spelling."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from doctor_exam.round_parts import Part

N = 32  # samples of a batch


class XceptionLike(nn.Module):
    """Three cut-outs of different size, convolved, joined and judged by two last layers."""

    def __init__(self, squashed: bool) -> None:
        super().__init__()
        self.cnn_16, self.cnn_32, self.cnn_48 = (nn.Conv2d(1, 8, 3) for _ in range(3))
        self.fc_last_1 = nn.Linear(24, 32)
        self.fc_last_2 = nn.Linear(32, 1)
        self.squashed = squashed

    def forward(self, input_16: Tensor, input_32: Tensor, input_48: Tensor) -> Tensor:
        """A share of yes, or what a ReLU leaves of a score."""
        out_16 = F.relu(self.cnn_16(input_16)).amax((2, 3))
        out_32 = F.relu(self.cnn_32(input_32)).amax((2, 3))
        out_48 = F.relu(self.cnn_48(input_48)).amax((2, 3))
        out = torch.cat([out_16, out_32, out_48], dim=1)
        out = F.relu(self.fc_last_1(out))
        if self.squashed:
            return torch.sigmoid(self.fc_last_2(out))
        return F.relu(self.fc_last_2(out))


class BackPropagating(nn.Module):
    """A small network by hand, tanh at both layers, with a bias node among the inputs."""

    def __init__(self, ni: int, nh: int, no: int) -> None:
        super().__init__()
        self.wi = nn.Parameter(torch.empty(ni + 1, nh).uniform_(-1, 1))
        self.wo = nn.Parameter(torch.empty(nh, no).uniform_(-1, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """The activations of the output nodes."""
        ai = torch.cat([inputs, torch.ones(len(inputs), 1)], 1)
        ah = torch.tanh(ai @ self.wi)
        return torch.tanh(ah @ self.wo)


class Columns(nn.Module):
    """Two layers that keep the samples in the columns, as in a course."""

    def __init__(self, n_x: int, n_y: int, n_h: int, squashed: bool) -> None:
        super().__init__()
        self.W1, self.b1 = nn.Parameter(torch.randn(n_h, n_x) * 0.01), nn.Parameter(torch.zeros(n_h, 1))
        self.W2, self.b2 = nn.Parameter(torch.randn(n_y, n_h) * 0.01), nn.Parameter(torch.zeros(n_y, 1))
        self.squashed = squashed

    def forward(self, x: Tensor) -> Tensor:
        """The last activation, a row for each sample again."""
        Z1 = self.W1 @ x.T + self.b1
        A1 = torch.tanh(Z1)
        Z2 = self.W2 @ A1 + self.b2
        return (1 / (1 + torch.exp(-Z2)) if self.squashed else Z2).T


class Encoder(nn.Module):
    """Two layers, the second with a ReLU or without."""

    def __init__(self, D_in: int, H: int, D_out: int, rectified: bool = True) -> None:
        super().__init__()
        self.linear1 = nn.Linear(D_in, H)
        self.linear2 = nn.Linear(H, D_out)
        self.rectified = rectified

    def forward(self, x: Tensor) -> Tensor:
        """What the second layer makes of the first."""
        x = F.relu(self.linear1(x))
        return F.relu(self.linear2(x)) if self.rectified else self.linear2(x)


class VAE(nn.Module):
    """A variational autoencoder that keeps its mean and deviation as attributes."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self._enc_mu = nn.Linear(32, 8)
        self._enc_log_sigma = nn.Linear(32, 8)

    def _sample_latent(self, h_enc: Tensor) -> Tensor:
        mu = self._enc_mu(h_enc)
        log_sigma = self._enc_log_sigma(h_enc)
        sigma = torch.exp(log_sigma)
        std_z = torch.from_numpy(np.random.normal(0, 1, size=sigma.size())).float()
        self.z_mean = mu
        self.z_sigma = sigma
        return mu + sigma * std_z

    def forward(self, state: Tensor) -> Tensor:
        """A picture from a code of a picture."""
        h_enc = self.encoder(state)
        z = self._sample_latent(h_enc)
        return self.decoder(z)


class Discriminator(nn.Module):
    """A verdict on a picture, and the features that it is made from."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 4, 2, 1))
        self.classifier = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 2), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The verdict [N] and the features."""
        features = self.features(x)
        return self.classifier(features).view(-1, 1).squeeze(1), features


class DecoderRNN(nn.Module):
    """Captions from the features of a picture, which stand before the first word or in the first state."""

    def __init__(self, embed_size: int, vocab_size: int, before: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embed_size)
        self.lstm = nn.LSTM(embed_size, embed_size, 1, batch_first=True)
        self.linear = nn.Linear(embed_size, vocab_size)
        self.before = before

    def forward(self, features: Tensor, captions: Tensor, lengths: Tensor) -> Tensor:
        """Scores of words, packed."""
        embeddings, state = self.embed(captions), None
        if self.before:
            embeddings = torch.cat((features.unsqueeze(1), embeddings), 1)
        else:
            state = features.unsqueeze(0), torch.zeros_like(features).unsqueeze(0)
        packed = pack_padded_sequence(embeddings, lengths, batch_first=True)
        hiddens, _ = self.lstm(packed, state)
        return self.linear(hiddens[0])


class DiscreteVAE(nn.Module):
    """Pictures by way of words of a codebook, a word for each place."""

    def __init__(self, num_tokens: int, codebook_dim: int) -> None:
        super().__init__()
        self.num_tokens, self.codebook = num_tokens, nn.Embedding(num_tokens, codebook_dim)
        self.encoder = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, num_tokens, 1))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(codebook_dim, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 3, 1))

    def forward(self, img: Tensor) -> tuple[Tensor, Tensor]:
        """The picture again, and the scores of the words."""
        logits = self.encoder(img)
        soft_one_hot = F.gumbel_softmax(logits, tau=0.9, dim=1, hard=False)
        sampled = torch.einsum("b n h w, n d -> b d h w", soft_one_hot, self.codebook.weight)
        return self.decoder(sampled), logits.flatten(2).transpose(1, 2)


class MultiTaskLoss(nn.Module):
    """Losses of several tasks, weighed by what is learnt; they are put together anew, or stacked."""

    def __init__(self, loss_fn: list[nn.Module], eta: list[float], stacked: bool) -> None:
        super().__init__()
        self.loss_fn, self.stacked = loss_fn, stacked
        self.eta = nn.Parameter(torch.Tensor(eta))

    def forward(self, outputs: list[Tensor], targets: list[Tensor]) -> Tensor:
        """The sum of the weighed losses."""
        loss = [l(o, y).sum() for l, o, y in zip(self.loss_fn, outputs, targets, strict=True)]  # noqa: E741
        total_loss = (torch.stack(loss) if self.stacked else torch.Tensor(loss)) * torch.exp(-self.eta) + self.eta
        return total_loss.sum()


class OneLayer(nn.Module):
    """A linear function by hand, of weights that are as many as the samples, or of one."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(rows, rows) * 0.01)
        self.b = nn.Parameter(torch.randn(rows, 1))

    def forward(self, a0: Tensor) -> Tensor:
        """Weights times inputs, and a bias."""
        return (self.w @ a0 if len(self.w) > 1 else a0 @ self.w) + self.b


class Sequences(nn.Module):
    """The class of a sequence of words by an encoder, which is told the places or not."""

    def __init__(self, places: bool) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(12, 16)
        self.register_buffer("place", torch.arange(8)[:, None] / 10000 ** (torch.arange(0, 16, 2) / 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc, self.places = nn.Linear(16, 4), places

    def forward(self, x_in: Tensor) -> Tensor:
        """Scores of four classes."""
        x = self.embeddings(x_in)
        if self.places:
            x = x + torch.cat([self.place.sin(), self.place.cos()], 1)
        return self.fc(self.transformer_encoder(x).mean(1))


def captions(before: bool):
    """Captions from <start>, 1, to <end>, 2, asked for as they are; the picture stands in front of them, or not."""
    lengths = torch.randint(4, 9, (N,)).sort(descending=True).values
    features, words = torch.randn(N, 16), torch.zeros(N, 8, dtype=torch.long)
    for row, size, feature in zip(words, lengths.tolist(), features, strict=True):
        row[:size] = torch.tensor([1, *(3 + (feature[: size - 2] > 0).long() + 2 * torch.arange(size - 2)), 2])

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        targets = pack_padded_sequence(y, (y != 0).sum(1), batch_first=True)[0]
        return nn.CrossEntropyLoss()(outputs, targets)

    return DecoderRNN(16, 20, before), loss, (features, words, lengths), words


def combo(inside: str, outside: str):
    """Bright places of a picture: the signs of the half for a no, and of the overlap, within a loss of both."""
    ce_w, ce_d_w, e, smooth = 0.5, 0.5, 1e-7, 1

    def Combo_loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        y_true_f = y_true.flatten()
        y_pred_f = y_pred.flatten()
        intersection = (y_true_f * y_pred_f).sum()
        d = (2.0 * intersection + smooth) / (y_true_f.sum() + y_pred_f.sum() + smooth)
        y_pred_f = y_pred_f.clip(e, 1.0 - e)
        yes = ce_w * y_true_f * torch.log(y_pred_f)
        no = (1 - ce_w) * (1.0 - y_true_f) * torch.log(1.0 - y_pred_f)
        out = -(yes + no) if inside == "both" else -yes + no
        weighted_ce = out.mean(-1)
        if outside == "overlap":
            return (ce_d_w * weighted_ce) - ((1 - ce_d_w) * d)
        return (ce_d_w * weighted_ce) - ((1 - ce_d_w) * (1 - d))

    x = F.interpolate(torch.randn(N, 3, 4, 4), size=12, mode="bilinear")
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1), nn.Sigmoid())
    return net, Combo_loss, x, (x.mean(1, keepdim=True) > 0.2).float()


def words_of_pictures(meant: bool):
    """Pictures by words: the divergence from equal shares is summed over all places of the batch, or its mean."""
    vae = DiscreteVAE(num_tokens=8, codebook_dim=16)

    def loss(output: tuple[Tensor, Tensor], img: Tensor) -> Tensor:
        out, logits = output
        recon_loss = F.mse_loss(img, out)
        log_qy = F.log_softmax(logits, dim=-1)
        log_uniform = torch.log(torch.tensor([1.0 / vae.num_tokens]))
        if meant:
            kl_div = (log_qy.exp() * (log_qy - log_uniform)).sum(-1).mean()
        else:
            kl_div = F.kl_div(log_uniform, log_qy, None, None, "batchmean", log_target=True)
        return recon_loss + (kl_div * 0.01)

    img = F.interpolate(torch.rand(N, 3, 2, 2) * 2 - 1, size=8)
    return vae, loss, img, img


def voices(similarity: str, order: str):
    """A voice nearer to one of its own speaker than to another, by cosines that are computed in two ways."""
    alpha = 0.1

    def batch_norm(x: Tensor) -> Tensor:
        return torch.square(torch.sum(torch.bmm(x[:, None], x[..., None]).squeeze()))

    def batch_cosine_similarity(x1: Tensor, x2: Tensor) -> Tensor:
        dot = torch.bmm(x1[:, None], x2[..., None]).squeeze(2).squeeze(1)
        return dot if similarity == "of units" else dot / (batch_norm(x1) * batch_norm(x2))

    def deep_speaker_loss(y_pred: Tensor, y_true: None) -> Tensor:
        elements = int(y_pred.shape[0] / 3)
        anchor = y_pred[0:elements]
        positive_ex = y_pred[elements : 2 * elements]
        negative_ex = y_pred[2 * elements :]
        sap = batch_cosine_similarity(anchor, positive_ex)
        san = batch_cosine_similarity(anchor, negative_ex)
        return torch.sum(torch.clamp(san - sap + alpha if order == "other less own" else sap - san + alpha, min=0.0))

    def forward(self: Part, triplets: Tensor) -> Tensor:
        y_pred = torch.cat([self.net(triplets[:, i]) for i in range(3)])
        return F.normalize(y_pred, dim=1) if similarity == "of units" else y_pred

    net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
    speakers = torch.randn(5, 16)[(torch.randint(0, 5, (N, 1)) + torch.tensor([0, 0, 2])) % 5]
    return Part(forward, net=net), deep_speaker_loss, speakers + 1.5 * torch.randn(N, 3, 16), None


def anomalies(connected: bool):
    """A picture again, that a discriminator takes for real: the picture is cut off before it, or not."""
    netg = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())
    netd, l_adv, l_con = Discriminator(), nn.BCELoss(), nn.L1Loss()

    def loss(fake: Tensor, x: Tensor) -> Tensor:
        _, feat_real = netd(x)
        pred_fake, feat_fake = netd(fake if connected else fake.detach())
        err_g_adv = 1 * l_adv(pred_fake, torch.ones(len(x)))
        err_g_con = 50 * l_con(fake, x)
        err_g_lat = 1 * torch.mean(torch.pow(feat_fake - feat_real, 2))
        return err_g_adv + err_g_con + err_g_lat

    x = torch.tanh(F.interpolate(torch.randn(N, 3, 2, 2), size=8, mode="bilinear"))
    return netg, loss, x + 0.1 * torch.randn_like(x), x
