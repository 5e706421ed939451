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
# - show that "the output is at most 1" is *not* the reason for the failure;
# - explain what standardising the targets does, and why a ReLU at the end is a gamble;
# - recognise the shape mistake that raises no error and makes a network train on nonsense.
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
# with stored results show MNIST and say how many seeds were used; live cells train on the data named in the next line.

# %%
import warnings

import torch
from IPython.display import Markdown, display

import lm_utils as lm
from lm_utils.evidence import changed_conditions, tables
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentence, published_sentences, sentence
from lm_utils.lessons import regression as lesson
from lm_utils.runs.inside import stuck_units
from lm_utils.show import condition_figures, output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show
from lm_utils.training import adamw

banner(data, device)

# %% [markdown]
# ## 1. The loss table of document 000, measured again
#
# First we need a yardstick: a network that ignores the image and always answers the mean.

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
# A loss that makes a network *worse than a constant answer* does not merely fail to teach. It teaches something else.

# %%
losses = tables.summary("regression", "loss")
tables.readable(losses)

# %% [markdown]
# Some words of this table come back in the next four notebooks. *At chance* counts the runs that learn next to nothing:
# they cover less than a twentieth of the distance from the constant answer to a perfect one, or end worse than the
# constant answer. *To 95 %* is the epoch by which a run had made 95 % of its own progress. *Error, times …* divides the
# two errors, seed by seed. *Normalised* is the documents' word for standardised targets.
#
# Two of the five rows do not work as regressions at all. One stops with an error message. The other runs through and
# leaves an MSE far above the yardstick. Do our figures agree with the published ones?

# %%
Markdown(published_sentences("regression"))

# %% [markdown]
# Those were the document's figures and ours. **What are yours?** `make run-all` trains the same rows on your machine,
# with the data and the number of seeds that you choose. If you have run it, your results appear here. They are never
# mixed with the stored ones. Results on the embedded digits cannot be compared with results on MNIST.

# %%
tables.own_table("regression", seeds, data, device)

# %% [markdown]
# The stored table again, as a picture, one dot per seed:

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# The dotted line is the yardstick. MSE, MAE and RMSE end far to the left of it; `nn.BCEWithLogitsLoss` ends on the
# wrong side. Which of the first three is best? A seed fixes the split, the starting weights and the batches for all
# rows, so we can compare the rows seed by seed.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# Each mark is a difference: a row minus the fitting pairing, which is MSE on standardised targets. The grey band
# reaches 0.01 of MSE to either side. We decided to call differences inside it practically equal before we looked at any
# result. An interval inside the band shows *practical* equality. Such an interval may still lie wholly on one side of
# 0; then the difference is real but too small to matter. *Better* and *worse* mean a difference beyond chance, and only
# an interval wholly outside the band shows that it matters. Anything else is *undecided*. Notice which loss is behind
# the others here: it is the one that the table is measured in. (With fewer than six seeds a row says "illustration" and
# gets no verdict. All intervals are about other seeds, not about another test set.) How long did the rows train?

# %%
show(result_figures.epochs_plot(losses))

# %% [markdown]
# Each dot shows how many epochs one seed needed to come close to its final error. Rows that never learnt have no such
# epoch. It would be wrong to call their short runs fast.
#
# One more loss belongs to this family: **Huber**, which document 002 describes and none of the tables contains.

# %%
tables.readable(tables.summary("regression", "extra"))

# %% [markdown]
# Compare it with the first table: where there are no outliers, Huber and MSE differ little.

# %% [markdown]
# ## 2. `nn.BCELoss`: the error is a kindness
#
# On a CPU the message says what is wrong. On a GPU the same check ends in `device-side assert triggered`, and the
# process must be restarted. That is the message the document reports. Our training records the error and goes on.

# %%
splits = lm.load_data(data)
run = lm.fit(lm.Pairing("regression", "bce", normalize=True), splits, device=device)
assert run.status == "error" and "between 0 and 1" in run.error
print(run.status, "-", run.error)

