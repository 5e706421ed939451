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
# # 10 Binary classification with two outputs: where almost everything works
#
# After this notebook you can
#
# - explain why two classes forgive a misfit that ten classes do not;
# - show with one line of algebra how BCE over two softmax outputs relates to cross-entropy;
# - read a table in which "no difference" is a measured result, not a lack of one;
# - name what misuse costs where accuracy shows no harm.
#
# **Time:** {time}
#
# **Covers:** document 000, section 3-3 with section 1-2; document 001, section 3-3
#
# **Before this one:** [09 Probability prediction](09_probability.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The question is the same as in notebook 09, curved or not, but now there are two outputs: column 0 for "not curved",
# column 1 for "curved". The larger one wins. Stored results show MNIST and say how many seeds were used; live cells
# train on the data named in the next line.

# %%
import math

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence import tables
from lm_utils.evidence.results import reference
from lm_utils.evidence.sentences import published_sentences
from lm_utils.files import RESULTS
from lm_utils.lessons import multi_class
from lm_utils.show import output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.images import images_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## Five images, and a misfit at work
#
# Here are five test images with the two targets of each: one for "not curved", one for "curved".

# %%
splits, task = lm.load_data(data), lm.TASKS["binary"]
five = [(splits.test.digits == digit).nonzero()[0].item() for digit in (0, 1, 3, 4, 8)]
images, truth = splits.test.images[five], task.target(splits.test.digits[five])
show(images_figure(images, [str(pair.tolist()) for pair in F.one_hot(truth, 2)]))

# %% [markdown]
# The network ends in two outputs. Softmax makes probabilities of them that sum to 1.


# %%
def logits(model, images):
    hidden = torch.sigmoid(model.fc(model.features(images)))
    return model.out(hidden)


def softmax(z):
    return torch.exp(z) / torch.exp(z).sum(dim=1, keepdim=True)


# %% [markdown]
# `F.cross_entropy` contains a softmax of its own and wants logits. The misfit of this notebook is the document's own
# row: it applies softmax first, so that softmax is taken twice. Here is the training, without a helper: 600 images, the
# same weights and batches for both.


# %%
def train(loss, epochs=5):
    model = lm.CNN(outputs=2, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
    order, targets = torch.Generator().manual_seed(0), task.target(splits.train.digits[:600])
    for _ in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(targets), generator=order).split(32):
            optimizer.zero_grad()
            value = loss(logits(model, splits.train.images[batch]), targets[batch])
            value.backward()
            optimizer.step()
            total += value.item() * len(batch)
    return model, total / len(targets)


# %% [markdown]
# Five predictions beside five truths. The numbers are the probability of "curved":

# %%
once, loss_once = train(F.cross_entropy)
twice, loss_twice = train(lambda z, labels: F.cross_entropy(softmax(z), labels))
with torch.no_grad():
    said = {"softmax once": softmax(logits(once, images))[:, 1], "softmax twice": softmax(logits(twice, images))[:, 1]}
assert ((said["softmax once"] > 0.5) == (said["softmax twice"] > 0.5)).sum() >= 3
pd.DataFrame({"curved": truth, **said}).round(3)

# %% [markdown]
# Both networks have learnt, although one was trained with a misfit. But compare their training losses:

# %%
assert loss_once < loss_twice
print(f"training loss in the last epoch: softmax once {loss_once:.3f}, softmax twice {loss_twice:.3f}")

# %% [markdown]
# The larger loss does not mean that the second network is worse; part 5 says what it means. This is one seed and a few
# epochs. **Was it luck** that the misfit did no harm? The stored runs will tell.
#
# ## 1. Predict first
#
# Document 000 (section 1-2) argues that binary cross-entropy is unsuitable here: it looks at each output on its own,
# although the two classes exclude each other.

