"""Principles of makers' networks, each with a wrong instance and its right neighbour: one is named, one left alone."""

import pytest
import torch
from doctor_exam.parts import N, Tagger, classes, inputs, mlp
from doctor_exam.principle import holds, seeded
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, Normal
from torch.nn import functional as F


def coded(deviation, logarithm, noise=1.0, latent=4, over=lambda each: each.sum(1)):
    """A variational autoencoder: the deviation of its noise, and the logarithm that its divergence reads."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, second = self.encode(x).chunk(2, 1)
        return self.decode(mean + noise * torch.randn_like(mean) * deviation(second)), mean, second

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        log_var = logarithm(out[2])
        code = over(0.5 * (out[1] ** 2 + log_var.exp() - 1 - log_var)).mean()
        return (out[0] - x).square().sum(1).mean() + code

    x = torch.rand(N, 64)
    return Part(forward, encode=dense(64, 32, 2 * latent), decode=dense(latent, 32, 64)), loss, x, x


def halves(h: Tensor) -> Tensor:
    """The deviation, from the logarithm of the variance."""
    return (0.5 * h).exp()


def student(of_token):
    """A tagger that learns a teacher's shares at each of twelve places."""
    return (Tagger(6), lambda z, y: F.kl_div(of_token(z.log_softmax(-1)), of_token(y), reduction="batchmean"),
            torch.randint(0, 50, (N, 12)), torch.randn(N, 12, 6).softmax(-1))  # fmt: skip


def found_again(where):
    """A code that is to be found again in what was made of it."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        code = self.encode(x)
        made = self.decode(code + 0.1 * torch.randn_like(code))
        return made, code, self.encode(where(x, made))

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return F.mse_loss(out[0], x) + F.l1_loss(out[2], out[1] + 0.1)

    return Part(forward, encode=dense(16, 32, 4), decode=dense(4, 32, 16)), loss, *[torch.rand(N, 16)] * 2


def critic(penalty, share=lambda real: torch.rand(len(real), 1)):
    """A critic with a penalty on its slopes between real and made samples."""

    def forward(self: Part, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        part = share(real)
        between = (part * real + (1 - part) * made).requires_grad_()
        slope = torch.autograd.grad(self.net(between).sum(), between, create_graph=True)[0]
        return self.net(real), self.net(made), slope

    return (Part(forward, net=dense(16, 32, 1)), lambda o, _: o[1].mean() - o[0].mean() + 10 * penalty(o[2]),
            (torch.rand(N, 16), torch.rand(N, 16)), None)  # fmt: skip


def slope_of(u: Tensor, x: Tensor) -> Tensor:
    """The derivative of every value with respect to its own point."""
    return torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)[0]


def equation(loss, network: nn.Module | None = None, points: Tensor | None = None):
    """A function of points, its slope, and what is said at 0, for a loss that holds an equation."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = x.detach().requires_grad_()
        u = self.net(x)
        return u, slope_of(u, x), self.net(torch.zeros_like(x))

    network = network or dense(1, 20, 1, between=nn.Tanh)
    return Part(forward, net=network), lambda o, _: loss(*o), torch.rand(N, 1) if points is None else points, None


