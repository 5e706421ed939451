# %% [markdown]
# # 17 At work
#
# After this notebook you can
#
# - say for each loss what is left to *you* when you predict, and what the loss has done already,
# - use `NLLLoss`, and see at once when a softmax runs over the wrong axis,
# - take `pos_weight` and class weights back when you need probabilities,
# - calibrate a trained classifier with one number, and choose among losses that all work.
#
# **Time:** {time}
#
# **Covers:** what documents 000 and 004 leave open for daily work
#
# **Before:** [06 BCE and logits](06_bce_and_logits.ipynb) and [11 Multi-class](11_multi_class.ipynb).

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools of this notebook, and what it runs on. Everything below is trained here, on the CPU, on scikit-learn's
# embedded digits: 600 images to train with, 300 to validate, 897 to test.

# %%
import math
from importlib.util import find_spec

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence.results import under_conditions
from lm_utils.evidence.statistics import mean_interval
from lm_utils.files import RESULTS, read_lines
from lm_utils.lessons import at_work as lesson
from lm_utils.runs import many_classes, watches
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.images import images_figure
from lm_utils.show.style import COLORS, LINES, MARKERS, new_figure, show

banner(data, device)
splits = lm.load_data("digits", seed=0)
train_part, valid_part, test_part = splits.train, splits.valid, splits.test

# %% [markdown]
# ## 1. What is left to you when you predict
#
# A fused loss holds an activation inside. It is there while you train. When you predict there is no loss, so the
# activation is missing, and nobody reminds you.
#
# | trained with | the model emits | for probabilities apply | for a decision |
# |---|---|---|---|
# | `nn.CrossEntropyLoss` | logits | `softmax(dim=1)` | `argmax(dim=1)` |
# | `nn.NLLLoss` | log-probabilities | `exp()` | `argmax(dim=1)` |
# | `nn.BCEWithLogitsLoss` | logits | `sigmoid()` | logit `> 0` |
# | `nn.BCELoss` | probabilities | nothing | `> 0.5` |
# | `nn.MSELoss`, `nn.L1Loss`, `nn.HuberLoss` | the target's scale | undo the standardisation | |
# | hinge | a score, labels −1 and 1 | there is none | score `> 0` |
#
# The same three logits, read as each loss demands:

# %%
z = torch.tensor([[2.0, -1.0, 0.5]])
probabilities = {
    "CrossEntropyLoss": z.softmax(dim=1),
    "NLLLoss": z.log_softmax(dim=1).exp(),
    "BCEWithLogitsLoss": z.sigmoid(),
}
for loss, p in probabilities.items():
    print(f"{loss:18}", [round(number, 3) for number in p[0].tolist()], f"sum {p.sum():.3f}")

# %% [markdown]
# The first two agree. The third answers three separate yes-or-no questions, so its sum means nothing. For a decision
# you need neither softmax nor sigmoid: both keep the order, and a sigmoid is above one half exactly where its logit is
# above zero.

# %%
assert torch.equal(z.argmax(dim=1), z.softmax(dim=1).argmax(dim=1))
assert torch.equal(z > 0, z.sigmoid() > 0.5)

# %% [markdown]
# Here is a line of code that you will find in many projects:

# %%
quiz.predict(
    "A model was trained with nn.BCEWithLogitsLoss. The code that uses it says `model(x) > 0.5`. "
    "From which probability on does it say yes?",
    options=["0.5", "about 0.62", "about 0.73"],
    answer="about 0.62",
    reading="The outputs are logits, and the sigmoid of 0.5 is 0.622. Every image with a probability between 0.5 "
    "and 0.62 gets a no. Nothing warns you; the accuracy is only a little lower.",
)

# %% [markdown]
# Check the number:

# %%
assert math.isclose(torch.sigmoid(torch.tensor(0.5)).item(), 0.622, abs_tol=1e-3)

# %% [markdown]
# In regression the scale is left to you. If the targets were standardised, the outputs are, too.

# %%
strokes = lm.TASKS["regression"].target(train_part.digits)
mean, deviation = strokes.mean(), strokes.std()
standardised = (strokes - mean) / deviation
assert torch.allclose(standardised * deviation + mean, strokes, atol=1e-5)

# %% [markdown]
# Keep `mean` and `deviation` with the model, not in the training script. (If you standardised with the numbers of the
# *training* part, undo it with those same numbers.)
#
# ## 2. NLLLoss, and the axis of a softmax
#
# `nn.NLLLoss` is the second half of `nn.CrossEntropyLoss`. It takes the number at the place of the true class and
# changes its sign. It calculates no logarithm. So it needs log-probabilities.

# %%
logits, classes = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]]), torch.tensor([0, 1])
fused = nn.CrossEntropyLoss()(logits, classes)
in_two_steps = nn.NLLLoss()(logits.log_softmax(dim=1), classes)
on_probabilities = nn.NLLLoss()(logits.softmax(dim=1), classes)
print(f"fused {fused:.4f}, in two steps {in_two_steps:.4f}, on probabilities {on_probabilities:.4f}")

