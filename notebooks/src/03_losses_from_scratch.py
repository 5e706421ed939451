# %% [markdown]
# # 03 Losses from scratch
#
# After this notebook you can …
#
# - derive the gradients of mean squared error, cross-entropy and binary cross-entropy with a pencil,
# - build each loss as a layer that has its own gradient, without autograd, and **prove** that it is right,
# - say what the habit of clipping inside a logarithm costs, and what it does not cost,
# - read somebody else's loss code and separate what it shows from what it only suggests.
#
# **Time:** {time}
#
# **Covers:** document 003 (all of it), and the formula for binary cross-entropy in document 004.
#
# **Before:** [02 Why these losses](02_why_these_losses.ipynb) said where these losses come from.

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools of this notebook, and what it runs on:

# %%
import math

import pandas as pd
import torch
from IPython.display import Markdown
from torch.autograd import gradcheck
from torch.nn import functional as F

from lm_utils import scratch
from lm_utils.lessons import losses_from_scratch as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## A loss is a layer
#
# A network ends in plain numbers. A **loss layer** takes them, applies the activation that belongs to it (softmax,
# sigmoid or none), compares with the targets and returns one number. In the backward pass it says how that number
# changes when each of its inputs changes a little. That is enough to train a network.
#
# Document 003 builds its three losses this way, in CUDA. We build the same three in PyTorch, but with the
# gradients written by hand: the file `lm_utils/scratch.py` never calls autograd. It follows two habits of the
# document: everything is **summed and divided by the batch size** $n$, and logarithms are clipped at $10^{-7}$.
#
# Here is a batch of two samples with three outputs each.

# %%
outputs = torch.tensor([[1.0, 2.0, 0.0], [4.0, 0.0, 1.0]])
targets = torch.zeros(2, 3)
mse = scratch.MeanSquaredError()
mse.forward(outputs, targets), mse.backward()

# %% [markdown]
# ## Mean squared error, and where its one half comes from
#
# With $n$ samples of $K$ outputs, document 003 writes
#
# $$L = \frac{1}{n}\sum_{s=1}^{n}\sum_{k=1}^{K}\tfrac12\,(p_{sk}-y_{sk})^2 .$$
#
# Only one term of the double sum contains $p_{sk}$, so the derivative is short:
#
# $$\frac{\partial L}{\partial p_{sk}} = \frac1n\cdot\tfrac12\cdot 2\,(p_{sk}-y_{sk}) = \frac{p_{sk}-y_{sk}}{n}.$$
#
# The half is there only to cancel the 2. By hand, for the batch above: the squares add up to $1+4+16+1=22$, half of
# that is 11, and divided by two samples it is 5.5. The gradient is the batch divided by two.
#
# PyTorch's `MSELoss` has no half, and it averages over **all** $n\cdot K$ numbers.

# %%
quiz.predict(
    "Our layer says 5.5 for these two rows of three outputs. What does `F.mse_loss` say about them?",
    options=["the same", "twice as much", "two thirds of it", "a sixth of it"],
    answer="two thirds of it",
    reading="Without the half it would be twice as much; divided by K = 3 as well, it is 2/3 of ours.",
)

# %% [markdown]
# The cell below would stop with an error if the factor were anything other than $2/K$.

# %%
ours, theirs = mse.forward(outputs, targets), F.mse_loss(outputs, targets)
assert torch.isclose(theirs, ours * 2 / 3)
print(f"ours {ours:.4f}, PyTorch {theirs:.4f}, PyTorch / ours {theirs / ours:.4f}")

# %% [markdown]
# Both losses point in the same direction; the steps differ in length. If you swap one for the other, you change the
# learning rate without noticing.
#
# **Exercise 1.** A network has $K = 10$ outputs. By which number must the *gradient* of PyTorch's `MSELoss` be
# multiplied to give the gradient of our layer?

# %%
my_factor = ...

# %% tags=["solution"]
my_factor = 5  # K / 2

# %% [markdown]
# The next cell knows the answer and some common mistakes. Change your answer and run both cells as often as you like.

# %%
quiz.check(
    my_factor,
    expected=5,
    mistakes={0.2: "That is the way back: from ours to PyTorch's.", 10: "Remember the half.", 20: "The half divides."},
    hint="PyTorch's value is 2/K of ours, and a factor in front of a function passes to its gradient.",
)

