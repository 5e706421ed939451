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
# # 05 Matching the loss to the task: every argument, looked at
#
# After this notebook you can
#
# - say what a confident mistake costs under cross-entropy, squared and absolute error, and how hard each pulls back;
# - tell which of these losses reward an honest probability, and which rewards bluffing;
# - say where the competition between classes really comes from;
# - name the price of a loss that never forgives: wrong labels.
#
# **Time:** {time}
#
# **Covers:** document 000, sections 1-1, 1-2, 1-3 and 1-4
#
# **Before this one:** [04 Output activations](04_output_activations.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools, and the images and device in use.

# %%
import torch
from IPython.display import Markdown
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.lessons import matching_loss_to_task as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# Document 000 gives a reason for every loss it recommends. Some of these reasons are exactly right; others describe a
# real effect, but name the wrong cause. A reason that you can *see* stays in mind, so this notebook turns each of them
# into controls and a picture.
#
# ## 1. The price of a confident mistake (section 1-1)
#
# The document's example: an image **is** curved, and the network gives that a probability of 0.01. The document says
# that cross-entropy charges a large penalty for such an answer, and that squared and absolute error have no such
# mechanism.

# %%
quiz.predict(
    "The truth got p = 0.01. How much harder does binary cross-entropy pull on the network's raw output (the logit) "
    "than squared error does?",
    options=["about twice", "about 50 times", "about 5,000 times"],
    answer="about 50 times",
    reading="By the logit, cross-entropy's slope is p - 1 = -0.99. Squared error's is that times 2p(1-p), which is "
    "nearly nothing when p is close to 0: the sigmoid is flat there.",
)

# %% [markdown]
# Slide p, the probability given to what is true. The table holds the exact values, computed by autograd; the marks sit
# on the curves (the steepest slope by p is beyond the frame, so its mark stands at the edge). Compare the left ends of
# the three pictures: the loss, its slope by p, and its slope by the logit, which is what the network gets to feel.

# %%
lesson.penalty_lab()

# %% [markdown]
# On the left, cross-entropy climbs without end towards p = 0 while the other two stop at 1. On the right, near p = 0,
# cross-entropy still pulls with full strength, and the two others hardly pull at all: *the worse the mistake, the
# weaker their pull*. So the document is right. But the size of the penalty is not what counts, because training never
# feels a loss, only its slope. What counts is the slope by the logit.

# %%
wrong = {name: lesson.penalty(name, 0.01) for name in lesson.LOSSES}
assert abs(wrong["BCE"]["by logit"] + 0.99) < 1e-9
assert abs(wrong["MSE"]["by logit"] + 2 * 0.99 * 0.01 * 0.99) < 1e-9
assert abs(wrong["MAE"]["by logit"] + 0.01 * 0.99) < 1e-9

# %% [markdown]
# What does that mean for training? Let gradient descent walk one logit out of the same mistake, once per loss.

# %%
show(lesson.escape_figure(0.01))

# %% [markdown]
# The horizontal axis is logarithmic, the legend counts the steps. Cross-entropy is out after a few steps. Squared error
# lingers on the flat part for tens of steps, and absolute error even longer. In notebook 02 the same thing happens to a
# whole neuron.
#
# **Exercise 1.** How many times harder does cross-entropy pull on the logit than squared error when p = 0.001?
# (Divide one slope by the other: what cancels?)

# %%
times_harder = ...

# %% tags=["solution"]
times_harder = 1 / (2 * 0.001 * 0.999)

# %% [markdown]
# An answer within one per cent counts.

# %%
quiz.check(
    times_harder,
    expected=1 / (2 * 0.001 * 0.999),
    tolerance=5,
    mistakes=[
        (1 / (0.001 * 0.999), "That is against absolute error; squared error brings a factor 2."),
        (50.5, "That is the factor at p = 0.01; the question has p = 0.001."),
    ],
    hint="The slopes are (1 - p) and 2 (1 - p) p (1 - p).",
)

# %% [markdown]
# ## 2. Is squared error wrong because outputs lie between 0 and 1? (section 1-1 again)
#
# The document also says: a probability lies between 0 and 1, which makes this *essentially* different from
# regression, and so squared error is unsuitable. Let us test this reason on its own. A loss suits probabilities if
# telling the truth is the cheapest thing to do. Suppose an event happens in 70 of 100 cases.

