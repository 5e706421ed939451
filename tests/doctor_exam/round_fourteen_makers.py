"""Set-ups of a fourteenth round: makers' networks, a sample of threads, written without knowing the checks.

Nineteen of thirty-four searches (the even ones), each committed before it was made; two lists of hits for each, of
issues and of pages, gone through in their order:

vae loss negative or nan after a few batches; beta vae or vq-vae commitment loss implementation bug; generator loss
stays constant mode collapse loss wrong; cyclegan or conditional gan loss implementation question detach; ddpm training
loss implementation mistake noise prediction timestep embedding; policy gradient reinforce agent gets worse over time;
actor critic advantage detach loss bug; soft actor critic alpha temperature loss implementation bug; physics informed
neural network derivative autograd grad wrong; multi task loss weighting uncertainty learnable log variance goes
negative; neural network from scratch xor not learning loss stays at 0.25; gaussian negative log likelihood
heteroscedastic variance prediction nan or collapse; double dqn loss implementation bug done mask target network;
learned perceptual and pixel losses weights several losses one has no effect; hinge or wasserstein gan loss sign wrong
generator discriminator; reparameterization std exp logvar mistake vae; mixture density network loss nan or negative
implementation; evidential regression or mc dropout uncertainty loss implementation bug; autoencoder last activation
sigmoid tanh output range loss does not decrease.

The hits are excerpts of about two thousand characters; for some threads the repository was read. Every thread was kept
in which an answer or the code shows a cause that lies in the model, the loss or the first batch. Left out: no cause
named, or a title without a text (most); data, measuring and versions; errors that PyTorch raises at once; faults that
train well either way, such as a small weight on the other term of a book of codes (among the right ones), the logarithm
of a temperature, or a square root that noisy pictures lack; a question that its code answers with no; pages of advice;
and fifteen threads that stand in earlier rounds.

The names of the findings are those of the sentences. Where no sentence names a cause, wrong_formula stands, with a
remark. Two causes are read from what is shown and not said by an answer: a cross-entropy of minus fifty million needs
targets outside 0 to 1, and a bracket is missing in the formula of the two shares. The game of bricks has a second fault
in its code, a column that meets a row, so either name counts.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, inputs, mlp
from doctor_exam.round_makers_parts import again, bricks, bumps, codebook, noisy_pixels, pendulum, three_tasks
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, divergence

FOURTEEN_MAKERS = CaseSet()
right, wrong = FOURTEEN_MAKERS.right, FOURTEEN_MAKERS.wrong
ENDLESS = "unbounded_loss|unnormalised_likelihood"
PAGES = "huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1: "  # holds threads of forums


# ---------------------------------------------------------------- autoencoders


def all_pixels(out: Tensor, x: Tensor) -> Tensor:
    """The squared error of a sample's pixels, the mean over samples."""
    return F.mse_loss(out, x, reduction="none").sum(1).mean()


def each_pixel(out: Tensor, x: Tensor) -> Tensor:
    """A cross-entropy of all pixels, summed."""
    return F.binary_cross_entropy(out, x, reduction="sum")


