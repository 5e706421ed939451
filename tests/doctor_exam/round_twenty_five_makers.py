"""Set-ups of the twenty-fifth round (makers), ordinary right ones, written without knowing the checks."""

from copy import deepcopy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F
from transformers import BertConfig, BertForMaskedLM

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads
from doctor_exam.round_parts import Part, divergence

TWENTY_FIVE_MAKERS = CaseSet()
right = TWENTY_FIVE_MAKERS.right


def blobs(count: int = 16, size: int = 32, channels: int = 3) -> Tensor:
    """Smooth pictures with values from 0 to 1."""
    return F.interpolate(torch.rand(count, channels, size // 4, size // 4), size=size, mode="bilinear")


def kinds_of(count: int, each: int, size: int = 16) -> tuple[Tensor, Tensor]:
    """Normalised pictures of several kinds, each a pattern with some noise, and their class numbers."""
    y = torch.arange(count).repeat(each)
    x = blobs(count, size)[y] + 0.1 * torch.randn(len(y), 3, size, size)
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True), y


def backbone(width: int = 16) -> nn.Sequential:
    """A small convolutional network that ends in a vector of 2 * width numbers."""
    first = [nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    second = [nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU()]
    return nn.Sequential(*first, *second, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def net(*sizes: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """A multilayer perceptron without an activation at its end."""
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), act())]
    return nn.Sequential(*layers[:-1])


@right("makers: denoising autoencoder", "Keras and PyTorch autoencoder tutorials, from memory")
def denoiser():
    """A convolutional autoencoder cleans noisy digits."""
    encoder = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 8, 3, 2, 1), nn.ReLU())
    ups = [nn.ConvTranspose2d(8, 16, 2, 2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, 2), nn.Sigmoid()]
    clean = (3 * blobs(16, 28, 1) - 1).clamp(0, 1)
    return nn.Sequential(encoder, *ups), nn.MSELoss(), (clean + 0.2 * torch.randn_like(clean)).clamp(0, 1), clean


@right("makers: variational autoencoder", "github.com/pytorch/examples vae, from memory")
def vae():
    """Bernoulli reconstruction and divergence, per picture."""

    def forward(self, x):
        mu, logvar = self.encoder(x.view(-1, 784)).chunk(2, dim=1)
        return self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)), mu, logvar

    x, bce = (3 * blobs(16, 28, 1) - 1).clamp(0, 1), nn.BCELoss(reduction="sum")
    model = Part(forward, encoder=net(784, 100, 20), decoder=nn.Sequential(net(10, 100, 784), nn.Sigmoid()))
    return model, lambda out, x: bce(out[0], x.view(-1, 784)) / len(x) + divergence(*out[1:]), x, x


@right("makers: GAN discriminator", "DCGAN tutorial, from memory")
def discriminator():
    """The discriminator's step: a real and a fake batch, one after the other."""
    layers = [nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(32), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 8), nn.Flatten(0)]
    model = Part(lambda self, real, fake: (self.d(real), self.d(fake)), d=nn.Sequential(*layers))
    fake = torch.tanh(nn.ConvTranspose2d(8, 3, 32)(torch.randn(16, 8, 1, 1)) * 3).detach()
    bce, targets = nn.BCEWithLogitsLoss(), (torch.ones(16), torch.zeros(16))
    return model, lambda out, y: bce(out[0], y[0]) + bce(out[1], y[1]), (2 * blobs() - 1, fake), targets


@right("makers: GAN generator", "DCGAN tutorial, from memory")
def generator():
    """The generator's step: a discriminator that stays as it is shall call its pictures real."""
    ups = [nn.ConvTranspose2d(32, 32, 4, 1, 0, bias=False), nn.BatchNorm2d(32), nn.ReLU(True)]
    ups += [nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)]
    downs = [nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2)]
    netG = nn.Sequential(*ups, nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())
    netD = nn.Sequential(*downs, nn.Conv2d(32, 1, 4), nn.Flatten(0)).requires_grad_(False)
    return nn.Sequential(netG, netD), nn.BCEWithLogitsLoss(), torch.randn(16, 32, 1, 1), torch.ones(16)


