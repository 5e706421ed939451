"""Set-ups of the twenty-sixth round (a doctoral student's), ordinary right ones, written without knowing the checks."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N
from doctor_exam.round_parts import Part

TWENTY_SIX_RESEARCHER = CaseSet()
right = TWENTY_SIX_RESEARCHER.right


def smooth(channels: int, size: int, count: int = N) -> Tensor:
    """Smooth random pictures with values from 0 to 1."""
    return F.interpolate(torch.rand(count, channels, size // 4, size // 4), size, mode="bilinear")


def pictures_of(y: Tensor, channels: int = 1, size: int = 28) -> Tensor:
    """Normalised pictures that look alike within a class."""
    x = smooth(channels, size, int(y.max()) + 1)[y] + 0.1 * torch.randn(len(y), channels, size, size)
    return (x - x.mean()) / x.std()


def moons() -> Tensor:
    """Standardised points of the two moons."""
    a, b = torch.pi * torch.rand(2, 16)
    points = torch.cat([torch.stack([a.cos(), a.sin()], 1), torch.stack([1 - b.cos(), 0.5 - b.sin()], 1)])
    return (points - points.mean(0)) / points.std(0) + 0.05 * torch.randn(32, 2)


def encoder(channels: int, dim: int) -> nn.Sequential:
    """A small convolutional network that gives a vector for each picture."""
    first = [nn.Conv2d(channels, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU()]
    second = [nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16)]
    return nn.Sequential(*first, *second, nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, dim))


def trained(teacher: nn.Module, x: Tensor, y: Tensor) -> nn.Module:
    """A teacher after a few steps of training, frozen."""
    optimizer = torch.optim.Adam(teacher.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(teacher(x), y).backward()
        optimizer.step()
    return teacher.eval().requires_grad_(False)


@right("researcher: VAE of digits", "github.com/pytorch/examples vae, from memory")
def digits_vae():
    """Binary cross-entropy summed over the pixels, plus the divergence from a standard normal."""

    def forward(self, x):
        mu, logvar = self.encode(x).chunk(2, dim=1)
        return self.decode(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)), mu, logvar

    def loss_function(outputs, x):
        recon_x, mu, logvar = outputs
        return F.binary_cross_entropy(recon_x, x, reduction="sum") - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()

    encode = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16))
    decode = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())
    x = (3 * smooth(1, 28) - 1).clamp(0, 1).flatten(1)
    return Part(forward, encode=encode, decode=decode), loss_function, x, x


@right("researcher: denoising autoencoder", "keras.io blog on autoencoders, as ported to PyTorch")
def denoising():
    """Noisy pictures in, clean ones out."""
    down = [nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()]
    up = [nn.ConvTranspose2d(32, 16, 2, 2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, 2), nn.Sigmoid()]
    clean = smooth(1, 28)
    return nn.Sequential(*down, *up), nn.MSELoss(), (clean + 0.3 * torch.randn_like(clean)).clamp(0, 1), clean


@right("researcher: DDPM", "Hugging Face diffusers training tutorial, from memory")
def ddpm():
    """A one-level U-Net predicts the noise from the noisy picture and the step."""

    def forward(self, x, t):
        angles, skip = t[:, None] * 10000 ** -(torch.arange(16) / 16), self.inp(x)
        h = self.down(skip) + self.time(torch.cat([angles.sin(), angles.cos()], dim=-1))[:, :, None, None]
        return self.out(torch.cat([self.up(h + self.mid(h)), skip], dim=1))

    convs = dict(inp=nn.Conv2d(1, 16, 3, 1, 1), down=nn.Conv2d(16, 32, 3, 2, 1), up=nn.ConvTranspose2d(32, 16, 2, 2))
    mid, out = (nn.Sequential(nn.GroupNorm(4, 32), nn.SiLU(), nn.Conv2d(32, n, 3, padding=1)) for n in (32, 1))
    x0, t, noise = 2 * smooth(1, 16) - 1, torch.randint(0, 1000, (N,)), torch.randn(N, 1, 16, 16)
    a = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), dim=0)[t].view(-1, 1, 1, 1)
    time = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
    model = Part(forward, **convs, mid=mid, out=out, time=time)
    return model, F.mse_loss, (a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise


@right("researcher: flow matching of two moons", "facebookresearch/flow_matching 2D example, from memory")
def flow_matching():
    """The velocity of straight lines from noise to data."""
    net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
    model = Part(lambda self, x_t, t: self.net(torch.cat([x_t, t], dim=-1)), net=net)
    x0, x1, t = torch.randn(32, 2), moons(), torch.rand(32, 1)
    return model, nn.MSELoss(), ((1 - t) * x0 + t * x1, t), x1 - x0


@right("researcher: RealNVP of two moons", "own, as in many a notebook")
def real_nvp():
    """Four affine couplings with a flip between them, trained by the likelihood."""

    def forward(self, x):
        log_det = 0
        for net in self.nets:
            a, b = x.chunk(2, dim=1)
            s, shift = net(a).chunk(2, dim=1)
            x, log_det = torch.cat([b * s.tanh().exp() + shift, a], dim=1), log_det + s.tanh().sum(dim=1)
        return Normal(0.0, 1.0).log_prob(x).sum(dim=1) + log_det

    nets = nn.ModuleList(nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(4))
    return Part(forward, nets=nets), lambda log_prob, _: -log_prob.mean(), moons(), None


@right("researcher: DCGAN's discriminator", "pytorch.org/tutorials dcgan_faces_tutorial, from memory")
def discriminator():
    """Real pictures are told from a generator's, each in a batch of its own."""
    make = [nn.ConvTranspose2d(16, 8, 4, 1, 0), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 4), nn.Tanh()]
    layers = [nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 4, 2, 1), nn.BatchNorm2d(16)]
    main = nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 4, 1, 0), nn.Sigmoid())
    netD = Part(lambda self, real, fake: (self.main(real).view(-1), self.main(fake).view(-1)), main=main)
    pictures = 2 * smooth(3, 16) - 1, nn.Sequential(*make)(torch.randn(N, 16, 1, 1)).detach()
    return netD, lambda d, y: sum(map(F.binary_cross_entropy, d, y)), pictures, (torch.ones(N), torch.zeros(N))