# %% [markdown]
# The first two agree. A **negative** loss shows that the logarithm was forgotten: what you see is minus the probability
# of the true class. That cannot fall below −1. A loss below −1 shows that raw logits went in. With them it has no lower
# end, and training drives it down for ever. There is no warning in either case.
#
# The other trap is the axis. `dim=1` runs over the classes of one image. `dim=0` runs over the images of the batch, and
# then an image's answer depends on its neighbours. Look at the sums:

# %%
over_classes, over_batch = logits.softmax(dim=1), logits.softmax(dim=0)
print("dim=1: sum of each row", over_classes.sum(dim=1).tolist())
print("dim=0: sum of each row", [round(total, 3) for total in over_batch.sum(dim=1).tolist()])
assert torch.allclose(over_batch.sum(dim=0), torch.ones(3)), "here each *column* sums to one"

# %% [markdown]
# While you train with batches, this looks like learning. The fault shows when the model is used:

# %%
quiz.predict(
    "A model ends with softmax over dim=0. You give it one single image. What are its ten outputs?",
    options=["ten times 1", "ten times 0.1", "they sum to 1"],
    answer="ten times 1",
    reading="Each column has one entry, and the softmax of one number is 1. A service that answers one request at a "
    "time then says the same to everybody.",
)

# %% [markdown]
# **Exercise 1.** The script below has both faults. It returns the loss of the first image *alone*. Repair it: a
# positive loss well below 1. (There is more than one right repair.)


# %%
def script():
    torch.manual_seed(0)
    images, digits = train_part.images[:100], train_part.digits[:100]
    model, loss_fn = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(dim=0)), nn.NLLLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        loss_fn(model(images), digits).backward()
        optimizer.step()
    return loss_fn(model(images[:1]), digits[:1]).item()


script()


# %% tags=["solution"]
def script():
    torch.manual_seed(0)
    images, digits = train_part.images[:100], train_part.digits[:100]
    model, loss_fn = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.LogSoftmax(dim=1)), nn.NLLLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        loss_fn(model(images), digits).backward()
        optimizer.step()
    return loss_fn(model(images[:1]), digits[:1]).item()


script()

# %% [markdown]
# Run your script, then this cell:

# %%
quiz.check_script(
    script,
    works=lambda loss: 0 < loss < 1,
    broken=-1.0,
    tolerance=1e-7,
    mistakes=[
        (lambda loss: loss < -1, "No probability is above 1, so this is not minus a probability. NLLLoss got the raw "
         "logits, and with them it has no lower end. It wants their log_softmax."),
        (lambda loss: loss < 0, "A loss between -1 and 0 is minus a probability: NLLLoss wants the logarithm."),
        (lambda loss: loss == 0, "One image alone has a loss of exactly 0, and the logarithm of its ten outputs is "
         "0 each: the softmax still runs over the batch."),
        (lambda loss: math.isclose(loss, math.log(10), abs_tol=1e-4), "That is log 10: ten equal outputs. For one "
         "image the softmax over the batch says 1 to every class."),
        (lambda loss: loss > 1.4, "Near 1.46 is the floor of two softmaxes: CrossEntropyLoss has its own."),
    ],
    hint="Which axis holds the classes, and does NLLLoss take a logarithm?",
)  # fmt: skip

# %% [markdown]
# ## 3. pos_weight, and how to take it back
#
# With `pos_weight=w` every yes counts $w$ times. The best answer to an image whose true probability is $p$ then has the
# odds $w\,p/(1-p)$ instead of $p/(1-p)$. Odds times $w$ means: the **logit grows by** $\log w$. So you can take it back
# when you predict: subtract $\log w$ from the logit. [Notebook 06](06_bce_and_logits.ipynb) found 0.5 as the cheapest
# constant for one yes in ten and a weight of 9:

# %%
biased_logit = torch.logit(torch.tensor(0.5))
honest = torch.sigmoid(biased_logit - math.log(9))
assert math.isclose(honest.item(), 0.1, abs_tol=1e-6)
print(f"with pos_weight 0.50, after subtracting log 9: {honest:.2f}")

# %% [markdown]
# **Exercise 2.** Write the function that turns the logit of a model trained with `pos_weight=w` into a probability you
# may show to a user.


# %%
def probability(logit, w):
    return ...


# %% tags=["solution"]
def probability(logit, w):
    return 1 / (1 + math.exp(-(logit - math.log(w))))


# %% [markdown]
# The next cell tries four pairs:

# %%
quiz.check_function(
    probability,
    lambda logit, w: 1 / (1 + math.exp(-(logit - math.log(w)))),
    cases=[(0.0, 9.0), (2.0, 9.0), (-1.0, 2.0), (1.0, 1.0)],
    mistakes=[
        (lambda logit, w: 1 / (1 + math.exp(-logit)), "The weight is still inside: subtract log w first."),
        (lambda logit, w: 1 / (1 + math.exp(-logit)) / w, "Divide the *odds* by w, not the probability."),
        (lambda logit, w: 1 / (1 + math.exp(-(logit - w))), "Subtract the logarithm of w, not w."),
        (lambda logit, w: logit - math.log(w), "That is the honest logit. Its sigmoid is still missing."),
    ],
    hint="A sigmoid of the logit less log w.",
)

