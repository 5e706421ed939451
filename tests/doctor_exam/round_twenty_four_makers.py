"""Set-ups of the twenty-fourth round (makers and games), ordinary right ones, written without knowing the checks."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs
from doctor_exam.round_parts import Part
from doctor_exam.round_twenty_four_makers_more import MORE

TWENTY_FOUR_MAKERS = CaseSet()
right = TWENTY_FOUR_MAKERS.right


def digits(labels, size=14):
    """Grey pictures between 0 and 1 that depend on their labels."""
    patterns = torch.rand(10, 1, size, size)
    return (0.8 * patterns[labels] + 0.2 * torch.rand(len(labels), 1, size, size)).clamp(0, 1)


def encoder(width=32):
    """A small convolutional network from colour pictures to features."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def frozen(network):
    """The same network without gradients."""
    return network.requires_grad_(False)


@right("sparse autoencoder", "github.com/neelnanda-io/1L-Sparse-Autoencoder")
def sparse_autoencoder():
    """Activations of a language model through a wide hidden layer with an L1 penalty."""

    def forward(self, x):
        acts = F.relu((x - self.b_dec) @ self.w_enc + self.b_enc)
        return acts @ self.w_dec + self.b_dec, acts

    w_enc, w_dec = (nn.init.kaiming_uniform_(torch.empty(*shape)) for shape in ((16, 64), (64, 16)))
    model = Part(forward, w_enc=nn.Parameter(w_enc), w_dec=nn.Parameter(w_dec / w_dec.norm(dim=-1, keepdim=True)))
    model.b_enc, model.b_dec = nn.Parameter(torch.zeros(64)), nn.Parameter(torch.zeros(16))
    x = inputs(4) @ torch.randn(4, 16)

    def loss(out, x):
        return (out[0] - x).pow(2).sum(-1).mean(0) + 3e-4 * out[1].abs().sum()

    return model, loss, x, x


@right("conditional VAE", "github.com/timbmg/VAE-CVAE-MNIST")
def conditional_vae():
    """Digits and their one-hot labels, the summed cross-entropy and divergence by the batch's size."""

    def forward(self, x, c):
        c = F.one_hot(c, 10).float()
        hidden = self.encode(torch.cat([x.view(-1, 196), c], -1))
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        return self.decode(torch.cat([z, c], -1)), mean, log_var

    def loss(out, x):
        recon, mean, log_var = out
        bce = F.binary_cross_entropy(recon.view(-1, 196), x.view(-1, 196), reduction="sum")
        return (bce - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())) / x.size(0)

    decode = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 196), nn.Sigmoid())
    encode = nn.Sequential(nn.Linear(206, 64), nn.ReLU())
    c = classes(10)
    x = digits(c)
    return Part(forward, encode=encode, mean=nn.Linear(64, 2), log_var=nn.Linear(64, 2), decode=decode), loss, (x, c), x


@right("heartbeats: LSTM autoencoder", "curiousily.com time series anomaly detection using LSTM autoencoder")
def heartbeats():
    """Heartbeats into the last hidden state and back, the summed absolute error."""

    def forward(self, x):
        x, _ = self.rnn1(x)
        _, (hidden, _) = self.rnn2(x)
        x = hidden[-1].unsqueeze(1).repeat(1, 40, 1)
        return self.out(self.rnn4(self.rnn3(x)[0])[0])

    def lstm(before, after):
        return nn.LSTM(before, after, batch_first=True)

    model = Part(forward, rnn1=lstm(1, 32), rnn2=lstm(32, 16), rnn3=lstm(16, 16), rnn4=lstm(16, 32))
    model.out = nn.Linear(32, 1)
    x = torch.sin(torch.linspace(0, 6, 40) + torch.rand(N, 1))[..., None] + 0.1 * torch.randn(N, 40, 1)
    return model, nn.L1Loss(reduction="sum"), x, x