# %% [markdown]
# A sigmoid at the end keeps the outputs between 0 and 1, and one word of the message changes. Which one?

# %%
Markdown(sentence(lm.Pairing("regression", "bce", "sigmoid", normalize=True)))

# %% [markdown]
# ## 3. `nn.BCEWithLogitsLoss`: no error, and no floor
#
# The document explains its row like this: the loss applies a sigmoid, so the output is at most 1, while the targets
# reach 6. Check that against the code. The sigmoid is *inside the loss*. The network's own output is the raw number
# before the sigmoid, and the metric compares that raw number with the target. It has no limit at all.

# %%
images = splits.test.images[:100].to(run.device)
assert torch.equal(run.model(images), run.model.logits(images))  # the network itself ends without a sigmoid
show(lesson.no_floor_figure())

# %% [markdown]
# Here is the reason. For a target between 0 and 1 the curve has a lowest point; for a target of exactly 1 it levels out
# at 0. For a target *outside* this range, the curve falls for ever: the further the output runs away, the smaller the
# loss. About half of all standardised targets are negative.

# %%
fitting = lm.Pairing("regression", "mse", normalize=True)
misfit = lm.Pairing("regression", "bce_logits", normalize=True)
found = [lesson.runaway(pairing, splits, device=device) for pairing in (fitting, misfit)]
show(lesson.runaway_figure(found))

# %% [markdown]
# The first two panels show the mean output for images with large and with small targets. With MSE the two lines
# separate. With BCE on logits both run the *same* way, further with every epoch, and the MSE grows with them (one
# seed, trained just now). The direction is no accident: the mean of standardised targets is 0, and a sigmoid is 0 only
# at minus infinity. So this row has no final figure. Early stopping keeps the best epoch. Which one is that?

# %%
stored = reference().of(misfit)
first, last = (sum(run["history"][place]["valid_metric"] for run in stored) for place in (0, -1))
Markdown(f"In {sum(run['best_epoch'] == 1 for run in stored)} of {len(stored)} stored runs it is the very first. By the"
         f" last one the validation MSE is {last / first:.1f} times as large.")  # fmt: skip

# %% [markdown]
# So both figures, ours and the published one, say how far a network gets in one epoch. They do not say where it would
# end.

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
# The document marks **ReLU** as fitting, since the targets are never negative. Yet its dots are far apart. They do not
# form a cloud around a mean: they stand in separate places, and the seed decides which. (So the mean of such a row
# describes none of its networks; look at the column *at chance* instead.) Why?

# %%
share = lesson.dead_at_start(lm.Pairing("regression", "mse", "relu"), splits)
zero = lm.TASKS["regression"].target(tested_digits("mnist")).square().mean()
Markdown(f"Of 40 fresh networks with a ReLU output, **{share:.0%}** emit 0 for every image before training starts."
         f" With raw targets, answering 0 to every test image of MNIST costs **{zero:.2f}**.")  # fmt: skip

# %% [markdown]
# Where a ReLU outputs 0, its slope is 0. If it outputs 0 for *all* images, no gradient passes, and the network stays
# dead. The starting weights decide whether a network starts dead: it is a coin toss. More networks end dead than start
# dead. About half of the standardised targets are negative, so the first steps push the output down, and a ReLU that is
# pushed below 0 for all images does not come back. With standardised targets a dead network answers 0, which is the
# mean, so it lands on the dotted line. With raw targets, is every lost run a dead ReLU? Compare seed by seed with the
# same network without an activation.

# %%
bare, relu = (reference().scores(lm.Pairing("regression", "mse", name)) for name in ("none", "relu"))
same = sum(bare[seed] == relu[seed] for seed in bare)
Markdown(f"With raw targets **{same} of {len(bare)}** ReLU runs equal the runs without an activation to the last digit."
         " In these ReLU is innocent, and part 5 finds the culprit; the others answer 0.")  # fmt: skip