# %% [markdown]
# ## Cross-entropy: first the slopes of softmax
#
# Softmax turns $K$ logits into $K$ probabilities, $p_i = e^{z_i} / S$ with $S = \sum_k e^{z_k}$. Each logit
# sits in its own numerator and in **everybody's** denominator. The quotient rule gives two cases:
#
# $$i = j:\quad \frac{\partial p_i}{\partial z_i} = \frac{e^{z_i}S - e^{z_i}e^{z_i}}{S^2} = p_i\,(1-p_i)
# \qquad\qquad
# i \ne j:\quad \frac{\partial p_i}{\partial z_j} = \frac{0\cdot S - e^{z_i}e^{z_j}}{S^2} = -p_i\,p_j$$
#
# The **Kronecker delta** $\delta_{ij}$, 1 where the indices agree and 0 elsewhere, writes both in one line:
#
# $$\frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij}-p_j).$$

# %%
z = torch.tensor([2.0, 1.0, 0.0])
p = torch.softmax(z, dim=0)
jacobian = scratch.softmax_jacobian(p)
by_autograd = torch.autograd.functional.jacobian(lambda v: torch.softmax(v, dim=0), z)
assert torch.allclose(jacobian, by_autograd)
jacobian

# %% [markdown]
# Row $i$, column $j$: how much output $i$ rises when logit $j$ rises. Autograd finds the same nine numbers.
#
# ## … then the chain rule
#
# The loss of one sample is $L = -\sum_i y_i \log p_i$, so $\partial L/\partial p_i = -y_i/p_i$. A logit reaches
# the loss through **all** outputs, so we add up all the ways:
#
# $$\frac{\partial L}{\partial z_j} = \sum_i \Bigl(-\frac{y_i}{p_i}\Bigr)\, p_i\,(\delta_{ij}-p_j)
#  = -\sum_i y_i\,\delta_{ij} + p_j\sum_i y_i = p_j - y_j .$$
#
# The last step uses that the targets of a sample sum to one. What is left is simple: **prediction minus target**.

# %%
y = torch.tensor([0.0, 1.0, 0.0])
by_chain_rule = jacobian.T @ (-y / p)
assert torch.allclose(by_chain_rule, p - y, atol=1e-6)
by_chain_rule

# %% [markdown]
# ### The terms with $i \ne j$
#
# About the case $i \ne j$ document 003 notes, correctly, that the slope is $-y_i\,y_j$ (it calls the outputs $y$) and
# that the delta is 0. It then adds that this case does not affect the derivative. Suppose that were so, and keep only
# the diagonal of the table.

# %%
quiz.predict(
    "Three classes, the true one is class 1. With the terms i ≠ j left out, which logits still get a gradient?",
    options=["all three", "only that of the true class", "only those of the wrong classes", "none"],
    answer="only that of the true class",
    reading="−y_i/p_i is zero except for the true class, and its only remaining way back is the diagonal.",
)

# %% [markdown]
# The picture uses the logits 2, 1, 0.

# %%
only_diagonal = torch.diag(jacobian) * (-y / p)
both = {"all terms": by_chain_rule, "only i = j": only_diagonal}
show(lesson.slopes_figure(jacobian, both, true_class=1))

# %% [markdown]
# Left: the numbers off the diagonal are negative, not zero. Each column adds up to zero, because what one output gains
# the others lose. Right: the gradient. A step goes *against* it, so a bar above zero pushes its logit down. With all
# terms, the wrong classes are pushed down and the true one up. With the diagonal alone, the wrong classes get no push
# at all. For $i\ne j$ the *delta* vanishes; the derivative does not. (The final formula $p - y$ of the document is
# right: it contains these terms.)

# %%
assert (only_diagonal == 0).tolist() == [True, False, True]
assert torch.allclose(jacobian.sum(dim=0), torch.zeros(3), atol=1e-6)

# %% [markdown]
# ### The whole layer
#
# Here is the layer for categorical cross-entropy. `forward` applies softmax, keeps what it will need, and returns the
# loss, summed and divided by $n$. The logarithm is clipped at $10^{-7}$, as in document 003.
#
# **Exercise 2.** Write `backward`: the gradient by the layer's *input*, a tensor of the shape of `outputs`. Everything
# you need is in `self.p` and `self.y`; no autograd, one line.


