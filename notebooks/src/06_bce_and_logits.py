# %% [markdown]
# # 06 BCE and logits
#
# After this notebook you can …
#
# - say what a logit is, and which of PyTorch's three cross-entropies wants logits and which probabilities,
# - recognise a network whose activation was applied twice from **one number** in its log,
# - explain why the fused losses survive extreme logits and the separate ones do not,
# - use every parameter of these losses, and predict what each does to the number you see.
#
# **Time:** {time}
#
# **Covers:** document 000 §1-5; document 004 (all of it).
#
# **Before:** [05 Matching the loss to the task](05_matching_loss_to_task.ipynb).

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools of this notebook, and what it runs on:

# %%
import math
import timeit
import warnings

import pandas as pd
import torch
from torch import nn

from lm_utils.lessons import bce_and_logits as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner

banner(data, device)

# %% [markdown]
# ## Three losses, one number
#
# PyTorch offers three cross-entropies. They differ in the input that they expect.
#
# | loss | input | activation inside | target |
# |---|---|---|---|
# | `nn.BCELoss` | probabilities | none | numbers from 0 to 1, shape of the input |
# | `nn.BCEWithLogitsLoss` | logits | sigmoid | the same |
# | `nn.CrossEntropyLoss` | logits | softmax | class indices, or probabilities per class |
#
# For a yes-or-no question, all three can give the same number. Three logits, three answers:

# %%
z = torch.tensor([2.0, -1.0, 0.5])
y = torch.tensor([1.0, 0.0, 0.0])
on_probabilities = nn.BCELoss()(torch.sigmoid(z), y)
on_logits = nn.BCEWithLogitsLoss()(z, y)

# %% [markdown]
# For the third, the one logit $z$ becomes two: 0 for "no" and $z$ for "yes". Softmax then gives "yes" the
# probability $e^z/(e^0+e^z)$, which *is* the sigmoid of $z$.

# %%
two_logits = torch.stack([torch.zeros(3), z], dim=1)
on_two = nn.CrossEntropyLoss()(two_logits, y.long())
assert torch.isclose(on_probabilities, on_logits) and torch.isclose(on_logits, on_two)
print(f"{on_probabilities:.6f}, {on_logits:.6f}, {on_two:.6f}")

# %% [markdown]
# Used right, they agree. So the choice between them depends on two things only: what your network emits, and what
# happens when numbers get extreme. Document 000 §1-5 explains the first point well, and warns about the classic
# mistake: never send outputs that went through a sigmoid into the "WithLogits" loss.
#
# ## What a logit is, and is not
#
# Document 004 calls $z$ a *log-probability*. It is the logarithm of the **odds**:
#
# $$z = \log\frac{p}{1-p}, \qquad p=\sigma(z)=\frac{1}{1+e^{-z}} .$$
#
# A log-probability is never above 0, a logit can be anything.

# %%
p = torch.tensor(0.8)
logit, log_probability = torch.log(p / (1 - p)), torch.log(p)
assert torch.isclose(torch.sigmoid(logit), p) and torch.exp(logit) > 1
assert not torch.isclose(torch.sigmoid(log_probability), p, atol=0.1)
print(f"p = 0.8: logit {logit:.4f} (odds {logit.exp():.0f} to 1), log-probability {log_probability:.4f}")

# %% [markdown]
# The mix-up may come from softmax. Softmax does not notice when the same number is added to all logits, so
# log-probabilities are one valid set of logits among many, and `CrossEntropyLoss` accepts them. The sigmoid is less
# forgiving.

# %%
three = torch.tensor([[2.0, 0.0, -1.0]])
log_p = torch.log_softmax(three, dim=1)
index = torch.tensor([0])
assert torch.isclose(nn.CrossEntropyLoss()(three, index), nn.CrossEntropyLoss()(log_p, index))
assert torch.isclose(nn.CrossEntropyLoss()(three + 7, index), nn.CrossEntropyLoss()(three, index))

# %% [markdown]
# **Exercise 1.** A network should say "90 % yes". Which logit must its last layer emit?

# %%
my_logit = ...