@right("CycleGAN generator step", "github.com/junyanz/pytorch-CycleGAN-and-pix2pix cycle_gan_model")
def cycle_gan():
    """Both generators against fixed discriminators, with cycle and identity losses."""

    def generator():
        return nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(3, 8, 7), nn.InstanceNorm2d(8), nn.ReLU(True)),
            *(nn.Conv2d(8, 16, 3, 2, 1), nn.InstanceNorm2d(16), nn.ReLU(True)),
            *(nn.ConvTranspose2d(16, 8, 3, 2, 1, 1), nn.InstanceNorm2d(8), nn.ReLU(True)),
            *(nn.ReflectionPad2d(3), nn.Conv2d(8, 3, 7), nn.Tanh()),
        )

    def discriminator():
        return frozen(nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(8, 1, 4, 1, 1)))

    def forward(self, a, b):
        fake_b, fake_a = self.g_a(a), self.g_b(b)
        return {
            "rec_a": self.g_b(fake_b),
            "rec_b": self.g_a(fake_a),
            "idt_a": self.g_a(b),
            "idt_b": self.g_b(a),
            "score_a": self.d_a(fake_b),
            "score_b": self.d_b(fake_a),
        }

    def loss(out, real):
        gan = sum(F.mse_loss(out[k], torch.ones_like(out[k])) for k in ("score_a", "score_b"))
        cycle = 10 * F.l1_loss(out["rec_a"], real["a"]) + 10 * F.l1_loss(out["rec_b"], real["b"])
        same = 5 * F.l1_loss(out["idt_a"], real["b"]) + 5 * F.l1_loss(out["idt_b"], real["a"])
        return gan + cycle + same

    real = {k: torch.rand(8, 3, 16, 16) * 2 - 1 for k in "ab"}
    parts = {"g_a": generator(), "g_b": generator(), "d_a": discriminator(), "d_b": discriminator()}
    return Part(forward, **parts), loss, (real["a"], real["b"]), real


