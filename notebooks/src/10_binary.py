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
# - explain why two classes forgive what ten do not;
# - show with one line of algebra that BCE over two softmax outputs *is* cross-entropy;
# - read a table in which "no difference" is a measured result and not a shrug;
# - name what misuse costs when accuracy shows nothing.
#
# **Time:** 25 minutes
#
# **Covers:** document 000, section 3-3 with section 1-2; document 001, section 3-3
#
# **Before this one:** [09 Probability prediction](09_probability.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The question is the one of notebook 09, curved or not, but with two outputs: column 0 for "not curved", column 1 for
# "curved". The larger one wins. Stored results are MNIST and say how many seeds; live cells use the data of the next
# line.

# %%
import math

import torch
from IPython.display import Markdown

import lm_utils as lm
from lm_utils.experiments import results
from lm_utils.labs import collapse, figures, quiz
from lm_utils.labs.banner import banner
from lm_utils.labs.style import show

banner(data, device)

# %% [markdown]
# ## 1. Predict first
#
# Document 000 (section 1-2) argues that binary cross-entropy is unsuitable here: it looks at each output on its own,
# although the two exclude each other.

# %%
quiz.predict(
    "Two softmax outputs, nn.BCELoss on both. How does it compare with cross-entropy on the same outputs?",
    options=["it is larger", "it is the same number", "it is smaller"],
    answer="it is the same number",
    reading="With two classes the second output is one minus the first, so both outputs pay the same logarithm, and the"
    " mean of two equal numbers is that number.",
)

# %% [markdown]
# Here is the check. It would fail if the two losses differed.

# %%
z, labels = torch.randn(64, 2), torch.randint(2, (64,))
both = torch.nn.BCELoss()(torch.softmax(z, 1), torch.nn.functional.one_hot(labels, 2).float())
one = torch.nn.CrossEntropyLoss()(z, labels)
assert torch.isclose(both, one, rtol=1e-5)
print(f"BCE over both softmax outputs {both:.6f}, cross-entropy on the logits {one:.6f}")

# %% [markdown]
# So for two classes *with softmax* the argument of section 1-2 has nothing to act on. What is left is softmax twice,
# sigmoids that are not tied together, and squared errors.

# %% [markdown]
# ## 2. The loss table of document 000, measured again

# %%
losses = results.summary("binary", "loss")
results.readable(losses)

# %% [markdown]
# The same rows with every seed as a dot.

# %%
show(figures.dots_and_intervals(losses))

# %% [markdown]
# The document calls the differences "within the margin of error" after one run each. The column *verdict* makes that
# a measurement: "practically equal" means that the whole 95 % interval of the paired difference lies within half a
# point, a limit fixed before anyone looked.
#
# The row the document recommends applies softmax twice; its twin, with logits, is the call PyTorch means.

# %%
twin, twice = lm.Pairing("binary", "cross_entropy"), lm.Pairing("binary", "cross_entropy", "softmax")
Markdown(results.comparison_sentence(twice, twin))

# %% [markdown]
# ## 3. The activation table that document 001 left empty

# %%
activations = results.summary("binary", "activation")
results.readable(activations)

# %% [markdown]
# Sigmoid instead of softmax, with either loss: the table tells how much that costs with two classes. In [notebook
# 11](11_multi_class.ipynb) the same swap, with ten classes, switches a network off.

# %% [markdown]
# ## 4. Why two classes forgive
#
# At the start every output is near one half. With two classes each is right half of the time, so the wishes of the
# two outputs cancel. With ten classes each is wrong nine times in ten, and all push downwards.

# %%
splits = lm.load_data(data)
pushes = [collapse.first_push(lm.Pairing(task, "bce", "sigmoid"), splits) for task in ("binary", "multiclass")]
totals = [abs(sum(push.by_class)) / sum(map(abs, push.by_class)) for push in pushes]
Markdown(f"Share of the first gradient that all outputs have in common: two classes **{totals[0]:.0%}**,"
         f" ten classes **{totals[1]:.0%}** ({splits.name}, one fresh network).")

# %% [markdown]
# A common push of that size is what fills the hidden layer in notebook 11. Here it is missing, whichever activation
# is used. The document's own guess, that two exclusive classes leave little room for independence to do harm, points
# the right way; the base rate is what decides, as notebook 11 proves by switching the effect on with a single output.

# %% [markdown]
# ## 5. What it costs all the same
#
# Softmax twice cannot push the loss to zero. For two classes its floor is `log(1 + 1/e)`.

# %%
sure = torch.tensor([[40.0, -40.0]])
floor = torch.nn.CrossEntropyLoss()(torch.softmax(sure, 1), torch.tensor([0])).item()
assert math.isclose(floor, math.log(1 + 1 / math.e), rel_tol=1e-6)
print(f"lowest loss with softmax twice and two classes: {floor:.4f}")

# %% [markdown]
# Now the training curves of softmax once, softmax twice and a squared error with sigmoids.

# %%
show(figures.learning_curves([twin, twice, lm.Pairing("binary", "mse", "sigmoid")]))

# %% [markdown]
# The curves of the loss end at different heights although the accuracies agree: losses of different pairings must not
# be compared with each other, only with their own floor and their own constant answer.

# %%
show(figures.calibration([twin, twice, lm.Pairing("binary", "mse", "softmax")]))

# %% [markdown]
# Calibration separates what accuracy does not. Points below the diagonal are overconfident, points above it are
# timid.

# %% [markdown]
# And the outputs themselves, for answers that should be a yes and answers that should be a no.

# %%
show(figures.output_histograms([twin, twice, lm.Pairing("binary", "bce", "sigmoid")]))

# %% [markdown]
# ## 6. Every pairing
#
# The grid shows every loss with every output activation that has been trained with this network; the darker a cell,
# the more of the way from the constant answer to a perfect one.

# %%
show(figures.grid_heatmap("binary"))

# %% [markdown]
# An empty cell has not been trained for the stored results yet. The picker below goes further: the stored result of a
# pairing if there is one, what the pairing means, and a live training if you ask for it.

# %%
from lm_utils.labs.picker import picker

picker("binary", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** What is the value of cross-entropy when a fresh two-class network says one half and one half for
# every image?

# %%
start = ...

# %% tags=["solution"]
start = math.log(2)

# %%
quiz.check(start, expected=math.log(2), tolerance=1e-3, mistakes={0.5: "The loss is a logarithm of that probability."},
           hint="Minus the logarithm of the probability of the true class.")

# %% [markdown]
# **Exercise 2.** A colleague's two-class training is stuck at a loss of about 0.31, and the accuracy is excellent.
# Which line did the colleague write? Answer "softmax before cross-entropy", "sigmoid before BCELoss" or "wrong
# labels".

# %%
line = ...

# %% tags=["solution"]
line = "softmax before cross-entropy"

# %%
quiz.check(
    line,
    expected="softmax before cross-entropy",
    mistakes={"sigmoid before BCELoss": "That one is right as it is, and its floor is 0.",
              "wrong labels": "Then the accuracy would suffer."},
    hint="Compare 0.31 with the floor above.",
)

# %% [markdown]
# ## Summary
#
# - With two classes and balanced labels nearly every pairing of the documents works; the table says how nearly.
# - BCE over two softmax outputs is cross-entropy. The warning of section 1-2 is about sigmoids, and there it costs
#   little.
# - The forgiveness comes from balance: two outputs at base rate one half have no common push.
# - Misuse shows in the floor of the loss and in calibration before it shows in accuracy.
#
# **Next:** [11 Multi-class classification](11_multi_class.ipynb)

