"""Makers' networks with a switch for the fault, of which the thirteenth and fourteenth round are built."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part


def critic_of_rows(squared_first: bool):
    """A Wasserstein critic of flat pictures; its slope is asked for between real and made ones."""

    def forward(self: Part, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = torch.rand(len(real), 1)
        between = (share * real + (1 - share) * made).requires_grad_()
        slope = torch.autograd.grad(self.net(between).sum(), between, create_graph=True)[0]
        return self.net(real), self.net(made), slope

    def loss(out: tuple[Tensor, Tensor, Tensor], _: None) -> Tensor:
        norm = out[2].square().sum(1).sqrt()
        penalty = ((norm - 1) ** 2).mean() if squared_first else (norm - 1).mean() ** 2
        return out[1].mean() - out[0].mean() + 10 * penalty

    return Part(forward, net=dense(16, 32, 1)), loss, (torch.rand(N, 16), torch.rand(N, 16)), None


def critic_of_pictures(one_share: bool = True, whole: bool = True, graph: bool = True):
    """A Wasserstein critic of pictures with a penalty on its slope."""

    def forward(self: Part, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = torch.rand(len(real), 1, 1, 1) if one_share else torch.rand_like(real)
        between = (real + share * (made - real)).requires_grad_()
        slope = torch.autograd.grad(self.net(between).sum(), between, create_graph=graph)[0]
        return self.net(real), self.net(made), slope

    def loss(out: tuple[Tensor, Tensor, Tensor], _: None) -> Tensor:
        slope = out[2].flatten(1) if whole else out[2]
        return out[1].mean() - out[0].mean() + 10 * ((slope.norm(dim=1) - 1) ** 2).mean()

    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    return Part(forward, net=net), loss, (torch.rand(N, 1, 6, 6), torch.rand(N, 1, 6, 6)), None


def pictures_of_a_game(squeezed: bool):
    """Q-learning with a smooth error; the worth of the chosen action is gathered as a column."""

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        action, reward, going_on = batch
        own = out[0].gather(1, action[:, None])
        later = going_on * out[1].detach().max(1)[0]
        return F.smooth_l1_loss(own.squeeze(1) if squeezed else own, reward + 0.99 * later)

    going_on = (torch.arange(N) % 5 > 0).float()
    model = Part(lambda self, now, later: (self.own(now), self.slow(later)), own=mlp(3),
                 slow=mlp(3).requires_grad_(False))  # fmt: skip
    return model, loss, (inputs(), inputs()), (classes(3), torch.randn(N), going_on)


def clipped(out: tuple[Tensor, Tensor], batch: tuple[Tensor, ...]) -> tuple[Tensor, Categorical]:
    """The clipped objective of a policy beside the error of its value, and the policy."""
    action, old, gain, returns = batch
    policy = Categorical(logits=out[0])
    ratio = (policy.log_prob(action) - old).exp()
    first = -torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
    return first + 0.5 * F.mse_loss(out[1].squeeze(1), returns), policy


def games(entropy: Callable):
    """A policy and a value of a shared body, with a bonus for being undecided."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.actor(h), self.critic(h)

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, ...]) -> Tensor:
        both, policy = clipped(out, batch)
        return both + entropy(policy, batch[0])

    model = Part(forward, body=nn.Sequential(nn.Linear(8, 32), nn.Tanh()), actor=nn.Linear(32, 4),
                 critic=nn.Linear(32, 1))  # fmt: skip
    return model, loss, inputs(), (classes(4), torch.full((N,), -1.386), torch.randn(N), torch.randn(N))


def chosen_only(policy: Categorical, action: Tensor) -> Tensor:
    """Minus the bonus, from the chosen actions' probabilities, summed over the batch."""
    chosen = policy.probs[torch.arange(len(action)), action]
    return 0.01 * (chosen * chosen.log()).sum()


def robots(sign: int):
    """A policy of continuous actions with a bonus for being undecided, which has a sign."""

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        action, old, gain = batch
        policy = Normal(out[0], out[1].exp())
        ratio = (policy.log_prob(action).sum(-1) - old).exp()
        first = -torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
        return first + sign * 0.05 * policy.entropy().mean()

    model = Part(lambda self, x: (self.mean(x), self.log_std.expand(len(x), 2)), mean=mlp(2, hidden=nn.Tanh),
                 log_std=nn.Parameter(torch.full((2,), -0.5)))  # fmt: skip
    gain = torch.randn(N)
    return model, loss, inputs(), (0.5 * torch.randn(N, 2), torch.full((N,), -1.5), (gain - gain.mean()) / gain.std())


