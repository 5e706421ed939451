"""Reconstructions, densities, forecasts and pairs of the sixteenth round, each with its slip or without."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part

N = 32  # samples of a batch


def two_layers(inputs: int, outputs: int, *ends: nn.Module) -> nn.Sequential:
    """A small network of one hidden layer."""
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, outputs), *ends)


def spots() -> Tensor:
    """Little pictures [N, 1, 8, 8] of one bright spot each, 0 to 1."""
    row, column = torch.rand(2, N, 1, 1) * 7
    along = torch.arange(8.0)
    return torch.exp(-((along[:, None] - row) ** 2 + (along - column) ** 2) / 4)[:, None]


def molecules(in_order: bool):
    """Molecules as rows of one-hot letters, by a variational autoencoder."""
    length, letters = 24, 12

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.conv_3(self.conv_2(self.conv_1(x).relu()).relu()).relu()
        h = F.selu(self.linear_0(h.view(h.size(0), -1)))
        z_mean, z_logvar = self.linear_1(h), self.linear_2(h)
        z = z_mean + torch.exp(z_logvar / 2) * torch.randn_like(z_logvar)
        z = F.selu(self.linear_3(z))
        output, _ = self.gru(z.view(z.size(0), 1, z.size(-1)).repeat(1, length, 1))
        y = F.softmax(self.linear_4(output.contiguous().view(-1, output.size(-1))), dim=1)
        return y.contiguous().view(output.size(0), -1, y.size(-1)), z_mean, z_logvar

    def vae_loss(outputs: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        x_decoded_mean, mean, logvar = outputs
        x, x_decoded_mean = x.view(x.size()[0], -1), x_decoded_mean.view(x_decoded_mean.size()[0], -1)
        criterion = nn.BCELoss()
        bce_loss = criterion(x_decoded_mean, x) if in_order else criterion(x, x_decoded_mean)
        k1_loss = -0.5 * torch.mean(1 + logvar - torch.pow(mean, 2) - torch.exp(logvar))
        return length * bce_loss + k1_loss

    starts, steps = torch.randint(0, letters, (N, 1)), torch.randint(0, 3, (N, 1))
    x = F.one_hot((starts + steps * torch.arange(length)) % letters, letters).float()
    model = Part(forward, conv_1=nn.Conv1d(length, 9, 3), conv_2=nn.Conv1d(9, 9, 3), conv_3=nn.Conv1d(9, 10, 3),
                 linear_0=nn.Linear(60, 32), linear_1=nn.Linear(32, 8), linear_2=nn.Linear(32, 8),
                 linear_3=nn.Linear(8, 8), linear_4=nn.Linear(24, letters), gru=nn.GRU(8, 24, batch_first=True),
                 )  # fmt: skip
    return model, vae_loss, x, x


class DigitsVAE(nn.Module):
    """A small variational autoencoder of pictures of 64 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.fc3, self.fc4 = nn.Linear(4, 32), nn.Linear(32, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The picture again, and mean and log-variance of its code."""
        h1 = F.relu(self.fc1(x.view(-1, 64)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        z = mu
        if self.training:
            std = logvar.mul(0.5).exp_()
            z = torch.randn_like(std).mul(std).add_(mu)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


def digits(balanced: bool):
    """Pictures by a variational autoencoder: the error is a mean over all pixels of the batch."""

    def loss_function(outputs: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        recon_x, mu, logvar = outputs
        BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64))
        KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        if balanced:
            KLD /= len(x) * 64
        return BCE + KLD

    x = spots()
    return DigitsVAE(), loss_function, x, x


def measured(scaled: bool):
    """Rows of sensors by a variational autoencoder and a cross-entropy of yes and no."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.hidden(x).relu()
        z_mean, z_log_var = self.mean(h), self.log_var(h)
        z = z_mean + (0.5 * z_log_var).exp() * torch.randn_like(z_mean)
        return self.decoder(z).sigmoid(), z_mean, z_log_var

    def vae_loss(outputs: tuple[Tensor, Tensor, Tensor], y_true: Tensor) -> Tensor:
        y_pred, z_mean, z_log_var = outputs
        p = y_pred.clamp(1e-7, 1 - 1e-7)
        reconstruction_loss = -(y_true * (p + 1e-7).log() + (1 - y_true) * (1 - p + 1e-7).log()).mean(-1)
        kl_loss = -0.5 * torch.sum(1 + z_log_var - torch.square(z_mean) - torch.exp(z_log_var), -1)
        kl_loss = kl_loss * 0.0001
        return torch.mean(reconstruction_loss + kl_loss)

    x = 10 + 4 * torch.randn(N, 3) @ torch.randn(3, 12)
    if scaled:
        low, high = x.min(0).values, x.max(0).values
        x = (x - low) / (high - low)
    layers = {"hidden": nn.Linear(12, 32), "mean": nn.Linear(32, 3), "log_var": nn.Linear(32, 3)}
    return Part(forward, decoder=two_layers(3, 12), **layers), vae_loss, x, x


def likely_pictures():
    """Pictures by a variational autoencoder whose loss is a density and may well be negative."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        x_encoded = self.encoder(x.flatten(1))
        mu, log_var = self.fc_mu(x_encoded), self.fc_var(x_encoded)
        std = torch.exp(log_var / 2)
        z = torch.distributions.Normal(mu, std).rsample()
        return self.decoder(z), z, mu, std, self.log_scale

    def negative_elbo(outputs: tuple[Tensor, ...], x: Tensor) -> Tensor:
        x_hat, z, mu, std, log_scale = outputs
        recon_loss = torch.distributions.Normal(x_hat, torch.exp(log_scale)).log_prob(x.flatten(1)).sum(dim=1)
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(std))
        kl = (torch.distributions.Normal(mu, std).log_prob(z) - p.log_prob(z)).sum(-1)
        return (kl - recon_loss).mean()

    x, layers = spots(), {"fc_mu": nn.Linear(32, 4), "fc_var": nn.Linear(32, 4)}
    model = Part(forward, encoder=two_layers(64, 32), decoder=two_layers(4, 64), **layers)
    model.log_scale = nn.Parameter(torch.zeros(1))
    return model, negative_elbo, x, x


def mixture():
    """A mixture of five bells for each of two numbers; its loss, a density, may be negative."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.hidden(x).relu()
        return self.mus(h).view(-1, 5, 2), 1 + 1e-7 + F.elu(self.sigmas(h)).view(-1, 5, 2), self.pi(h)

    def loss_func(outputs: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
        mus, sigs, pi = outputs
        coll = torch.distributions.Independent(torch.distributions.Normal(mus, sigs), 1)
        return (
            -torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=pi), coll).log_prob(y).mean()
        )

    x = torch.randn(N, 6)
    y = 0.3 * (x @ torch.randn(6, 2)) + 0.3 * torch.where(torch.rand(N, 1) < 0.5, 1.0, -1.0) + 0.1 * torch.randn(N, 2)
    layers = {"hidden": nn.Linear(6, 32), "mus": nn.Linear(32, 10), "sigmas": nn.Linear(32, 10), "pi": nn.Linear(32, 5)}
    return Part(forward, **layers), loss_func, x, y


