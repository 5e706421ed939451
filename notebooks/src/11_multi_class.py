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
# # 11 Multi-class classification: the sigmoid that never learns
#
# After this notebook you can
#
# - say which losses and output activations really cost accuracy with ten classes, and which only seem to;
# - explain, step by step, why ten sigmoids stop learning in these experiments, and prove it by switching the effect
#   off and on;
# - tell softmax applied twice from softmax applied once, although their accuracy looks alike;
# - repair a collapsed network in three different ways.
#
# **Time:** 45 minutes, in two halves (parts 1 to 4, then 5 to 8)
#
# **Covers:** document 000, section 3-4 with section 1-3; document 001, section 3-4 with section 1-2
#
# **Before this one:** [10 Binary classification](10_binary.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# Two data sets appear in this notebook. **Stored results** are those of MNIST; they ship with the course and appear
# at once. **Live cells** train on the data named in the next line. Every table says which is which.

# %%
import math

import torch
from IPython.display import Markdown, display

import lm_utils as lm
from lm_utils.experiments import results
from lm_utils.labs import collapse, figures, quiz
from lm_utils.labs.banner import banner
from lm_utils.labs.style import show

banner(data, device)

# %% [markdown]
# ## 1. Predict first
#
# The cold open of [notebook 00](00_start_here.ipynb) showed two scripts that differ in one word. One ends with
# softmax, one with a sigmoid per class; everything else is equal. Write your guess down before you scroll.

# %%
quiz.predict(
    "Ten classes, mean squared error, a sigmoid on each output. What will the test accuracy be?",
    options=["about 97 %, like softmax", "about 85 %", "about 10 %, as good as one constant answer"],
    answer="about 10 %, as good as one constant answer",
    reading=results.sentence(lm.Pairing("multiclass", "mse", "sigmoid")),
)

# %% [markdown]
# ## 2. The loss table of document 000, measured again
#
# The document trained each row once. Here each row is trained with several seeds, and a seed fixes the split, the
# starting weights and the order of the batches for *all* rows, so that rows can be compared pair by pair.

# %%
losses = results.summary("multiclass", "loss")
results.readable(losses)

# %% [markdown]
# Compare the column *published* with *ours*: are the figures of the document within the range of our seeds? The rows
# with sigmoid are no slow learners. They give one constant answer for all ten thousand images.

# %%
show(figures.dots_and_intervals(losses))

# %% [markdown]
# Every dot is one seed. The rows on the right stand so close together that one run each, as in the document, cannot
# put them in an order; the rows on the left stand exactly on the line of the best constant answer. There is almost
# nothing in between: **this misfit does not make a network a little worse, it switches it off.**
#
# The first row needs a second look. The document calls it "Categorical Cross-Entropy (with Softmax)" and recommends
# it. Its code handed *softmax outputs* to `nn.CrossEntropyLoss`, and that loss applies softmax itself: softmax twice.

# %%
twin, twice = lm.Pairing("multiclass", "cross_entropy"), lm.Pairing("multiclass", "cross_entropy", "softmax")
for pairing in (twice, twin):
    display(Markdown(results.sentence(pairing)))
Markdown(results.comparison_sentence(twice, twin))

# %% [markdown]
# In accuracy you will hardly find the mistake. The loss gives it away: it cannot come near zero.

# %%
z = torch.full((1, 10), -1e4).index_fill(1, torch.tensor([3]), 1e4)  # as sure of class 3 as a network can be
once = torch.nn.CrossEntropyLoss()(z, torch.tensor([3])).item()
twice_floor = torch.nn.CrossEntropyLoss()(torch.softmax(z, 1), torch.tensor([3])).item()
assert once == 0 and math.isclose(twice_floor, math.log(1 + 9 / math.e), rel_tol=1e-6)
print(f"perfect and sure: {once:.4f} with one softmax, {twice_floor:.4f} with two")

# %% [markdown]
# A perfect network still shows that second number. Who does not know the floor takes a healthy training for a stuck
# one; who compares losses between two scripts compares numbers with different zeros.

# %%
show(figures.learning_curves([twin, twice, lm.Pairing("multiclass", "bce", "sigmoid")]))

# %% [markdown]
# The dashed lines are the floor of softmax twice and the value of the best constant answer. The sigmoid network
# reaches the constant answer in its first epoch and stays there.

