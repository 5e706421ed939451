"""Set-ups of a thirteenth round: makers' networks, a sample of threads, written without knowing the checks.

Fifteen of thirty-four searches (the odd ones), each committed before it was made; two lists of hits for each, of issues
and of pages, gone through in their order:

vae reconstructions all look the same blurry kl loss zero pytorch; autoencoder loss implementation wrong pytorch output
all gray; gan discriminator loss goes to zero generator does not learn pytorch; wgan gradient penalty implementation
bug; diffusion model samples are pure noise loss does not decrease; normalizing flow log likelihood loss negative log
det sign mistake; dqn q values explode reward does not increase pytorch; ppo implementation bug value loss entropy bonus
sign; pinn loss converges to trivial zero solution pytorch; custom autograd function backward wrong gradient; neural
network predicts the mean for every input regression; quantile regression pinball loss implementation wrong; linear
regression from scratch pytorch loss does not decrease shape; ddpg td3 actor loss critic target bug; custom layer
weights not updating nn.Parameter pytorch.

The hits are excerpts of about two thousand characters; for some threads the repository was read. Every thread was kept
in which an answer or the code shows a cause that lies in the model, the loss or the first batch. Left out: no cause
named, or a title without a text (most); a step that was too large; data, measuring and versions; an optimiser of
another model; errors that PyTorch raises at once, as it does today for an own function that writes into its input;
faults that train well either way, such as a sum for a mean and a penalty that is missing beside clipped weights; pages
of advice; and a dozen threads that stand in earlier rounds.

The names of the findings are those of the sentences. Where no sentence names a cause, wrong_formula stands, with a
remark. One cause is inferred: the quantiles of a sine are right for targets in a row, and the thread does not say what
it gave them. The own layer that reads weight.data is followed by an ordinary one; two of them have no gradient at all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, inputs
from doctor_exam.round_makers_parts import (
    OwnLinear,
    TurnedLinear,
    chosen_only,
    critic_of_pictures,
    critic_of_rows,
    evolving,
    games,
    pictures_of_a_game,
    robots,
    twin_critics,
)
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, divergence, flow

THIRTEEN_MAKERS = CaseSet()
right, wrong = THIRTEEN_MAKERS.right, THIRTEEN_MAKERS.wrong
STRETCH = "shapes_broadcast"
CUT = "weights_without_gradient|loss_without_gradient|outputs_without_gradient"
FORUM = "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1: Simple Linear Regression in PyTorch"
CRITICS = "hwalsuklee/tensorflow-generative-model-collections"


# ---------------------------------------------------------------- critics and other judges of made samples


wrong("a critic's penalty: the mean is squared, not each slope", "wrong_formula", "wiseodd/generative-models#31")(
    lambda: critic_of_rows(squared_first=False)
)
right("a critic's penalty: the mean of the squares", "wiseodd/generative-models#31")(
    lambda: critic_of_rows(squared_first=True)
)
wrong("a critic of pictures: every pixel is mixed with a share of its own", "wrong_formula", f"{CRITICS}#33")(
    lambda: critic_of_pictures(one_share=False)  # no code names this
)
wrong("a critic of pictures: the slope's norm runs over one axis", "wrong_formula", f"{CRITICS}#22")(
    lambda: critic_of_pictures(whole=False)
)
wrong("a critic of pictures: the penalty has no backward pass", "dead_term", "mlpack/mlpack#3063")(
    lambda: critic_of_pictures(graph=False)
)
right("a critic of pictures: one share and one norm for each", f"{CRITICS}#33")(critic_of_pictures)


# ---------------------------------------------------------------- reinforcement learning


wrong("a game's pictures: a column of worths and a row of goals", STRETCH, "hungtuchen/pytorch-dqn#8")(
    lambda: pictures_of_a_game(squeezed=False)
)
right("a game's pictures: worths and goals in a row", "hungtuchen/pytorch-dqn#8")(
    lambda: pictures_of_a_game(squeezed=True)
)
wrong("PPO: the entropy is computed from the chosen action alone", "wrong_formula", "noahfarr/rlx#3")(
    lambda: games(chosen_only)
)
right("PPO: the entropy of the whole policy", "noahfarr/rlx#3")(
    lambda: games(lambda policy, _: -0.01 * policy.entropy().mean())
)
wrong("PPO for robots: the entropy is made small", "wrong_formula", "PKU-Alignment/omnisafe#133")(lambda: robots(1))
right("PPO for robots: the entropy is made large", "PKU-Alignment/omnisafe#133")(lambda: robots(-1))
wrong("TD3: the second critic has no loss", "unused_output|weights_without_gradient", "ray-project/ray#4108")(
    lambda: twin_critics(both=False)
)
right("TD3: both critics have a loss", "ray-project/ray#4108")(lambda: twin_critics(both=True))


# ---------------------------------------------------------------- equations


def slopes(of: Tensor, x: Tensor) -> Tensor:
    """The derivative of every value with respect to its own point."""
    return torch.autograd.grad(of, x, torch.ones_like(of), create_graph=True)[0]


def wave(pinned: bool):
    """A particle in a box: its equation inside, and nothing at the two walls."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = x.detach().requires_grad_()
        psi = self.net(x)
        return psi, slopes(slopes(psi, x), x), self.net(torch.tensor([[0.0], [0.5], [1.0]]))

    def loss(out: tuple[Tensor, Tensor, Tensor], _: None) -> Tensor:
        inside = (0.5 * out[1] + torch.pi**2 / 2 * out[0]).square().mean()
        left, middle, far = out[2].flatten()
        return inside + left**2 + far**2 + ((middle - 1) ** 2 if pinned else 0)

    return Part(forward, net=dense(1, 20, 20, 1, between=nn.Tanh)), loss, torch.rand(N, 1), None