def rivers(clamped: bool):
    """How much water a river carries, day by day; some days were not measured."""

    def loss(prediction: Tensor, target: Tensor, alpha: float = 0.25, beta: float = 1e-6) -> Tensor:
        mask = ~torch.isnan(target)
        p_sub, t_sub = prediction[mask], target[mask]
        loss1 = torch.sqrt(((p_sub - t_sub) ** 2).mean())
        p_root = p_sub.clamp(min=0) if clamped else p_sub
        p_sub1 = torch.log10(torch.sqrt(p_root + beta) + 0.1)
        t_sub1 = torch.log10(torch.sqrt(t_sub + beta) + 0.1)
        loss2 = torch.sqrt(((p_sub1 - t_sub1) ** 2).mean())
        return (1.0 - alpha) * loss1 + alpha * loss2

    layers = {"linearIn": nn.Linear(3, 16), "lstm": nn.LSTM(16, 16, batch_first=True), "linearOut": nn.Linear(16, 1)}
    rain = torch.randn(N, 12, 3)
    flow = F.softplus(rain[..., 0].cumsum(1) / torch.arange(1, 13) ** 0.5 + rain[..., 1])
    flow = torch.where(torch.rand(N, 12) < 0.1, torch.nan, flow)
    model = Part(lambda self, x: self.linearOut(self.lstm(self.linearIn(x).relu())[0])[..., 0], **layers)
    return model, loss, rain, flow


