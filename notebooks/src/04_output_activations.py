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
# # 04 Output activations: what a network is able to say
#
# After this notebook you can
#
# - say which output activation fits which of the five tasks, and why;
# - show that softmax ties the outputs together and that sigmoid does not;
# - name the exact number at which a sigmoid can no longer be undone, for four precisions;
# - explain why regression targets are standardised, and why a ReLU at the end can be dead.
#
# **Time:** {time}
#
# **Covers:** document 001, section 1 with 1-1 and 1-2; document 000, section 3-1 (standardised targets)
#
# **Before this one:** [03 Losses from scratch](03_losses_from_scratch.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# First the tools, and a line that says which images and which device this notebook uses.

# %%
import pandas as pd
import torch
from IPython.display import Markdown

import lm_utils as lm
from lm_utils.evidence.results import counted
from lm_utils.lessons import output_activations as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.style import show
from lm_utils.training import epochs_for

banner(data, device)

# %% [markdown]
# ## 1. Which numbers are within reach?
#
# The last linear layer of a network can emit any number. The **output activation** that follows decides which
# numbers are left: ReLU keeps 0 and more, sigmoid keeps what lies between 0 and 1, softmax keeps rows of numbers
# between 0 and 1 *that sum to one*. Document 001 (section 1) recommends no activation for regression, sigmoid for
# one probability and for several labels, softmax for exclusive classes.
#
# Before asking what learns well, ask what can be *said* at all. In the multi-label task a digit gets four answers:
# even? prime? curved (0, 3, 6, 8 and 9, by the documents' definition)? a square?

# %%
quiz.predict(
    "For how many of the ten digits can softmax say the right four labels (exactly, or as closely as you like)?",
    options=["all ten", "three", "none"],
    answer="three",
    reading="Softmax outputs sum to one, so only a digit with exactly one true label is within reach: 1, 5 and 7.",
)

# %% [markdown]
# The next figure asks this question for every task and every activation: out of the ten digits, for how many does
# the target lie inside the activation's range, or at its edge?

# %%
show(lesson.reach_figure())

# %% [markdown]
# Read it by rows. For regression, sigmoid and softmax reach the target of the digit 1 alone (a target of 1, which a
# sigmoid only approaches). With a single output, softmax can say only one thing. With several labels it is right for
# three digits. For exclusive classes sigmoid reaches *everything*: "sigmoid cannot say ten classes" is not true. If it
# fails there, the reason must lie in learning, not in range (notebook 11).
#
# The 5 of 10 for softmax on a single output deserves a closer look. Softmax divides the exponential of each output by
# the sum of all the exponentials. What if there is only one output?

# %%
z = torch.tensor([[-3.0], [0.0], [42.0]], requires_grad=True)
alone = torch.softmax(z, dim=1)
alone.sum().backward()
assert torch.equal(alone, torch.ones(3, 1)) and torch.equal(z.grad, torch.zeros(3, 1))

# %% [markdown]
# The answer is 1 whatever the network computed, and the gradient is exactly 0. No loss can repair that, because the
# output that the loss sees does not depend on the image. This is the 49.31 % of document 000 (section 3-2): the share
# of curved digits among MNIST's test images.
#
# ## 2. Softmax ties outputs together, sigmoid does not
#
# Document 001 (section 1-2) argues that classes exclude each other, and that softmax knows this while sigmoid does not.
# Here is what "knows" means. Move **one** logit and watch all outputs. The two tables to the right show the slopes.
# Rows are outputs and columns are logits; blue means "moves along", red "moves against".

# %%
lesson.coupling_lab()

# %% [markdown]
# Softmax's table is full: when one logit rises, every other output must fall, because the sum stays one. Sigmoid's
# table has numbers on the diagonal only: each output depends on its own logit alone. The following cell would fail if
# that were not so.

# %%
logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
tied = lesson.jacobian("softmax", logits)
free = lesson.jacobian("sigmoid", logits)
assert torch.allclose(tied.sum(dim=0), torch.zeros(4), atol=1e-6)
assert torch.equal(free, torch.diag(free.diagonal()))