@right("spectral norm, hinge discriminator", "github.com/christiancosgrove/pytorch-spectral-normalization-gan")
def hinge_discriminator():
    """The hinge loss on real pictures and on pictures of a generator that is left alone."""
    norm = nn.utils.parametrizations.spectral_norm
    net = nn.Sequential(
        *(norm(nn.Conv2d(3, 16, 3, 1, 1)), nn.LeakyReLU(0.1)),
        *(norm(nn.Conv2d(16, 32, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten()),
        norm(nn.Linear(32 * 64, 1)),
    )

    def loss(out, _):
        return F.relu(1.0 - out[0]).mean() + F.relu(1.0 + out[1]).mean()

    real = (torch.randn(N, 3, 1, 1) * 0.4 + 0.1 * torch.randn(N, 3, 16, 16)).clamp(-1, 1)
    fake = torch.tanh(torch.randn(N, 3, 16, 16) * 0.5)
    return Part(lambda self, real, fake: (self.net(real), self.net(fake)), net=net), loss, (real, fake), None


@right("diffusion: digits by label", "github.com/TeaPearce/Conditional_Diffusion_MNIST")
def diffusion_by_label():
    """The noise of digits whose label is left out at times; the model returns its own loss."""

    def forward(self, x, c):
        t, noise = torch.randint(1, 401, (x.shape[0],)), torch.randn_like(x)
        share = self.shares[t][:, None, None, None]
        x_t = share.sqrt() * x + (1 - share).sqrt() * noise
        keep = 1 - torch.bernoulli(torch.zeros(x.shape[0]) + 0.1)[:, None]
        label = self.label(F.one_hot(c, 10).float() * keep)[..., None, None]
        time = self.time(t[:, None] / 400)[..., None, None]
        return {"loss": F.mse_loss(noise, self.up(self.down(x_t) * label + time))}

    def embed(before):
        return nn.Sequential(nn.Linear(before, 32), nn.GELU(), nn.Linear(32, 32))

    down = nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.GELU())
    up = nn.Sequential(nn.Conv2d(32, 32, 3, 1, 1), nn.GroupNorm(8, 32), nn.ReLU(), nn.Conv2d(32, 1, 3, 1, 1))
    model = Part(forward, down=down, up=up, label=embed(10), time=embed(1))
    beta = torch.cat([torch.zeros(1), torch.linspace(1e-4, 0.02, 400)])
    model.register_buffer("shares", torch.cumsum(torch.log(1 - beta), 0).exp())
    c = classes(10)
    return model, lambda out, _: out["loss"], (digits(c), c), None


@right("scores at every noise level", "github.com/yang-song/score_sde_pytorch, Colab tutorial on MNIST")
def scores():
    """Denoising score matching, the score divided by the deviation inside the network."""

    def forward(self, x):
        t = torch.rand(x.shape[0]) * (1 - 1e-5) + 1e-5
        std = torch.sqrt((25.0 ** (2 * t) - 1) / 2 / math.log(25.0))[:, None, None, None]
        z = torch.randn_like(x)
        angle = t[:, None] * self.freq * 2 * math.pi
        time = self.time(torch.cat([angle.sin(), angle.cos()], -1))[..., None, None]
        score = self.out(F.silu(self.norm(self.conv(x + z * std) + time))) / std
        return score, std, z

    def loss(out, _):
        score, std, z = out
        return torch.mean(torch.sum((score * std + z) ** 2, dim=(1, 2, 3)))

    model = Part(forward, conv=nn.Conv2d(1, 32, 3, 1, 1), norm=nn.GroupNorm(4, 32), out=nn.Conv2d(32, 1, 3, 1, 1))
    model.time = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
    model.register_buffer("freq", torch.randn(16) * 30)
    return model, loss, digits(classes(10)), None


@right("distillation: cosine of hidden layers", "pytorch.org/tutorials knowledge_distillation_tutorial, cosine loss")
def cosine_distillation():
    """The student's hidden layer follows a fixed teacher's, with the labels' cross-entropy."""

    def forward(self, x):
        with torch.no_grad():
            taught = self.teacher(x)
        hidden = self.student(x)
        return self.head(hidden), hidden, taught

    def loss(out, y):
        logits, hidden, taught = out
        cosine = F.cosine_embedding_loss(hidden, taught, target=torch.ones(hidden.size(0)))
        return 0.25 * cosine + 0.75 * F.cross_entropy(logits, y)

    head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    y = classes(10)
    x = torch.randn(10, 3, 1, 1)[y] + 0.3 * inputs(3, 16, 16)
    return Part(forward, teacher=frozen(encoder()).eval(), student=encoder(), head=head), loss, x, y


@right("BYOL", "github.com/lucidrains/byol-pytorch")
def byol():
    """Two views; the prediction of one meets the slow copy's projection of the other."""

    def forward(self, one, two):
        online = [self.predict(self.online(view)) for view in (one, two)]
        with torch.no_grad():
            target = [self.target(view).detach() for view in (one, two)]

        def distance(x, y):
            return 2 - 2 * (F.normalize(x, dim=-1, p=2) * F.normalize(y, dim=-1, p=2)).sum(dim=-1)

        return {"loss": (distance(online[0], target[1]) + distance(online[1], target[0])).mean()}

    def head():
        return nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(inplace=True), nn.Linear(64, 32))

    online = nn.Sequential(encoder(), head())
    model = Part(forward, online=online, target=frozen(copy.deepcopy(online)), predict=head())
    x = inputs(3, 1, 1) + 0.5 * inputs(3, 16, 16)
    return model, lambda out, _: out["loss"], (x, x + 0.2 * torch.randn_like(x)), None


@right("Barlow Twins", "github.com/facebookresearch/barlowtwins")
def barlow_twins():
    """The cross-correlation of two views' features is to be the identity."""

    def forward(self, one, two):
        c = self.bn(self.project(self.backbone(one))).T @ self.bn(self.project(self.backbone(two)))
        c.div_(one.shape[0])
        on = torch.diagonal(c).add_(-1).pow_(2).sum()
        off = c.flatten()[:-1].view(31, 33)[:, 1:].flatten().pow_(2).sum()
        return {"loss": on + 0.0051 * off}

    project = nn.Sequential(nn.Linear(32, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32, bias=False))
    model = Part(forward, backbone=encoder(), project=project, bn=nn.BatchNorm1d(32, affine=False))
    x = inputs(3, 1, 1) + 0.5 * inputs(3, 16, 16)
    return model, lambda out, _: out["loss"], (x, x + 0.2 * torch.randn_like(x)), None


TWENTY_FOUR_MAKERS.extend(MORE)