# %% [markdown]
# Does it work on real images? The question is "is this an 8?", and about one image in ten is. First the loop that all
# trainings of this notebook use:


# %%
def train(part, targets, loss_fn, make, seed=0):
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(40):
        for batch in torch.randperm(len(targets)).split(32):
            optimizer.zero_grad()
            loss_fn(model(part.images[batch]), targets[batch]).backward()
            optimizer.step()
    return model.eval().requires_grad_(False)


# %% [markdown]
# Then a small model that sees nine pixels. It cannot learn any image by heart:


# %%
def small():
    return nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9, 1))


# %% [markdown]
# We train it twice, without a weight and with $w$ = noes per yes:

# %%
yes, truth = (train_part.digits == 8).float(), (test_part.digits == 8).float()
w = (1 - yes.mean()) / yes.mean()
plain = train(train_part, yes[:, None], nn.BCEWithLogitsLoss(), small)(test_part.images)[:, 0]
weighted = train(train_part, yes[:, None], nn.BCEWithLogitsLoss(pos_weight=w), small)(test_part.images)[:, 0]

# %% [markdown]
# The share of yes, and the mean probability that each reading gives:

# %%
readings = {"plain": plain, "pos_weight": weighted, "pos_weight, log w subtracted": weighted - w.log()}
print(f"share of yes {truth.mean():.3f}")
for name, logit in readings.items():
    recall = (logit > 0)[truth == 1].float().mean()
    print(f"{name:30} mean probability {logit.sigmoid().mean():.3f}, recall {recall:.2f}")

# %% [markdown]
# Look at the recall, too. Where a yes is rare, an honest probability is seldom above one half, so a model without a
# weight seldom says yes. It need not be trained again for that: a lower cut, chosen on the validation part, gives as
# many yes as you want, and the probabilities stay honest.
#
# That was one seed. Ten seeds, trained with the same lines, are stored (`results/at_work/digits.json`; embedded digits,
# CPU, seeds 500 to 509). What was expected of them was written down before. "Large" is a network with 64 hidden units
# that learns its 600 images by heart:

# %%
eights = pd.concat({size: lesson.stored(size) for size in ("small", "large")}, names=["model"])
lesson.intervals(eights)

# %% [markdown]
# A line holds means with their 95 % intervals. Did subtracting $\log w$ make the negative log-likelihood worse?

# %%
nll = eights["nll"].unstack("way")
worse = (nll["undone"] > nll["pos_weight"]).groupby("model").sum()
f"worse in {worse['small']} of {len(lesson.SEEDS)} seeds with the small model, in {worse['large']} with the large one"

# %% [markdown]
# The rule is exact for the best possible answers on the training images. A model that has learnt its images by heart
# says 0 or 1 to all of them, whatever the weight, and the weight hardly moves it. So measure on the validation part
# whether the corrected probabilities are the better ones, before you believe the formula.
#
# ## 4. Rare classes: weights, focal loss, or another reading
#
# Now take ten classes, with only a tenth of the training images of the digits 5 to 9. The test part keeps all of them,
# so its accuracy counts every class alike.

# %%
generator = torch.Generator().manual_seed(0)
keep = (train_part.digits < 5) | (torch.rand(len(train_part.digits), generator=generator) < 0.1)
few = lm.data.Part(train_part.images[keep], train_part.digits[keep])

# %% [markdown]
# The share of each digit among the training images:

# %%
shares = torch.bincount(few.digits, minlength=10) / len(few)
print({digit: f"{share:.1%}" for digit, share in enumerate(shares.tolist())})

# %% [markdown]
# We compare three losses. The focal loss (Lin et al. 2017) is cross-entropy in which an image counts less, the surer
# the network already is of its right answer:


# %%
def focal(logits, targets, gamma=2.0):
    each = F.cross_entropy(logits, targets, reduction="none")
    return ((1 - torch.exp(-each)) ** gamma * each).mean()


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


losses = {"plain": F.cross_entropy, "weights": nn.CrossEntropyLoss(weight=1 / shares), "focal": focal}
outputs = {name: train(few, few.digits, loss, network)(test_part.images) for name, loss in losses.items()}
without_focus = focal(outputs["plain"], test_part.digits, gamma=0.0)
assert torch.isclose(without_focus, F.cross_entropy(outputs["plain"], test_part.digits))

# %% [markdown]
# The fourth way trains nothing. By Bayes' rule the logits of the plain network contain the logarithm of each class's
# share among the training images. If all classes are equally frequent where the model will work, subtract it:

# %%
outputs["shifted"] = outputs["plain"] - shares.log()
rare = test_part.digits >= 5
for name, logits in outputs.items():
    right = (logits.argmax(dim=1) == test_part.digits).float()
    print(f"{name:8} accuracy {right.mean():.1%}, recall of the rare digits {right[rare].mean():.1%}")

# %% [markdown]
# One seed is an illustration. What do ten say?

