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
# # 08 Regression: a number, and the losses that cannot hold it
#
# After this notebook you can
#
# - say why binary cross-entropy cannot be used for a number, and which of its two PyTorch versions fails in which
#   way;
# - show that "the output is at most 1" is *not* the reason;
# - explain what standardising the targets does, and why a ReLU at the end is a gamble;
# - recognise the shape trap that trains on nonsense without an error.
#
# **Time:** 25 minutes
#
# **Covers:** document 000, section 3-1; document 001, section 3-1 with section 1-1
#
# **Before this one:** [07 Experiment design](07_experiment_design.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The target is a number from 1 to 6: the strokes of a digit plus its holes. The metric is the mean squared error on
# that original scale, so lower is better. (Document 001 heads its column "highest MSE"; the lowest is meant.) Tables
# with stored results are MNIST and say how many seeds; live cells use the data of the next line.

# %%
import warnings

import torch
from IPython.display import Markdown, display

import lm_utils as lm
from lm_utils.evidence import tables
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentence, published_sentences, sentence
from lm_utils.lessons import regression as lesson
from lm_utils.runs.inside import stuck_units
from lm_utils.show import interventions, output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show
from lm_utils.training import adamw

banner(data, device)

# %% [markdown]
# ## 1. The loss table of document 000, measured again
#
# First the yardstick: a network that ignores the image and always says the mean.

# %%
baseline = reference().baseline("regression")
Markdown(f"Always the mean: a test MSE of **{baseline:.2f}** on MNIST.")

# %% [markdown]
# The second yardstick is your own guess. Make it before the table appears.

# %%
quiz.predict(
    "Standardised targets, raw outputs, nn.BCEWithLogitsLoss. How will the MSE compare with always saying the mean?",
    options=["better", "about the same", "far worse"],
    answer="far worse",
    reading=sentence(lm.Pairing("regression", "bce_logits", normalize=True)),
)

# %% [markdown]
# A loss that makes a network *worse than a constant* does not merely fail to teach. It teaches something else.

# %%
losses = tables.summary("regression", "loss")
tables.readable(losses)

# %% [markdown]
# Some words of this table come back in the next four notebooks. *At chance* counts the runs that come less than a
# twentieth of the way from the constant answer to a perfect one (or end beyond it). *To 95 %* is the epoch by which a
# run had come 95 % of its way. *Error, times …* divides the errors, seed by seed. *Normalised* is the documents' word
# for standardised targets.
#
# Two of the five rows are no regressions at all. One ends in an error message, one runs through and leaves an MSE far
# above the yardstick. Are the published figures met?

# %%
Markdown(published_sentences("regression"))

# %% [markdown]
# So much for the document's figures and ours. **And yours?** `make run-all` trains the same rows on your machine (with
# the data and the number of seeds that you choose), and here they are, if they are there. They are never mixed with the
# stored ones; with the embedded digits they are not even comparable.

# %%
tables.own_table("regression", seeds, data, device)

# %% [markdown]
# The stored table again, as a picture, one dot per seed:

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# The dotted line is the yardstick: MSE, MAE and RMSE end far to the left of it, `nn.BCEWithLogitsLoss` on the wrong
# side. Which of the three is best? A seed fixes split, starting weights and batches for all rows, so compare them
# seed by seed.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# Each mark is a row less the fitting pairing, MSE on standardised targets. The grey band, 0.01 of MSE on either side,
# was called practically equal before anyone looked. An interval inside it shows *practical* equality; it may still
# lie wholly on one side of 0, which is a difference that is real and too small to matter. *Better* and *worse* mean a
# difference beyond chance, and only an interval wholly outside the band shows that it matters; anything else is
# *undecided*. Look which loss is behind the others here: it is the one that the table is measured in. (With fewer
# than six seeds a row says "illustration" and gets no verdict. All intervals speak of other seeds, not of another
# test set.) And how long did they train?

# %%
show(result_figures.epochs_plot(losses))

# %% [markdown]
# Each dot is a seed's way down to nearly its final error. Rows that never learnt have no such epoch, and it would be
# wrong to call their short runs fast.
#
# One more loss belongs to this family: **Huber**, which document 002 describes and none of the tables contains.

# %%
tables.readable(tables.summary("regression", "extra"))

# %% [markdown]
# Read it beside the first table: where no outliers are, Huber and MSE have little to disagree about.

# %% [markdown]
# ## 2. `nn.BCELoss`: the error is a kindness
#
# On a CPU the message says what is wrong. On a GPU the same check ends in `device-side assert triggered`, and the
# process must be restarted: that is the message the document saw. Our training records the error and goes on.

