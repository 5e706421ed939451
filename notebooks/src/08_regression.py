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
# **Time:** {time}
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

import pandas as pd
import torch
from IPython.display import Markdown, display
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence import changed_conditions, tables
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentence, published_sentences, sentence
from lm_utils.files import RESULTS
from lm_utils.lessons import regression as lesson
from lm_utils.runs.watches import stuck_units
from lm_utils.show import output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.curves import curves_figure
from lm_utils.show.images import images_figure
from lm_utils.show.style import show
from lm_utils.training import adamw

banner(data, device)

# %% [markdown]
# ## Five images, and a misfit at work
#
# Here are five test images with the number that the network should give for each.

# %%
splits, task = lm.load_data(data), lm.TASKS["regression"]
five = [(splits.test.digits == digit).nonzero()[0].item() for digit in (1, 3, 6, 8, 4)]
images, truth = splits.test.images[five], task.target(splits.test.digits[five]).flatten()
show(images_figure(images, [f"strokes + holes: {number:g}" for number in truth]))

# %% [markdown]
# The network turns each image into one number. To be quick we train the small `lm.TinyCNN`: it halves the image, and
# two convolutions look at it. A hidden layer of 32 sigmoid units follows, and the output is a weighted sum of these
# units, without an activation. (The document's network, which the stored runs train, has three convolutions and 64
# hidden units.) In code:


# %%
def forward(model, images):
    seen = F.avg_pool2d(images, 2)
    seen = F.max_pool2d(model.conv1(seen), 2).relu()
    seen = F.max_pool2d(model.conv2(seen), 2).relu().flatten(1)
    hidden = torch.sigmoid(model.fc(seen))
    return model.out(hidden)


fresh = lm.TinyCNN(outputs=1)
assert torch.equal(forward(fresh, images), fresh(images))
print("a fresh network says", [round(number, 2) for number in forward(fresh, images).flatten().tolist()])

# %% [markdown]
# The targets are standardised: subtract the mean of the training targets, divide by their standard deviation. Now the
# network is trained twice, once with a loss for numbers and once with binary cross-entropy on logits. What do you
# expect of the second? The yardstick is a network that ignores the image and always answers the mean.

# %%
quiz.predict(
    "Standardised targets, raw outputs, nn.BCEWithLogitsLoss. How will the MSE compare with always saying the mean?",
    options=["better", "about the same", "far worse"],
    answer="far worse",
    reading=sentence(lm.Pairing("regression", "bce_logits", normalize=True)),
)

# %% [markdown]
# Here is the training, without a helper. To be quick it uses 600 images. Besides the model it returns what the network
# says about 300 validation images after every epoch. Part 3 uses that.