# %% [markdown]
# Two more facts follow. Softmax ignores a common shift of all logits, so ten logits carry no more information than nine
# numbers. And softmax over *two* logits is simply a sigmoid of their difference: for two classes, "one output with
# sigmoid" and "two outputs with softmax" are the same model.

# %%
assert torch.allclose(torch.softmax(logits + 5, dim=0), torch.softmax(logits, dim=0))
pair = torch.tensor([0.3, -1.2])
assert torch.allclose(torch.softmax(pair, dim=0)[0], torch.sigmoid(pair[0] - pair[1]))

# %% [markdown]
# **Exercise 1.** Write the slopes of softmax yourself. With $p = \mathrm{softmax}(z)$, the slope of output $i$ with
# respect to logit $j$ is $p_i(1-p_i)$ on the diagonal and $-p_i p_j$ elsewhere. Return them as a square tensor.
# (`torch.diag` and `torch.outer` make it one line.)


# %%
def softmax_slopes(z):
    return ...


# %% tags=["solution"]
def softmax_slopes(z):
    p = torch.softmax(z, dim=0)
    return torch.diag(p) - torch.outer(p, p)


# %% [markdown]
# Run the next cell to check it.

# %%
quiz.check_function(
    softmax_slopes,
    reference=lambda z: lesson.jacobian("softmax", z),
    cases=[(torch.tensor([1.0, 2.0]),), (torch.tensor([0.5, -1.0, 3.0]),)],
    mistakes=[(lambda z: torch.diag(torch.softmax(z, 0)), "The part that ties the outputs is missing: -p_i p_j.")],
    hint="Start from p = torch.softmax(z, dim=0).",
    tolerance=1e-5,
)

# %% [markdown]
# ## 3. Squeezing regression targets through a sigmoid
#
# Some people like outputs between 0 and 1 so much that they bend regression to fit: apply a sigmoid to the *targets*,
# end the network with a sigmoid, and undo it afterwards with the inverse, $\log\frac{p}{1-p}$. Document 001 (section
# 1-1) advises against it with three arguments: it distorts the data, it complicates the model, and large numbers are
# rounded to 0 or 1 and cannot be undone. We look at each in turn. First comes the distortion, on this course's
# regression task (strokes plus holes of a digit, from 1 to 6).

# %%
splits = lm.load_data(data, seed=0)
targets = lm.TASKS["regression"].target(splits.train.digits).flatten()
mean, std = targets.mean().item(), targets.std().item()
show(lesson.squeeze_figure(targets.tolist(), mean, std))

# %% [markdown]
# On the left, equal steps between targets become unequal steps behind the sigmoid. On the right is the consequence: the
# same mistake, one too many, costs thousands of times less at target 6 than at target 1 when targets are raw.
# Standardising first softens this a lot, but does not remove it. A mean *squared* error behind a sigmoid is not the
# loss that you think you use.
#
# It also changes the answer the loss likes best. Suppose an image is a 1 or a 6 with equal chances.

# %%
torn = torch.tensor([1.0, 6.0])
squeezed = lm.activations.inverse_sigmoid(torch.sigmoid(torn).mean())
assert squeezed < torn.mean()
Markdown(f"Squared error on raw targets answers **{torn.mean():.2f}**, behind a sigmoid **{squeezed:.2f}**.")

# %% [markdown]
# The second answer is not the mean, and you would not have chosen it. This is the price of bending the scale.
#
# You have just met the second argument of the document, "it makes the model more complicated": there are two more
# functions to think about, and the metric no longer matches the loss.
#
# ### Where the sigmoid cannot be undone
#
# The third argument is about rounding. Document 001 says that from about 15 upwards, and from about -15 downwards,
# a computer takes the sigmoid for exactly 1 and exactly 0. Is it 15?

# %%
quiz.predict(
    "In float32, from which x on is torch.sigmoid(x) exactly 1?",
    options=["about 15", "about 16.6", "about 36.7", "about 88.7"],
    answer="about 16.6",
    reading="sigmoid(x) is 1 / (1 + exp(-x)), and in float32 the sum 1 + exp(-x) is rounded to 1 as soon as exp(-x) "
    "is below one part in 2 to the 24: at x = 24 ln 2 = 16.64. The table below finds it by bisection.",
)

