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
# # 01 Losses: what a mistake costs, and how hard it pulls
#
# After this notebook you can
#
# - draw MSE, MAE, RMSE, Huber, binary cross-entropy, cross-entropy and hinge, each as a value *and* as a slope;
# - say what one outlier does to a fit under MSE, MAE and Huber, and when MAE does not help;
# - explain why MAE hops around its minimum, and what Huber does about it;
# - test the sentence "squared error learns fast early", and say when it holds.
#
# **Time:** {time}
#
# **Covers:** document 002, the part on kinds of losses
#
# **Before this one:** [00 Start here](00_start_here.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# First the tools, and the line that every notebook begins with. This notebook needs no images, only a few numbers.

# %%
from itertools import pairwise

import torch
from IPython.display import Markdown
from torch import nn

from lm_utils.lessons import losses as lesson
from lm_utils.lessons import losses_outlier as outlier
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. Two things to know about a loss
#
# A network predicts 5, the truth is 3: the **error** is 2. A loss turns that error into one number, the price.
# But training never looks at the price itself. It looks at the **slope**: how much would the price change if the
# prediction moved a little? The slope is the force with which a mistake pulls at the weights. So for every loss ask
# two questions: *what does it cost?* and *how hard does it pull?*
#
# Four losses of an error $e$ = prediction − target:
#
# | loss | value | slope |
# |---|---|---|
# | **MSE**, squared error (also L2) | $e^2$ | $2e$ |
# | **MAE**, absolute error (also L1) | $\lvert e\rvert$ | $-1$ or $+1$ |
# | **Huber**, knee $\delta$ | $\frac12 e^2$, then $\delta(\lvert e\rvert-\frac12\delta)$ | $e$, capped at $\pm\delta$ |
# | **RMSE**, root of the batch's MSE | $\sqrt{\text{mean } e^2}$ | depends on the whole batch |

# %%
quiz.predict(
    "An error grows from 2 to 20. By what factor does its pull grow under MSE, and under MAE?",
    options=["100 and 10", "10 and 1", "10 and 10"],
    answer="10 and 1",
    reading="The price grows 100 times and 10 times. The pull is the slope: 2e grows 10 times, and 1 stays 1.",
)

# %% [markdown]
# Move the error with the slider (or click on it and use the arrow keys). Then move Huber's knee.

# %%
lesson.error_lab()

# %% [markdown]
# Read the right-hand picture. MSE's pull is proportional to the error: gentle when you are close, violent when you are
# far. MAE pulls with the same force everywhere, as document 002 says. Huber behaves like MSE near zero (at half its
# strength) and like MAE far away. RMSE bends as well, but the *other* errors in the batch decide where: set the last
# slider to 0 and RMSE turns into MAE's shape; set it to 3 and it is nearly straight.
#
# You need not take this on trust. PyTorch computes the slopes for us:

# %%
errors = (-20.0, -0.3, 0.4, 2.0)
pulls = {nn.MSELoss(): [-40, -0.6, 0.8, 4], nn.L1Loss(): [-1, -1, 1, 1], nn.HuberLoss(): [-1, -0.3, 0.4, 1]}
for loss, expected in pulls.items():
    for error, pull in zip(errors, expected, strict=True):
        prediction = torch.tensor(3.0 + error, requires_grad=True)
        loss(prediction, torch.tensor(3.0)).backward()
        assert abs(prediction.grad.item() - pull) < 1e-5

# %% [markdown]
# The cell above stops with an error if any slope is wrong. At an error of exactly 0 MAE has a corner and no slope at
# all; PyTorch picks 0 there:

# %%
corner = torch.zeros(1, requires_grad=True)
nn.L1Loss()(corner, torch.zeros(1)).backward()
assert corner.grad.item() == 0

# %% [markdown]
# **Exercise 1.** Write Huber's slope yourself, for any error and any knee. The table above says it in words.


# %%
def huber_slope(error, delta):
    return ...


# %% tags=["solution"]
def huber_slope(error, delta):
    return max(-delta, min(error, delta))


# %% [markdown]
# The next cell tries your function on a few errors. It waits until you have written something.

# %%
quiz.check_function(
    huber_slope,
    lambda error, delta: max(-delta, min(error, delta)),
    cases=[(0.5, 1.0), (-0.5, 1.0), (4.0, 1.0), (-4.0, 1.0), (-4.0, 2.0)],
    mistakes=[
        (lambda e, d: min(e, d), "Right for positive errors. What about an error of −4?"),
        (lambda e, d: max(-1, min(e, 1)), "Right for a knee at 1. What if the knee is at 2?"),
    ],
    hint="`min` keeps a number from growing too large, `max` from growing too small.",
)

