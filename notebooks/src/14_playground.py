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
# # 14 Playground: change the loss while you watch
#
# After this notebook you can
#
# - train any pairing of loss and output activation with one click, and stop it with another;
# - read a learning curve by its reference lines: the constant answer, the lowest possible loss, the best metric;
# - tell a run that is stuck from one that only looks stuck;
# - find, break and repair pairings of your own, and save the runs as a table and a picture.
#
# **Time:** {time}
#
# **Covers:** documents 000 and 001, sections 3-1 to 3-5, as something you can touch
#
# **Before this one:** [13 Is it learning?](13_is_it_learning.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# This cell imports the tools and prints a line that says which images and which device this notebook uses.

# %%
import math

from IPython.display import Markdown

import lm_utils as lm
from lm_utils.evidence.reference_lines import reference_lines
from lm_utils.evidence.sentences import sentence
from lm_utils.explorer import figures, texts
from lm_utils.explorer.choice import PRESETS, changed
from lm_utils.explorer.explorer import explorer
from lm_utils.explorer.live_run import LiveRun
from lm_utils.lessons import playground as lesson
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.show.chart import chart_figure
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. The instrument
#
# The six buttons at the top are six rows of our tables, five of them from the documents. Press one and read the card:
# it says what the network outputs, what the loss does with it, and what our stored runs gave. Then press **Train** and
# watch. **Stop** ends the training within a batch. The grey bar below the buttons opens everything else: task, loss,
# both activations, learning rate, patience, epochs, seed, standardised targets, a start at the base rate. Options that
# make no sense for a task are greyed out. Everything works with Tab, Space and the arrow keys.
#
# Tick **Predict first** when you teach or learn with it: verdict and stored result then stay hidden until you have said
# what will happen.

# %%
instrument = explorer(data, device)
instrument

# %% [markdown]
# To keep the instrument in view while you read on, right-click it in JupyterLab and choose *Create New View for
# Output*: it gets a panel of its own. (Further down it is shown again where you need it. All of these are the same
# instrument.)
#
# The next cell trains the first button's pairing without a click, for three epochs, with the functions behind the
# buttons. So you see a finished run even where no button answers, as on a printed page.

# %%
splits = lm.load_data(data)
fits = LiveRun(changed(PRESETS[0].choice, epochs=3), splits, device, lambda live: live.look())
fits.train()
assert fits.history[0]["valid_loss"] < reference_lines(fits.choice.pairing, splits).constant_loss
show(chart_figure(figures.curves_chart(fits.choice.pairing, reference_lines(fits.choice.pairing, splits), fits)))

# %% [markdown]
# Both curves leave their dotted lines within the first epoch. These are its answers to sixteen test images:

# %%
show(figures.images_figure(fits))

# %% [markdown]
# Read the instrument from top to bottom.
#
# - **Left curve: the loss.** The dotted line is the loss of a network that never looks at the image. The red
#   dash-dotted line, where there is one, is the lowest loss that these outputs can reach at all.
# - **Right curve: the metric**, with the same two kinds of lines. The star marks the epoch whose weights are kept.
# - **Sixteen test images**, each with the network's present answer.
# - **Outputs, gradients, hidden layer.** Gradients that fall to a millionth in the first layers mean that nothing
#   reaches them any more. A hidden unit that stays at the same flat end for every image says nothing about any image.
# - **The doctor** of notebook 13 looks at the trained network, its loss and a batch.
#
# The last six runs are kept: open *Compare your runs* to lay them over each other and to save them.

# %% [markdown]
# ## 2. A guided tour
#
# Try the buttons one after the other. Each stop begins with a question.
#
# **Stop 1: a pairing that fits.** Ten digits, raw outputs into `nn.CrossEntropyLoss`. Before any training the ten
# outputs are nearly equal.
#
# **Exercise 1.** At about which loss does the curve start?

# %%
first_loss = ...

# %% tags=["solution"]
first_loss = math.log(10)

# %% [markdown]
# Work it out before you press Train. With equal outputs every class gets one tenth.

# %%
quiz.check(
    first_loss,
    expected=math.log(10),
    tolerance=0.05,
    mistakes={0.1: "That is the probability of the true class; the loss is minus its logarithm.",
              1.0: "That would be the loss at a probability of 1/e."},
    hint="Minus the natural logarithm of one tenth.",
)  # fmt: skip

