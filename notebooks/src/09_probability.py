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
# # 09 Probability prediction: one output between 0 and 1
#
# After this notebook you can
#
# - say why softmax over one output can learn nothing, whatever the loss;
# - answer a question the document leaves open: is no activation better than a sigmoid under MSE, MAE and RMSE?
# - tell losses that reward honest probabilities from those that only reward the right side of one half;
# - see what `nn.CrossEntropyLoss` does when it gets one column.
#
# **Time:** 25 minutes
#
# **Covers:** document 000, section 3-2 with section 1-1; document 001, section 3-2
#
# **Before this one:** [08 Regression](08_regression.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The question is: how likely is this digit curved (0, 3, 6, 8 or 9)? One output, one number. A prediction of one half
# or more counts as a yes. Tables with stored results are MNIST and say how many seeds; live cells use the data of the
# next line.

# %%
import torch
from IPython.display import Markdown

import lm_utils as lm
from lm_utils.evidence import tables
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentences, published_sentences
from lm_utils.lessons import verdicts
from lm_utils.show import output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. One output through softmax
#
# Softmax divides the exponential of each output by the sum of all the exponentials. Here the sum has one term.

# %%
raw = torch.tensor([[-40.0], [0.0], [3.0]])
assert torch.equal(torch.softmax(raw, dim=1), torch.ones(3, 1))
torch.softmax(raw, dim=1).flatten()

# %% [markdown]
# Whatever the raw output, softmax says 1. What does that do to the accuracy?

# %%
curved = lm.TASKS["probability"].target(tested_digits("mnist")).mean().item()
quiz.predict(
    "A network that says 'curved, 100 % sure' for every image: how often is it right on MNIST's test images?",
    options=["0 %", "as often as digits are curved", "50 % exactly"],
    answer="as often as digits are curved",
    reading=f"{curved:.2%} of MNIST's test images show a curved digit, and that is its accuracy to the last digit.",
)

# %% [markdown]
# The output does not depend on the image, so neither does the loss, and no gradient is left. The accuracy of such a
# run is not "about one half": it *is* the share of curved digits.

# %% [markdown]
# ## 2. The loss table of document 000, measured again

# %%
losses = tables.summary("probability", "loss")
tables.readable(losses)

# %% [markdown]
# The last row is the one with softmax. The document's 49.31 % was no accident of its run: every seed gives the same
# figure. How near do the other published figures come?

# %%
Markdown(published_sentences("probability"))

# %% [markdown]
# So much for the document's figures and ours. **And yours?** `make run-all` trains the same rows on your machine (with
# the data and the number of seeds that you choose), and here they are, if they are there. They are never mixed with the
# stored ones; with the embedded digits they are not even comparable.

# %%
tables.own_table("probability", seeds, data, device)

# %% [markdown]
# The stored table again, as a picture, one dot per seed:

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# The left panel shows what stands at a constant answer: every run with softmax, and any other run that the table counts
# under *at chance*. The right one enlarges the rest. To compare those rows with sigmoid and BCE, take their differences
# seed by seed.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# The grey band, half a percentage point on either side, was called practically equal before anyone looked. An interval
# inside it shows equality. *Better* and *worse* mean a difference beyond chance, and only an interval wholly outside
# the band shows that it matters; anything else is *undecided*. (With fewer than six seeds a row says "illustration" and
# gets no verdict. All intervals speak of other seeds, not of another test set.) One run that learns nothing makes the
# interval of its row wide: then the mean describes neither the runs that learn nor the one that does not.
#
# Now the document's open question. It suspects that MSE, MAE and RMSE do a little better *without* an activation than
# with a sigmoid, and asks for more experiments. Here they are, again paired by seed.

# %%
names = ("mse", "mae", "rmse")
pairs = [(lm.Pairing("probability", name), lm.Pairing("probability", name, "sigmoid")) for name in names]
Markdown("\n".join(f"- {line}" for line in comparison_sentences(pairs)))

# %% [markdown]
# Read each line as: difference in test accuracy, its 95 % interval over the seeds, and the chance of differences as
# large as these if each could as well have had the other sign, corrected for asking three questions at once. (Three
# seeds cannot get below a quarter.) An interval can reach far although all seeds agree: where one run of a row learns
# nothing, as the column *at chance* tells for MAE with a sigmoid, that one difference dwarfs the others.
#
# Why should a sigmoid cost anything here? The obvious suspect is its slope: the gradient is multiplied by `p (1 - p)`,
# which fades just where the network is confidently wrong.

# %%
p = torch.tensor([0.5, 0.1, 0.01])  # the truth is 1
slope = 2 * (1 - p) * p * (1 - p)  # size of the MSE's gradient at the raw output
{f"p = {value:g}": f"{size:.4f}" for value, size in zip(p.tolist(), slope.tolist(), strict=True)}