@right("makers: character GPT", "nanoGPT-like course exercise, from memory")
def char_gpt():
    """Next characters of a text, the targets shifted by one."""
    text = "the model reads a line of text and then guesses which letter comes after it; we keep what it learns. " * 3
    chars, hidden = sorted(set(text)), torch.ones(24, 24, dtype=torch.bool).triu(1)
    data = torch.tensor([chars.index(c) for c in text]).unfold(0, 25, 1)[torch.randperm(len(text) - 24)[:16]]
    layer = nn.TransformerEncoderLayer(48, 4, 192, 0.1, "gelu", batch_first=True, norm_first=True)
    blocks = nn.TransformerEncoder(layer, 2, nn.LayerNorm(48), enable_nested_tensor=False)
    ends = {"tok": nn.Embedding(len(chars), 48), "pos": nn.Embedding(24, 48), "head": nn.Linear(48, len(chars))}
    model = Part(lambda self, x: self.head(self.gpt(self.tok(x) + self.pos.weight, mask=hidden)), gpt=blocks, **ends)
    return model, lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten()), data[:, :-1], data[:, 1:]


@right("makers: DDPM", "denoising diffusion, many notebooks, from memory")
def ddpm():
    """A convolutional network that knows the time predicts the noise."""
    block = nn.Sequential(nn.GroupNorm(4, 32), nn.SiLU(), nn.Conv2d(32, 32, 3, padding=1), nn.SiLU())
    parts = {"inp": nn.Conv2d(3, 32, 3, padding=1), "block": block, "out": nn.Conv2d(32, 3, 3, padding=1)}
    parts["time"] = nn.Sequential(net(1, 32, 32, act=nn.SiLU), nn.Unflatten(1, (32, 1, 1)))
    x0, t = 2 * blobs(16, 16) - 1, torch.randint(0, 1000, (16,))
    noise, a = torch.randn_like(x0), torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)[t].view(-1, 1, 1, 1)
    model = Part(lambda self, x, t: self.out(self.block(self.inp(x) + self.time(t[:, None] / 1000))), **parts)
    return model, nn.MSELoss(), (a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise


@right("makers: flow matching", "flow matching of two-dimensional points, from memory")
def flow_matching():
    """The velocity from noise to points of two moons on straight paths."""
    angle, x0, t = torch.pi * torch.rand(32), torch.randn(32, 2), torch.rand(32, 1)
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    moons = torch.where(torch.arange(32)[:, None] < 16, upper, torch.tensor([1.0, 0.5]) - upper)
    x1 = (moons - moons.mean(0)) / moons.std(0)
    model = Part(lambda self, x, t: self.v(torch.cat([x, t], dim=-1)), v=net(3, 64, 64, 2, act=nn.SiLU))
    return model, nn.MSELoss(), ((1 - t) * x0 + t * x1, t), x1 - x0


@right("makers: RealNVP", "normalising flow tutorials, from memory")
def real_nvp():
    """Four affine couplings with alternating masks, the negative log-likelihood of standardised columns."""

    def forward(self, x):
        log_det = 0
        for i, coupling in enumerate(self.couplings):
            mask = (torch.arange(6) % 2 == i % 2).float()
            s, t = (coupling(x * mask) * (1 - mask).repeat(2)).chunk(2, dim=1)
            x, log_det = x * s.tanh().exp() + t, log_det + s.tanh().sum(1)
        return -(Normal(0.0, 1.0).log_prob(x).sum(1) + log_det)

    x = torch.randn(32, 3) @ torch.randn(3, 6) + 0.3 * torch.randn(32, 6)
    model = Part(forward, couplings=nn.ModuleList(net(6, 32, 32, 12) for _ in range(4)))
    return model, lambda nll, _: nll.mean(), (x - x.mean(0)) / x.std(0), None


@right("makers: SimCLR", "contrastive learning tutorials, from memory")
def simclr():
    """NT-Xent of two views of each picture, itself left out of the comparison."""
    x, same = (blobs(16, 16) - 0.5) / 0.25, torch.eye(32, dtype=torch.bool)
    views = torch.cat([x + 0.2 * torch.randn_like(x), x.flip(3) * 1.1 + 0.2 * torch.randn_like(x)])
    model = Part(lambda self, x: F.normalize(self.net(x)), net=nn.Sequential(backbone(), net(32, 32, 16)))
    targets = torch.arange(32).roll(16)
    return model, lambda z, y: F.cross_entropy((z @ z.t() / 0.5).masked_fill(same, -1e9), y), views, targets


@right("makers: masked language model", "Hugging Face course, from memory")
def masked_language():
    """A small BERT fills in masked words of padded sentences."""
    sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    model = BertForMaskedLM(BertConfig(vocab_size=60, max_position_embeddings=32, pad_token_id=0, **sizes))
    lengths, place = 8 + torch.randperm(16)[:, None] % 9, torch.arange(16)
    ids = 5 + (torch.randint(0, 55, (16, 1)) + 3 * place) % 55
    ids = torch.where(place == 0, 2, torch.where(place == lengths - 1, 3, ids)) * (place < lengths)
    chosen = ((torch.rand(16, 16) < 0.15) | (place == 3)) & (ids >= 5)
    batch = {"input_ids": ids.masked_fill(chosen, 4), "attention_mask": (place < lengths).long()}
    labels = ids.masked_fill(~chosen, -100)
    return model, lambda out, labels: F.cross_entropy(out.logits.view(-1, 60), labels.view(-1)), batch, labels


@right("makers: BYOL", "bootstrap your own latent, from memory")
def byol():
    """An online network predicts what its slow copy sees in the other view."""
    online, x, cos = nn.Sequential(backbone(), net(32, 64, 16)), (blobs(16, 20) - 0.5) / 0.25, nn.CosineSimilarity()
    views = x[:, :, :16, 2:18] + 0.1 * torch.randn(16, 3, 16, 16), x[:, :, 4:, 3:19].flip(3)
    nets = {"online": online, "q": net(16, 64, 16), "target": deepcopy(online).requires_grad_(False)}
    model = Part(lambda self, a, b: [(self.q(self.online(v)), self.target(w)) for v, w in ((a, b), (b, a))], **nets)
    return model, lambda out, _: sum(2 - 2 * cos(p, z).mean() for p, z in out), views, None


@right("makers: masked autoencoder", "masked autoencoders of pictures, from memory")
def masked_autoencoder():
    """The mean squared error of the hidden patches only."""

    def forward(self, x):
        keep = torch.rand(len(x), 16).argsort(1)[:, :4, None].expand(-1, -1, 48)
        seen = self.encoder((self.embed(x) + self.pos[0]).gather(1, keep))
        full = self.mask_token.expand(len(x), 16, -1).scatter(1, keep, seen)
        return self.pred(self.decoder(full + self.pos[1])), torch.ones(len(x), 16).scatter(1, keep[:, :, 0], 0.0)

    enc, dec = (nn.TransformerEncoderLayer(48, 4, 96, 0.0, "gelu", batch_first=True) for _ in range(2))
    model = Part(forward, embed=nn.Linear(192, 48), pred=nn.Linear(48, 192), encoder=enc, decoder=dec)
    model.pos, model.mask_token = (nn.Parameter(0.02 * torch.randn(*size, 48)) for size in ((2, 16), (1, 1)))
    x = F.unfold((blobs() - 0.5) / 0.25, kernel_size=8, stride=8).transpose(1, 2)
    return model, lambda out, x: (((out[0] - x) ** 2).mean(-1) * out[1]).sum() / out[1].sum(), x, x


@right("makers: triplets", "FaceNet-like exercise, from memory")
def triplets():
    """Anchor, positive and negative pictures through one network."""
    x, order = kinds_of(4, 8)[0], torch.arange(32).view(8, 4)
    trio = x, x[order.roll(1, 0).flatten()], x[order.roll(1, 1).flatten()]
    embed, criterion = nn.Sequential(backbone(), nn.Linear(32, 16)), nn.TripletMarginLoss(margin=0.5)
    model = Part(lambda self, *trio: tuple(F.normalize(self.embed(v), dim=1) for v in trio), embed=embed)
    return model, lambda out, _: criterion(*out), trio, None


@right("makers: Siamese pairs", "contrastive loss of Hadsell and others, from memory")
def siamese():
    """Pairs of the same kind come near, the others get apart up to a margin."""
    (x, y), other = kinds_of(4, 8), torch.cat([torch.arange(4, 20), torch.arange(1, 17)])
    cnn, same = nn.Sequential(backbone(8), nn.Linear(16, 8)), (y == y[other]).float()
    model = Part(lambda self, a, b: F.pairwise_distance(self.cnn(a), self.cnn(b)), cnn=cnn)
    return model, lambda d, y: (y * d**2 + (1 - y) * F.relu(1 - d) ** 2).mean(), (x, x[other]), same


@right("makers: ArcFace", "additive angular margin, from memory")
def arcface():
    """Cosines to class centres, the margin added to the true class's angle."""
    cnn = nn.Sequential(backbone(), nn.Linear(32, 32), nn.BatchNorm1d(32))
    model = Part(lambda self, x: F.normalize(self.cnn(x)) @ F.normalize(self.weight).t(), cnn=cnn)
    model.weight, (x, y), most = nn.Parameter(torch.randn(8, 32)), kinds_of(8, 4), 1 - 1e-6
    return model, lambda c, y: F.cross_entropy(30 * (c.clamp(-most, most).acos() + F.one_hot(y, 8) / 2).cos(), y), x, y


@right("makers: CLIP", "pictures and captions, from memory")
def clip():
    """Pictures and padded captions, compared both ways with a learned temperature."""
    colour, shape, loss = torch.arange(16) // 4, torch.arange(16) % 4, nn.CrossEntropyLoss()
    image, s = (blobs(4, 16)[shape] + torch.rand(4, 3)[colour, :, None, None]) - 1, nn.Parameter(torch.tensor(2.659))
    tokens = torch.stack([colour + 1, shape + 5, (9 + shape % 2) * (colour % 2)], 1)
    texts = nn.Sequential(nn.EmbeddingBag(11, 32, mode="mean", padding_idx=0), net(32, 32, 16))
    parts = {"image": nn.Sequential(backbone(), nn.Linear(32, 16)), "text": texts, "s": s}
    model = Part(lambda self, x, t: self.s.exp() * F.normalize(self.image(x)) @ F.normalize(self.text(t)).t(), **parts)
    return model, lambda s, y: (loss(s, y) + loss(s.t(), y)) / 2, (image / image.std(), tokens), torch.arange(16)


@right("makers: DQN", "deep Q-learning tutorial, from memory")
def dqn():
    """The Huber loss of the taken actions' values towards a target network's."""
    state, action, q_net = torch.randn(32, 4), torch.randint(0, 2, (32,)), net(4, 64, 64, 2)
    next_state = state + 0.1 * torch.stack([state[:, 1], 2.0 * action - 1, state[:, 3], 1 - 2.0 * action], 1)
    alive, target_net = next_state[:, 0].abs() < 1.5, deepcopy(q_net)
    expected = 1 + 0.99 * target_net(next_state).max(1).values.detach() * alive
    return q_net, lambda q, y: F.smooth_l1_loss(q.gather(1, y[0][:, None])[:, 0], y[1]), state, (action, expected)


@right("makers: REINFORCE", "policy gradient of an episode, from memory")
def reinforce():
    """Log-probabilities of an episode's actions times standardised returns."""
    policy = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 2), nn.Softmax(dim=-1))
    states, actions, returns = torch.randn(32, 4), torch.randint(0, 2, (32,)), torch.zeros(33)
    for step in reversed(range(32)):
        returns[step] = float((states[step, 0] > 0) == (actions[step] == 1)) + 0.9 * returns[step + 1]
    returns = (returns[:-1] - returns[:-1].mean()) / (returns[:-1].std() + 1e-8)
    return policy, lambda p, y: -(Categorical(p).log_prob(y[0]) * y[1]).mean(), states, (actions, returns)


