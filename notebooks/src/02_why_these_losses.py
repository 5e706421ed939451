# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Why these losses: two ways to see them
#
# After this notebook you can
#
# - explain why MSE crawls behind a saturated sigmoid and cross-entropy does not;
# - say what cross-entropy cannot cure: gradients that fade on their way through hidden layers;
# - say what ReLU repairs, and what it does not;
# - derive MSE, MAE, BCE and cross-entropy from one idea: choose the noise, and the loss follows.
#
# **Time:** {time}
#
# **Covers:** document 002, the part on the interpretation of losses: backpropagation and maximum likelihood
#
# **Before this one:** [01 Losses](01_losses.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# First the tools. This notebook needs no images either: one neuron, a few points and nine numbers are enough.

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from torch import nn

from lm_utils.lessons import why_these_losses as lesson
from lm_utils.lessons import why_these_losses_likelihood as likelihood
from lm_utils.lessons.losses import OPTIMIZERS
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. One neuron that is confidently wrong
#
# The smallest network there is: one input $x = 1$, one weight $w$, one bias $b$, a sigmoid. Its output is
# $a = \sigma(w + b)$, and it should learn to say **0**. Document 002 starts such a neuron in different places and
# compares two losses. Before you do the same: with $w = b = 3$ the neuron says 0.998. It could hardly be more wrong.

# %%
quiz.predict(
    "Started at w = b = 3, both losses with the same learning rate. Which one gets the output below 0.1 first?",
    options=["MSE, because squaring makes a large error huge", "cross-entropy", "both at about the same step"],
    answer="cross-entropy",
    reading="The error is as large as it can be, yet MSE's slope is tiny: the sigmoid is flat up there.",
)

# %% [markdown]
# Choose where the neuron starts, how fast it learns, and which loss it has. The star in the right-hand picture is the
# start.

# %%
lesson.neuron_lab()

# %% [markdown]
# Look at the middle picture. Under MSE the slope is **smallest at the beginning**, when the neuron is most wrong. It
# creeps along the flat part of the sigmoid until it reaches the bend, and then everything happens at once.
# Cross-entropy starts with a slope of nearly 1 and slows down as it becomes right. That is how learning should look.
#
# Now set start weight and start bias to 0.5: the neuron starts on the steep part, and the gap shrinks. This is document
# 002's first experiment: the same loss from another start. Its second experiment compares the losses.
#
# ### Why: one factor
#
# By the chain rule, for the squared error $C = (a-y)^2$:
#
# $$\frac{\partial C}{\partial w} =
# \underbrace{2(a-y)}_{\text{the loss}}\cdot\underbrace{\sigma'(z)}_{\text{the sigmoid}}\cdot x$$
#
# and for cross-entropy $C = -y\log a-(1-y)\log(1-a)$ the loss's own part is $\frac{a-y}{a(1-a)}$. But
# $\sigma'(z) = a(1-a)$, so the two cancel:
#
# $$\frac{\partial C}{\partial w} = (a-y)\,x$$
#
# The flat sigmoid is gone from the formula. Does autograd agree?