# %% [markdown]
# A plausible suspect is not yet a culprit. Under `nn.BCELoss` that factor cancels, so if it were to blame, BCE with a
# sigmoid would gain what MSE with a sigmoid loses. Both beside it, and MSE without a sigmoid too:

# %%
bce = lm.Pairing("probability", "bce", "sigmoid")
beside = [(lm.Pairing("probability", "mse", name), bce) for name in ("sigmoid", "none")]
Markdown("\n".join(f"- {line}" for line in comparison_sentences(beside)))

# %% [markdown]
# The loss without that factor gains nothing over the one with it, so the fading slope does not explain the gap. (It
# stays a suspect for the run that MAE lost.) The rows that the document marks as misfits are ahead of the one that it
# marks as fitting. What they share is an output that has to *hit* 0 or 1 instead of running past it. That is an
# observation, not yet a cause. And it has a price that accuracy cannot show:

# %%
show(output_figures.output_histograms([lm.Pairing("probability", name) for name in names]))

# %% [markdown]
# These outputs go below 0 and above 1. They are good scores and no probabilities.

# %% [markdown]
# ## 3. The activation table that document 001 left empty
#
# (Its headings say MSE; for a yes-or-no task we fill in accuracy.)

# %%
activations = tables.summary("probability", "activation")
tables.readable(activations)

# %% [markdown]
# Both softmax rows are the same constant answer. The loss behind it does not matter; there is nothing to be learnt.

# %%
show(result_figures.dots_and_intervals(activations))

# %% [markdown]
# Every seed of both stands on the same spot, a little left of the dotted line: of the two constant answers softmax
# gives the worse one, always yes. Always no would be right a little more often, and that is the line.

# %% [markdown]
# ## 4. Honest probabilities
#
# Accuracy asks for the right side of one half. Whoever uses the output *as a probability* asks for more: of all
# images called "80 % curved", 80 % should be curved.

# %%
trio = [lm.Pairing("probability", "bce", "sigmoid"), lm.Pairing("probability", "mse", "sigmoid"),
        lm.Pairing("probability", "mae", "sigmoid")]
learnt = reference().only("probability").that_learnt()
show(output_figures.calibration(trio, learnt))

# %% [markdown]
# How to read it: the *confidence* is the output itself for a yes and one minus the output for a no, so it starts at
# one half; each mark stands for the images of similar confidence. Below the diagonal a network is too sure of itself.
# The number in brackets, the expected calibration error (ECE), is the mean distance from the diagonal over all
# images. (A run that gives every image the same answer has no calibration worth the name; such runs are left out here,
# and the column *seeds* of the next table says how many remain.)
#
# In numbers, of each measure the smaller the better: the negative log-likelihood is what cross-entropy counts, the
# Brier score is the squared error of the probabilities, the calibration error is the gap of the figure.

# %%
tables.probabilities(trio, learnt)

# %% [markdown]
# Count, seed by seed, who has the lower negative log-likelihood. It is the very number that BCE minimises.

# %%
gaps = learnt.paired(trio[1], trio[0], "nll")
assert sum(gaps) < 0  # the summary says whose probabilities were the better ones
Markdown(f"On test images MSE has the lower one in **{sum(gap < 0 for gap in gaps)} of {len(gaps)}** seeds.")

# %% [markdown]
# What does the theory say? BCE and MSE are *proper* scoring rules: their expectation is best at the true probability.
# MAE is not: it is best at 0 or 1, whichever is likelier, so its outputs are pushed to the ends.
#
# Assume an image that is curved with probability 0.7, and look for the output at which each loss is lowest.

# %%
true = 0.7
grid = torch.linspace(0.001, 0.999, 999)
mae = true * (1 - grid) + (1 - true) * grid
mse = true * (1 - grid) ** 2 + (1 - true) * grid**2
assert abs(grid[mse.argmin()].item() - true) < 2e-3 and grid[mae.argmin()].item() > 0.99
print(f"truth {true}: MSE is lowest at {grid[mse.argmin()]:.2f}, MAE at {grid[mae.argmin()]:.2f}")

# %% [markdown]
# The stored outputs of all seeds that learnt, counted.

# %%
show(output_figures.output_histograms(trio, learnt))

# %% [markdown]
# The histograms (mind the logarithmic scale) show the same from the other side: MAE leaves the middle emptiest. But
# being proper is a promise about the *expectation*, over endless data. BCE sees 2,000 images again and again, and what
# it minimises on these it need not minimise on others: it ends up surer than it should be. Document 000 says, of
# labels, that cross-entropy is the better calibrated one. Here and elsewhere:

# %%
verdicts.verdict_on("000-ce-calibrated")

# %% [markdown]
# So the first argument of the document's section 1-1, that MSE does not fit because outputs lie between 0 and 1, does
# not hold as it stands: the squared error of a probability is a fine score. What cross-entropy has and MSE lacks is
# the second argument: a steep price for confident mistakes, which pays where a start is confidently wrong
# ([notebook 02](02_why_these_losses.ipynb)) and did not pay here. [Notebook 05](05_matching_loss_to_task.ipynb) draws
# both prices.