@right("makers: behaviour cloning", "imitation learning course, from memory")
def cloning():
    """A policy with bounded actions learns those of an expert."""
    obs = torch.randn(32, 11)
    expert = torch.tanh(obs @ torch.randn(11, 3) / 4 + 0.05 * torch.randn(32, 3))
    return nn.Sequential(net(11, 64, 64, 3, act=nn.Tanh), nn.Tanh()), nn.MSELoss(), obs, expert


@right("makers: A2C", "advantage actor-critic with continuous actions, from memory")
def a2c():
    """A Gaussian policy, a critic and a small bonus for entropy."""

    def loss(outputs, batch):
        (mu, log_std, value), (action, ret) = outputs, batch
        dist = Normal(mu, log_std.exp())
        actor = -(dist.log_prob(action).sum(-1) * (ret - value).detach()).mean()
        return actor + 0.5 * F.mse_loss(value, ret) - 0.01 * dist.entropy().sum(-1).mean()

    nets = {"mu": net(3, 32, 2, act=nn.Tanh), "value": net(3, 32, 1, act=nn.Tanh)}
    model = Part(lambda self, s: (self.mu(s), self.log_std.expand(len(s), 2), self.value(s).squeeze(-1)), **nets)
    model.log_std, obs, action = nn.Parameter(torch.zeros(2)), torch.randn(32, 3), torch.randn(32, 2)
    return model, loss, obs, (action, obs[:, 0] - (action - obs[:, 1:]).pow(2).mean(1) / 2)