# %% [markdown]
# ## 2. One outlier
#
# Eight points lie near a line. A ninth was mistyped. Which line does each loss choose? The fits below are the
# best possible ones, not the result of a training run: MSE's comes from solving its linear system, MAE's from trying
# every line through two points (one of them is always among the best), Huber's from re-weighting until nothing moves.

# %%
quiz.predict(
    "The outlier rises from 16 to 160. What do the lines do?",
    options=["all three follow it", "MSE's follows, MAE's and Huber's stay", "all three stay"],
    answer="MSE's follows, MAE's and Huber's stay",
    reading="Under MSE the pull grows with the distance, without end. Under MAE and Huber it has a largest value.",
)

# %% [markdown]
# Now move it. Change the height first. Then set *fit* to "one number": MSE's answer is now the mean of all points, and
# MAE's is their median. At the end go back to the line and move the outlier **sideways**, to x = 20, with height 0.

# %%
outlier.outlier_lab()

# %% [markdown]
# The bars show why. At MSE's best line all pulls balance, and a large share of the pulling comes from the outlier.
# Under MAE every point that is off the line pulls with force 1, the mistyped one like any other. That is what document
# 002 means by "sensitive to outliers".
#
# Now look at the sideways move. With the outlier at x = 20 and height 0 the line of MAE tips over as well. MAE forgives
# a wrong **target**. It does not forgive a wrong **input**: a point far to the side is a long lever, and a weak force
# at the end of a long lever moves the line.

# %%
upright, lever = outlier.points(5.5, 40), outlier.points(20, 0)
assert abs(outlier.fit(*upright, "MAE")[1] - 1) < 0.15, "the true rise is 1"
assert outlier.fit(*lever, "MAE")[1] < 0, "tipped over"

# %% [markdown]
# How far can a single point drag a fit? Let it rise, and watch what each line says near the middle, at x = 4.

# %%
heights = torch.linspace(6.5, 40, 68).tolist()
lines = {name: [outlier.fit(*outlier.points(5.5, height), name) for height in heights] for name in lesson.THREE}
at_4 = {name: [[start + 4 * rise for start, rise in fits]] for name, fits in lines.items()}
look = {"xlabel": "height of the outlier at x = 5.5", "ylabel": "fitted value at x = 4", "every": 10}
title, levels = "MSE follows the outlier for ever; MAE and Huber let go", {"true line": 5}
alt = "Fitted value at x = 4 while the outlier rises: MSE's rises in a straight line, MAE's and Huber's stop."
show(curves_figure(at_4, alt, x=heights, levels=levels, title=title, **look))

# %% [markdown]
# MSE's answer rises with the outlier in a straight line and never stops. Huber's moves a little while the outlier is
# still close, then stays where it is. MAE's does not move at all here, because the outlier is above the line already
# and MAE does not care *how far* above. All this holds for wrong values. If the rare large values are *real* (floods,
# prices), "robust" means "blind to what matters", and MSE's attention is what you want.
#
# **Exercise 2.** Five people earn 2, 2, 3, 3 and 40. Which single number has the lowest MSE, and which the lowest
# MAE? Answer as a pair, MSE first.

# %%
my_pair = ...

# %% tags=["solution"]
my_pair = (10, 3)

# %% [markdown]
# Check it. Then ask yourself which of the two numbers you would print in a newspaper.

# %%
quiz.check(
    my_pair,
    expected=(10, 3),
    mistakes=[((3, 10), "The other way round: which of the two follows the 40?"),
              ((10, 2), "The mean is right. For the other one, sort them and take the middle one.")],
    hint="One is the mean, the other is the median.",
)  # fmt: skip

# %% [markdown]
# ## 3. Why MAE hops, and why Huber exists
#
# Document 002 warns: MAE's slope stays the same close to the minimum, therefore it can *jump*, and one has to
# "reduce the size of the loss by hand". We start with one number, 2.13 away from its target, and take forty steps of
# plain gradient descent, with the same step size for every loss.

# %%
quiz.predict(
    "Step size 0.4, always the same. How close to the minimum does MAE come in the end?",
    options=["as close as you like", "it keeps hopping at a distance of up to 0.4", "it runs away"],
    answer="it keeps hopping at a distance of up to 0.4",
    reading="Each step is 0.4 long, near or far. When the minimum is closer than that, the step jumps over it.",
)