@right("researcher: SimCLR", "github.com/sthalles/SimCLR, from memory")
def simclr():
    """Two views of each picture find each other among all others."""

    def nt_xent(z, _, temperature=0.5):
        z = F.normalize(z, dim=1)
        sim = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
        return F.cross_entropy(sim, torch.arange(len(z)).roll(len(z) // 2))

    x = (smooth(3, 32) - 0.5) / 0.25
    first = x * (0.8 + 0.4 * torch.rand(N, 1, 1, 1)) + 0.1 * torch.randn_like(x)
    model = nn.Sequential(encoder(3, 64), nn.ReLU(), nn.Linear(64, 32))
    return model, nt_xent, torch.cat([first, x.flip(3) + 0.1 * torch.randn_like(x)]), None


@right("researcher: supervised contrastive", "HobbitLong/SupContrast, from memory")
def supcon():
    """Four classes with four pictures each, on the unit sphere."""

    def sup_con_loss(features, labels):
        itself = torch.eye(len(labels), dtype=torch.bool)
        positive = (labels[:, None] == labels[None, :]) & ~itself
        logits = features @ features.T / 0.1
        log_prob = logits - torch.logsumexp(logits.masked_fill(itself, -1e9), dim=1, keepdim=True)
        return -((log_prob * positive).sum(1) / positive.sum(1)).mean()

    labels, net = torch.arange(4).repeat_interleave(4), nn.Sequential(encoder(3, 32), nn.ReLU(), nn.Linear(32, 16))
    return Part(lambda self, x: F.normalize(self.net(x)), net=net), sup_con_loss, pictures_of(labels, 3, 32), labels


@right("researcher: triplets", "adambielski/siamese-triplet, from memory")
def triplets():
    """Anchor, positive and negative go through one network."""
    y, triplet = torch.arange(N) % 4, nn.TripletMarginLoss(margin=1.0)
    x = pictures_of(torch.cat([y, y, (y + 1 + torch.arange(N) // 4 % 3) % 4]))
    model = Part(lambda self, a, p, n: (self.net(a), self.net(p), self.net(n)), net=encoder(1, 16))
    return model, lambda outputs, _: triplet(*outputs), x.chunk(3), None


@right("researcher: siamese pairs", "Hadsell's loss as in many a blog")
def siamese():
    """Pairs of the same class are close, others a margin apart."""
    first, same = torch.arange(N) % 5, torch.arange(N) % 2
    x = pictures_of(torch.cat([first, torch.where(same == 1, first, (first + 1) % 5)]))
    model = Part(lambda self, a, b: F.pairwise_distance(self.tower(a), self.tower(b)), tower=encoder(1, 8))
    return model, lambda d, same: (same * d**2 + (1 - same) * F.relu(1.0 - d) ** 2).mean(), x.chunk(2), same.float()


@right("researcher: CLIP", "mlfoundations/open_clip, from memory")
def clip():
    """Each picture finds its caption and the other way round."""

    def forward(self, image, text):
        pad = text == 0
        h = self.block(self.token(text) + self.position, src_key_padding_mask=pad).masked_fill(pad[..., None], 0)
        words = F.normalize(self.project(h.sum(1) / (~pad).sum(1, keepdim=True)), dim=-1)
        return self.scale.exp() * F.normalize(self.visual(image), dim=-1) @ words.T

    image = smooth(3, 32)
    text = 1 + (48 * F.adaptive_avg_pool2d(image.mean(1), (2, 5)).flatten(1)).long()
    text[torch.arange(10) >= torch.randint(4, 11, (N, 1))] = 0
    block = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    free = {"position": nn.Parameter(0.02 * torch.randn(10, 32)), "scale": nn.Parameter(torch.tensor(1 / 0.07).log())}
    texts = {"token": nn.Embedding(50, 32, padding_idx=0), "project": nn.Linear(32, 32, bias=False)}
    model, ce = Part(forward, **texts, **free, visual=encoder(3, 32), block=block), nn.CrossEntropyLoss()
    return model, lambda s, y: (ce(s, y) + ce(s.T, y)) / 2, ((image - 0.5) / 0.25, text), torch.arange(N)


@right("researcher: prototypical network", "Snell's few-shot networks, from memory")
def prototypes():
    """Five ways, three shots: minus the squared distance to each class's mean is the score."""
    y = torch.arange(5).repeat_interleave(3)
    support, query = pictures_of(torch.cat([y, y])).chunk(2)
    model = Part(lambda net, s, q: -torch.cdist(net.f(q), net.f(s).view(5, 3, -1).mean(1)).pow(2), f=encoder(1, 16))
    return model, nn.CrossEntropyLoss(), (support, query), y


@right("researcher: distillation of logits", "pytorch.org/tutorials knowledge_distillation_tutorial, from memory")
def distillation():
    """A student learns from softened scores of a trained teacher and from the labels."""
    y, T = torch.arange(30) % 10, 4.0
    x = pictures_of(y)
    teacher = trained(nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)), x, y)
    student = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10))

    def kd_loss(logits, targets):
        soft, log_p = F.softmax(targets[1] / T, dim=-1), F.log_softmax(logits / T, dim=-1)
        return 0.7 * T * T * F.kl_div(log_p, soft, reduction="batchmean") + 0.3 * F.cross_entropy(logits, targets[0])

    return student, kd_loss, x, (y, teacher(x))


@right("researcher: distillation of features", "FitNets as in many a repository")
def hints():
    """A student's map is led to a frozen teacher's by a 1x1 convolution, next to its own labels."""
    y = torch.arange(N) % 4
    x, body = pictures_of(y, 3, 16), nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
    trained(nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4)), x, y)
    fc = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    ends = Heads(as_tuple=True, fc=fc, regressor=nn.Conv2d(8, 32, 1))
    student = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), ends)
    return student, lambda o, t: F.cross_entropy(o[0], t[0]) + F.mse_loss(o[1], t[1]), x, (y, body(x))


