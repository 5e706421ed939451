"""More set-ups of the twenty-fourth round (metrics, games, equations, graphs), written without knowing the checks."""

import copy
import math

import torch
from torch import nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part

MORE = CaseSet()
right = MORE.right


@right("supervised contrast", "github.com/HobbitLong/SupContrast")
def supervised_contrast():
    """Two views of each sample; all views of the same class are positives."""

    def forward(self, one, two):
        f1, f2 = torch.split(F.normalize(self.net(torch.cat([one, two])), dim=1), [N, N], dim=0)
        return torch.cat([f1.unsqueeze(1), f2.unsqueeze(1)], dim=1)

    def loss(features, labels):
        mask = torch.eq(labels[:, None], labels[None]).float().repeat(2, 2)
        features = torch.cat(torch.unbind(features, dim=1), dim=0)
        logits = features @ features.T / 0.07
        logits = logits - logits.max(dim=1, keepdim=True)[0].detach()
        others = 1 - torch.eye(2 * N)
        mask = mask * others
        log_prob = logits - torch.log((torch.exp(logits) * others).sum(1, keepdim=True))
        return -(0.07 / 0.07) * ((mask * log_prob).sum(1) / mask.sum(1)).view(2, N).mean()

    y = classes(4)
    x = torch.randn(4, 8)[y] + 0.3 * inputs()
    views = tuple(x + 0.1 * torch.randn_like(x) for _ in range(2))
    return Part(forward, net=mlp(16)), loss, views, y


@right("prototypes", "github.com/orobix/Prototypical-Networks-for-Few-shot-Learning-in-PyTorch")
def prototypes():
    """Queries by the squared distance to the mean of each class's five support samples."""

    def loss(out, target):
        named = torch.unique(target)
        where = [target.eq(c).nonzero().squeeze(1) for c in named]
        means = torch.stack([out[rows[:5]].mean(0) for rows in where])
        queries = out[torch.stack([rows[5:] for rows in where]).view(-1)]
        log_p = F.log_softmax(-torch.pow(queries[:, None] - means[None], 2).sum(2), dim=1).view(len(named), 3, -1)
        right_ones = torch.arange(len(named)).view(-1, 1, 1).expand(-1, 3, 1)
        return -log_p.gather(2, right_ones).squeeze().view(-1).mean()

    y = torch.arange(4).repeat_interleave(8)[torch.randperm(32)]
    x = torch.rand(4, 1, 16, 16)[y].round() * (torch.rand(32, 1, 16, 16) > 0.2)
    blocks = [
        (nn.Conv2d(before, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)) for before in (1, 16, 16)
    ]
    return nn.Sequential(*sum(blocks, ()), nn.Flatten()), loss, x, y


@right("ArcFace", "github.com/ronghuaiyang/arcface-pytorch")
def arcface():
    """Cosines to the classes' directions, the right one with an angle added, times 30."""

    def forward(self, x, label):
        cosine = F.linear(F.normalize(self.net(x)), F.normalize(self.weight))
        sine = torch.sqrt((1.0 - torch.pow(cosine, 2)).clamp(0, 1))
        phi = cosine * math.cos(0.5) - sine * math.sin(0.5)
        phi = torch.where(cosine > math.cos(math.pi - 0.5), phi, cosine - math.sin(math.pi - 0.5) * 0.5)
        one_hot = torch.zeros(cosine.size()).scatter_(1, label.view(-1, 1).long(), 1)
        return (one_hot * phi + (1.0 - one_hot) * cosine) * 30.0

    weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(6, 16)))
    y = classes(6)
    return (
        Part(forward, net=mlp(16), weight=weight),
        nn.CrossEntropyLoss(),
        (torch.randn(6, 8)[y] + 0.3 * inputs(), y),
        y,
    )