# %% [markdown]
# ## 3. The activation table that document 001 left empty
#
# Document 001 planned three rows for this task and published no figures (its headings say "highest MSE" for a table
# of accuracies, a slip of the pen; we show accuracy). Here they are.

# %%
activations = results.summary("multiclass", "activation")
results.readable(activations)

# %% [markdown]
# Look at the last row before you read on. The output activation is the *sigmoid*, the one the document warns about,
# and yet this network does learn. So "a sigmoid does not consider that classes exclude each other" cannot be the
# reason for the collapse: with `nn.CrossEntropyLoss` behind it, the very same activation trains.

# %%
quiz.predict(
    "Sigmoid outputs with nn.BCELoss collapse; sigmoid outputs with nn.CrossEntropyLoss learn. What is the difference?",
    options=[
        "the range of the outputs",
        "how the gradients of the ten classes add up",
        "the number of parameters",
    ],
    answer="how the gradients of the ten classes add up",
    reading="The outputs and the network are the same in both. Only the gradient that arrives at them differs; part 5"
    " draws it.",
)

# %% [markdown]
# ## 4. What the outputs look like
#
# Accuracy only asks which output is the largest. A histogram asks more: how large are the outputs for the right class
# and for the nine wrong ones?

# %%
show(figures.output_histograms([twin, twice, lm.Pairing("multiclass", "mse", "softmax")]))

# %% [markdown]
# All three push the right class towards one and the wrong ones towards zero. What differs is how honest they are
# where they are unsure; that is what a calibration plot shows.

# %%
show(figures.calibration([twin, twice, lm.Pairing("multiclass", "mse", "softmax")]))

# %% [markdown]
# A point on the diagonal means: of the images about which the network said "90 % sure", 90 % were right. The gap
# between points and diagonal is the calibration error. Which digits get mixed up is seen in a confusion matrix, with
# the collapsed network beside a healthy one.

# %%
show(figures.confusion([twin, lm.Pairing("multiclass", "bce", "sigmoid")]))

# %% [markdown]
# The healthy network fills the diagonal; the collapsed one fills a single column: the same answer for every image.
#
# *This is a good place for a break.*

# %% [markdown]
# ## 5. Why? Look at the very first step
#
# The document guesses (추정): sigmoid outputs are independent and do not compete. Part 3 has shown a counterexample.
# Here is another candidate. A fresh network says about 0.5 for each class. Each of ten classes is wrong for nine
# images in ten. So a loss that asks ten separate yes-or-no questions wants **all ten outputs to go down**, for every
# image.

# %%
splits = lm.load_data(data)
candidates = [("bce", "sigmoid"), ("mse", "sigmoid"), ("cross_entropy", "none")]
pushes = [collapse.first_push(lm.Pairing("multiclass", *names), splits) for names in candidates]
show(collapse.first_push_figure(pushes))

# %% [markdown]
# With sigmoids every bar points the same way: a **common push**. With softmax and cross-entropy the bars cancel,
# because the residual of softmax, predicted minus true, sums to zero over the classes.
#
# The ten outputs read the same 64 hidden units. A push that all outputs share arrives there as one direction, the
# same for nearly every image ("images agree"). AdamW makes it worse: it divides each step by the size of past
# gradients, so a small but steady push becomes a full step. The hidden layer is a sigmoid; pushed far enough, its
# units stand at 0 or 1 for *every* image, and then nothing passes back.

# %%
names = ["control", "no-common-push", "softmax", "softmax-pushed"]
traces = collapse.live_traces(names, epochs=3)
show(collapse.trace_figure(traces))

# %% [markdown]
# These three epochs were trained just now on the embedded digits, one seed: an illustration. On the left, the share
# of hidden units stuck at a flat end; on the right, the gradient that still reaches the first convolution. The
# collapsed network stops learning within one or two epochs, and no patience brings it back.

# %% [markdown]
# ## 6. Switch it off, switch it on
#
# An explanation that only fits after the fact is cheap. So each of these conditions was written down *with its
# expected outcome* and then run on seeds that had never been looked at.

# %%
found = collapse.stored_traces(collapse.BY_NAME) or traces  # without stored runs: the illustration above
collapse.intervention_table(found)

