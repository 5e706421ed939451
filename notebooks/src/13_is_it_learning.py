# %% [markdown]
# # 13 Is it learning?
#
# After this notebook you can …
#
# - say for any task and loss which value a network reaches that has learnt *nothing but an average*,
# - tell four kinds of training runs apart by their vital signs: healthy, collapsed, saturated, and held up by a floor,
# - run a four-step ritual on a model that will not learn,
# - ask the doctor about your own model, and read its answer.
#
# **Time:** {time}
#
# **Covers:** document 000, section 4
#
# **Before:** [12 Multi-label](12_multi_label.ipynb).

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools of this notebook, and what it runs on:

# %%
import json
import math

import pandas as pd
import torch
from IPython.display import Markdown
from torch import nn
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.files import RESULTS
from lm_utils.lessons import is_it_learning as lesson
from lm_utils.lessons.past_bugs import PAST_BUGS
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## One number to compare with
#
# Document 000 §4 gives one piece of advice: look at the validation loss to see whether training goes well, and watch
# out for a network that merely converges to the *mean*. That is good advice, but it lacks a number. (It also assumes
# that the loss fits: a loss without a lowest value falls for ever while nothing is learnt, as [notebook
# 08](08_regression.ipynb) shows.) How high is "the loss of the mean"?
#
# We can compute it. Imagine a network that never looks at the image and always gives the same answer. The best it can
# do is to give the answer that suits the *average* target. Every training has to get below the loss of that answer. We
# call this network the **constant predictor**.
#
# Take the yes-or-no question "is this digit curved?". Five of the ten digits are, so about half of the targets
# are 1. The constant predictor says 0.5 to everything.

# %%
y = torch.tensor([1.0, 0.0, 1.0, 0.0])
always_half = torch.full((4,), 0.5)
print(nn.BCELoss()(always_half, y), nn.MSELoss()(always_half, y))

# %% [markdown]
# 0.6931 is log 2, and 0.25 is one half squared. Both mean the same thing: *a coin would have done as well*.
#
# Two different numbers describe the same network. So a loss value alone says little. The next question shows how
# little.

# %%
quiz.predict(
    "Ten yes-or-no outputs, one per digit, and exactly one of them is true. "
    "What does BCE show for a network that has learnt nothing but how often each digit occurs?",
    options=["0.6931, as for every yes-or-no question", "about 0.33", "about 2.30"],
    answer="about 0.33",
    reading="Each output is a no nine times out of ten, and saying 0.1 to everything costs little: "
    "$-0.1\\log 0.1-0.9\\log 0.9=0.3251$. A small loss, and nothing learnt.",
)

# %% [markdown]
# **Exercise 1.** Write the constant predictor's BCE as a function of the base rate $p$, the share of ones among
# the targets. (It says $p$ to everything; a share $p$ of the targets is 1, the rest is 0.)


# %%
def lazy_bce(p):
    return ...


# %% tags=["solution"]
def lazy_bce(p):
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


# %% [markdown]
# The check compares your function with the right one at three base rates:

# %%
quiz.check_function(
    lazy_bce,
    lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p),
    cases=[(0.5,), (0.1,), (0.3,)],
    mistakes=[
        (lambda p: -math.log(p), "That counts only the ones; a share 1 - p of the targets is 0 and costs -log(1 - p)."),
        (lambda p: p * math.log(p) + (1 - p) * math.log(1 - p), "Almost: a loss is positive, so mind the sign."),
    ],
    hint="Two kinds of targets: weigh the cost of a one by p and the cost of a zero by 1 - p.",
)

# %% [markdown]
# ## The table for all tasks
#
# Now for the five tasks and eight losses of this course. The targets are the training digits that you have here,
# so the values are computed from *these* base rates. A dash means that the pair makes no sense.

# %%
splits = lm.load_data(data, seed=0)
columns = {}
for task in lm.TASKS.values():
    aims = task.target(splits.train.digits)
    columns[task.title] = {loss.title: lesson.constant_loss(name, task.name, aims) for name, loss in lm.LOSSES.items()}
table = pd.DataFrame(columns, dtype=float)
table.map("{:.4f}".format).replace("nan", "–")