@right("makers: PPO", "CleanRL-like PPO, from memory")
def ppo():
    """The clipped ratio, the value's error and the entropy of one minibatch."""

    def ppo_loss(outputs, batch):
        (dist, value), (actions, old_logp, adv, returns) = outputs, batch
        ratio = (dist.log_prob(actions) - old_logp).exp()
        pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(0.8, 1.2)).mean()
        return pg_loss + 0.5 * F.mse_loss(value, returns) - 0.01 * dist.entropy().mean()

    nets, obs = {"pi": net(8, 64, 64, 4, act=nn.Tanh), "v": net(8, 64, 64, 1, act=nn.Tanh)}, torch.randn(32, 8)
    agent = Part(lambda self, s: (Categorical(logits=self.pi(s)), self.v(s).squeeze(-1)), **nets)
    old, value = agent(obs)
    actions = old.sample()
    returns = obs.gather(1, actions[:, None]).squeeze(1) + 0.5 * obs[:, 7]
    adv = returns - value.detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    return agent, ppo_loss, obs, (actions, old.log_prob(actions).detach(), adv, returns)


@right("makers: soft labels", "knowledge distillation tutorial, from memory")
def soft_labels():
    """A student learns from a teacher's softened scores and from the labels."""
    (x, y), kl, T = kinds_of(8, 4), nn.KLDivLoss(reduction="batchmean"), 4.0
    soft = F.softmax((6.0 * F.one_hot(y, 8) + (torch.randn(8, 8) + 0.2 * torch.randn(4, 8, 8)).flatten(0, 1)) / T, 1)
    model, ce = nn.Sequential(backbone(8), nn.Linear(16, 8)), nn.CrossEntropyLoss()
    return model, lambda s, t: 0.7 * T**2 * kl(F.log_softmax(s / T, 1), t[1]) + 0.3 * ce(s, t[0]), x, (y, soft)