# %%
quiz.predict(
    "Two softmax outputs, nn.BCELoss on both. How does it compare with nn.CrossEntropyLoss on the logits behind them?",
    options=["it is larger", "it is the same number", "it is smaller"],
    answer="it is the same number",
    reading="With two classes the second output is one minus the first, so both outputs pay the same logarithm, and the"
    " mean of two equal numbers is that number.",
)

# %% [markdown]
# In one line, for the true class's probability $p$: $-\tfrac12\,[\log p + \log(1-(1-p))] = -\log p$. The next cell
# checks it, and would fail if the two losses differed.

# %%
z, labels = torch.randn(64, 2), torch.randint(2, (64,))
both = torch.nn.BCELoss()(softmax(z), F.one_hot(labels, 2).float())
one = torch.nn.CrossEntropyLoss()(z, labels)
assert torch.isclose(both, one, rtol=1e-5)
print(f"BCE over both softmax outputs {both:.6f}, cross-entropy on the logits {one:.6f}")

# %% [markdown]
# So for two classes *with softmax* the argument of section 1-2 does not apply. Three possible misfits remain: softmax
# twice, sigmoids that are not tied together, and squared errors.

# %% [markdown]
# ## 2. The loss table of document 000, measured again

# %%
runs = pd.read_csv(RESULTS / "mnist" / "runs.csv")
stored = runs.query("task == 'binary' and hidden == 'sigmoid' and not prior_bias")
score = stored.pivot(index="seed", columns=["loss", "activation"], values="test_metric")
score = score.loc[:, score.notna().sum() == len(score)]
score.agg(["mean", "min", "max"]).T.round(4)

# %% [markdown]
# The worst run of each row is far above a constant answer, so every run of these rows has learnt. Means with intervals
# and paired differences follow from the same file ([notebook 07](07_experiment_design.ipynb), part 6, which also says
# how to read a verdict).

# %%
losses = tables.summary("binary", ["loss", "twin"])
helper = losses.set_index(["loss", "activation"])["mean"]
shared = helper.index.intersection(score.columns)
assert len(shared) > 3 and np.allclose(score[shared].mean(), helper[shared])
tables.readable(losses)

# %% [markdown]
# How near do the published figures come?

# %%
Markdown(published_sentences("binary"))

# %% [markdown]
# Those were the document's figures and ours. **What are yours?** `make run-all` trains the same rows on your machine,
# with the data and the number of seeds that you choose. If you have run it, your results appear here. They are never
# mixed with the stored ones. Results on the embedded digits cannot be compared with results on MNIST.

# %%
tables.own_table("binary", seeds, data, device)

# %% [markdown]
# The stored rows again, with every seed as a dot.

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# At this scale the rows form one column, far to the right of the dotted line. The document ran each row once and calls
# the differences chance. To test that, we take the differences seed by seed. The fitting pairing of this course is
# cross-entropy on logits.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# Which rows lie inside the grey band with their whole interval? Those are shown to be practically equal. The row that
# the document recommends applies softmax twice. Its twin gets logits, as PyTorch intends. Here is the difference of the
# two, seed by seed:

# %%
gap = 100 * (score["cross_entropy", "softmax"] - score["cross_entropy", "none"])
print("softmax twice minus once, in points:", gap.round(2).tolist())
print(f"mean {gap.mean():+.2f}, ahead in {(gap > 0).sum()} and behind in {(gap < 0).sum()} of {len(gap)} seeds")

# %% [markdown]
# How large must the difference of two single runs be to mean anything? The table contains its own yardstick. Part 1
# showed that `nn.BCELoss` on softmax and cross-entropy on logits are the same number, and both were trained with the
# same seeds.

# %%
same_loss = 100 * (score["bce", "softmax"] - score["cross_entropy", "none"])
Markdown(f"Still, single seeds end up to **{same_loss.abs().max():.2f} points** apart, and the mean of all"
         f" {len(same_loss)} differences is {same_loss.mean():+.2f}. Rounding alone does that.")  # fmt: skip

