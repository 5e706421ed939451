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
# - read a table in which "no difference" is a measured result and not a shrug;
# - name what misuse costs where accuracy shows no loss.
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
# The question is the same as in notebook 09, curved or not, but now there are two outputs: column 0 for "not curved",
# column 1 for "curved". The larger one wins. Stored results show MNIST and say how many seeds were used; live cells
# train on the data named in the next line.

# %%
import math

import torch
from IPython.display import Markdown

import lm_utils as lm
from lm_utils.evidence import tables
from lm_utils.evidence.results import reference
from lm_utils.evidence.sentences import comparison_sentence, published_sentences
from lm_utils.lessons import multi_class
from lm_utils.show import output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
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
both = torch.nn.BCELoss()(torch.softmax(z, 1), torch.nn.functional.one_hot(labels, 2).float())
one = torch.nn.CrossEntropyLoss()(z, labels)
assert torch.isclose(both, one, rtol=1e-5)
print(f"BCE over both softmax outputs {both:.6f}, cross-entropy on the logits {one:.6f}")

# %% [markdown]
# So for two classes *with softmax* the argument of section 1-2 does not apply. Three possible misfits remain: softmax
# twice, sigmoids that are not tied together, and squared errors.

# %% [markdown]
# ## 2. The loss table of document 000, measured again

# %%
losses = tables.summary("binary", "loss")
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
# The grey band reaches half a percentage point to either side; we fixed this limit before we looked at any result. An
# interval inside the band shows that two rows are *practically equal*. *Better* and *worse* mean a difference beyond
# chance, and only an interval wholly outside the band shows that it matters. Anything else is *undecided*. With fewer
# than six seeds there is no verdict, only an "illustration". All intervals are about other seeds, not about another
# test set.
#
# The row that the document recommends applies softmax twice. Its twin gets logits, as PyTorch intends. Here are both:

# %%
twin, twice = lm.Pairing("binary", "cross_entropy"), lm.Pairing("binary", "cross_entropy", "softmax")
Markdown(comparison_sentence(twice, twin))

# %% [markdown]
# How large must the difference of two single runs be to mean anything? The table contains its own yardstick. Part 1
# showed that `nn.BCELoss` on softmax and cross-entropy on logits are the same number, and both were trained with the
# same seeds.

# %%
gaps = reference().paired(lm.Pairing("binary", "bce", "softmax"), twin)
Markdown(f"Still, single seeds end up to **{100 * max(map(abs, gaps)):.2f} points** apart, and the mean of all"
         f" {len(gaps)} differences is {100 * sum(gaps) / len(gaps):+.2f}. Rounding alone does that.")  # fmt: skip

# %% [markdown]
# ## 3. The activation table that document 001 left empty

# %%
activations = tables.summary("binary", "activation")
tables.readable(activations)

# %% [markdown]
# The table shows how much sigmoid instead of softmax costs with two classes, for either loss.

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
splits = lm.load_data(data)
common = {"binary": [], "multiclass": []}
for task, sizes in common.items():
    pushes = [multi_class.first_push(lm.Pairing(task, "bce", "sigmoid"), splits, seed) for seed in range(20)]
    sizes += [(abs(sum(push.by_class)), push.agreement) for push in pushes]  # mean of (output - base rate), and ...

# %% [markdown]
# We look at twenty fresh networks of each kind. The first number says how far the outputs are, on average, from the
# rates at which they should say yes. The second says how many images push a hidden unit the same way.

# %%
two, ten = common.values()
assert max(off for off, _ in two) < min(off for off, _ in ten)
Markdown("\n".join(
    f"- **{name}**: off by {sum(off for off, _ in sizes) / 20:.2f} on average;"
    f" {sum(agreed for _, agreed in sizes) / 20:.0%} of the images push a hidden unit the same way"
    for name, sizes in {"two classes": two, "ten classes": ten}.items()
) + f"\n\n({splits.name}, 20 fresh networks each)")  # fmt: skip

