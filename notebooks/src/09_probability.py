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
# **Time:** {time}
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
from itertools import product

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence import statistics as st
from lm_utils.evidence import tables
from lm_utils.evidence.results import reference, tested_digits, under_conditions
from lm_utils.evidence.sentences import comparison_sentences, published_sentences
from lm_utils.files import RESULTS
from lm_utils.lessons import verdicts
from lm_utils.runs.outputs import quality
from lm_utils.show import output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.images import images_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## Five images, and a misfit at work
#
# Here are five test images with the answer that is wanted.

# %%
splits, task = lm.load_data(data), lm.TASKS["probability"]
five = [(splits.test.digits == digit).nonzero()[0].item() for digit in (0, 1, 3, 4, 8)]
images, truth = splits.test.images[five], task.target(splits.test.digits[five]).flatten()
show(images_figure(images, ["curved" if yes else "not curved" for yes in truth]))

# %% [markdown]
# The network is the small one of [notebook 08](08_regression.ipynb), `lm.TinyCNN`: convolutions, a hidden layer of 32
# sigmoid units, one output. Only the last step is new: it turns the output into a probability. We try two functions for
# it, and both give numbers from 0 to 1.


# %%
def forward(model, images, squash):
    hidden = torch.sigmoid(model.fc(model.features(images)))
    return squash(model.out(hidden))


def sigmoid(z):
    return 1 / (1 + torch.exp(-z))


def softmax(z):
    z = z - z.max(dim=1, keepdim=True).values  # softmax stays the same, and no exponential is too large
    return torch.exp(z) / torch.exp(z).sum(dim=1, keepdim=True)


# %% [markdown]
# Here is the training, without a helper: binary cross-entropy, 600 images, the same weights and batches for both.