# %%
rare_runs = lesson.stored("rare")
recall = rare_runs["recall"].unstack("way")
more = recall.gt(recall["plain"], axis=0).sum()
assert recall.mean().idxmax() == "shifted"

# %% [markdown]
# That cell has read the stored runs and shows nothing yet. First your guess:

# %%
quiz.predict(
    "Over ten seeds, which of the four gives the rare digits the highest recall?",
    options=["class weights", "the focal loss", "the shifted reading", "none of them: all alike"],
    answer="the shifted reading",
    reading=f"Their recall: {', '.join(f'{way} {mean:.1%}' for way, mean in recall.mean().items())}. More than plain in"
    f" so many of ten seeds: weights {more['weights']}, shifted {more['shifted']}, focal {more['focal']}.",
)

# %% [markdown]
# The table of the ten seeds (means with 95 % intervals; embedded digits, CPU, seeds 500 to 509):

# %%
lesson.intervals(rare_runs)

# %% [markdown]
# Which of them is right depends on where the model will work. If rare classes are rare there, too, the plain network is
# the honest one. Weights and the shifted reading answer another question: "which class, if all were equally likely?"
#
# Class weights are taken back like `pos_weight`: subtract the logarithm of each class's weight from its logit. We try
# this on test images among which the digits 5 to 9 are as rare as in training. Beside the network stands a small model
# that sees nine pixels, as in part 3:

# %%
as_rare = ~rare | (torch.rand(len(rare), generator=torch.Generator().manual_seed(0)) < 0.1)
nine_pixels = lambda: nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9, 10))  # noqa: E731
small_model = train(few, few.digits, losses["weights"], nine_pixels)(test_part.images)

# %% [markdown]
# The weights are `1 / shares`, so adding $\log$ share subtracts $\log$ weight:

# %%
change = {}
for name, logits in {"small model": small_model, "network": outputs["weights"]}.items():
    before, after = (F.cross_entropy(z[as_rare], test_part.digits[as_rare]) for z in (logits, logits + shares.log()))
    change[name] = (after - before).item()
    print(f"{name:12} cross-entropy {before:.3f}, after the weights are taken back {after:.3f}")
assert change["small model"] < 0 < change["network"]

# %% [markdown]
# It is the same as in part 3. The correction helps the small model. It harms the network, which has learnt its images
# by heart. (This is one seed.)
#
# ## 5. Temperature against overconfidence
#
# [Notebooks 09](09_probability.ipynb) to [12](12_multi_label.ipynb) show networks that are surer than they are right.
# The cure costs one number. Divide all logits by a **temperature** $T$ (Guo et al. 2017) and choose the $T$ with the
# least cross-entropy **on the validation part**. The largest logit stays the largest, so no answer changes.

# %%
model = train(train_part, train_part.digits, F.cross_entropy, network)
valid, test = model(valid_part.images), model(test_part.images)
candidates = torch.logspace(-1, 1, 201).tolist()
T = min(candidates, key=lambda T: F.cross_entropy(valid / T, valid_part.digits).item())
assert torch.equal((test / T).argmax(dim=1), test.argmax(dim=1))
print(f"T = {T:.2f}")

# %% [markdown]
# The calibration error (ECE) takes a few lines of pandas. Sort the answers into twenty bins by how sure they are. In
# each bin, compare how sure the network was with how often it was right.


# %%
from lm_utils.runs.outputs import reliability


def calibration_error(logits, digits):
    sure, answer = logits.softmax(dim=1).max(dim=1)
    table = pd.DataFrame({"sure": sure, "right": (answer == digits).float()})
    bins = table.groupby((table.sure * 20).astype(int).clip(upper=19))
    return ((bins.sure.mean() - bins.right.mean()).abs() * bins.size()).sum() / len(table)


for name, logits in {"as trained": test, "with the temperature": test / T}.items():
    error = calibration_error(logits, test_part.digits)
    sure, answer = logits.softmax(dim=1).max(dim=1)
    assert math.isclose(error, reliability(sure, (answer == test_part.digits).float())["ece"], abs_tol=1e-4)
    print(f"{name:21} ECE {error:.3f}, cross-entropy {F.cross_entropy(logits, test_part.digits):.3f}")

# %% [markdown]
# This is one seed again, and the calibration error varies from seed to seed. Here are ten seeds for each of three
# losses. Each line joins one network as it was trained to the same network with its temperature:

# %%
show(lesson.scaling_figure())

# %% [markdown]
# A line that falls is a network that the temperature made more honest. The middle group starts highest: label smoothing
# trains a network to be *less* sure than it is right, so its temperature is below 1. In numbers:

# %%
sure = lesson.stored("sure")
lesson.intervals(sure)

# %% [markdown]
# In how many of the ten seeds did the temperature lower the calibration error?

# %%
ece = sure["ece"].unstack("way")
{name: int((ece[f"{name}, scaled"] < ece[name]).sum()) for name in ("plain", "smoothing", "focal")}

# %% [markdown]
# What was expected of all these runs was written down before they were trained. To judge it, each measure becomes a
# table with a row for a seed and a column for a way:

# %%
accuracy, nll = sure["accuracy"].unstack("way"), nll.loc["large"]
says, share_of_yes = (eights.loc["small", name].unstack("way") for name in ("mean_p", "share"))
gap, change = (says - share_of_yes).abs(), (accuracy.mean() - accuracy["plain"].mean()).abs()

# %% [markdown]
# "At least eight" seeds are eight of ten. The table says what came true:

# %%
came_true = {
    "temperature": (sure.loc["plain, scaled", "T"] > 1).all() and (ece["plain, scaled"] < ece["plain"]).sum() >= 8
    and (accuracy["plain, scaled"] == accuracy["plain"]).all(),
    "smoothing": change["smoothing"] < 0.01,
    "focal": change["focal"] < 0.01,
    "weights": (recall["weights"] > recall["plain"]).sum() >= 8,
    "shift": (recall["shifted"] > recall["plain"]).sum() >= 8,
    "small": (gap["pos_weight"] > gap["plain"]).all() and (gap["undone"] < 0.03).all(),
    "large": (nll["undone"] > nll["pos_weight"]).sum() >= 8,
}  # fmt: skip
judged = pd.DataFrame({"expected": lesson.expected(), "came true": came_true})
judged.style.hide().set_properties(**{"text-align": "left"})

# %% [markdown]
# Three warnings. Fit $T$ on images that were not trained on. One number cannot repair a network that is too sure about
# some classes and too unsure about others. And a temperature does nothing for images of another kind than those it was
# fitted on.
#
# ## 6. Which one, if several work?
#
# For ten classes several losses reach the same accuracy. Here are the reference runs (MNIST, CPU; *count* says how many
# seeds) with pandas:

# %%
runs = pd.read_csv(RESULTS / "mnist" / "runs.csv")
ten = runs[(runs.task == "multiclass") & (runs.hidden == "sigmoid") & ~runs.prior_bias & (runs.status == "ok")]
summary = ten.fillna({"activation": "none"}).groupby(["loss", "activation"])[["test_metric", "epochs"]]
columns = {"test_metric": ["mean", "std", "count"], "epochs": ["mean"]}
summary.agg(columns).sort_values(("test_metric", "mean"), ascending=False).round(3).head(8)

# %% [markdown]
# Accuracy does not choose for you there. Ask in this order, and stop at the first answer:
#
# 1. **Does the loss fit the question?** One class of many, several labels, a number: [notebook
#    05](05_matching_loss_to_task.ipynb).
# 2. **Will somebody read the probabilities?** Then a likelihood (cross-entropy, BCE), and a temperature afterwards.
# 3. **Are some labels wrong, or some targets far off?** Then a loss whose pull has a limit: Huber or MAE for numbers
#    ([notebook 01](01_losses.ipynb)); for classes read [notebook 16](16_on_new_data.ipynb) first.
# 4. **Are classes rare?** First the plain loss and another reading (part 4). Weights only if that is not enough.
# 5. **Otherwise take the one that everybody knows**: logits and `CrossEntropyLoss` or `BCEWithLogitsLoss`. The next
#    reader will not have to think about it.
#
# Change the loss for a reason that you can measure on the validation part, and compare with at least as many seeds as
# [notebook 07](07_experiment_design.ipynb) asks for.
#
# Do not trust the top of that table too soon. The squared errors on ten raw outputs have three seeds there and stand
# above cross-entropy. We tested this again on new seeds, with a tiny network (embedded digits) and with the documents'
# CNN (MNIST), on clean labels and on training labels of which a part is drawn at random. We wrote down our expectation
# first: the squared errors are ahead of cross-entropy with clean labels (on MNIST by 0.2 to 0.5 points), and with wrong
# ones, too (by more than a point).

# %%
kinds = {"images-2000": "clean labels", "noise-20": "20 % random labels", "noise-40": "40 % random labels"}
square = {"digits, tiny network": [under_conditions("tiny-square", "digits")],
          "MNIST, documents' CNN": [under_conditions("square"), under_conditions("new-data")]}  # fmt: skip
lines, gaps = {}, {where: [] for where in square}
for where, families in square.items():
    scores = {name: {run["seed"]: 100 * run["test_metric"] for found in families for run in found.get(name, [])}
              for name in {name for found in families for name in found}}  # fmt: skip
    for (kind, title), loss in [(kind, loss) for kind in kinds.items() for loss in ("mse", "rmse")]:
        both = [pd.Series(scores.get(f"{kind}/{name}-none", {}), dtype=float) for name in (loss, "cross_entropy")]
        if len(both[0]):
            gaps[where].append(gap := (both[0] - both[1]).dropna())
            lines[f"{where}: {loss.upper()}, {title}"] = [
                f"{gap.mean():+.2f}", f"{mean_interval(gap).low:+.2f} to {mean_interval(gap).high:+.2f}",
                f"{gap.min():+.2f}", f"{gap.max():+.2f}", f"{(gap > 0).sum()} of {len(gap)}"]  # fmt: skip
