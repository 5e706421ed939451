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
# - answer a question that the document leaves open: under MSE, MAE and RMSE, is no activation better than a sigmoid?
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
# The question is: how likely is this digit curved (0, 3, 6, 8 or 9)? The network has one output, one number. A
# prediction of one half or more counts as a yes. Tables with stored results show MNIST and say how many seeds were
# used; live cells train on the data named in the next line.

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
# Softmax divides the exponential of each output by the sum of all the exponentials. Here the sum has only one term.

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
# The output does not depend on the image, so the loss does not depend on it either, and no gradient is left. The
# accuracy of such a run is not "about one half": it is exactly the share of curved digits.

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
# Those were the document's figures and ours. **What are yours?** `make run-all` trains the same rows on your machine,
# with the data and the number of seeds that you choose. If you have run it, your results appear here. They are never
# mixed with the stored ones. Results on the embedded digits cannot be compared with results on MNIST.

# %%
tables.own_table("probability", seeds, data, device)

# %% [markdown]
# The stored table again, as a picture, one dot per seed:

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# The left panel shows the runs at a constant answer: every run with softmax, and any other run that the table counts
# under *at chance*. The right panel enlarges the rest. To compare those rows with sigmoid and BCE, we take the
# differences seed by seed.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# The grey band reaches half a percentage point to either side. We decided to call differences inside it practically
# equal before we looked at any result. An interval inside the band shows equality. *Better* and *worse* mean a
# difference beyond chance, and only an interval wholly outside the band shows that it matters. Anything else is
# *undecided*. (With fewer than six seeds a row says "illustration" and gets no verdict. All intervals are about other
# seeds, not about another test set.) A single run that learns nothing makes the interval of its row wide. The mean then
# describes neither the runs that learn nor the one that does not.
#
# Now we come to the document's open question. It suspects that MSE, MAE and RMSE do a little better *without* an
# activation than with a sigmoid, and it asks for more experiments. Here they are, again paired by seed.

# %%
names = ("mse", "mae", "rmse")
pairs = [(lm.Pairing("probability", name), lm.Pairing("probability", name, "sigmoid")) for name in names]
Markdown("\n".join(f"- {line}" for line in comparison_sentences(pairs)))

# %% [markdown]
# Each line gives the difference in test accuracy, its 95 % interval over the seeds, and a p value. The p value is the
# probability of differences at least this large if each sign were the result of a coin toss. It is corrected for asking
# three questions at once. (With three seeds it cannot fall below a quarter.) An interval can be wide although all seeds
# agree. For MAE with a sigmoid the column *at chance* shows a run that learns nothing, and that one difference is much
# larger than all the others.
#
# Why should a sigmoid cost anything here? The obvious suspect is its slope: the gradient is multiplied by `p (1 - p)`,
# which is nearly 0 just where the network is confidently wrong.

# %%
p = torch.tensor([0.5, 0.1, 0.01])  # the truth is 1
slope = 2 * (1 - p) * p * (1 - p)  # size of the MSE's gradient at the raw output
{f"p = {value:g}": f"{size:.4f}" for value, size in zip(p.tolist(), slope.tolist(), strict=True)}

# %% [markdown]
# A plausible suspect is not yet a culprit. Under `nn.BCELoss` that factor cancels. If the factor were to blame, BCE
# with a sigmoid would gain what MSE with a sigmoid loses. Here are both, and MSE without a sigmoid beside them:

# %%
bce = lm.Pairing("probability", "bce", "sigmoid")
beside = [(lm.Pairing("probability", "mse", name), bce) for name in ("sigmoid", "none")]
Markdown("\n".join(f"- {line}" for line in comparison_sentences(beside)))

# %% [markdown]
# The loss without that factor gains nothing over the loss with it, so the fading slope does not explain the gap. (It
# remains a suspect for the run that MAE lost.) The rows that the document marks as misfits are ahead of the row that it
# marks as fitting. In all of them the output has to *hit* 0 or 1; going past the target costs, too. That is an
# observation, not yet a cause. And these rows pay a price that accuracy cannot show:

# %%
show(output_figures.output_histograms([lm.Pairing("probability", name) for name in names]))

# %% [markdown]
# These outputs go below 0 and above 1. They are good scores, but they are not probabilities.

# %% [markdown]
# ## 3. The activation table that document 001 left empty
#
# (Its headings say MSE; for a yes-or-no task we fill in accuracy.)

# %%
activations = tables.summary("probability", "activation")
tables.readable(activations)

# %% [markdown]
# Both softmax rows give the same constant answer. The loss behind the softmax does not matter, because no loss can
# teach such an output anything.

# %%
show(result_figures.dots_and_intervals(activations))

# %% [markdown]
# Every seed of both rows stands at the same place, a little left of the dotted line. Softmax always says yes, and that
# is the worse of the two constant answers. The dotted line is the better one: always no.

# %% [markdown]
# ## 4. Honest probabilities
#
# Accuracy only asks whether the output is on the right side of one half. If you use the output *as a probability*, you
# need more: of all images called "80 % curved", 80 % should be curved.

# %%
trio = [lm.Pairing("probability", "bce", "sigmoid"), lm.Pairing("probability", "mse", "sigmoid"),
        lm.Pairing("probability", "mae", "sigmoid")]
learnt = reference().only("probability").that_learnt()
show(output_figures.calibration(trio, learnt))

# %% [markdown]
# How to read the figure: the *confidence* is the output itself for a yes and one minus the output for a no, so it
# starts at one half. Each mark stands for a group of images with similar confidence. Below the diagonal a network is
# too sure of itself. The number in brackets is the expected calibration error (ECE): the mean distance from the
# diagonal over all images. (For a run that gives every image the same answer, calibration means little. Such runs are
# left out here; the column *seeds* of the next table says how many remain.)
#
# The next table shows three measures; for each of them, smaller is better. The negative log-likelihood is what
# cross-entropy computes. The Brier score is the squared error of the probabilities. The calibration error is the gap in
# the figure.