# %% [markdown]
# Bisection halves an interval until no number of the precision is left between its ends, so it finds the *exact* first
# number. `largest that returns` is the largest value that ever comes back from sigmoid and inverse.

# %%
rows = {}
for name, dtype in lesson.PRECISIONS.items():
    one = torch.tensor(lesson.becomes_one(dtype), dtype=dtype)
    largest = torch.nextafter(one, torch.zeros_like(one))  # the number just below
    zero = lesson.first_number(dtype, lambda x: torch.sigmoid(-x) == 0)
    rows[name] = [one.item(), lesson.recovered(largest).item(), -zero]
table = pd.DataFrame(rows, index=["exactly 1 from", "largest that returns", "exactly 0 from"]).T
table

# %% [markdown]
# Is it really the *first* one? The next cell asks float32 for it and for the number just below.

# %%
assert table["exactly 1 from"].round(2).tolist() == [8.32, 6.25, 16.64, 36.74]
edge = torch.tensor(table["exactly 1 from"].tolist())[2]  # of float32
assert torch.sigmoid(edge) == 1 and torch.sigmoid(torch.nextafter(edge, torch.tensor(0.0))) < 1

# %% [markdown]
# So the document's 15 is a fair rule of thumb for float32 on the positive side, far too generous for the short
# precisions that GPUs like, and too strict for float64. On the negative side it does not hold: near 0, floating-point
# numbers are dense. The document also says that sigmoid(-15) is very *close* to 0. That is true, but it is an ordinary
# number and far from being rounded to 0.

# %%
minus = torch.tensor([-15.0, -50.0])
assert (torch.sigmoid(minus) > 0).all()
assert torch.allclose(lesson.recovered(minus), minus)

# %% [markdown]
# Rounding does harm long before that limit, though. Here is how far the round trip misses, for each precision.

# %%
show(lesson.round_trip_figure())

# %% [markdown]
# Below about -4 the lines lie at the bottom: nothing is lost (float16 alone runs out of small numbers near -12).
# Right of zero each line climbs steadily, by a factor of about 2.7 per unit, until half a unit is missed; then the
# inverse is infinite. Look closer with the next lab: slide x by hand or with the arrow keys, and change the
# precision. The staircase is what float32 leaves of the numbers near 16.

# %%
lesson.round_trip_lab()

# %% [markdown]
# Does it matter here? Our targets reach 6, and standardised ones stay within a few units of zero, where float32 loses
# nothing you would notice. So the first argument is the strongest: the distortion is always there. The saturation is
# real, but it needs outputs beyond 16 (or float16). Notebook 08 shows what the trick costs in training.
#
# **Exercise 2.** In bfloat16, the largest number below 1 is $1 - 2^{-8}$. What does the inverse sigmoid,
# $\log\frac{p}{1-p}$, give for it, computed without any rounding on the way? (Three decimals; any tool is fine.)

# %%
largest_bfloat16 = ...

# %% tags=["solution"]
import math

p = 1 - 2**-8
largest_bfloat16 = math.log(p / (1 - p))

# %% [markdown]
# Check it. The number in the table above comes close, but it was itself rounded to bfloat16.

# %%
quiz.check(
    largest_bfloat16,
    expected=5.5413,
    tolerance=0.002,
    mistakes={
        6.25: "That is where the sigmoid becomes 1; the question is what the inverse gives just before.",
        5.53125: "That is the table's number: bfloat16 rounds the inverse as well.",
        2.4065: "That is the logarithm to base 10; log means the natural one.",
    },
    hint="Write p and 1 - p as fractions with the denominator 256.",
)

# %% [markdown]
# ## 4. Why regression targets are standardised
#
# Document 000 (section 3-1) notes that targets must be standardised, with the training set's mean and deviation, to
# get the performance one wants. Why, when the last layer can emit any number? Because it has to *get there*. As
# long as gradients keep their sign and size, AdamW moves each weight by its learning rate per step, whatever that size
# is. (A large gradient after many small ones makes one larger step, about three times the learning rate.)