# %%
quiz.predict(
    "Which of these losses is lowest, on average, for someone who says 0.7?",
    options=["cross-entropy alone", "cross-entropy and squared error", "all three"],
    answer="cross-entropy and squared error",
    reading="Both are 'proper' scores: honesty is their cheapest answer. Absolute error is cheapest at 0 or 1.",
)

# %% [markdown]
# Choose how often the event happens; each panel marks the answer with the lowest expected loss, and the dotted line
# is the truth.

# %%
lesson.proper_lab()

# %% [markdown]
# Cross-entropy and squared error have their lowest point on the dotted line, wherever you put it. Absolute error has
# its lowest point at the edge: as soon as the event is more likely than not, it pays to say "certainly". Weather
# forecasters have scored probabilities by squared error since 1950, under the name *Brier score*.

# %%
for truth in (0.1, 0.3, 0.7, 0.9):
    assert abs(lesson.best_report("BCE", truth) - truth) < 1e-3
    assert abs(lesson.best_report("MSE", truth) - truth) < 1e-3
    assert min(lesson.best_report("MAE", truth), 1 - lesson.best_report("MAE", truth)) < 2e-3

# %% [markdown]
# So "unsuitable because outputs lie between 0 and 1" does not hold as it stands: squared error measures probabilities
# honestly. Absolute error does not. One objection to squared error remains, the one of part 1: its weak pull out of
# confident mistakes. When labels are nearly certain, as for clean digits, even absolute error aims at the right answer.
# That fits the document's own accuracies, which hardly differ (section 3-2; notebook 09 repeats them).
#
# **Exercise 2.** Write the expected squared error of saying `said` when the event happens with probability `truth`.


# %%
def expected_squared_error(said, truth):
    return ...


# %% tags=["solution"]
def expected_squared_error(said, truth):
    return truth * (1 - said) ** 2 + (1 - truth) * said**2


# %% [markdown]
# Two common slips get their own message.

# %%
quiz.check_function(
    expected_squared_error,
    reference=lambda said, truth: truth * (1 - said) ** 2 + (1 - truth) * said**2,
    cases=[(0.7, 0.7), (0.2, 0.9), (1.0, 0.3)],
    mistakes=[
        (lambda said, truth: (said - truth) ** 2, "The label is 0 or 1, never `truth` itself."),
        (lambda said, truth: truth * (1 - said) ** 2, "The event may also not happen: label 0."),
    ],
    hint="Add two cases, each weighted by how often it happens.",
)

# %% [markdown]
# ## 3. Two outputs for one question (section 1-2)
#
# Two classes, two outputs, softmax. The document advises against *binary* cross-entropy here: it treats the two
# probabilities as independent although they exclude each other, and so does not go with softmax.

# %%
quiz.predict(
    "Feed both softmax outputs into nn.BCELoss. How does the number compare with cross-entropy?",
    options=["it is larger", "it is exactly the same", "it is twice as large", "it is unrelated"],
    answer="it is exactly the same",
    reading="The second output is 1 minus the first, so the second column repeats the first one's term; the mean of "
    "two equal numbers is that number, and it is the cross-entropy.",
)

# %% [markdown]
# Here is the test, with random logits and random labels: the values agree, and so do the gradients.

# %%
draw = torch.Generator().manual_seed(0)
logits = torch.randn(1000, 2, generator=draw, dtype=torch.float64, requires_grad=True)
labels = torch.randint(2, (1000,), generator=draw)
both = F.binary_cross_entropy(logits.softmax(dim=1), F.one_hot(labels).double())
one = F.cross_entropy(logits, labels)
slopes = [torch.autograd.grad(loss, logits)[0] for loss in (both, one)]
assert torch.isclose(both, one) and torch.allclose(*slopes)

# %% [markdown]
# For two classes behind softmax, binary cross-entropy **is** cross-entropy. The document's reason sounds stronger than
# it is: once softmax has tied the two outputs together, they are not independent any more. (`F.cross_entropy` is still
# the better habit: it works on logits and cannot overflow, see notebook 06.) With more classes the two part ways:

# %%
wide = torch.randn(1000, 10, generator=draw, dtype=torch.float64)
tens = torch.randint(10, (1000,), generator=draw)
summed = 10 * F.binary_cross_entropy(wide.softmax(dim=1), F.one_hot(tens, 10).double())
assert summed > F.cross_entropy(wide, tens)

# %% [markdown]
# With ten classes, BCE also charges for every wrong class that gets some probability, on top of the cross-entropy.
# Both are cheapest at the true probabilities; they differ on the way there.
#
# Outputs really are independent when they are *sigmoids*: then nothing makes two of them sum to one. Does training take
# care of that? Try it, with two sigmoid outputs for "curved" and "not curved". The network is the small `lm.TinyCNN`,
# which trains in a second; the tables of the course are the documents' CNN's.

# %%
splits = lm.load_data(data, seed=0)
run = lm.fit(lm.Pairing("binary", "bce", "sigmoid"), splits, max_epochs=4, device=device, network=lm.TinyCNN)
sums = run.test_predictions.sum(dim=1)
Markdown(
    f"After {run.epochs} epochs on {splits.name}: the two outputs sum to **{sums.mean():.3f}** on average, from "
    f"{sums.min():.3f} to {sums.max():.3f}; accuracy {run.test_metric:.1%}."
)

# %% [markdown]
# Nothing forces the sums, and yet they come close to one: the two columns were trained on opposite labels, so the
# network learns the rule from the data. Exclusivity that is built in (softmax) is exact from the first step;
# exclusivity that is learnt is approximate. For two classes this makes little difference.
#
# ## 4. Where does competition between classes come from? (section 1-3)
#
# For ten classes the document says: cross-entropy takes into account that classes exclude each other, squared error has
# no such mechanism. Look at which class is pushed in which direction.

# %%
quiz.predict(
    "Four classes, sigmoid outputs, cross-entropy (minus the log of the true class's output). What does this loss ask "
    "of the logits of the three wrong classes?",
    options=["to go down", "nothing at all", "to go up"],
    answer="nothing at all",
    reading="Cross-entropy looks at the true class's probability and nowhere else. Without softmax, no one competes.",
)

# %% [markdown]
# Bars show the push on each class's logit; up means "say this more". Change the true class and the logits. Watch the
# sums in the legends.

# %%
lesson.pull_lab()

# %% [markdown]
# On the left, behind softmax, the pushes of **every** loss sum to zero, squared error included: what one class
# gains, others lose. On the right, behind sigmoids, the sums are not zero as a rule, and cross-entropy pushes one bar
# up and leaves all others alone.

# %%
scores = torch.tensor([0.5, 1.5, 0.0, -1.0])
for loss in ("CE", "BCE", "MSE"):
    assert abs(lesson.pull(loss, "softmax", scores, 0).sum()) < 1e-12
    assert abs(lesson.pull(loss, "sigmoid", scores, 0).sum()) > 0.1
assert (lesson.pull("CE", "sigmoid", scores, 0)[1:] == 0).all()

# %% [markdown]
# There is one exception. Where the four sigmoids are all 1/4, the pushes of BCE and MSE sum to zero, too. An output
# bias at the classes' shares starts a network there, which is the cure of [notebook 11](11_multi_class.ipynb).

# %%
at_the_shares = torch.full((4,), 0.25).logit()
for loss in ("BCE", "MSE"):
    assert abs(lesson.pull(loss, "sigmoid", at_the_shares, 0).sum()) < 1e-6

# %% [markdown]
# So the competition that the document credits to cross-entropy belongs to **softmax**. Classes compete just as well
# under squared error behind softmax. Under cross-entropy without softmax they do not compete at all, and the loss would
# be lowest if every output said 1. Once more, what squared error lacks is the strong pull: move logit 1 to 6 with class
# 0 true, and its bars on the left shrink to almost nothing although the answer could not be worse.
#
# ## 5. Several labels at once (section 1-4)
#
# Each label is a question of its own, so the document recommends binary cross-entropy per label: a steeper penalty
# for reversed answers, and outputs that can be read as probabilities. Parts 1 and 2 have shown what holds: the steep
# penalty is real, and squared error can be read as well. What matters more is the *activation*. Take a digit that is
# even and curved, but neither prime nor square, and let each loss find its favourite outputs, by gradient descent on
# four logits.