# %% [markdown]
# Read a column from top to bottom: the network knows equally little, but nearly every loss gives it another number.
# Read a row from left to right: for BCE the "nothing learnt" value changes with the base rate. So nobody can say
# whether a loss value is good without naming the task.
#
# Where do the numbers come from? Take the ten classes. All you need is how often each digit occurs, its base rate. The
# best constant answer gives every image these ten rates:

# %%
rates = F.one_hot(splits.train.digits, 10).double().mean(dim=0)
constant = {
    "cross_entropy": -(rates * rates.log()).sum(),
    "bce": -(rates * rates.log() + (1 - rates) * (1 - rates).log()).mean(),
    "mse": (rates * (1 - rates)).mean(),
}
for name, by_rates in constant.items():
    assert abs(by_rates.item() - lesson.constant_loss(name, "multiclass", splits.train.digits)) < 1e-5
{name: round(by_rates.item(), 4) for name, by_rates in constant.items()}

# %% [markdown]
# They equal the table's. Is such an answer really the best one? A network with nothing but a bias *is* a constant
# predictor. Train one on the ten-class task, and see where it ends:

# %%
digits = splits.train.digits
bias = torch.zeros(10, requires_grad=True)
optimizer = torch.optim.SGD([bias], lr=1.0)
for _ in range(500):
    optimizer.zero_grad()
    loss = F.cross_entropy(bias.expand(len(digits), 10), digits)
    loss.backward()
    optimizer.step()

# %% [markdown]
# And the value from the rates:

# %%
assert abs(loss.item() - constant["cross_entropy"].item()) < 1e-3
print(f"trained bias {loss:.4f}, from the rates {constant['cross_entropy']:.4f}, log 10 = {math.log(10):.4f}")

# %% [markdown]
# They agree. With ten classes that are about equally frequent, the value is close to log 10.
#
# ## Four patients
#
# Here are four runs of 25 epochs on the small embedded digits (they are stored with the course, so the pictures appear
# at once). Three vital signs are drawn for each: the validation loss; how far the outputs *differ between images*; and
# how many of the 64 hidden sigmoid units are **stuck**, that is, so far out on *the same* flat end for every image that
# their slope is next to zero.
#
# One is healthy, one collapsed to the mean, one is saturated, and one only looks bad. First guess from the loss alone.
# Then tick the reference lines: the constant predictor, and the *floor*, the lowest loss that the outputs can reach.
# Tick the diagnosis last.

# %%
lesson.health_lab()

# %% [markdown]
# Two of the four losses do not move after the first epochs, and they are *not* the highest ones: run 4 starts lowest of
# all and is in the worst state. Run 2 stays far above 0 and is fine. The distance to the two lines decides, not the
# height.
#
# Here are all four side by side, with their lines:

# %%
runs, lines = lesson.stored_runs()
show(lesson.patients_figure(runs, lines))

# %% [markdown]
# Read it by columns. In runs 2 and 3 alone the loss leaves the dashed line and the outputs come to differ between
# images. In run 4 the hidden units are stuck from the first epochs on; in run 1 they are not. In numbers:

# %%
Markdown("\n".join(f"- **{name}**: {lesson.health_facts(runs[name], lines[name])}" for name in runs))

# %% [markdown]
# How to read them:
#
# | sign | healthy | collapsed to the mean | saturated | held up by a floor |
# |---|---|---|---|---|
# | loss against the constant predictor | far below | on the line | on the line | clearly below |
# | loss against its floor | near it (0) | far above | far above | near it |
# | outputs differ between images | yes | no | no | yes |
# | hidden units stuck | few | few | nearly all | few |
#
# Collapse and saturation look alike in the loss; the hidden layer tells them apart. Their *repairs* differ too: here
# the collapsed run has the wrong shapes, the saturated one needs another start or a normalised hidden layer.

# %%
quiz.predict(
    "A colleague's ten-class loss has stood at 1.47 for twenty epochs. She applied softmax in the model and uses "
    "nn.CrossEntropyLoss. What do you say?",
    options=["It is not learning; lower the learning rate", "It is nearly perfect; look at the accuracy",
             "It is at the constant predictor"],
    answer="It is nearly perfect; look at the accuracy",
    reading="Softmax twice cannot get below $\\log(1+9/e)=1.4612$ with ten classes. 1.47 is almost there. "
    "The constant predictor would be at 2.30.",
)  # fmt: skip

# %% [markdown]
# The floor follows from one thought: the second softmax receives at best a 1 and nine 0s.