# %% [markdown]
# Predicting the first loss is the cheapest test of a new model. If the loss starts elsewhere, outputs, loss and targets
# do not fit together. The next cell trains without a click, for three epochs, with softmax applied twice. It uses the
# same functions as the buttons.

# %%
choice = changed(PRESETS[2].choice, epochs=3)
live = LiveRun(choice, splits, device, lambda live: live.look())
live.train()
Markdown(f"**{choice.label}** {texts.ending(live)}")

# %% [markdown]
# This is the picture of that run, drawn as above. Look at the loss first and at the accuracy second.

# %%
show(chart_figure(figures.curves_chart(choice.pairing, reference_lines(choice.pairing, splits), live)))

# %% [markdown]
# The loss moves in the narrow band between the dotted line and the red one, while the accuracy climbs as if nothing
# were wrong. The next cell checks both statements:

# %%
last, lines = live.history[-1], reference_lines(choice.pairing, splits)
assert math.isclose(lines.least_loss, math.log(1 + 9 / math.e), abs_tol=1e-4)
assert last["valid_loss"] > lines.least_loss
assert last["valid_metric"] > 2 * lines.constant_metric

# %% [markdown]
# This is what the network looks like inside after these three epochs:

# %%
show(figures.inside_figure(live))

# %% [markdown]
# On the left, the outputs that should be yes move away from those that should be no. In the middle, every layer still
# receives a gradient. On the right, no hidden unit is stuck for every image. (The other line counts single activations
# at a flat end. Even many of them do no harm if each unit says a clear no to some images and a clear yes to others.)
# The doctor recognises the pairing at once:

# %%
assert "softmax_before_cross_entropy" in live.report.codes
Markdown(live.report.findings[0].message)

# %% [markdown]
# **Stop 2: the sigmoid that never learns.** The same ten digits, asked as ten yes/no questions.

# %%
quiz.predict(
    "The loss of this pairing falls quickly and then stays at about 0.325. What has the network learnt?",
    options=["most digits, but not all", "how rare each digit is, and nothing else", "only the training images"],
    answer="how rare each digit is, and nothing else",
    reading="0.3251 is the loss of answering 'ten per cent' to every question, the dotted line in the picture.",
)

# %% [markdown]
# Press the second button and Train, and watch the gradients of the convolutions.

# %%
instrument

# %% [markdown]
# Where does the value of the plateau come from? It follows from the base rate alone, and the dotted line in the picture
# shows the same value:

# %%
never = PRESETS[1].choice.pairing
by_hand = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
assert math.isclose(reference_lines(never, splits).constant_loss, by_hand, abs_tol=2e-3)
Markdown(f"By hand {by_hand:.4f}. Stored reference: {sentence(never)}")

# %% [markdown]
# **Stop 3: double softmax.** You have just seen it. Let the button run to its end and compare the accuracy with stop 1
# in *Compare your runs*. You cannot compare the two losses, because they are different functions.
#
# **Stop 4: one softmax.** Think of the formula of softmax for a single number.

# %%
quiz.predict(
    "A single output passes through softmax before nn.BCELoss. What does the gradient panel show?",
    options=["small gradients in all layers", "exactly zero in all layers", "large gradients in the last layer"],
    answer="exactly zero in all layers",
    reading="Softmax over one number is 1 whatever the number; a constant has no gradient.",
)

# %% [markdown]
# Press the fourth button. Nothing moves, from the first batch to the last. The accuracy is the share of curved digits.
# (The panel of the gradients is logarithmic and draws 0 at 10⁻²⁰.)
#
# **Stop 5: softmax over labels.** Here the *right* picture has a red line: with softmax at most one of four labels can
# be above one half, and that limits the accuracy.

# %%
labels = reference_lines(PRESETS[4].choice.pairing, splits)
alone = reference_lines(lm.Pairing("multilabel", "bce", "sigmoid"), splits)
assert labels.best_metric < 0.85 and alone.best_metric is None
Markdown(f"Softmax over four labels can get at most {labels.best_metric:.1%} right here; sigmoid has no such limit.")