# %%
class CrossEntropyLayer:
    def forward(self, outputs, targets):
        self.p, self.y = scratch.softmax(outputs), targets
        return -(self.y * torch.log(self.p.clamp_min(1e-7))).sum() / len(self.y)

    def backward(self):
        return ...


# %% tags=["solution"]
class CrossEntropyLayer:
    def forward(self, outputs, targets):
        self.p, self.y = scratch.softmax(outputs), targets
        return -(self.y * torch.log(self.p.clamp_min(1e-7))).sum() / len(self.y)

    def backward(self):
        return (self.p - self.y) / len(self.y)


# %% [markdown]
# The next cell runs your layer forward and backward on two batches and compares with the one in `lm_utils/scratch.py`.


# %%
def gradient_of(make):
    def backward(outputs, targets):
        layer = make()
        layer.forward(outputs, targets)
        return layer.backward()

    return backward


assert CrossEntropyLayer().forward(outputs, F.one_hot(torch.tensor([1, 0]), 3).float()) > 0
quiz.check_function(
    gradient_of(CrossEntropyLayer),
    gradient_of(scratch.CategoricalCrossEntropy),
    cases=[(outputs, F.one_hot(torch.tensor([1, 0]), 3).float()), (torch.zeros(1, 4), torch.eye(4)[:1])],
    mistakes=[
        (lambda z, y: (y - torch.softmax(z, 1)) / len(y), "The sign is turned: this gradient leads uphill."),
        (lambda z, y: torch.softmax(z, 1) - y, "Divide by the batch size, as the value is."),
        (lambda z, y: (torch.softmax(z, 1) - y) / y.numel(), "Divide by the samples n alone, not by n times K."),
        (lambda z, y: -y / torch.softmax(z, 1) / len(y), "That is the slope by p. Go on to the slope by the logit."),
    ],
    hint="Prediction minus target, divided by the number of samples.",
)

# %% [markdown]
# ### The layer against PyTorch
#
# For cross-entropy, our way of averaging and PyTorch's agree: both add up over the classes and divide by the
# number of samples. So there is no factor, neither in the value nor in the gradient.

# %%
torch.manual_seed(0)
many = torch.randn(8, 10, requires_grad=True)
labels = torch.randint(10, (8,))
layer = scratch.CategoricalCrossEntropy()
by_hand = layer.forward(many, F.one_hot(labels, 10).float())

# %% [markdown]
# Autograd works out PyTorch's gradient; ours comes from one subtraction.

# %%
by_torch = F.cross_entropy(many, labels)
by_torch.backward()
assert torch.allclose(by_hand, by_torch) and torch.allclose(layer.backward(), many.grad, atol=1e-7)
print(f"by hand {by_hand:.6f}, PyTorch {by_torch:.6f}")

# %% [markdown]
# ## Binary cross-entropy
#
# One output, one sigmoid $p = \sigma(z) = 1/(1+e^{-z})$, one yes-or-no target $y$:
#
# $$L = -y\log p - (1-y)\log(1-p).$$
#
# We need three steps: the slope of the loss by the probability, the slope of the sigmoid, and their product:
#
# $$\frac{\partial L}{\partial p} = -\frac{y}{p}+\frac{1-y}{1-p} = \frac{p-y}{p(1-p)},\qquad
# \frac{\partial p}{\partial z} = p(1-p),\qquad
# \frac{\partial L}{\partial z} = p-y .$$
#
# The dangerous fraction cancels. Document 003 rightly warns that $p-y$ is the slope by the sigmoid's **input**,
# not by its output. The two differ a lot where the prediction is confident and wrong:

# %%
logit = torch.tensor(-4.0, requires_grad=True)
p = torch.sigmoid(logit)
loss = -torch.log(p)  # the label is 1
by_p, by_z = torch.autograd.grad(loss, [p, logit])
print(f"p = {p:.4f}: slope by p {by_p:.2f}, slope by z {by_z:.4f}, p - y = {p - 1:.4f}")

# %% [markdown]
# **Exercise 3.** Write the gradient of binary cross-entropy for a batch of $n$ logits `z` and labels `y` (two
# tensors of shape `[n]`), divided by the batch size. No autograd, and one line is enough.


# %%
def bce_gradient(z, y):
    return ...


# %% tags=["solution"]
def bce_gradient(z, y):
    return (torch.sigmoid(z) - y) / len(y)


# %% [markdown]
# The check compares with PyTorch's autograd on two batches.