# %% [markdown]
# Here are the walks. Look first at where they *end*, then at how they get there.

# %%
lesson.walk_lab()

# %% [markdown]
# The three small pictures show the last steps on each loss curve; the large one shows the distance to the minimum on a
# logarithmic scale. MAE hops from one side to the other for ever. MSE and Huber settle: their slope fades as they come
# near. Two experiments:
#
# - choose "halved every 5 steps": now MAE comes to rest too. Huber stops a little *short* of the target: its steps
#   shrank before it had arrived. A schedule is one more thing that you can get wrong, and Huber does not need one;
# - choose "all of one size" again and go beyond a step size of 1: MSE runs away. Its pull grows with the error, so one
#   step too long makes the next one longer. Huber and MAE cannot do that.
#
# This is why Huber exists: it comes to rest as MSE does, but never pulls as violently. Here is that claim as a test
# that could fail:

# %%
assert abs(lesson.walk("MAE", rate=0.4)[-2:]).max() > 0.1, "still hopping"
assert abs(lesson.walk("MAE", rate=0.4, halve=5)[-1]) < 0.01, "at rest"
assert abs(lesson.walk("Huber", rate=0.4)[-1]) < 1e-6, "settled"
assert abs(lesson.walk("MSE", rate=1.1)[-1]) > 1000, "gone"

# %% [markdown]
# One remark on "reduce the size of the loss". For plain gradient descent, half the loss is the same as half the
# learning rate. For AdamW, the optimiser of the documents' experiments, it changes nothing, because AdamW divides by
# the size of the gradients it has seen. The **learning rate** must shrink instead:

# %%
steps = lesson.steps_needed
assert steps("MAE", "SGD", 10.0, factor=0.5) == 2 * steps("MAE", "SGD", 10.0)
assert steps("MAE", "AdamW", 10.0, factor=0.5) == steps("MAE", "AdamW", 10.0)

# %% [markdown]
# ## 4. "Squared error learns fast early": when?
#
# Document 002 says that MSE learns fast at the beginning because errors are squared. It sounds right. Test it: start
# with an error of some size and count the steps until nine tenths of it are gone.

# %%
quiz.predict(
    "With plain gradient descent (SGD) and errors of 0.1, as with probabilities: which loss is quicker at first?",
    options=["MSE", "MAE", "both alike"],
    answer="MAE",
    reading="At e = 0.1 MSE pulls with 0.2, MAE with 1. Squaring makes small errors smaller.",
)

# %% [markdown]
# Now for errors of all sizes from 0.1 to 30, with PyTorch's own losses and two of its optimisers. Both axes are
# logarithmic; low is quick.

# %%
show(lesson.race_figure())

# %% [markdown]
# Left, SGD: MSE needs the same number of steps for *every* size of error, because it removes a fixed share per step.
# MAE walks at a fixed speed: far behind for large errors, ahead for small ones. Huber is slow on both sides: for large
# errors it walks at MAE's speed, and for small ones it pulls half as hard as MSE. Right, AdamW: MSE has lost its
# advantage, and for large errors it is even the slowest. AdamW's step hardly depends on the size of the slope, only on
# its sign and its history.

# %%
mse_sgd, mae_sgd = steps("MSE", "SGD", 10.0), steps("MAE", "SGD", 10.0)
mse_adamw, mae_adamw = steps("MSE", "AdamW", 10.0), steps("MAE", "AdamW", 10.0)
assert mse_sgd < mae_sgd and mse_adamw > mae_adamw
Markdown(
    f"From an error of 10 down to 1: with SGD **{mse_sgd}** steps under MSE, **{mae_sgd}** under"
    f" MAE; with AdamW **{mse_adamw}** and **{mae_adamw}**."
)

# %% [markdown]
# So the sentence holds for errors well above 1, with plain gradient descent, and with a step size small enough not to
# run away. It is a statement about a loss *and* a scale *and* an optimiser.
#
# **Exercise 3.** The script below looks for the number with the lowest MAE among the five incomes of exercise 2. It
# hops for ever. Repair it: its last six guesses must lie within 0.02 of the median. Keep MAE, and keep the 100 steps.


# %%
def script():
    incomes, guess = torch.tensor([2.0, 2, 3, 3, 40]), torch.tensor(0.0, requires_grad=True)
    optimizer, walk = torch.optim.SGD([guess], lr=2.0), []
    for step in range(100):
        optimizer.zero_grad()
        nn.L1Loss()(guess.expand(5), incomes).backward()
        optimizer.step()
        walk += [guess.item()] if step >= 94 else []
    return walk


