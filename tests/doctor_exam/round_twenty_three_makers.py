"""Set-ups of the twenty-third round (autoencoders to graphs), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part

TWENTY_THREE_MAKERS = CaseSet()
right = TWENTY_THREE_MAKERS.right


def photos(channels: int = 1, size: int = 16) -> Tensor:
    """Smooth pictures between 0 and 1."""
    return F.interpolate(torch.rand(N, channels, 4, 4), size=size, mode="bilinear")


def linked(x: Tensor, count: int) -> Tensor:
    """Class numbers that depend on the inputs."""
    return (x.flatten(1) @ torch.randn(x[0].numel(), count)).argmax(1)


def convs(channels: int, outputs: int) -> nn.Sequential:
    """A small network for pictures of 16 by 16."""
    first, second = nn.Conv2d(channels, 8, 3, stride=2, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(256, outputs))


def down(channels: int, *ends: nn.Module) -> nn.Sequential:
    """A discriminator of pictures of 16 by 16, as in the DCGAN."""
    first, second = nn.Conv2d(channels, 8, 4, 2, 1, bias=False), nn.Conv2d(8, 16, 4, 2, 1, bias=False)
    act = nn.LeakyReLU(0.2)
    return nn.Sequential(first, act, second, nn.BatchNorm2d(16), act, nn.Conv2d(16, 1, 4, 1, 0, bias=False), *ends)


@right("plain autoencoder", "github.com/L1aoXingyu/pytorch-beginner autoencoder")
def plain_autoencoder():
    """MNIST scaled to -1..1, flat, a tanh at the end, the squared error."""
    x = photos().sub(0.5).div(0.5).flatten(1)
    encoder = [nn.Linear(256, 64), nn.ReLU(True), nn.Linear(64, 12), nn.ReLU(True), nn.Linear(12, 3)]
    decoder = [nn.Linear(3, 12), nn.ReLU(True), nn.Linear(12, 64), nn.ReLU(True), nn.Linear(64, 256), nn.Tanh()]
    return nn.Sequential(*encoder, *decoder), nn.MSELoss(), x, x


@right("convolutional autoencoder", "Udacity deep-learning-v2-pytorch convolutional-autoencoder")
def conv_autoencoder():
    """MNIST between 0 and 1, transposed convolutions, a sigmoid and the squared error."""
    x = photos()
    encoder = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 4, 3, padding=1), nn.ReLU()]
    decoder = [nn.ConvTranspose2d(4, 16, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid()]
    return nn.Sequential(*encoder, nn.MaxPool2d(2), *decoder), nn.MSELoss(), x, x


@right("denoising autoencoder", "Udacity deep-learning-v2-pytorch denoising-autoencoder")
def denoising():
    """Noisy pictures, clipped, go in; the clean ones are the target."""
    clean = photos()
    noisy = (clean + 0.5 * torch.randn_like(clean)).clip(0.0, 1.0)
    encoder = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 8, 3, padding=1), nn.ReLU()]
    decoder = [nn.ConvTranspose2d(8, 16, 2, stride=2), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid()]
    return nn.Sequential(*encoder, *decoder), nn.MSELoss(), noisy, clean


@right("VAE on MNIST", "github.com/pytorch/examples vae")
def vae():
    """The official example: cross-entropy and divergence, both summed."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.fc1(x.view(-1, 256)))
        mu, logvar = self.fc21(hidden), self.fc22(hidden)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def loss(outputs: tuple, x: Tensor) -> Tensor:
        recon, mu, logvar = outputs
        bce = F.binary_cross_entropy(recon, x.view(-1, 256), reduction="sum")
        return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    layers = {"fc1": nn.Linear(256, 64), "fc21": nn.Linear(64, 8), "fc22": nn.Linear(64, 8), "fc3": nn.Linear(8, 64)}
    x = photos()
    return Part(forward, **layers, fc4=nn.Linear(64, 256)), loss, x, x