# %%
def reference(z, y):
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad(F.binary_cross_entropy_with_logits(leaf, y), leaf)[0]


# %% [markdown]
# Some wrong answers are known, and get a hint of their own.

# %%
quiz.check_function(
    bce_gradient,
    reference,
    cases=[(torch.tensor(z), torch.tensor(y)) for z, y in [([0.5], [1.0]), ([-2.0, 3.0], [0.0, 1.0])]],
    mistakes=[
        (lambda z, y: (y - torch.sigmoid(z)) / len(y), "The sign is turned: this gradient leads uphill."),
        (lambda z, y: torch.sigmoid(z) - y, "Divide by the batch size."),
        (lambda z, y: (z - y) / len(y), "z is a logit; the formula wants the probability."),
    ],
)

# %% [markdown]
# With $K$ yes-or-no outputs per sample there is again a factor, this time $K$: PyTorch averages over all $n\cdot K$
# answers, document 003 divides by $n$ only. Document 004 has the formula with one output, where both agree.

# %%
yes = (torch.rand(8, 10) > 0.5).float()
ours = scratch.BinaryCrossEntropy().forward(many, yes)
theirs = F.binary_cross_entropy_with_logits(many, yes)
assert torch.isclose(ours, 10 * theirs)
print(f"ours {ours.item():.4f} = 10 × PyTorch's {theirs.item():.4f}")

# %% [markdown]
# ## A gradient that proves itself
#
# Two people who made the same mistake agree with each other. The definition of a slope is a better check: move one
# input by a tiny $\varepsilon$ to both sides and see what the loss does,
# $\bigl(L(z+\varepsilon)-L(z-\varepsilon)\bigr)/2\varepsilon$. PyTorch's `gradcheck` does so for every input, in
# float64, and compares with the gradient that a function claims to have.

# %%
checked = many.detach().double().requires_grad_()
one_hot = F.one_hot(labels, 10).double()
for name, make in scratch.LAYERS.items():
    assert gradcheck(scratch.as_function(make(), one_hot), checked)
    print(f"{name}: gradcheck agrees with our gradient at all {checked.numel()} inputs")

# %% [markdown]
# All three pass, with logits of ordinary size. Further down you meet inputs where two of them fail.
#
# ## What clipping costs
#
# When a probability is rounded to 0, its logarithm is $-\infty$ and one sample ruins the run. So document 003 never
# takes the logarithm of a number below $10^{-7}$.

# %%
quiz.predict(
    "The label is 1 and the logit is −20, so the true loss is 20.0. What does the formula clipped at 1e-7 say?",
    options=["20.00", "16.12", "0.0000001", "infinity"],
    answer="16.12",
    reading="The probability 2e-9 is lifted to 1e-7, and −log(1e-7) = 16.12. No sample can cost more than that.",
)

# %% [markdown]
# In this lab you move one logit (drag, or press the arrow keys). The left side compares the loss itself, the
# right side the two things that may be called its gradient: $p-y$, and the slope of the clipped formula.

# %%
lesson.clipping_lab()

# %% [markdown]
# Up to the clip the curves coincide. Beyond it the value stays flat, so its true slope is **zero**: with autograd
# through a clip, the worst mistakes would get no gradient at all. Document 003 sends back $p-y$ all the same. That is
# the gradient of the loss *without* the clip, and it is the one you want.
#
# So in the flat part, value and gradient do not belong together, and `gradcheck` notices:

# %%
far = torch.tensor([[-20.0, 20.0]], dtype=torch.float64, requires_grad=True)
truth = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
for name in ("cross_entropy", "bce"):
    assert not gradcheck(scratch.as_function(scratch.LAYERS[name](), truth), far, raise_exception=False)

# %% [markdown]
# Which of the two gradients is better for learning? Let one logit start at $-20$ with label 1 and take thirty
# steps of size 1 with each.

# %%
z_hand = z_auto = torch.tensor([-20.0])
for _ in range(30):
    z_hand = z_hand - lesson.clipped_bce(z_hand, label=1).by_hand
    z_auto = z_auto - lesson.clipped_bce(z_auto, label=1).by_autograd
assert z_auto == -20 and z_hand > 0
print(f"after 30 steps: with p - y {z_hand.item():.2f}, with the clip's own slope {z_auto.item():.2f}")