# %% tags=["solution"]
my_logit = math.log(0.9 / 0.1)

# %% [markdown]
# Two decimals are enough.

# %%
quiz.check(
    my_logit,
    expected=math.log(9),
    tolerance=0.01,
    mistakes={-0.105: "That is log(0.9), the log-probability.", 9: "These are the odds; take their logarithm."},
    hint="The odds are 0.9 to 0.1.",
)

# %% [markdown]
# ### The minus sign
#
# Document 004 explains the minus in front of the formula: below $p=0.5$ the logarithm would be negative. It is
# negative **everywhere** below 1; the sign is needed for every prediction, good or bad. So for $y=1$ the loss is
# $-\log p$, and not $\log p$ as the document writes there.

# %%
p = torch.linspace(0.001, 0.999, 999)
assert (torch.log(p) < 0).all()
assert torch.allclose(nn.BCELoss(reduction="none")(p, torch.ones(999)), -torch.log(p))  # the true answer is yes
print(f"log 0.3 = {math.log(0.3):.3f}, log 0.5 = {math.log(0.5):.3f}, log 0.9 = {math.log(0.9):.3f}")

# %% [markdown]
# Only one thing is special about 0.5: $-\log 0.5 = \log 2 \approx 0.693$ is the loss of a coin toss.
#
# ## Probabilities where logits belong
#
# Document 004 writes that `CrossEntropyLoss` takes, as input, a probability for each label. Probabilities are welcome
# as its **targets**. Its **input** goes through softmax, even if it is a probability already.

# %%
quiz.predict(
    "Ten classes. A perfect network emits exactly 1 for the true class and 0 for all others, already through "
    "softmax. What does nn.CrossEntropyLoss say?",
    options=["0", "an error", "about 0.1", "about 1.46"],
    answer="about 1.46",
    reading="It takes the ones and zeros for logits. Softmax of (1, 0, …, 0) gives the true class only e/(e+9) = 23 %.",
)

# %% [markdown]
# The rows of a unit matrix are such outputs, one perfect answer for each class.

# %%
labels = torch.arange(10)
perfect = torch.eye(10)
loss = nn.CrossEntropyLoss()(perfect, labels)
assert torch.isclose(loss, torch.tensor(math.log(1 + 9 / math.e)))
print(f"loss {loss:.4f}, accuracy {(perfect.argmax(dim=1) == labels).float().mean():.0%}")

# %% [markdown]
# There is no error and no warning, only this loss for a network that is never wrong. It is a **floor**: softmax of
# $(1,0,\dots,0)$ gives the true class $e/(e+K-1)$, and minus its logarithm is
#
# $$\text{floor}(K)=\log\Bigl(1+\frac{K-1}{e}\Bigr).$$
#
# No training gets below it. Choose the number of classes (arrow keys work) and watch where each curve starts and where
# it ends.

# %%
lesson.floors_lab()

# %% [markdown]
# Left: fed with logits, the loss falls to zero as the true class pulls ahead. Fed with probabilities it ends on its
# floor and never gets to zero, however sure the network becomes. The lowest curve is not the best one. It has a sigmoid
# after the softmax, and nearly all of its value is the $\log 2$ that every wrong class costs, however small its
# probability gets. Right: start and floor of the double softmax run side by side. All that training can gain lies
# between them, and that is less than 1, with ten classes or with ten million:

# %%
gains = [math.log(K) - lesson.double_softmax_floor(K) for K in (2, 10, 1000, 10**7)]
assert max(gains) < 1
print("from start to floor:", ", ".join(f"{gain:.3f}" for gain in gains))

# %% [markdown]
# So two popular readings of a log are wrong: *"1.46 means it has not learnt"* and *"near 0.66 means it is good"*.
# A loss value means nothing without its floor and its start.
#
# The floor is not the only price. With one softmax the slope of the logits is prediction minus target, strong for a
# confident mistake (notebooks 02 and 03). With a second softmax nothing cancels: the slope of the first one stays in
# the product, and where the first one is flat, little of the gradient arrives. Ten logits, a lead of 8 for class 3, the
# truth is class 0:

# %%
logits = torch.tensor([[0.0, 0, 0, 8, 0, 0, 0, 0, 0, 0]], requires_grad=True)
once, twice = (
    torch.autograd.grad(nn.CrossEntropyLoss()(fed, torch.tensor([0])), logits)[0][0, 0].item()
    for fed in (logits, torch.softmax(logits, dim=1))
)
assert once < -0.99 and abs(twice) < 0.01
print(f"slope by the true class's logit: softmax once {once:.4f}, twice {twice:.4f}")

# %% [markdown]
# Notebook 11 measures what this does to training and to accuracy.
#
# **Exercise 2.** Write the floor for $K$ classes as a function. (Then use it: a colleague's loss is "stuck near 0.74".
# How many classes would explain that?)


# %%
def floor(K):
    return ...


# %% tags=["solution"]
def floor(K):
    return math.log(1 + (K - 1) / math.e)  # 0.74 is K = 4


# %% [markdown]
# Your function is tried with three values of $K$.


# %%
quiz.check_function(
    floor,
    lambda K: math.log(1 + (K - 1) / math.e),
    cases=[(2,), (4,), (10,)],
    mistakes=[
        (lambda K: math.log(K), "That is the start: all classes equally likely."),
        (lambda K: math.log(1 + K / math.e), "The true class itself is not among the others: K − 1 of them."),
        (lambda K: math.log(1 + (K - 1) * math.e), "The others have logit 0 and the true class 1, not vice versa."),
    ],
    hint="The true class gets e/(e + K − 1).",
)

# %% [markdown]
# ### Sigmoid twice
#
# The same mistake with one output: a probability between 0 and 1, taken for a logit, becomes something between 0.5 and
# 0.73. The network cannot say no at all, and a "no" can never cost less than $\log 2$.

# %%
certain = torch.tensor([1.0, 0.0])  # sigmoid outputs of a perfect network
twice = nn.BCEWithLogitsLoss(reduction="none")(certain, certain)
assert torch.allclose(twice, torch.tensor([math.log(1 + 1 / math.e), math.log(2)]))
print(f"a perfect yes costs {twice[0]:.4f}, a perfect no {twice[1]:.4f}, their mean {twice.mean():.4f}")

# %% [markdown]
# ## BCELoss after a softmax?
#
# Document 004 recommends `BCELoss` when the last layer is a sigmoid *or a softmax*. Technically it accepts any
# numbers from 0 to 1. What comes out depends on the task. With **two** exclusive classes the document is right:
# the second probability is one minus the first, both terms say the same, and the mean equals cross-entropy.

# %%
pair, which = torch.tensor([[1.5, -0.5], [0.2, 0.9]]), torch.tensor([0, 0])
one_hot = nn.functional.one_hot(which, 2).float()
by_bce = nn.BCELoss()(torch.softmax(pair, dim=1), one_hot)
assert torch.isclose(by_bce, nn.CrossEntropyLoss()(pair, which))

# %% [markdown]
# With more classes it is another loss: averaged over $K$ outputs, and with extra terms for the wrong classes.

# %%
five, which = torch.tensor([[2.0, 1.0, 0.0, -1.0, 0.5]]), torch.tensor([1])
as_bce = nn.BCELoss()(torch.softmax(five, dim=1), nn.functional.one_hot(which, 5).float())
as_ce = nn.CrossEntropyLoss()(five, which)
assert not torch.isclose(as_bce, as_ce, rtol=0.5)
print(f"five classes: BCELoss after softmax {as_bce:.4f}, cross-entropy {as_ce:.4f}")

# %% [markdown]
# And with **labels** that may be true together, softmax makes the task impossible: its outputs share a sum of
# one, so two true labels of four can at best get one half each.

# %%
two_of_four = torch.tensor([1.0, 1.0, 0.0, 0.0])
best_softmax = torch.softmax(torch.tensor([50.0, 50.0, -50.0, -50.0]), dim=0)
best_sigmoid = torch.sigmoid(torch.tensor([50.0, 50.0, -50.0, -50.0]))
floors = [nn.BCELoss()(out, two_of_four) for out in (best_softmax, best_sigmoid)]
assert torch.isclose(floors[0], torch.tensor(math.log(2) / 2)) and floors[1] < 1e-6