def sliced(loss):
    """The slope of a density, and its own slope along one direction."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        score, way = self.net(x), torch.randn_like(x).sign()
        return score, (torch.autograd.grad((score * way).sum(), x, create_graph=True)[0] * way).sum(1)

    return Part(forward, net=dense(4, 64, 64, 4, between=nn.Softplus)), lambda o, _: loss(*o), torch.randn(N, 4), None


def policy(bonus, moves: bool = False):
    """A clipped policy of actions or of moves, and a bonus."""

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        chosen = Independent(Normal(out[0], out[1].exp()), 1) if moves else Categorical(logits=out[0])
        ratio = (chosen.log_prob(batch[0]) - batch[1]).exp()
        return -torch.min(ratio * batch[2], ratio.clamp(0.8, 1.2) * batch[2]).mean() + bonus(chosen, batch[0])

    model = Part(lambda self, x: (self.mean(x), self.spread.expand(len(x), 2)), mean=mlp(2 if moves else 4),
                 spread=nn.Parameter(torch.zeros(2)))  # fmt: skip
    model = model if moves else Part(lambda self, x: (self.score(x),), score=mlp(4))
    return model, loss, inputs(), (torch.randn(N, 2) if moves else classes(4), torch.full((N,), -1.5), torch.randn(N))


def line(loss):
    """One value for each sample."""
    return mlp(1), loss, inputs(), torch.randn(N, 1)


def tasks(each):
    """Three tasks, each with a weight that is learnt."""
    return (Part(lambda self, x: (self.net(x), self.weight), net=mlp(3), weight=nn.Parameter(torch.ones(3))),
            lambda o, y: each(((o[0] - y) ** 2).mean(0), o[1]).sum(), inputs(), torch.randn(N, 3))  # fmt: skip


def norms(slope: Tensor) -> Tensor:
    """How steep it is at each sample."""
    return slope.norm(2, dim=1)


PRINCIPLES = {
    "noise has the deviation that the divergence reads": (
        "wrong_formula", lambda: coded(F.softplus, lambda h: h), lambda: coded(F.softplus, lambda h: 2 * F.softplus(
            h).log())),
    "a variance is no deviation": (
        "wrong_formula", lambda: coded(torch.exp, lambda h: h), lambda: coded(torch.exp, lambda h: 2 * h)),
    "points between two samples lie on a line": (
        "wrong_formula", lambda: critic(lambda s: ((norms(s) - 1) ** 2).mean(), torch.rand_like),
        lambda: critic(lambda s: ((norms(s) - 1) ** 2).mean(), lambda r: torch.rand(len(r), 1).expand_as(r))),
    "a number that is drawn and scaled is still drawn": (
        "wrong_formula", lambda: coded(halves, lambda h: h, 0.01), lambda: coded(halves, lambda h: h, 1.0)),
    "a divergence is a sum over the code": (
        "terms_out_of_balance", lambda: coded(halves, lambda h: h, latent=40, over=lambda each: each.mean(1)),
        lambda: coded(halves, lambda h: h, latent=40)),
    "a sample's slope has one norm, by hand": (
        "wrong_formula", lambda: critic(lambda s: ((s.view(N, 4, 4) ** 2).sum(1).add(1e-9).sqrt() - 1).square().mean()),
        lambda: critic(lambda s: ((s.view(N, 4, 4) ** 2).sum((1, 2)).add(1e-9).sqrt() - 1).square().mean())),
    "a divergence of places is a mean over the places": (
        "wrong_formula", lambda: student(lambda z: z), lambda: student(lambda z: z.flatten(0, 1))),
    "what is compared was not made twice of the same": (
        "wrong_formula", lambda: found_again(lambda x, made: x), lambda: found_again(lambda x, made: made)),
    "zero does not solve everything": (
        "wrong_formula", lambda: equation(lambda u, slope, start: (slope + u).square().mean()),
        lambda: equation(lambda u, slope, start: (slope + u).square().mean() + (start - 1).square().mean())),
    "a density's slope may be zero": (
        "wrong_formula", lambda: sliced(lambda s, trace: (trace[:, None] + 0.5 * s).square().mean()),
        lambda: sliced(lambda s, trace: (trace + 0.5 * s.square().sum(1)).mean())),
    "nothing is cheaper than the truth": (
        "wrong_formula", lambda: line(lambda o, y: ((o - y) ** 2).mean() / o.var() + o.var().log()),
        lambda: line(lambda o, y: ((o - y) ** 2).mean() / y.var() + 0.01 * o.square().mean())),
    "what stands under a logarithm stays positive": (
        "logarithm_of_raw_outputs", lambda: tasks(lambda each, w: each / (2 * w**2) + w.log()),
        lambda: tasks(lambda each, w: each * (-w).exp() + w)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINCIPLES)
def test_the_wrong_one_is_named_and_its_right_neighbour_left_alone(name):
    holds(*PRINCIPLES[name])


def energies(whole: bool):
    """Forces of places that act on each other; the energy is a sum over places, or one number for each sample."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        far = (x[:, :, None] - x[:, None]).square().sum(-1)
        energy = self.net(far.sum(-1, keepdim=True)).sum((1, 2)) if whole else self.net(far.flatten(1))
        return energy.view(-1, 1), -torch.autograd.grad(energy.sum(), x, create_graph=True)[0]

    return (Part(forward, net=dense(1 if whole else 25, 20, 1, between=nn.Tanh)),
            lambda o, y: F.mse_loss(o[0], y[0]) + F.mse_loss(o[1], y[1]), torch.randn(N, 5, 3),
            (torch.randn(N, 1), torch.randn(N, 5, 3)))  # fmt: skip


@pytest.mark.parametrize("whole", [True, False])
def test_forces_hold_what_a_place_does_to_the_others(whole):
    assert seeded(lambda: energies(whole)).ok, str(seeded(lambda: energies(whole)))


def test_a_divergence_of_normals_and_a_sampled_entropy_are_left_alone():
    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, second = self.encode(x).chunk(2, 1)
        spread = F.softplus(second) + 1e-4
        return self.decode(Normal(mean, spread).rsample()), mean, spread

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        code = torch.distributions.kl_divergence(Normal(out[1], out[2]), Normal(0, 1))
        return (out[0] - x).square().sum(1).mean() + code.sum(1).mean()

    x = torch.rand(N, 64)
    coder = Part(forward, encode=dense(64, 32, 8), decode=dense(4, 32, 64)), loss, x, x
    for setup in (lambda: coder, lambda: policy(lambda p, a: 0.01 * p.log_prob(a).mean())):
        assert seeded(setup).ok, str(seeded(setup))