def twin_critics(both: bool):
    """Two critics of an action, and the smaller worth of the next one to their slow copies."""

    def forward(self: Part, now: Tensor, action: Tensor, later: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pair, ahead = torch.cat([now, action], 1), torch.cat([later, self.actor(later).tanh()], 1)
        return self.first(pair), self.second(pair), torch.min(self.slow_first(ahead), self.slow_second(ahead))

    def loss(out: tuple[Tensor, Tensor, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
        goal = (batch[0] + 0.99 * (1 - batch[1]) * out[2]).detach()
        error = F.smooth_l1_loss(out[0], goal)
        return error + F.smooth_l1_loss(out[1], goal) if both else error

    slow = {name: dense(10, 16, 1).requires_grad_(False) for name in ("slow_first", "slow_second")}
    model = Part(forward, first=dense(10, 16, 1), second=dense(10, 16, 1), actor=mlp(2).requires_grad_(False), **slow)
    ended = (torch.arange(N) % 4 == 0).float()[:, None]
    return model, loss, (inputs(), torch.randn(N, 2).tanh(), inputs()), (torch.randn(N, 1), ended)


class OwnLinear(nn.Module):
    """A linear layer with a ReLU that reads its weights, or the numbers in them."""

    def __init__(self, tracked: bool) -> None:
        super().__init__()
        self.weight, self.bias, self.tracked = nn.Parameter(torch.randn(8, 16)), nn.Parameter(torch.randn(16)), tracked

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        weight, bias = (self.weight, self.bias) if self.tracked else (self.weight.data, self.bias.data)
        return F.relu(x @ weight + bias)


class TurnedLinear(nn.Module):
    """A linear layer that multiplies by a turned copy of its weight."""

    def __init__(self, registered: bool) -> None:
        super().__init__()
        turned = (torch.randn(16, 8) / 3).t().clone()
        self.weight = None if registered else nn.Parameter(turned.t().clone())
        self.weight_t = nn.Parameter(turned) if registered else turned.requires_grad_()

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        return x @ self.weight_t


def evolving(assigned: bool):
    """A graph convolution whose weight a recurrent layer makes anew."""

    def forward(self: Part, x: Tensor, edges: Tensor) -> Tensor:
        weight = self.gru(self.start[None], self.start[None])[0][0]
        if assigned:
            self.conv.weight.data = weight.data
            return self.out(self.conv(edges @ x).relu())
        return self.out(F.linear(edges @ x, weight).relu())

    layers = {"conv": nn.Linear(8, 8, bias=False)} if assigned else {}
    model = Part(forward, gru=nn.GRU(8, 8), start=nn.Parameter(torch.randn(8, 8) / 3), out=nn.Linear(8, 1), **layers)
    edges = (torch.rand(N, N) < 0.2).float() + torch.eye(N)
    return model, nn.MSELoss(), (inputs(), edges / edges.sum(1, keepdim=True)), torch.randn(N, 1)


def root_of_exponential(log_var: Tensor) -> Tensor:
    """The deviation that belongs to the logarithm of a variance."""
    return (0.5 * log_var).exp()


def again(
    pixels: Callable,
    code: Callable,
    spread: Callable = root_of_exponential,
    head: type[nn.Module] = nn.Identity,
    end: type[nn.Module] = nn.Identity,
    x: Tensor | None = None,
):
    """A variational autoencoder: the error of the pixels and the divergence of the code."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, second = self.encode(x).chunk(2, 1)
        second = self.head(second)
        return self.decode(mean + torch.randn_like(mean) * spread(second)), mean, second

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return pixels(out[0], x) + code(out[1], out[2])

    x = torch.rand(N, 64) if x is None else x
    return Part(forward, encode=dense(64, 32, 8), head=head(), decode=dense(4, 32, 64, ends=(end(),))), loss, x, x


def noisy_pixels(own_layer: bool):
    """A decoder that draws its pixels from a mean and a spread of their own."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        mean, log_var = self.encode(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        if own_layer:
            return self.mean(z), self.spread(z), mean, log_var
        middle, spread = self.mean(z).relu(), self.mean(z).relu()
        return self.out(middle + torch.randn_like(middle) * (0.5 * spread).exp()), mean, log_var

    def loss(out: tuple[Tensor, ...], x: Tensor) -> Tensor:
        if not own_layer:
            return 0.5 * F.mse_loss(out[0], x) + -0.5 * torch.sum(1 + out[2] - out[1] ** 2 - out[2].exp())
        error = 0.5 * (out[1] + (x - out[0]) ** 2 / out[1].exp())
        return error.sum() + -0.5 * torch.sum(1 + out[3] - out[2] ** 2 - out[3].exp())

    size = 64 if own_layer else 32
    layers = {} if own_layer else {"out": nn.Linear(32, 64)}
    model = Part(forward, encode=dense(64, 32, 8), mean=nn.Linear(4, size), spread=nn.Linear(4, size), **layers)
    x = torch.randn(N, 64)
    return model, loss, x, x


def codebook(before: bool = True, summed: bool = True, swapped: bool = False):
    """Four codes of a sample, each replaced by the nearest word of a book; the error of the pixels is summed."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = self.encode(x).view(-1, 4, 16)
        word = self.book[torch.cdist(z, self.book.expand(len(z), -1, -1)).argmin(-1)]
        through = z + (word - z).detach()
        return self.decode(through.flatten(1)), z, word if before else through

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        own, book = (out[2].detach() - out[1]) ** 2, (out[2] - out[1].detach()) ** 2
        own, book = (part.sum((1, 2)).mean() if summed else part.mean() for part in (own, book))
        own, book = (own, 0.25 * book) if swapped else (0.25 * own, book)
        return F.mse_loss(out[0], x, reduction="none").sum(1).mean() + own + book

    x = (torch.randn(N, 3) @ torch.randn(3, 256)).sigmoid()
    model = Part(
        forward, encode=dense(256, 32, 64), decode=dense(64, 32, 256), book=nn.Parameter(torch.randn(12, 16) / 4)
    )
    return model, loss, x, x


def bumps(safe: bool):
    """A mixture of four normals, its shares and spreads through exponentials, or with room at the edge."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, spread = self.normal(x).chunk(2, 1)
        return self.share(x), mean, F.elu(spread) + 1 + 1e-7 if safe else spread.exp()

    def loss(out: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
        share = out[0].log_softmax(1) if safe else torch.log(out[0].softmax(1))
        return -torch.logsumexp(share + Normal(out[1], out[2], validate_args=False).log_prob(y), 1).mean()

    return Part(forward, share=mlp(4), normal=mlp(8)), loss, inputs(), torch.randn(N, 1)


def three_tasks(logarithms: bool):
    """Three tasks of a shared body, each weighed by an uncertainty that is learnt."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.heads(self.body(x)), self.doubt

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        each = ((out[0] - y) ** 2).mean(0)
        if logarithms:
            return (each / (2 * out[1].exp()) + out[1] / 2).sum()
        return (each / (2 * out[1] ** 2) + torch.log(out[1])).sum()

    doubt = nn.Parameter(torch.zeros(3) if logarithms else torch.full((3,), 1 / 3))
    return (
        Part(forward, body=mlp(16, nn.ReLU()), heads=nn.Linear(16, 3), doubt=doubt),
        loss,
        inputs(),
        torch.randn(N, 3),
    )


def pendulum(ends: bool):
    """A critic of continuous actions; the goal knows of the end of an episode, or does not."""

    def forward(self: Part, now: Tensor, action: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        ahead = 2 * self.slow_actor(later).tanh()
        return self.critic(torch.cat([now, action], 1)), self.slow_critic(torch.cat([later, ahead], 1))

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
        reward, going_on = batch
        goal = reward + 0.99 * out[1] * going_on if ends else reward + 0.99 * out[1]
        return F.smooth_l1_loss(out[0], goal.detach())

    model = Part(forward, critic=dense(9, 32, 1), slow_critic=dense(9, 32, 1).requires_grad_(False),
                 slow_actor=mlp(1).requires_grad_(False))  # fmt: skip
    going_on = (torch.arange(N) % 5 > 0).float()[:, None]
    return model, loss, (inputs(), 4 * torch.rand(N, 1) - 2, inputs()), (torch.randn(N, 1), going_on)


def bricks(mended: bool):
    """Q-learning of a game with a slow copy; the end of an episode is forgotten, and a column meets a row."""

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        action, reward, done = batch
        own, later = out[0].gather(1, action[:, None]), out[1].max(1)[0]
        if mended:
            return F.smooth_l1_loss(own[:, 0], reward + 0.99 * (1 - done) * later)
        return F.smooth_l1_loss(own, reward + 0.99 * later)

    model = Part(lambda self, now, later: (self.own(now), self.slow(later)), own=mlp(4),
                 slow=mlp(4).requires_grad_(False))  # fmt: skip
    done = (torch.arange(N) % 4 == 0).float()
    return model, loss, (inputs(), inputs()), (classes(4), torch.randn(N), done)