@right("researcher: DQN", "pytorch.org/tutorials reinforcement_q_learning, from memory")
def dqn():
    """A Huber loss of the taken action's value against the target network's."""
    policy_net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    target_net, state, action = deepcopy(policy_net), 0.5 * torch.randn(32, 4), torch.arange(32) % 2
    next_state = state + 0.05 * torch.randn(32, 4)
    with torch.no_grad():
        target = torch.ones(32) + 0.99 * (next_state[:, 2].abs() < 0.7) * target_net(next_state).max(dim=1).values
    return policy_net, lambda q, b: F.smooth_l1_loss(q.gather(1, b[0])[:, 0], b[1]), state, (action[:, None], target)


@right("researcher: REINFORCE", "github.com/pytorch/examples reinforce, from memory")
def reinforce():
    """An episode of CartPole with standardised returns."""
    policy = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=1))
    states, returns = 0.1 * torch.randn(24, 4).cumsum(0), (0.99 ** torch.arange(24)).cumsum(0).flip(0)
    batch = Categorical(policy(states).detach()).sample(), (returns - returns.mean()) / returns.std()
    return policy, lambda probs, b: -(Categorical(probs).log_prob(b[0]) * b[1]).sum(), states, batch


@right("researcher: PPO", "CleanRL's ppo_continuous_action, from memory")
def ppo():
    """A clipped ratio, a value's squared error and an entropy bonus."""

    def forward(self, obs):
        return self.actor(obs), self.log_std.exp(), self.critic(obs).squeeze(-1)

    def ppo_loss(outputs, batch):
        (mean, std, value), (action, old_log_prob, advantage, ret) = outputs, batch
        dist = Normal(mean, std.expand_as(mean))
        ratio = (dist.log_prob(action).sum(-1) - old_log_prob).exp()
        surrogate = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        return -surrogate.mean() + 0.5 * F.mse_loss(value, ret) - 0.01 * dist.entropy().sum(-1).mean()

    nets = [nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, n)) for n in (2, 1)]
    agent, obs = Part(forward, actor=nets[0], critic=nets[1], log_std=nn.Parameter(torch.zeros(2))), torch.randn(32, 8)
    mean, std, value = (output.detach() for output in agent(obs))
    action = torch.normal(mean, std.expand_as(mean))
    ret = obs[:, 0] + 0.5 * obs[:, 1] * action[:, 0]
    advantage = (ret - value - (ret - value).mean()) / (ret - value).std()
    return agent, ppo_loss, obs, (action, Normal(mean, std).log_prob(action).sum(-1), advantage, ret)