# %%
best = torch.eye(10)[:1]
floor = nn.CrossEntropyLoss()(best, torch.tensor([0])).item()
assert math.isclose(floor, math.log(1 + 9 / math.e), rel_tol=1e-6)
print(f"{floor:.4f}")

# %% [markdown]
# **Exercise 2.** In 2021 somebody reported for a research model with four classes that its validation loss "quickly
# gets stuck around 1.0". The cause was this same mistake. Which value could it never have got below?

# %%
my_floor = ...

# %% tags=["solution"]
my_floor = math.log(1 + 3 / math.e)

# %% [markdown]
# Four digits are precise enough:

# %%
quiz.check(
    my_floor,
    expected=math.log(1 + 3 / math.e),
    tolerance=5e-4,
    mistakes={math.log(1 + 4 / math.e): "Of four classes three are wrong: count only those.",
              math.log(4): "That is where it starts, not where it ends."},
    hint="Replace the nine wrong classes of the formula above.",
)  # fmt: skip

# %% [markdown]
# ## A ritual in four steps
#
# When a model will not learn, do not change settings at random. Do these four things, in this order; each takes a
# minute and rules out one family of causes. Our patient has the ten-sigmoid pairing that failed in document 000:
# sigmoid outputs, `nn.BCELoss`, one-hot targets. To be quick it is the small `lm.TinyCNN`, on images of half the size,
# with a learning rate of 0.01. It fails in the same way.

# %%
generator = torch.Generator().manual_seed(0)
model = lm.TinyCNN(10, activation="sigmoid", hidden="sigmoid", generator=generator)
images = splits.train.images[:32]
targets = F.one_hot(splits.train.digits[:32], 10).float()
loss_fn = nn.BCELoss()

# %% [markdown]
# ### Step 1: predict the first loss
#
# A fresh network emits logits near 0, so you know its first loss *before* you run it: log 2 = 0.6931 for BCE, log K
# for cross-entropy, the targets' mean square for MSE. If the first value is far off, something is wrong already:
# the scale of the inputs, a second activation, the shapes.

# %%
first = loss_fn(model(images), targets).item()
assert abs(first - math.log(2)) < 0.1
print(f"expected {math.log(2):.4f}, got {first:.4f}")

# %% [markdown]
# As expected: nothing is wrong with how loss and outputs are wired.
#
# ### Step 2: learn 32 images by heart
#
# Even a network with 6,218 weights should memorise 32 images with ease. If it cannot, the fault is not in the data, and
# more data will not help. We try it with our patient and, beside it, with the usual ten-class network.

# %%
classes = splits.train.digits[:32]
usual = lm.TinyCNN(10, generator=torch.Generator().manual_seed(0))
curves = {
    "sigmoid + BCELoss": lesson.overfit(model, loss_fn, images, targets, lr=0.01),
    "logits + CrossEntropyLoss": lesson.overfit(usual, nn.CrossEntropyLoss(), images, classes, lr=0.01),
}

# %% [markdown]
# Now the picture, with the constant predictor of these very 32 images:

# %%
batch_rates = F.one_hot(classes, 10).double().mean(dim=0).clamp(1e-9, 1 - 1e-9)  # a digit may be missing
constant = -(batch_rates * batch_rates.log() + (1 - batch_rates) * (1 - batch_rates).log()).mean().item()
ends = "; ".join(f"{name} ends at {losses[-1]:.4f}" for name, losses in curves.items())
look = {"xlabel": "step on the same 32 images", "ylabel": "loss", "ylim": (0, None)}
levels, each = {f"constant predictor, BCE {constant:.4f}": constant}, {name: [curve] for name, curve in curves.items()}
alt = f"Loss while 32 images are learned by heart: {ends}."
show(curves_figure(each, alt, x=range(201), levels=levels, every=25, **look))

# %% [markdown]
# Both networks saw the same 32 images two hundred times. The usual one goes down to almost nothing. The other falls
# quickly at first and then stays close to the red dashed line, the constant predictor. Its numbers:

# %%
last = curves["sigmoid + BCELoss"][-1]
Markdown(f"After 200 steps BCE is {last:.4f}; the constant predictor of these 32 images is at {constant:.4f}. "
         f"The usual network's cross-entropy is {curves['logits + CrossEntropyLoss'][-1]:.4f}.")  # fmt: skip