here, there = gaps.values()
assert all(gap.mean() < 0 for gap in here) and all(gap.min() < -50 for gap in here[-2:])
assert all(len(gap) >= 6 and gap.min() > 0 for gap in there)
assert 0.4 < there[0].mean() < 0.5 < there[1].mean() < 0.6 and all(gap.mean() > 1 for gap in there[2:])
pd.DataFrame(lines, index=["mean", "95 % interval", "smallest", "largest", "seeds ahead"]).T

# %% [markdown]
# These are differences to cross-entropy in percentage points, seed by seed. On the tiny network **the expectation
# failed**: no mean is ahead, and with 40 % random labels each square loss fell more than 50 points behind on one seed
# (the smallest difference). On the documents' CNN **it came true**: both square losses are ahead on every seed, on
# average by about half a point with clean labels (RMSE by a little more than we had expected) and by more than a point
# with wrong ones. So which loss is ahead depends on the network and the data. The course recommends cross-entropy for
# ten classes because loss, output and question fit together and its outputs can be read as probabilities. It does *not*
# do so because nothing scores higher: here the square losses do, and the course calls them workable.
#
# ## 7. A yes or no for each class, from ten classes to a thousand
#
# [Notebook 11](11_multi_class.ipynb) shows ten sigmoids that learn nothing: they start at one half, their base rate is
# one tenth, and on the way down the hidden layer saturates. At work there are detection heads with a sigmoid for each
# of hundreds of classes, and networks trained with BCE on the thousand classes of ImageNet (Wightman et al. 2021,
# "ResNet strikes back"). Their base rates are far lower. Why do they learn?
#
# No new data are needed to ask. Two digits side by side show one of a hundred classes, three one of a thousand.


# %%
def rows_of_two(part, count):
    picked = torch.randint(len(part), (count, 2), generator=generator)
    images = torch.cat([part.images[picked[:, 0]], part.images[picked[:, 1]]], dim=-1)
    return images, 10 * part.digits[picked[:, 0]] + part.digits[picked[:, 1]]


images, numbers = rows_of_two(train_part, 1000)
seen, wanted = rows_of_two(test_part, 500)
show(images_figure(images[:5], [f"class {number:02}" for number in numbers[:5]]))

# %% [markdown]
# Each of a hundred sigmoids should say yes to one row in a hundred. We train two networks: a small one with a sigmoid
# layer of 128 units, and the same with BatchNorm and ReLU instead, which most of today's networks have. Change the loss
# (`bce`, `bce-prior`, `bce-pos-weight` or `cross-entropy`) and try again; each line takes some seconds.