# %%
def train(loss, targets, epochs=8):
    model = lm.TinyCNN(outputs=1, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    order, said = torch.Generator().manual_seed(0), []
    for _ in range(epochs):
        for batch in torch.randperm(len(targets), generator=order).split(32):
            optimizer.zero_grad()
            loss(forward(model, splits.train.images[batch]), targets[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            said.append(forward(model, splits.valid.images[:300]).flatten())
    return model, said


# %% [markdown]
# Both trainings start from the same weights and see the same batches. Only the loss differs.

# %%
numbers = task.target(splits.train.digits[:600])
mean, std = numbers.mean(), numbers.std()
fits, fits_said = train(F.mse_loss, (numbers - mean) / std)
runs_away, misfit_said = train(F.binary_cross_entropy_with_logits, (numbers - mean) / std)

# %% [markdown]
# To read an output as strokes and holes, undo the standardising. Five predictions beside five truths:

# %%
with torch.no_grad():
    answers = {name: forward(model, images).flatten() * std + mean
               for name, model in {"MSE": fits, "BCE on logits": runs_away}.items()}  # fmt: skip
assert answers["BCE on logits"].std() < answers["MSE"].std() / 2 and answers["BCE on logits"].max() < 0.5
pd.DataFrame({"truth": truth, **answers}).round(1)

# %% [markdown]
# The network with MSE follows the truth, and a longer training would bring it closer. The one with BCE on logits gives
# nearly the same number for all five images, and that number is far below every truth. This is one seed and a few
# epochs. **Was that luck?** The rest of this notebook answers with stored runs on MNIST, and then asks why.
#
# ## 1. The loss table of document 000, measured again
#
# First the yardstick. Which constant has the smallest squared error? It is the mean of the targets.

# %%
targets = task.target(tested_digits("mnist"))
baseline = (targets - targets.mean()).square().mean().item()
assert abs(baseline - reference().baseline("regression")) < 1e-6
print(f"always the mean: a test MSE of {baseline:.2f} on MNIST")

# %% [markdown]
# Now the stored runs: one line for each run, one column for each loss, standardised targets and no output activation.

# %%
stored = pd.read_csv(RESULTS / "mnist" / "runs.csv").query("task == 'regression' and hidden == 'sigmoid'")
score = stored.query("normalize and activation == 'none'").pivot(index="seed", columns="loss", values="test_metric")
score = score[["mse", "mae", "rmse", "huber", "bce_logits"]].dropna()
score.round(3)

# %% [markdown]
# It was no luck. When do we say that a run has learnt? A run is **at chance** when it covers less than a twentieth of
# the way from the constant answer to a perfect one, or ends worse than the constant answer.

# %%
learnt = (baseline - score) / baseline
at_chance = (learnt < 0.05).sum()
losses = tables.summary("regression", ["loss", "extra"])
assert (at_chance == losses.set_index("loss")["failed"][score.columns]).all()
at_chance.to_frame(f"at chance, of {len(score)} seeds").T

# %% [markdown]
# The mean over the seeds, its interval and the paired difference are computed as in [notebook 07](
# 07_experiment_design.ipynb), part 6, which also says how a verdict is to be read. From here on the helper does it. Its
# table adds Huber: document 002 describes it, but no table of the documents contains it.

# %%
tables.readable(losses)

# %% [markdown]
# Every bracket holds a 95 % interval. Behind *at chance* it says how large the share of such runs may be among other
# seeds. "All columns" below the table unfolds the rest: the published figure, the epochs, and *to 95 %*, the epoch by
# which a run had made 95 % of its own progress. *Error, times …* divides the two errors, seed by seed. *Normalised* is
# the documents' word for standardised targets.
#
# Two rows do not work as regressions at all. One stops with an error message. The other runs through and leaves an MSE
# far above the yardstick: its loss does not merely fail to teach, it teaches something else. Do our figures agree with
# the published ones?

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
# The dotted line is the yardstick. MSE, MAE, RMSE and Huber end far to the left of it; `nn.BCEWithLogitsLoss` ends on
# the wrong side. Which of the others is best? We compare them with MSE, seed by seed.

# %%
difference = score[["mae", "rmse", "huber"]].sub(score["mse"], axis=0)
helper = losses.set_index("loss")["difference"][difference.columns]
assert (difference.mean() - helper).abs().max() < 1e-9 and (difference.mean() < 0).all()
difference.describe().loc[["mean", "min", "max"]].round(4)

# %% [markdown]
# The picture adds the intervals; the grey band is what we call practically equal.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# On average MSE is behind MAE, RMSE and Huber here, although the table itself measures the MSE. Where there are no
# outliers, Huber and MSE differ little.

# %% [markdown]
# ## 2. `nn.BCELoss`: the error is a kindness
#
# On a CPU the message says what is wrong. On a GPU the same check ends in `device-side assert triggered`, and the
# process must be restarted. That is the message the document reports. Our training records the error and goes on.

# %%
try:
    train(F.binary_cross_entropy, (numbers - mean) / std)
except RuntimeError as refusal:
    assert "between 0 and 1" in str(refusal)
    print(refusal)

# %% [markdown]
# A sigmoid at the end keeps the outputs between 0 and 1, and one word of the message changes. Which one?

# %%
try:
    F.binary_cross_entropy(torch.sigmoid(forward(fits, images)).flatten(), (truth - mean) / std)
except RuntimeError as refusal:
    print(refusal)

# %% [markdown]
# ## 3. `nn.BCEWithLogitsLoss`: no error, and no floor
#
# The document explains its row like this: the loss applies a sigmoid, so the output is at most 1, while the targets
# reach 6. Check that against the code. The sigmoid is *inside the loss*. The network's own output is the raw number
# before the sigmoid, and the metric compares that raw number with the target. The raw number has no limit at all.

# %%
z, curves = torch.linspace(-12, 12, 241), {}
for target in (-0.8, 0.3, 1.0, 1.5):
    curve = F.binary_cross_entropy_with_logits(z, torch.full_like(z, target), reduction="none")
    curves[target] = curve
    assert (curve.min() > 0) == (0 <= target <= 1)
    print(f"target {target:4}: lowest loss {curve.min():6.2f}, at z = {z[curve.argmin()]:.1f}")

# %% [markdown]
# The output went from -12 to 12. Three of the four lowest points are at an end of that range. Does the curve stop
# falling there? Here are the curves.

# %%
inside = {target: "inside" if 0 <= target <= 1 else "outside" for target in curves}
named = {f"target {target:g} ({inside[target]} 0 to 1)": [curve] for target, curve in curves.items()}
lowest = ", ".join(f"{target:g}: {curve.min():.1f}" for target, curve in curves.items())
alt = (f"Binary cross-entropy on logits against the output. Lowest value within the picture by target: {lowest};"
       " the curves of targets outside 0 to 1 keep falling.")  # fmt: skip
show(curves_figure(named, alt, x=z, every=40, xlabel="output of the network", ylabel="BCE with logits"))

# %% [markdown]
# Here is the reason. For a target between 0 and 1 the curve has a lowest point. For a target of exactly 1 it levels out
# at 0. For a target *outside* this range the curve falls for ever: the further the output runs away, the smaller the
# loss. About half of all standardised targets are negative.
#
# So what happened during the two trainings at the beginning? We look at two numbers after each epoch. The *level* is
# the mean output over all images. The *gap* is the mean output of images with large targets minus that of images with
# small targets; it says whether the network tells them apart.

# %%
large = task.target(splits.valid.digits[:300]).flatten() > mean


def level_and_gap(said):
    return [outputs.mean().item() for outputs in said], [
        (outputs[large].mean() - outputs[~large].mean()).item() for outputs in said]  # fmt: skip


watched = {"MSE": level_and_gap(fits_said), "BCE on logits": level_and_gap(misfit_said)}
fell, gap = watched["BCE on logits"]
assert fell[0] < 0.5 * fell[-1] < 0 and max(map(abs, gap)) < 0.1 < watched["MSE"][1][-1]  # says the text below
show(lesson.level_and_gap_figure(watched))

# %% [markdown]
# With MSE the level stays near 0, and the gap opens. With BCE on logits the outputs of *all* images run down together,
# most of the way in the first epoch, and no gap opens (one seed, trained just now). The direction is no accident: the
# mean of standardised targets is 0, and a sigmoid is 0 only at minus infinity. So this row never arrives at a final
# MSE. Early stopping keeps the best epoch. Which one is that?

# %%
fitting = lm.Pairing("regression", "mse", normalize=True)
misfit = lm.Pairing("regression", "bce_logits", normalize=True)
runs = reference().of(misfit)
first, last = (sum(run["history"][place]["valid_metric"] for run in runs) for place in (0, -1))
Markdown(f"In {sum(run['best_epoch'] == 1 for run in runs)} of {len(runs)} stored runs it is the very first. By the"
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
dead = 0
for seed in range(40):
    fresh = lm.CNN(outputs=1, activation="relu", generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        dead += (fresh(splits.train.images[:200]) == 0).all().item()
zero = targets.square().mean()
Markdown(f"Of 40 fresh networks with a ReLU output, **{dead / 40:.0%}** emit 0 for every image before training starts."
         f" With raw targets, answering 0 to every test image of MNIST costs **{zero:.2f}**.")  # fmt: skip

# %% [markdown]
# Where a ReLU outputs 0, its slope is 0. If it outputs 0 for *all* images, no gradient passes, and the network stays
# dead. The 40 networks saw the same images, so here the starting weights alone decide: it is a coin toss. More networks
# end dead than start dead. About half of the standardised targets are negative, so the first steps push the output
# down, and a ReLU that is pushed below 0 for all images does not come back. With standardised targets a dead network
# answers 0, which is the mean, so it lands on the dotted line. With raw targets, is every lost run a dead ReLU? Compare
# seed by seed with the same network without an activation.

# %%
raw_score = stored.query("not normalize and loss == 'mse' and activation in ['none', 'relu']")
raw_score = raw_score.pivot(index="seed", columns="activation", values="test_metric")
same = raw_score["relu"] == raw_score["none"]
at_zero = (raw_score["relu"] - zero.item()).abs() < 0.01
assert (same | at_zero).all()
Markdown(f"With raw targets **{same.sum()} of {len(same)}** ReLU runs equal the runs without an activation to the last"
         " digit. ReLU changes nothing in these, and part 5 finds their reason. The others answer 0.")  # fmt: skip

# %% [markdown]
# With standardised targets, a few networks got away from the dotted line. What have they learnt? Here are their
# answers, digit by digit:

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "mse", "relu", normalize=True)]))

# %% [markdown]
# A network that learnt separates only one digit from the rest: the one with the largest target. Can it do no more, or
# was it stopped too soon? Early stopping waits ten epochs for a better validation error. These are the best epochs of
# the two networks, and the epochs in which they ended:

# %%
cut_off = lm.Pairing("regression", "mse", "relu", normalize=True)
alive = [run for run in reference().of(cut_off) if run["test_metric"] < 0.95 * baseline]
assert all(0.75 < run["test_metric"] < 0.85 for run in alive)
for run in alive:
    print(
        f"seed {run['seed']}: test MSE {run['test_metric']:.2f}; best in epoch {run['best_epoch']} of {run['epochs']}"
    )

# %% [markdown]
# So twenty tiny networks with the same output were trained with a patience of 200 epochs, until they were 60 % of the
# way from the constant answer to a perfect one (embedded digits, seeds 300 to 319). We wrote our expectation down
# before: most are dead, fewer than half ever come that far, and patience beyond 20 epochs adds three runs at most.

# %%
plateau = changed_conditions.stored("plateau", data="digits")["relu-output"]
valid = {run["seed"]: pd.Series([epoch["valid_metric"] for epoch in run["history"]]) for run in plateau}
never = sum(error.nunique() == 1 for error in valid.values())
print(f"{never} of {len(plateau)} networks gave the same answer after every epoch")
(out,) = (run for run in plateau if run["left"])
error = valid[out["seed"]]
new_best = error < error.cummin().shift(fill_value=float("inf"))
waited = (error.index - error.index.where(new_best).to_series().ffill()).max()
print(f"seed {out['seed']} left in epoch {out['left']}, after {waited:.0f} epochs without a new best;"
      f" in the 100 epochs before its error was {error[-101:-1].median():.2f} (median)")  # fmt: skip
assert never == 19 and waited > 100 and error[-101:-1].between(0.7, 1).all()

# %% [markdown]
# The expectation held, because the dead networks never moved: patience cannot help them. The one that lived stood for
# more than a hundred epochs at about the error where the two networks above stopped, and then left. So the error at
# which those two stopped is a *plateau*, and their patience of ten epochs ended them on it. One living network is an
# example, not a rate. [Notebook 16](16_on_new_data.ipynb), part 4, draws such waits as curves.
#
# **Sigmoid and its inverse** squeezes the targets with a sigmoid and undoes this at the end. On standardised targets it
# learns. The document has three arguments against it. [Notebook 04](04_output_activations.ipynb) measures them; here
# you see whether it costs anything.

# %%
squeezed = lm.Pairing("regression", "mse", "sigmoid_inverse", normalize=True)
Markdown(comparison_sentence(squeezed))

# %% [markdown]
# ## 5. Do targets have to be standardised?
#
# The document says that a network reaches the wanted performance only with standardised outputs. That sounds like good
# practice. But the rows with raw targets in the last table did not end just a little worse: without an activation and
# with squeezed targets they ended at about the error of a constant answer.

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
# something below every target. Now train the network of the first part with raw targets and watch it.

# %%
_, raw_said = train(F.mse_loss, numbers)
watched = {"standardised": level_and_gap(fits_said), "raw targets": level_and_gap(raw_said)}
level, gap = watched["raw targets"]
assert abs(level[0] - mean) < 0.2 * mean and max(map(abs, gap)) < 0.1  # says the text below
show(lesson.level_and_gap_figure(watched))

# %% [markdown]
# The level of the raw network jumps to the mean of its targets, but no gap opens: images with large and with small
# targets get the *same* output. At the start all outputs are near 0 and all targets lie above, so every image pushes
# the hidden layer the same way. AdamW turns that steady push into full steps. The sigmoid units saturate, and
# afterwards no image looks different from another. If that is the cause, removing the push should be enough: start the
# output's bias at the mean and leave the targets raw. How much will that help?

# %%
switched = {name: pd.DataFrame(runs)["test_metric"] for name, runs in changed_conditions.stored("switches").items()}
cured, usual = switched["raw-bias"].mean(), switched["standardised"].mean()
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
# Nothing else is changed: the same loss, the same targets, the same seed. To be quick, both runs train `lm.TinyCNN`, on
# images of half the size; it has 32 hidden units. (The tables come from the documents' CNN.)

# %%
tiny = {"max_epochs": 12, "device": device, "network": lm.TinyCNN}
plain = lm.fit(raw, splits, **tiny)
started = lm.fit(raw, splits, **tiny, setup=start_at_the_mean)
assert started.test_metric < plain.test_metric / 2
print(f"raw targets: test MSE {plain.test_metric:.2f}; with the bias at the mean: {started.test_metric:.2f}")

# %% [markdown]
# This is one seed, trained just now, but the improvement is large for one changed number. What do the two hidden layers
# look like? A unit is *stuck* when it stands at the same flat end of its sigmoid for every image.

# %%
for name, run in {"raw targets": plain, "bias at the mean": started}.items():
    with torch.no_grad():
        units = run.model.hidden_units(splits.valid.images.to(run.device))
    stuck = (units < 0.01).all(dim=0) | (units > 0.99).all(dim=0)
    print(f"{name}: {stuck.float().mean():.0%} of the hidden units are stuck")
    assert abs(stuck.float().mean() - stuck_units(run.model, splits.valid.images.to(run.device))) < 1e-6

# %% [markdown]
# Is the push the cause, or do the two only occur together? To find out, we switch it off *and* on. We use seeds that no
# table above has used, and we wrote the expected outcome down before we ran them. Standardised targets have no push; an
# output bias that is two standard deviations off gives them one.
#
# The other two effects of this notebook have their own switches. A ReLU output that starts at the mean of the targets,
# well above 0, should not die. The loss without a floor should get one as soon as its targets lie between 0 and 1: the
# targets are squeezed through a sigmoid, and the output is unsqueezed afterwards.

# %%
switches = ["raw", "raw-bias", "raw-head-first", "standardised", "standardised-off",
            "relu-output", "relu-output-bias", "runaway", "runaway-tamed"]  # fmt: skip
changed_conditions.outcome_table(changed_conditions.stored("switches", switches))

# %% [markdown]
# The last column says whether the outcome was as expected; where the seed decides, nothing was predicted. So the advice
# of the document holds, and now it has a reason: standardising takes away a push that all images share. (It is not the
# only cure.) [Notebook 11](11_multi_class.ipynb) meets the same push again, in ten outputs at once.

# %% [markdown]
# ## 6. The trap without an error
#
# The outputs have the shape `[N, 1]`, the targets `[N]`. PyTorch warns once and then compares *every* output with
# *every* target. The best single answer to all targets is their mean, so every output learns that.

# %%
outputs, four = torch.zeros(4, 1), torch.tensor([1.0, 2.0, 3.0, 6.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    wrong = torch.nn.MSELoss(reduction="none")(outputs, four)
assert wrong.shape == (4, 4) and "broadcast" in str(caught[0].message)
print(wrong.shape, "-", str(caught[0].message)[:76])

# %% [markdown]
# That makes sixteen comparisons for four images. This course's `fit` refuses such shapes. Your own loop will not, so
# check the shapes before you look at curves. The [doctor](13_is_it_learning.ipynb) does it for you.

# %% [markdown]
# ## 7. Every pairing
#
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Blue cells are better than the constant answer, red ones worse, and pale ones about equal to it: full blue means a
# tenth of its error, full red ten times its error. Grey cells stop with an error. The first grid has standardised
# targets.

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
Markdown(f"Answering 1 to every test image of MNIST costs **{(targets - 1).square().mean():.2f}**.")

# %% [markdown]
# That is what an output of at most 1 costs. The document's argument from part 3 is right here, for these columns. Its
# own row had an error far above that figure, so its outputs were not held at 1.
#
# Now go through the rows of `nn.BCELoss` and `nn.BCEWithLogitsLoss` with standardised targets. In one cell binary
# cross-entropy does learn a number: the targets pass through a sigmoid, too, and so lie between 0 and 1. The cell below
# it has one sigmoid more, and its network is worse than a constant. One cell with cross-entropy is bluer than its
# neighbours. What do its networks answer, digit by digit?

# %%
show(output_figures.means_by_digit([lm.Pairing("regression", "cross_entropy", "sigmoid", normalize=True)]))

# %% [markdown]
# The loss treats the whole batch as one sample and lets its images compete. Outputs whose target is above the mean are
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
# **Exercise 2.** A colleague measures the test MSE of the first network of this notebook, `fits`, and is disappointed.
# The network is fine; the script has two mistakes. Repair it.


# %%
@torch.no_grad()
def script():
    outputs = forward(fits, splits.test.images[:200])
    truth = task.target(splits.test.digits[:200]).flatten()
    return (outputs - truth).square().mean().item()


script()


# %% tags=["solution"]
@torch.no_grad()
def script():
    outputs = forward(fits, splits.test.images[:200]).flatten() * std + mean  # as many as truths, and strokes and holes
    truth = task.target(splits.test.digits[:200]).flatten()
    return (outputs - truth).square().mean().item()


script()

# %% [markdown]
# Edit the script above, run its cell, and then this one:

# %%
with torch.no_grad():
    z, right = forward(fits, splits.test.images[:200]), task.target(splits.test.digits[:200])
errors = {"nothing": z - right.T, "shape": z - right, "scale": z * std + mean - right.T,
          "both": z * std + mean - right, "truth": z - (right - mean) / std}  # fmt: skip
mse = {repaired: error.square().mean().item() for repaired, error in errors.items()}
quiz.check_script(
    script,
    works=lambda found: abs(found - mse["both"]) < 1e-3,
    broken=mse["nothing"],
    mistakes=[
        (lambda found: abs(found - mse["shape"]) < 1e-3, "The shapes now fit. But the network learnt standardised "
         "targets: what must be done to its output before it is a number of strokes and holes?"),
        (lambda found: abs(found - mse["scale"]) < 1e-3, "The scale is right now. But what is the shape of the "
         "difference? Every output is compared with every truth."),
        (lambda found: abs(found - mse["truth"]) < 1e-3, "Both are standardised now. The metric is meant on the scale "
         "of strokes and holes."),
    ],
    hint="Look at the shapes of `outputs` and `truth`, then at their scales: `* std + mean`.",
)  # fmt: skip

# %% [markdown]
# ## Summary
#
# - MSE, MAE, RMSE and Huber all fit. Compare them on paired seeds; the name does not tell which is better.
# - `nn.BCELoss` refuses numbers outside 0 to 1. `nn.BCEWithLogitsLoss` accepts them but has no floor, so the outputs
#   run away. The limit of the sigmoid is not the reason. Both losses work if the targets are squeezed into 0 to 1.
# - Raw targets far from 0 push all images the same way; standardise them, or start the output's bias at their mean.
# - A ReLU output can be dead from its first step. Count such runs; do not average them away. A run that lives can stand
#   on a plateau for longer than early stopping waits.
# - With outputs `[N, 1]` and targets `[N]` a network trains on nonsense.
#
# **Next:** [09 Probability prediction](09_probability.ipynb)
