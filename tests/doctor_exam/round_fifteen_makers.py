"""Set-ups of a fifteenth round: makers' networks, a systematic sample of threads, written without knowing the checks.

Twenty searches, written down and committed before the first of them was made; two lists of hits for each, of issues
and of pages, gone through in their order:

my autoencoder outputs the same image whatever the input is pytorch; VAE reconstruction loss mean or sum KL weight wrong
in this repository; discriminator accuracy stays at 50 percent or loss stuck at 0.693 GAN pytorch; GAN training code
detach missing or wrong labels in discriminator loss; denoising diffusion loss stuck at 1.0 model predicts zero noise;
score matching or flow matching loss implementation mistake target; RealNVP coupling layer log det jacobian wrong;
agent always chooses the same action after training pytorch DQN; reinforce discounted returns loss shape bug; A2C loss
advantage shape broadcast values squeeze bug; PINN second derivative is zero or loss stuck boundary condition pytorch;
regression network outputs constant value MSELoss squeeze target size warning; my loss does not decrease custom
nn.Module layers in python list; custom loss function grad_fn None requires_grad loss not decreasing; nan loss after
first iteration custom loss log sqrt division; pinball loss multiple quantiles shape broadcasting bug; Gaussian NLL loss
predict mean and variance network loss negative exploding; total loss of several terms one loss overwritten or not
added bug; logistic regression or neural network from scratch with tensors accuracy stays 50 percent; custom autograd
function straight through estimator gradient is zero.

Of 394 hits fourteen threads gave a wrong set-up; for seven of them the repository was read, too. Left out: no cause
named, or a title without a text (most); thirteen threads that stand in earlier rounds, and three on the code of one of
them; pages of advice; data, measuring, printing, versions and other optimisers; a comparison in a loss, which PyTorch
refuses today; faults that train well either way, such as a missing detach, or a slope for one word of a book. Where no
sentence names the cause, wrong_formula stands, with a remark. Two causes are read from the code: the ReLU of the pole,
and the root of the facades, NaN when an output meets its target. The boxes are rebuilt from their thread's words alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd import Variable, grad
from torch.distributions import Categorical
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, labels, mlp
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, divergence
from doctor_exam.round_six import log_p

FIFTEEN_MAKERS = CaseSet()
right, wrong = FIFTEEN_MAKERS.right, FIFTEEN_MAKERS.wrong
BALANCE, STRETCHED = "terms_out_of_balance|wrong_formula", "shapes_broadcast"
ENDED = "Policy Gradients and Reinforce with Baseline Loss Function"


def told(build: Callable, code: str, source: str, fault: str, mended: str) -> None:
    """Register a set-up as its thread has it, `build(False)`, and mended, `build(True)`."""
    wrong(fault, code, source)(lambda: build(False))
    right(mended, source)(lambda: build(True))


# ---------------------------------------------------------------- makers of pictures


def digits_again(pixels: Callable, code: Callable, end: type[nn.Module] = nn.Sigmoid):
    """A variational autoencoder of 784 pixels with a code of two numbers."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (0.5 * log_var).exp()), mean, log_var

    x = (2 * torch.randn(N, 2) @ torch.randn(2, 784)).sigmoid()
    model = Part(forward, encode=dense(784, 16, 4), decode=dense(2, 16, 784, ends=(end(),)))
    return model, lambda out, x: pixels(out[0], x) + code(out[1], out[2]), x, x


def squared(mended: bool):
    """A mean squared error and a summed divergence, or both summed for each sample."""
    if not mended:
        return digits_again(F.mse_loss, lambda m, v: -0.5 * torch.sum(1 + v - m.pow(2) - v.exp()), nn.Identity)
    return digits_again(lambda out, x: F.mse_loss(out, x, reduction="sum") / len(x), divergence, nn.Identity)


def as_shares(counted: bool):
    """Pixels as shares, their mean cross-entropy counted once or 784 times, and a mean divergence."""
    times = 784 if counted else 1
    return digits_again(lambda out, x: times * F.binary_cross_entropy(out, x),
                        lambda m, v: -0.5 * torch.mean(1 + v - m.pow(2) - v.exp()))  # fmt: skip