# %%
weight = torch.nn.Parameter(torch.zeros(1))
optimizer, steps = torch.optim.AdamW([weight], lr=0.001, weight_decay=0), []
for size in [1e-3] * 3000 + [1.0]:
    before, weight.grad = weight.item(), torch.full((1,), size)
    optimizer.step()
    steps.append((before - weight.item()) / 0.001)
print(f"steps in learning rates: first {steps[0]:.2f}, last small one {steps[-2]:.2f}, then {steps[-1]:.2f}")
assert abs(steps[0] - 1) < 0.01 and abs(steps[-2] - 1) < 0.01 and 2.9 < steps[-1] < 3.3

# %% [markdown]
# **Exercise 3.** The output is a sum of 64 hidden units, each near 0.5 at the start, times their weights, plus a
# bias. Every one of these 65 parameters can move by about 0.001 per step. By how much can the output move in one
# step, and so how many steps does it take to reach the mean target of 2.8, starting at 0?

# %%
steps_to_mean = ...

# %% tags=["solution"]
steps_to_mean = 2.8 / (0.001 * (64 * 0.5 + 1))

# %% [markdown]
# An answer within five steps counts.

# %%
assert abs(mean - 2.8) < 0.1
quiz.check(
    steps_to_mean,
    expected=2.8 / 0.033,
    tolerance=5,
    mistakes=[(2.8 / 0.001, "That is the bias alone; the 64 weights help, each with half a unit of input.")],
    hint="One step moves the output by 0.001 times the sum of the inputs that each parameter sees.",
)

# %% [markdown]
# Some eighty-five steps sounds harmless: a few epochs at most. But on the way every image pushes each hidden unit in
# the **same** direction, because every output is too small. The push goes up where the unit's output weight is positive
# and down where it is negative, so about half of the units go each way:

# %%
fresh, few = lm.CNN(outputs=1, generator=torch.Generator().manual_seed(0)), splits.train.images[:200]
units = fresh.hidden_units(few).detach().requires_grad_()
error = fresh.out(units) - targets[:200, None]
push = -torch.autograd.grad(error.square().mean(), units)[0]  # where a step would move each unit
up, down = ((push > 0).all(dim=0), (push < 0).all(dim=0))
assert (up | down).all() and 0.3 < up.float().mean() < 0.7, "all images push a unit the same way, half of them up"
print(f"all 200 images push {up.sum()} of {len(up)} units up, and the other {down.sum()} down")

# %% [markdown]
# What does this do to the network?

# %%
quiz.predict(
    "A few epochs of mean squared error on raw targets and on standardised targets: what happens to the raw run?",
    options=["it catches up within that time", "it learns a little slower", "it predicts the mean for every image"],
    answer="it predicts the mean for every image",
    reading="The common push drives the sigmoid hidden layer into saturation before it has seen any difference "
    "between images; the output then sits at the mean. The run below shows it.",
)

# %% [markdown]
# Now live, with the course's own `fit`: the network, the images and the loss are the same, and one word differs. To be
# quick, this cell trains `lm.TinyCNN`, on images of half the size. It has 32 hidden units and a learning rate of 0.01,
# so by the count of exercise 3 it reaches the mean in some sixteen steps. (The tables of the course are the documents'
# CNN's.) About a hundred and fifty weight updates are enough to see it.

# %%
curves, epochs = {}, epochs_for(splits, updates=150)
for normalize in (False, True):
    pairing = lm.Pairing("regression", "mse", "none", normalize=normalize)
    runs = [
        lm.fit(pairing, splits, seed, max_epochs=epochs, device=device, network=lm.TinyCNN) for seed in range(seeds)
    ]
    errors = [[record["valid_metric"] for record in run.history] for run in runs]
    curves["standardised" if normalize else "raw"] = errors

# %% [markdown]
# The metric is the squared error on the original scale for both, so that they can be compared. The dotted line is
# what you get by always answering the mean.