@right("C51", "github.com/vwxyzjn/cleanrl c51.py")
def c51():
    """The chosen action's distribution of returns against the projected target distribution."""

    def forward(self, x, action):
        pmfs = torch.softmax(self.net(x).view(len(x), 2, 51), dim=2)
        return pmfs[torch.arange(len(x)), action]

    def loss(old, target):
        return (-(target * old.clamp(min=1e-5, max=1 - 1e-5).log()).sum(-1)).mean()

    net = nn.Sequential(nn.Linear(4, 60), nn.ReLU(), nn.Linear(60, 42), nn.ReLU(), nn.Linear(42, 102))
    b = (1 + 0.99 * (torch.linspace(-100, 100, 51) + 0 * torch.rand(N, 1))).clamp(-100, 100) / 4 + 25
    b, old, target = b.clamp(0, 50), torch.softmax(torch.randn(N, 51), 1), torch.zeros(N, 51)
    low, high = b.floor().clamp(0, 50), b.ceil().clamp(0, 50)
    target.scatter_add_(1, low.long(), (high + (low == high).float() - b) * old)
    target.scatter_add_(1, high.long(), (b - low) * old)
    return Part(forward, net=net), loss, (inputs(4), classes(2)), target


@right("A2C", "github.com/ikostrikov/pytorch-a2c-ppo-acktr-gail")
def a2c():
    """Values towards returns, actions by advantages without gradient, a little entropy."""

    def forward(self, x, action):
        dist = Categorical(logits=self.dist(self.actor(x)))
        return self.value(self.critic(x)), dist.log_prob(action.squeeze(-1)).unsqueeze(-1), dist.entropy().mean()

    def loss(out, returns):
        values, log_probs, entropy = out
        advantages = returns - values
        return advantages.pow(2).mean() * 0.5 - (advantages.detach() * log_probs).mean() - entropy * 0.01

    parts = {k: mlp(32, nn.Tanh(), hidden=nn.Tanh) for k in ("actor", "critic")}
    x = inputs()
    model = Part(forward, **parts, dist=nn.Linear(32, 3), value=nn.Linear(32, 1))
    return model, loss, (x, classes(3, 1)), x[:, :1] + 0.1 * inputs(1) + 1


@right("TD3's two critics", "github.com/sfujim/TD3")
def td3():
    """Both critics of state and action towards the smaller target value."""

    def forward(self, state, action):
        sa = torch.cat([state, action], 1)
        return self.q1(sa), self.q2(sa)

    def loss(out, target):
        return F.mse_loss(out[0], target) + F.mse_loss(out[1], target)

    model = Part(forward, q1=mlp(1), q2=mlp(1))
    state, action = inputs(6), inputs(2).clamp(-1, 1)
    with torch.no_grad():
        reward, not_done = state[:, :1] - 0.1 * action.pow(2).sum(1, keepdim=True), (torch.rand(N, 1) > 0.1).float()
        later = copy.deepcopy(model)(state + 0.1 * inputs(6), (action + 0.1 * inputs(2)).clamp(-1, 1))
        target = reward + not_done * 0.99 * torch.min(*later)
    return model, loss, (state, action), target


@right("policy gradient of normals", "github.com/openai/spinningup vpg")
def vpg():
    """Log-probabilities of the actions taken, times normalised advantages."""

    def forward(self, obs, act):
        return Normal(self.mu(obs), torch.exp(self.log_std)).log_prob(act).sum(axis=-1)

    def loss(logp, adv):
        return -(logp * adv).mean()

    model = Part(forward, mu=mlp(2, hidden=nn.Tanh), log_std=nn.Parameter(-0.5 * torch.ones(2)))
    obs, adv = inputs(), torch.randn(N)
    with torch.no_grad():
        act = torch.normal(model.mu(obs), model.log_std.exp().expand(N, 2))
    return model, loss, (obs, act), (adv - adv.mean()) / adv.std()


@right("Burgers' equation", "github.com/jayroxis/PINNs")
def burgers():
    """Start and edges as data, the equation's residual at points inside."""

    def forward(self, x_u, t_u, x_f, t_f):
        x, t = (v.detach().requires_grad_(True) for v in (x_f, t_f))
        u = self.net(torch.cat([x, t], 1))
        u_x, u_t = torch.autograd.grad(u, (x, t), torch.ones_like(u), create_graph=True)
        u_xx = torch.autograd.grad(u_x, x, torch.ones_like(u_x), create_graph=True)[0]
        return self.net(torch.cat([x_u, t_u], 1)), u_t + u * u_x - (0.01 / math.pi) * u_xx

    def loss(out, u):
        return torch.mean((u - out[0]) ** 2) + torch.mean(out[1] ** 2)

    net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    x0, edge = torch.linspace(-1, 1, 16)[:, None], torch.ones(8, 1)
    x_u, t_u = torch.cat([x0, edge, -edge]), torch.cat([torch.zeros(16, 1), torch.rand(16, 1)])
    u = torch.cat([-torch.sin(math.pi * x0), torch.zeros(16, 1)])
    return Part(forward, net=net), loss, (x_u, t_u, torch.rand(32, 1) * 2 - 1, torch.rand(32, 1)), u