def drawing(outputs: int) -> nn.Sequential:
    """A maker of pictures from -1 to 1 out of pictures of three colours."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, outputs, 3, padding=1), nn.Tanh())


def drawn_from_photos(believed: bool):
    """A maker of drawings: a judge that stays as it is should take them for true, and they should keep the photo."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        fake = self.make(x)
        return fake, self.judge(fake), self.features(fake), self.features(x).detach()

    def loss(out: tuple[Tensor, Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        fake, verdict, content, true_content = out
        wanted = torch.ones_like(verdict) if believed else torch.zeros_like(verdict)
        kept = 1.5 * F.l1_loss(content, true_content) + F.l1_loss(fake, x)
        return 10 * F.binary_cross_entropy_with_logits(verdict, wanted) + kept

    judge = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3)).requires_grad_(False)
    x = 2 * torch.rand(N, 3, 8, 8) - 1
    return Part(forward, make=drawing(3), judge=judge, features=nn.Conv2d(3, 4, 3).requires_grad_(False)), loss, x, x


def judge_of_anomalies(asked: bool):
    """A judge's features and verdicts of true pictures and of pictures that a cut off maker repeats."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        true, made = self.features(x), self.features(self.make(x).detach())
        return self.verdict(true).sigmoid().flatten(), true, self.verdict(made).sigmoid().flatten(), made

    def loss(out: tuple[Tensor, Tensor, Tensor, Tensor], _: None) -> Tensor:
        if not asked:
            return torch.mean((out[1] - out[3]) ** 2)
        return F.binary_cross_entropy(out[0], torch.ones(N)) + F.binary_cross_entropy(out[2], torch.zeros(N))

    features, make = dense(8, 32, 16, ends=(nn.LeakyReLU(0.2),)), mlp(8).requires_grad_(False)
    return Part(forward, features=features, verdict=nn.Linear(16, 1), make=make), loss, inputs(), None


told(squared, BALANCE, "zdebruine/MMVAE#19", "784 pixels: a mean error beside a divergence that is a sum",
     "784 pixels: sums for each sample, the mean over samples")  # fmt: skip
told(as_shares, BALANCE, "stats.stackexchange.com/questions/485488",
     "784 pixels as shares, no longer counted 784 times", "784 pixels as shares, counted 784 times")  # fmt: skip
told(drawn_from_photos, "better_outputs_cost_more|wrong_formula", "ptran1203/pytorch-animeGAN#17",
     "drawings from photos: the maker wants to be seen through",
     "drawings from photos: the maker wants to be believed")  # fmt: skip
told(judge_of_anomalies, "unused_output|weights_without_gradient", "samet-akcay/ganomaly#31",
     "a judge of anomalies is never asked for its verdict", "a judge of anomalies learns its verdict")  # fmt: skip


# ---------------------------------------------------------------- reinforcement learning


def actor_and_critic(loss: Callable):
    """A policy's scores and a value [N, 1] of a shared body; actions and returns [N]."""
    body, actor, critic = nn.Sequential(nn.Linear(8, 32), nn.ReLU()), nn.Linear(32, 4), nn.Linear(32, 1)
    model = Part(lambda self, x: (self.actor(h := self.body(x)), self.critic(h)), body=body, actor=actor, critic=critic)
    return model, loss, inputs(), (classes(4), torch.randn(N))


def many_workers(squeezed: bool):
    """A worker's step: the squared error of the value and the log-probability times that error."""

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        error = y[1][:, None] - out[1]
        error = error.squeeze(1) if squeezed else error
        expected = Categorical(F.softmax(out[0], dim=1)).log_prob(y[0]) * error.detach()
        return (error.pow(2) - expected).mean()

    return actor_and_critic(loss)


def catcher(cut: bool):
    """A catcher of balls: the advantage, made positive by a softplus, weighs the log-probability."""

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        scores, value = out[0], out[1].squeeze(1)
        gain = F.softplus(y[1] - (value.detach() if cut else value))
        policy = -(log_p(scores, y[0]) * gain).mean()
        return policy + F.mse_loss(value, y[1]) - 0.1 * Categorical(logits=scores).entropy().mean()

    return actor_and_critic(loss)