# %% [markdown]
# With standardised targets, a few networks got away from the dotted line. What have they learnt? Here are their
# answers, digit by digit:

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "mse", "relu", normalize=True)]))

# %% [markdown]
# In the training time that early stopping allows here, a seed that learnt tells only one digit from the rest: the one
# with the largest target.
#
# **Sigmoid and its inverse** trains on standardised targets, in spite of the detour. The document has three arguments
# against it. [Notebook 04](04_output_activations.ipynb) measures them; here you see whether the detour costs anything
# in the end.

# %%
squeezed = lm.Pairing("regression", "mse", "sigmoid_inverse", normalize=True)
Markdown(comparison_sentence(squeezed))

# %% [markdown]
# ## 5. Do targets have to be standardised?
#
# The document says that a network reaches the wanted performance only with standardised outputs. That sounds like mere
# good practice. But the rows with raw targets in the last table did not end just a little worse: without an activation
# and with squeezed targets they ended at about the error of a constant answer.

# %%
raw = lm.Pairing("regression", "mse")
display(Markdown(sentence(raw)))
Markdown(comparison_sentence(raw))

# %% [markdown]
# A linear output *can* give any number from 1 to 6. So what stops it? [Notebook 04](04_output_activations.ipynb) met
# this case and named a suspect: a push that all images share at the start. This part tests that suspicion.
#
# Here are the curves of all seeds with standardised targets, with raw targets, and with standardised targets squeezed
# through a sigmoid:

# %%
show(output_figures.learning_curves([fitting, raw, squeezed]))

# %% [markdown]
# The dotted line is the constant answer. The networks with raw targets go there and stay. Their curve is not a slower
# version of the others; something different happens. (Each seed has its own validation images, so its curve may lie a
# little above or below the line.) What do these networks answer, digit by digit?

# %%
show(output_figures.means_by_digit([fitting, raw, misfit]))

# %% [markdown]
# On the left the dots sit on their targets. The other two networks give the same number to all ten digits: the mean, or
# something below every existing target. Now watch the network with raw targets while it trains.

# %%
show(lesson.runaway_figure([found[0], lesson.runaway(raw, splits, device=device)]))

# %% [markdown]
# Images with large and with small targets get the *same* output. At the start all outputs are near 0 and all targets
# lie above, so every image pushes the hidden layer the same way. AdamW turns that steady push into full steps. The
# sigmoid units saturate, and afterwards no image looks different from another. If that is the cause, removing the push
# should be enough: start the output's bias at the mean and leave the targets raw. How much will that help?

# %%
cured, usual = (changed_conditions.mean_metric("switches", name) for name in ("raw-bias", "standardised"))
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
# This is one seed, trained just now, but a large improvement for one changed number. What do the two hidden layers look
# like? A unit is *stuck* when it stands at the same flat end of its sigmoid for every image.

# %%
some = splits.valid.images.to(plain.device)
for name, run in {"raw targets": plain, "bias at the mean": started}.items():
    print(f"{name}: {stuck_units(run.model, some):.0%} of the hidden units are stuck")

# %% [markdown]
# Is the push the cause, or does it only come along with the harm? To find out, we switch it off *and* on. We use seeds
# that no table above has used, and we wrote the expected outcome down before we ran them. Standardised targets have no
# push; an output bias that is two standard deviations off gives them one.

# %%
pushes = ["raw", "raw-bias", "raw-head-first", "standardised", "standardised-off"]
changed_conditions.outcome_table(changed_conditions.stored("switches", pushes))

# %% [markdown]
# The last column says whether the outcome was as expected. So the advice of the document holds, and now it has a
# reason: standardising takes away a push that all images share. (It is not the only cure.) [Notebook
# 11](11_multi_class.ipynb) meets the same push again, in ten outputs at once.
#
# The other two effects of this notebook have their own switches. A ReLU output that starts at the mean of the targets,
# well above 0, should not die. The loss without a floor should have one as soon as its targets lie between 0 and 1 (the
# tamed row squeezes the targets through a sigmoid and undoes that afterwards).