# %%
w, b = torch.tensor(3.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
a = torch.sigmoid(w * 1 + b)
by_mse = torch.autograd.grad((a - 0) ** 2, w, retain_graph=True)[0]
by_ce = torch.autograd.grad(-torch.log(1 - a), w)[0]
assert torch.isclose(by_mse, 2 * a * a * (1 - a)) and torch.isclose(by_ce, a, atol=1e-4)
Markdown(f"Slope by $w$ at the start: MSE **{by_mse:.4f}**, cross-entropy **{by_ce:.4f}**.")

# %% [markdown]
# **Exercise 1.** Write the slope of cross-entropy by the weight for any weight, bias, input and target.


# %%
def slope_by_weight(w, b, x, y):
    return ...


# %% tags=["solution"]
def slope_by_weight(w, b, x, y):
    return (torch.sigmoid(torch.tensor(w * x + b)) - y) * x


# %% [markdown]
# It is compared with a reference for three neurons, one of them with an input of −1.

# %%
quiz.check_function(
    slope_by_weight,
    lambda w, b, x, y: lesson.slope("cross-entropy", w * x + b, y) * x,
    cases=[(3.0, 3.0, 1.0, 0.0), (1.0, -2.0, 2.0, 1.0), (0.5, 0.0, -1.0, 0.0)],
    mistakes=[
        (lambda w, b, x, y: lesson.slope("MSE", w * x + b, y) * x, "That is MSE's: the sigmoid's slope is in it."),
        (lambda w, b, x, y: lesson.slope("MSE", w * x + b, y) * x / 2, "That still contains the sigmoid's slope."),
        (lambda w, b, x, y: lesson.slope("cross-entropy", w * x + b, y), "Only the input x is missing."),
    ],
    tolerance=1e-5,
)

# %% [markdown]
# ### How bad can it get?

# %%
starts = np.arange(0.0, 10.5, 1.0)
waiting = {loss: [[lesson.steps_to_learn(loss, start) for start in starts]] for loss in lesson.LOSSES}
look = {"xlabel": "logit z at the start (the target is 0)", "ylabel": "steps until the output is 0.1", "yscale": "log"}
alt = ("Steps needed over the logit at the start, on a logarithmic scale: cross-entropy's grow slowly, MSE's by a fixed"
       " factor for every unit of the logit.")  # fmt: skip
show(curves_figure(waiting, alt, x=starts, title="How long a confident mistake lasts (learning rate 0.5)", **look))

# %% [markdown]
# The scale is logarithmic. Look at the right half: under MSE every further unit of the starting logit multiplies the
# waiting time by nearly the same factor, $e \approx 2.7$, so it grows *exponentially*. Under cross-entropy each further
# unit adds a step or so.

# %%
steps = lesson.steps_to_learn
assert 2.6 < steps("MSE", 10.0) / steps("MSE", 9.0) < 2.8
assert steps("cross-entropy", 10.0) - steps("cross-entropy", 9.0) <= 2

# %% [markdown]
# ### What the sentence "MSE is slow" leaves out
#
# **It is not MSE, it is the pair.** Take the sigmoid away and MSE's slope is $2(a-y)$, with no flat part anywhere:

# %%
z, zero = torch.tensor(6.0, requires_grad=True), torch.tensor(0.0)
strong = torch.autograd.grad(nn.MSELoss()(z, zero), z)[0]
weak = torch.autograd.grad(nn.MSELoss()(torch.sigmoid(z), zero), z)[0]
assert strong == 12 and 0 < weak < 0.01

# %% [markdown]
# And cross-entropy is quick only because it meets *its own* activation: BCE the sigmoid, cross-entropy the softmax.
# Give it another one (softmax twice, say) and nothing cancels; [notebook 06](06_bce_and_logits.ipynb) shows that.
#
# **The optimiser matters too.** Document 002 thinks of plain gradient descent. The documents' experiments use AdamW,
# which divides by the size of the gradients it has seen. Count the steps again, now with PyTorch's own optimiser, loss
# and autograd:


# %%
def steps_with(optimizer, loss, start):
    w, b = (torch.tensor([start], requires_grad=True) for _ in range(2))
    rule = OPTIMIZERS[optimizer]([w, b], lr=0.1, weight_decay=0)
    for step in range(3000):
        output = torch.sigmoid(w * 1 + b)
        if output.item() <= lesson.LEARNT:
            return step
        rule.zero_grad()
        lesson.LOSSES[loss](output, torch.zeros(1)).backward()
        rule.step()


# %% [markdown]
# The logit at the start is $w + b$. With SGD this must be what was counted above:

# %%
assert all(abs(steps_with("SGD", loss, 2.0) - steps(loss, 4.0, rate=0.1)) <= 1 for loss in lesson.LOSSES)

# %% [markdown]
# Both optimisers with both losses:

# %%
starts = pd.Index([0.5, 2.0, 3.0], name="start w = b")
table = pd.DataFrame(index=starts)
for rule in OPTIMIZERS:
    for loss in lesson.LOSSES:
        table[f"{rule}, {loss}"] = [steps_with(rule, loss, start) for start in starts]
table

# %% [markdown]
# With SGD cross-entropy wins by a wide margin, and the worse the start, the wider the margin. With AdamW there is no
# such gap: for a *single* neuron, AdamW scales the tiny slope up. (Both with a learning rate of 0.1.)

# %%
assert (table["SGD, MSE"] > 3 * table["SGD, cross-entropy"]).all()
assert (table["AdamW, MSE"] < 1.2 * table["AdamW, cross-entropy"]).all()

# %% [markdown]
# Does AdamW make the loss unimportant, then? No. It scales the *sum* over a batch, not the parts. Imagine a batch of
# ten: nine images about which the network is undecided, and one about which it is confidently wrong (logit 6, truth
# 0). How much of the whole pull comes from that one?

# %%
shares = {}
for loss in lesson.LOSSES:
    confident, undecided = abs(lesson.slope(loss, 6.0)), abs(lesson.slope(loss, 0.0))
    shares[loss] = confident / (confident + 9 * undecided)
assert shares["MSE"] < 0.01 < 0.1 < shares["cross-entropy"]
Markdown(f"Its share: MSE **{shares['MSE']:.1%}**, cross-entropy **{shares['cross-entropy']:.1%}**.")

# %% [markdown]
# MSE nearly ignores its worst mistake, with any optimiser. That can be a weakness (the mistake is real) or a strength
# (its *label* is wrong). [Notebook 05](05_matching_loss_to_task.ipynb) comes back to both.
#
# ## 2. What no loss can cure
#
# Document 002 goes on: cross-entropy is free of the sigmoid's slope *at the output layer*. In the hidden layers the
# gradient is still multiplied by an activation's slope at every layer, and sigmoid's slope is at most 1/4:

# %%
z = torch.linspace(-8, 8, 1601, requires_grad=True)
assert torch.autograd.grad(torch.sigmoid(z).sum(), z)[0].max() == 0.25
assert set(torch.autograd.grad(torch.relu(z).sum(), z)[0].tolist()) == {0.0, 1.0}

# %% [markdown]
# Six such layers multiply the gradient by at most $(1/4)^6$; only weights larger than one can make up for that. Can a
# better loss help?

# %%
quiz.predict(
    "A network with 6 sigmoid layers. You replace MSE by cross-entropy. What happens to the gradient in layer 1?",
    options=["it no longer fades", "it is about twice as large, and fades just as much", "it becomes smaller"],
    answer="it is about twice as large, and fades just as much",
    reading="The loss gives the last slope a factor. Every layer behind it passes the factor on, and fades as before.",
)

# %% [markdown]
# First add layers. Then change the activation, and at the end the start weights.

# %%
lesson.depth_lab()

# %% [markdown]
# The two curves are parallel: cross-entropy lifts every layer by the same factor, and the slope of the line stays the
# same. So document 002 is right: the loss repairs the output layer and nothing else. In numbers:

# %%
mse, ce = (torch.tensor(lesson.gradient_sizes(6, "sigmoid", loss)) for loss in lesson.LOSSES)
ratio = ce / mse
assert ratio.min() > 0.9 * ratio.max() and 1.8 < ratio.mean() < 2.3, "about two, in every layer"
assert ce[0] < 1e-4 * ce[-1], "and hardly anything arrives in layer 1"

# %% [markdown]
# Now set *hidden layers* to 10 and choose "ReLU". The line becomes flatter than sigmoid's, but not flat. The document
# speaks of activation slopes alone; on its way back the gradient also passes through the **weights** of each layer.
# PyTorch's default weights are small and shrink it at every layer, ReLU or not. With start weights made for the
# activation ("scaled to the activation") ReLU's line is nearly level, and even sigmoid's is, before any training.

# %%
factors = pd.DataFrame(index=pd.Index(["sigmoid", "ReLU"], name="gradient × … per layer"))
for start in lesson.STARTS:
    sizes = [lesson.gradient_sizes(10, hidden, "cross-entropy", start) for hidden in factors.index]
    factors[start] = [lesson.factor_per_layer(size) for size in sizes]
factors.round(2)

# %% [markdown]
# Sigmoid with the default start fades fastest by far. Does it matter for learning? The next figure trains networks
# with six hidden layers to say whether a point lies inside a circle, with AdamW and the default start.

# %%
assert factors.loc["sigmoid", lesson.STARTS[0]] < 0.25 < factors.loc["ReLU", lesson.STARTS[0]]
show(lesson.learning_figure(seeds=seeds))

# %% [markdown]
# The hidden activation decides, not the loss. With ReLU both losses learn it early. With sigmoid both stay at about
# half right for a long time. AdamW scales small gradients up, so why does it not help here? Because signals fade in
# both directions. On the way *forward* each flat sigmoid also shrinks the differences between the points: to a fresh
# network of this kind all points look nearly alike.

# %%
sigmoid, relu = lesson.learn(6, "sigmoid", seeds), lesson.learn(6, "ReLU", seeds)
assert all(relu[loss][:, -1].mean() > sigmoid[loss][:, -1].mean() + 0.1 for loss in lesson.LOSSES)
with torch.no_grad():
    points, _ = lesson.rings()
    fresh = {hidden: lesson.Deep(6, hidden, lesson.STARTS[0], inputs=2)(points) for hidden in ("sigmoid", "ReLU")}
spread = {hidden: outputs.std().item() for hidden, outputs in fresh.items()}
assert spread["sigmoid"] < spread["ReLU"] / 20
Markdown(f"Spread of the output: sigmoid {spread['sigmoid']:.1e}, ReLU {spread['ReLU']:.1e}")

# %% [markdown]
# ### "ReLU's slope is 0 or 1": the other half of the sentence
#
# The 1 is the good news. The 0 is a risk: a unit whose input is negative for **every** image has slope 0 for every
# image. It never learns again, under any loss. Such a unit is called **dead**.

# %%
unit = nn.Linear(8, 1)
nn.init.constant_(unit.bias, -50.0)
loss = nn.BCEWithLogitsLoss()(torch.relu(unit(torch.randn(1000, 8))), torch.ones(1000, 1))
loss.backward()
assert loss > 0.69 and unit.weight.grad.abs().max() == 0 and unit.bias.grad == 0

# %% [markdown]
# The loss is that of a coin toss, and every gradient is zero. When ReLU is the *output* activation this happens to
# whole networks, as [notebook 04](04_output_activations.ipynb) shows.
#
# **Exercise 2.** A network has 8 sigmoid hidden layers. Forget the weights: the best case is a slope of 1/4 in each of
# them. By what number has a gradient been multiplied when it has passed all eight?

# %%
best_case = ...

# %% tags=["solution"]
best_case = (1 / 4) ** 8

# %% [markdown]
# Compare your answer with the slope of the line in the lab above: the weights make it steeper still.

# %%
quiz.check(
    best_case,
    expected=0.25**8,
    tolerance=5e-7,
    mistakes=[(0.25 / 8, "Each layer multiplies; eight factors, not one divided by eight."),
              (2.0, "Multiply the slopes, do not add them."), (4.0**8, "That is the inverse: it shrinks.")],
)  # fmt: skip

# %% [markdown]
# ## 3. The other view: choose the noise, and the loss follows
#
# Why *these* formulas? Document 002's second answer is **maximum likelihood**. A network does not only predict a
# number; it makes a claim: "targets scatter around my prediction like this". Under that claim the data that we saw had
# some probability (its *likelihood*). Choose the weights for which it is largest. The same weights make the **negative
# log-likelihood** (NLL) smallest: the logarithm turns a product over all images into a sum, and the minus turns
# "largest" into "smallest".
#
# So a loss is a claim about noise. Which noise belongs to which loss?

# %%
quiz.predict(
    "Somebody trains with MAE. Which noise do they believe in, knowingly or not?",
    options=["Gaussian: large errors are very rare", "Laplace: large errors do happen", "none: MAE claims nothing"],
    answer="Laplace: large errors do happen",
    reading="Laplace's density is exp(−|e|/b)/(2b). Minus its logarithm is |e|/b plus a constant: MAE.",
)

# %% [markdown]
# The left picture shows nine (or ten) targets and the claim about them. The right one shows, in grey, the NLL of every
# prediction, computed from the distribution. The dashed line is PyTorch's **loss**, scaled and shifted. Move the
# prediction to the lowest place. Then change the noise.

# %%
likelihood.likelihood_lab()

# %% [markdown]
# The dashed line lies on the grey one, for every noise and every width:
#
# | noise | NLL is | best constant |
# |---|---|---|
# | Gaussian | MSE, times $\frac{1}{2\sigma^2}$, plus a constant | mean |
# | Laplace | MAE, times $\frac1b$, plus a constant | median |
# | Gaussian middle, Laplace tails | Huber, likewise | mostly between the two |
# | Bernoulli | BCE, exactly | share of yes |
# | categorical | cross-entropy, exactly | share of each class |
#
# The lone target at 6.8 shows what the claim means. Under Gaussian noise such a target is next to impossible, so the
# prediction has to move towards it. Under Laplace noise such targets happen, and the prediction stays with the others.
#
# "The dashed line lies on the grey one" is a claim about numbers, so check it:

# %%
for noise in likelihood.NOISES:
    for width in (0.5, 1.0, 2.5):
        nll, scaled_loss = likelihood.curves(noise, width)
        assert abs(nll - scaled_loss).max() < 1e-12, noise

# %% [markdown]
# Huber's row says "mostly" for a reason. Its best constant usually lies between median and mean, but not always:

# %%
targets = torch.tensor([-3.2, -2.5, -0.7, -0.7, 4.7])
answers = torch.linspace(-4, 5, 9001)
every_pair = targets[:, None].expand(-1, 9001), answers.expand(5, -1)
losses = nn.functional.huber_loss(*every_pair, reduction="none").mean(dim=0)
best = answers[losses.argmin()].item()
print(f"median {targets.median().item():.2f}, mean {targets.mean().item():.2f}, best under Huber {best:.2f}")
assert best < min(targets.median(), targets.mean()) - 0.4

# %% [markdown]
# **Exercise 3.** A network trained with MSE has an MSE of 8 on new data. Assume Gaussian noise with $\sigma = 2$. What
# is the NLL per image? (The formula stands above the lab's right picture; $\log$ is the natural one. Two decimals.)

# %%
my_nll = ...

# %% tags=["solution"]
my_nll = 8 / (2 * 2**2) + 0.5 * torch.log(torch.tensor(2 * torch.pi * 2**2)).item()

# %% [markdown]
# Even a loss of 0 would not make the NLL 0: perfect predictions still leave the claim "targets scatter by 2".

# %%
quiz.check(
    my_nll,
    expected=2.6121,
    tolerance=0.006,
    mistakes=[(1.0, "That is the first part. The constant ½ log(2πσ²) is missing."),
              (3.6121, "Divide MSE by 2σ² = 8, not by 4."),
              (3.2655, "You wrote σ = 2 where σ² = 4 belongs.")],
    hint="σ² is 4.",
)  # fmt: skip

# %% [markdown]
# ### Does it pay to believe in the right noise?
#
# Draw 25 targets around a true value, estimate that value with the best constant under MSE (the mean) and under MAE
# (the median), and repeat this 4,000 times. On average, how far from the truth is each of the two?

# %%
quiz.predict(
    "The noise is Laplace. Which estimate comes closer to the truth?",
    options=["the mean (MSE)", "the median (MAE)", "no difference"],
    answer="the median (MAE)",
    reading="MAE is Laplace's own negative log-likelihood. With Gaussian noise it is the other way round.",
)

# %% [markdown]
# The table shows the typical distance from the truth: rows are the noise, columns the loss.

# %%
spread = pd.DataFrame(index=["Gaussian", "Laplace"], columns=["MSE", "MAE"], dtype=float)
for noise in spread.index:
    numbers = np.random.default_rng(0)
    draw = {"Gaussian": numbers.normal, "Laplace": numbers.laplace}[noise]
    targets = draw(size=(4000, 25))  # the truth is 0
    spread.loc[noise, "MSE"] = np.sqrt((targets.mean(axis=1) ** 2).mean())
    spread.loc[noise, "MAE"] = np.sqrt((np.median(targets, axis=1) ** 2).mean())
assert spread.loc["Gaussian", "MSE"] < spread.loc["Gaussian", "MAE"]
assert spread.loc["Laplace", "MAE"] < spread.loc["Laplace", "MSE"]
spread.round(3)

# %% [markdown]
# Each loss wins on its own noise. That is the practical content of the theory: the right loss gets more out of the
# same data. It is an advantage, not a matter of life and death. Keep its size in mind when you compare losses in
# notebooks 08 to 12.
#
# ### The small print
#
# "NLL is MSE up to constants" is true while the width $\sigma$ is **fixed**. If a network predicts the width as well,
# the constant is no longer constant. Then you need the full NLL:

# %%
prediction, target, variance = torch.tensor([2.0]), torch.tensor([3.5]), torch.tensor([4.0])
full = nn.GaussianNLLLoss(full=True)(prediction, target, variance)
claim = torch.distributions.Normal(prediction, variance.sqrt())
assert torch.isclose(full, -claim.log_prob(target).mean())

# %% [markdown]
# ## What to keep of document 002, and what to make more exact
#
# | it says | what we found |
# |---|---|
# | MSE is slow because the sigmoid is multiplied in | it is the sigmoid's *slope*; without a sigmoid it is not there |
# | cross-entropy fades less, at the output layer | true, when it meets its own activation |
# | hidden layers multiply the slopes all the same | true, and the weights too |
# | ReLU, with slopes 0 or 1, is an excellent choice | mostly: start weights matter, and 0 for ever is a dead unit |
# | maximum likelihood gives the losses | true for all of them, with the width of the noise fixed |
#
# ## Summary
#
# - Behind a sigmoid MSE's slope carries the factor $\sigma'(z)$: smallest where the mistake is worst. Cross-entropy's
#   slope is $a-y$.
# - The pair counts, not the loss alone: each loss has an activation with which the factor cancels.
# - In the hidden layers slopes and weights multiply. No loss changes that; activation and start weights do.
# - A loss is the negative log-likelihood of a noise: Gaussian and MSE, Laplace and MAE, Bernoulli and BCE, categorical
#   and cross-entropy. Choosing a loss is a statement about how targets scatter.
#
# **Next:** [03 Losses from scratch](03_losses_from_scratch.ipynb): the same formulas, written as code and checked.