# %% [markdown]
# **Stop 6: the runaway.** `nn.BCEWithLogitsLoss` on standardised numbers. Its loss has no lower end, so there is no
# dotted line on the left. Watch the right curve: while the loss falls, the error *grows*.

# %%
runaway = reference_lines(PRESETS[5].choice.pairing, splits)
assert runaway.constant_loss is None and runaway.least_loss is None
Markdown(f"Stored reference: {sentence(PRESETS[5].choice.pairing)}")

# %% [markdown]
# Here a falling loss goes with a model that gets worse. The metric, not the loss, says whether a model learns.
#
# ## 3. Hunts
#
# Now find pairings yourself. Try them in the instrument, then write the one you found as `lm.Pairing(task, loss,
# activation)`. The cell below each hunt tests it.

# %%
instrument

# %% [markdown]
# **Exercise 2: looks stuck, is fine.** Find a pairing for the *ten digits* whose loss can never fall below 1.4 and that
# learns the task all the same.

# %%
looks_stuck = ...

# %% tags=["solution"]
looks_stuck = lm.Pairing("multiclass", "cross_entropy", "softmax")

# %% [markdown]
# The check computes the lowest possible loss, which is also what the red line shows.

# %%
lesson.check_pairing(looks_stuck, {
    "The ten digits are the task 'multiclass'.": lambda p: p.task == "multiclass",
    "This loss can fall below 1.4: look for a red line on the left.": lesson.floor_above(1.4, "mnist"),
    "This one cannot do better than a constant answer.": lambda p: p.verdict != "impossible",
})  # fmt: skip

# %% [markdown]
# If you stop training at 1.46 because "it does not learn", you throw away a good model. There is a second answer, too.
#
# **Exercise 3: an error at last.** Most misfits train without a word. Find a pairing that PyTorch *refuses*.

# %%
refused = ...

# %% tags=["solution"]
refused = lm.Pairing("regression", "bce")

# %% [markdown]
# In the instrument the status line shows PyTorch's own words, and the doctor adds what they mean.

# %%
lesson.check_pairing(refused, {
    "PyTorch itself does not refuse this one; which of its losses insists on numbers between 0 and 1?":
        lambda p: p.may_leave_unit_interval,
})  # fmt: skip

# %% [markdown]
# Of all the misfits of this course this one is the kindest, because it reports itself at once (with ReLU at the end, as
# soon as an output is above 1).
#
# **Exercise 4: one change.** Repair *the sigmoid that never learns* by changing exactly one thing: loss, output
# activation, hidden activation, or the start of the output bias. Several answers are right.

# %%
repaired = ...

# %% tags=["solution"]
repaired = lm.Pairing("multiclass", "bce", "sigmoid", prior_bias=True)

# %% [markdown]
# Train your repair above before you believe the check. The check only knows the results of other runs.

# %%
lesson.check_pairing(repaired, {
    "Keep the task: the ten digits, 'multiclass'.": lambda p: p.task == "multiclass",
    "Change exactly one thing of Pairing('multiclass', 'bce', 'sigmoid').": lesson.differs_in_one(never),
    "The verdict on this one is still 'handicapped' or worse; try another single change.":
        lambda p: p.verdict in ("recommended", "workable"),
})  # fmt: skip

# %% [markdown]
# Four single changes work. Three of them take away the push that all ten outputs share at the start: another loss, a
# softmax, a start at the base rate. The fourth, ReLU in the hidden layer, leaves the push but takes away the upper flat
# end into which the push drives the units. Notebook 11 explains this.
#
# ## Summary
#
# - Predict the first loss, then press Train: one number tests outputs, loss and targets together.
# - Read curves by their reference lines. At the dotted line nothing is learnt. A loss just above a red line may belong
#   to a perfect model.
# - Losses of different kinds cannot be compared; metrics can.
# - A falling loss does not prove learning, a high loss does not prove failure, and PyTorch rarely objects.
# - One run is an anecdote. For evidence, use the stored results with their intervals, or train several seeds.
#
# The explorer also runs alone, as a web page for a projector: `make explore` prints its address.
#
# The next notebook gives our verdict on every claim of the documents: [15 Verdicts](15_verdicts.ipynb).
