"""Set-ups of the twenty-third round (generative to graphs), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, inputs, mlp
from doctor_exam.round_parts import Part, divergence

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
        hidden = F.relu(self.fc1(x))
        mu, logvar = self.fc21(hidden), self.fc22(hidden)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def loss(outputs: tuple, x: Tensor) -> Tensor:
        recon, mu, logvar = outputs
        return F.binary_cross_entropy(recon, x, reduction="sum") - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()

    layers = {"fc1": nn.Linear(256, 64), "fc21": nn.Linear(64, 8), "fc22": nn.Linear(64, 8), "fc3": nn.Linear(8, 64)}
    x = photos().view(-1, 256)
    return Part(forward, **layers, fc4=nn.Linear(64, 256)), loss, x, x


@right("convolutional VAE", "github.com/AntixK/PyTorch-VAE vanilla_vae")
def conv_vae():
    """Faces scaled to -1..1, a tanh, squared error and the divergence with a small weight."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        result = torch.flatten(self.encoder(x), 1)
        mu, log_var = self.fc_mu(result), self.fc_var(result)
        z = torch.randn_like(mu) * torch.exp(0.5 * log_var) + mu
        return self.decoder(self.decoder_input(z).view(-1, 16, 8, 8)), mu, log_var

    encoder = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU())
    up = nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1)
    decoder = nn.Sequential(up, nn.BatchNorm2d(16), nn.LeakyReLU(), nn.Conv2d(16, 3, 3, padding=1), nn.Tanh())
    heads = {"fc_mu": nn.Linear(1024, 8), "fc_var": nn.Linear(1024, 8), "decoder_input": nn.Linear(8, 1024)}
    model, x = Part(forward, encoder=encoder, decoder=decoder, **heads), 2 * photos(3) - 1
    return model, lambda out, x: F.mse_loss(out[0], x) + 0.00025 * divergence(out[1], out[2]), x, x


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

    x, embedding = photos(3) - 0.5, nn.Embedding(32, 8)
    variance = x.var().item()
    embedding.weight.data.uniform_(-1 / 32, 1 / 32)
    encoder = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 8, 1))
    decoder = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1))
    model = Part(forward, encoder=encoder, embedding=embedding, decoder=decoder)
    return model, lambda out, data: F.mse_loss(out[1], data) / variance + out[0], x, x