@right("graph attention", "github.com/Diego999/pyGAT")
def graph_attention():
    """Papers' classes by attention over neighbours, the loss on the training papers only."""

    def attend(self, w, a, h, adj):
        wh = h @ w
        e = F.leaky_relu(wh @ a[: w.shape[1]] + (wh @ a[w.shape[1] :]).T, 0.2)
        attention = F.softmax(torch.where(adj > 0, e, -9e15 * torch.ones_like(e)), dim=1)
        return F.dropout(attention, 0.6, training=self.training) @ wh

    def forward(self, x, adj):
        x = F.dropout(x, 0.6, training=self.training)
        x = torch.cat([F.elu(attend(self, w, a, x, adj)) for w, a in zip(self.ws, self.heads, strict=True)], dim=1)
        x = F.dropout(x, 0.6, training=self.training)
        return F.log_softmax(F.elu(attend(self, self.w, self.a, x, adj)), dim=1)

    def loss(out, y):
        return F.nll_loss(out[:20], y[:20])

    def weights(*shape):
        return nn.Parameter(nn.init.xavier_uniform_(torch.empty(*shape), gain=1.414))

    model = Part(forward, ws=nn.ParameterList(weights(24, 8) for _ in range(4)), w=weights(32, 3), a=weights(6, 1))
    model.heads = nn.ParameterList(weights(16, 1) for _ in range(4))
    y = torch.randint(0, 3, (32,))
    words = (torch.rand(32, 24) < 0.1 + 0.5 * (torch.arange(24) % 3 == y[:, None])).float()
    adj = (torch.rand(32, 32) < 0.02 + 0.2 * (y[:, None] == y)).float()
    adj = torch.maximum(torch.maximum(adj, adj.T), torch.eye(32))
    adj = adj / adj.sum(1).sqrt()[:, None] / adj.sum(1).sqrt()
    return model, loss, (words / words.sum(1, keepdim=True).clamp(min=1), adj), y


@right("links between papers", "github.com/pyg-team/pytorch_geometric examples link_pred")
def links():
    """Edges and as many drawn non-edges by the product of two nodes' embeddings."""

    def conv(layer, x, edges):
        row, col = torch.cat([edges, torch.arange(len(x)).expand(2, -1)], 1)
        deg = torch.bincount(col, minlength=len(x)).float().pow(-0.5)
        return torch.zeros(len(x), layer.out_features).index_add(0, col, layer(x)[row] * (deg[row] * deg[col])[:, None])

    def forward(self, x, edges, pairs):
        z = conv(self.conv2, conv(self.conv1, x, edges).relu(), edges)
        return (z[pairs[0]] * z[pairs[1]]).sum(dim=-1).view(-1)

    group = torch.randint(0, 3, (32,))
    words = (torch.rand(32, 24) < 0.1 + 0.5 * (torch.arange(24) % 3 == group[:, None])).float()
    joined = torch.triu(torch.rand(32, 32) < 0.02 + 0.3 * (group[:, None] == group), 1)
    edges, apart = joined.nonzero().T, torch.triu(~joined, 1).nonzero().T
    apart = apart[:, torch.randperm(apart.shape[1])[: edges.shape[1]]]
    truth = torch.cat([torch.ones(edges.shape[1]), torch.zeros(apart.shape[1])])
    both, pairs = torch.cat([edges, edges.flip(0)], 1), torch.cat([edges, apart], 1)
    model = Part(forward, conv1=nn.Linear(24, 32), conv2=nn.Linear(32, 16))
    return model, nn.BCEWithLogitsLoss(), (words / words.sum(1, keepdim=True).clamp(min=1), both, pairs), truth