def shares(p: Tensor, x: Tensor) -> Tensor:
    """A cross-entropy of shares that are kept away from 0 and 1."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(x * p.log() + (1 - x) * (1 - p).log()).mean()


def of_variance(mean: Tensor, variance: Tensor) -> Tensor:
    """The divergence of normals that are given by their variance."""
    return -0.5 * torch.sum(1 + variance.log() - mean**2 - variance)


def table(scaled: bool):
    """Rows of a table and a beta of 0.0001; the rows are standardised, or scaled to 0 to 1."""
    x = torch.randn(N, 64) @ torch.randn(64, 64) / 8
    low, high = x.amin(0), x.amax(0)
    return again(shares, lambda *code: 1e-4 * divergence(*code), end=nn.Sigmoid,
                 x=(x - low) / (high - low) if scaled else (x - x.mean(0)) / x.std(0))  # fmt: skip


wrong("a code's divergence without its minus", f"{ENDLESS}|wrong_formula",
      PAGES + "Implementing a VAE in PyTorch: Extremely Negative Training Loss")(
    lambda: again(all_pixels, lambda *code: -divergence(*code))
)  # fmt: skip
right("a code's divergence with its minus", PAGES + "Implementing a VAE in PyTorch: Extremely Negative Training Loss")(
    lambda: again(all_pixels, divergence)
)
wrong("rows of a table as shares, though standardised", f"targets_outside_unit_range|{ENDLESS}",
      PAGES + "The Loss of VAE is Negative. Is it Normal?")(lambda: table(scaled=False))  # fmt: skip
right("rows of a table as shares, scaled to 0 to 1", PAGES + "The Loss of VAE is Negative. Is it Normal?")(
    lambda: table(scaled=True)
)
wrong("pixels with a spread, whose own layer is never called",
      "weights_without_gradient|range_cannot_reach_targets|terms_out_of_balance",
      PAGES + "Multivariate Gaussian Variational Autoencoder")(lambda: noisy_pixels(own_layer=False))  # fmt: skip
right("pixels with a spread from a layer of its own", PAGES + "Multivariate Gaussian Variational Autoencoder")(
    lambda: noisy_pixels(own_layer=True)
)
wrong("a car's camera: a variance that the noise reads as a logarithm", "wrong_formula|range_cannot_reach_targets",
      "masato-ka/airc-rl-agent#43")(
    lambda: again(each_pixel, of_variance, head=nn.Softplus, end=nn.Sigmoid)
)  # fmt: skip
right("a car's camera: a variance that the noise takes the root of", "masato-ka/airc-rl-agent#43")(
    lambda: again(each_pixel, of_variance, torch.sqrt, nn.Softplus, nn.Sigmoid)
)
wrong("clothes through a narrow code: tanh for 0 to 1", "range_wider_than_targets", "tensorflow/swift-models#179")(
    lambda: (dense(64, 32, 4, 32, 64, ends=(nn.Tanh(),)), nn.MSELoss(), *[torch.rand(N, 64)] * 2)
)
right("clothes through a narrow code: a sigmoid for 0 to 1", "tensorflow/swift-models#179")(
    lambda: (dense(64, 32, 4, 32, 64, ends=(nn.Sigmoid(),)), nn.MSELoss(), *[torch.rand(N, 64)] * 2)
)
wrong("a book of codes: means beside a sum over pixels", "terms_out_of_balance|wrong_formula",
      "clementchadebec/benchmark_VAE#125")(lambda: codebook(summed=False))  # fmt: skip
wrong("a book of codes: its error comes after the straight-through step", "weights_without_gradient|dead_term",
      "andylolu2/jax-vqvae-gpt#2")(lambda: codebook(before=False))  # fmt: skip
right("a book of codes: sums everywhere", "clementchadebec/benchmark_VAE#125")(codebook)
right("a book of codes: the small weight on the other term", "CompVis/taming-transformers#57")(
    lambda: codebook(swapped=True)
)


# ---------------------------------------------------------------- likelihoods and several losses


def line_and_spread(predicted: bool):
    """A line and its noise: the variance is predicted, or taken from the outputs of the batch."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        if predicted:
            return 0.5 * (out[:, 1:] + (out[:, :1] - y) ** 2 / out[:, 1:].exp()).mean()
        precision = 1 / torch.var(out)
        return 0.5 * precision * torch.mean(torch.pow(out - y, 2)) - 0.5 * torch.log(precision)

    x = 4 * torch.rand(N, 1)
    return dense(1, 16, 2 if predicted else 1), loss, x, 2 * x + 1 + torch.randn(N, 1)


wrong("a line and its noise: the variance of the outputs", "wrong_formula",
      "stats.stackexchange.com/questions/564809")(lambda: line_and_spread(predicted=False))  # fmt: skip
right("a line and its noise: a predicted variance", "stats.stackexchange.com/questions/564809")(
    lambda: line_and_spread(predicted=True)
)
wrong("four bumps: the logarithm of a softmax", "unstable_formula|loss_not_finite",
      "tonyduan/mixture-density-network#4")(lambda: bumps(safe=False))  # fmt: skip
right("four bumps: a log-softmax", "tonyduan/mixture-density-network#4")(lambda: bumps(safe=True))
wrong("three tasks: the logarithm of a weight that may turn negative",
      "logarithm_of_raw_outputs|unstable_formula|loss_not_finite", "QunBB/DeepLearning#1")(
    lambda: three_tasks(logarithms=False)
)  # fmt: skip
right("three tasks: weights that are learnt as logarithms", "yaringal/multi-task-learning-example#6")(
    lambda: three_tasks(logarithms=True)
)


# ---------------------------------------------------------------- beginners' networks