@right("makers: feature hints", "FitNets and the distillation tutorial, from memory")
def hints():
    """A student's feature map, widened by a regressor, comes near to the teacher's."""
    (x, y), teacher, mse = kinds_of(4, 4), backbone()[:6].eval(), nn.MSELoss()
    student = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU())
    classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
    model = nn.Sequential(student, Heads(True, classifier=classifier, regressor=nn.Conv2d(16, 32, 1)))
    return model, lambda o, t: F.cross_entropy(o[0], t[0]) + 0.5 * mse(o[1], t[1]), x, (y, teacher(x).detach())


@right("makers: two heads", "multi-task faces, from memory")
def two_heads():
    """A shared network with a head for the standardised age and one for a yes or no."""
    x, y = kinds_of(8, 4, 24)
    target = {"age": (y + 0.3 * torch.randn(32) - 3.5) / 2.3, "smile": (y % 2).float()}
    losses = {"age": nn.SmoothL1Loss(), "smile": nn.BCEWithLogitsLoss()}
    model = nn.Sequential(backbone(), Heads(**{k: nn.Sequential(nn.Linear(32, 1), nn.Flatten(0)) for k in losses}))
    return model, lambda out, y: sum(losses[k](out[k], y[k]) for k in losses), x, target


@right("makers: learned task weights", "homoscedastic uncertainty of Kendall and others, from memory")
def task_weights():
    """Depth and segmentation, weighted by a learned log-variance each."""
    image, mse, ce = blobs(8, 16), nn.MSELoss(), nn.CrossEntropyLoss()
    depth = (image.mean(1, keepdim=True) - image.mean()) / image.mean(1).std()
    body = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())
    body.append(Heads(True, depth=nn.Conv2d(16, 1, 1), seg=nn.Conv2d(16, 3, 1)))
    model = Part(lambda self, x: (*self.body(x), *self.log_vars), body=body, log_vars=nn.Parameter(torch.zeros(2)))
    x, y = (image - 0.5) / 0.25, (depth, image.argmax(1))
    return model, lambda o, y: (mse(o[0], y[0]) / o[2].exp() + o[2] + o[3]) / 2 + ce(o[1], y[1]) / o[3].exp(), x, y