# %%
tables.probabilities(trio, learnt)

# %% [markdown]
# Which has the lower negative log-likelihood, MSE or BCE? We count seed by seed. It is the very number that BCE
# minimises.

# %%
gaps = learnt.paired(trio[1], trio[0], "nll")
assert sum(gaps) < 0  # the summary says whose probabilities were the better ones
Markdown(f"On test images MSE has the lower one in **{sum(gap < 0 for gap in gaps)} of {len(gaps)}** seeds.")

# %% [markdown]
# What does the theory say? BCE and MSE are *proper* scoring rules: on average, they are lowest when the output is the
# true probability. MAE is not proper. It is lowest at 0 or at 1, whichever answer is likelier, so it pushes the outputs
# to the ends.
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
# The next figure counts the stored outputs of all seeds that learnt.

# %%
show(output_figures.output_histograms(trio, learnt))

# %% [markdown]
# The histograms agree with the theory: MAE leaves the middle emptiest (note the logarithmic scale). But a proper loss
# only promises something *on average*, over endless data. BCE sees the same 2,000 images again and again. What is
# lowest on these images need not be lowest on others, and BCE ends up surer than it should be. Document 000 says, about
# several labels, that cross-entropy is better calibrated. Here is the comparison for this task and for others:

# %%
verdicts.verdict_on("000-ce-calibrated")

# %% [markdown]
# The document's section 1-1 has two arguments. The first is that MSE does not fit because outputs lie between 0 and 1;
# it does not hold, for the squared error of a probability is a good score. The second argument is the steep price that
# cross-entropy has for confident mistakes and MSE lacks. It helps where a network starts out confidently wrong
# ([notebook 02](02_why_these_losses.ipynb)); here it did not help. [Notebook 05](05_matching_loss_to_task.ipynb) draws
# both prices.

# %% [markdown]
# ## 5. What happens with one column in `nn.CrossEntropyLoss`
#
# A call with outputs `[N]` and float targets `[N]` is legal, but it means something else: **one** sample with N
# classes.

# %%
outputs, targets = torch.randn(32, requires_grad=True), torch.ones(32)
loss = torch.nn.CrossEntropyLoss()(outputs, targets)
loss.backward()
assert abs(outputs.grad.sum().item()) < 1e-4  # what one image gains, the others lose
print(f"{loss.item():.1f} for 32 images, gradient sum {outputs.grad.sum():.6f}")

# %% [markdown]
# The images of a batch compete with each other. If you shift all outputs by the same number, the loss does not change.
# So the loss never tells an output where "yes" begins.

# %% [markdown]
# Here is what the course says about that pairing before any training.

# %%
Markdown(lm.Pairing("probability", "cross_entropy", "none").explanation)

# %% [markdown]
# ## 6. Curves

# %%
constant = lm.Pairing("probability", "cross_entropy", "softmax")
show(output_figures.learning_curves([trio[0], lm.Pairing("probability", "rmse"), constant]))

# %% [markdown]
# The flat line is softmax on one output. It is not slow and not unlucky: it is constant. (Its loss is computed over
# whole batches, so you cannot compare its height with the others.) Look at the loss of BCE as well. Where it rises
# while the accuracy stands still, the network only becomes surer of its mistakes. How many epochs did the rows need?

# %%
show(result_figures.epochs_plot(losses))

# %% [markdown]
# Rows with the same accuracy may differ here, and rows that agree here may differ in accuracy. Runs that learn nothing
# have no such epoch.

# %% [markdown]
# ## 7. Every pairing
#
# First come two rows that no document trains: the call that PyTorch recommends, logits into `nn.BCEWithLogitsLoss`, and
# the hinge loss. The hinge loss does not ask for a probability; it asks for the right side with a margin.

# %%
tables.readable(tables.summary("probability", ["twin", "extra"]))

# %% [markdown]
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Brightness shows progress: a dark cell is no better than the constant answer, the brightest is a perfect one. Grey
# cells stop with an error.

# %%
show(result_figures.grid_heatmap("probability"))

# %% [markdown]
# Look for three things. First, the call of part 5 does learn where the network ends in a sigmoid. The images still only
# compete, but now winners end at 1 and losers at 0, and one half lies between them. Second, document 000 (section 1-5)
# warns against passing a sigmoid's output to `nn.BCEWithLogitsLoss`; find that cell here, and then in [notebook
# 10](10_binary.ipynb). Third, the ReLU column is one coin toss per seed, not eight. All its cells start from the same
# weights, and where the single output is dead at the start, no loss wakes it up. (Then even `nn.BCELoss` raises no
# error, because 0 is a legal probability.)
#
# The picker below explains what a pairing means, and trains it live if you ask.

# %%
from lm_utils.explorer.picker import picker

picker("probability", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Three images of ten are curved. Which accuracy does a network with one softmax output reach on these
# ten images (as a fraction)?

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
# label of 1 and `p = sigmoid(z)`. Compare it with the gradient of the squared error above.

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
# - Softmax over one output is always 1. Its accuracy is the share of yes labels, and nothing is learnt.
# - The document's other rows learn; the column *at chance* says whether one of them lost a run. Paired seeds answer
#   whether an activation helps under MSE, MAE and RMSE.
# - BCE and MSE reward honest probabilities, MAE does not. Only its calibration tells how honest a trained network is,
#   and here the calibration of the squared error was better.
# - `nn.CrossEntropyLoss` with one flattened column compares images with each other.
#
# **Next:** [10 Binary classification](10_binary.ipynb)