# %%
def train(squash, epochs=12):
    model = lm.TinyCNN(outputs=1, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    order, targets = torch.Generator().manual_seed(0), task.target(splits.train.digits[:600])
    for _ in range(epochs):
        for batch in torch.randperm(len(targets), generator=order).split(32):
            optimizer.zero_grad()
            p = forward(model, splits.train.images[batch], squash)
            F.binary_cross_entropy(p, targets[batch]).backward()
            optimizer.step()
    return model


# %% [markdown]
# Five predictions beside five truths, 1 for curved:

# %%
models = {sigmoid: train(sigmoid), softmax: train(softmax)}
with torch.no_grad():
    said = {f.__name__: forward(model, images, f).flatten() for f, model in models.items()}
assert ((said["sigmoid"] > 0.5) == (truth > 0.5)).sum() >= 3 and (said["softmax"] == 1).all()
pd.DataFrame({"truth": truth, **said}).round(3)

# %% [markdown]
# The network with the sigmoid has begun to tell curved digits from others. The one with softmax says "curved, 100 %
# sure" about every image. **Was that luck?** Would a longer training, another seed or another loss help?
#
# ## 1. One output through softmax
#
# Softmax divides the exponential of each output by the sum of all the exponentials. Here the sum has only one term.

# %%
raw = torch.tensor([[-40.0], [0.0], [3.0]])
assert torch.equal(softmax(raw), torch.softmax(raw, dim=1)) and torch.equal(softmax(raw), torch.ones(3, 1))
softmax(raw).flatten()

# %% [markdown]
# So the output does not depend on the weights. How large is the gradient that reaches them?

# %%
model = models[softmax]
model.zero_grad()
F.binary_cross_entropy(forward(model, images, softmax), truth[:, None]).backward()
largest = max(weights.grad.abs().max().item() for weights in model.parameters())
assert largest == 0
print("largest gradient of any weight:", largest)

# %% [markdown]
# No luck and no training can change that. What is the accuracy of such a network?

# %%
truths = task.target(tested_digits("mnist"))
curved = truths.mean().item()

# %%
quiz.predict(
    "A network that says 'curved, 100 % sure' for every image: how often is it right on MNIST's test images?",
    options=["0 %", "as often as digits are curved", "50 % exactly"],
    answer="as often as digits are curved",
    reading=f"{curved:.2%} of MNIST's test images show a curved digit, and that is its accuracy to the last digit.",
)

# %% [markdown]
# The accuracy of such a run is not "about one half": it is exactly the share of curved digits. Here are the stored runs
# of MNIST, ten seeds for each loss and activation of document 000: their mean, the worst run and the best.

# %%
stored = pd.read_csv(RESULTS / "mnist" / "runs.csv").query("task == 'probability' and hidden == 'sigmoid'")
stored = stored.query("not prior_bias and loss in ['mse', 'mae', 'rmse', 'bce'] and status == 'ok'")
score = stored.pivot(index="seed", columns=["loss", "activation"], values="test_metric")
score = score.loc[:, score.notna().sum() == len(score)]
assert ((score["bce", "softmax"] - curved).abs() < 1e-6).all()
score.agg(["mean", "min", "max"]).T.round(4)

# %% [markdown]
# ## 2. The loss table of document 000, measured again
#
# The best constant answer is the more frequent of the two labels. A run is *at chance* when it covers less than a
# twentieth of the way from the accuracy of that answer to 100 %.

# %%
baseline = max(curved, 1 - curved)
at_chance = ((score - baseline) / (1 - baseline) < 0.05).sum()
losses = tables.summary("probability", "loss")
helper = losses.set_index(["loss", "activation"])["failed"]
both = at_chance.index.intersection(helper.index)
assert (at_chance[both] == helper[both]).all()
at_chance[at_chance > 0].to_frame(f"runs at chance, of {len(score)}")

# %% [markdown]
# The table adds means, intervals and the paired difference to BCE behind a sigmoid. [Notebook 07](
# 07_experiment_design.ipynb), part 6, computes them and says how a verdict is to be read.

# %%
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
# A single run that learns nothing makes the interval of its row wide. The mean then describes neither the runs that
# learn nor the one that does not.
#
# Now we come to the document's open question. It suspects that MSE, MAE and RMSE do a little better *without* an
# activation than with a sigmoid, and it asks for more experiments. Here they are, again paired by seed. The *p* value
# comes from flipping the signs of the differences in every possible way, as in notebook 07.

# %%
without = pd.DataFrame({name: score[name, "none"] - score[name, "sigmoid"] for name in ("mse", "mae", "rmse")})
signs = np.array(list(product([1, -1], repeat=len(without))))
flipped = np.abs(signs @ without.to_numpy()) / len(without)
p = (flipped >= without.mean().abs().to_numpy() - 1e-12).mean(axis=0)
print("seeds that are better without:", (without > 0).sum().to_dict())
print("p of each question alone:", dict(zip(without, p.round(4).tolist(), strict=True)))

# %% [markdown]
# Three questions were asked at once, so each *p* must be corrected. The helper does that:

# %%
names = ("mse", "mae", "rmse")
pairs = [(lm.Pairing("probability", name), lm.Pairing("probability", name, "sigmoid")) for name in names]
Markdown("\n".join(f"- {line}" for line in comparison_sentences(pairs)))

# %% [markdown]
# An interval can be wide although all seeds agree. For MAE with a sigmoid the column *at chance* shows a run that
# learns nothing, and that one difference is much larger than all the others.
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
# BCE with a sigmoid gains nothing over MSE with a sigmoid, so the fading slope does not explain the gap. (It remains a
# suspect for the run that MAE lost.) The rows that the document marks as misfits are ahead of the row that it marks as
# fitting. In all the misfit rows the output has to *hit* 0 or 1; going past the target costs, too. That is an
# observation, not yet a cause. And these rows pay a price that accuracy cannot show:

# %%
show(output_figures.output_histograms([lm.Pairing("probability", "mse", name) for name in ("sigmoid", "none")]))

# %% [markdown]
# The line is the mean over the seeds, and the shaded area is their range. Without the sigmoid the outputs go below 0
# and above 1. They decide well, but they are not probabilities.

# %% [markdown]
# ## 3. The activation table that document 001 left empty
#
# (Its headings say MSE; for a yes-or-no task we fill in accuracy.)

# %%
activations = tables.summary("probability", "activation")
tables.readable(activations)

# %% [markdown]
# Both softmax rows give the same constant answer. The loss behind the softmax does not matter, because no loss can
# teach such an output anything. Softmax always says yes, and that is the worse of the two constant answers.

# %% [markdown]
# ## 4. Honest probabilities
#
# Accuracy only asks whether the output is on the right side of one half. If you use the output *as a probability*, you
# need more: of all images called "80 % curved", 80 % should be curved.

# %% [markdown]
# Three measures say how good probabilities are; for each, smaller is better. We compute them for the network that was
# trained at the beginning. The **negative log-likelihood** (NLL) is minus the logarithm of the probability that was
# given to the truth. It is what cross-entropy computes. The **Brier score** is the squared error of the probabilities.

# %%
true = task.target(splits.test.digits)
with torch.no_grad():
    p = torch.cat([forward(models[sigmoid], part, sigmoid) for part in splits.test.images.split(100)])
given = torch.where(true == 1, p, 1 - p).clamp(min=1e-7)
nll, brier = -given.log().mean().item(), (p - true).square().mean().item()
print(f"NLL {nll:.4f}, Brier score {brier:.4f} on {len(p)} test images of {splits.name}")

# %% [markdown]
# The **expected calibration error** (ECE) compares what the network promises with what it keeps. Its *confidence* is
# the output itself for a yes and one minus the output for a no, so it is never below one half. Sort the images into
# twenty groups of similar confidence. In each group, take the distance between the mean confidence and the share of
# right answers. The ECE is the mean of these distances over all images.

# %%
answers = pd.DataFrame({"confidence": torch.maximum(p, 1 - p).flatten(),
                        "right": ((p >= 0.5) == (true == 1)).flatten().float()})  # fmt: skip
groups = answers.groupby((answers["confidence"] * 20).astype(int).clip(upper=19))
ece = ((groups["confidence"].mean() - groups["right"].mean()).abs() * groups.size()).sum() / len(answers)
helper = quality(task, p, true)
assert np.allclose([nll, brier, ece], [helper[name] for name in ("nll", "brier", "ece")], atol=1e-5)
groups.agg(["mean", "size"]).round(3)

# %% [markdown]
# Each line is a group. Where the mean of *right* is below the mean confidence, the network is too sure of itself. From
# here on the helper does the computation. It draws the groups of all stored runs, for three losses behind a sigmoid.
# The number in brackets is the ECE.

# %%
trio = [lm.Pairing("probability", name, "sigmoid") for name in ("bce", "mse", "mae")]
learnt = reference().only("probability").that_learnt()
show(output_figures.calibration(trio, learnt))

# %% [markdown]
# Each mark stands for a group of images. Below the diagonal a network is too sure of itself. (For a run that gives
# every image the same answer, calibration means little. Such runs are left out here; the column *seeds* of the next
# table says how many remain.)

# %%
tables.probabilities(trio, learnt)

# %% [markdown]
# Which has the lower negative log-likelihood, MSE or BCE? This is the number that BCE itself minimises. We count seed
# by seed.

# %%
gaps, in_ece = (learnt.paired(trio[1], trio[0], measure) for measure in ("nll", "ece"))
assert sum(gaps) < 0 and sum(in_ece) < 0  # the summary says whose probabilities were the better ones
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
show(output_figures.output_histograms([trio[0], trio[2]], learnt))

# %% [markdown]
# The histograms agree with the theory: MAE leaves the middle emptiest (note the logarithmic scale). But a proper loss
# only promises something *on average*, over endless data. BCE sees the same 2,000 images again and again. What is
# lowest on these images need not be lowest on others, and BCE ends up surer than it should be. Document 000 says, about
# several labels, that cross-entropy is better calibrated. Here is the comparison for this task and for others:

# %%
verdicts.verdict_on("000-ce-calibrated")

# %% [markdown]
# The document's section 1-1 has two arguments. The first is that MSE does not fit because outputs lie between 0 and 1.
# It does not hold: the squared error of a probability is a good score. The second is that cross-entropy makes confident
# mistakes very expensive and MSE does not. That helps where a network starts out confidently wrong ([notebook
# 02](02_why_these_losses.ipynb)); here it did not help. [Notebook 05](05_matching_loss_to_task.ipynb) draws both
# prices.

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
# while the accuracy stands still, the network only becomes surer of its mistakes. In how many seeds does that happen?

# %%
gains = []
for run in reference().of(trio[0]):
    valid = [record["valid_loss"] for record in run["history"]]
    gains.append(valid[-1] / min(valid))
print(f"the last validation loss is {min(gains):.1f} to {max(gains):.1f} times the lowest, over {len(gains)} seeds")

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
# 10](10_binary.ipynb). Third, the eight cells of the ReLU column share one coin toss per seed. All start from the same
# weights. If the single output is dead at the start, no loss wakes it up. (Then even `nn.BCELoss` raises no error,
# because 0 is a legal probability.)
#
# The picker below explains what a pairing means, and trains it live if you ask.

# %%
from lm_utils.explorer.picker import picker

picker("probability", data, device)

# %% [markdown]
# ## 8. Is accuracy enough?
#
# Document 000 says that accuracy is enough, because the classes are balanced.

# %%
verdicts.verdict_on("000-accuracy-enough")

# %% [markdown]
# The digits are balanced, so this part is right: no imbalance makes accuracy misleading here. But whether accuracy is
# *enough* depends on what the outputs are for. Here are the outputs of two made-up networks for three images of class
# 0, 0 and 1. Both get the same two right.

# %%
labels = torch.tensor([0, 0, 1])
modest = torch.tensor([[0.7, 0.3], [0.6, 0.4], [0.6, 0.4]])
bold = torch.tensor([[0.99, 0.01], [0.98, 0.02], [0.999, 0.001]])
pd.DataFrame(
    {
        name: {
            "accuracy": (p.argmax(dim=1) == labels).float().mean().item(),
            "negative log-likelihood": -p[range(3), labels].log().mean().item(),
        }
        for name, p in {"modest": modest, "bold": bold}.items()
    }
).round(2)

# %% [markdown]
# Accuracy sees no difference. The bold network is sure of its mistake, and the likelihood shows that.
#
# ## 9. The run that MAE lost
#
# Part 2 asked whether a sigmoid is worse than no activation. Here is the verdict on the document's guess, and then the
# differences behind it (without a sigmoid minus with one), in percentage points:

# %%
verdicts.verdict_on("000-no-activation")

# %%
(100 * without).agg(["mean", "min", "max"]).T.round(2)

# %% [markdown]
# Look at the largest difference of MAE: it lifts the mean far above that of the other two. A mean over few seeds may be
# the story of a single run:

# %%
score["mae", "sigmoid"].rename("MAE + sigmoid, seed by seed").round(3)

# %% [markdown]
# With MAE behind a sigmoid one network learnt next to nothing. How often does that happen? The nine others were above
# chance after the first epoch, and the lost one was not, so probes of one epoch can tell. We expected, before the first
# of them, that 5 to 20 % would still be at chance:

# %%
mae = lm.Pairing("probability", "mae", "sigmoid")
lost_run = lambda score, chance: st.at_chance(score, chance, "accuracy")  # noqa: E731
early = [lost_run(run["history"][0]["valid_metric"], 0.5) for run in reference().of(mae)]
assert early == [lost_run(run["test_metric"], 0.5) for run in reference().of(mae)]
assert sum(early) == 1 and len(early) == 10  # "one network" and "the nine others", says the text
probes = under_conditions("lost-at-once")["mae-sigmoid"]
lost = sum(lost_run(run["test_metric"], run["chance"]) for run in probes)
low, high = st.wilson(lost, len(probes))
Markdown(f"**{lost} of {len(probes)}** probes are at chance after one epoch: {lost / len(probes):.0%}, with a 95 %"
         f" interval from {low:.0%} to {high:.0%} (the documents' CNN on MNIST, CPU, seeds from {probes[0]['seed']} to"
         f" {probes[-1]['seed']}).")  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** This script trains a network and prints its accuracy on validation images. It does not learn. Repair
# it.


# %%
def script():
    model = lm.TinyCNN(outputs=1, activation="softmax", generator=torch.Generator().manual_seed(0))
    optimizer, targets = torch.optim.AdamW(model.parameters(), lr=0.01), task.target(splits.train.digits)
    for batch in torch.arange(600).repeat(6).split(30):
        optimizer.zero_grad()
        F.binary_cross_entropy(model(splits.train.images[batch]), targets[batch]).backward()
        optimizer.step()
    right = (model(splits.valid.images[:300]) >= 0.5) == (task.target(splits.valid.digits[:300]) == 1)
    return right.float().mean().item()


script()


# %% tags=["solution"]
def script():
    model = lm.TinyCNN(outputs=1, activation="sigmoid", generator=torch.Generator().manual_seed(0))
    optimizer, targets = torch.optim.AdamW(model.parameters(), lr=0.01), task.target(splits.train.digits)
    for batch in torch.arange(600).repeat(6).split(30):
        optimizer.zero_grad()
        F.binary_cross_entropy(model(splits.train.images[batch]), targets[batch]).backward()
        optimizer.step()
    right = (model(splits.valid.images[:300]) >= 0.5) == (task.target(splits.valid.digits[:300]) == 1)
    return right.float().mean().item()


script()

# %% [markdown]
# Edit the script above, run its cell, and then this one:

# %%
always_yes = task.target(splits.valid.digits[:300]).mean().item()
quiz.check_script(
    script,
    works=lambda accuracy: accuracy > 0.85,
    broken=always_yes,
    mistakes=[
        ("outputs=2", "Two outputs with softmax would learn, but this task has one. Which function suits one output?"),
        (lambda accuracy: abs(accuracy - (1 - always_yes)) < 1e-3, "Now it always says no. Does a gradient reach the "
         "weights? Look at the range of the last function."),
        ("relu", "ReLU may say 0 to every image, and it has no upper limit. Which function stays between 0 and 1?"),
        ('activation="s.*with_logits', "This loss has a sigmoid inside. Give it logits, not what sigmoid or softmax "
         "makes of them."),
        (r'"softmax".*(lr=(?!0\.01\))|repeat\((?!6\))|_loss\(|> |< |>= (?!0\.5))', "Every output is still "
         "exactly 1, and no loss, learning rate, number of epochs or cut changes that. What makes it 1?"),
    ],
    hint="The loss is fine, and so are the optimiser and the batches. What does the network end in?",
)  # fmt: skip

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
# - BCE and MSE reward honest probabilities, MAE does not. Calibration shows how honest a trained network is, and here
#   the calibration of the squared error was better.
# - `nn.CrossEntropyLoss` with one flattened column compares images with each other.
#
# **Next:** [10 Binary classification](10_binary.ipynb)