# %% [markdown]
# So `BCELoss` belongs behind a sigmoid, and never behind anything that can leave $[0,1]$. There it refuses. On the CPU
# it raises an error that can be caught; on a GPU the same check makes the GPU useless to the whole process until it is
# restarted, so we do not show it there.

# %%
try:
    nn.BCELoss()(torch.tensor([1.2]), torch.tensor([1.0]))
except RuntimeError as error:
    message = str(error)
assert "between 0 and 1" in message

# %% [markdown]
# ## Where numbers run out
#
# A float32 cannot hold every number below 1. From a logit of about 17 on, the sigmoid is *exactly* 1, and
# $\log(1-p)$ is the logarithm of zero.

# %%
assert torch.sigmoid(torch.tensor(16.0)) < 1
assert torch.sigmoid(torch.tensor(17.0)) == 1

# %% [markdown]
# `BCELoss` protects itself: it never lets a logarithm fall below −100.

# %%
quiz.predict(
    "The label is 0, the logit 20: a confident mistake with a true loss of 20.0. Sigmoid first, then nn.BCELoss, in "
    "float32. What loss and what gradient come out?",
    options=["20 and 1", "100 and 1", "100 and 0", "infinity and not a number"],
    answer="100 and 0",
    reading="The value stops at the clamp, and the gradient dies in the saturated sigmoid: p (1 − p) is exactly 0.",
)

# %% [markdown]
# Here is the same logit, computed both ways:

# %%
logit, no = torch.tensor(20.0, requires_grad=True), torch.tensor(0.0)
roads = {"separate": nn.BCELoss()(torch.sigmoid(logit), no), "fused": nn.BCEWithLogitsLoss()(logit, no)}
for name, loss in roads.items():
    (gradient,) = torch.autograd.grad(loss, logit)
    print(f"{name}: loss {loss.item():g}, gradient {gradient.item():g}")
assert roads["separate"] == 100 and (loss, gradient) == (20, 1)

# %% [markdown]
# The separate version reports an enormous loss and then does nothing about it. The fused one is right in both, because
# it never takes the logarithm of a rounded $p$ and never divides by $p(1-p)$; its gradient is simply $p-y$. Put
# $p=\sigma(z)$ into the formula and simplify before any number is rounded:
#
# $$-y\log\sigma(z)-(1-y)\log(1-\sigma(z)) \;=\; \max(z,0)-yz+\log\bigl(1+e^{-|z|}\bigr).$$
#
# The exponential on the right is never larger than 1, so nothing overflows.


# %%
def fused(z, y):
    return z.clamp_min(0) - y * z + torch.log1p(torch.exp(-z.abs()))


extreme = torch.tensor([-1000.0, -20.0, 0.3, 20.0, 1000.0])
assert torch.allclose(
    fused(extreme, torch.tensor(0.0)), nn.BCEWithLogitsLoss(reduction="none")(extreme, torch.zeros(5))
)

# %% [markdown]
# How early does the separate version go wrong? Below is a confident mistake of growing size in three number formats,
# each compared with the truth in float64. Choose the label, and whether you want to see the loss or its gradient.

# %%
lesson.extremes_lab()

# %% [markdown]
# Left, the fused loss has only the rounding error of each format, at every size. Right, the sigmoid is computed
# separately: for label 0 the error climbs until the sigmoid rounds to 1, then jumps. (The dip near 100 is an accident:
# there the true loss happens to equal the clamp.) For label 1 small probabilities
# are easier to hold, so the *loss* stays right much longer. Its *gradient* does not: switch and look.

# %%
yes, logit = torch.tensor(1.0), torch.tensor(-30.0, requires_grad=True)
loss = nn.BCELoss()(torch.sigmoid(logit), yes)
(gradient,) = torch.autograd.grad(loss, logit)
assert torch.isclose(loss, torch.tensor(30.0)) and abs(gradient) < 0.2
print(f"label 1, logit -30: loss {loss.item():.2f}, gradient {gradient.item():.3f} instead of -1")