def codes_or_noise(eps: float):
    """Is it a code of a picture or uniform noise? The logarithm of a sigmoid, with something added or not."""

    def forward(self: Part, prior: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.prior_d(prior), self.prior_d(y)

    def loss(outputs: tuple[Tensor, Tensor], _: None) -> Tensor:
        of_prior, of_code = outputs
        term_a = torch.log(of_prior + eps).mean()
        term_b = torch.log(1.0 - of_code + eps).mean()
        return -(term_a + term_b) * 0.1

    prior_d = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())
    return Part(forward, prior_d=prior_d), loss, (torch.rand(N, 16), torch.randn(N, 16)), None


def people(faces: int = 8) -> tuple[Tensor, Tensor]:
    """Portraits [N, 1, 8, 8] of a few people, and whose they are."""
    who = torch.randint(0, faces, (N,))
    return torch.randn(faces, 1, 8, 8)[who] + 0.3 * torch.randn(N, 1, 8, 8), who


def two_views() -> tuple[Tensor, Tensor]:
    """Two slightly different views of each sample."""
    x = torch.randn(N, 16)
    return x + 0.2 * torch.randn(N, 16), x + 0.2 * torch.randn(N, 16)


def portraits(keepdim: bool):
    """Pairs of portraits, embedded by one network; 1 for two people, 0 for one."""

    def convolved(inside: int, outside: int) -> list[nn.Module]:
        conv = nn.Conv2d(inside, outside, kernel_size=3)
        return [nn.ReflectionPad2d(1), conv, nn.ReLU(inplace=True), nn.BatchNorm2d(outside)]

    class SiameseNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cnn1 = nn.Sequential(*convolved(1, 4), *convolved(4, 8))
            self.fc1 = nn.Sequential(nn.Linear(8 * 8 * 8, 32), nn.ReLU(inplace=True), nn.Linear(32, 5))

        def forward_once(self, x: Tensor) -> Tensor:
            output = self.cnn1(x)
            return self.fc1(output.view(output.size()[0], -1))

        def forward(self, input1: Tensor, input2: Tensor) -> tuple[Tensor, Tensor]:
            return self.forward_once(input1), self.forward_once(input2)

    def contrastive(outputs: tuple[Tensor, Tensor], label: Tensor) -> Tensor:
        euclidean_distance = F.pairwise_distance(*outputs, keepdim=keepdim)
        return torch.mean((1 - label) * torch.pow(euclidean_distance, 2) +
                          (label) * torch.pow(torch.clamp(2.0 - euclidean_distance, min=0.0), 2))  # fmt: skip

    pictures, who = people(4)
    other = torch.randperm(N)
    label = (who != who[other]).float()[:, None]
    return SiameseNetwork(), contrastive, (pictures, pictures[other]), label