# %% [markdown]
# With the hand-written gradient the logit recovers; with the exact gradient of the clipped loss it never moves. What
# looks like a mistake saves the method. The price is in the *value*: beyond the clip every mistake looks equally bad,
# and a loss curve cannot show how bad.
#
# ### One side or two?
#
# Document 003 clips the categorical loss on one side only, the binary one on both. That is no mistake either:
# $-y\log p$ is in danger near $p=0$ only, and a perfect prediction then costs exactly 0. The binary loss also contains
# $\log(1-p)$, which is in danger near $p=1$: with the lower limit alone, a confident mistake would be infinite.

# %%
perfect, hit = torch.tensor([[200.0, -200.0]]), torch.tensor([[1.0, 0.0]])
assert scratch.CategoricalCrossEntropy().forward(perfect, hit) == 0
p = torch.sigmoid(perfect[0, 0])
assert -torch.log(1 - p.clamp_min(1e-7)) == math.inf
assert torch.isfinite(-torch.log(1 - p.clamp(1e-7, 1 - 1e-7)))

# %% [markdown]
# But the two sides of the binary clip are not equal. Near 1, float32 numbers lie $6\cdot10^{-8}$ apart, so
# $1-10^{-7}$ is rounded, and the ceiling for label 0 comes out lower than for label 1. In half precision
# $1-10^{-7}$ **is** 1: the upper clip does nothing, and the loss is infinite.

# %%
for kind in (torch.float32, torch.float16):
    zero, one = (lesson.clipped_bce(torch.tensor([20.0 - 40 * label]), label, dtype=kind) for label in (0, 1))
    ceilings = one.clipped_loss.item(), zero.clipped_loss.item()
    print("{}: label 1 stops at {:.2f}, label 0 at {:.2f}".format(kind, *ceilings))
assert zero.clipped_loss == math.inf

# %% [markdown]
# You can see both in the lab: choose label $y=0$, then float16. PyTorch's own answer to all of this is to avoid
# the clip: [06 BCE and logits](06_bce_and_logits.ipynb) shows how.
#
# **Exercise 4.** A colleague's training log shows a categorical loss that never exceeds 9.21. Suppose the code
# clips probabilities from below. At which value?

# %%
my_clip = ...

# %% tags=["solution"]
my_clip = 1e-4  # exp(-9.21)

# %% [markdown]
# Three digits are enough.

# %%
quiz.check(
    my_clip,
    expected=1e-4,
    tolerance=2e-6,
    mistakes={9.21: "That is the loss; the clip is a probability.", 1e-7: "Document 003's clip would allow 16.12."},
    hint="The ceiling is −log(clip), so the clip is exp(−ceiling).",
)

# %% [markdown]
# ## Reading code: what the snippet shows, and what it does not
#
# Document 003 prints two small functions per loss, both with arguments called `a` and `b`. In our words: the value is
# $-a\log b$, with $b$ clipped; the slope is $(a-b)/n$. Only labels can stand in front of the logarithm, so in the value
# $a$ is the label and $b$ the prediction. The next cell takes over both formulas and their order.


# %%
def value(a, b):
    return -(a * torch.log(b.clamp_min(1e-7))).sum()


def slope(a, b, n=1):
    return (a - b) / n


# %% [markdown]
# Now train one sample with them twice, ten steps each. The first training calls the slope in the **same** order as the
# value (label, prediction), the second in the other order.

# %%
label = torch.tensor([1.0, 0.0])
same = swapped = torch.zeros(2)
for _ in range(10):
    same = same - slope(label, torch.softmax(same, dim=0))
    swapped = swapped - slope(torch.softmax(swapped, dim=0), label)
losses = [value(label, torch.softmax(z, dim=0)) for z in (torch.zeros(2), same, swapped)]

# %% [markdown]
# Two equally likely classes start at $\log 2$.

# %%
assert losses[2] < losses[0] < losses[1]
print("start {:.3f}, same order {:.3f}, slope called with (prediction, label) {:.3f}".format(*losses))

# %% [markdown]
# In the same order the slope is $y-p$. Training then walks uphill, and the loss grows up to the ceiling of the clip. In
# the other order the slope is $p-y$, and the sample is learnt. What may we conclude?
#
# - **Certain:** the two functions cannot be called with their arguments in the same order. Their shared names
#   hide it.
# - **Certain:** a comment in the same document gives the intended gradient, softmax minus target, which is right.
# - **Not certain:** whether the program is wrong. The matrix method that calls the two functions is not printed.
#   If it passes label first to one and prediction first to the other, everything is fine.
#
# A swapped call would not crash. The *value* would take the logarithm of a label, and the clip would turn the forbidden
# $\log 0$ into a harmless-looking number:

# %%
good = torch.tensor([0.9, 0.1])
assert torch.isfinite(value(good, label)) and value(good, label) > 10 * value(label, good)
print(f"right order {value(label, good):.3f}, turned round {value(good, label):.3f}")

# %% [markdown]
# For the squared error the value is the same in either order, so it can never reveal the mistake. Only the gradient
# can. This is one more reason to check gradients, not just losses. A finite difference takes one line:

# %%
probe, step = torch.tensor(0.9, dtype=torch.float64), 1e-6
rise = (((probe + step) - 1) ** 2 / 2 - ((probe - step) - 1) ** 2 / 2) / (2 * step)
assert torch.isclose(rise, slope(probe, 1.0)) and torch.isclose(rise, -slope(1.0, probe))
print(f"slope of the loss {rise:+.3f}; (label, prediction) would claim {slope(1.0, probe):+.3f}")

# %% [markdown]
# **Dividing by $n$, once.** In the document's squared error both small functions divide by $n$. In its cross-entropies
# only the slope does; the value is divided later, when the layer adds everything up. Both are right as long as each
# value is divided **once**. If the squared error went through the cross-entropy's layer, the value would be divided
# twice and the gradient once. (The squared error's own layer is not printed, so this again is a thing to check and not
# a proven bug.) The slope of the value would then be $n$ times smaller than the gradient:

# %%
batch = torch.tensor([[1.0], [2.0], [3.0], [4.0]], requires_grad=True)
n = len(batch)
divided_twice = (batch.square() / 2 / n).sum() / n
(its_slope,) = torch.autograd.grad(divided_twice, batch)
assert torch.allclose(its_slope * n, slope(batch, torch.zeros(n, 1), n))

# %% [markdown]
# ## Summary
#
# | loss layer | contains | value (summed, divided by $n$) | gradient by its input | PyTorch's mean is |
# |---|---|---|---|---|
# | squared error | nothing | $\tfrac12(p-y)^2$ | $(p-y)/n$ | $2/K$ of ours |
# | categorical cross-entropy | softmax | $-y\log p$ | $(p-y)/n$ | the same |
# | binary cross-entropy | sigmoid | $-y\log p-(1-y)\log(1-p)$ | $(p-y)/n$ | $1/K$ of ours |
#
# - Each loss is paired with the activation that turns its gradient into **prediction minus target**.
# - The terms $-p_ip_j$ with $i\ne j$ are what pushes wrong classes down.
# - A clip caps the value at $-\log(\text{clip})$; the hand-written gradient survives it, autograd's does not.
# - Agreement of values proves little. `gradcheck` proves gradients, inside the clip.

# %% [markdown]
# ## Appendix: the same on a GPU
#
# Document 003 writes CUDA. **Triton** is a language for such kernels inside Python. Below is ours for the
# cross-entropy: one **program** per sample reads a row, and writes its loss and its gradient in a single visit to
# memory. Triton works on blocks whose length is a power of two, so a row of 10 is read as a block of 16; the mask
# `inside` leaves out the six places that do not exist ($-\infty$ becomes 0 after the exponential). The rest is the
# derivation from above, line by line.

# %%
Markdown(lesson.kernel_source("cross_entropy"))

# %% [markdown]
# All three kernels now run in a process of their own: on the GPU if there is one, otherwise in Triton's interpreter on
# the CPU. Where Triton does not exist at all, a stored result is read. The line below says which of the three it was.

# %%
result = lesson.run_kernels()
Markdown(lesson.kernels_sentence(result))

# %% [markdown]
# The table compares three ways on the same 64 random rows of ten, on document 003's scale:

# %%
table = pd.DataFrame(result["rows"]).set_index("loss")
assert (table[["gradient_vs_scratch", "gradient_vs_pytorch"]] < 1e-6).all(axis=None)
table.map("{:.7g}".format)

# %% [markdown]
# The last two columns hold the largest difference of any entry of the gradients; what is left is the rounding of
# float32. Three independent ways lead to one result.
#
# **Next:** [04 Output activations](04_output_activations.ipynb): which activation fits which output.