# %% [markdown]
# The backward pass of `BCELoss` divides by $p(1-p)$, guarded by a tiny constant. Once $p$ is smaller than the
# guard, the gradient fades away. In float16 the guard itself rounds to 0, and training ends in "not a number":

# %%
half = torch.tensor(9.0, dtype=torch.float16, requires_grad=True)
nn.BCELoss()(torch.sigmoid(half), torch.zeros((), dtype=torch.float16)).backward()
assert half.grad.isnan()

# %% [markdown]
# ### And CrossEntropyLoss?
#
# Document 004 warns that `CrossEntropyLoss` may become unstable at very small probabilities because of its logarithm.
# The warning fits the separate version. The loss itself works on logits and never meets the logarithm of a vanished
# probability:

# %%
far, wrong = torch.tensor([[1000.0, 0.0]]), torch.tensor([1])
assert nn.CrossEntropyLoss()(far, wrong) == 1000
assert nn.NLLLoss()(torch.log(torch.softmax(far, dim=1)), wrong) == math.inf

# %% [markdown]
# (Its formula, by the way, is printed in document 004 without a division by $N$. That is `reduction="sum"`; the
# default divides.)
#
# ## Every parameter at work
#
# ### reduction, and two old names
#
# Three samples, three losses: kept apart, averaged, or added up.

# %%
z3, t3 = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), torch.tensor([0, 1, 1])
each = nn.CrossEntropyLoss(reduction="none")(z3, t3)
assert torch.isclose(nn.CrossEntropyLoss()(z3, t3), each.mean())
assert torch.isclose(nn.CrossEntropyLoss(reduction="sum")(z3, t3), each.sum())
print("none:", each.tolist())

# %% [markdown]
# `size_average` and `reduce` are the predecessors of `reduction`. They still work, with a warning. Document 004 sets
# "sum" equal to `reduce=False`. It is `size_average=False` that sums; `reduce=False` keeps the losses apart (as the
# document itself says a few lines earlier).

# %%
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    old = [nn.CrossEntropyLoss(size_average=value) for value in (True, False)]
    old.append(nn.CrossEntropyLoss(reduce=False))
assert [loss.reduction for loss in old] == ["mean", "sum", "none"]
assert len(said) == 3 and "please use reduction" in str(said[0].message)

# %% [markdown]
# ### weight
#
# One weight per class, for classes that are rare. Here comes a surprise.

# %%
quiz.predict(
    "You give every class the weight 10 instead of 1 and keep the default reduction. What happens to the value of "
    "nn.CrossEntropyLoss?",
    options=["ten times as large", "the same", "a tenth"],
    answer="the same",
    reading="With weights, 'mean' divides by the sum of the weights of the targets, not by the number of samples.",
)

# %% [markdown]
# The parameter `weight` exists in the binary losses too, where it multiplies single elements. Both in one cell:

# %%
tens = torch.tensor([10.0, 10.0])
assert torch.isclose(nn.CrossEntropyLoss(weight=tens)(z3, t3), nn.CrossEntropyLoss()(z3, t3))
assert torch.isclose(nn.BCEWithLogitsLoss(weight=tens[:1])(z, y), 10 * nn.BCEWithLogitsLoss()(z, y))

# %% [markdown]
# So with class indices the default of `CrossEntropyLoss` is a *weighted mean*, and only the **ratio** of the weights
# counts. The binary losses still divide by the number of elements, so there ten times the weight is ten times the loss.
#
# **Exercise 3.** Two samples: one of class 0 with loss 1.0, one of class 1 with loss 3.0. The classes weigh 1 and 3.
# What is `nn.CrossEntropyLoss(weight=w)` with the default reduction?

# %%
my_mean = ...

# %% tags=["solution"]
my_mean = (1 * 1.0 + 3 * 3.0) / (1 + 3)

# %% [markdown]
# If it says *not yet*, look at what the sum is divided by.