# %%
splits = lm.load_data(data)
run = lm.fit(lm.Pairing("regression", "bce", normalize=True), splits, device=device)
assert run.status == "error" and "between 0 and 1" in run.error
print(run.status, "-", run.error)

# %% [markdown]
# A sigmoid at the end, which keeps the outputs inside, changes one word of the message. Which one?

# %%
Markdown(sentence(lm.Pairing("regression", "bce", "sigmoid", normalize=True)))

# %% [markdown]
# ## 3. `nn.BCEWithLogitsLoss`: no error, and no floor
#
# The document explains its row like this: the loss applies a sigmoid, so the output is at most 1, while the targets
# reach 6. Check that against the code: the sigmoid lives *inside the loss*. The network's own output is the raw
# number before it, and that number is what is compared with the target in the metric. It has no limit at all.

# %%
images = splits.test.images[:100].to(run.device)
assert torch.equal(run.model(images), run.model.logits(images))  # the network itself ends without a sigmoid
show(lesson.no_floor_figure())

# %% [markdown]
# Here is the reason. For a target between 0 and 1 the curve has a lowest point; at exactly 1 it levels out at 0. For
# a target *outside*, it falls for ever: the loss is the smaller the further the output runs away. About half of all
# standardised targets are negative.

# %%
fitting = lm.Pairing("regression", "mse", normalize=True)
misfit = lm.Pairing("regression", "bce_logits", normalize=True)
found = [lesson.runaway(pairing, splits, device=device) for pairing in (fitting, misfit)]
show(lesson.runaway_figure(found))

# %% [markdown]
# On the left, the mean output for images whose target is large and for those whose target is small. With MSE the two
# part. With BCE on logits both run the *same* way, further with every epoch, and the MSE grows with them (one seed,
# trained just now). The direction is no accident: the mean of standardised targets is 0, and the one answer whose
# sigmoid is 0 lies at minus infinity. So this row has no final figure. Early stopping hands over the best epoch. Which
# one is that?

# %%
stored = reference().of(misfit)
first, last = (sum(run["history"][place]["valid_metric"] for run in stored) for place in (0, -1))
Markdown(f"In {sum(run['best_epoch'] == 1 for run in stored)} of {len(stored)} stored runs it is the very first. By the"
         f" last one the validation MSE is {last / first:.1f} times as large.")  # fmt: skip

# %% [markdown]
# So ours and the published figure say how far one epoch takes a network, not where it was going.

# %% [markdown]
# ## 4. The activation table that document 001 left empty
#
# Three output activations, each with standardised and with raw targets.

# %%
activations = tables.summary("regression", "activation")
tables.readable(activations)

# %% [markdown]
# The same rows as a picture, one dot per seed.

# %%
show(result_figures.dots_and_intervals(activations))

# %% [markdown]
# **ReLU** is marked as fitting in the document, since the targets are never negative. Yet its dots stand far apart:
# not a cloud around a mean, but separate places, and the seed decides which. (So the mean of such a row describes no
# network at all; look at the column *at chance* instead.) Why?

# %%
share = lesson.dead_at_start(lm.Pairing("regression", "mse", "relu"), splits)
zero = lm.TASKS["regression"].target(tested_digits("mnist")).square().mean()
Markdown(f"Of 40 fresh networks with a ReLU output, **{share:.0%}** emit 0 for every image before training starts."
         f" With raw targets, answering 0 to every test image of MNIST costs **{zero:.2f}**.")  # fmt: skip

# %% [markdown]
# Where ReLU emits 0 its slope is 0. If that is so for *all* images, no gradient ever passes, and the network stays
# dead. Whether it starts so is decided by the starting weights: a coin toss. More networks end there than start there:
# about half of the standardised targets are negative, the first steps push the output down, and a ReLU that is pushed
# below 0 for all images does not come back. With standardised targets a dead network answers the mean, which is 0
# there, and lands on the dotted line. With raw ones, is every lost run a dead ReLU? Compare seed by seed with the same
# network without an activation.

# %%
bare, relu = (reference().scores(lm.Pairing("regression", "mse", name)) for name in ("none", "relu"))
same = sum(bare[seed] == relu[seed] for seed in bare)
Markdown(f"With raw targets **{same} of {len(bare)}** ReLU runs equal the runs without an activation to the last digit."
         " In these ReLU is innocent, and part 5 finds the culprit; the others answer 0.")  # fmt: skip

# %% [markdown]
# And what do the few networks know that got away from the dotted line, with standardised targets? Digit by digit:

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "mse", "relu", normalize=True)]))

# %% [markdown]
# Within this patience, a seed that learnt tells one digit from the rest, the one with the largest target.
#
# **Sigmoid and its inverse** trains on standardised targets, in spite of the detour. The document's three arguments
# are measured in [notebook 04](04_output_activations.ipynb); here you see whether they cost anything in the end.