wrong("a particle in a box: nothing keeps the wave from being zero", "wrong_formula", "lululxvi/deepxde#356")(
    lambda: wave(pinned=False)  # no code names this
)
right("a particle in a box: the wave is 1 in the middle", "lululxvi/deepxde#356")(lambda: wave(pinned=True))


@right("a swing: its equation inside, and a sine at both ends", "taourl.com/read-2614042")
def _():
    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        u = self.net(x)
        return slopes(slopes(u, x), x) + u, self.net(torch.tensor([[-1.0], [1.0]]))

    def loss(out: tuple[Tensor, Tensor], ends: Tensor) -> Tensor:
        return out[0].square().mean() + F.mse_loss(out[1], ends)

    ends = torch.tensor([[-1.0], [1.0]]).sin()
    return Part(forward, net=dense(1, 20, 20, 1, between=nn.Tanh)), loss, torch.linspace(-1, 1, N)[:, None], ends


# ---------------------------------------------------------------- plain regression and quantiles


def houses(scaled: bool):
    """Prices of houses from their area and their number of bedrooms, by a linear layer."""
    x = torch.rand(N, 2)
    y = x @ torch.tensor([[500000.0], [300000.0]]) + 50000 * torch.randn(N, 1)
    return nn.Linear(2, 1), nn.MSELoss(), x, (y - y.mean()) / y.std() if scaled else y


def sine_between_quantiles(column: bool):
    """A tenth and nine tenths of a noisy sine, each read as a row."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        errors = [(y - out[:, place], share) for place, share in enumerate((0.1, 0.9))]
        return torch.stack([torch.max((share - 1) * error, share * error).mean() for error, share in errors]).mean()

    x = 6 * torch.rand(N, 1) - 3
    y = x.sin() + 0.1 * torch.randn(N, 1)
    return dense(1, 32, 2), loss, x, y if column else y[:, 0]


def line_of_four(flat: bool):
    """A line through four points with weights of one's own, whose output is a column."""

    def forward(self: Part, x: Tensor) -> Tensor:
        out = x.mm(self.weights).add_(self.bias)
        return out.view(-1) if flat else out

    x = torch.tensor([[1.0, 2.0], [1.0, 3.0], [1.0, 7.0], [1.0, 9.0]])
    model = Part(forward, weights=nn.Parameter(torch.randn(2, 1)), bias=nn.Parameter(torch.randn(1)))
    return model, lambda out, y: torch.mean((out - y) ** 2), x, x[:, 1].clone()