def either_or() -> Tensor:
    """The four pairs of no and yes."""
    return torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def small_weights(factor: float):
    """Either, but not both: five hidden sigmoids, whose weights are drawn with a factor."""
    net = nn.Sequential(nn.Linear(2, 5), nn.Sigmoid(), nn.Linear(5, 1), nn.Sigmoid())
    for layer in (net[0], net[2]):
        layer.weight.data, layer.bias.data = factor * torch.randn_like(layer.weight), torch.zeros_like(layer.bias)
    return net, nn.BCELoss(), either_or(), torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def lost_bracket(lost: bool):
    """Either, but not both, as two shares: the minus stands before one half of the cross-entropy, or before both."""

    def loss(p: Tensor, y: Tensor) -> Tensor:
        yes, no = y * torch.log(p), (1 - y) * torch.log(1 - p)
        return (-yes + no if lost else -(yes + no)).sum(1).mean()

    net = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 2), nn.Softmax(1))
    return net, loss, either_or(), torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


wrong("either, but not both: weights a hundred times too small", "vanishing_gradient|units_all_alike",
      PAGES + "Neural Network XOR Gate Classification")(lambda: small_weights(0.01))  # fmt: skip
right("either, but not both: weights drawn without a factor", PAGES + "Neural Network XOR Gate Classification")(
    lambda: small_weights(1)
)
wrong("either, but not both: a bracket is lost",
      "loss_is_constant|better_outputs_cost_more|wrong_formula|zero_gradient",
      "ai.stackexchange.com/questions/27010")(lambda: lost_bracket(lost=True))  # fmt: skip
right("either, but not both: a bracket around both halves", "ai.stackexchange.com/questions/27010")(
    lambda: lost_bracket(lost=False)
)


# ---------------------------------------------------------------- reinforcement learning


wrong("a pendulum: the end of an episode is left out of the goal", "unused_target", "seungeunrho/minimalRL#32")(
    lambda: pendulum(ends=False)
)
right("a pendulum: the goal ends with the episode", "seungeunrho/minimalRL#32")(lambda: pendulum(ends=True))
wrong("bricks: the end of an episode is not in the goal", "unused_target|shapes_broadcast", "navneet-nmk/pytorch-rl#2")(
    lambda: bricks(mended=False)
)
right("bricks: the goal knows of the end", "navneet-nmk/pytorch-rl#2")(lambda: bricks(mended=True))


# ---------------------------------------------------------------- derivatives


def field(points_apart: bool):
    """The slope of a field at every point; a Fourier layer reads all points of a sample, a dense one each alone."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        h = self.first(x)
        if not points_apart:
            waves = torch.fft.rfft(h, dim=1)
            h = h + torch.fft.irfft(waves * torch.complex(self.real, self.imaginary), n=x.shape[1], dim=1)
        u = self.last(h.tanh())
        return u, torch.autograd.grad(u.sum(), x, create_graph=True)[0]

    def loss(out: tuple[Tensor, Tensor], _: None) -> Tensor:
        return (out[1] - 2 * out[0] + 1).square().mean() + (out[0][:, 0] - 1).square().mean()

    names = () if points_apart else ("real", "imaginary")
    waves = {name: nn.Parameter(torch.randn(9, 8) / 3) for name in names}
    x = torch.linspace(0, 1, 16)[None, :, None] + 0.1 * torch.rand(N, 1, 1)
    return Part(forward, first=nn.Linear(1, 8), last=nn.Linear(8, 1), **waves), loss, x, None


wrong("a field: the slope at a point holds all other points", "wrong_formula|samples_mixed",
      "neuraloperator/neuraloperator#192")(lambda: field(points_apart=False))  # fmt: skip  # no code names this
right("a field: the slope of a sum over points that stand apart", "nanditadoloi/PINN#3")(
    lambda: field(points_apart=True)
)


# ---------------------------------------------------------------- right: the cause lay elsewhere, or there was none


def judged(loss: Callable):
    """What a judge says of true and of made pictures; the maker is cut off."""
    model = Part(lambda self, true, noise: (self.judge(true), self.judge(self.make(noise).tanh().detach())),
                 judge=mlp(1), make=mlp(8).requires_grad_(False))  # fmt: skip
    return model, loss, (torch.rand(N, 8), inputs()), None


right("horses and zebras: a judge of pictures that are cut off", "junyanz/pytorch-CycleGAN-and-pix2pix#916")(
    lambda: judged(lambda out, _: 0.5 * ((out[0] - 1).square().mean() + out[1].square().mean()))
)
right("patches: a judge's hinge", "CompVis/taming-transformers#137")(
    lambda: judged(lambda out, _: 0.5 * (F.relu(1 - out[0]).mean() + F.relu(1 + out[1]).mean()))
)