# %%
quiz.check(
    my_mean,
    expected=2.5,
    mistakes={5: "You divided by the number of samples; divide by the sum of the weights.", 10: "That is the sum.",
              2: "That is the mean without weights."},
)  # fmt: skip

# %% [markdown]
# ### pos_weight
#
# `BCEWithLogitsLoss` can weigh the "yes" side of each output. With one "yes" among ten, `pos_weight=9` makes both
# sides equally heavy. What does a network that knows nothing else then say? We look for the cheapest constant.

# %%
answers = torch.tensor([1.0] + [0.0] * 9)
constants = torch.linspace(-4, 4, 801)
for weight in (1.0, 9.0):
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight))
    best = min(constants, key=lambda c: loss(c.expand(10), answers))
    print(f"pos_weight {weight:g}: cheapest constant prediction p = {torch.sigmoid(best):.2f}")

# %% [markdown]
# The price is honesty: with the weight, the output is no longer the rate of "yes". It can still serve for decisions,
# but it is not a probability.

# %%
assert torch.isclose(torch.sigmoid(best), torch.tensor(0.5), atol=0.01)

# %% [markdown]
# ### ignore_index
#
# Targets with this index (−100, unless you say otherwise) count neither in the sum nor in the number of samples. As
# document 004 says, that is for padding: sentences of unequal length are filled up, and the filling must not count.
# Two traps: a batch in which *everything* is ignored gives "not a number", and it only works for class indices.

# %%
padded = torch.tensor([0, 1, -100])
assert torch.isclose(nn.CrossEntropyLoss()(z3, padded), nn.CrossEntropyLoss()(z3[:2], t3[:2]))
assert nn.CrossEntropyLoss()(z3, torch.full((3,), -100)).isnan()

# %% [markdown]
# ### Two forms of target, and label_smoothing
#
# Targets may be class indices `[N]`, or probabilities `[N, K]`. Without `weight`, a one-hot row says the same as an
# index. With it, the same weighted sum is divided by the number of samples for rows, and by the sum of the
# weights for indices.
# `label_smoothing=0.1` moves a tenth of each target evenly to all classes, and is nothing but a softer target.

# %%
hot = nn.functional.one_hot(t3, 2).float()
assert torch.isclose(nn.CrossEntropyLoss()(z3, hot), nn.CrossEntropyLoss()(z3, t3))
assert torch.isclose(nn.CrossEntropyLoss(weight=tens)(z3, hot), 10 * nn.CrossEntropyLoss(weight=tens)(z3, t3))
smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
assert torch.isclose(smooth(z3, t3), nn.CrossEntropyLoss()(z3, 0.9 * hot + 0.1 / 2))

# %% [markdown]
# A soft target has a floor as well: its own entropy. A network that hits it exactly cannot do better, and one that is
# more certain pays for it. So it does restrain confidence, as document 004 says; whether it also helps on new data,
# as the document hopes, depends on the data and is not measured here. (The first example of document 004 feeds
# `BCELoss` with such targets, random numbers between 0 and 1. That is allowed, and its loss can never reach zero.)

# %%
target = torch.tensor([[0.95, 0.05]])
entropy = -(target * target.log()).sum()
assert torch.isclose(smooth(target.log(), torch.tensor([0])), entropy)
assert smooth(torch.tensor([[20.0, 0.0]]), torch.tensor([0])) > entropy
print(f"with smoothing 0.1 and two classes the loss cannot fall below {entropy:.4f}")

# %% [markdown]
# Fortunately, PyTorch refuses wrong forms: indices as a column, indices as floats, an index too large, probabilities
# together with `ignore_index`.

# %%
plain, ignoring = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(ignore_index=1)
wrong = [(plain, t3[:, None]), (plain, t3.float()), (plain, torch.tensor([0, 1, 2])), (ignoring, hot)]
for loss, bad in wrong:
    try:
        loss(z3, bad)
        raise AssertionError("this target was accepted")
    except (RuntimeError, IndexError) as error:
        print(type(error).__name__, "-", error)