def one_episode(free: bool):
    """The policy of a pole on a cart, judged by returns that a baseline was taken off."""

    def loss(share: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        taken = torch.gather(share, 1, y[0].view(-1, 1)).squeeze()
        return -torch.sum((y[1] - y[2]) * taken)

    ends = (nn.LogSoftmax(-1),) if free else (nn.ReLU(), nn.LogSoftmax(-1))
    batch = classes(2), torch.arange(N, 0, -1.0), torch.full((N,), 8.0)
    return dense(4, 32, 32, 2, ends=ends), loss, torch.randn(N, 4), batch


told(many_workers, STRETCHED, "MorvanZhou/pytorch-A3C#5", "many workers: a log-probability [N] times an error [N, 1]",
     "many workers: a log-probability [N] times an error [N]")  # fmt: skip
told(catcher, "gradient_through_advantage", "icoxfog417/baby-steps-of-rl-ja#16",
     "a catcher of balls: the policy's loss moves the value",
     "a catcher of balls: the advantage stands still")  # fmt: skip
told(one_episode, "relu_before_activation", f"huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1: {ENDED}",
     "a pole on a cart: a ReLU behind the last layer", "a pole on a cart: free scores")  # fmt: skip


# ---------------------------------------------------------------- derivatives, series, texts and boxes


def membrane(apart: bool):
    """A loaded membrane: its second derivatives, read off those of the summed slopes or of each slope."""

    def forward(self: Part, inner: Tensor, border: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inner = inner.detach().requires_grad_()
        slope = grad(self.net(inner).sum(), inner, create_graph=True)[0]
        by_x, by_y = (slope[:, 0].sum(), slope[:, 1].sum()) if apart else (slope.sum(), slope.sum())
        twice = [grad(part, inner, create_graph=True)[0] for part in (by_x, by_y)]
        return twice[0][:, 0], twice[1][:, 1], self.net(border)

    def loss(out: tuple[Tensor, Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        return (-(out[0] + out[1]) - y[0]).square().mean() + 10 * F.mse_loss(out[2], y[1])

    inner, border = torch.rand(N, 2), torch.rand(N, 2)
    border[torch.arange(N), torch.arange(N) % 2] = (torch.arange(N) % 4 > 1).float()
    load = 2 * torch.pi**2 * (torch.pi * inner).sin().prod(1)
    return Part(forward, net=dense(2, 16, 16, 1, between=nn.Tanh)), loss, (inner, border), (load, torch.zeros(N, 1))


def number_of_a_series(column: bool):
    """A number that a convolutional network reads off a series; the targets are a column or a row."""
    model = nn.Sequential(nn.Conv1d(1, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 1))
    return model, nn.MSELoss(), torch.randn(N, 1, 24), torch.randn(N, 1) if column else torch.randn(N)


def moods(tracked: bool):
    """The mood of a text; the model hands out its outputs, or the numbers in them."""

    def forward(self: Part, tokens: Tensor) -> Tensor:
        outputs = self.out(self.lstm(self.embed(tokens))[0].mean(1))
        return outputs if tracked else outputs.data

    def loss(out: Tensor, y: Tensor) -> Tensor:
        cost = F.binary_cross_entropy_with_logits(out.squeeze(), y.squeeze().float())
        return cost if tracked else Variable(cost, requires_grad=True)

    lstm = nn.LSTM(16, 16, batch_first=True, bidirectional=True)
    model = Part(forward, embed=nn.Embedding(50, 16), lstm=lstm, out=nn.Linear(32, 1))
    return model, loss, classes(50, 12), classes(2)


def lines_of_faces(once: bool):
    """Drawings of faces: their error, and how far from true lines a line is drawn, read off where lines are drawn."""

    def loss(fake: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        total = 100 * F.l1_loss(fake, y[0])
        return total if once else total + 0.1 * y[1][fake < 0].sum() / len(fake)

    lines = 1 - 2 * (torch.rand(N, 1, 8, 8) < 0.2).float()
    return drawing(1), loss, 2 * torch.rand(N, 3, 8, 8) - 1, (lines, 5 * torch.rand(N, 1, 8, 8) * (lines > 0))


def boxes_of_a_grid(learnt: bool):
    """Boxes of a grid, their sides compared by their roots, which are taken of the outputs or learnt themselves."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        sides = out[..., 2:4] if learnt else out[..., 2:4].sqrt()
        places = (out[..., :2] - y[..., :2]).square().sum() + (sides - y[..., 2:4].sqrt()).square().sum()
        sure = ((y[..., 4] + 1) / 2 * (out[..., 4] - y[..., 4]).square()).sum()
        return (5 * places + sure + (out[..., 5:] - y[..., 5:]).square().sum()) / len(out)

    there = (torch.rand(N, 3, 3, 1) < 0.3).float()
    boxes = torch.cat([torch.rand(N, 3, 3, 4), torch.ones(N, 3, 3, 1), labels(3, 3, 3).movedim(1, -1)], -1) * there
    model = Part(lambda self, x: self.net(x).view(-1, 3, 3, 8), net=dense(48, 32, 72, between=nn.LeakyReLU))
    return model, loss, torch.rand(N, 48), boxes


def facades(absolute: bool):
    """Facades from maps of their parts: an absolute error, or the root of the difference of two squares."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return 100 * (F.l1_loss(out, y) if absolute else (y.square() - out.square()).abs().sqrt().mean())

    return drawing(3), loss, 2 * torch.rand(N, 3, 8, 8) - 1, (2 * torch.randn(N, 3, 8, 8)).clamp(-1, 1)


told(membrane, "wrong_formula", "zenoxml/SciREX#62",  # no code names this
     "a membrane: slopes are summed before the second derivative",
     "a membrane: each slope has its own second derivative")  # fmt: skip
told(number_of_a_series, STRETCHED, "timeseriesAI/tsai#22", "a number for a series: targets [N]",
     "a number for a series: targets [N, 1]")  # fmt: skip
told(moods, "outputs_without_gradient|loss_without_gradient", "huggingface/torchMoji#21",
     "moods of texts: the model returns outputs.data", "moods of texts: the model returns its outputs")  # fmt: skip
told(lines_of_faces, "dead_term", "yiranran/APDrawingGAN#22",
     "faces: a distance is read off where lines are drawn", "faces: the error of the drawing")  # fmt: skip
told(boxes_of_a_grid, "loss_not_finite|gradient_not_finite|unstable_formula", "LoveHRTF/YouOnlyLookOnce-TF2.0#14",
     "boxes of a grid: the root of raw sides", "boxes of a grid: roots are learnt")  # fmt: skip
told(facades, "gradient_not_finite|unstable_formula|wrong_formula", "affinelayer/pix2pix-tensorflow#27",
     "facades: the root of a difference of squares", "facades: an absolute error")  # fmt: skip


class Rounded(torch.autograd.Function):
    """Weights in steps of an eighth, whose slope goes through unchanged."""

    @staticmethod
    def forward(ctx, weight: Tensor) -> Tensor:
        """Return the rounded weight."""
        return (weight * 8).round() / 8

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        """Return the gradient as it is."""
        return gradient


def in_eighths(passed: bool):
    """Two layers that compute with their weights in steps of an eighth."""

    def layer(weights: nn.Linear, x: Tensor) -> Tensor:
        rounded = Rounded.apply(weights.weight) if passed else (weights.weight * 8).round() / 8
        return F.linear(x, rounded, weights.bias)

    model = Part(lambda self, x: layer(self.b, layer(self.a, x).relu()), a=nn.Linear(8, 32), b=nn.Linear(32, 1))
    return model, nn.MSELoss(), inputs(), torch.randn(N, 1)


told(in_eighths, "zero_gradient|weights_without_gradient|vanishing_gradient", "pytorch/pytorch#72772",
     "weights in steps of an eighth", "weights in steps of an eighth: their slope goes through")  # fmt: skip


@right("a flow to targets: how fast a noisy sample moves on", "atong01/conditional-flow-matching#156")
def _():
    goal, time = torch.randn(N, 4), torch.rand(N, 1)
    now = time * goal + (1 - 0.9 * time) * torch.randn(N, 4)
    model = Part(lambda self, x, t: self.net(torch.cat([x, t], 1)), net=dense(5, 32, 32, 4, between=nn.SELU))
    return model, nn.MSELoss(), (now, time), (goal - 0.9 * now) / (1 - 0.9 * time)