# %% [markdown]
# With two sigmoids a fresh network starts a little too high or too low by chance, and a few steps correct that. With
# ten sigmoids the push is there in every network and always points downwards. It lasts until the outputs have fallen
# all the way to one tenth. [Notebook 11](11_multi_class.ipynb) shows what it does to the hidden layer. The document's
# own guess is that independent outputs can do little harm when there are only two exclusive classes. That guess points
# the right way. Notebook 11 tests what decides, with one output at several base rates and with ten labels that are each
# true half of the time.

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
# Here are the training curves of softmax once, softmax twice and a squared error behind softmax.

# %%
square = lm.Pairing("binary", "mse", "softmax")
show(output_figures.learning_curves([twin, twice, square]))

# %% [markdown]
# The loss curves end at different heights although the accuracies agree. Do not compare losses of different pairings
# with each other. Compare each loss with its own floor (dashed) and its own constant answer (dotted).
#
# Does a misfit cost time? Here are the epochs that each row needed.

# %%
show(result_figures.epochs_plot(tables.summary("binary", ["loss", "twin"])))

# %% [markdown]
# Look at the two rows that end in softmax although their loss already contains a softmax or a sigmoid. The second
# function only gets numbers between 0 and 1. Where the first one is sure, its gradient is nearly 0, so a confident
# mistake hardly gets corrected. (Small gradients alone would not matter, because AdamW rescales them.)

# %%
show(output_figures.calibration([twin, twice, square]))

# %% [markdown]
# Calibration asks a question that accuracy does not ask: how often is a network right when it is "80 % sure"? Marks
# below the diagonal are overconfident, marks above it are too cautious. The number in brackets is the mean distance
# from the diagonal (ECE). Pairings with the same accuracy may differ here. The next table gives the numbers, with two
# more measures that reward honest probabilities ([notebook 09](09_probability.ipynb) explains all three):

# %%
tables.probabilities([twin, twice, square, lm.Pairing("binary", "bce", "sigmoid")])

# %% [markdown]
# Now we compare the negative log-likelihood seed by seed. It is the number that cross-entropy itself minimises on its
# training images:

# %%
for name, pairing in {"softmax twice": twice, "MSE behind softmax": square}.items():
    gaps = reference().paired(pairing, twin, "nll")
    print(f"{name}: lower than cross-entropy on logits in {sum(gap < 0 for gap in gaps)} of {len(gaps)} seeds")
assert sum(gaps) < 0  # MSE's probabilities were the better ones, says the summary

# %% [markdown]
# Is cross-entropy better calibrated, as document 000 says? That depends on the task; [notebook
# 09](09_probability.ipynb) has the verdict.
#
# Finally, here are the outputs themselves, for answers that should be yes and answers that should be no.

# %%
show(output_figures.output_histograms([twin, twice, square]))

# %% [markdown]
# Nearly all outputs stand at the ends (the scale is logarithmic). The blue bar on the far left and the orange one on
# the far right are confident mistakes. The fuller the middle is, the more often a network admits that it does not know.

# %% [markdown]
# ## 6. Every pairing
#
# First come three rows that the document lacks: logits into either loss, and the hinge loss.

# %%
tables.readable(tables.summary("binary", ["twin", "extra"]))

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
stored = reference()
for name in ("sigmoid", "softmax"):
    print(name, stored.paired(lm.Pairing("binary", "mae", name), lm.Pairing("binary", "hinge", name)))

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
# **Exercise 1.** A fresh two-class network says one half and one half for every image. What is the value of
# cross-entropy then?

# %%
start = ...

# %% tags=["solution"]
start = math.log(2)

# %%
quiz.check(start, expected=math.log(2), tolerance=5e-3, mistakes={0.5: "The loss is a logarithm of that probability."},
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
# - BCE over two softmax outputs is cross-entropy. The warning of section 1-2 can only be about sigmoids; the table
#   says what they cost.
# - Two balanced classes forgive. Neither output starts far from its base rate, and what one output is asked to gain,
#   the other is asked to lose. Notebook 11 tests which of the two matters.
# - Softmax twice shows in the floor of the loss and in the epochs, but not in accuracy. MSE, the other "misfit", had
#   the better probabilities here.
#
# **Next:** [11 Multi-class classification](11_multi_class.ipynb)