script()


# %% tags=["solution"]
def script():
    incomes, guess = torch.tensor([2.0, 2, 3, 3, 40]), torch.tensor(0.0, requires_grad=True)
    optimizer, walk = torch.optim.SGD([guess], lr=2.0), []
    for step in range(100):
        optimizer.param_groups[0]["lr"] = 2.0 / (1 + step)  # the only new line: each step is shorter than the last
        optimizer.zero_grad()
        nn.L1Loss()(guess.expand(5), incomes).backward()
        optimizer.step()
        walk += [guess.item()] if step >= 94 else []
    return walk


script()

# %% [markdown]
# Edit the script above, run its cell, and then this one:

# %%
quiz.check_script(
    script,
    works=lambda walk: max(abs(guess - 3) for guess in walk) < 0.02,
    broken=[2.0, 3.2, 2.0, 3.2, 2.0, 3.2],
    mistakes=[
        ("MSELoss", "MSE looks for the mean, which follows the 40. Keep MAE."),
        ("HuberLoss", "Huber does come to rest, but not quite at the median. Keep MAE."),
        (lambda walk: all(b - a > 1e-3 for a, b in pairwise(walk)), "Now it does not arrive in 100 steps: the "
         "learning rate is too small from the start. Begin with large steps, and end with small ones."),
        (lambda walk: max(walk) - min(walk) > 0.02, "It still hops: the last steps are too long. However many steps "
         "you allow, a learning rate that stays the same keeps hopping."),
    ],
    hint="Let the learning rate shrink: `optimizer.param_groups[0][\"lr\"] = …` inside the loop.",
)  # fmt: skip

# %% [markdown]
# ## 5. RMSE belongs to a batch
#
# RMSE is the root of the batch's MSE. It has the same unit as the target. (MAE has that advantage too; document 002
# names it for MAE alone.) But it is not a mean over images: the mean of two batches' RMSE is not the RMSE of both
# together. PyTorch has no class for it.


# %%
def rmse(errors):
    return errors.square().mean().sqrt()


first, second = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 1.0])
assert rmse(torch.cat([first, second])) > (rmse(first) + rmse(second)) / 2 + 0.3

# %% [markdown]
# So the best constant answer depends on the batch size. A batch of one makes RMSE the absolute error, whose best answer
# is the median. Only the full batch gives the mean, as MSE does. Here are forty targets with median 1 and mean 2:

# %%
numbers = torch.tensor([1.0] * 30 + [5.0] * 10)[torch.randperm(40, generator=torch.Generator().manual_seed(0))]
answers = torch.linspace(1, 5, 401)


def best_constant(batch):
    per_batch = [(part[:, None] - answers).square().mean(dim=0).sqrt() for part in numbers.split(batch)]
    return answers[torch.stack(per_batch).mean(dim=0).argmin()].item()


{batch: round(best_constant(batch), 2) for batch in (1, 8, 20, 40)}

# %%
assert best_constant(1) == 1 and abs(best_constant(40) - 2) < 0.01
assert 1 < best_constant(8) < best_constant(20) < 2

# %% [markdown]
# ## 6. Losses for a yes or a no, and for classes
#
# With classes the network gives a **score** $z$ (a *logit*): far above zero means a confident yes, far below a
# confident no. Sigmoid turns it into a probability $p$.
#
# | loss | value for the label *yes* | slope by $z$ |
# |---|---|---|
# | **binary cross-entropy** (BCE, log loss) | $-\log p$ | $p-1$ |
# | **cross-entropy** (CE) over several classes | $-\log p$, with $p$ from softmax | $p-1$ |
# | **hinge** (SVM loss) | $\max(0, 1-z)$, labels are $+1$ and $-1$ | $-1$, and $0$ beyond $z=1$ |
#
# For comparison the figure has a fourth loss: MSE on the sigmoid's output. In the curve of cross-entropy, the score
# belongs to one of three classes; the two others keep a score of 0.

# %%
quiz.predict(
    "The label is yes, the score is −6: a confident mistake. Which of the four pulls least?",
    options=["BCE", "cross-entropy", "hinge", "MSE on the sigmoid"],
    answer="MSE on the sigmoid",
    reading="Far out the sigmoid is flat, and MSE's slope is multiplied by that flatness. Notebook 02 is about this.",
)