@right("DCGAN discriminator step", "pytorch.org/tutorials dcgan_faces_tutorial")
def dcgan_discriminator():
    """Real pictures against ones, detached fakes against zeros."""
    first, second = nn.Conv2d(3, 8, 4, 2, 1, bias=False), nn.Conv2d(8, 16, 4, 2, 1, bias=False)
    ends = [nn.BatchNorm2d(16), nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    net, bce = nn.Sequential(first, nn.LeakyReLU(0.2), second, *ends), nn.BCELoss()
    model = Part(lambda self, real, fake: (self.main(real).view(-1), self.main(fake.detach()).view(-1)), main=net)
    pair, answers = (2 * photos(3) - 1, torch.tanh(torch.randn(N, 3, 16, 16))), (torch.ones(N), torch.zeros(N))
    return model, lambda out, t: bce(out[0], t[0]) + bce(out[1], t[1]), pair, answers


@right("GAN generator step", "github.com/eriklindernoren/PyTorch-GAN gan")
def gan_generator():
    """Noise becomes pictures, the discriminator's answer to them is compared with ones."""
    layers = [nn.Linear(100, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 128), nn.BatchNorm1d(128)]
    ends = [nn.LeakyReLU(0.2, inplace=True), nn.Linear(128, 256), nn.Tanh(), nn.Unflatten(1, (1, 16, 16))]
    critic = [nn.Flatten(), nn.Linear(256, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 1), nn.Sigmoid()]
    discriminator, adversarial_loss = nn.Sequential(*critic), nn.BCELoss()
    generator, valid = nn.Sequential(*layers, *ends), torch.ones(N, 1)
    return generator, lambda fake, real: adversarial_loss(discriminator(fake), real), torch.randn(N, 100), valid


@right("WGAN-GP critic step", "github.com/eriklindernoren/PyTorch-GAN wgan_gp")
def wgan_gp():
    """The critic's two means and the penalty on its gradient between real and fake."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alpha = torch.rand(real.size(0), 1, 1, 1)
        mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = self.model(mixed)
        grads = torch.autograd.grad(scores, mixed, torch.ones_like(scores), create_graph=True, retain_graph=True)[0]
        penalty = ((grads.view(grads.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
        return self.model(real), self.model(fake), penalty

    act = nn.LeakyReLU(0.2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), act, nn.Linear(64, 32), act, nn.Linear(32, 1))
    pair = (2 * photos() - 1, torch.tanh(torch.randn(N, 1, 16, 16)))
    return Part(forward, model=model), lambda out, _: -out[0].mean() + out[1].mean() + 10 * out[2], pair, None


@right("pix2pix generator step", "github.com/junyanz/pytorch-CycleGAN-and-pix2pix")
def pix2pix():
    """The patch discriminator's logits against ones, and a hundred times the absolute error."""
    encoder = [nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16)]
    up = [nn.ReLU(), nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    generator = nn.Sequential(*encoder, *up, nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())
    patches = nn.Sequential(nn.Conv2d(6, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4, 1, 1))
    gan_loss, l1, ones = nn.BCEWithLogitsLoss(), nn.L1Loss(), torch.ones(N, 1, 7, 7)
    real_a = 2 * photos(3) - 1
    gan = Part(lambda self, fake: gan_loss(self.patches(torch.cat((real_a, fake), 1)), ones), patches=patches)
    return generator, lambda fake, real: gan(fake) + 100 * l1(fake, real), real_a, 0.8 * real_a.flip(1)


def denoiser(steps: int, channels: int) -> Part:
    """A small network for pictures that also gets a time."""

    def forward(self: Part, x: Tensor, t: Tensor) -> Tensor:
        hidden = F.silu(self.first(x) + self.time(t)[:, :, None, None])
        return self.last(F.silu(self.middle(hidden)) + hidden)

    first, middle = nn.Conv2d(channels, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
    last = nn.Conv2d(16, channels, 3, padding=1)
    return Part(forward, first=first, middle=middle, time=nn.Embedding(steps, 16), last=last)


@right("diffusion: the annotated model", "huggingface.co/blog/annotated-diffusion")
def annotated_diffusion():
    """The noise is predicted from a noised picture; the smooth absolute error of the noise."""
    x_start, t, noise = 2 * photos() - 1, torch.randint(0, 200, (N,)), torch.randn(N, 1, 16, 16)
    kept = torch.cumprod(1.0 - torch.linspace(0.0001, 0.02, 200), dim=0)[t].view(-1, 1, 1, 1)
    return denoiser(200, 1), F.smooth_l1_loss, (kept.sqrt() * x_start + (1 - kept).sqrt() * noise, t), noise


@right("diffusion: noisy pictures ready", "huggingface.co/docs/diffusers basic_training")
def diffusers_training():
    """The scheduler has added the noise; the squared error of what the network predicts."""
    clean, noise, timesteps = 2 * photos(3) - 1, torch.randn(N, 3, 16, 16), torch.randint(0, 1000, (N,))
    kept = torch.cumprod(1.0 - torch.linspace(0.0001, 0.02, 1000), dim=0)[timesteps].view(-1, 1, 1, 1)
    batch = {"x": kept**0.5 * clean + (1 - kept) ** 0.5 * noise, "t": timesteps}
    return denoiser(1000, 3), F.mse_loss, batch, noise


@right("flow matching on points", "github.com/facebookresearch/flow_matching standalone_flow_matching")
def flow_matching():
    """The direction from noise to the points of two moons, at a random time."""
    angle, upper = torch.pi * torch.rand(N), torch.rand(N) < 0.5
    x_1 = torch.stack([angle.cos() + (~upper), torch.where(upper, angle.sin(), 0.5 - angle.sin())], 1)
    x_0, t = torch.randn_like(x_1), torch.rand(len(x_1), 1)
    net = nn.Sequential(nn.Linear(3, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 2))
    flow = Part(lambda self, t, x_t: self.net(torch.cat((t, x_t), -1)), net=net)
    return flow, nn.MSELoss(), (t, (1 - t) * x_0 + t * x_1), x_1 - x_0


@right("distillation: soft targets", "pytorch.org/tutorials knowledge_distillation_tutorial")
def soft_targets():
    """CIFAR: a teacher's softened probabilities and the true classes."""
    x = (photos(3) - 0.45) / 0.225
    labels = linked(x, 10)

    def loss(student_logits: Tensor, targets: dict) -> Tensor:
        soft, soft_prob = F.softmax(targets["teacher"] / 2, dim=-1), F.log_softmax(student_logits / 2, dim=-1)
        soft_loss = torch.sum(soft * (soft.log() - soft_prob)) / soft_prob.size()[0] * (2**2)
        return 0.25 * soft_loss + 0.75 * F.cross_entropy(student_logits, targets["labels"])

    return convs(3, 10), loss, x, {"teacher": 5 * F.one_hot(labels, 10) + torch.randn(N, 10), "labels": labels}


@right("distillation: KLDivLoss", "philschmid.de knowledge-distillation-bert-transformers")
def kl_distillation():
    """Log-probabilities of the student and probabilities of the teacher at one temperature."""
    x, kl, ce = inputs(), nn.KLDivLoss(reduction="batchmean"), nn.CrossEntropyLoss()
    labels = linked(x, 2)
    soft = lambda out, teacher: kl(F.log_softmax(out / 4, dim=-1), F.softmax(teacher / 4, dim=-1)) * 4**2  # noqa: E731
    targets = (4 * F.one_hot(labels, 2) - 2 + torch.randn(N, 2), labels)
    return mlp(2), lambda out, t: 0.5 * ce(out, t[1]) + (1.0 - 0.5) * soft(out, t[0]), x, targets


@right("SimCLR", "github.com/sthalles/SimCLR")
def simclr():
    """Two views one after the other; the positive comes first among the similarities."""

    def info_nce(features: Tensor, _) -> Tensor:
        sample, features = torch.cat([torch.arange(N) for _ in range(2)], dim=0), F.normalize(features, dim=1)
        labels = sample.unsqueeze(0) == sample.unsqueeze(1)
        similarity, mask = torch.matmul(features, features.T), torch.eye(2 * N, dtype=torch.bool)
        labels, similarity = labels[~mask].view(2 * N, -1), similarity[~mask].view(2 * N, -1)
        logits = torch.cat([similarity[labels].view(2 * N, -1), similarity[~labels].view(2 * N, -1)], dim=1) / 0.07
        return F.cross_entropy(logits, torch.zeros(2 * N, dtype=torch.long))

    x = photos(3)
    return convs(3, 32), info_nce, torch.cat([(x + 0.05 * torch.randn_like(x)).clamp(0, 1) for _ in range(2)]), None


@right("SimSiam", "github.com/facebookresearch/simsiam")
def simsiam():
    """Predictions of one view against the other's detached projection, the cosine negated."""

    def forward(self: Part, x1: Tensor, x2: Tensor) -> tuple[Tensor, ...]:
        z1, z2 = self.encoder(x1), self.encoder(x2)
        return self.predictor(z1), self.predictor(z2), z1.detach(), z2.detach()

    cos, x = nn.CosineSimilarity(dim=1), (photos(3) - 0.45) / 0.225
    predictor = nn.Sequential(nn.Linear(32, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 32))
    encoder = convs(3, 32).append(nn.BatchNorm1d(32, affine=False))
    encoder[5].bias.requires_grad = False  # as in the original: what follows takes it away again
    views = (x + 0.2 * torch.randn_like(x), x + 0.2 * torch.randn_like(x))
    model = Part(forward, encoder=encoder, predictor=predictor)
    return model, lambda out, _: -(cos(out[0], out[2]).mean() + cos(out[1], out[3]).mean()) * 0.5, views, None


@right("CLIP", "github.com/openai/CLIP, loss of open_clip")
def clip():
    """Pictures and their texts, the scale learned, cross-entropy both ways."""

    def forward(self: Part, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        states = self.rnn(self.embed(text))[0]
        words = F.normalize(self.project(states[torch.arange(len(text)), text.argmax(-1)]), dim=-1)
        logits = self.logit_scale.exp() * F.normalize(self.visual(image), dim=-1) @ words.t()
        return logits, logits.t()

    text = torch.randint(1, 48, (N, 10))
    for row, end in zip(text, torch.randint(3, 10, (N,)).tolist(), strict=True):
        row[end], row[end + 1 :] = 49, 0
    layers = {"visual": convs(3, 16), "embed": nn.Embedding(50, 16), "rnn": nn.GRU(16, 16, batch_first=True)}
    layers |= {"project": nn.Linear(16, 16, bias=False), "logit_scale": nn.Parameter(torch.tensor(1 / 0.07).log())}
    ce, pairs = nn.CrossEntropyLoss(), ((photos(3) - 0.45) / 0.27, text)
    return Part(forward, **layers), lambda out, y: (ce(out[0], y) + ce(out[1], y)) / 2, pairs, torch.arange(N)


@right("triplets: a margin of one", "pytorch.org/docs TripletMarginLoss")
def triplets():
    """Anchor, positive and negative through one network."""
    anchor, triplet = photos(), nn.TripletMarginLoss(margin=1.0, p=2)
    model = Part(lambda self, *three: tuple(self.net(x) for x in three), net=convs(1, 16))
    return model, lambda out, _: triplet(*out), (anchor, anchor + 0.1 * torch.randn_like(anchor), photos()), None


@right("siamese pairs", "github.com/harveyslash/Facial-Similarity-with-Siamese-Networks-in-Pytorch")
def siamese_pairs():
    """The contrastive loss; one stands for different faces."""

    def loss(outputs: tuple, label: Tensor) -> Tensor:
        distance = F.pairwise_distance(outputs[0], outputs[1], keepdim=True)
        return torch.mean((1 - label) * distance**2 + label * torch.clamp(2.0 - distance, min=0.0) ** 2)

    face, label = photos(), (torch.arange(N) % 2).float().view(-1, 1)
    other = torch.where(label.view(-1, 1, 1, 1) == 1, photos(), face + 0.05 * torch.randn_like(face))
    return Part(lambda self, a, b: (self.cnn(a), self.cnn(b)), cnn=convs(1, 5)), loss, (face, other), label


@right("sentence pairs", "sbert.net MultipleNegativesRankingLoss")
def sentence_pairs():
    """Means over the words that are there; every other answer of the batch is a negative."""

    def forward(self: Part, *texts: Tensor) -> Tensor:
        masks = [(text != 0).unsqueeze(-1).float() for text in texts]
        means = [(self.rnn(self.embed(t))[0] * m).sum(1) / m.sum(1) for t, m in zip(texts, masks, strict=True)]
        return F.normalize(means[0], dim=1) @ F.normalize(means[1], dim=1).T * 20.0

    question, lengths = torch.randint(1, 50, (N, 8)), torch.randint(3, 9, (N, 1))
    question[torch.arange(8) >= lengths] = 0
    model = Part(forward, embed=nn.Embedding(50, 16, padding_idx=0), rnn=nn.GRU(16, 16, batch_first=True))
    return model, nn.CrossEntropyLoss(), (question, torch.where(question > 0, 50 - question, 0)), torch.arange(N)


@right("DQN", "pytorch.org/tutorials reinforcement_q_learning")
def dqn():
    """CartPole: the value of the action taken against reward and discounted best next value."""
    state, action, done = 0.1 * torch.randn(N, 4), torch.randint(0, 2, (N, 1)), torch.rand(N) < 0.1
    net, target_net = (nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(2))
    following = target_net(state + 0.02 * torch.randn(N, 4)).max(1).values.detach().masked_fill(done, 0.0)
    expected = (following * 0.99 + torch.ones(N)).unsqueeze(1)
    return Part(lambda self, s, a: self.net(s).gather(1, a), net=net), nn.SmoothL1Loss(), (state, action), expected


@right("REINFORCE", "github.com/pytorch/examples reinforce.py")
def reinforce():
    """The log-probabilities of the drawn actions times the standardised returns, summed."""
    returns, actions = torch.cumsum(0.99 ** torch.arange(N), 0).flip(0), torch.randint(0, 2, (N,))
    returns, x = (returns - returns.mean()) / (returns.std() + 1e-8), 0.1 * torch.randn(N, 4)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Dropout(p=0.6), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=1))
    return policy, lambda probs, t: (-Categorical(probs).log_prob(t[0]) * t[1]).sum(), x, (actions, returns)


@right("actor and critic", "github.com/pytorch/examples actor_critic.py")
def actor_critic():
    """The policy is weighed with the return less the detached value; the value learns the return."""

    def loss(outputs: tuple, targets: tuple) -> Tensor:
        values, (actions, returns) = outputs[1].squeeze(1), targets
        policy = -Categorical(outputs[0]).log_prob(actions) * (returns - values.detach())
        return policy.sum() + F.smooth_l1_loss(values, returns, reduction="sum")

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.affine(x))
        return F.softmax(self.action(x), dim=-1), self.value(x)

    returns = torch.cumsum(0.99 ** torch.arange(N), 0).flip(0)
    targets = (torch.randint(0, 2, (N,)), (returns - returns.mean()) / (returns.std() + 1e-8))
    model = Part(forward, affine=nn.Linear(4, 32), action=nn.Linear(32, 2), value=nn.Linear(32, 1))
    return model, loss, 0.1 * torch.randn(N, 4), targets


