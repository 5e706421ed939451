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
# # 07 Experiment design: what every number in this course stands on
#
# After this notebook you can
#
# - say which images train, choose and test a network, and what each of the five tasks asks about them;
# - name the score that any result must beat before it means something;
# - read a complete training loop line by line, and run it;
# - explain why early stopping and a single seed can mislead, and what ten paired seeds add.
#
# **Time:** {time}
#
# **Covers:** document 000, section 2; document 001, section 2
#
# **Before this one:** [06 BCE and logits](06_bce_and_logits.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools, and the images and device in use.

# %%
from dataclasses import astuple
from itertools import product

import numpy as np
import pandas as pd
import torch
import torchinfo
from scipy import stats
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence import statistics
from lm_utils.files import RESULTS
from lm_utils.lessons import experiment_design as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. One photograph, five questions
#
# Both documents use photographs of handwritten digits (MNIST), and ask five different questions about the same
# image. That is the trick of the whole design: the network, the images and the optimiser stay the same, and only
# task, loss and output activation change. So whatever differs in the results comes from these three.

# %%
splits = lm.load_data(data, seed=0)
show(lesson.targets_figure(splits))

# %% [markdown]
# Read it by columns. A 4 has six strokes and holes, is not curved, is the class 4, and is even and a square (letters:
# **e**ven, **p**rime, **c**urved, **s**quare; a dot means no). "Probability" and "binary" ask the same question, once
# with one output and once with two. A 0 carries three labels, a 7 only one: this will matter for softmax. (These
# counts, and "curved" for 0, 3, 6, 8 and 9, are the documents'. You may count otherwise; what matters is that every
# digit has one fixed target.)
#
# ## 2. Three parts, three jobs
#
# - **train** images change the weights;
# - **valid** images decide when to stop and which epoch's weights to keep;
# - **test** images are looked at once per run, at the very end.
#
# The documents draw 2,000 train and 3,000 valid images from MNIST's 60,000, and test on the 10,000 others. A small
# training set keeps every experiment short, and so does MNIST itself, with its small images and a small network. That
# is why the documents chose it. Without MNIST, the course falls back on a smaller set of digits.
#
# "Once" is true of each run, but not of this course as a whole. Several of our verdicts were corrected after a look at
# the test results of many runs; the list at the end of part 6 has the rules that changed. Such findings are tried again
# on seeds that nobody had looked at.

# %%
for name in ("train", "valid", "test"):
    part = getattr(splits, name)
    print(f"{name:6}{len(part):6,} images, pixels from {part.images.min():g} to {part.images.max():g}")
assert splits.train.images.shape[1:] == (1, 28, 28)

# %% [markdown]
# Are the targets balanced? The documents choose accuracy as their metric *because* classes are balanced. That is a
# claim about data, so look.

# %%
show(lesson.balance_figure(splits))

# %% [markdown]
# Digits are spread about evenly over all three parts, and curved digits make up half of the images. But look at the
# last panel: prime and square are a "no" more often than a "yes"; and in the panel "Regression" the target 2 occurs
# about four times as often as 1. So what does an answer that ignores the image score?

# %%
quiz.predict(
    "Four labels per image, and the answer is always the same four words. How many of all answers are right, at best?",
    options=["about 10 %", "about 25 %", "about 55 %"],
    answer="about 55 %",
    reading="For each label take the more frequent answer; it is right for half or more of the images. So 76 % in "
    "the multi-label task is far less impressive than 76 % for ten classes.",
)

# %% [markdown]
# This is the table to keep beside every result. For regression the best constant is the training mean; its squared
# error is the variance of the targets.

# %%
rows = []
for task in lm.TASKS.values():
    known, asked = task.target(splits.train.digits), task.target(splits.test.digits)
    rows.append([task.title, task.metric, task.baseline(known, asked)])
baselines = pd.DataFrame(rows, columns=["task", "metric", "best constant answer scores"]).round(4)
baselines

# %% [markdown]
# **Exercise 1.** Compute the regression line of this table yourself: the squared error on the *test* images of
# always answering the mean of the *training* targets. `train_values` and `test_values` are ready.

# %%
train_values = lm.TASKS["regression"].target(splits.train.digits)
test_values = lm.TASKS["regression"].target(splits.test.digits)
constant_error = ...

# %% tags=["solution"]
constant_error = (test_values - train_values.mean()).square().mean()

# %% [markdown]
# Check it:

# %%
quiz.check(
    constant_error,
    expected=((test_values - train_values.mean()) ** 2).mean(),
    tolerance=1e-4,
    mistakes=[
        (((test_values - test_values.mean()) ** 2).mean(), "You used the mean of the test targets: that is peeking."),
        ((test_values - train_values.mean()).abs().mean(), "That is the absolute error; square it."),
    ],
    hint="One subtraction, one square, one mean.",
)

# %% [markdown]
# ## 3. The network
#
# Three convolutions with ReLU look for strokes; after the first and the second, 2×2 max pooling halves the picture
# (like ReLU it is a plain function here, and the summary lists layers only). One hidden layer of 64 units with a
# **sigmoid** combines what they found; the last layer emits as many numbers as the task needs. This is the summary that
# the documents print.

# %%
model = lm.CNN(outputs=10)
print(torchinfo.summary(model, input_size=(32, 1, 28, 28), verbose=0))
assert sum(weights.numel() for weights in model.parameters()) == 121_994

# %% [markdown]
# Keep the sigmoid hidden layer in mind. It was the documents' choice, it is unusual today, and notebook 11 shows that
# results depend on it. The rest of the configuration:
#
# | what | value |
# |---|---|
# | output activation | document 000: softmax, unless the experiment says otherwise; document 001: as it says |
# | optimiser | AdamW, learning rate 0.001, no schedule |
# | batch | 32 images, in a new order every epoch |
# | regularisation | no dropout; AdamW's default weight decay |
# | early stopping | after 10 epochs without a better valid score; the best epoch's weights are kept |
# | metric | squared error for regression, accuracy elsewhere |
#
# The documents say that AdamW had done best in an earlier comparison on the same images. That comparison is not among
# the five documents, so the course adopts the choice without a verdict; notebook 11 tries another optimiser.
#
# ## 4. The training loop, line by line
#
# The result tables come from a loop like the following, short enough to read aloud. It starts with a network,
# an optimiser, and a generator that shuffles. In this loop the seed enters twice, for the weights and for the order. In
# the course's runs it also draws the train and valid images.

# %% tags=["loop"]
model = lm.CNN(outputs=10, generator=torch.Generator().manual_seed(0))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, fused=True)
order = torch.Generator().manual_seed(0)

# %% [markdown]
# One epoch shows every training image once. For each batch: forget the old gradients, compute the loss, send it
# backwards, take a step. `F.cross_entropy` is `nn.CrossEntropyLoss` as a function; it wants raw outputs.