# %%
squeezed = lm.Pairing("regression", "mse", "sigmoid_inverse", normalize=True)
Markdown(comparison_sentence(squeezed))

# %% [markdown]
# ## 5. Do targets have to be standardised?
#
# The document says that the wanted performance only comes with standardised outputs. That sounds like good manners,
# but the rows with raw targets in the last table did not end a little worse: without an activation and with the
# squeezed targets they ended about where a constant answer stands.

# %%
raw = lm.Pairing("regression", "mse")
display(Markdown(sentence(raw)))
Markdown(comparison_sentence(raw))

# %% [markdown]
# A linear output *can* emit any number from 1 to 6. So what stops it? [Notebook 04](04_output_activations.ipynb) has
# met this case and named a suspect, a push that all images share at the start. This part puts it to the test.
#
# The curves with standardised targets, with raw ones, and with standardised ones squeezed through a sigmoid, all seeds:

# %%
show(output_figures.learning_curves([fitting, raw, squeezed]))

# %% [markdown]
# The dotted line is the constant answer. The raw network walks there and stays: its curve is no slower version of the
# others, it is another story. (Each seed has validation images of its own, so its curve may lie a little above or
# below the line.) What do these networks say, digit by digit?

# %%
show(output_figures.means_by_digit([fitting, raw, misfit]))

# %% [markdown]
# On the left the dots sit on their targets. The other two networks give one and the same number to all ten digits:
# the mean, or something below every target that exists. Watch the raw one while it trains.

# %%
show(lesson.runaway_figure([found[0], lesson.runaway(raw, splits, device=device)]))

# %% [markdown]
# Images with large and with small targets get the *same* output. At the start all outputs are near 0 and all targets
# lie above, so every image pushes the hidden layer the same way. AdamW turns that steady push into full steps, the
# sigmoid units fill up, and afterwards no image looks different from another. If that is the cause, then it should be
# enough to remove the push: start the output's bias at the mean, and leave the targets raw. How far will that go?

# %%
cured, usual = (interventions.mean_of("switches", name) for name in ("raw-bias", "standardised"))
assert abs(cured - usual) < 0.03 < baseline / 4  # the answer below
quiz.predict(
    "The same network, the same raw targets. One line is added: the output's bias starts at the mean. The test MSE is",
    options=["still that of the constant answer", "about half of it", "about that of standardised targets"],
    answer="about that of standardised targets",
    reading=f"On fresh seeds of MNIST: {cured:.3f} with that line, {usual:.3f} with standardised targets.",
)

# %%
def start_at_the_mean(model):
    model.out.bias.data.fill_(raw.spec.target(splits.train.digits).mean())
    return adamw(model)


# %% [markdown]
# Nothing else is changed: the same loss, the same targets, the same seed.

# %%
plain = lm.fit(raw, splits, max_epochs=12, device=device)
started = lm.fit(raw, splits, max_epochs=12, device=device, setup=start_at_the_mean)
assert started.test_metric < plain.test_metric / 2
print(f"raw targets: test MSE {plain.test_metric:.2f}; with the bias at the mean: {started.test_metric:.2f}")

# %% [markdown]
# One seed, trained just now, but a large step for a single number. And what do both hidden layers look like? A unit is
# *stuck* when it stands at the same flat end of its sigmoid for every image.

# %%
some = splits.valid.images.to(plain.device)
for name, run in {"raw targets": plain, "bias at the mean": started}.items():
    print(f"{name}: {stuck_units(run.model, some):.0%} of the hidden units are stuck")

# %% [markdown]
# Is that the cause or only company? The test is to switch it off *and* on, on seeds that no table above has used, with
# the expected outcome written down before they were run. Standardised targets have no push; an output bias two
# deviations off gives them one.

# %%
pushes = ["raw", "raw-bias", "raw-head-first", "standardised", "standardised-off"]
interventions.outcome_table(interventions.stored("switches", pushes))

# %% [markdown]
# The last column says whether it came as expected. So the advice of the document holds, and it has a reason:
# standardising takes away a push that all images share. (It is not the only cure.)
# [Notebook 11](11_multi_class.ipynb) meets the same push again, in ten outputs at once.
#
# The other two effects of this notebook have switches of their own. A ReLU output that starts at the mean of the
# targets, well above 0, should not die; and the loss without a floor should have one as soon as its targets lie between
# 0 and 1 (the tamed row squeezes them through a sigmoid and undoes that afterwards).

# %%
others = ["relu-output", "relu-output-bias", "runaway", "runaway-tamed"]
show(interventions.outcome_figure(interventions.stored("switches", [*pushes, *others])))