# %% [markdown]
# ### Step 3: compare with the base rate
#
# The loss did fall at first, from the loss of "one half for everything" to that of "one tenth for everything". Such a
# log looks like learning, but the network ignores its input. So when a loss falls, compute how much of the fall the
# base rate explains:

# %%
progress = first - last
lazy_part = first - constant
print(f"{lazy_part / progress:.0%} of the fall is the base rate alone")

# %% [markdown]
# ### Step 4: look at the hidden layer
#
# Step 3 says *what* happened. Where is the input lost? We train one epoch and look at the 32 hidden units: a sigmoid
# that stays at the same flat end for all images passes nothing forward and nothing back.

# %%
pairing = lm.Pairing("multiclass", loss="bce", activation="sigmoid")
run = lm.fit(pairing, splits, max_epochs=1, device=device, network=lm.TinyCNN)
hidden = run.model.hidden_units(splits.valid.images[:256].to(run.device)).detach()
print(f"{lesson.stuck_units(hidden):.0%} of the units are stuck after one epoch")

# %% [markdown]
# Here is the cause. At the start all ten outputs are too large, for every image. So most images push a hidden unit in
# the same direction. The optimiser takes full steps that way, and the units run into their flat ends, some up and some
# down:

# %%
fresh = lm.TinyCNN(10, "sigmoid", generator=torch.Generator().manual_seed(0))
units = fresh.hidden_units(splits.train.images[:256]).detach().requires_grad_()
one_hot = F.one_hot(splits.train.digits[:256], 10).float()
F.binary_cross_entropy(fresh.activation(fresh.out(units)), one_hot).backward()
up = (units.grad < 0).float().mean(dim=0)  # the share of images that push a unit up
agreeing = torch.maximum(up, 1 - up).mean()
print(f"on average {agreeing:.0%} of the images agree about a unit; {(up > 0.5).float().mean():.0%} of the units go up")
assert agreeing > 0.75

# %% [markdown]
# [Notebook 11](11_multi_class.ipynb) explains and cures this.
#
# You can train any of the four patients yourself. Two epochs are enough to tell run 4 from run 3:

# %%
for name in ("Run 3", "Run 4"):
    records = lesson.train_run(name, splits, device, epochs=2)
    print(name, lesson.health_facts(records, lesson.references(name, splits)))

# %% [markdown]
# ## The doctor
#
# The ritual takes minutes and needs training. Many misfits can be seen *without* training, from one batch: what the
# model emits, what the loss expects, what the targets look like, where gradients go. `lm.diagnose` checks all this. It
# works on any PyTorch model and changes nothing in it.

# %%
twice = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(dim=1))
lm.diagnose(twice, nn.CrossEntropyLoss(), images, classes)

# %% [markdown]
# A finding is an **error** (the training cannot work), a **warning** (it will suffer) or an **info**. It says what is
# wrong and why, and gives the corrected line. Apply the fix and ask again:

# %%
twice[2] = nn.Identity()
report = lm.diagnose(twice, nn.CrossEntropyLoss(), images, classes)
assert report.ok
report

# %% [markdown]
# An untrained network is no better than the constant predictor, as one expects. The doctor reports this only when the
# weights have moved.
#
# How can it know? A sigmoid's outputs may be *the same numbers* as logits that happen to lie between 0 and 1. But each
# tensor remembers the operation that made it, and the doctor follows that trail.

# %%
a, b = torch.tensor([[0.2, 0.9]], requires_grad=True), torch.tensor([[-1.0, 2.0]], requires_grad=True)
logits, probabilities = a * 1, torch.sigmoid(b)
assert probabilities.flatten().grad_fn.next_functions[0][0].name().startswith("Sigmoid")
print(logits.grad_fn.name(), probabilities.grad_fn.name())

# %% [markdown]
# It also looks at hidden units. Our trained patient from step 4, examined with a batch of its own training images:

# %%
patient = run.model.cpu()
found = lm.diagnose(patient, nn.BCELoss(), images, targets)
assert found.codes[0] == "saturated_units"
found

# %% [markdown]
# This finding needs a trained network, but a single batch is enough to see it.
#
# ### Your own model
#
# Put your own model, loss and one batch here. In a terminal, type `python -m lm_utils doctor my_module:my_function`;
# your function returns model, loss, inputs and targets. The exit code is 1 where there is an error.