# %% tags=["loop"]
def train_one_epoch(images, digits):
    total = 0.0
    for batch in torch.randperm(len(images), generator=order).split(32):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[batch]), digits[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(images)


# %% [markdown]
# The score is the share of images whose largest output is the right digit. No gradients are needed for that, and a
# hundred images at a time is quick on a CPU.


# %% tags=["loop"]
@torch.no_grad()
def accuracy(images, digits):
    outputs = torch.cat([model(part) for part in images.split(100)])
    return (outputs.argmax(dim=1) == digits).float().mean().item()


# %% [markdown]
# Now comes the loop itself, with early stopping. It remembers the best valid score and its epoch, and stops when that
# epoch is `patience` epochs ago. (Seven epochs at most, to keep this short; the experiments allow 500.)

# %% tags=["loop"]
history, best, best_epoch, patience = [], 0.0, 0, 10
for epoch in range(1, 8):
    train_loss = train_one_epoch(splits.train.images, splits.train.digits)
    valid = accuracy(splits.valid.images, splits.valid.digits)
    history.append((train_loss, valid))
    if valid > best:
        best, best_epoch = valid, epoch
        best_weights = {name: weights.clone() for name, weights in model.state_dict().items()}
    if epoch - best_epoch >= patience:
        break

# %% [markdown]
# At the end, put the best weights back, and look at the test images for the first and only time.

# %% tags=["loop"]
model.load_state_dict(best_weights)
test_accuracy = accuracy(splits.test.images, splits.test.digits)

# %% [markdown]
# Here is your run.

# %%
chance = lm.TASKS["multiclass"].baseline(splits.train.digits, splits.valid.digits)
curves = {"this run": [[valid for _, valid in history]]}
title = f"Ten classes, cross-entropy on logits ({splits.name})"
alt = f"{title}: the valid accuracy after each epoch is {', '.join(f'{valid:.1%}' for _, valid in history)}."
levels = {"always the same digit": chance}
show(curves_figure(curves, alt, levels=levels, title=title, xlabel="epoch", ylabel="valid accuracy"))

# %% [markdown]
# The curve leaves the dotted line within the first epoch and flattens soon. That is all. `lm.fit` adds the other losses
# and tasks, a stop button and a GPU, but its arithmetic is the same. The next cell trains the same seed with `fit` and
# would fail if the two disagreed.

# %%
run = lm.fit(lm.Pairing("multiclass", "cross_entropy"), splits, seed=0, max_epochs=7, device="cpu")
for (train_loss, valid), record in zip(history, run.history, strict=True):
    assert abs(train_loss - record["train_loss"]) < 1e-3
    assert abs(valid - record["valid_metric"]) < 0.01
assert run.best_epoch == best_epoch and abs(run.test_metric - test_accuracy) < 0.01

# %% [markdown]
# ## 5. What early stopping can hide
#
# The valid score goes up and down from epoch to epoch. Early stopping waits for a new *record* in these ups and downs.
# The number of epochs it waits is called patience; the documents chose 10.

# %%
quiz.predict(
    "Same network, same images, a few seeds. With patience 1 instead of 10, the epoch that is kept ...",
    options=["is the same one", "is much earlier, with a lower score", "is later, with a higher score"],
    answer="is much earlier, with a lower score",
    reading="One unlucky epoch is enough to stop. The table below shows when, for each seed.",
)

# %% [markdown]
# One training for each seed is enough to find out: from its history we can read where it would have stopped with each
# patience. The runs of this part and the next are made now. To be quick they train `lm.TinyCNN`, a network of 6,218
# parameters on images of half the size. The tables of the course come from the documents' CNN.

# %%
once, twice = (lm.Pairing("multiclass", "cross_entropy", name) for name in ("none", "softmax"))
samples = [lm.load_data(splits.name, seed) for seed in range(seeds)]
runs = {pairing: [lm.fit(pairing, sample, sample.seed, device=device, network=lm.TinyCNN) for sample in samples]
        for pairing in (once, twice)}  # fmt: skip
histories = [run.history for run in runs[once]]
show(lesson.patience_figure(histories))

# %% [markdown]
# Where the marks lie apart, the same training would have been reported with different scores, only because of
# impatience. In numbers:

# %%
rows = []
for history in histories:
    valid = [record["valid_metric"] for record in history]
    for patience in (1, 3, 10):
        epoch = lesson.stops_at(valid, patience)[1]
        rows.append({"patience": patience, "keeps epoch": epoch, "valid accuracy": valid[epoch - 1]})
kept = pd.DataFrame(rows).groupby("patience").mean().round(4)
assert kept["valid accuracy"].is_monotonic_increasing and kept["keeps epoch"].is_monotonic_increasing
kept

# %% [markdown]
# There is a second trap. The *best valid score* of a run is a maximum over many noisy numbers, and a run that trains
# for more epochs has more chances of a lucky one. So never compare two losses by "best valid accuracy", the first
# column of the documents' tables. Compare test scores, which are measured once.
#
# ## 6. What one seed can hide
#
# Now we compare two pairings. The first gives cross-entropy the raw outputs, as PyTorch intends. The second applies
# softmax before it, as document 000's code did; the loss then applies softmax again. Which one is better? Both are
# trained with the same seeds: same split, same first weights, same order of images. This is what makes the comparison
# *paired*.

# %%
names = ["logits", "softmax twice"]
mine = [{run.seed: run.test_metric for run in runs[pairing]} for pairing in (once, twice)]
show(lesson.seeds_figure(names, mine, f"yours: {splits.name}"))

# %% [markdown]
# Each grey line joins the two runs of one seed. If you train one seed, you see one of these lines and name a winner. Do
# all bars on the right agree? Even if they do, so few seeds cannot tell luck from a rule. The course ships MNIST
# runs of the documents' CNN for its published tables: `results/mnist/runs.csv` has one line for each run. We take the
# two pairings from it.

# %%
runs = pd.read_csv(RESULTS / "mnist" / "runs.csv")
rows = runs.query("task == 'multiclass' and loss == 'cross_entropy' and hidden == 'sigmoid' and not prior_bias")
score = rows.pivot(index="seed", columns="activation", values="test_metric")[["none", "softmax"]].dropna()
score

# %% [markdown]
# Each line of this table is a pair: the two runs share everything but the softmax. What does the pairing with logits
# reach on average, and how sure is that average? Student's interval answers it: the standard error of the mean times a
# factor that allows for few seeds. The `assert` asks the course's package for the same numbers and would fail if they
# differed.


# %%
def mean_with_interval(values):
    standard_error = values.std() / len(values) ** 0.5
    reach = stats.t.ppf(0.975, df=len(values) - 1) * standard_error
    return values.mean(), values.mean() - reach, values.mean() + reach


average = mean_with_interval(score["none"])
assert np.allclose(average, astuple(statistics.mean_interval(score["none"]))[:3])
print("logits: {:.2%}, 95 % interval {:.2%} to {:.2%}".format(*average), f"({len(score)} seeds)")

# %% [markdown]
# The interval is about the mean over *other seeds*, with this one test set. To compare the two pairings, we take the
# difference within each pair first. When a seed is easy or hard for both, that effect cancels. So the interval of the
# differences is often narrower than either interval of the means.

# %%
difference = score["softmax"] - score["none"]
gap = mean_with_interval(difference)
assert np.allclose(gap, astuple(statistics.mean_interval(difference))[:3])
print("softmax twice minus logits: {:+.3%}, 95 % interval {:+.3%} to {:+.3%}".format(*gap))

# %% [markdown]
# The same differences as a picture:

# %%
show(lesson.seeds_figure(names, [score[name].to_dict() for name in score], "reference: MNIST"))

# %% [markdown]
# Look at the signs and the size of the bars. Could chance alone make them? If the two pairings were equal, each
# difference would be as likely to be positive as negative. With *n* seeds there are $2^n$ patterns of signs, and the
# two most extreme (all positive, all negative) are the strongest evidence one can ever get.
#
# **Exercise 2.** What is the smallest two-sided *p*-value that such a sign-flip test can give with 5 seeds?

# %%
smallest_p = ...

# %% tags=["solution"]
smallest_p = 2 / 2**5

# %% [markdown]
# Then work it out in your head for 3 seeds and for 10.

# %%
quiz.check(
    smallest_p,
    expected=2 / 2**5,
    tolerance=1e-6,
    mistakes={1 / 2**5: "That is one-sided: both 'all positive' and 'all negative' are extreme."},
    hint="Two patterns out of two to the power of the number of seeds.",
)

# %% [markdown]
# With five seeds the usual limit of 0.05 is out of reach, whatever the runs say. Six are the fewest that can reach it;
# ten leave room for a seed that disagrees and for comparing several rows at once. Here is the whole test for the
# differences above. It flips the signs in every possible way and counts how often the mean is at least as far from 0
# as the one we saw.

# %%
n = len(difference)
signs = np.array(list(product([1, -1], repeat=n)))
means = np.abs(signs @ difference.to_numpy()) / n
p = np.mean(means >= abs(difference.mean()) - 1e-12)
assert np.isclose(p, statistics.sign_flip_p(difference))
print(f"{len(signs)} patterns of signs, p = {p:.4f}; the smallest possible p is {2 / 2**n:.4f}")

# %% [markdown]
# From here on the helper package does these computations. "Show the code" below a table unfolds them.
#
# ### How to read a verdict
#
# The next notebooks print verdicts on such differences. They all follow the rules of this paragraph. A row is compared
# with the fitting pairing of its task, seed by seed. Two pairings are **practically equal** when the 95 % interval of
# the paired difference lies within half a percentage point of accuracy, or within 0.01 of MSE. This limit is the grey
# band in the figures, and it was fixed before anybody looked at a result. Such an interval may still lie wholly on one
# side of 0; then the difference is real but too small to matter. **Better** and **worse** mean a p below 0.05,
# corrected for all rows of the table. Only an interval wholly outside the band shows that the difference matters, too.
# Anything else is **undecided**: not equal, but unknown. Fewer than six seeds get no verdict; they are an
# **illustration**. All intervals are about other seeds, not about another test set.
#
# Were these rules really fixed before? Most were. Some were changed later, with results in view. Here is the list:

# %%
lines = [line.split("|") for line in statistics.__doc__.splitlines() if "|" in line]
changes = pd.DataFrame(lines[1:], columns=lines[0])
changes.style.hide().set_properties(**{"text-align": "left"})

# %% [markdown]
# ## Summary
#
# - One image, five questions; only task, loss and activation change.
# - Before you believe a score, look up what a constant answer gets.
# - A training loop is some twenty lines; you have read all of them.
# - Early stopping picks a record from a noisy curve: never compare best valid scores.
# - One seed is an anecdote, three are an illustration, ten paired ones are evidence, for this one test set.
#
# Next, the first of the five tasks with all its losses: [08 Regression](08_regression.ipynb).