# %% [markdown]
# ## 3. The activation table that document 001 left empty

# %%
activations = tables.summary("binary", "activation")
tables.readable(activations)

# %% [markdown]
# The table shows what sigmoid instead of softmax costs with two classes, for either loss.

# %%
show(result_figures.dots_and_intervals(activations))

# %% [markdown]
# Each dot is one seed. No row stands apart, and no run is lost. With ten classes it is different: in [notebook
# 11](11_multi_class.ipynb) sigmoids with `nn.BCELoss`, here the second row, make a network collapse.

# %% [markdown]
# ## 4. Why two classes forgive
#
# At the start every sigmoid is near one half. With two classes one output should say yes and the other no. Whatever the
# loss asks one output to gain, it asks the other to lose, so the two pushes cancel for each image. With ten classes
# nine outputs of each image should say no, so on balance the outputs are pushed downwards.


# %%
def start_of(task, seed):
    outputs, targets = lm.TASKS[task].outputs, lm.TASKS[task].target(splits.train.digits[:256])
    model = lm.CNN(outputs, generator=torch.Generator().manual_seed(seed))
    hidden = model.hidden_units(splits.train.images[:256]).detach().requires_grad_()
    z = model.out(hidden)
    F.binary_cross_entropy(torch.sigmoid(z), F.one_hot(targets, outputs).float()).backward()
    too_high = (torch.sigmoid(z) - F.one_hot(targets, outputs)).mean().item()
    one_way = hidden.grad.sign().mean(dim=0).abs().mean().item()
    return too_high, (1 + one_way) / 2


# %% [markdown]
# The first number says how far the outputs are, on average, above the rates at which they should say yes (the *base
# rates*). The second is the share of the images that push a hidden unit the same way. We look at ten fresh networks
# of each kind.

# %%
starts = {name: torch.tensor([start_of(name, seed) for seed in range(10)]) for name in ("binary", "multiclass")}
two, ten = starts["binary"], starts["multiclass"]
assert two[:, 0].abs().max() < ten[:, 0].abs().min()
helper = multi_class.first_push(lm.Pairing("multiclass", "bce", "sigmoid"), splits).agreement
assert abs(helper - ten[0, 1].item()) < 1e-4
for name, found in {"two classes": two, "ten classes": ten}.items():
    print(f"{name}: off by {found[:, 0].abs().mean():.2f}, {found[:, 1].mean():.0%} push the same way ({splits.name})")

# %% [markdown]
# With two sigmoids a fresh network starts a little too high or too low by chance, and a few steps correct that. With
# ten sigmoids the push is there in every network and always points downwards. It lasts until the outputs have fallen to
# one tenth. [Notebook 11](11_multi_class.ipynb) shows what it does to the hidden layer. The document guesses that
# independent outputs can do little harm when there are only two exclusive classes. This points the right way. Notebook
# 11 tests the cause, with one output at several base rates and with ten labels, each true half of the time.

# %% [markdown]
# ## 5. What it costs all the same
#
# Softmax twice cannot push the loss to zero. For two classes its floor is `log(1 + 1/e)`.

# %%
sure = torch.tensor([[40.0, -40.0]])
floor = torch.nn.CrossEntropyLoss()(softmax(sure), torch.tensor([0])).item()
assert math.isclose(floor, math.log(1 + 1 / math.e), rel_tol=1e-6) and floor < loss_twice
print(f"lowest loss with softmax twice: {floor:.4f}; reached at the beginning of this notebook: {loss_twice:.4f}")

# %% [markdown]
# Here are the training curves of softmax once, softmax twice and a squared error behind softmax.

# %%
fitting, misfit = lm.Pairing("binary", "cross_entropy"), lm.Pairing("binary", "cross_entropy", "softmax")
square = lm.Pairing("binary", "mse", "softmax")
show(output_figures.learning_curves([fitting, misfit, square]))