wrong("prices of houses as they are", "large_targets", "taourl.com/read-2033733")(lambda: houses(scaled=False))
right("prices of houses, standardised", "taourl.com/read-2033733")(lambda: houses(scaled=True))
wrong("quantiles of a sine: rows of outputs and a column of targets", STRETCH, "nmdwolf/ValidPredictionIntervals#1")(
    lambda: sine_between_quantiles(column=True)
)
right("quantiles of a sine: rows of both", "nmdwolf/ValidPredictionIntervals#1")(
    lambda: sine_between_quantiles(column=False)
)
wrong("a line through four points: a column less a row", STRETCH, FORUM)(lambda: line_of_four(flat=False))
right("a line through four points: a row less a row", FORUM)(lambda: line_of_four(flat=True))


# ---------------------------------------------------------------- own layers


def three_layers(kept: bool):
    """Three layers, made once or anew in every forward()."""

    def fresh() -> list[nn.Linear]:
        return [nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 2)]

    def forward(self: Part, x: Tensor) -> Tensor:
        one, two, three = self.layers if kept else fresh()
        return three(two(one(x).clamp(min=0)).clamp(min=0))

    layers = {"layers": nn.ModuleList(fresh())} if kept else {}
    return Part(forward, **layers), nn.MSELoss(), inputs(), torch.randn(N, 2)


def regression(*layers: nn.Module):
    """A regression by an own layer and an ordinary one."""
    return nn.Sequential(*layers, nn.Linear(16, 1)), nn.MSELoss(), inputs(), torch.randn(N, 1)


wrong(
    "three layers made anew in every forward", "unregistered_parameter|loss_without_gradient", "pytorch/pytorch#1291"
)(lambda: three_layers(kept=False))
right("three layers made once", "pytorch/pytorch#1291")(lambda: three_layers(kept=True))
wrong("an own linear layer reads weight.data", CUT, "d2l-ai/d2l-en#2600")(lambda: regression(OwnLinear(tracked=False)))
right("an own linear layer reads its weight", "d2l-ai/d2l-en#2600")(lambda: regression(OwnLinear(tracked=True)))
wrong("an own layer multiplies by a copy of its weight", "unregistered_parameter|weights_without_gradient",
      "KhrulkovV/tt-pytorch#4")(lambda: regression(TurnedLinear(registered=False), nn.ReLU()))  # fmt: skip
right("an own layer whose turned weight is a parameter", "KhrulkovV/tt-pytorch#4")(
    lambda: regression(TurnedLinear(registered=True), nn.ReLU())
)
wrong("a weight that evolves is written into .data", CUT, "benedekrozemberczki/pytorch_geometric_temporal#80")(
    lambda: evolving(assigned=True)
)
right("a weight that evolves is used as it is", "benedekrozemberczki/pytorch_geometric_temporal#80")(
    lambda: evolving(assigned=False)
)


# ---------------------------------------------------------------- right: the cause lay elsewhere, or there was none


@right("digits again: both terms divided by the pixels of the batch", "pytorch/examples#228")
def _():
    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (0.5 * log_var).exp()).sigmoid(), mean, log_var

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return F.binary_cross_entropy(out[0], x) + divergence(*out[1:]) / 64

    x = (torch.rand(N, 64) < 0.3).float()
    return Part(forward, encode=dense(64, 32, 8), decode=dense(4, 32, 64)), loss, x, x


def likelihood(out: tuple[Tensor, Tensor], _: None) -> Tensor:
    """Half the square of the code less the logarithm of the determinant; it may fall below 0."""
    return (0.5 * out[0].square().sum(1) - out[1]).mean()


right("postures of an arm: a likelihood that may fall below 0", "jstmn/ikflow#6")(
    lambda: (flow(), likelihood, 0.3 * inputs(), None)
)
right("defects: the likelihood of a flow through a logsigmoid", "gudovskiy/cflow-ad#23")(
    lambda: (flow(), lambda out, _: -F.logsigmoid((out[1] - 0.5 * out[0].square().sum(1)) / 8).mean(), inputs(), None)
)