def faces(by_index: bool):
    """Faces in threes, the hard ones chosen from the batch, and whose they are."""

    def forward(self: Part, a: Tensor, p: Tensor, n: Tensor) -> tuple[Tensor, ...]:
        outs = [10 * F.normalize(self.body(x.flatten(1)), dim=1, eps=1e-5) for x in (a, p, n)]
        return *outs, *(self.classifier(out) for out in outs)

    def l2_dist(x: Tensor, y: Tensor) -> Tensor:
        return (torch.pow(torch.abs(x - y), 2).sum(dim=1) + 1e-4 / x.size(1)).sqrt()

    def loss(outputs: tuple[Tensor, ...], y: tuple[Tensor, Tensor]) -> Tensor:
        out_a, out_p, out_n, *cls = outputs
        hard_triplets = np.where((l2_dist(out_a, out_n) - l2_dist(out_a, out_p) < 0.5).cpu().data.numpy().flatten())
        if len(hard_triplets[0]) == 0:
            return (out_a * 0).sum()
        if by_index:
            a, p, n = out_a[hard_triplets], out_p[hard_triplets], out_n[hard_triplets]
        else:
            a, p, n = (torch.from_numpy(out.cpu().data.numpy()[hard_triplets]) for out in (out_a, out_p, out_n))
        triplet_loss = torch.clamp(0.5 + l2_dist(a, p) - l2_dist(a, n), min=0.0).mean()
        true_labels = torch.cat([y[0][hard_triplets], y[0][hard_triplets], y[1][hard_triplets]])
        return F.cross_entropy(torch.cat([c[hard_triplets] for c in cls]), true_labels) + triplet_loss

    base, who = torch.randn(8, 1, 8, 8), torch.arange(N) % 8
    other = (who + torch.randint(1, 8, (N,))) % 8
    a, p, n = (base[w] + 2 * torch.randn(N, 1, 8, 8) for w in (who, who, other))
    return Part(forward, body=two_layers(64, 16), classifier=nn.Linear(16, 8)), loss, (a, p, n), (who, other)


def windows_of_a_signal(hidden: bool):
    """Windows of a signal and their neighbours: who is the hardest of the others, and does one window follow?"""

    def forward(self: Part, anchors: Tensor, positives: Tensor, pretext: Tensor, unadj: Tensor) -> tuple[Tensor, ...]:
        h, h_pos, h_pre, h_unadj = self.embedding(torch.cat([anchors, positives, pretext, unadj])).chunk(4)
        pairs = torch.cat([torch.cat([h, h_pre], dim=1), torch.cat([h, h_unadj], dim=1)])
        follows = self.classification_head(pairs).squeeze(1)
        return F.normalize(self.projection(h), dim=1), F.normalize(self.projection(h_pos), dim=1), follows

    def loss(outputs: tuple[Tensor, ...], labels: Tensor) -> Tensor:
        z_anchor, z_pos, follows = outputs
        sim = z_anchor @ z_pos.T
        pos_sims, masked = sim.diag(), sim.clone()
        masked.diagonal().fill_(float("inf") if hidden else -float("inf"))
        neg_dists = 1 - masked
        hard_neg_dists, _ = torch.max(neg_dists, dim=1)
        pos_dists = 1 - pos_sims
        triplet_loss = F.relu(pos_dists - hard_neg_dists + 0.5).mean()
        return triplet_loss + 0.5 * F.binary_cross_entropy_with_logits(follows, labels)

    signal = torch.sin(torch.arange(400) * torch.linspace(0.1, 1.2, 400)) + 0.1 * torch.randn(400)
    patches = signal.unfold(0, 16, 1)
    at = 8 + 11 * torch.arange(N)
    labels = torch.cat([torch.ones(N), torch.zeros(N)])
    model = Part(
        forward, embedding=two_layers(16, 16), projection=nn.Linear(16, 8), classification_head=two_layers(32, 1)
    )
    return model, loss, (patches[at], patches[at + 1], patches[at - 4], patches[at.roll(N // 2)]), labels


def same_or_not(biased: bool):
    """Are two pictures alike? The distances of their codes, added up, and a sigmoid behind the sum."""

    def forward(self: Part, x1: Tensor, x2: Tensor) -> Tensor:
        distance = (self.twin(x1).sigmoid() - self.twin(x2).sigmoid()).abs()
        return torch.sigmoid(self.dense(distance) if biased else distance.sum(1, keepdim=True))

    pictures, who = people(4)
    other = torch.randperm(N)
    layers = {"twin": nn.Sequential(nn.Flatten(), two_layers(64, 16))}
    if biased:
        layers["dense"] = nn.Linear(16, 1)
    return Part(forward, **layers), nn.BCELoss(), (pictures, pictures[other]), (who == who[other]).float()[:, None]