# %% [markdown]
# Stable does not mean exact. With logits 20 and 0 the true loss is about $2\cdot10^{-9}$; float32 has no number between
# 1 and $1 + 2\cdot10^{-9}$, so the loss and the gradient at the true class's logit are 0. (The other logit's gradient
# is right.) No training notices, but do not read such a 0 as a proof.

# %%
found = {}
for dtype in (torch.float32, torch.float64):
    logits = torch.tensor([[20.0, 0.0]], dtype=dtype, requires_grad=True)
    loss = nn.functional.cross_entropy(logits, torch.tensor([0]))
    found[dtype] = [loss.item(), *torch.autograd.grad(loss, logits)[0][0].tolist()]
    print(f"{dtype}: loss {found[dtype][0]:.2e}, gradients {found[dtype][1]:.2e} and {found[dtype][2]:.2e}")
assert found[torch.float32][:2] == [0, 0] and abs(found[torch.float32][2] - math.exp(-20)) < 1e-12
assert abs(loss.item() - math.log1p(math.exp(-20))) < 1e-15

# %% [markdown]
# ## Speed
#
# Document 004 also says that the fused loss is more efficient. The next cell times both versions, forward and backward.
# Binary first:

# %%
generator = torch.Generator().manual_seed(0)
many = torch.randn(4096, 64, generator=generator).requires_grad_()
yes, index = torch.randint(2, (4096, 64), generator=generator).float(), torch.randint(64, (4096,), generator=generator)
binary = lambda: nn.BCEWithLogitsLoss()(many, yes), lambda: nn.BCELoss()(torch.sigmoid(many), yes)

# %% [markdown]
# And the categorical ones. Each is called once before its time counts. The two versions take turns, so that a busy
# moment of the machine slows both.

# %%
fused, separate = nn.CrossEntropyLoss(), lambda z, y: nn.NLLLoss()(torch.log(torch.softmax(z, dim=1)), y)
categorical = lambda: fused(many, index), lambda: separate(many, index)


def milliseconds(losses, rounds=5):
    timers = [timeit.Timer(lambda loss=loss: loss().backward()) for loss in losses]
    rows = [[timer.timeit(calls) / calls for timer in timers] for calls in [1] + [5] * rounds]
    return (1000 * pd.DataFrame(rows[1:]).median()).tolist()


times = pd.DataFrame({"binary": milliseconds(binary), "categorical": milliseconds(categorical)}).T
times.columns = ["fused, ms", "separate, ms"]
times.assign(**{"separate / fused": times["separate, ms"] / times["fused, ms"]}).round(2)

# %% [markdown]
# The last column says how many times longer the separate version takes on *this* machine. In a real network the loss is
# a small part of a step, so choose the fused one because its numbers are right. If it is quicker too, that is a bonus.
#
# ## Summary
#
# | your task | last layer emits | loss |
# |---|---|---|
# | one yes-or-no question | one logit | `BCEWithLogitsLoss` |
# | several labels, any of them true | one logit each | `BCEWithLogitsLoss` |
# | one of $K$ classes ($K=2$ too) | $K$ logits | `CrossEntropyLoss` |
# | probabilities you cannot undo | numbers in $[0,1]$ | `BCELoss` |
#
# Document 004, gently corrected, each line proved by a cell above:
#
# | it says | it is |
# |---|---|
# | `BCELoss` after sigmoid or softmax | after sigmoid; after softmax only for two exclusive classes |
# | the logit $z$ is a log-probability | it is the logarithm of the odds |
# | $\log p$ is negative below 0.5 | it is negative everywhere below 1 |
# | for $y=1$ the loss becomes $\log p$ | it becomes $-\log p$ |
# | `reduce=False` sums | it keeps every loss; `size_average=False` sums |
# | `CrossEntropyLoss` takes probabilities | it takes logits; probabilities give it a floor |
# | `CrossEntropyLoss` is unstable at small $p$ | it is stable; softmax followed by a logarithm is not |
#
# The document also says that the fused loss is more stable than its two parts. That holds. Your own race above shows
# whether it is quicker, too.
#
# **Next:** [07 Experiment design](07_experiment_design.ipynb): the data, the network and the rules of the game.