@right("researcher: GCN of a citation graph", "tkipf/pygcn, from memory")
def gcn():
    """Two graph convolutions with dropout; the loss is of the labelled nodes."""

    def forward(self, x, adj):
        x = F.dropout(F.relu(adj @ self.gc1(x)), 0.5, self.training)
        return F.log_softmax(adj @ self.gc2(x), dim=1)

    y = torch.arange(32) % 4
    words = (torch.rand(32, 40) < 0.1 + 0.4 * (torch.arange(40) % 4 == y[:, None])).float()
    upper = (torch.rand(32, 32) < 0.02 + 0.3 * (y[:, None] == y)).float().triu(1)
    adj = upper + upper.T + torch.eye(32)
    inputs = (words / words.sum(1, keepdim=True).clamp(min=1), adj * adj.sum(1).rsqrt() * adj.sum(1, True).rsqrt())
    model = Part(forward, gc1=nn.Linear(40, 16), gc2=nn.Linear(16, 4))
    return model, lambda out, y: F.nll_loss(out[:16], y[:16]), inputs, y


@right("researcher: GIN of molecules", "PyTorch Geometric's MUTAG notebook, without the library")
def molecules():
    """Sums over neighbours, a sum over each molecule, two classes."""

    def forward(self, x, edge_index, batch):
        for conv in self.convs:
            x = F.relu(conv(x + torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]])))
        return self.lin(x.new_zeros(int(batch.max()) + 1, x.shape[1]).index_add(0, batch, x))

    batch = torch.arange(N).repeat_interleave(torch.randint(5, 10, (N,)))
    atoms = F.one_hot(torch.randint(0, 4, (len(batch),)), 4).float()
    i = torch.arange(len(batch) - 1)[batch[1:] == batch[:-1]]
    edges = torch.stack([torch.cat([i, i + 1]), torch.cat([i + 1, i])])
    carbon = torch.zeros(N).index_add(0, batch, atoms[:, 0])
    y = torch.zeros(N, dtype=torch.long).index_fill(0, carbon.argsort()[N // 2 :], 1)
    convs = nn.ModuleList(nn.Sequential(nn.Linear(n, 32), nn.ReLU(), nn.Linear(32, 32)) for n in (4, 32))
    return Part(forward, convs=convs, lin=nn.Linear(32, 2)), nn.CrossEntropyLoss(), (atoms, edges, batch), y


@right("researcher: PINN of the heat equation", "own, as in many a physics notebook")
def heat():
    """The residual inside, a sine at the start, zero at the ends of the rod."""

    def forward(self, inside, start, ends):
        inside = inside.clone().requires_grad_(True)
        du = torch.autograd.grad(self.net(inside).sum(), inside, create_graph=True)[0]
        u_xx = torch.autograd.grad(du[:, :1].sum(), inside, create_graph=True)[0][:, :1]
        return du[:, 1:] - 0.1 * u_xx, self.net(start), self.net(ends)

    net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    x, zero, ends = torch.rand(32, 1), torch.zeros(32, 1), torch.stack([torch.arange(32) % 2, torch.rand(32)], dim=1)
    points, goals = (torch.rand(32, 2), torch.cat([x, zero], dim=1), ends), (zero, torch.sin(torch.pi * x), zero)
    return Part(forward, net=net), lambda u, goals: sum(map(F.mse_loss, u, goals)), points, goals