# %% [markdown]
# Move the score from far left to far right, then switch the label.

# %%
lesson.score_lab()

# %% [markdown]
# For a confident mistake BCE, cross-entropy and hinge pull with a force near 1, however large the mistake is. In this
# they behave like MAE, not like MSE. Where the answer is right they differ: BCE always pulls a little, hinge stops once
# the score passes the **margin** at 1. And MSE behind a sigmoid pulls least where the mistake is worst. Again PyTorch
# agrees:

# %%
z = torch.tensor([-3.0], requires_grad=True)
nn.BCEWithLogitsLoss()(z, torch.ones(1)).backward()
assert abs(z.grad.item() - (torch.sigmoid(z).item() - 1)) < 1e-6

# %% [markdown]
# ### Two sentences of document 002, made more exact
#
# **"Cross-entropy measures the difference between two distributions."** Almost: it is that difference (the
# Kullback–Leibler divergence) *plus* the entropy of the true distribution. With hard labels the entropy is 0 and the
# two are the same. With soft labels a perfect prediction still costs something:

# %%
truth = torch.tensor([[0.7, 0.2, 0.1]])
perfect = nn.CrossEntropyLoss()(truth.log(), truth)
entropy = -(truth * truth.log()).sum()
assert torch.allclose(perfect, entropy) and perfect > 0.8

# %% [markdown]
# **"Hinge is a loss for binary classification that maximises the margin."** Half of this is right. One hinge per output
# does ask a yes-or-no question (on ten classes it fails here: [notebook 15](15_verdicts.ipynb)). For many classes there
# is a relative, `nn.MultiMarginLoss`, which wants every wrong class to stay 1 below the true one. But hinge alone does
# not *maximise* a margin. Once all scores are beyond 1 it is zero, and doubling all weights leaves it at zero. What
# makes the margin wide is a penalty on the weights, added to the loss (as in a support vector machine).

# %%
scores = torch.tensor([[2.5, 1.0, 0.2]])
assert nn.MultiMarginLoss()(scores, torch.tensor([0])) == 0, "three classes, satisfied"
assert nn.MultiMarginLoss()(2 * scores, torch.tensor([0])) == 0, "doubled: no better"
assert nn.MultiMarginLoss()(scores, torch.tensor([1])) > 0

# %% [markdown]
# ## Where each one is used
#
# | loss | in PyTorch | reads | typical use |
# |---|---|---|---|
# | MSE | `nn.MSELoss` | any number | regression with well-behaved errors; the mean is wanted |
# | MAE | `nn.L1Loss` | any number | regression with wild targets; the median is wanted |
# | RMSE | `torch.sqrt(nn.MSELoss()(…))` | any number | reporting, in the unit of the target |
# | Huber | `nn.HuberLoss`, `nn.SmoothL1Loss` | any number | box corners in detection, rewards, sensors |
# | BCE | `nn.BCEWithLogitsLoss` | one score per label | yes or no; several independent labels |
# | cross-entropy | `nn.CrossEntropyLoss` | one score per class | one class out of many |
# | hinge | own line, `nn.MultiMarginLoss` | scores, labels ±1 or a class | support vector machines |
#
# `nn.SmoothL1Loss(beta)` is Huber divided by its knee: the same shape, another scale.

# %%
errors, zeros = torch.linspace(-5, 5, 41), torch.zeros(41)
smooth, knee = nn.SmoothL1Loss(beta=2.0), nn.HuberLoss(delta=2.0)
assert torch.allclose(smooth(errors, zeros) * 2.0, knee(errors, zeros))

# %% [markdown]
# ## Summary
#
# - A loss has a value and a slope; training feels the slope.
# - MSE's pull grows with the error: quick for large errors under plain gradient descent, unstable if the step is too
#   long, dragged along by a wrong target. Its best constant is the mean.
# - MAE's pull is constant: it ignores how wrong a wrong target is, hops near the minimum until the learning rate
#   shrinks, and is still helpless against a wrong *input*. Its best constant is the median.
# - Huber comes to rest like MSE, and its pull is limited like MAE's.
# - BCE, cross-entropy and hinge keep pulling at a confident mistake; MSE behind a sigmoid does not.
# - "MSE learns fast early" depends on the size of the errors and on the optimiser; under AdamW it was false here.
#
# **Next:** [02 Why these losses](02_why_these_losses.ipynb): where do these formulas come from, and why does MSE crawl
# behind a sigmoid?