# %% [markdown]
# The loss curves end at different heights although the accuracies agree. Do not compare losses of different pairings
# with each other. Compare each loss with its own floor (dashed) and its own constant answer (dotted).
#
# Does a misfit cost time? The mean number of epochs until a run had made 95 % of its progress:

# %%
epochs = losses.set_index("label")["epochs_to_95"]
(epochs / epochs.min()).round(1).sort_values().to_frame("times the quickest row")

# %% [markdown]
# Look at the rows that end in softmax although their loss already contains a softmax or a sigmoid. The second function
# only gets numbers between 0 and 1. Where the first one is sure, its gradient is nearly 0, so a confident mistake
# hardly gets corrected. Here is that gradient for a confident mistake, once and twice:

# %%
for z in (1.0, 4.0, 8.0):
    wrong = torch.tensor([[z, -z]], requires_grad=True)
    (single,) = torch.autograd.grad(F.cross_entropy(wrong, torch.tensor([1])), wrong)
    (double,) = torch.autograd.grad(F.cross_entropy(softmax(wrong), torch.tensor([1])), wrong)
    print(f"logits {z:+.0f} and {-z:+.0f}: gradient {single[0, 0]:.4f} with softmax once, {double[0, 0]:.7f} twice")

# %% [markdown]
# (Small gradients alone would not matter, because AdamW rescales them. But next to the gradients of other images that
# of a confident mistake no longer counts.)
#
# Accuracy does not show whether the outputs are honest probabilities. [Notebook 09](09_probability.ipynb) computes the
# three measures of this table; for each, smaller is better.

# %%
tables.probabilities([fitting, misfit, square, lm.Pairing("binary", "bce", "sigmoid")])

# %% [markdown]
# We compare the negative log-likelihood seed by seed. It is the number that cross-entropy itself minimises on its
# training images:

# %%
nll = pd.DataFrame({name: reference().scores(pairing, "nll") for name, pairing in
                    {"once": fitting, "twice": misfit, "MSE": square}.items()})  # fmt: skip
lower = nll[["twice", "MSE"]].lt(nll["once"], axis=0)
assert (nll["MSE"] - nll["once"]).sum() < 0  # MSE's probabilities were the better ones, says the summary
print("seeds with a lower NLL than softmax once:", lower.sum().to_dict(), "of", len(nll))

# %% [markdown]
# Is cross-entropy better calibrated, as document 000 says? That depends on the task; [notebook
# 09](09_probability.ipynb) has the verdict.

# %% [markdown]
# ## 6. Every pairing
#
# First comes a row that the document lacks: the hinge loss.

# %%
tables.readable(tables.summary("binary", "extra"))

# %% [markdown]
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Brightness shows progress: a dark cell is no better than the constant answer, the brightest is a perfect one. Grey
# cells stop with an error.

# %%
show(result_figures.grid_heatmap("binary"))

# %% [markdown]
# Passing a sigmoid's output to `nn.BCEWithLogitsLoss` loses runs here, as it does in [notebook
# 09](09_probability.ipynb). With ReLU a network can still learn with one dead output, as long as the other one works.
# Two rows agree to the last digit in the columns of sigmoid and softmax: the absolute error and the hinge loss. Do they
# agree in every single seed?

# %%
grid = stored.query("loss in ['mae', 'hinge'] and activation in ['sigmoid', 'softmax']")
grid = grid.pivot(index="seed", columns=["activation", "loss"], values="test_metric").dropna()
(grid.xs("mae", axis=1, level="loss") - grid.xs("hinge", axis=1, level="loss")).T

# %% [markdown]
# For an output $p$ from 0 to 1 the hinge loss is $1-p$ where the answer is yes and $1+p$ where it is no. The absolute
# error is $1-p$ and $p$. Where the answer is no, they differ by the constant 1, so every step of the two trainings is
# the same: two names, one loss.
#
# The picker below explains what a pairing means, and trains it live if you ask.