# %% [markdown]
# *Removed push*: subtracting the mean gradient over the classes leaves loss, activation and network as they are, and
# the network learns. *Added push*: the same push added to softmax with cross-entropy makes that fitting pairing
# collapse. A louder loss, a tanh instead of a sigmoid, more patience: no cure, because none of them touches the
# cause.

# %%
show(collapse.intervention_figure(found))

# %% [markdown]
# Circles were expected to learn, crosses to collapse. A mark on the wrong side would be a hole in the explanation.
#
# Notice the single sigmoid, asked a yes-or-no question that is true for one image in ten: it collapses as well, with
# only one output and no classes to compete. And ten labels that are each true half of the time learn. The base rate
# is the lever, not the number of outputs.

# %% [markdown]
# ## 7. Three repairs
#
# If you must keep sigmoids (say, tomorrow an image may show two digits), start them at the base rate, or use a hidden
# layer that cannot saturate on both sides.

# %%
results.readable(results.summary("multiclass", "remedy"))

# %% [markdown]
# The output bias at the prior is one line of code and is standard in object detection, where the base rate is far
# below one in ten (Lin et al. 2017). A ReLU hidden layer cures it as well in most runs; look at the column of
# failures before you trust it with the squared error.

# %% [markdown]
# ## 8. Every pairing
#
# The grid shows every loss with every output activation that has been trained with this network; the darker a cell,
# the more of the way from the constant answer to a perfect one.

# %%
show(figures.grid_heatmap("multiclass"))

# %% [markdown]
# An empty cell has not been trained for the stored results yet. The picker below goes further: the stored result of a
# pairing if there is one, what the pairing means, and a live training if you ask for it.

# %%
from lm_utils.labs.picker import picker

picker("multiclass", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** All ten outputs say 0.1, the base rate, for every image. What is the value of `nn.BCELoss` then?
# (The mean over ten outputs, one of which should be 1.) It is the plateau on which the collapsed training sits.

# %%
plateau = ...

# %% tags=["solution"]
plateau = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))

# %%
quiz.check(
    plateau,
    expected=-(0.1 * math.log(0.1) + 0.9 * math.log(0.9)),
    tolerance=1e-3,
    mistakes={
        0.6931: "That is the value at 0.5, before the first step.",
        2.3026: "That is -log 0.1, the cross-entropy of one true class among ten; BCE also asks the nine others.",
    },
    hint="One output in ten has target 1 and costs -log 0.1; nine have target 0 and cost -log 0.9.",
)

# %% [markdown]
# **Exercise 2.** Write the function that gives the output bias at which a sigmoid starts at the base rate `rate`. It
# is the first repair above.

# %%
bias_for = ...

# %% tags=["solution"]
def bias_for(rate):
    return math.log(rate / (1 - rate))

# %%
quiz.check_function(
    bias_for,
    reference=lambda rate: math.log(rate / (1 - rate)),
    cases=[(0.1,), (0.5,), (0.01,)],
    mistakes=[
        (lambda rate: math.log(rate), "That is the bias for softmax; a sigmoid needs the log of the odds."),
        (lambda rate: rate, "That is the rate itself; the bias stands before the sigmoid."),
    ],
    hint="Solve sigmoid(b) = rate for b.",
)

# %% [markdown]
# **Exercise 3.** Which single change makes a *softmax* network collapse in these experiments? Answer with the name of
# the condition in part 6, as it stands in `collapse.BY_NAME`.

# %%
culprit = ...

# %% tags=["solution"]
culprit = "softmax-pushed"

# %%
quiz.check(
    culprit,
    expected="softmax-pushed",
    mistakes={
        "softmax": "That one learns: it is the control without the push.",
        "tanh": "That one has sigmoids at the end.",
    },
    hint="Look for the cross among the softmax rows.",
)

# %% [markdown]
# ## Summary
#
# - With ten classes, losses and activations that couple the classes (softmax before any of them) all land within a
#   few tenths of a point; accuracy does not tell them apart.
# - Ten sigmoids with BCE or MSE collapse here, and the reason is neither the loss nor missing competition: it is a
#   push common to all outputs, which fills a saturating hidden layer before anything is learnt.
# - The effect can be switched off (prior bias, removed push, other optimiser, ReLU) and on (added push, low base
#   rate).
# - Softmax twice costs little accuracy and shows in the floor of the loss.
#
# **Next:** [12 Multi-label classification](12_multi_label.ipynb), where softmax itself is the misfit.