# %%
others = ["relu-output", "relu-output-bias", "runaway", "runaway-tamed"]
show(condition_figures.outcome_figure(changed_conditions.stored("switches", [*pushes, *others])))

# %% [markdown]
# Each mark is a run; the scale is logarithmic. The black bar is the constant answer. A grey box shows where
# we expected the runs of a row. For the squares we predicted nothing, because the seed decides.

# %% [markdown]
# ## 6. The trap without an error
#
# Outputs of shape `[N, 1]` against targets of shape `[N]`: PyTorch warns once and then compares *every* output with
# *every* target. The best single answer to all targets is their mean.

# %%
outputs, targets = torch.zeros(4, 1), torch.tensor([1.0, 2.0, 3.0, 6.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    wrong = torch.nn.MSELoss(reduction="none")(outputs, targets)
assert wrong.shape == (4, 4) and "broadcast" in str(caught[0].message)
print(wrong.shape, "-", str(caught[0].message)[:76])

# %% [markdown]
# That makes sixteen comparisons for four images. This course's `fit` refuses such shapes. Your own loop will not, so
# check the shapes before you look at curves. The [doctor](13_is_it_learning.ipynb) does it for you.

# %% [markdown]
# ## 7. Every pairing
#
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Brightness shows progress: a dark cell is no better than the constant answer, the brightest is a perfect one. Grey
# cells stop with an error. The first grid has standardised targets.

# %%
show(result_figures.grid_heatmap("regression", normalize=True))

# %% [markdown]
# The second grid has the same network with raw targets.

# %%
show(result_figures.grid_heatmap("regression"))

# %% [markdown]
# Compare a cell with the same cell in the other grid. With this network, standardising the targets changes more than
# going from one fitting loss to another. With raw targets the columns of sigmoid and softmax show the same figure again
# and again. Where does it come from?

# %%
targets = lm.TASKS["regression"].target(tested_digits("mnist"))
Markdown(f"Whoever answers 1 to every image pays **{(targets - 1).square().mean():.2f}** on MNIST's test images.")

# %% [markdown]
# That is what an output of at most 1 costs. The document's argument from part 3 is right here, for these columns. Its
# own row had an error far above that figure, so its outputs were not held at 1.
#
# Now go through the rows of `nn.BCELoss` and `nn.BCEWithLogitsLoss` with standardised targets. In one cell binary
# cross-entropy does learn a number: the targets pass through a sigmoid, too, and so lie between 0 and 1. The cell below
# it has one sigmoid more, and its network is worse than a constant. One cell with cross-entropy is brighter than its
# neighbours. What do its networks answer, digit by digit?

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "cross_entropy", "sigmoid", normalize=True)]))

# %% [markdown]
# The loss takes the whole batch for one sample and lets its images compete. Outputs whose target is above the mean are
# pushed up and the others down, to the two ends of the sigmoid. So the network sorts the digits into two piles.
#
# The picker below explains what a pairing means, and trains it live if you ask.

# %%
from lm_utils.explorer.picker import picker

picker("regression", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A standardised target is 1.5 and the raw output is `z`. What is the gradient of `nn.BCEWithLogitsLoss`
# with respect to `z` when `z` is very large? Its sign tells which way the output moves next.

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
# - MSE, MAE, RMSE and Huber all fit. Compare them on paired seeds; the name does not tell which is better.
# - `nn.BCELoss` refuses numbers outside 0 to 1. `nn.BCEWithLogitsLoss` accepts them but has no floor, so the outputs
#   run away. The limit of the sigmoid is not the reason. Both losses work if the targets are squeezed into 0 to 1.
# - Raw targets far from 0 push all images the same way; standardise them, or start the output's bias at their mean.
# - A ReLU output can be dead from its first step. Count such runs; do not average them away.
# - With outputs `[N, 1]` and targets `[N]` a network trains on nonsense.
#
# **Next:** [09 Probability prediction](09_probability.ipynb)