# %%
from lm_utils.explorer.picker import picker

picker("binary", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A fresh two-class network says one half and one half for every image. The script computes the
# cross-entropy of such outputs, but its result is not the right one. Repair it.


# %%
def script():
    outputs, labels = torch.full((6, 2), 0.5), torch.tensor([0, 1, 1, 0, 1, 0])
    loss = torch.nn.NLLLoss()
    return loss(outputs, labels).item()


script()


# %% tags=["solution"]
def script():
    outputs, labels = torch.full((6, 2), 0.5), torch.tensor([0, 1, 1, 0, 1, 0])
    loss = torch.nn.NLLLoss()
    return loss(outputs.log(), labels).item()  # this loss wants log-probabilities; it takes no logarithm itself


script()

# %% [markdown]
# Edit the script above, run its cell, and then this one:

# %%
quiz.check_script(
    script,
    works=lambda value: abs(value - math.log(2)) < 1e-3,
    broken=-0.5,
    mistakes=[
        (lambda value: abs(value - 0.5) < 1e-3, "The sign is right, but a loss of cross-entropy is a logarithm."),
        ("log_softmax", "The value is right here by chance: the outputs are probabilities already, and softmax would "
         "be applied to them a second time."),
        ("CrossEntropyLoss", "The value is right here by chance: this loss applies a softmax, and the outputs are "
         "probabilities already. With other outputs it would be softmax twice."),
    ],
    hint="`nn.NLLLoss` picks the number of the true class and changes its sign. Which numbers does it expect?",
)  # fmt: skip

# %% [markdown]
# **Exercise 2.** A colleague's two-class training stays above 0.31, although the accuracy is excellent. Here is the
# loss of a network that is right and very sure about four images. Repair the script so that the loss can reach 0, and
# keep cross-entropy.


# %%
def script():
    z, labels = torch.tensor([[9.0, -9.0], [-9.0, 9.0], [9.0, -9.0], [9.0, -9.0]]), torch.tensor([0, 1, 0, 0])
    p = torch.softmax(z, dim=1)
    return F.cross_entropy(p, labels).item()


script()


# %% tags=["solution"]
def script():
    z, labels = torch.tensor([[9.0, -9.0], [-9.0, 9.0], [9.0, -9.0], [9.0, -9.0]]), torch.tensor([0, 1, 0, 0])
    return F.cross_entropy(z, labels).item()  # the loss contains the softmax


script()

# %% [markdown]
# Edit the script above, run its cell, and then this one:

# %%
quiz.check_script(
    script,
    works=lambda value: 0 <= value < 1e-3,
    broken=floor,
    mistakes=[
        ("mse|MSE|l1_loss|L1Loss", "That is another loss. Keep cross-entropy."),
        ("igmoid", "A sigmoid also keeps the numbers that the loss sees between 0 and 1, as softmax did."),
        (lambda value: value < -1e-3, "A loss below 0: `nll_loss` wants logarithms of probabilities."),
        (lambda value: value > 1, "Now the loss is large: are these still the logits of the true classes?"),
    ],
    hint="Compare 0.31 with the floor in part 5. How many softmaxes are there?",
)  # fmt: skip

# %% [markdown]
# ## Summary
#
# - With two classes and balanced labels nearly every pairing of the documents works; the table says how well.
# - BCE over two softmax outputs is cross-entropy. The warning of section 1-2 can only be about sigmoids; the table
#   says what they cost.
# - Two balanced classes forgive. Neither output starts far from its base rate, and what one output is asked to gain,
#   the other is asked to lose. Notebook 11 tests which of the two matters.
# - Softmax twice shows in the floor of the loss and in the epochs, but not in accuracy. MSE, the other "misfit", had
#   the better probabilities here.
#
# **Next:** [11 Multi-class classification](11_multi_class.ipynb)