# %% [markdown]
# Each mark is a run; the scale is logarithmic. Circles were expected to learn, crosses to end at or beyond the black
# bar, the constant answer; for the squares nothing was predicted, because the seed decides.

# %% [markdown]
# ## 6. The trap without an error
#
# Outputs of shape `[N, 1]` against targets of shape `[N]`: PyTorch warns once and then compares *every* output with
# *every* target. The best answer to all targets at once is their mean.

# %%
outputs, targets = torch.zeros(4, 1), torch.tensor([1.0, 2.0, 3.0, 6.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    wrong = torch.nn.MSELoss(reduction="none")(outputs, targets)
assert wrong.shape == (4, 4) and "broadcast" in str(caught[0].message)
print(wrong.shape, "-", str(caught[0].message)[:76])

# %% [markdown]
# Sixteen comparisons for four images. This course's `fit` refuses such shapes; your own loop will not, so look at
# shapes before you look at curves. The [doctor](13_is_it_learning.ipynb) does it for you.

# %% [markdown]
# ## 7. Every pairing
#
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts);
# the brighter a cell, the more of the way from the constant answer to a perfect one it went. Grey cells stop with an
# error. First with standardised targets.

# %%
show(result_figures.grid_heatmap("regression", normalize=True))

# %% [markdown]
# And the same network with raw targets.

# %%
show(result_figures.grid_heatmap("regression"))

# %% [markdown]
# Compare a cell with its twin in the other grid: with this network, the step from raw to standardised targets moves
# more than the step from one fitting loss to another. With raw targets the columns of sigmoid and softmax show one and
# the same figure again and again. Where does it come from?

# %%
targets = lm.TASKS["regression"].target(tested_digits("mnist"))
Markdown(f"Whoever answers 1 to every image pays **{(targets - 1).square().mean():.2f}** on MNIST's test images.")

# %% [markdown]
# That is what an output of at most 1 costs, and the true home of the document's argument from part 3. Its row stood far
# beyond that figure, so its outputs were not held at 1.
#
# Now go through the rows of `nn.BCELoss` and `nn.BCEWithLogitsLoss` with standardised targets. There is a cell in which
# binary cross-entropy learns a number: where the targets pass a sigmoid, too, and lie between 0 and 1. In the cell
# below it, one sigmoid more, the network is worse than a constant. And one cell with cross-entropy is brighter than its
# neighbours. What do its networks say, digit by digit?

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "cross_entropy", "sigmoid", normalize=True)]))

# %% [markdown]
# The loss takes the batch for one sample and lets its images compete. Standardised targets above the mean are pushed up
# and those below it down, to the two ends of the sigmoid: the network sorts the digits into two piles.
#
# The picker below goes further: what a pairing means, and a live training if you ask for it.

# %%
from lm_utils.explorer.picker import picker

picker("regression", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A standardised target is 1.5 and the raw output is `z`. What is the gradient of
# `nn.BCEWithLogitsLoss` with respect to `z` when `z` is very large? Its sign tells where the output goes next.

# %%
gradient = ...

# %% tags=["solution"]
gradient = 1 - 1.5  # sigmoid(z) - target, and sigmoid(z) is 1

# %%
quiz.check(
    gradient,
    expected=-0.5,
    tolerance=1e-6,
    mistakes={0: "It would be 0 for a target of 1; this target lies above.", 0.5: "Right size; which way does z move?"},
    hint="The gradient of this loss is sigmoid(z) minus the target.",
)

# %% [markdown]
# **Exercise 2.** Write `original(z, mean, std)`, which turns a standardised prediction back into strokes and holes.

# %%
original = ...

# %% tags=["solution"]
def original(z, mean, std):
    return z * std + mean

# %%
quiz.check_function(
    original,
    reference=lambda z, mean, std: z * std + mean,
    cases=[(0.0, 2.6, 1.3), (1.0, 2.6, 1.3), (-1.2, 0.5, 10.0)],
    mistakes=[(lambda z, mean, std: (z - mean) / std, "That standardises; the way back is asked for.")],
    hint="Undo a subtraction and a division, in the other order.",
)

# %% [markdown]
# ## Summary
#
# - MSE, MAE, RMSE and Huber all fit; between them paired seeds decide, not the name.
# - `nn.BCELoss` refuses numbers outside 0 to 1. `nn.BCEWithLogitsLoss` accepts them and has no floor: outputs run
#   away. The limit of the sigmoid is not the reason. Targets squeezed into 0 to 1 would tame both.
# - Raw targets far from 0 push all images the same way; standardise them, or start the output's bias at their mean.
# - A ReLU output can be dead from its first step; count such runs, do not average them away.
# - `[N, 1]` against `[N]` trains on nonsense.
#
# **Next:** [09 Probability prediction](09_probability.ipynb)