# %%
LOSSES = {"BCE": F.binary_cross_entropy, "MSE": F.mse_loss, "CE": lambda p, y: -(y * p.log()).sum()}
ACTIVATIONS = {"sigmoid": torch.sigmoid, "softmax": lambda z: torch.softmax(z, dim=0)}


def favourite_outputs(loss, activation, targets):
    z = torch.zeros_like(targets, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=0.5)
    for _ in range(400):
        optimizer.zero_grad()
        LOSSES[loss](ACTIVATIONS[activation](z), targets).backward()
        optimizer.step()
    return ACTIVATIONS[activation](z).detach()


labels = torch.tensor([1.0, 1.0, 0.0, 0.0])
best = {(loss, act): favourite_outputs(loss, act, labels) for loss in ("BCE", "MSE") for act in ACTIVATIONS}
lines = [f"| {loss} | {act} | {' '.join(f'{p:.2f}' for p in row)} |" for (loss, act), row in best.items()]
Markdown("\n".join(["| loss | activation | best outputs for 1 1 0 0 |", "|---|---|---|", *lines]))

# %% [markdown]
# With sigmoids, both losses can say "yes, yes, no, no". With softmax, both end at one half each, and one half is
# exactly where a no turns into a yes, so the smallest change decides. Another loss does not help, not even
# cross-entropy:

# %%
shared = favourite_outputs("CE", "softmax", labels)
assert torch.allclose(shared[:2], torch.full((2,), 0.5), atol=1e-3)
assert all(torch.allclose(best[loss, "softmax"][:2], shared[:2], atol=1e-3) for loss in ("BCE", "MSE"))
assert all((best[loss, "sigmoid"] - labels).abs().max() < 0.01 for loss in ("BCE", "MSE"))

# %% [markdown]
# Notebook 12 shows what this does to a trained network, and how to repair it without training again.
#
# ## 6. The price of never forgiving
#
# A loss that pulls hardest at confident mistakes has a weak spot. What happens when the *label* is the mistake?

# %%
quiz.predict(
    "Three of forty labels are wrong, far from the boundary. Which loss moves the boundary most?",
    options=["cross-entropy", "squared error", "absolute error"],
    answer="cross-entropy",
    reading="A wrong label far out looks like a very confident mistake, and cross-entropy pulls on it with all its "
    "might; squared and absolute error have given it up.",
)

# %% [markdown]
# Each curve is the best logistic curve for one loss. Choose how many labels are wrong.

# %%
lesson.noise_lab()

# %% [markdown]
# Without wrong labels all three find the boundary at 0. With some, cross-entropy's boundary wanders to the right and
# its curve flattens, while the others stand still. The very property that part 1 praised is the one that hurts here. No
# loss is "the right one" for both cases: clean labels reward a strong pull, wrong ones punish it. (These wrong labels
# lie far out. [Notebook 16](16_on_new_data.ipynb), part 7, measures what happens to trained networks when labels are
# wrong anywhere.)

# %%
moved = {name: lesson.fit_line(*lesson.noisy_line(3), name) for name in lesson.LOSSES}
shift = {name: abs(bias / weight) for name, (weight, bias) in moved.items()}
assert shift["BCE"] > 10 * max(shift["MSE"], shift["MAE"])

# %% [markdown]
# ## Summary
#
# | what document 000 says | what we saw |
# |---|---|
# | 1-1: only cross-entropy punishes reversed answers hard | true; its slope by the logit is what counts |
# | 1-1: squared error does not suit outputs in 0..1 | its cheapest answer is the true probability; MAE's is not |
# | 1-2: BCE takes two exclusive outputs for independent | not behind softmax, where it equals cross-entropy |
# | 1-3: cross-entropy makes classes compete, MSE does not | the competition is softmax's, for every loss |
# | 1-4: binary cross-entropy for labels | a good choice; the sigmoid matters more |
#
# - A good reason for cross-entropy: it never stops pulling on a confident mistake.
# - A good reason for squared error: it forgives wrong labels far out.
# - The activation decides what can be said and who competes; the loss decides how hard mistakes pull.
#
# Next: the three functions of PyTorch that carry these losses, and what happens when an activation is applied
# twice: [06 BCE and logits](06_bce_and_logits.ipynb).