# %%
my_model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))
my_loss = nn.MSELoss()
my_inputs, my_targets = images, splits.train.digits[:32].float()
lm.diagnose(my_model, my_loss, my_inputs, my_targets)

# %% [markdown]
# This is what was wrong with run 1: 32 outputs in a column against 32 targets in a row give a table of 32 × 32
# differences.
#
# **Exercise 3.** Follow the doctor's fix. Which shape must `my_targets` have?

# %%
my_shape = ...

# %% tags=["solution"]
my_shape = (32, 1)

# %% [markdown]
# Give it as a tuple, such as `(32,)`:

# %%
quiz.check(
    my_shape,
    expected=(32, 1),
    mistakes={(32,): "That is the shape they have now.", (1, 32): "One row of 32 is stretched just the same."},
    hint="The same shape as the outputs: my_model(my_inputs).shape.",
)

# %% [markdown]
# ## Bugs of the past
#
# None of this is made up. Each line below is a public thread about the mistake in a public project. We rebuilt each in
# a few lines and asked the doctor.

# %%
codes = [case.report().findings[0].code for case in PAST_BUGS]
assert codes == [case.expected for case in PAST_BUGS]
bugs = pd.DataFrame({"what happened": [case.name for case in PAST_BUGS], "doctor": codes},
                    index=[case.source for case in PAST_BUGS])  # fmt: skip
bugs.style.set_properties(**{"text-align": "left"})

# %% [markdown]
# Nearly all are softmax before cross-entropy. Nobody saw an error message: all but the last of these models *learnt*,
# only more slowly, or with a loss that nobody could read. That is why this mistake is so hard to find.
#
# ## How often is the doctor wrong?
#
# People switch off an alarm that rings without a reason. So the doctor is tested on set-ups that are right
# (torchvision's classifiers, segmentation, soft targets, distillation, half precision …) and on set-ups that are wrong.
# *named* counts the wrong ones whose cause it names; *silent* counts only those on which PyTorch itself says nothing.
# *alarms* and *warnings* count the right ones that it objects to. *First* is what it said when it saw a set for the
# first time, *now* what it says since its misses were mended. All counts come from stored runs:

# %%
def exam(when):
    """Return one row a set: how many causes the doctor named, and how many right set-ups it objected to."""
    stored = json.loads((RESULTS / "doctor" / f"{when}.json").read_text(encoding="utf-8"))["sets"]
    counts = pd.DataFrame({name: run["counts"] for name, run in stored.items()}).T
    of = lambda part, whole: counts[part].astype(str) + " of " + counts[whole].astype(str)  # noqa: E731
    return pd.DataFrame({"named": of("named", "wrong"), "silent": of("silent named", "silent"),
                         "alarms": of("alarms", "right"),
                         "warnings": of("warnings", "right")}).replace("0 of 0", "none")  # fmt: skip


pd.concat({"first": exam("first_seen"), "now": exam("now")}, axis=1)

# %% [markdown]
# Keep two limits in mind. A set that was mended for says little, and the first row was known when the doctor was built.
# What counts is the column *first*, most of all in the twenty-second set for wrong set-ups and in the last two for
# right ones: nobody who mended the doctor had seen these ([the whole score](../docs/doctor-score.md)). The other limit
# is the doctor's subject. It judges the *fit* of model, loss and targets, and does not look for wrong labels, a wrong
# learning rate or too few data. With a loss of your own it watches the operations, and says that it does not know what
# the loss demands:


# %%
def my_own_loss(outputs, targets):
    return torch.log(torch.cosh(outputs - targets)).mean()


unknown = lm.diagnose(my_model, my_own_loss, my_inputs, my_targets.unsqueeze(1))
assert unknown.codes == ["unknown_loss"]

# %% [markdown]
# ## Summary
#
# - A loss value means nothing by itself. Read it against two lines: the **constant predictor** above, the **floor**
#   below.
# - On the constant predictor's line nothing was learnt, however small the number. On the floor nothing is left to
#   learn, however large it is.
# - Collapsed and saturated runs look alike in the loss; look at the outputs' spread and at the hidden layer.
# - The ritual: predict the first loss, learn 32 images by heart, compare with the base rate, look at the hidden layer.
# - `lm.diagnose(model, loss_fn, inputs, targets)` sees most misfits before any training.
#
# **Next:** [14 Playground](14_playground.ipynb), where you can make all these mistakes on purpose and watch.