# %% [markdown]
# ## 5. What happens with one column in `nn.CrossEntropyLoss`
#
# Outputs `[N]` and float targets `[N]` are a legal call. It means something else: **one** sample with N classes.

# %%
outputs, targets = torch.randn(32, requires_grad=True), torch.ones(32)
loss = torch.nn.CrossEntropyLoss()(outputs, targets)
loss.backward()
assert abs(outputs.grad.sum().item()) < 1e-4  # what one image gains, the others lose
print(f"{loss.item():.1f} for 32 images, gradient sum {outputs.grad.sum():.6f}")

# %% [markdown]
# The images of a batch compete with each other. Shift all outputs by the same number and nothing changes, so no
# output is ever told where "yes" begins.

# %% [markdown]
# This is how the course describes that pairing before anyone trains it.

# %%
Markdown(lm.Pairing("probability", "cross_entropy", "none").explanation)

# %% [markdown]
# ## 6. Curves

# %%
constant = lm.Pairing("probability", "cross_entropy", "softmax")
show(output_figures.learning_curves([trio[0], lm.Pairing("probability", "rmse"), constant]))

# %% [markdown]
# The flat line is the single softmax: not slow, not unlucky, but constant. (Its loss is that of whole batches, so
# its height means nothing beside the others.) Look at the loss of BCE as well: where it rises while the accuracy
# stands still, the network is only getting surer of its mistakes. How many epochs did the rows need?

# %%
show(result_figures.epochs_plot(losses))

# %% [markdown]
# Rows may agree in accuracy and differ here, or the other way round. Runs that learn
# nothing have no such epoch.

# %% [markdown]
# ## 7. Every pairing
#
# First two rows that no document trains: the call that PyTorch recommends, logits into `nn.BCEWithLogitsLoss`, and
# the hinge loss, which asks for the right side with a margin and not for a probability.

# %%
tables.readable(tables.summary("probability", ["twin", "extra"]))

# %% [markdown]
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts); the
# brighter a cell, the more of the way from the constant answer to a perfect one it went. Grey cells stop with an error.

# %%
show(result_figures.grid_heatmap("probability"))

# %% [markdown]
# Three things to look for. The call of part 5 learns after all where the network ends in a sigmoid: the images still
# only compete, but winners and losers now have an end, 1 and 0, and one half lies between them. Document 000 (section
# 1-5) warns against a sigmoid's output in `nn.BCEWithLogitsLoss`; find that cell here, and then in
# [notebook 10](10_binary.ipynb). And the ReLU column is one toss per seed, not eight: all its cells start from the same
# weights, and where the one output is dead at the start, no loss wakes it up. (It even spares `nn.BCELoss` its error:
# a 0 is a legal probability.)
#
# The picker below goes further: what a pairing means, and a live training if you ask for it.

# %%
from lm_utils.explorer.picker import picker

picker("probability", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Three images of ten are curved. Which accuracy does a network with one softmax output reach on all ten
# (as a fraction)?

# %%
accuracy = ...

# %% tags=["solution"]
accuracy = 0.3

# %%
quiz.check(
    accuracy,
    expected=0.3,
    mistakes={0.7: "It says yes to all of them, not no.", 0.5: "It does not guess; it always says yes."},
    hint="Its output is 1, and 1 is a yes.",
)

# %% [markdown]
# **Exercise 2.** Write `gradient(p)`: the gradient of `nn.BCELoss` with respect to the *raw* output `z`, for a true
# label of 1 and `p = sigmoid(z)`. Compare it with the squared error's above.

# %%
gradient = ...

# %% tags=["solution"]
def gradient(p):
    return p - 1

# %%
quiz.check_function(
    gradient,
    reference=lambda p: p - 1,
    cases=[(0.5,), (0.1,), (0.01,)],
    mistakes=[
        (lambda p: -1 / p, "That is the gradient with respect to p; multiply by the sigmoid's slope p (1 - p)."),
        (lambda p: 1 - p, "The size is right; the loss falls when z grows."),
    ],
    hint="The 1/p of the logarithm meets the p of the sigmoid's slope.",
)

# %% [markdown]
# ## Summary
#
# - Softmax over one output is 1. Its accuracy is the share of yes labels; nothing trains.
# - The document's other rows learn; the column *at chance* says whether one of them lost a run. Whether an activation
#   helps under MSE, MAE and RMSE is answered by paired seeds, above.
# - BCE and MSE reward honest probabilities, MAE does not; how honest a trained network is, only its calibration
#   tells, and here the squared error's was the better one.
# - `nn.CrossEntropyLoss` with one flattened column compares images with each other.
#
# **Next:** [10 Binary classification](10_binary.ipynb)