# %%
def try_it(network, loss, epochs=6):
    point = many_classes.Point(digits=2, network=network, loss=loss)
    model = many_classes.network(point, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for batch in torch.randperm(len(numbers)).split(32):
            optimizer.zero_grad()
            many_classes.loss_of(point, model.logits(images[batch]), numbers[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        right = (model.eval().logits(seen).argmax(dim=1) == wanted).float().mean()
    print(f"{network:9} {loss:13} accuracy {right:.1%}, {watches.stuck_units(model, seen):.0%} of hidden units stuck")


try_it("sigmoid", "bce")
try_it("sigmoid", "cross-entropy")
try_it("batchnorm", "bce")

# %% [markdown]
# *Stuck* units say the same for every image. One seed is an illustration. Five seeds are stored, for ten, a hundred and
# a thousand classes (CPU, seeds 300 to 304; 2,000 rows, 12 epochs): the two small networks, and on MNIST also the
# documents' CNN with its 64 sigmoid units, up to a hundred classes.

# %%
runs = pd.concat(pd.DataFrame(read_lines(path)) for path in many_classes.PATHS.values())
runs = runs.rename(columns={"accuracy": "curve"}).reset_index(drop=True)
runs["accuracy"] = [100 * curve[-1] for curve in runs["curve"]]
runs["learnt"] = runs["accuracy"] > 2 * 100 / runs["classes"] + 1
ends = [next(n for n, at in enumerate(curve, 1) if at >= 0.95 * curve[-1]) for curve in runs["curve"]]
runs["epochs to 95 %"] = pd.Series(ends).where(runs["learnt"])
mean = runs.pivot_table(index=["data", "network", "classes"], columns="loss", values="accuracy")
mean.round(1)

# %% [markdown]
# The table holds mean accuracies. The figure shows every run as a mark. Its lower row says after how many epochs a run
# that learns has reached 95 % of its final accuracy.

# %%
NETWORKS = {"batchnorm": "BatchNorm and ReLU", "sigmoid": "sigmoid layer", "documents": "the documents' CNN"}
figure, axes = new_figure(2, 4, 13, 6.4, sharex=True, sharey="row")
for column, ((data, network_name), some) in zip(axes.T, runs.groupby(["data", "network"]), strict=True):
    for place, (loss, of_loss) in enumerate(some.groupby("loss")):
        for axis, measure in zip(column, ("accuracy", "epochs to 95 %"), strict=True):
            beside = of_loss["classes"] * 1.12 ** (place - 1.5)  # so that the marks do not hide each other
            axis.plot(beside, of_loss[measure], MARKERS[place], color=COLORS[place], alpha=0.5, ms=5)
            means = of_loss.set_index(beside)[measure].groupby(level=0).mean()
            axis.plot(means, label=loss, color=COLORS[place], linestyle=LINES[place])
            axis.set(xscale="log", xticks=[10, 100, 1000], xlabel="number of classes", ylim=(0, None))
            axis.xaxis.set_major_formatter("{x:g}")
    column[0].set(title=f"{data}: {NETWORKS[network_name]}", xlabel="")
for axis, label in zip(axes[:, 0], ("accuracy in percent", "epochs to 95 %"), strict=True):
    axis.set_ylabel(label)
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
told = "; ".join(f"{', '.join(map(str, point))}: {share:.1f}" for point, share in mean.stack().items())
figure.set_label(f"Accuracy and epochs to 95 % over the number of classes. Mean accuracies in percent: {told}.")
show(figure)

# %% [markdown]
# With BatchNorm and ReLU, plain BCE learns at every number of classes, on both data sets. On the embedded digits it
# takes about twice as many epochs as cross-entropy at a thousand, and its curve still rises when the training ends. The
# small sigmoid layer learns ten classes with every loss; this one is wide, and [notebook 11](11_multi_class.ipynb),
# part 8, shows that width helps. From a hundred classes on it learns nothing, **not even with cross-entropy**, so there
# it cannot show what a misfit costs. The documents' CNN on MNIST can: with plain BCE it stays at chance at ten and at a
# hundred classes, in every seed. With the output bias at the prior or with `pos_weight` **it learns a hundred classes,
# too**. What had we expected?

# %%
gap, small, on_mnist = mean.sub(mean["cross-entropy"], axis=0), mean.loc["digits"], mean.loc["mnist"]
modern = small.loc["batchnorm"]
assert modern["bce-prior"][1000] == modern.loc[1000].max()
assert (modern["bce-pos-weight"] < modern["bce"])[[100, 1000]].all()
thousand = runs.query("data == 'digits' and network == 'batchnorm' and classes == 1000").groupby("loss")
needs = thousand["epochs to 95 %"].mean()
assert 1.7 < needs["bce"] / needs["cross-entropy"] < 2.5 and needs["bce-prior"] < needs["bce"]
assert all(curve[-1] > curve[-4] + 0.02 for curve in thousand.get_group("bce")["curve"]), "in every seed it still rises"
of_sigmoid, of_batchnorm = runs.query("network == 'sigmoid'"), gap.loc[("digits", "batchnorm")]
pd.Series({
    "sigmoid: plain BCE stays at chance for any number of classes": not of_sigmoid.query("loss == 'bce'").learnt.any(),
    "sigmoid: with the prior or pos_weight ten classes come within 2 points of cross-entropy":
        (gap.loc[("digits", "sigmoid", 10), ["bce-prior", "bce-pos-weight"]] > -2).all(),
    "sigmoid: nothing learns a thousand classes": not of_sigmoid.query("classes == 1000").learnt.any(),
    "BatchNorm: plain BCE is within 2 points of cross-entropy at 10 and 100":
        (of_batchnorm.loc[[10, 100], "bce"].abs() <= 2).all(),
    "BatchNorm: plain BCE is more than 10 points behind at 1,000": of_batchnorm.loc[1000, "bce"] < -10,
    "BatchNorm: at 1,000 the prior brings more than plain BCE, pos_weight does not":
        of_batchnorm.loc[1000, "bce-prior"] > of_batchnorm.loc[1000, "bce"] >= of_batchnorm.loc[1000, "bce-pos-weight"],
}, name="came true on the embedded digits")  # fmt: skip

# %%
cnn, of_cnn = gap.loc[("mnist", "documents")], runs.query("network == 'documents'")
of_batchnorm, modern = gap.loc[("mnist", "batchnorm")], on_mnist.loc["batchnorm"]
kept = of_cnn[of_cnn["loss"] != "bce"]
assert len(of_cnn) == 40 and kept["learnt"].all()
assert modern["bce-prior"][1000] == modern.loc[1000].max()
assert (modern["bce-pos-weight"] < modern["bce"])[[100, 1000]].all()
pd.Series({
    "documents' CNN: plain BCE stays at chance at 10 and 100": not of_cnn.query("loss == 'bce'").learnt.any(),
    "documents' CNN: with the prior or pos_weight ten classes come within 3 points of cross-entropy":
        (cnn.loc[10, ["bce-prior", "bce-pos-weight"]].abs() <= 3).all(),
    "documents' CNN: cross-entropy gets more than a fifth of a hundred classes right":
        on_mnist.loc[("documents", 100), "cross-entropy"] > 20,
    "BatchNorm: plain BCE is at most 2 points below cross-entropy at 10 and 100":
        (of_batchnorm.loc[[10, 100], "bce"] >= -2).all(),
    "BatchNorm: at 1,000 the prior is ahead of plain BCE": modern.loc[1000, "bce-prior"] > modern.loc[1000, "bce"],
}, name="came true on MNIST")  # fmt: skip

# %% [markdown]
# On the embedded digits half of it failed, and the failures matter to a practitioner. We had expected that a thousand
# sigmoids which start at one half would hold back a modern network, too. They did not: here plain BCE ends ahead of
# cross-entropy (at a hundred classes by more than the two points that we had allowed), only later. The outputs have the
# longest way down, but BatchNorm keeps the hidden layer from saturating. On MNIST all of it came true; there we wrote
# the expectation after these runs. What you can use:
#
# - In a normalised ReLU network both losses learn. Measure which is better for you.
# - Start the output bias at the prior all the same: `nn.init.constant_(head.bias, -math.log(K - 1))`. It is one line,
#   and at a thousand classes it gave the highest mean on both data sets. It rescues the documents' CNN.
# - `pos_weight = K - 1` rescues that CNN as well. With BatchNorm it was behind plain BCE at a hundred and at a thousand
#   classes.
# - If your hidden layer is a bare sigmoid, change the layer first, or start the bias at the prior.
#
# All this is five seeds of small networks on small images; it says what can happen, not what your network will do.
#
# ## 8. The same in Lightning and in Hugging Face
#
# In both, the rule is the same: the model ends with logits, the loss is fused, and you apply the activation when you
# predict. The next cell runs wherever Lightning is installed, and says so where it is not.

# %%
if find_spec("lightning"):
    from lightning.pytorch import LightningModule

    class Classifier(LightningModule):
        def __init__(self):
            super().__init__()
            self.model, self.loss_fn = network(), nn.CrossEntropyLoss()

        def forward(self, images):
            return self.model(images)  # logits

        def training_step(self, batch, index):
            images, digits = batch
            return self.loss_fn(self(images), digits)  # no softmax here

        def predict_step(self, batch, index):
            return self(batch[0]).softmax(dim=1)  # and here there must be one

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=3e-3)


print("Lightning is", "here" if find_spec("lightning") else "not installed; read the cell")

# %% [markdown]
# `Trainer(callbacks=[DoctorCallback()])`, from `lm_utils.doctor.lightning_callback`, asks the doctor once, at the first
# batch. The doctor calls the module as a function, so give it a `forward`.
#
# A Hugging Face model chooses its loss by `problem_type`: `"regression"` takes MSE,
# `"single_label_classification"` cross-entropy, `"multi_label_classification"` `BCEWithLogitsLoss`. It returns
# `logits`, so softmax or sigmoid is left to you.

# %%
if find_spec("transformers"):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=4,
                        problem_type="multi_label_classification")  # fmt: skip
    labels = torch.tensor([[1.0, 0, 1, 0]])  # floats: whole numbers are refused
    answer = BertForSequenceClassification(config)(input_ids=torch.tensor([[5, 6, 7]]), labels=labels)
    assert torch.isclose(answer.loss, nn.BCEWithLogitsLoss()(answer.logits, labels))
    print("probabilities:", answer.logits.sigmoid())
print("transformers is", "here" if find_spec("transformers") else "not installed; read the cell")

# %% [markdown]
# `Trainer(..., callbacks=[DoctorCallback()])`, from `lm_utils.doctor.trainer_callback`, does the same there.
#
# ## 9. A stored seed, measured again
#
# The stored runs of parts 3 to 5 were made with the lines of this notebook, so you can measure any of them again. Take
# seed 500 and the rare classes. `imbalance` keeps the tenth of its training images that was kept then:

# %%
from lm_utils.runs.interventions import imbalance

again = lm.load_data("digits", seed=500)
kept = imbalance(again, seed=500, share=0.1).train
kept_shares = torch.bincount(kept.digits, minlength=10) / len(kept)

# %% [markdown]
# The three trainings, and the fourth way:

# %%
losses_again = losses | {"weights": nn.CrossEntropyLoss(weight=1 / kept_shares)}
logits_again = {way: train(kept, kept.digits, loss, network, seed=500)(again.test.images)
                for way, loss in losses_again.items()}  # fmt: skip
logits_again["shifted"] = logits_again["plain"] - kept_shares.log()

# %% [markdown]
# Both accuracies, stored and measured now (another processor may round a little differently):

# %%
measured = {way: (z.argmax(dim=1) == again.test.digits).float().mean().item() for way, z in logits_again.items()}
accuracies = pd.DataFrame({"stored": rare_runs["accuracy"].xs(500, level="seed"), "measured now": measured})
assert accuracies.diff(axis=1).abs().max(axis=None) < 0.02
accuracies

# %% [markdown]
# ## Summary
#
# - The activation inside a fused loss is missing when you predict. Apply it yourself, or decide on the logits.
# - `NLLLoss` wants log-probabilities; a negative loss shows that it got something else. Classes lie along `dim=1`.
# - A weight $w$ (`pos_weight`, or that of a class) adds $\log w$ to the logit. Subtract it when you need probabilities,
#   and measure whether that helps.
# - Weights, focal loss and a shifted reading answer different questions. The reading costs no training.
# - A sigmoid for each of many classes: normalise the hidden layer, and start the output bias at the prior.
# - One temperature, fitted on the validation part, changes no answer. How much it repairs depends on the loss: much
#   after label smoothing, little after cross-entropy.
#
# **Back to:** [00 Start here](00_start_here.ipynb), where the course is laid out.