def communities(nodes: int = 32, groups: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Node groups, an adjacency that prefers the same group, and the same normalised with self-loops."""
    y = torch.arange(nodes) % groups
    adj = (torch.rand(nodes, nodes) < torch.where(y[:, None] == y, 0.5, 0.05)).float().triu(1)
    loops = adj + adj.t() + torch.eye(nodes)
    return y, adj, loops.sum(1, keepdim=True).rsqrt() * loops * loops.sum(1).rsqrt()


@right("makers: GCN nodes", "semi-supervised Cora, from memory")
def gcn():
    """Two graph convolutions, the loss of the labelled nodes only."""
    y, _, a_hat = communities()
    words = (torch.rand(32, 40) < torch.where(torch.arange(40) % 4 == y[:, None], 0.4, 0.1)).float()
    x, train = words / words.sum(1, keepdim=True).clamp(min=1), torch.arange(32) < 16
    parts = {"w1": nn.Linear(40, 16), "act": nn.Sequential(nn.ReLU(), nn.Dropout(0.5)), "w2": nn.Linear(16, 4)}
    model = Part(lambda self, x, a: F.log_softmax(a @ self.w2(self.act(a @ self.w1(x))), dim=1), **parts)
    return model, lambda out, y: F.nll_loss(out[train], y[train]), (x, a_hat), y


@right("makers: GIN graphs", "graph classification, from memory")
def gin():
    """Rings and stars of different sizes, batched as one large graph."""

    def forward(self, x, edge_index, batch):
        for mlp in self.convs:
            x = mlp(x + torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]])).relu()
        return self.lin(x.new_zeros(16, x.shape[1]).index_add(0, batch, x) / batch.bincount()[:, None])

    edges, batch = [], []
    for graph in range(16):
        size, start = 5 + graph // 4, len(batch)
        edges += [(start + i, start + (0 if graph % 2 else (i + 1) % size)) for i in range(graph % 2, size)]
        batch += [graph] * size
    edge_index = torch.tensor(edges + [(b, a) for a, b in edges]).t()
    convs = [nn.Sequential(nn.Linear(a, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16)) for a in (8, 16)]
    model = Part(forward, convs=nn.ModuleList(convs), lin=nn.Linear(16, 2))
    graphs = F.one_hot(edge_index[1].bincount(), 8).float(), edge_index, torch.tensor(batch)
    return model, nn.CrossEntropyLoss(), graphs, torch.arange(16) % 2


@right("makers: link prediction", "graph autoencoder, from memory")
def links():
    """Inner products of node embeddings tell edges from as many pairs without one."""
    y, adj, a_hat = communities()
    edges, free = adj.nonzero().t(), (1 - adj).triu(1).nonzero().t()
    pairs = torch.cat([edges, free[:, torch.randperm(free.shape[1])[: edges.shape[1]]]], 1)
    x, label = F.one_hot(y, 4) + 0.5 * torch.randn(32, 4), (torch.arange(pairs.shape[1]) < edges.shape[1]).float()
    convs = {"conv1": nn.Linear(4, 32), "conv2": nn.Linear(32, 16)}
    model = Part(lambda self, x, a, ij: (a @ self.conv2(F.relu(a @ self.conv1(x))))[ij].prod(0).sum(-1), **convs)
    return model, nn.BCEWithLogitsLoss(), (x, a_hat, pairs), label


@right("makers: oscillator", "physics-informed networks, damped oscillator, from memory")
def oscillator():
    """The residual of u'' + u' + 9u = 0 and its start at one, without speed."""

    def forward(self, t):
        u = self.u(t := t.detach().requires_grad_(True))
        du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        return torch.autograd.grad(du.sum(), t, create_graph=True)[0] + du + 9 * u, u[0], du[0]

    model, mse, t = Part(forward, u=net(1, 32, 32, 1, act=nn.Tanh)), nn.MSELoss(), torch.linspace(0, 2, 32)[:, None]
    target = torch.zeros(32, 1), torch.ones(1), torch.zeros(1)
    return model, lambda out, y: sum(w * mse(*pair) for w, *pair in zip((0.01, 1, 0.1), out, y, strict=True)), t, target


@right("makers: heat", "physics-informed networks, heat equation, from memory")
def heat():
    """The heat equation's residual inside, and known values at the start and at both ends."""

    def forward(self, inside, edge):
        inside = inside.detach().requires_grad_(True)
        first = torch.autograd.grad(self.u(inside).sum(), inside, create_graph=True)[0]
        second = torch.autograd.grad(first[:, 0].sum(), inside, create_graph=True)[0]
        return first[:, 1:] - 0.1 * second[:, :1], self.u(edge)

    inside = torch.rand(32, 2) * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0])
    x, t = torch.linspace(-1, 1, 16), torch.linspace(0, 1, 8)
    edge = torch.stack([torch.cat([x, torch.ones(8), -torch.ones(8)]), torch.cat([torch.zeros(16), t, t])], 1)
    known = torch.cat([-torch.sin(torch.pi * x), torch.zeros(16)])[:, None]
    model = Part(forward, u=net(2, 32, 32, 1, act=nn.Tanh))
    return model, lambda out, known: out[0].pow(2).mean() + F.mse_loss(out[1], known), (inside, edge), known