@right("PPO", "github.com/vwxyzjn/cleanrl ppo.py")
def ppo():
    """The clipped ratio, the value's error and the entropy."""

    def forward(self: Part, x: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        probs = Categorical(logits=self.actor(x))
        return probs.log_prob(action), probs.entropy(), self.critic(x)

    def loss(outputs: tuple, old: dict) -> Tensor:
        ratio, advantages = (outputs[0] - old["logprobs"]).exp(), old["advantages"]
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        pg_loss = torch.max(-advantages * ratio, -advantages * torch.clamp(ratio, 0.8, 1.2)).mean()
        return pg_loss - 0.01 * outputs[1].mean() + 0.5 * (0.5 * (outputs[2].view(-1) - old["returns"]) ** 2).mean()

    x, action = inputs(), torch.randint(0, 4, (N,))
    model, advantages = Part(forward, actor=mlp(4, hidden=nn.Tanh), critic=mlp(1, hidden=nn.Tanh)), torch.randn(N)
    logprobs, _, values = (part.detach() for part in model(x, action))
    old = {"logprobs": logprobs, "advantages": advantages, "returns": advantages + values.view(-1)}
    return model, loss, (x, action), old


@right("two critics of SAC", "github.com/vwxyzjn/cleanrl sac_continuous_action.py")
def sac_critics():
    """Two values of state and action, each against the same next value."""
    state, action, nets = torch.randn(N, 6), torch.rand(N, 2) * 2 - 1, nn.ModuleList([mlp(1), mlp(1)])
    target = state[:, 0] - (action**2).sum(1) + 0.99 * torch.randn(N)
    model = Part(lambda self, x, a: tuple(qf(torch.cat([x, a], 1)).view(-1) for qf in self.qfs), qfs=nets)
    return model, lambda out, q: F.mse_loss(out[0], q) + F.mse_loss(out[1], q), (state, action), target


@right("oscillator", "github.com/benmoseley/harmonic-oscillator-pinn")
def oscillator():
    """A few measurements and the equation of the damped oscillator at further times."""

    def forward(self: Part, t_data: Tensor, t_physics: Tensor) -> tuple[Tensor, Tensor]:
        t = t_physics.clone().requires_grad_(True)
        u = self.net(t)
        du = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
        ddu = torch.autograd.grad(du, t, torch.ones_like(du), create_graph=True)[0]
        return self.net(t_data), ddu + 4 * du + 400 * u

    t_data, t_physics = torch.linspace(0, 0.4, 10).view(-1, 1), torch.linspace(0, 1, 30).view(-1, 1)
    net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    y, model = torch.exp(-2 * t_data) * torch.cos(19.9 * t_data), Part(forward, net=net)
    return model, lambda out, y: torch.mean((out[0] - y) ** 2) + 1e-4 * torch.mean(out[1] ** 2), (t_data, t_physics), y


@right("GCN on a citation graph", "github.com/tkipf/pygcn")
def gcn():
    """Words of the papers with rows scaled, a normalised adjacency; the error at the training nodes."""

    def forward(self: Part, x: Tensor, adj: Tensor) -> Tensor:
        x = F.dropout(F.relu(adj @ self.gc1(x)), 0.5, training=self.training)
        return F.log_softmax(adj @ self.gc2(x), dim=1)

    labels, train = torch.arange(60) % 4, torch.arange(60) < 24
    x = (torch.rand(60, 32) < 0.1).float() + F.one_hot(labels * 8 + torch.randint(0, 8, (60,)), 32)
    edges = (torch.rand(60, 60) < torch.where(labels[:, None] == labels, 0.2, 0.02)).float()
    adj = torch.maximum(edges, edges.T).fill_diagonal_(1.0)
    model = Part(forward, gc1=nn.Linear(32, 16, bias=False), gc2=nn.Linear(16, 4, bias=False))
    return model, lambda out, y: F.nll_loss(out[train], y[train]), (x / x.sum(1, True), adj / adj.sum(1, True)), labels


@right("classes of whole graphs", "pytorch-geometric.readthedocs.io colab TUDataset MUTAG")
def graph_classes():
    """Messages along the edges, the mean over each graph's nodes, classes of the graphs."""

    def forward(self: Part, x: Tensor, edge_index: Tensor, batch: Tensor) -> Tensor:
        for layer, own in ((self.conv1, self.own1), (self.conv2, self.own2)):
            x = F.relu(own(x) + torch.zeros(len(x), 16).index_add(0, edge_index[1], layer(x)[edge_index[0]]))
        pooled = torch.zeros(N, 16).index_add(0, batch, x) / torch.bincount(batch, minlength=N)[:, None]
        return self.lin(F.dropout(pooled, p=0.5, training=self.training))

    batch = torch.repeat_interleave(torch.arange(N), torch.randint(5, 10, (N,)))
    source = torch.arange(len(batch) - 1)[batch[1:] == batch[:-1]]
    edges = torch.cat([torch.stack([source, source + 1]), torch.stack([source + 1, source])], 1)
    x = F.one_hot(torch.randint(0, 7, batch.shape), 7).float()
    layers = {"conv1": nn.Linear(7, 16), "own1": nn.Linear(7, 16), "conv2": nn.Linear(16, 16)}
    y = (torch.zeros(N).index_add(0, batch, x[:, 0]) > 0).long()
    model = Part(forward, **layers, own2=nn.Linear(16, 16), lin=nn.Linear(16, 2))
    return model, nn.CrossEntropyLoss(), (x, edges, batch), y


@right("actor of DDPG", "github.com/vwxyzjn/cleanrl ddpg_continuous_action.py")
def ddpg_actor():
    """What the actor does shall be worth much to the critic."""
    critic, state = mlp(1), torch.randn(N, 6)
    actor = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2), nn.Tanh())
    return actor, lambda action, state: -critic(torch.cat([state, action], 1)).mean(), state, state