# %%
guess = lm.TASKS["regression"].baseline(targets, lm.TASKS["regression"].target(splits.valid.digits))
title = f"Raw and standardised targets, {counted(seeds, 'seed')} ({splits.name})"
last = {name: sum(line[-1] for line in lines) / seeds for name, lines in curves.items()}
alt = f"{title}: valid squared error over epochs, at the end {last['raw']:.2f} and {last['standardised']:.2f} (means)."
levels = {"always the mean": guess}
show(curves_figure(curves, alt, levels=levels, title=title, xlabel="epoch", ylabel="valid squared error"))

# %% [markdown]
# Each line is one seed. The raw runs come down to the dotted line, which means that they say the same number for every
# image; the standardised runs go below it and keep going. In numbers:

# %%
Markdown(
    f"After {epochs} epochs on {splits.name}: raw **{last['raw']:.2f}**, standardised **{last['standardised']:.2f}**, "
    f"always the mean {guess:.2f} (over {counted(seeds, 'seed')}; an illustration, not a verdict)."
)

# %% [markdown]
# So the document is right that standardising matters, and the reason is not the *range* of the output. It is the
# start: with standardised targets the best constant is 0, and that is where a fresh network begins. Keep the words
# "common push" in mind; you will need them again.
#
# ## 5. ReLU as the last layer
#
# Document 001 allows ReLU for regression when values are never negative. The range fits. But ReLU passes no gradient
# where its input is negative, and at the start nothing makes the input positive.

# %%
quiz.predict(
    "Of many fresh networks with one output and ReLU at the end, how many say 0 for every image and get no gradient?",
    options=["hardly any", "about half", "nearly all"],
    answer="about half",
    reading="Before training, the outputs of one network are nearly equal for all images, and their common sign is "
    "a matter of luck: a coin toss.",
)

# %% [markdown]
# Here are forty fresh networks. Each mark is the output before ReLU for a hundred images, drawn with its range,
# which is mostly too small to see.

# %%
networks = [lm.CNN(outputs=1, generator=torch.Generator().manual_seed(seed)) for seed in range(40)]
with torch.no_grad():
    outputs = torch.stack([network.logits(splits.train.images[:100])[:, 0] for network in networks])
show(lesson.dead_figure(outputs))

# %% [markdown]
# Networks below the line emit 0 for all hundred images. The loss has no way to lift them, since the gradient of every
# weight is exactly zero. Take the first dead one and train it anyway.

# %%
dead_seed = (outputs.max(dim=1).values <= 0).nonzero()[0].item()
run = lm.fit(lm.Pairing("regression", "mse", "relu"), splits, dead_seed, max_epochs=2, device=device)
zero_score = lm.TASKS["regression"].target(splits.valid.digits).square().mean().item()
assert all(abs(record["valid_metric"] - zero_score) < 1e-4 for record in run.history)

# %% [markdown]
# Its score never moves: it is the score of answering 0 to everything. The lesson is not "never use ReLU at the end". It
# is "if you do, look at the first outputs". The safe choice is no activation, with a clip after training where negative
# answers make no sense: it costs nothing and cannot die.
#
# ## Summary
#
# | task | output activation | because |
# |---|---|---|
# | regression | none, targets standardised | any number is within reach, and the start is right |
# | one probability, several labels | sigmoid | each answer between 0 and 1, none tied to another |
# | exclusive classes (2 or more) | softmax | outputs compete and sum to one |
#
# - Range comes first: softmax over one output is always 1; softmax over labels cannot say "two are true".
# - Softmax ties outputs together, sigmoid leaves them alone. Sigmoid *can* say a one-hot answer.
# - Sigmoid-and-inverse always distorts distances. Rounding breaks it from 16.64 in float32, 8.32 in float16, 6.25 in
#   bfloat16, 36.74 in float64, and not at -15.
# - Standardising targets gives training the right start. Whether a ReLU output ever learns is a matter of luck.
#
# In PyTorch the activation is often *inside* the loss. Which loss wants which output is the next question:
# [05 Matching the loss to the task](05_matching_loss_to_task.ipynb).