@right("convolutional VAE", "github.com/AntixK/PyTorch-VAE vanilla_vae")
def conv_vae():
    """Faces scaled to -1..1, a tanh, squared error and the divergence with a small weight."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        result = torch.flatten(self.encoder(x), 1)
        mu, log_var = self.fc_mu(result), self.fc_var(result)
        z = torch.randn_like(mu) * torch.exp(0.5 * log_var) + mu
        return self.decoder(self.decoder_input(z).view(-1, 16, 8, 8)), x, mu, log_var

    def loss(outputs: tuple, _) -> Tensor:
        recons, x, mu, log_var = outputs
        kld = torch.mean(-0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1), dim=0)
        return F.mse_loss(recons, x) + 0.00025 * kld

    encoder = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU())
    up = nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1)
    decoder = nn.Sequential(up, nn.BatchNorm2d(16), nn.LeakyReLU(), nn.Conv2d(16, 3, 3, padding=1), nn.Tanh())
    heads = {"fc_mu": nn.Linear(1024, 8), "fc_var": nn.Linear(1024, 8), "decoder_input": nn.Linear(8, 1024)}
    return Part(forward, encoder=encoder, decoder=decoder, **heads), loss, 2 * photos(3) - 1, None


@right("VQ-VAE", "github.com/zalandoresearch/pytorch-vq-vae")
def vq_vae():
    """The nearest code vector, straight through, with the codebook's and the commitment's loss."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encoder(x).permute(0, 2, 3, 1).contiguous()
        flat, codes = z.view(-1, 8), self.embedding.weight
        distances = (flat**2).sum(1, keepdim=True) + (codes**2).sum(1) - 2 * torch.matmul(flat, codes.t())
        quantized = self.embedding(distances.argmin(1)).view(z.shape)
        vq_loss = F.mse_loss(quantized, z.detach()) + 0.25 * F.mse_loss(quantized.detach(), z)
        quantized = z + (quantized - z).detach()
        return vq_loss, self.decoder(quantized.permute(0, 3, 1, 2).contiguous())

    x = photos(3) - 0.5
    variance = x.var().item()
    embedding = nn.Embedding(32, 8)
    embedding.weight.data.uniform_(-1 / 32, 1 / 32)
    encoder = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 8, 1))
    decoder = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1))
    model = Part(forward, encoder=encoder, embedding=embedding, decoder=decoder)
    return model, lambda out, data: F.mse_loss(out[1], data) / variance + out[0], x, x


@right("DCGAN discriminator step", "pytorch.org/tutorials dcgan_faces_tutorial")
def dcgan_discriminator():
    """Real pictures against ones, detached fakes against zeros."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self.main(real).view(-1), self.main(fake.detach()).view(-1)

    def loss(outputs: tuple, targets: tuple) -> Tensor:
        return criterion(outputs[0], targets[0]) + criterion(outputs[1], targets[1])

    criterion = nn.BCELoss()
    real, fake = 2 * photos(3) - 1, torch.tanh(torch.randn(N, 3, 16, 16))
    return Part(forward, main=down(3, nn.Sigmoid())), loss, (real, fake), (torch.ones(N), torch.zeros(N))


@right("GAN generator step", "github.com/eriklindernoren/PyTorch-GAN gan")
def gan_generator():
    """Noise becomes pictures, the discriminator's answer to them is compared with ones."""
    layers = [nn.Linear(100, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 128), nn.BatchNorm1d(128, 0.8)]
    ends = [nn.LeakyReLU(0.2, inplace=True), nn.Linear(128, 256), nn.Tanh(), nn.Unflatten(1, (1, 16, 16))]
    critic = [nn.Flatten(), nn.Linear(256, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 1), nn.Sigmoid()]
    discriminator, adversarial_loss = nn.Sequential(*critic), nn.BCELoss()
    z, valid = torch.randn(N, 100), torch.ones(N, 1)
    return nn.Sequential(*layers, *ends), lambda fake, real: adversarial_loss(discriminator(fake), real), z, valid


@right("WGAN-GP critic step", "github.com/eriklindernoren/PyTorch-GAN wgan_gp")
def wgan_gp():
    """The critic's two means and the penalty on its gradient between real and fake."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alpha = torch.rand(real.size(0), 1, 1, 1)
        mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = self.model(mixed)
        ones = torch.ones_like(scores)
        grads = torch.autograd.grad(scores, mixed, ones, create_graph=True, retain_graph=True, only_inputs=True)[0]
        penalty = ((grads.view(grads.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
        return self.model(real), self.model(fake), penalty

    act = nn.LeakyReLU(0.2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), act, nn.Linear(64, 32), act, nn.Linear(32, 1))
    pair = (2 * photos() - 1, torch.tanh(torch.randn(N, 1, 16, 16)))
    return Part(forward, model=model), lambda out, _: -out[0].mean() + out[1].mean() + 10 * out[2], pair, None


@right("pix2pix generator step", "github.com/junyanz/pytorch-CycleGAN-and-pix2pix")
def pix2pix():
    """The patch discriminator's logits against ones, and a hundred times the absolute error."""
    first, second = nn.Conv2d(3, 16, 4, 2, 1), nn.ConvTranspose2d(16, 3, 4, 2, 1)
    generator = nn.Sequential(first, nn.LeakyReLU(0.2), nn.BatchNorm2d(16), nn.ReLU(), second, nn.Tanh())
    patches = nn.Sequential(nn.Conv2d(6, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4, 1, 1))
    gan_loss, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    real_a = 2 * photos(3) - 1
    real_b = 0.8 * real_a.flip(1)

    def loss(fake_b: Tensor, real: Tensor) -> Tensor:
        scores = patches(torch.cat((real_a, fake_b), 1))
        return gan_loss(scores, torch.tensor(1.0).expand_as(scores)) + 100 * l1(fake_b, real)

    return generator, loss, real_a, real_b
